/*
 * link.c - natives for links, monitors, exit signals and names. What they do is in scheduler/link.h.
 */
#include "config.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/vec.h"
#include "lib/expect.h"
#include "scheduler/link.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/string.h"

static enum vm_status process_link(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "P");

    *ret = VM_UNIT;
    return status == VM_OK ? sched_link(ctx, vm_payload(args[0])) : status;
}

static enum vm_status process_unlink(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "P");

    *ret = VM_UNIT;
    if (status == VM_OK)
        sched_unlink(ctx, vm_payload(args[0]));
    return status;
}

static enum vm_status process_monitor(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "P");
    uint64_t reference = 0;

    if (status == VM_OK)
        status = sched_monitor(ctx, vm_payload(args[0]), &reference);
    return status == VM_OK ? lib_answer_int(ctx, (int64_t)reference, ret) : status;
}

static enum vm_status process_demonitor(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");

    if (status == VM_OK)
        *ret = vm_from_bool(vm_int_of(args[0]) > 0 && sched_demonitor(ctx, (uint64_t)vm_int_of(args[0])));
    return status;
}

static enum vm_status process_trap_exit(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "B");

    if (status == VM_OK)
        *ret = vm_from_bool(sched_trap_exit(ctx, args[0] == VM_TRUE));
    return status;
}

static bool send_exit(struct vm_ctx *ctx, uint64_t pid, vm_value reason)
{
    struct nb_buf text = NB_BUF_INIT;
    bool lived = sched_exit(ctx, pid, vm_string_cstring(reason, &text));

    nb_buf_done(&text);
    return lived;
}

static enum vm_status process_exit_self(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");

    *ret = VM_UNIT;
    if (status != VM_OK)
        return status;
    (void)send_exit(ctx, atomic_load_explicit(&ctx->process->pid, memory_order_relaxed), args[0]);
    return VM_YIELD; /* it will not come back */
}

static enum vm_status process_exit(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "PS");

    if (status != VM_OK)
        return status;
    if (vm_payload(args[0]) == atomic_load_explicit(&ctx->process->pid, memory_order_relaxed)) {
        args[0] = args[1];
        return process_exit_self(ctx, args, ret);
    }
    *ret = vm_from_bool(send_exit(ctx, vm_payload(args[0]), args[1]));
    return VM_OK;
}

/* ---- names ---- */

static enum vm_status process_register(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SP");
    struct nb_buf name = NB_BUF_INIT;

    if (status != VM_OK)
        return status;
    *ret = vm_from_bool(sched_register(ctx, vm_string_cstring(args[0], &name), vm_payload(args[1])));
    nb_buf_done(&name);
    return VM_OK;
}

static enum vm_status process_unregister(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf name = NB_BUF_INIT;

    if (status != VM_OK)
        return status;
    *ret = vm_from_bool(sched_unregister(ctx, vm_string_cstring(args[0], &name)));
    nb_buf_done(&name);
    return VM_OK;
}

static enum vm_status process_whereis(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf name = NB_BUF_INIT;
    uint64_t pid;

    if (status != VM_OK)
        return status;
    pid = sched_whereis(ctx, vm_string_cstring(args[0], &name));
    nb_buf_done(&name);
    *ret = LIB_NOTHING;
    return pid == 0 ? VM_OK : lib_answer(lib_some(ctx, VM_IMMEDIATE(VM_SORT_PID, pid)), ret);
}

struct names { NB_VEC(char *) texts; };

static void collect_name(void *context, const char *name)
{
    struct names *names = context;
    char *copy = nb_strdup(name);

    if (copy != NULL)
        nb_vec_push(&names->texts, copy);
}

static enum vm_status process_registered(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct names names = { NB_VEC_INIT };
    vm_value list = VM_NIL, name;

    (void)args;
    sched_registered(ctx, collect_name, &names);
    for (size_t i = 0; i < names.texts.count; i++) {
        if (list != VM_NONE) {
            VM_ROOT(ctx, list);
            name = vm_string_cstr(ctx, names.texts.items[i]);
            VM_UNROOT(ctx, list);
            list = name == VM_NONE ? VM_NONE : vm_list_push(ctx, list, name);
        }
        nb_free(names.texts.items[i]);
    }
    nb_vec_done(&names.texts);
    return lib_answer(list, ret);
}

#define LIB_TABLE "lib/link.def"
#define LIB_REGISTER lib_register_link
#include "lib/table.h"
