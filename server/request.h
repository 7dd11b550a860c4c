/*
 * request.h - one HTTP request, from its first line to the answer that was sent.
 *
 * Life: the connection loop makes it when a request line arrives, fills it, and puts it into the ring of its listener;
 * a process accepts it and copies what it holds into its own heap; somebody answers; the loop sends. Memory comes from
 * the loop's free list and goes back there.
 *
 * Exactly one answer: while a request waits for its answer its `ticket` is its id. Whoever changes it to 0
 * (srv_request_claim) must answer, and nobody else can: Server.respond, the deadline, the end of the process, a full
 * ring, the end of the listener all go through this one exchange. The answer is handed to the loop by
 * srv_request_answer(): directly on the loop's own worker, else over the loop's completion stack. Only the loop calls
 * libmicrohttpd.
 *
 * Ids count up for the whole program, from a number that is hardly one of a program's own: who spawns a process with an
 * id hands the request on, see below. The table that finds a request by its id is an array indexed by the id's low
 * bits; a request whose place is still taken gets the next id. Requests are never unmapped while the runtime lives, so
 * a stale pointer is at worst a request with another ticket.
 *
 * Who answers. A request belongs to the process that accepted it until one of these:
 *   - that process spawns a process whose closure holds the request record, or its id, directly or in a tuple or
 * closure that it holds: it then belongs to the child;
 *   - that process accepts another request: it then belongs to nobody (it was handed on by a message, say), only its
 * deadline guards it. If its process crashes or is killed: 500 at once. If its process ends normally without an answer:
 * 500 at once, unless the process has sent a message or written an mvar since (vm_process.published), for then somebody
 * else may know the id and answer. Past its deadline: 504, and its process, if it has one, is killed.
 */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include <ck_stack.h>
#include <microhttpd.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "server/reply.h"
#include "vm/process.h"

struct srv_connection;
struct srv_endpoint;
struct srv_headers;
struct srv_loop;
struct srv_runtime;
struct srv_unsent;
struct sched_group;

/* Where a request is, as its connection loop sees it. */
enum srv_request_state {
    SRV_REQUEST_HEADERS,  /* its first line is known */
    SRV_REQUEST_BODY,     /* headers are in, the body is coming */
    SRV_REQUEST_WAITING,  /* whole; its answer is awaited */
    SRV_REQUEST_ANSWERED, /* the answer is here, to be queued when libmicrohttpd next asks */
    SRV_REQUEST_SENDING,  /* queued */
    SRV_REQUEST_REFUSED   /* answered outside of libmicrohttpd; what still comes in is thrown away */
};

/** Text inside of the request's buffer. */
struct srv_part {
    uint32_t at, length;
};
struct srv_header {
    struct srv_part name, value;
};

/* Its own place in one of an endpoint's lists, oldest first. */
struct srv_link {
    struct srv_link *next, *previous;
};

enum { SRV_REQUEST_HEADERS_INLINE = 24 };

struct srv_request {
    unsigned magic;
    _Atomic uint64_t ticket;         /* its id while it waits for an answer, else 0 */
    uint64_t id;                     /* 0 before it was whole */
    const struct sched_group *group; /* whose listener it came in on */
    struct srv_loop *loop;
    _Atomic uint32_t holds; /* who still needs it: the loop, and the ring or the process that reads it */

    /* What the client sent. Written by the loop before the ring, read by whoever accepts. */
    struct nb_buf text; /* target, method, headers; each part ends in a NUL */
    size_t headers_at;  /* where in it the first header begins */
    struct srv_part method, path, query;
    bool has_query, is_head;
    struct srv_header headers_inline[SRV_REQUEST_HEADERS_INLINE];
    struct srv_header *headers; /* == headers_inline unless there are more */
    uint32_t header_count, header_capacity;
    bool has_cookies, has_upgrade, has_type; /* headers that say more than their text */
    struct nb_buf body;

    /* Headers that were there before (headers.h). */
    struct srv_headers *known;         /* with a reference; written before the ring */
    bool is_familiar;                  /* seen once before */
    _Atomic(struct srv_headers *) made; /* with a reference; by whoever accepts */

