/*
 * code.h - compiled functions: instructions, frames, tables for people.
 *
 * An instruction is one or more 64-bit words. First word: bits 0-15 opcode, then three 16-bit operands A, B, C (registers, counts
 * or small signed constants); a 32-bit signed operand D takes the place of B and C (jump offsets, counted in words from
 * the first word of the instruction that has it). Words that follow hold a value or pointer each (W1, W2), then register lists, four to a word, first in the lowest bits.
 *
 * A frame, from low to high addresses (the stack grows down, fp points to the frame's first word):
 *
 *     fp[0]  the struct vm_function that runs
 *     fp[1]  where to return to: the caller's next instruction (low 48 bits), its destination register (high 16)
 *     fp[2]  register 0 … register registers-1
 *     then the caller's frame
 *
 * Arguments arrive in registers 0 … arity-1 (VM_NONE where a default is to be computed); a closure's function finds the closure itself in register
 * `arity`; all other registers start as VM_NONE. Every register always holds a value word or VM_NONE: the collector scans them all.
 *
 * Threads: immutable once published, except the caches that opcodes.def marks, which are single atomic words.
 */
#ifndef VM_CODE_H
#define VM_CODE_H

#include <stdatomic.h>
#include <stdio.h>

#include "vm/native.h"

enum vm_op {
#define OP(name, operands, flags, meaning) VM_OP_##name,
#include "vm/opcodes.def"
#undef OP
#define PAIR(first, second) VM_OP_##first##_##second,
#include "vm/pairs.def"
#undef PAIR
    VM_OP_COUNT
};

enum { VM_FRAME_WORDS = 2, VM_REGISTERS_MAX = 65000 };

#define VM_INSN(op, a, b, c) \
    ((uint64_t)(op) | (uint64_t)(uint16_t)(a) << 16 | (uint64_t)(uint16_t)(b) << 32 | (uint64_t)(uint16_t)(c) << 48)
#define VM_INSN_D(op, a, d) ((uint64_t)(op) | (uint64_t)(uint16_t)(a) << 16 | (uint64_t)(uint32_t)(d) << 32)
#define VM_OP_OF(insn) ((enum vm_op)((insn) & 0xffff))
#define VM_A(insn) ((uint16_t)((insn) >> 16))
#define VM_B(insn) ((uint16_t)((insn) >> 32))
#define VM_C(insn) ((uint16_t)((insn) >> 48))
#define VM_SC(insn) ((int16_t)((insn) >> 48))
#define VM_D(insn) ((int32_t)((insn) >> 32))

/* The same of the instruction at an address, each loaded on its own. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define VM_PART_AT(type, at, number) (((const type *)(at))[number])
#else
#define VM_PART_AT(type, at, number) (((const type *)(at))[8 / sizeof(type) - 1 - (number)])
#endif
#define VM_OP_AT(at) VM_PART_AT(uint16_t, at, 0)
#define VM_A_AT(at) VM_PART_AT(uint16_t, at, 1)
#define VM_B_AT(at) VM_PART_AT(uint16_t, at, 2)
#define VM_C_AT(at) VM_PART_AT(uint16_t, at, 3)
#define VM_SC_AT(at) VM_PART_AT(int16_t, at, 3)
#define VM_D_AT(at) VM_PART_AT(int32_t, at, 1)

/* How a function takes part in tail calls inside `try` (01 §14.2); see PUSH_STUB. */
enum vm_function_form {
    VM_FUNCTION_ORDINARY,
    VM_FUNCTION_STUB,       /* handler record: its normal return passes the value on */
    VM_FUNCTION_STUB_CONST  /* handler record that yields the same literal whatever happens below it */
};

struct vm_line { uint32_t at; uint32_t line; }; /* instructions from word `at` on belong to `line`; sorted */

struct vm_function {
    vm_value header;             /* VM_KIND_FUNCTION, immortal: a function without captures is a value */
    const char *name;            /* qualified, for people: "shapes.area", "main", "<lambda in main>" */
    const char *file;
    struct vm_program *program;
    uint64_t *code;
    uint32_t words;
    uint16_t registers, arity, required; /* required: parameters before the last without default; fewer arguments is an error */
    uint16_t captures;
    uint8_t form;                /* enum vm_function_form */
    bool catches_all;            /* stubs: the arms catch everything and cannot throw */
    uint32_t catch_at;           /* stubs: word of the catch entry; word 0 is the normal return */
    const char *const *parameters; /* names, for named arguments in dynamic calls; NULL where a parameter has none */
    bool lambda;                 /* has no name of its own: error texts say "Lambda" */
    const struct vm_line *lines;
    uint32_t line_count;
    uint32_t first_line;
};

