/*
 * typed.c - typed code: where types say what operands will be, one instruction does the work of several.
 *
 * The checker's types are predictions: it looks the other way where the specification wants it to, and a program may
 * run unchecked. So nothing may depend on them but speed. A typed instruction (vm/pairs.def) takes the place of a
 * general one in finished code, without moving anything, and tests its operands itself; when they are not what was
 * predicted it is that general instruction. Errors, lines, the places where a process is stopped and the meaning of
 * programs are those of the general code, which `--no-typed-code` runs.
 *
 * While expressions are lowered, the instructions of operators are noted whose operands are Ints by their types. A
 * type that stayed open and was asked to be a number counts as Int, as number literals do (02 §4.2). When the
 * function is finished, its instructions are looked at from the last to the first, so that what follows one has been
 * chosen already, and whichever forms a pair with what follows becomes that pair. Instructions that are not about
 * numbers need no note.
 */
#include "config.h"

#include "lang/typed.h"

#include <string.h>

#include "base/alloc.h"
#include "lang/compile.h"
#include "lang/term.h"

/* ---- what is expected ---- */

static bool is_asked_to_be_number(const struct ns_term *variable)
{
    for (const struct ns_demand *demand = variable->variable.demands; demand != NULL; demand = demand->next)
        if (demand->kind == NS_DEMAND_TRAIT && strcmp(demand->name, "Num") == 0)
            return true;
    return false;
}

static bool is_expected_int(struct ns_term *term)
{
    return term->kind == NS_TERM_VARIABLE ? is_asked_to_be_number(term) : ns_is_basic(term, NS_CON_INT);
}

/* An open type beside an Int, as in `i < n`, is taken for another. */
void ns_typed_note(struct ns_frame *frame, const struct ns_expr *expr)
{
    struct ns_term *left = expr->binary.left->term, *right = expr->binary.right->term;
    bool left_is, right_is;

    if (left == NULL || right == NULL)
        return;
    left = ns_prune(left);
    right = ns_prune(right);
    left_is = is_expected_int(left);
    right_is = is_expected_int(right);
    if ((left_is && right_is) || (left_is && right->kind == NS_TERM_VARIABLE) ||
        (right_is && left->kind == NS_TERM_VARIABLE))
        ns_code_note(&frame->code);
}

/* ---- choosing ---- */

enum { STARTS = 1, NOTED = 2 };

/* By word: where instructions start, and which of them were noted. */
static unsigned char *survey(const struct ns_code *code, const struct vm_function *function)
{
    unsigned char *map = nb_xalloc_zero(function->words);

    for (uint32_t word = 0; word < function->words; word += vm_insn_words(function->code + word))
        map[word] = STARTS;
    for (size_t i = 0; i < code->notes.count; i++)
        map[code->notes.items[i]] |= NOTED;
    return map;
}

/* Arithmetic and comparisons are about Ints only where they were noted. */
static bool is_about_ints(enum vm_op op)
{
    op = vm_op_general(op);
    return op >= VM_OP_ADD && op <= VM_OP_TEST_GE_IMM;
}

static bool may_pair(const unsigned char *map, const struct vm_function *function, const uint64_t *at)
{
    if (at < function->code || at >= function->code + function->words)
        return true; /* of another function, that is called: its notes are gone */
    return !is_about_ints(VM_OP_OF(*at)) || (map[at - function->code] & NOTED);
}

static void select_at(const unsigned char *map, struct vm_function *function, uint64_t *at)
{
    uint64_t *next = (uint64_t *)(uintptr_t)vm_insn_follower(function, at);
    enum vm_op op = VM_OP_OF(*at), typed;

    if (next == NULL || !may_pair(map, function, at) || !may_pair(map, function, next))
        return;
    typed = vm_op_paired(op, VM_OP_OF(*next));
    if (typed == op || !vm_pair_fits(typed, at, next))
        return;
    *at = VM_INSN(typed, VM_A(*at), VM_B(*at), VM_C(*at));
    if (VM_OP_OF(*next) == VM_OP_RETURN)
        *next = VM_INSN(VM_OP_RETURN, VM_A(*next), 0, function->registers);
}

void ns_typed_select(struct ns_frame *frame)
{
    struct vm_function *function = frame->function;
    unsigned char *map;

    if (frame->unit->options->no_typed_code || function->code == NULL)
        return;
    map = survey(&frame->code, function);
    for (uint32_t word = function->words; word-- > 0;)
        if (map[word] & STARTS)
            select_at(map, function, function->code + word);
    nb_free(map);
}
