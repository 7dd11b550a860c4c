/*
 * random.c - natives of chance: a xoshiro256** generator per worker (ctx->random), seeded by the system at first use.
 *
 * Good for games and load, not for secrets: those come from Crypto.randomBytes.
 */
#include "config.h"

#include <inttypes.h>
#include <sys/random.h>

#include "base/clock.h"
#include "lib/expect.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/number.h"

static uint64_t rotated(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

/* A state of all zeroes yields zeroes only; it also is how an unseeded one looks. */
static void seed(uint64_t state[4])
{
    if (getrandom(state, 4 * sizeof state[0], GRND_NONBLOCK) != 4 * (ssize_t)sizeof state[0])
        state[0] = nb_clock_ns();
    state[1] |= 1;
}

static uint64_t next_random(struct vm_ctx *ctx)
{
    uint64_t *state = ctx->random;
    uint64_t result, kept;

    if ((state[0] | state[1] | state[2] | state[3]) == 0)
        seed(state);
    result = rotated(state[1] * 5, 7) * 9;
    kept = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= kept;
    state[3] = rotated(state[3], 45);
    return result;
}

/* Uniform below `bound`, 0 standing for 2^64: the few values that would favour the low numbers are drawn again. */
static uint64_t below(struct vm_ctx *ctx, uint64_t bound)
{
    uint64_t least, drawn;

    if (bound == 0)
        return next_random(ctx);
    least = -bound % bound;
    do
        drawn = next_random(ctx);
    while (drawn < least);
    return drawn % bound;
}

static enum vm_status random_int(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "II");
    int64_t least, most;

    if (status != VM_OK)
        return status;
    least = vm_int_of(args[0]);
    most = vm_int_of(args[1]);
    if (least > most)
        return vm_raise_panic(ctx, "Random.int: empty range %" PRId64 " to %" PRId64, least, most);
    return lib_answer_int(ctx, (int64_t)((uint64_t)least + below(ctx, (uint64_t)most - (uint64_t)least + 1)), ret);
}

static enum vm_status random_float(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    return lib_answer(vm_float(ctx, (double)(next_random(ctx) >> 11) * 0x1p-53), ret);
}

static enum vm_status random_bool(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    *ret = vm_from_bool(next_random(ctx) >> 63 != 0);
    return VM_OK;
}

static enum vm_status random_choice(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");

    if (status != VM_OK)
        return status;
    if (args[0] == VM_NIL)
        return vm_raise_panic(ctx, "Cannot choose from empty list");
    return lib_answer(vm_list_at(ctx, args[0], (uint32_t)below(ctx, vm_list_length(args[0]))), ret);
}

/* Each element takes the place of a random one of those already there, which moves to the end. */
static enum vm_status random_shuffle(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    struct vm_list_walk walk;
    vm_value list, item;
    uint64_t count = 0;

    if (status != VM_OK)
        return status;
    list = vm_list_make(ctx, vm_list_length(args[0]));
    if (list == VM_NONE || list == VM_NIL)
        return lib_answer(list, ret);
    lib_worked(ctx, vm_list_length(args[0]));
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item); count++) {
        uint64_t place = below(ctx, count + 1);

        vm_list_init_at(list, count, vm_list_made_at(list, place));
        vm_list_init_at(list, place, item);
    }
    return lib_answer(list, ret);
}

static enum vm_status random_bytes(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    vm_value list;
    uint64_t count;

    if (status != VM_OK)
        return status;
    count = vm_int_of(args[0]) > 0 ? (uint64_t)vm_int_of(args[0]) : 0;
    list = vm_list_make(ctx, count);
    if (list == VM_NONE)
        return VM_NOMEM;
    lib_worked(ctx, count);
    for (uint64_t i = 0; i < count; i++)
        vm_list_init_at(list, i, vm_from_small((int64_t)(next_random(ctx) >> 56)));
    return lib_answer(list, ret);
}

#define LIB_TABLE "lib/random.def"
#define LIB_REGISTER lib_register_random
#include "lib/table.h"