/** Line of a word of a function's code. */
uint32_t vm_function_line(const struct vm_function *function, uint32_t word);

/**
 * A place in the code where a method is called, m(x, …) of a trait or x.m(…). `cache` is filled while running: dispatch.h.
 */
struct vm_site_entry {
    struct vm_site_entry *next;     /* of the site */
    struct vm_site_entry *all_next; /* of the program: to free them */
    uint32_t class_key;
    vm_value header;                /* what VM_SITE_HEADER leaves of the first receiver's; 0: it had none */
    vm_value target;                /* function or native */
};
/* Objects whose headers have this in common are of one class: kind and aux. */
#define VM_SITE_HEADER VM_HEADER(63, 0, VM_AUX_MAX, 0)

struct vm_site {
    uint32_t name_id;
    const char *name;
    uint16_t arg_count;               /* receiver included */
    const char *const *arg_names;     /* arg_count interned names or NULLs; NULL when no argument is named */
    vm_value fallback;                /* function, native or closure in scope of that name (UFCS); VM_NONE when none */
    bool as_function;                 /* written m(x): the receiver's fields are not looked at */
    const char *module;               /* path of the module it stands in; NULL or "": the root */
    vm_value expected;                /* CALL_DIRECT: function or native that takes arg_count, of objects of this kind */
    enum vm_kind expected_kind;       /* and, where the kind is one of data, so many constructors from this number on */
    uint32_t expected_first, expected_count;
    _Atomic(struct vm_site_entry *) cache; /* receivers seen, newest first */
    _Atomic uint32_t entries;         /* how many were made, bounded */
};

/* ---- about opcodes: op.c ---- */

enum vm_operands {
    VM_OPERANDS_NONE, VM_OPERANDS_A, VM_OPERANDS_AB, VM_OPERANDS_ABC, VM_OPERANDS_AD, VM_OPERANDS_D, VM_OPERANDS_ABI /* C a signed constant */
};
enum vm_op_flags {
    VM_OP_ALLOCS = 1,      /* may collect */
    VM_OP_RAISES = 2,
    VM_OP_ENDS = 4,        /* control does not go on to the next word */
    VM_OP_W1 = 8,          /* one word follows */
    VM_OP_W2 = 16,         /* two words follow (W1 included) */
    VM_OP_REGISTERS = 32,  /* then C registers, four to a word */
    VM_OP_JUMPS = 64,      /* D is a jump offset */
    VM_OP_TABLE = 128,     /* W1 is followed by C pairs of words (see SWITCH_…) */
    VM_OP_YIELDS = 256     /* may stop the process; re-executed afterwards unless it says otherwise */
};
struct vm_op_info { const char *name; uint8_t operands; uint16_t flags; const char *meaning; };
const struct vm_op_info *vm_op_info(enum vm_op op);
/** The general instruction that a typed one (pairs.def) begins as, and whose operands it has; others are their own. */
enum vm_op vm_op_general(enum vm_op op);
/** The typed instruction to put in the place of one that `next` follows, next as it stands there; `op` itself when there is none. */
enum vm_op vm_op_paired(enum vm_op op, enum vm_op next);
/** Whether an instruction and the one that follows make that typed instruction by their operands, too: the arguments of a tail
 *  call are what was computed in front of it. */
bool vm_pair_fits(enum vm_op typed, const uint64_t *at, const uint64_t *next);
/** What is executed after the instruction at `at` when all goes on: behind it, at its target, at the start, in the function that
 *  is called with one argument. NULL: not known. */
const uint64_t *vm_insn_follower(const struct vm_function *function, const uint64_t *at);
/** Words of the instruction at `at`. */
unsigned vm_insn_words(const uint64_t *at);
/** Print a function, one instruction a line. */
void vm_disassemble(const struct vm_function *function, FILE *out);
/** Check that a function is well formed: opcodes, registers in range, jumps to instruction starts, no running off the end.
 *  NULL, or what is wrong (static text with *ret_word the place). Run on all code in debug and test builds. */
const char *vm_verify(const struct vm_function *function, uint32_t *ret_word);

#endif
