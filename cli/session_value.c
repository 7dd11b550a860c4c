/*
 * session_value.c - each kept value is the content of an mvar that is written once.
 */
#include "config.h"

#include "cli/session_value.h"

#include <errno.h>
#include <stdatomic.h>

#include "lib/expect.h"
#include "vm/except.h"
#include "vm/mvar.h"
#include "vm/number.h"
#include "vm/shared.h"

static struct vm_mvar kept[SESSION_VALUES_MAX];
static _Atomic size_t kept_count;

int session_value_keep(vm_value value)
{
    size_t number = atomic_load(&kept_count);
    vm_value shared;

    if (number == SESSION_VALUES_MAX)
        return -ENOSPC;
    switch (vm_share(value, &shared)) {
    case VM_COPY_REFUSED: return -EINVAL;
    case VM_COPY_NOMEM: return -ENOMEM;
    case VM_COPY_OK: break;
    }
    kept[number].name = kept[number].type = "";
    atomic_store(&kept[number].value, shared);
    atomic_store(&kept_count, number + 1);
    return (int)number;
}

void session_value_done(void)
{
    for (size_t i = 0; i < atomic_load(&kept_count); i++)
        vm_mvar_done(&kept[i]);
    atomic_store(&kept_count, 0);
}

static enum vm_status session_value(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    int64_t number;

    if (status != VM_OK)
        return status;
    number = vm_int_of(args[0]);
    if (number < 0 || (uint64_t)number >= atomic_load(&kept_count))
        return vm_raise_panic(ctx, "the session keeps no value of that number");
    return vm_mvar_get(ctx, &kept[number], ret);
}

#define LIB_TABLE "cli/session.def"
#define LIB_REGISTER session_value_register
#include "lib/table.h"
