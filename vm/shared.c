/*
 * shared.c - counting: the prefix of a shared object, and freeing without recursion.
 *
 * The object that is left by its last holder goes onto a list (linked through the prefixes, so freeing never
 * allocates); each object taken from the list gives back the references it holds, which may put more onto it. A
 * list of ten million elements or a tree of any depth is freed in a loop. vm_share(), which makes shared objects of
 * values, is in copy.c.
 */
#include "config.h"

#include "vm/shared.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "vm/reactive.h"

struct prefix {
    _Atomic uint64_t references;
    union {
        _Atomic(struct vm_account *) account; /* while it lives; NULL: nobody's */
        struct prefix *next;                  /* while it waits to be freed */
    };
};

static _Thread_local struct vm_account *charged; /* for new objects */

/* The sum of living bytes, spread over cache lines so that threads do not wait for each other. A thread adds and
 *  subtracts
 * in its own; one alone may be "negative", the sum is right. */
enum { COUNTERS = 32, CACHE_LINE = 64 };
static struct {
    _Alignas(CACHE_LINE) _Atomic uint64_t bytes;
} counters[COUNTERS];
static _Atomic unsigned threads_seen;

static void count_bytes(uint64_t difference)
{
    static _Thread_local unsigned own; /* 1 … COUNTERS; 0: not yet chosen */

    if (own == 0)
        own = 1 + atomic_fetch_add_explicit(&threads_seen, 1, memory_order_relaxed) % COUNTERS;
    atomic_fetch_add_explicit(&counters[own - 1].bytes, difference, memory_order_relaxed);
}

uint64_t vm_shared_bytes_total(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < COUNTERS; i++)
        sum += atomic_load_explicit(&counters[i].bytes, memory_order_relaxed);
    return sum;
}

struct vm_account *vm_account_new(void)
{
    struct vm_account *account = nb_alloc_zero(sizeof *account);

    if (account != NULL)
        atomic_init(&account->bytes, 1);
    return account;
}

static void discount(struct vm_account *account, uint64_t bytes)
{
    if (account != NULL && atomic_fetch_sub_explicit(&account->bytes, bytes, memory_order_acq_rel) == bytes)
        nb_free(account);
}

void vm_account_release(struct vm_account *account) { discount(account, 1); }

struct vm_account *vm_account_charge(struct vm_account *account)
{
    struct vm_account *former = charged;

    charged = account;
    return former;
}

static struct prefix *prefix_of(vm_value shared)
{
    return (struct prefix *)(void *)vm_object(shared) - 1;
}

static vm_value value_of(struct prefix *prefix)
{
    return vm_from_object(prefix + 1);
}

static uint64_t bytes_of(vm_value header)
{
    return sizeof(struct prefix) + vm_object_words(header) * sizeof(vm_value);
}

uint64_t vm_shared_bytes(vm_value shared)
{
    return bytes_of(vm_header(shared));
}

vm_value vm_shared_new(enum vm_kind kind, uint64_t flags, uint32_t aux, uint32_t size)
{
    vm_value header = VM_HEADER(kind, flags | VM_FLAG_SHARED, aux, size);
    struct prefix *prefix = nb_alloc(bytes_of(header));

    if (prefix == NULL)
        return VM_NONE;
    atomic_init(&prefix->references, 1);
    atomic_init(&prefix->account, charged);
    if (charged != NULL)
        atomic_fetch_add_explicit(&charged->bytes, bytes_of(header), memory_order_relaxed);
    *(vm_value *)(void *)(prefix + 1) = header;
    count_bytes(bytes_of(header));
    return value_of(prefix);
}

void vm_account_adopt(vm_value shared)
{
    struct vm_account *nobody = NULL;

    nb_assert(vm_is_shared(shared));
    if (charged != NULL && atomic_load_explicit(&prefix_of(shared)->account, memory_order_relaxed) == NULL &&
        atomic_compare_exchange_strong(&prefix_of(shared)->account, &nobody, charged))
        atomic_fetch_add_explicit(&charged->bytes, vm_shared_bytes(shared), memory_order_relaxed);
}

static void give_back(vm_value shared)
{
    count_bytes(-bytes_of(vm_header(shared)));
    nb_free(prefix_of(shared));
}

void vm_shared_discard(vm_value shared)
{
    nb_assert(vm_is_shared(shared));
    discount(atomic_load_explicit(&prefix_of(shared)->account, memory_order_relaxed), vm_shared_bytes(shared));
    give_back(shared);
}

/* Put an object that nobody holds any more onto the list of those to be freed. */
static void doom(struct prefix *prefix, struct prefix **list)
{
    discount(atomic_load_explicit(&prefix->account, memory_order_relaxed), vm_shared_bytes(value_of(prefix)));
    prefix->next = *list;
    *list = prefix;
}

void vm_shared_ref(vm_value shared)
{
    uint64_t former;

    nb_assert(vm_is_shared(shared));
    /* Relaxed: whoever hands the object to another thread orders that. */
    former = atomic_fetch_add_explicit(&prefix_of(shared)->references, 1, memory_order_relaxed);
    nb_assert(former > 0);
}

bool vm_shared_try_ref(vm_value shared)
{
    _Atomic uint64_t *references = &prefix_of(shared)->references;
    uint64_t former = atomic_load_explicit(references, memory_order_relaxed);

    while (former > 0)
        if (atomic_compare_exchange_weak_explicit(references, &former, former + 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    return false;
}

/* Whether that was the last reference. Release: uses come before; acquire: the one who frees sees all of them. */
static bool drop(vm_value shared)
{
    uint64_t former = atomic_fetch_sub_explicit(&prefix_of(shared)->references, 1, memory_order_acq_rel);

    nb_assert(former > 0);
    return former == 1;
}

/* Give back what some fields of a dying object hold; what dies with it goes onto the list. */
static void drop_fields(const vm_value *fields, uint64_t count, struct prefix **list)
{
    for (uint64_t i = 0; i < count; i++) {
        if (vm_is_object(fields[i]) && vm_is_shared(fields[i]) && drop(fields[i]))
            doom(prefix_of(fields[i]), list);
    }
}

static void drop_content(vm_value dying, struct prefix **list)
{
    vm_value header = vm_header(dying);
    const vm_value *fields = vm_object(dying) + 1;

    if (vm_shared_is_mutable(dying)) { /* a capsule: the value, the fragment it lies in */
        vm_fragment_free((struct vm_fragment *)(uintptr_t)fields[1]);
        return;
    }
    if (vm_header_kind(header) == VM_KIND_REACTIVE) {
        drop_fields(fields, vm_reactive_dying(dying), list);
        return;
    }
    switch ((enum vm_layout)vm_kind_layouts[vm_header_kind(header)]) {
    case VM_LAYOUT_VALUES:
    case VM_LAYOUT_PAIR:
        drop_fields(fields, vm_object_words(header) - 1, list);
        break;
    case VM_LAYOUT_RAW1:
        drop_fields(fields + 1, vm_object_words(header) - 2, list);
        break;
    case VM_LAYOUT_WORDS:
    case VM_LAYOUT_BYTES:
        break;
    }
}

void vm_shared_unref(vm_value shared)
{
    struct prefix *list = NULL;

    nb_assert(vm_is_shared(shared));
    if (!drop(shared))
        return;
    doom(prefix_of(shared), &list);
    while (list != NULL) {
        struct prefix *dying = list;

        list = dying->next;
        drop_content(value_of(dying), &list);
        give_back(value_of(dying));
    }
}
