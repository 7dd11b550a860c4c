/*
 * value.h - the value word: every Nostos value is one 64-bit word.
 *
 *     …xxx1   integer of 63 bits (an Int that needs the 64th is boxed, see object.h; programs cannot tell)
 *     …xx10   Float with a common exponent, its bits rotated by three (the scheme is Ruby's "flonum";
 *             0.0 has a word of its own; what does not fit is boxed)
 *     …x100   another immediate: five bits of sort, then 56 bits of payload
 *     …x000   pointer to an object (object.h). The word 0 is no value: an empty register, an absent argument
 *
 * Nothing here allocates. What may need a box is in number.h.
 */
#ifndef VM_VALUE_H
#define VM_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t vm_value;

#define VM_NONE ((vm_value)0)

/* ---- 63-bit integers ---- */

#define VM_SMALL_MAX INT64_C(0x3fffffffffffffff)
#define VM_SMALL_MIN (-VM_SMALL_MAX - 1)

static inline bool vm_is_small(vm_value v) { return (v & 1) != 0; }
static inline bool vm_fits_small(int64_t n) { return n >= VM_SMALL_MIN && n <= VM_SMALL_MAX; }
static inline vm_value vm_from_small(int64_t n) { return ((uint64_t)n << 1) | 1; }
static inline int64_t vm_small(vm_value v) { return (int64_t)v >> 1; }

/* ---- inline floats ---- */

#define VM_FLONUM_ZERO UINT64_C(0x8000000000000002)

static inline bool vm_is_flonum(vm_value v) { return (v & 3) == 2; }

/** Whether a double has an inline form: exponents from about 1e-77 to 1e77, and +0.0. */
static inline bool vm_double_is_flonum(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    unsigned top = (unsigned)(bits >> 60) & 7;
    return ((top == 3 || top == 4) && bits != UINT64_C(0x3000000000000000)) || bits == 0;
}

/** The word of a double that has an inline form. */
static inline vm_value vm_from_flonum(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    if (bits == 0)
        return VM_FLONUM_ZERO;
    return (((bits << 3) | (bits >> 61)) & ~UINT64_C(3)) | 2;
}

static inline double vm_flonum(vm_value v)
{
    uint64_t bits;
    double d;

    if (v == VM_FLONUM_ZERO)
        return 0.0;
    bits = (2 - (v >> 63)) | (v & ~UINT64_C(3));
    bits = (bits >> 3) | (bits << 61);
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* ---- other immediates ---- */

enum vm_sort {
    VM_SORT_UNIT,      /* () */
    VM_SORT_BOOL,      /* payload 0 or 1 */
    VM_SORT_NIL,       /* [] */
    VM_SORT_CHAR,      /* code point */
    VM_SORT_CTOR,      /* constructor without fields: its number in type.h */
    VM_SORT_PID,       /* the process number, see process.h */
    VM_SORT_INT8,      /* payload: the value, sign-extended to 56 bits */
    VM_SORT_INT16,
    VM_SORT_INT32,
    VM_SORT_UINT8,
    VM_SORT_UINT16,
    VM_SORT_UINT32,
    VM_SORT_FLOAT32,   /* payload: the 32 bits */
    VM_SORT_EMPTY_MAP, /* %{} */
    VM_SORT_EMPTY_SET, /* #{} */
    VM_SORT_COUNT
};

#define VM_IMMEDIATE(sort, payload) ((vm_value)4 | ((vm_value)(sort) << 3) | ((vm_value)(payload) << 8))

static inline bool vm_is_immediate(vm_value v) { return (v & 7) == 4; }
static inline bool vm_is_sort(vm_value v, enum vm_sort sort) { return (v & 0xff) == ((vm_value)sort << 3 | 4); }
static inline enum vm_sort vm_sort(vm_value v) { return (enum vm_sort)((v >> 3) & 31); }
static inline int64_t vm_payload_signed(vm_value v) { return (int64_t)v >> 8; }
static inline uint64_t vm_payload(vm_value v) { return v >> 8; }

#define VM_UNIT VM_IMMEDIATE(VM_SORT_UNIT, 0)
#define VM_FALSE VM_IMMEDIATE(VM_SORT_BOOL, 0)
#define VM_TRUE VM_IMMEDIATE(VM_SORT_BOOL, 1)
#define VM_NIL VM_IMMEDIATE(VM_SORT_NIL, 0)
#define VM_EMPTY_MAP VM_IMMEDIATE(VM_SORT_EMPTY_MAP, 0)
#define VM_EMPTY_SET VM_IMMEDIATE(VM_SORT_EMPTY_SET, 0)

static inline vm_value vm_from_bool(bool b) { return b ? VM_TRUE : VM_FALSE; }
static inline vm_value vm_from_char(uint32_t code_point) { return VM_IMMEDIATE(VM_SORT_CHAR, code_point); }

/* ---- pointers ---- */

static inline bool vm_is_object(vm_value v) { return (v & 7) == 0 && v != 0; }
/** The object's first word, its header; fields follow. */
static inline vm_value *vm_object(vm_value v) { return (vm_value *)(uintptr_t)v; }
static inline vm_value vm_from_object(const void *object) { return (vm_value)(uintptr_t)object; }

#endif
