/* complaint.c - errors as text or JSON lines. */
#include "config.h"

#include "cli/complaint.h"

#include <stdio.h>

#include "base/buf.h"
#include "lang/diag.h"

void complaint_print(const struct ns_diag *diag, bool json)
{
    struct nb_buf text = NB_BUF_INIT;

    if (json)
        ns_diag_json(diag, &text);
    else
        ns_diag_print(diag, &text);
    fputs(nb_buf_cstr(&text), json ? stdout : stderr);
    nb_buf_done(&text);
}
