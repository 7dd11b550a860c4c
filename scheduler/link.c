/*
 * link.c - the table of links, monitors and names.
 *
 * A node stands for a process that takes part, with what concerns it. Whoever makes a connection marks both processes
 * (slot->linked), then looks whether the other still lives; whoever ends gives up its pid, then looks at its mark. So
 * one of the two sees the other: either the end finds the connection in the table, or its maker takes it out again and
 * treats the process as gone.
 *
 * Signals are collected under the lock and sent after it.
 */
#include "config.h"

#include "scheduler/link.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "scheduler/worker.h"
#include "vm/except.h"
#include "vm/shared.h"
#include "vm/string.h"

enum { BUCKETS = 1024 };

enum bond_kind {
    BOND_LINK,    /* with each other */
    BOND_WATCHES, /* this process is told of the other's end */
    BOND_WATCHED  /* the other is told of this one's */
};

struct bond {
    enum bond_kind kind;
    uint64_t other;
    uint64_t reference; /* of monitors */
};

struct node {
    struct node *next; /* in its bucket */
    uint64_t pid;
    NB_VEC(struct bond) bonds;
    char *reason;      /* given by an exit signal or Process.exit; NULL: by how it stops */
};

struct name {
    struct name *next; /* in order of registration */
    const struct sched_group *group;
    uint64_t pid;
    char text[];
};

struct sched_links {
    pthread_mutex_t lock;
    uint64_t last_reference;
    struct node *buckets[BUCKETS];
    struct name *names, **names_end;
};

/* To be sent when the lock is released. */
struct signal {
    uint64_t to;
    uint64_t reference; /* of a monitor; 0: an exit signal */
};

struct sched_links *sched_links_new(void)
{
    struct sched_links *links = nb_alloc_zero(sizeof *links);

    if (links == NULL)
        return NULL;
    pthread_mutex_init(&links->lock, NULL);
    links->names_end = &links->names;
    return links;
}

/* ---- nodes and bonds; all under the lock ---- */

static struct node **place_of(struct sched_links *links, uint64_t pid)
{
    struct node **place = &links->buckets[(pid * UINT64_C(0x9e3779b97f4a7c15) >> 32) % BUCKETS];

    while (*place != NULL && (*place)->pid != pid)
        place = &(*place)->next;
    return place;
}

static struct node *node_of(struct sched_links *links, uint64_t pid) /* made if need be; NULL without memory */
{
    struct node **place = place_of(links, pid);

    if (*place == NULL) {
        *place = nb_alloc_zero(sizeof **place);
        if (*place != NULL)
            (*place)->pid = pid;
    }
    return *place;
}

static void free_node(struct node *node)
{
    nb_vec_done(&node->bonds);
    nb_free(node->reason);
    nb_free(node);
}

struct sched_links *sched_links_free(struct sched_links *links)
{
    if (links == NULL)
        return NULL;
    for (unsigned i = 0; i < BUCKETS; i++)
        while (links->buckets[i] != NULL) {
            struct node *node = links->buckets[i];

            links->buckets[i] = node->next;
            free_node(node);
        }
    while (links->names != NULL) {
        struct name *name = links->names;

        links->names = name->next;
        nb_free(name);
    }
    pthread_mutex_destroy(&links->lock);
    nb_free(links);
    return NULL;
}

/* Where a bond is, -1 when there is none. */
static ptrdiff_t find_bond(const struct node *node, enum bond_kind kind, uint64_t other, uint64_t reference)
{
    for (size_t i = 0; node != NULL && i < node->bonds.count; i++) {
        const struct bond *bond = &node->bonds.items[i];

        if (bond->kind == kind && bond->other == other && bond->reference == reference)
            return (ptrdiff_t)i;
    }
    return -1;
}

static void remove_bond(struct sched_links *links, uint64_t pid, enum bond_kind kind, uint64_t other,
                        uint64_t reference)
{
    struct node *node = *place_of(links, pid);
    ptrdiff_t at = find_bond(node, kind, other, reference);

    if (at < 0)
        return;
    node->bonds.count--;
    memmove(&node->bonds.items[at], &node->bonds.items[at + 1],
            (node->bonds.count - (size_t)at) * sizeof *node->bonds.items);
}

static enum bond_kind opposite(enum bond_kind kind)
{
    return kind == BOND_LINK ? BOND_LINK : kind == BOND_WATCHES ? BOND_WATCHED : BOND_WATCHES;
}

