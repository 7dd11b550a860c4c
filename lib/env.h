/* env.h - when the program was started, for Runtime.uptimeMs. */
#ifndef LIB_ENV_H
#define LIB_ENV_H

/** Note the time of the start. Threads: one, before natives run. */
void lib_env_started(void);

#endif
