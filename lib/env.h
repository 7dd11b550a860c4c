/* env.h - the environment as a whole, and when the program was started, for Runtime.uptimeMs. */
#ifndef LIB_ENV_H
#define LIB_ENV_H

#include "base/buf.h"

/** Append all environment variables, NAME=VALUE, each ended by a zero byte. Threads: any. */
void lib_env_copy(struct nb_buf *out);

/** Note the time of the start. Threads: one, before natives run. */
void lib_env_started(void);

#endif