static bool add_bond(struct sched_links *links, uint64_t pid, enum bond_kind kind, uint64_t other, uint64_t reference)
{
    struct node *node = node_of(links, pid), *partner = node_of(links, other);

    if (node == NULL || partner == NULL)
        return false;
    nb_vec_push(&node->bonds, ((struct bond){ kind, other, reference }));
    nb_vec_push(&partner->bonds, ((struct bond){ opposite(kind), pid, reference }));
    return true;
}

static void break_bond(struct sched_links *links, uint64_t pid, enum bond_kind kind, uint64_t other,
                       uint64_t reference)
{
    remove_bond(links, pid, kind, other, reference);
    remove_bond(links, other, opposite(kind), pid, reference);
}

/* Of a process that is gone: nobody else will take its node out. */
static void forget_empty(struct sched_links *links, uint64_t pid)
{
    struct node **place = place_of(links, pid), *node = *place;

    if (node == NULL || node->bonds.count > 0)
        return;
    *place = node->next;
    free_node(node);
}

/* ---- signals ---- */

static uint64_t own_pid(const struct vm_ctx *ctx)
{
    return atomic_load_explicit(&ctx->process->pid, memory_order_relaxed);
}

static vm_value reason_string(const char *reason)
{
    size_t length = strlen(reason);
    bool ascii = nb_utf8_is_ascii(reason, length);
    vm_value string = vm_shared_new(VM_KIND_STRING, ascii ? VM_FLAG_ASCII : 0, 0, (uint32_t)length);

    if (string != VM_NONE)
        memcpy(vm_object(string) + 1, reason, length);
    return string;
}

/* A message made of words that lie in no heap: a tuple of a short word and other values. */
static void send_tuple(struct vm_ctx *ctx, struct sched_slot *slot, uint64_t to, const char *word, unsigned count,
                       const vm_value *values)
{
    vm_value string[2], tuple[6];
    struct vm_message *message;

    nb_assert(strlen(word) < sizeof string[1] && count + 2 <= sizeof tuple / sizeof *tuple);
    string[0] = VM_HEADER(VM_KIND_STRING, VM_FLAG_ASCII, 0, strlen(word));
    string[1] = 0;
    memcpy(&string[1], word, strlen(word));
    tuple[0] = VM_HEADER(VM_KIND_TUPLE, 0, 0, count + 1);
    tuple[1] = vm_from_object(string);
    memcpy(&tuple[2], values, count * sizeof *values);
    if (vm_message_new(to, vm_from_object(tuple), &message) != VM_COPY_OK)
        return;
    vm_process_deliver(&slot->process, message);
    sched_wake(ctx, &slot->process);
}

static vm_value pid_value(uint64_t pid) { return VM_IMMEDIATE(VM_SORT_PID, pid); }

static void tell(struct vm_ctx *ctx, struct sched_slot *slot, const struct signal *signal, uint64_t from,
                 const char *reason)
{
    vm_value text = reason_string(reason);

    if (text == VM_NONE)
        return;
    if (signal->reference != 0)
        send_tuple(ctx, slot, signal->to, "DOWN", 3,
                   (vm_value[]){ vm_from_small((int64_t)signal->reference), pid_value(from), text });
    else
        send_tuple(ctx, slot, signal->to, "EXIT", 2, (vm_value[]){ pid_value(from), text });
    vm_shared_unref(text);
}

/* End a process with a reason, which it keeps for those who are to be told. */
static void end_with(struct vm_ctx *ctx, struct sched_links *links, struct sched_slot *slot, uint64_t pid,
                     const char *reason)
{
    struct node *node;

    pthread_mutex_lock(&links->lock);
    atomic_store(&slot->linked, true);
    if (atomic_load(&slot->process.pid) == pid) {
        node = node_of(links, pid);
        if (node != NULL && node->reason == NULL)
            node->reason = nb_strdup(reason);
    }
    pthread_mutex_unlock(&links->lock);
    (void)sched_slot_kill(ctx, slot, pid);
}

static void deliver(struct vm_ctx *ctx, const struct signal *signal, uint64_t from, const char *reason)
{
    struct sched *sched = sched_of(ctx);
    struct sched_slot *slot = sched_table_find(sched->table, signal->to);

    if (slot == NULL)
        return;
    if (signal->reference != 0 || atomic_load(&slot->traps_exit))
        tell(ctx, slot, signal, from, reason);
    else if (strcmp(reason, "normal") != 0)
        end_with(ctx, sched->links, slot, signal->to, reason);
}

/* ---- connecting ---- */

