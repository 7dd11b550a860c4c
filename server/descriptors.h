/*
 * descriptors.h - each connection is a descriptor: have as many as we may, and say so when they are too few.
 */
#ifndef SERVER_DESCRIPTORS_H
#define SERVER_DESCRIPTORS_H

#include "conf/conf.h"

/** Raise the limit of this process as far as it may. */
void srv_descriptors_raise(void);
/** Log that there cannot be as many connections as the configuration allows, if so; once for each figure of it.
 *  Threads: the manager's. */
void srv_descriptors_check(const struct conf *conf);

#endif
