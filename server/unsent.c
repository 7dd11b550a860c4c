/*
 * unsent.c - see unsent.h. How much a client has taken the kernel knows: the bytes of the connection that were
 * acknowledged. Its own buffers make that some megabytes at once and then nothing for a while, so a client is judged by
 * what it took between two looks.
 */
#include "config.h"

#include "server/unsent.h"

#include <inttypes.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/log.h"
#include "server/connection.h"
#include "server/listener.h"
#include "server/loop.h"

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define BYTES_PER_MIB (UINT64_C(1024) * 1024)
enum {
    BUCKETS = 256,
    LOOK_MS = 5000, /* between two looks; less if a pause in a body is to be shorter */
    TAKEN_LEAST = 5 * 1024, /* between two looks; who takes less is stuck */
    PRESSED_S = 10          /* how long after a refusal the stuck are hung up on, and until another is told of */
};

struct srv_unsent *srv_unsent_new(uintptr_t memory, size_t bytes)
{
    struct srv_unsent *unsent = nb_alloc_zero(sizeof *unsent);

    if (unsent == NULL)
        return NULL;
    unsent->memory = memory;
    unsent->bytes = bytes;
    srv_link_init(&unsent->link);
    srv_link_init(&unsent->same_hash);
    return unsent;
}

void srv_unsent_list_init(struct srv_unsent_list *list)
{
    srv_link_init(&list->moving);
    srv_link_init(&list->stuck);
    list->by_memory = NULL;
}

void srv_unsent_list_done(struct srv_unsent_list *list)
{
    nb_free(list->by_memory);
    list->by_memory = NULL;
}

static struct srv_unsent *by_link(struct srv_link *link)
{
    return (struct srv_unsent *)((char *)link - offsetof(struct srv_unsent, link));
}

static struct srv_unsent *by_same_hash(struct srv_link *link)
{
    return (struct srv_unsent *)((char *)link - offsetof(struct srv_unsent, same_hash));
}

/* ---- whose memory it is ---- */

static bool make_buckets(struct srv_unsent_list *list)
{
    if (list->by_memory != NULL)
        return true;
    list->by_memory = nb_alloc_array(BUCKETS, sizeof *list->by_memory);
    for (unsigned i = 0; list->by_memory != NULL && i < BUCKETS; i++)
        srv_link_init(&list->by_memory[i]);
    return list->by_memory != NULL;
}

static struct srv_link *bucket_of(const struct srv_unsent_list *list, uintptr_t memory)
{
    return &list->by_memory[memory * UINT64_C(0x9e3779b97f4a7c15) >> 56];
}
_Static_assert(BUCKETS == 1 << 8, "bucket_of() takes eight bits");

/* The place beside an answer that the same memory keeps, NULL when there is none. */
static struct srv_link *find_sharer(const struct srv_unsent_list *list, uintptr_t memory)
{
    struct srv_link *bucket = bucket_of(list, memory);

    for (struct srv_link *link = bucket->next; link != bucket; link = link->next) {
        if (by_same_hash(link)->memory == memory)
            return link;
    }
    return NULL;
}

static bool is_shared(const struct srv_unsent_list *list, const struct srv_unsent *unsent)
{
    struct srv_link *bucket = bucket_of(list, unsent->memory);
    struct srv_link *next = unsent->same_hash.next, *previous = unsent->same_hash.previous;

    return (next != bucket && by_same_hash(next)->memory == unsent->memory) ||
           (previous != bucket && by_same_hash(previous)->memory == unsent->memory);
}

/* ---- who takes what ---- */

/* Whether its client has taken something worth mentioning since the last look. Nobody knows on other than TCP sockets.
 */
