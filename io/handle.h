/*
 * handle.h - the numbers by which programs know open files, running commands and sockets.
 *
 * A handle is a number from 1 upwards, never used twice, valid in every process of the program (04 §5.2). Files,
 * children and sockets are numbered apart. So that nothing is left behind, a handle has a holder: the process that
 * opened it. When the holder
 *
 *   - crashes, is killed, or ends without having told anybody of anything (vm_process.published), its handles are
 *     dropped: files closed, children killed. A socket of which others may know outlives a crash, too (05 §9);
 *   - ends otherwise, others may know its handles: each belongs to the next process that uses it. Of those that nobody
 *     uses, the IO_ORPHANS_MAX youngest of all programs are kept.
 *
 * Threads: any, except where it says otherwise.
 */
#ifndef IO_HANDLE_H
#define IO_HANDLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vm/process.h"

struct sched_group;

enum io_handle_kind { IO_HANDLE_FILE, IO_HANDLE_CHILD, IO_HANDLE_SOCKET };
enum { IO_HANDLE_KINDS = 3, IO_ORPHANS_MAX = 256 };

/** What a handle stands for. Back ends embed it as their first member. */
struct io_handle {
    unsigned magic;
    enum io_handle_kind kind;
    void (*drop)(struct io_handle *handle); /* nobody knows it any more: close, kill. Takes over a reference */
    void (*free)(struct io_handle *handle); /* the last reference is gone */
    _Atomic bool over;                      /* it is no longer in the table */
    _Atomic unsigned references;
    int64_t number;                         /* the table's, here and below */
    const void *group;
    struct vm_process *holder;              /* NULL: an orphan */
    struct io_handle *chain;                /* same bucket */
    struct io_handle *next, *previous;      /* same holder; or orphans, oldest first */
};

/** A handle in no table, with one reference. */
void io_handle_init(struct io_handle *handle, enum io_handle_kind kind, void (*drop)(struct io_handle *handle),
                    void (*free_handle)(struct io_handle *handle));
struct io_handle *io_handle_ref(struct io_handle *handle);
void io_handle_unref(struct io_handle *handle);

/** Enter a handle into the table, held by the running process. Takes over one reference. Returns its number, or 0
 *  without memory: the reference is then still the caller's. */
int64_t io_handle_add(struct vm_ctx *ctx, struct io_handle *handle);
/** The handle of a number in the running process's program, with a reference for the caller; NULL: there is none. */
struct io_handle *io_handle_find(struct vm_ctx *ctx, enum io_handle_kind kind, int64_t number);
/** Remove it from the table: from now on the number is invalid, and handle->over. Returns it with the table's
 *  reference; NULL when there is none. Who waits for it is not told: io_look_again(). */
struct io_handle *io_handle_take(struct vm_ctx *ctx, enum io_handle_kind kind, int64_t number);

/** A process has ended that way: its handles are dropped or become orphans. In sched_group.ended; cheap for a process
 *  that has none. */
void io_process_ended(struct vm_process *process, enum vm_stop stop);
/** No process of the group is left: drop what they left behind. */
void io_group_ended(const struct sched_group *group);

#endif
