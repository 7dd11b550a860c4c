/*
 * object.h - what a value word points to: a header word, then fields.
 *
 *     bit 0        1 (a header; while the collector runs, 0: the word is the new address)
 *     bits 1-6     kind (kinds.def)
 *     bit 7        SHARED: outside of process heaps, reference counted (shared.h)
 *     bit 8        IMMORTAL: outside of process heaps, lives as long as its program
 *     bit 9        ASCII (strings)
 *     bits 12-31   aux: a constructor number, a sign (kinds.def)
 *     bits 32-63   size: words or bytes as the kind's layout says
 *
 * Objects are immutable but for CELL, RECORD_CELL, BUFFER, BUILDER and the typed arrays, and but for
 * two invisible changes: room behind `used` of an ARRAY may be filled, and a CONS that was flattened
 * turns into a SLICE of the same elements (list.h).
 */
#ifndef VM_OBJECT_H
#define VM_OBJECT_H

#include "vm/value.h"

enum vm_kind {
#define KIND(name, layout) VM_KIND_##name,
#include "vm/kinds.def"
#undef KIND
    VM_KIND_COUNT
};

enum vm_layout { VM_LAYOUT_VALUES, VM_LAYOUT_RAW1, VM_LAYOUT_PAIR, VM_LAYOUT_WORDS, VM_LAYOUT_BYTES };

extern const unsigned char vm_kind_layouts[VM_KIND_COUNT]; /* enum vm_layout by kind; object.c */
const char *vm_kind_name(enum vm_kind kind);               /* "CONS"; for disassembly and panics */

#define VM_FLAG_SHARED (UINT64_C(1) << 7)
#define VM_FLAG_IMMORTAL (UINT64_C(1) << 8)
#define VM_FLAG_ASCII (UINT64_C(1) << 9)
enum { VM_AUX_MAX = (1 << 20) - 1 };
#define VM_SIZE_MAX UINT32_MAX

#define VM_HEADER(kind, flags, aux, size) \
    ((vm_value)1 | (vm_value)(kind) << 1 | (flags) | (vm_value)(aux) << 12 | (vm_value)(size) << 32)

static inline enum vm_kind vm_header_kind(vm_value header) { return (enum vm_kind)((header >> 1) & 63); }
static inline uint32_t vm_header_aux(vm_value header) { return (uint32_t)(header >> 12) & VM_AUX_MAX; }
static inline uint32_t vm_header_size(vm_value header) { return (uint32_t)(header >> 32); }

/* The same of a value that is known to be an object. */
static inline vm_value vm_header(vm_value v) { return *vm_object(v); }
static inline enum vm_kind vm_kind(vm_value v) { return vm_header_kind(vm_header(v)); }
static inline uint32_t vm_aux(vm_value v) { return vm_header_aux(vm_header(v)); }
static inline uint32_t vm_size(vm_value v) { return vm_header_size(vm_header(v)); }
static inline vm_value vm_field(vm_value v, unsigned index) { return vm_object(v)[1 + index]; }

static inline bool vm_is_kind(vm_value v, enum vm_kind kind)
{
    return vm_is_object(v) && vm_kind(v) == kind;
}
/** Outside of every process heap: never moved and never scanned by a collection. */
static inline bool vm_is_outside(vm_value v)
{
    return (vm_header(v) & (VM_FLAG_SHARED | VM_FLAG_IMMORTAL)) != 0;
}

/** Words of an object, header included. */
static inline uint64_t vm_object_words(vm_value header)
{
    uint32_t size = vm_header_size(header);

    switch ((enum vm_layout)vm_kind_layouts[vm_header_kind(header)]) {
    case VM_LAYOUT_PAIR:
        return 3;
    case VM_LAYOUT_BYTES:
        return 1 + ((uint64_t)size + 7) / 8;
    default:
        return 1 + (uint64_t)size;
    }
}

#endif
