/*
 * unsent.h - large answers that wait for their clients to take them, and what is done when they keep too much memory.
 *
 * What a handler answered stays in memory until its client has it, and clients are as slow as they like. So the bytes
 * of large answers are counted for each listener, memory that several answers share once in each loop. What would go
 * beyond unsent_max_mib is answered 503 with Retry-After instead: who downloads at his line's pace keeps his answer,
 * and who comes later is asked to try again. But clients that take next to nothing, and keep others out by that, are
 * hung up on: at once when there is no room, those of other loops at their next look.
 *
 * Small answers, which the kernel takes whole as a rule, pass by all this.
 *
 * On the loop's thread, but for srv_unsent_new().
 */
#ifndef SERVER_UNSENT_H
#define SERVER_UNSENT_H

#include <stddef.h>

#include "server/request.h"

struct srv_endpoint;

enum { SRV_UNSENT_LEAST = 16384 /* bytes of an answer that is large */ };

/** A large answer; its request's. */
struct srv_unsent {
    uintptr_t memory; /* what keeps it, to tell whether it is another's as well */
    size_t bytes;     /* of that */
    struct srv_request *request;
    struct srv_link link;      /* in the endpoint's list by the time of its last look; alone before and afterwards */
    struct srv_link same_hash; /* those that share their memory stand side by side */
    uint64_t looked_ns;        /* when its client's progress was last looked at … */
    uint64_t taken;            /* … and what it had taken on this connection by then */
};

/** What a listener's endpoint knows of its own. */
struct srv_unsent_list {
    struct srv_link moving; /* answers whose clients take them, by their last look */
    struct srv_link stuck;  /* whose clients do not */
    struct srv_link *by_memory; /* buckets; made with the first */
};

/** Note an answer of `bytes`, kept by `memory`. NULL without memory of ours. Freed with nb_free(). */
struct srv_unsent *srv_unsent_new(uintptr_t memory, size_t bytes);

void srv_unsent_list_init(struct srv_unsent_list *list);
void srv_unsent_list_done(struct srv_unsent_list *list);
/** The large answer of a request is to be sent. False: there is no room for it. */
bool srv_unsent_begin(struct srv_endpoint *endpoint, struct srv_request *request);
/** It was sent, or will not be. Nothing when it had not begun. */
void srv_unsent_end(struct srv_endpoint *endpoint, struct srv_request *request);
/** See who takes what he is sent, when it is time to. Returns when the next look is due, UINT64_MAX: never. */
uint64_t srv_unsent_look(struct srv_endpoint *endpoint);

#endif
