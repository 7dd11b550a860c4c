/*
 * hash.h - the hash of a run of bytes, for tables whose keys strangers choose.
 *
 * It depends on a seed that is random in each run, so that no program text or request can be prepared to
 * make a table degenerate. Never store it, and never let an order that people see follow from it.
 * Threads: any.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/** The hash of `length` bytes under this run's seed. */
uint64_t nb_hash_bytes(const void *bytes, size_t length);

#endif
