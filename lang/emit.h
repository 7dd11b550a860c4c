/*
 * emit.h - an assembler for one function: instructions, labels, registers, lines.
 *
 * Registers are handed out like a stack: locals below, temporaries above; who takes some puts `next` back afterwards.
 * Code that cannot be reached (behind a jump, a return, a throw, until a label that something jumps to) is dropped
 * while it is emitted, so callers need not care whether an expression ever yields a value.
 *
 * Not thread-safe; exhausted memory ends the program (base/vec.h).
 */
#ifndef LANG_EMIT_H
#define LANG_EMIT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/vec.h"
#include "vm/code.h"

/** A place in the code that jumps may name before it is known. */
typedef uint32_t ns_mark;

struct ns_label_state { uint32_t at; bool bound, used; };
struct ns_fixup { uint32_t word, from; ns_mark label; bool whole; }; /* whole: the word is the offset, else its D */

struct ns_code {
    NB_VEC(uint64_t) words;
    NB_VEC(struct vm_line) lines;
    NB_VEC(struct ns_label_state) labels;
    NB_VEC(struct ns_fixup) fixups;
    NB_VEC(uint32_t) notes; /* words of the instructions that ns_code_note() announced, ascending */
    uint32_t next;      /* the first free register */
    uint32_t registers; /* how many were ever in use */
    uint32_t line;      /* of the instructions to come */
    uint32_t last_bound; /* where the latest label is */
    bool dead;          /* what comes now cannot be reached */
    bool too_big;       /* registers or words ran out; the function must not be used */
};

void ns_code_init(struct ns_code *code);
void ns_code_done(struct ns_code *code);

/** Take `count` registers next to each other; the first. */
unsigned ns_code_take(struct ns_code *code, unsigned count);

ns_mark ns_code_label(struct ns_code *code);
/** The label means here. Revives dead code if something jumped to it. */
void ns_code_bind(struct ns_code *code, ns_mark label);

/** The next instruction is one of those that typed.c asks about. */
void ns_code_note(struct ns_code *code);

/* One instruction each; the letters say what it has: operands, words (w), a register list (l), an offset (j). */
void ns_code_abc(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, unsigned c);
void ns_code_abc_w(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, unsigned c, uint64_t w1);
void ns_code_abc_w2(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, unsigned c, uint64_t w1, uint64_t w2);
void ns_code_list(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, const unsigned *registers,
                  unsigned count);
void ns_code_list_w(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, uint64_t w1, const unsigned *registers,
                    unsigned count);
/** Call a function without captures: the form of CALL for so many arguments. */
void ns_code_call(struct ns_code *code, unsigned a, const struct vm_function *function, const unsigned *arguments,
                  unsigned count);
/** The same in tail position of `own`. */
void ns_code_tail_call(struct ns_code *code, const struct vm_function *own, const struct vm_function *function,
                       const unsigned *arguments, unsigned count);
void ns_code_list_w2(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, uint64_t w1, uint64_t w2,
                     const unsigned *registers, unsigned count);
void ns_code_jump(struct ns_code *code, enum vm_op op, unsigned a, ns_mark target);
void ns_code_jump_w(struct ns_code *code, enum vm_op op, unsigned a, ns_mark target, uint64_t w1);
void ns_code_jump_w2(struct ns_code *code, enum vm_op op, unsigned a, ns_mark target, uint64_t w1, uint64_t w2);

/** A switch with a table: `keys` ascending, one target each. */
void ns_code_switch(struct ns_code *code, enum vm_op op, unsigned a, const int64_t *keys, const ns_mark *targets,
                    unsigned count, ns_mark otherwise);

/** r[to] = r[from], unless they are the same. */
void ns_code_move(struct ns_code *code, unsigned to, unsigned from);
/** r[to] = an immediate or immortal value. */
void ns_code_const(struct ns_code *code, unsigned to, vm_value value);

/** Resolve the labels and put code, lines and register count into the function; memory from the arena. */
void ns_code_finish(struct ns_code *code, struct nb_arena *arena, struct vm_function *function);
/** Where a bound label is. */
uint32_t ns_code_at(const struct ns_code *code, ns_mark label);

#endif