/* A bond of the running process with another. False: without memory. *ret_alive: whether there was somebody. */
static bool connect_with(struct vm_ctx *ctx, enum bond_kind kind, uint64_t pid, uint64_t *reference, bool *ret_alive)
{
    struct sched *sched = sched_of(ctx);
    struct sched_links *links = sched->links;
    struct sched_slot *slot = sched_table_find(sched->table, pid);
    bool made = true;

    *ret_alive = slot != NULL;
    pthread_mutex_lock(&links->lock);
    if (reference != NULL)
        *reference = ++links->last_reference;
    if (slot != NULL && (kind != BOND_LINK || find_bond(*place_of(links, own_pid(ctx)), kind, pid, 0) < 0)) {
        uint64_t number = reference == NULL ? 0 : *reference;

        made = add_bond(links, own_pid(ctx), kind, pid, number);
        atomic_store(&sched_slot_of(ctx->process)->linked, true);
        atomic_store(&slot->linked, true);
        if (made && atomic_load(&slot->process.pid) != pid) { /* it ended meanwhile and may not have seen the mark */
            *ret_alive = find_bond(*place_of(links, own_pid(ctx)), kind, pid, number) < 0;
            break_bond(links, own_pid(ctx), kind, pid, number);
            forget_empty(links, pid);
        }
    }
    pthread_mutex_unlock(&links->lock);
    return made;
}

enum vm_status sched_link(struct vm_ctx *ctx, uint64_t pid)
{
    struct signal signal = { own_pid(ctx), 0 };
    bool alive;

    if (pid == own_pid(ctx))
        return VM_OK;
    if (!connect_with(ctx, BOND_LINK, pid, NULL, &alive))
        return VM_NOMEM;
    if (!alive)
        deliver(ctx, &signal, pid, "noproc");
    return VM_OK;
}

void sched_unlink(struct vm_ctx *ctx, uint64_t pid)
{
    struct sched_links *links = sched_of(ctx)->links;

    pthread_mutex_lock(&links->lock);
    break_bond(links, own_pid(ctx), BOND_LINK, pid, 0);
    pthread_mutex_unlock(&links->lock);
}

enum vm_status sched_monitor(struct vm_ctx *ctx, uint64_t pid, uint64_t *ret_reference)
{
    struct signal signal = { own_pid(ctx), 0 };
    bool alive;

    if (!connect_with(ctx, BOND_WATCHES, pid, ret_reference, &alive))
        return VM_NOMEM;
    signal.reference = *ret_reference;
    if (!alive)
        deliver(ctx, &signal, pid, "noproc");
    return VM_OK;
}

bool sched_demonitor(struct vm_ctx *ctx, uint64_t reference)
{
    struct sched_links *links = sched_of(ctx)->links;
    struct node *node;
    bool found = false;

    pthread_mutex_lock(&links->lock);
    node = *place_of(links, own_pid(ctx));
    for (size_t i = 0; node != NULL && i < node->bonds.count && !found; i++) {
        struct bond bond = node->bonds.items[i];

        found = bond.kind == BOND_WATCHES && bond.reference == reference;
        if (found)
            break_bond(links, own_pid(ctx), BOND_WATCHES, bond.other, reference);
    }
    pthread_mutex_unlock(&links->lock);
    return found;
}

bool sched_trap_exit(struct vm_ctx *ctx, bool trap)
{
    return atomic_exchange(&sched_slot_of(ctx->process)->traps_exit, trap);
}

bool sched_traps_exit(struct vm_ctx *ctx)
{
    return atomic_load(&sched_slot_of(ctx->process)->traps_exit);
}

bool sched_exit(struct vm_ctx *ctx, uint64_t pid, const char *reason)
{
    struct sched *sched = sched_of(ctx);
    struct sched_slot *slot = sched_table_find(sched->table, pid);
    struct signal signal = { pid, 0 };

    if (slot == NULL)
        return false;
    if (pid == own_pid(ctx) || strcmp(reason, "killed") == 0)
        end_with(ctx, sched->links, slot, pid, reason);
    else
        deliver(ctx, &signal, own_pid(ctx), reason);
    return true;
}

/* ---- names; all under the lock ---- */

static struct name **find_name(struct sched_links *links, const struct sched_group *group, const char *text)
{
    struct name **place = &links->names;

    while (*place != NULL && ((*place)->group != group || strcmp((*place)->text, text) != 0))
        place = &(*place)->next;
    return place;
}

