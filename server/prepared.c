/*
 * prepared.c - see prepared.h. A small table per program, open addressing; entries are added and never changed.
 */
#include "config.h"

#include "server/prepared.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "server/response.h"
#include "vm/object.h"
#include "vm/program.h"
#include "vm/string.h"

enum {
    PLACES = 256, /* a power of two */
    PROBES = 4,   /* places that an answer may be in */
    BODY_BYTES_MAX = 16 * 1024
};

struct srv_prepared {
    _Atomic uint32_t references; /* one of the table, one per request that is to be answered with it */
    unsigned loop;
    vm_value headers, body;
    struct MHD_Response *open, *closing;
};

struct table {
    struct vm_attachment attachment;
    _Atomic(struct srv_prepared *) places[PLACES];
};
_Static_assert(offsetof(struct table, attachment) == 0, "free_table() relies on it");

/* ---- entries ---- */

static void destroy(struct srv_prepared *prepared)
{
    if (prepared->open != NULL)
        MHD_destroy_response(prepared->open);
    if (prepared->closing != NULL)
        MHD_destroy_response(prepared->closing);
    nb_free(prepared);
}

void srv_prepared_unref(struct srv_prepared *prepared)
{
    /* Release: what this holder did comes before the freeing; acquire: the last one sees it all. */
    if (prepared != NULL && atomic_fetch_sub_explicit(&prepared->references, 1, memory_order_acq_rel) == 1)
        destroy(prepared);
}

struct MHD_Response *srv_prepared_response(const struct srv_prepared *prepared, bool closing)
{
    return closing ? prepared->closing : prepared->open;
}

/* With a reference for the table. What is wrong with an answer is found out, and told, by who makes one of its own. */
static struct srv_prepared *prepare(struct vm_ctx *ctx, unsigned loop, vm_value headers, vm_value body)
{
    struct srv_prepared *prepared = nb_alloc_zero(sizeof *prepared);

    if (prepared == NULL)
        return NULL;
    atomic_init(&prepared->references, 1);
    prepared->loop = loop;
    prepared->headers = headers;
    prepared->body = body;
    if (srv_response_make(ctx, headers, body, &prepared->open) == VM_OK &&
        srv_response_make(ctx, headers, body, &prepared->closing) == VM_OK &&
        MHD_add_response_header(prepared->closing, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES)
        return prepared;
    destroy(prepared);
    return NULL;
}

/* ---- the table ---- */

static void free_table(struct vm_attachment *attachment)
{
    struct table *table = (struct table *)attachment;

    for (unsigned i = 0; i < PLACES; i++)
        srv_prepared_unref(atomic_load(&table->places[i]));
    nb_free(table);
}

static struct table *table_of(struct vm_program *program)
{
    struct vm_attachment *attachment = atomic_load_explicit(&program->attachment, memory_order_acquire);
    struct table *table;

    if (attachment != NULL)
        return (struct table *)attachment;
    table = nb_alloc_zero(sizeof *table);
    if (table == NULL)
        return NULL;
    table->attachment.free = free_table;
    if (atomic_compare_exchange_strong(&program->attachment, &attachment, &table->attachment))
        return table;
    nb_free(table); /* somebody else was faster */
    return (struct table *)attachment;
}

static bool is_constant(vm_value value)
{
    return !vm_is_object(value) || (vm_header(value) & VM_FLAG_IMMORTAL) != 0;
}

static unsigned first_place(unsigned loop, vm_value headers, vm_value body)
{
    uint64_t hash = (headers ^ body * 31 ^ loop) * UINT64_C(0x9e3779b97f4a7c15);

    return (unsigned)(hash >> 32);
}

static bool is_for(const struct srv_prepared *prepared, unsigned loop, vm_value headers, vm_value body)
{
    return prepared->body == body && prepared->headers == headers && prepared->loop == loop;
}

/* Put a new one into a place that was empty. Returns who has it now. */
static struct srv_prepared *settle(_Atomic(struct srv_prepared *) *place, struct srv_prepared *prepared)
{
    struct srv_prepared *before = NULL;

    if (atomic_compare_exchange_strong(place, &before, prepared))
        return prepared;
    srv_prepared_unref(prepared);
    return before;
}

struct srv_prepared *srv_prepared_find(struct vm_ctx *ctx, unsigned loop, vm_value headers, vm_value body)
{
    struct table *table;
    unsigned first;

    if (!is_constant(headers) || !is_constant(body))
        return NULL;
    if (!vm_is_string(body) || vm_text(body).length > BODY_BYTES_MAX)
        return NULL;
    table = table_of(ctx->process->program);
    first = first_place(loop, headers, body);
    for (unsigned i = 0; table != NULL && i < PROBES; i++) {
        _Atomic(struct srv_prepared *) *place = &table->places[(first + i) % PLACES];
        struct srv_prepared *prepared = atomic_load_explicit(place, memory_order_acquire);

        if (prepared == NULL) {
            prepared = prepare(ctx, loop, headers, body);
            if (prepared == NULL)
                return NULL;
            prepared = settle(place, prepared);
        }
        if (is_for(prepared, loop, headers, body)) {
            atomic_fetch_add_explicit(&prepared->references, 1, memory_order_relaxed);
            return prepared;
        }
    }
    return NULL;
}
