/*
 * hash.c - multiply and fold, eight bytes at a time, under a random seed.
 *
 * Each step multiplies to 128 bits and folds the halves together, so that every input bit reaches every output
 * bit. Not cryptographic: the seed keeps collisions from being computed ahead, which is all a table needs.
 */
#include "config.h"

#include "base/hash.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Threads that come first at once may each draw a seed; the exchange lets one of them win. */
static uint64_t seed(void)
{
    static _Atomic uint64_t shared;
    uint64_t value = atomic_load_explicit(&shared, memory_order_relaxed);
    uint64_t none = 0;

    if (value != 0)
        return value;
    if (getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value)
        value = nb_clock_ns() ^ (uint64_t)(uintptr_t)&value;
    value |= 1;
    return atomic_compare_exchange_strong(&shared, &none, value) ? value : none;
}

uint64_t nb_hash_bytes(const void *bytes, size_t length)
{
    static const uint64_t odd_1 = 0x9e3779b97f4a7c15u, odd_2 = 0xd1b54a32d192ed03u;
    const unsigned char *at = bytes;
    uint64_t state = seed() ^ fold(length ^ odd_1, odd_2);
    uint64_t word;

    for (; length >= sizeof word; at += sizeof word, length -= sizeof word) {
        memcpy(&word, at, sizeof word);
        state = fold(state ^ word, odd_1) + odd_2;
    }
    word = 0;
    if (length > 0)
        memcpy(&word, at, length);
    return fold(fold(state ^ word, odd_1), state ^ odd_2);
}