static void remove_name(struct sched_links *links, struct name **place)
{
    struct name *name = *place;

    *place = name->next;
    if (name->next == NULL)
        links->names_end = place;
    nb_free(name);
}

static void remove_names_of(struct sched_links *links, uint64_t pid)
{
    struct name **place = &links->names;

    while (*place != NULL) {
        if ((*place)->pid == pid)
            remove_name(links, place);
        else
            place = &(*place)->next;
    }
}

static bool add_name(struct sched_links *links, struct sched_slot *slot, const struct sched_group *group,
                     const char *text, uint64_t pid)
{
    struct name *name = nb_alloc(sizeof *name + strlen(text) + 1);

    if (name == NULL)
        return false;
    *name = (struct name){ .group = group, .pid = pid };
    strcpy(name->text, text);
    *links->names_end = name;
    links->names_end = &name->next;
    atomic_store(&slot->linked, true);
    if (atomic_load(&slot->process.pid) == pid)
        return true;
    remove_names_of(links, pid);
    return false;
}

bool sched_register(struct vm_ctx *ctx, const char *name, uint64_t pid)
{
    struct sched *sched = sched_of(ctx);
    struct sched_slot *slot = sched_table_find(sched->table, pid);
    const struct sched_group *group = ctx->process->owner;
    bool done;

    if (slot == NULL || atomic_load(&slot->group) != group)
        return false;
    pthread_mutex_lock(&sched->links->lock);
    done = *find_name(sched->links, group, name) == NULL && add_name(sched->links, slot, group, name, pid);
    pthread_mutex_unlock(&sched->links->lock);
    return done;
}

bool sched_unregister(struct vm_ctx *ctx, const char *name)
{
    struct sched_links *links = sched_of(ctx)->links;
    struct name **place;
    bool found;

    pthread_mutex_lock(&links->lock);
    place = find_name(links, ctx->process->owner, name);
    found = *place != NULL;
    if (found)
        remove_name(links, place);
    pthread_mutex_unlock(&links->lock);
    return found;
}

uint64_t sched_whereis(struct vm_ctx *ctx, const char *name)
{
    struct sched_links *links = sched_of(ctx)->links;
    const struct name *found;
    uint64_t pid;

    pthread_mutex_lock(&links->lock);
    found = *find_name(links, ctx->process->owner, name);
    pid = found == NULL ? 0 : found->pid;
    pthread_mutex_unlock(&links->lock);
    return pid;
}

void sched_registered(struct vm_ctx *ctx, void (*each)(void *context, const char *name), void *context)
{
    struct sched_links *links = sched_of(ctx)->links;

    pthread_mutex_lock(&links->lock);
    for (const struct name *name = links->names; name != NULL; name = name->next)
        if (name->group == ctx->process->owner)
            each(context, name->text);
    pthread_mutex_unlock(&links->lock);
}

/* ---- the end of a process ---- */

/* The node of a process, taken out of the table with its bonds' other halves. NULL when it has none. */
static struct node *take_node(struct sched_links *links, uint64_t pid)
{
    struct node **place, *node;

    pthread_mutex_lock(&links->lock);
    remove_names_of(links, pid);
    place = place_of(links, pid);
    node = *place;
    if (node != NULL) {
        for (size_t i = 0; i < node->bonds.count; i++)
            remove_bond(links, node->bonds.items[i].other, opposite(node->bonds.items[i].kind), pid,
                        node->bonds.items[i].reference);
        *place = node->next;
    }
    pthread_mutex_unlock(&links->lock);
    return node;
}

static char *reason_of(const struct node *node, const struct vm_process *process, enum vm_stop stop)
{
    if (stop == VM_STOP_CRASH)
        return vm_exception_text(process->exception);
    if (stop == VM_STOP_KILLED)
        return nb_strdup(node->reason != NULL ? node->reason : "killed");
    return nb_strdup("normal");
}

void sched_links_ended(struct vm_ctx *ctx, struct sched_slot *slot, uint64_t pid, enum vm_stop stop)
{
    struct node *node = take_node(slot->sched->links, pid);
    char *reason;

    if (node == NULL)
        return;
    reason = reason_of(node, &slot->process, stop);
    for (size_t i = 0; reason != NULL && i < node->bonds.count; i++) {
        const struct bond *bond = &node->bonds.items[i];
        struct signal signal = { bond->other, bond->reference };

        if (bond->kind != BOND_WATCHES)
            deliver(ctx, &signal, pid, reason);
    }
    nb_free(reason);
    free_node(node);
}
