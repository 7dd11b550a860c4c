/* complaint.h - what the compiler has against a program, for whoever sits at the terminal. */
#ifndef CLI_COMPLAINT_H
#define CLI_COMPLAINT_H

#include <stdbool.h>

struct ns_diag;

/** Print all errors: as text on standard error, or as JSON lines on standard output. */
void complaint_print(const struct ns_diag *diag, bool json);

#endif
