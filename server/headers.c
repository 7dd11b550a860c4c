/*
 * headers.c - see headers.h. A block is the part of a request's text that holds its headers; their names and values end
 * in NULs, which neither can contain, so that equal bytes are equal headers.
 */
#include "config.h"

#include "server/headers.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "server/connection.h"
#include "server/loop.h"
#include "vm/heap.h"
#include "vm/shared.h"

enum {
    FEW = 3,              /* so many headers are made as fast as they are recalled */
    BLOCK_MAX = 4096,     /* longer ones are made anew each time */
    REMEMBERED_MAX = 1024 /* connections of a loop whose headers are kept: some 6 KiB each */
};

struct srv_headers {
    _Atomic uint32_t references; /* requests, and the connection */
    vm_value headers, cookies;   /* shared objects or immediates */
    size_t length;
    char block[];
};

/* ---- blocks ---- */

static const char *block_of(const struct srv_request *request, size_t *ret_length)
{
    *ret_length = request->text.length - request->headers_at;
    return request->text.data + request->headers_at;
}

static void let_go(struct srv_headers *known)
{
    if (known == NULL || atomic_fetch_sub_explicit(&known->references, 1, memory_order_acq_rel) != 1)
        return;
    if (vm_is_shared(known->headers))
        vm_shared_unref(known->headers);
    if (vm_is_shared(known->cookies))
        vm_shared_unref(known->cookies);
    nb_free(known);
}

/* ---- the connection's part ---- */

void srv_headers_forget(struct srv_connection *connection)
{
    if (connection->headers == NULL)
        return;
    let_go(connection->headers);
    connection->headers = NULL;
    connection->endpoint->loop->headers_remembered--;
}

void srv_headers_recall(struct srv_connection *connection, struct srv_request *request)
{
    struct srv_headers *known = connection->headers;
    size_t length;
    const char *block = block_of(request, &length);
    uint64_t hash;

    if (request->header_count <= FEW || length > BLOCK_MAX)
        return;
    if (known != NULL && known->length == length && memcmp(known->block, block, length) == 0) {
        atomic_fetch_add_explicit(&known->references, 1, memory_order_relaxed);
        request->known = known;
        return;
    }
    hash = nb_hash_bytes(block, length);
    request->is_familiar = hash == connection->headers_hash;
    connection->headers_hash = hash;
    srv_headers_forget(connection);
}

void srv_headers_remember(struct srv_connection *connection, struct srv_request *request)
{
    struct srv_loop *loop = connection->endpoint->loop;
    struct srv_headers *made;

    if (!request->is_familiar)
        return; /* nothing is made of others */
    made = atomic_exchange_explicit(&request->made, NULL, memory_order_acq_rel);
    if (made == NULL)
        return;
    if (connection->headers != NULL || loop->headers_remembered >= REMEMBERED_MAX) {
        let_go(made);
        return;
    }
    connection->headers = made;
    loop->headers_remembered++;
}

/* ---- the reader's part ---- */

/* The heap may point to it. */
static void refer(struct vm_ctx *ctx, vm_value value)
{
    if (!vm_is_shared(value))
        return;
    vm_shared_ref(value);
    vm_heap_add_shared(&ctx->process->heap, value);
}

bool srv_headers_known(struct vm_ctx *ctx, const struct srv_request *request, vm_value *ret_headers,
                       vm_value *ret_cookies)
{
    const struct srv_headers *known = request->known;

    if (known == NULL)
        return false;
    refer(ctx, known->headers);
    refer(ctx, known->cookies);
    *ret_headers = known->headers;
    *ret_cookies = known->cookies;
    return true;
}

void srv_headers_keep(struct srv_request *request, vm_value headers, vm_value cookies)
{
    struct srv_headers *made;
    size_t length;
    const char *block = block_of(request, &length);

    if (!request->is_familiar)
        return;
    made = nb_alloc(sizeof *made + length);
    if (made == NULL)
        return;
    if (vm_share(headers, &made->headers) != VM_COPY_OK) {
        nb_free(made);
        return;
    }
    if (vm_share(cookies, &made->cookies) != VM_COPY_OK) {
        if (vm_is_shared(made->headers))
            vm_shared_unref(made->headers);
        nb_free(made);
        return;
    }
    atomic_init(&made->references, 1);
    made->length = length;
    memcpy(made->block, block, length);
    atomic_store_explicit(&request->made, made, memory_order_release);
}

void srv_headers_let_go(struct srv_request *request)
{
    let_go(request->known);
    let_go(atomic_load_explicit(&request->made, memory_order_acquire));
    request->known = NULL;
    atomic_store_explicit(&request->made, NULL, memory_order_relaxed);
    request->is_familiar = false;
}