static bool moves(struct srv_unsent *unsent)
{
    struct tcp_info info = { 0 };
    socklen_t length = sizeof info;
    uint64_t before = unsent->taken;

    if (getsockopt(unsent->request->client->fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
        return true;
    unsent->taken = info.tcpi_bytes_acked;
    return unsent->taken - before >= TAKEN_LEAST;
}

static void hang_up(struct srv_endpoint *endpoint, struct srv_unsent *unsent)
{
    struct srv_connection *client = unsent->request->client;

    srv_count(&endpoint->loop->counts.hung_up, 1);
    srv_unsent_end(endpoint, unsent->request); /* libmicrohttpd lets go of the memory in its next pass */
    srv_connection_cut(client, NULL);
}

/* Hang up on stuck clients, one after the other, until there is room for so many bytes more. */
static void make_room(struct srv_endpoint *endpoint, uint64_t bytes)
{
    struct srv_listener *listener = endpoint->listener;
    uint64_t limit = endpoint->limits.unsent_max_bytes;

    while (!srv_link_empty(&endpoint->unsent.stuck) && atomic_load(&listener->unsent_bytes) + bytes > limit) {
        struct srv_unsent *unsent = by_link(endpoint->unsent.stuck.next);

        if (!moves(unsent)) {
            hang_up(endpoint, unsent);
            continue;
        }
        srv_link_remove(&unsent->link);
        srv_link_append(&endpoint->unsent.moving, &unsent->link);
        unsent->looked_ns = endpoint->loop->now_ns;
    }
}

static uint64_t next_look_ns(const struct srv_endpoint *endpoint, const struct srv_unsent *unsent)
{
    uint32_t pause_ms = endpoint->limits.body_timeout_ms;

    return unsent->looked_ns + (uint64_t)(pause_ms < LOOK_MS ? pause_ms : LOOK_MS) * NS_PER_MS;
}

uint64_t srv_unsent_look(struct srv_endpoint *endpoint)
{
    struct srv_unsent_list *list = &endpoint->unsent;
    uint64_t now_ns = endpoint->loop->now_ns;

    while (!srv_link_empty(&list->moving)) {
        struct srv_unsent *unsent = by_link(list->moving.next);

        if (next_look_ns(endpoint, unsent) > now_ns)
            break;
        srv_link_remove(&unsent->link);
        srv_link_append(moves(unsent) ? &list->moving : &list->stuck, &unsent->link);
        unsent->looked_ns = now_ns;
    }
    if (!srv_link_empty(&list->stuck) && endpoint->limits.unsent_max_bytes != 0 &&
        now_ns < atomic_load_explicit(&endpoint->listener->unsent_pressed_ns, memory_order_relaxed))
        make_room(endpoint, endpoint->limits.unsent_max_bytes / 2);
    return srv_link_empty(&list->moving) ? UINT64_MAX : next_look_ns(endpoint, by_link(list->moving.next));
}

/* ---- beginning and end ---- */

static void count_bytes(struct srv_endpoint *endpoint, int64_t difference)
{
    atomic_fetch_add(&endpoint->listener->unsent_bytes, (uint64_t)difference);
    srv_count(&endpoint->loop->counts.unsent_bytes, difference);
}

static bool has_room(const struct srv_endpoint *endpoint, uint64_t bytes)
{
    uint64_t limit = endpoint->limits.unsent_max_bytes;

    return limit == 0 || bytes == 0 || atomic_load(&endpoint->listener->unsent_bytes) + bytes <= limit;
}

/* Remember, for other loops, that there was no room; tell of it when it had not been so for a while. */
static void note_refusal(struct srv_endpoint *endpoint)
{
    struct srv_listener *listener = endpoint->listener;
    uint64_t now_ns = endpoint->loop->now_ns;

    srv_count(&endpoint->loop->counts.unsent_full, 1);
    if (atomic_exchange(&listener->unsent_pressed_ns, now_ns + PRESSED_S * NS_PER_S) > now_ns)
        return;
    nb_log_warn("http.unsent_full",
                "app=%s port=%u limit=unsent_max_mib value=%" PRIu64
                " advice=\"clients are slow to take large answers: raise it, or lower connections_per_ip_max\"",
                listener->app, listener->port, endpoint->limits.unsent_max_bytes / BYTES_PER_MIB);
}

bool srv_unsent_begin(struct srv_endpoint *endpoint, struct srv_request *request)
{
    struct srv_unsent_list *list = &endpoint->unsent;
    struct srv_unsent *unsent = request->unsent;
    struct srv_link *place;
    uint64_t bytes;

    if (!make_buckets(list))
        return false;
    place = find_sharer(list, unsent->memory);
    bytes = place == NULL ? unsent->bytes : 0;
    if (!has_room(endpoint, bytes))
        make_room(endpoint, bytes);
    if (!has_room(endpoint, bytes)) {
        note_refusal(endpoint);
        return false;
    }
    if (place == NULL)
        place = bucket_of(list, unsent->memory);
    srv_link_append(place->next, &unsent->same_hash); /* that is behind `place` */
    count_bytes(endpoint, (int64_t)bytes);
    unsent->request = request;
    moves(unsent);
    unsent->looked_ns = endpoint->loop->now_ns;
    srv_link_append(&list->moving, &unsent->link);
    return true;
}

void srv_unsent_end(struct srv_endpoint *endpoint, struct srv_request *request)
{
    struct srv_unsent *unsent = request->unsent;

    if (srv_link_empty(&unsent->link))
        return;
    if (!is_shared(&endpoint->unsent, unsent))
        count_bytes(endpoint, -(int64_t)unsent->bytes);
    srv_link_remove(&unsent->same_hash);
    srv_link_remove(&unsent->link);
}