    /* The answer. Written by whoever claimed the ticket, read by the loop. */
    struct srv_reply reply;
    unsigned status;
    struct srv_unsent *unsent;   /* what a large one keeps in memory, NULL of others; ours */
    ck_stack_entry_t completion; /* on loop->completions */
    bool recycle;                /* it comes back over the completions only to be put away */

    /* The loop's own. */
    struct srv_endpoint *endpoint;
    enum srv_request_state state;
    struct MHD_Connection *connection; /* NULL once libmicrohttpd is done with it */
    struct srv_connection *client;     /* ours of the same; as long */
    struct srv_link link;              /* in endpoint->open while it waits */
    uint64_t started_ns, whole_ns;
    uint64_t piece_bytes; /* of the body since its time-out was last put off */
    uint32_t turns;       /* of the loop since it was whole */
    uint64_t last_turn;
    bool suspended;
    uint64_t suspended_ns;
    struct srv_link watch_link; /* in endpoint->unwatched when it is suspended and not watched yet */
    bool watched;               /* its connection is in the loop's epoll instance */
    bool client_gone;           /* its connection is to be ended */
    struct srv_request *free_next;
};

static inline const char *srv_request_part(const struct srv_request *request, struct srv_part part)
{
    return request->text.data + part.at;
}

/** Append method and path as fields of a log line. Only while the request is held or claimed. */
void srv_request_describe(const struct srv_request *request, struct nb_buf *out);

/** Ids and their requests. One per runtime. */
struct srv_request_slot {
    _Atomic(struct srv_request *) request;
    _Atomic uint64_t process; /* pid of the process that it belongs to, 0 none */
};
struct srv_request_table {
    struct srv_request_slot *slots;
    uint64_t mask;
    _Atomic uint64_t next_id;
};

bool srv_request_table_init(struct srv_request_table *table, unsigned requests_max);
void srv_request_table_done(struct srv_request_table *table);
/** Give a request its id and open its ticket. False when too many are open. Threads: the request's loop. */
bool srv_request_table_add(struct srv_request_table *table, struct srv_request *request);
/** The request that waits for an answer under this id; NULL when there is none. It may be answered by somebody else any
 * time. Threads: any. */
struct srv_request *srv_request_find(struct srv_request_table *table, uint64_t id);
/** Say whom an open request belongs to (0: nobody). Threads: any. */
void srv_request_set_process(struct srv_request_table *table, uint64_t id, uint64_t pid);
uint64_t srv_request_process(struct srv_request_table *table, uint64_t id);

/** Take the right, and the duty, to answer. False when it was answered already. Threads: any; wait-free. */
static inline bool srv_request_claim(struct srv_request *request, uint64_t id)
{
    return atomic_compare_exchange_strong(&request->ticket, &id, 0);
}

/** Fresh or reused; empty, with one hold, that of the loop. NULL without memory. Threads: the loop's. */
struct srv_request *srv_request_new(struct srv_loop *loop);
/** Release the memory of all requests on a loop's free list. */
void srv_request_free_all(struct srv_request *first);

/* Filling. Each returns false when memory is exhausted. */
bool srv_request_set_target(struct srv_request *request, const char *target);
bool srv_request_set_method(struct srv_request *request, const char *method);
bool srv_request_add_header(struct srv_request *request, const char *name, size_t name_length, const char *value,
                            size_t value_length);

/** Put it away. Only when nobody holds it. Threads: the loop's. */
void srv_request_recycle(struct srv_request *request);
/** Who reads a request (took it from a ring) is done with it. Threads: any. */
void srv_request_release(struct vm_ctx *ctx, struct srv_request *request);

/**
 * Hand over the answer of a request whose ticket the caller has claimed. Takes over what `reply` holds. Threads: any;
 * lock-free.
 */
void srv_request_answer(struct vm_ctx *ctx, struct srv_request *request, unsigned status, struct srv_reply reply);

#endif
