/*
 * op.c - what is known about instructions: their table, their length, their text, and whether code is well formed.
 *
 * opcodes.def says which operands an instruction has; which of them are registers and which are plain numbers is the
 * business of two small lists here (number_operands, word_register). The verifier and the disassembler both go by them,
 * so a new instruction that is described wrongly shows up in the first listing.
 */
#include "config.h"

#include "vm/code.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "vm/print.h"

/* What a typed instruction has of its first one, by name. */
enum {
#define OP(name, operands, flags, meaning) OPERANDS_##name = VM_OPERANDS_##operands, FLAGS_##name = (flags),
#include "vm/opcodes.def"
#undef OP
};

static const struct vm_op_info infos[VM_OP_COUNT] = {
#define OP(name, operands, flags, meaning) [VM_OP_##name] = { #name, VM_OPERANDS_##operands, flags, meaning },
#include "vm/opcodes.def"
#undef OP
#define PAIR(first, second) \
    [VM_OP_##first##_##second] = { #first "+" #second, OPERANDS_##first, FLAGS_##first, \
                                   "as " #first ", then mostly as " #second },
#include "vm/pairs.def"
#undef PAIR
};

_Static_assert(VM_OP_COUNT <= UINT8_MAX, "the tables below have bytes");

/* 0, which is a general instruction that is never the answer (MOVE), where there is none. */
static const uint8_t generals[VM_OP_COUNT] = {
#define PAIR(first, second) [VM_OP_##first##_##second] = VM_OP_##first,
#include "vm/pairs.def"
#undef PAIR
};
static const uint8_t seconds[VM_OP_COUNT] = {
#define PAIR(first, second) [VM_OP_##first##_##second] = VM_OP_##second,
#include "vm/pairs.def"
#undef PAIR
};
static const uint8_t pairs[VM_OP_COUNT][VM_OP_COUNT] = {
#define PAIR(first, second) [VM_OP_##first][VM_OP_##second] = VM_OP_##first##_##second,
#include "vm/pairs.def"
#undef PAIR
};

enum vm_op vm_op_general(enum vm_op op)
{
    return generals[op] != 0 ? (enum vm_op)generals[op] : op;
}

enum vm_op vm_op_paired(enum vm_op op, enum vm_op next)
{
    if (pairs[op][next] != 0)
        return (enum vm_op)pairs[op][next];
    next = vm_op_general(next);
    return pairs[op][next] != 0 ? (enum vm_op)pairs[op][next] : op;
}

const struct vm_op_info *vm_op_info(enum vm_op op)
{
    nb_assert((unsigned)op < VM_OP_COUNT);
    return &infos[op];
}

/* Words that hold one operand each, before any list or table. */
static unsigned plain_words(const struct vm_op_info *info)
{
    if (info->flags & VM_OP_W2)
        return 2;
    return info->flags & VM_OP_W1 ? 1 : 0;
}

unsigned vm_insn_words(const uint64_t *at)
{
    const struct vm_op_info *info = vm_op_info(VM_OP_OF(*at));
    unsigned words = 1 + plain_words(info);

    if (info->flags & VM_OP_REGISTERS)
        words += (VM_C(*at) + 3u) / 4;
    if (info->flags & VM_OP_TABLE)
        words += 2u * VM_C(*at);
    return words;
}

static bool is_tail_self(enum vm_op op)
{
    return op >= VM_OP_TAIL_SELF && op <= VM_OP_TAIL_SELF_2;
}

static bool is_test(enum vm_op op)
{
    return op >= VM_OP_TEST_EQ && op <= VM_OP_TEST_GE_IMM;
}

const uint64_t *vm_insn_follower(const struct vm_function *function, const uint64_t *at)
{
    enum vm_op op = vm_op_general(VM_OP_OF(*at));
    const uint64_t *next = at + vm_insn_words(at);

    if (is_tail_self(op))
        return function->code;
    if (op == VM_OP_CALL_1)
        return ((const struct vm_function *)(uintptr_t)at[1])->code;
    if (op == VM_OP_LOOP || op == VM_OP_FOR)
        return at + VM_D(*at);
    if (vm_op_info(op)->flags & VM_OP_ENDS)
        return NULL;
    if (is_test(op))
        next++;
    return next < function->code + function->words ? next : NULL;
}

uint32_t vm_function_line(const struct vm_function *function, uint32_t word)
{
    uint32_t low = 0, high = function->line_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (function->lines[middle].at <= word)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? function->first_line : function->lines[low - 1].line;
}

/* ---- which operands are registers ---- */

enum { OPERAND_A = 1, OPERAND_B = 2, OPERAND_C = 4 };

/* Operands that are there, but are plain numbers (or mean nothing). */
static unsigned number_operands(enum vm_op op)
{
    switch (op) {
    case VM_OP_CAPTURED:
    case VM_OP_CLOSURE_SET:
    case VM_OP_COMPONENT:
    case VM_OP_AT:
    case VM_OP_LIST_AT:
    case VM_OP_DROP:
    case VM_OP_CALL_VALUE:
    case VM_OP_UPDATE:
    case VM_OP_SPAWN:
        return OPERAND_C;
    case VM_OP_TAIL_CALL_VALUE:
        return OPERAND_A | OPERAND_C;
    case VM_OP_RETURN_CONST:
    case VM_OP_STUB_RETURN_CONST:
        return OPERAND_A;
    case VM_OP_TAIL_CALL:
    case VM_OP_TAIL_SELF:
    case VM_OP_TAIL_SELF_1:
    case VM_OP_TAIL_SELF_2:
    case VM_OP_TAIL_CALL_METHOD:
        return OPERAND_A | OPERAND_B | OPERAND_C;
    case VM_OP_CLOSURE:
    case VM_OP_TUPLE:
    case VM_OP_DATA:
    case VM_OP_LIST:
    case VM_OP_MAP:
    case VM_OP_SET:
    case VM_OP_JOIN:
    case VM_OP_CALL:
    case VM_OP_CALL_1:
    case VM_OP_CALL_2:
    case VM_OP_CALL_3:
    case VM_OP_CALL_NATIVE:
    case VM_OP_CALL_METHOD:
    case VM_OP_CALL_DIRECT:
    case VM_OP_PUSH_STUB:
    case VM_OP_SWITCH_CTOR:
    case VM_OP_SWITCH_INT:
        return OPERAND_B | OPERAND_C;
    default:
        return 0;
    }
}

static unsigned register_operands(enum vm_op op)
{
    static const unsigned char present[] = {
        [VM_OPERANDS_NONE] = 0,
        [VM_OPERANDS_A] = OPERAND_A,
        [VM_OPERANDS_AB] = OPERAND_A | OPERAND_B,
        [VM_OPERANDS_ABC] = OPERAND_A | OPERAND_B | OPERAND_C,
        [VM_OPERANDS_AD] = OPERAND_A,
        [VM_OPERANDS_D] = 0,
        [VM_OPERANDS_ABI] = OPERAND_A | OPERAND_B,
    };
    return present[vm_op_info(op)->operands] & ~number_operands(vm_op_general(op));
}

/* Instructions whose W1 is a register. */
static bool word_register(enum vm_op op)
{
    return op == VM_OP_SET_INDEX || op == VM_OP_UNLESS_EQUAL;
}

/* How many registers behind r[A] an instruction uses, too. */
static unsigned further_registers(enum vm_op op)
{
    switch (op) {
    case VM_OP_FOR:
    case VM_OP_TRY:
    case VM_OP_END_TRY:
    case VM_OP_PUSH_STUB:
        return 1;
    case VM_OP_RECEIVE:
    case VM_OP_RECEIVE_AFTER:
    case VM_OP_RECEIVE_NEXT:
    case VM_OP_RECEIVE_TAKE:
        return 2;
    default:
        return 0;
    }
}

static unsigned list_register(const uint64_t *at, unsigned index)
{
    const uint64_t *words = at + 1 + plain_words(vm_op_info(VM_OP_OF(*at)));

    return (uint16_t)(words[index / 4] >> (16 * (index % 4)));
}

/* An ADD in place and the step of a counter are all that a loop does: the condition is about the counter and what stays
 * as it is, and the ADD changes nothing but its own register. */
static bool is_sum_of_loop(const uint64_t *add, const uint64_t *step)
{
    const uint64_t *loop = step + vm_insn_words(step), *test = loop + VM_D(*loop);
    unsigned sum = VM_A(*add), counter = VM_A(*step);
    bool tests_register = vm_op_info(VM_OP_OF(*test))->operands == VM_OPERANDS_ABC;

    if (sum == counter || VM_B(*add) != sum || VM_C(*add) == sum || VM_B(*step) != counter)
        return false;
    if (VM_B(*test) != counter || (tests_register && (VM_C(*test) == counter || VM_C(*test) == sum)))
        return false;
    return test + 2 == add;
}

/* Whether the function returns its parameter or a constant here. */
static bool is_plain_end(const uint64_t *at)
{
    return VM_OP_OF(*at) == VM_OP_RETURN_CONST || (VM_OP_OF(*at) == VM_OP_RETURN && VM_A(*at) == 0);
}

/* A callee's first instruction asks about its one parameter, and one answer ends the call. */
static bool may_end_at_once(const uint64_t *first)
{
    enum vm_op op = vm_op_general(VM_OP_OF(*first));

    if (op == VM_OP_SWITCH_CTOR)
        return VM_A(*first) == 0;
    return (is_test(op) ? VM_B(*first) : VM_A(*first)) == 0 && is_plain_end(first + 2);
}

/* A call of a closure with one or two arguments. */
static bool calls_with_few(const uint64_t *call)
{
    return VM_C(*call) >= 1 && VM_C(*call) <= 2;
}

/* A call of the native that appends, in the library's loops. */
static bool is_put(const uint64_t *at)
{
    return (((const struct vm_native *)(uintptr_t)at[1])->flags & VM_NATIVE_PUTS) != 0;
}

bool vm_pair_fits(enum vm_op typed, const uint64_t *at, const uint64_t *next)
{
    enum vm_op second = (enum vm_op)seconds[typed], third = (enum vm_op)seconds[second];

    if (vm_op_general(typed) == VM_OP_TAIL_SELF_2)
        return true;
    if (second == VM_OP_CALL_VALUE || second == VM_OP_TAIL_CALL_VALUE)
        return calls_with_few(next);
    if (second == VM_OP_INDEX)
        return VM_OP_OF(next[1]) == VM_OP_CALL_VALUE && calls_with_few(next + 1);
    if (vm_op_general(typed) == VM_OP_CALL_NATIVE)
        return is_put(at);
    if (vm_op_general(typed) == VM_OP_CALL_1)
        return may_end_at_once(next);
    if (second != vm_op_general(second) && vm_op_general(second) == VM_OP_CALL_1)
        return list_register(next, 0) == VM_A(*at);
    if (vm_op_general(second) == VM_OP_TAIL_SELF_1)
        return list_register(next, 0) == VM_A(*at);
    if (vm_op_general(second) == VM_OP_TAIL_SELF_2)
        return list_register(next, 1) == VM_A(*at);
    if (vm_op_general(third) == VM_OP_TAIL_SELF_2) /* what follows computes the second argument */
        return list_register(next + vm_insn_words(next), 0) == VM_A(*at);
    if (vm_op_general(typed) == VM_OP_ADD && vm_op_general(third) == VM_OP_LOOP)
        return is_sum_of_loop(at, next);
    return true;
}

static bool has_offset(const struct vm_op_info *info)
{
    return info->operands == VM_OPERANDS_AD || info->operands == VM_OPERANDS_D;
}

/* ---- listing ---- */

static void print_value(FILE *out, vm_value v)
{
    struct nb_buf text = NB_BUF_INIT;

    if (v == VM_NONE) {
        fputs(" none", out);
        return;
    }
    if (vm_is_kind(v, VM_KIND_FUNCTION)) {
        fprintf(out, " %s/%u", ((const struct vm_function *)(uintptr_t)v)->name,
                ((const struct vm_function *)(uintptr_t)v)->arity);
        return;
    }
    if (vm_is_kind(v, VM_KIND_NATIVE)) {
        fprintf(out, " %s/%u", ((const struct vm_native *)(uintptr_t)v)->name,
                ((const struct vm_native *)(uintptr_t)v)->arity);
        return;
    }
    vm_print_result(&text, v);
    fprintf(out, " %s", nb_buf_cstr(&text));
    nb_buf_done(&text);
}

/* What the words behind the first mean, by instruction. */
static void print_words(FILE *out, const uint64_t *at)
{
    enum vm_op op = vm_op_general(VM_OP_OF(*at));

    switch (op) {
    case VM_OP_CONST:
    case VM_OP_RETURN_CONST:
    case VM_OP_STUB_RETURN_CONST:
    case VM_OP_UNLESS_IS:
    case VM_OP_UNLESS_CONST:
    case VM_OP_UNLESS_PREFIX:
    case VM_OP_REST:
    case VM_OP_CLOSURE:
    case VM_OP_CALL:
    case VM_OP_CALL_1:
    case VM_OP_CALL_2:
    case VM_OP_CALL_3:
    case VM_OP_CALL_NATIVE:
    case VM_OP_TAIL_CALL:
    case VM_OP_PUSH_STUB:
        print_value(out, at[1]);
        break;
    case VM_OP_CALL_METHOD:
    case VM_OP_TAIL_CALL_METHOD:
        fprintf(out, " .%s", ((const struct vm_site *)(uintptr_t)at[1])->name);
        break;
    case VM_OP_CALL_DIRECT:
        print_value(out, ((const struct vm_site *)(uintptr_t)at[1])->expected);
        break;
    case VM_OP_MVAR_GET:
    case VM_OP_MVAR_LOCK:
    case VM_OP_MVAR_SET:
    case VM_OP_MVAR_UNLOCK:
        fprintf(out, " mvar %" PRIx64, at[1]);
        break;
    case VM_OP_UNLESS_RANGE:
        fprintf(out, " %" PRId64 "..=%" PRId64, (int64_t)at[1], (int64_t)at[2]);
        break;
    case VM_OP_SET_INDEX:
    case VM_OP_UNLESS_EQUAL:
        fprintf(out, " r%" PRIu64, at[1]);
        break;
    case VM_OP_SWITCH_CTOR:
    case VM_OP_SWITCH_INT:
        break;
    default:
        if (vm_op_info(op)->flags & (VM_OP_W1 | VM_OP_W2))
            fprintf(out, " %" PRIu64, at[1]);
        break;
    }
}

static void print_registers(FILE *out, const uint64_t *at)
{
    fputs(" (", out);
    for (unsigned i = 0; i < VM_C(*at); i++)
        fprintf(out, "%sr%u", i > 0 ? ", " : "", list_register(at, i));
    fputc(')', out);
}

static void print_table(FILE *out, const uint64_t *at, uint32_t word)
{
    for (unsigned i = 0; i < VM_C(*at); i++)
        fprintf(out, " %" PRId64 ":%" PRId64, (int64_t)at[2 + 2 * i], word + (int64_t)at[3 + 2 * i]);
    fprintf(out, " else:%" PRId64, word + (int64_t)at[1]);
}

static void print_operands(FILE *out, const uint64_t *at, uint32_t word)
{
    enum vm_op op = vm_op_general(VM_OP_OF(*at));
    const struct vm_op_info *info = vm_op_info(op);
    unsigned registers = register_operands(op);

    if (registers & OPERAND_A)
        fprintf(out, " r%u", VM_A(*at));
    if (registers & OPERAND_B)
        fprintf(out, " r%u", VM_B(*at));
    if (registers & OPERAND_C)
        fprintf(out, " r%u", VM_C(*at));
    else if (info->operands == VM_OPERANDS_ABI)
        fprintf(out, " %d", VM_SC(*at));
    else if (info->operands == VM_OPERANDS_ABC && !(info->flags & (VM_OP_REGISTERS | VM_OP_TABLE)))
        fprintf(out, " %u", VM_C(*at));
    if (op == VM_OP_INT)
        fprintf(out, " %d", VM_D(*at));
    else if (has_offset(info))
        fprintf(out, " ->%" PRId64, (int64_t)word + VM_D(*at));
    print_words(out, at);
    if (info->flags & VM_OP_REGISTERS)
        print_registers(out, at);
    if (info->flags & VM_OP_TABLE)
        print_table(out, at, word);
}

void vm_disassemble(const struct vm_function *function, FILE *out)
{
    static const char *const forms[] = { "", " stub", " stub-const" };
    uint32_t line = 0;

    fprintf(out, "%s/%u  (%s:%u) %u registers, %u captured, %u words%s%s\n", function->name, function->arity,
            function->file, function->first_line, function->registers, function->captures, function->words,
            forms[function->form], function->catches_all ? " catches-all" : "");
    if (function->form != VM_FUNCTION_ORDINARY)
        fprintf(out, "  catch at %u\n", function->catch_at);
    for (uint32_t word = 0; word < function->words; word += vm_insn_words(function->code + word)) {
        const uint64_t *at = function->code + word;

        if (vm_function_line(function, word) != line)
            fprintf(out, "%5u", line = vm_function_line(function, word));
        else
            fputs("     ", out);
        fprintf(out, " %5u  %-16s", word, vm_op_info(VM_OP_OF(*at))->name);
        print_operands(out, at, word);
        fputc('\n', out);
    }
}

/* ---- verifier ---- */

struct check {
    const struct vm_function *function;
    unsigned char *starts; /* 1 where an instruction begins */
    uint32_t word;
};

/* Find where instructions begin; an unknown opcode or one that is cut off ends the walk. */
static const char *find_starts(struct check *check)
{
    const struct vm_function *function = check->function;

    for (check->word = 0; check->word < function->words;) {
        const uint64_t *at = function->code + check->word;

        if (VM_OP_OF(*at) >= VM_OP_COUNT)
            return "unknown opcode";
        if (vm_insn_words(at) > function->words - check->word)
            return "instruction runs past the end";
        check->starts[check->word] = 1;
        check->word += vm_insn_words(at);
    }
    return NULL;
}

static const char *check_register(const struct check *check, uint64_t number)
{
    return number < check->function->registers ? NULL : "register out of range";
}

static const char *check_registers(const struct check *check, const uint64_t *at)
{
    enum vm_op op = vm_op_general(VM_OP_OF(*at));
    unsigned registers = register_operands(op);
    const char *wrong = NULL;

    if (registers & OPERAND_A)
        wrong = check_register(check, VM_A(*at) + further_registers(op));
    if (wrong == NULL && (registers & OPERAND_B))
        wrong = check_register(check, VM_B(*at));
    if (wrong == NULL && (registers & OPERAND_C))
        wrong = check_register(check, VM_C(*at));
    if (wrong == NULL && word_register(op))
        wrong = check_register(check, at[1]);
    if (vm_op_info(op)->flags & VM_OP_REGISTERS)
        for (unsigned i = 0; wrong == NULL && i < VM_C(*at); i++)
            wrong = check_register(check, list_register(at, i));
    return wrong;
}

static const char *check_target(const struct check *check, int64_t offset)
{
    int64_t target = (int64_t)check->word + offset;

    if (target < 0 || target >= check->function->words || !check->starts[target])
        return "jump to no instruction";
    return NULL;
}

static bool is_backward(enum vm_op op)
{
    return op == VM_OP_LOOP || op == VM_OP_FOR || op == VM_OP_RECEIVE_SKIP;
}

static const char *check_jumps(const struct check *check, const uint64_t *at)
{
    enum vm_op op = vm_op_general(VM_OP_OF(*at));
    const struct vm_op_info *info = vm_op_info(op);
    const char *wrong = NULL;

    if (info->flags & VM_OP_JUMPS) {
        if (is_backward(op) ? VM_D(*at) > 0 : VM_D(*at) <= 0)
            return "jump in the wrong direction";
        return check_target(check, VM_D(*at));
    }
    if (info->flags & VM_OP_TABLE) {
        wrong = check_target(check, (int64_t)at[1]);
        for (unsigned i = 0; wrong == NULL && i < VM_C(*at); i++) {
            if (i > 0 && (int64_t)at[2 * i] >= (int64_t)at[2 + 2 * i])
                return "switch table out of order";
            wrong = check_target(check, (int64_t)at[3 + 2 * i]);
        }
    }
    return wrong;
}

static bool is_call(enum vm_op op)
{
    return (op >= VM_OP_CALL && op <= VM_OP_CALL_3) || op == VM_OP_TAIL_CALL;
}

/* What a typed instruction expects to follow does. */
static bool is_paired(const struct check *check, const uint64_t *at)
{
    enum vm_op op = VM_OP_OF(*at), next;
    const uint64_t *follower;

    if (vm_op_general(op) == op)
        return true;
    follower = vm_insn_follower(check->function, at);
    if (follower == NULL)
        return false;
    next = VM_OP_OF(*follower);
    if ((seconds[op] != next && seconds[op] != vm_op_general(next)) || !vm_pair_fits(op, at, follower))
        return false;
    return next != VM_OP_RETURN || VM_C(*follower) == check->function->registers;
}

/* What the single instruction must satisfy beyond registers and targets. */
static const char *check_shape(const struct check *check, const uint64_t *at)
{
    enum vm_op op = vm_op_general(VM_OP_OF(*at));
    uint32_t next = check->word + vm_insn_words(at);
    unsigned flags = vm_op_info(op)->flags;

    if (next >= check->function->words && !(flags & VM_OP_ENDS))
        return "code runs off the end";
    if (!is_paired(check, at))
        return "typed instruction without what it expects";
    if (is_test(op) && (VM_OP_OF(at[1]) != VM_OP_JUMP_FALSE || VM_A(at[1]) != VM_A(*at)))
        return "test without its jump";
    if (op == VM_OP_MAP && VM_C(*at) % 2 != 0)
        return "map with a key without value";
    if ((op == VM_OP_STUB_RETURN || op == VM_OP_STUB_RETURN_CONST) && check->function->form == VM_FUNCTION_ORDINARY)
        return "stub instruction in an ordinary function";
    if (op == VM_OP_PUSH_STUB &&
        ((const struct vm_function *)(uintptr_t)at[1])->form == VM_FUNCTION_ORDINARY)
        return "push of a function that is no stub";
    if (is_call(op) && !vm_is_kind(at[1], VM_KIND_FUNCTION))
        return "call of what is no function";
    if (op > VM_OP_CALL && op <= VM_OP_CALL_3 && VM_C(*at) != op - VM_OP_CALL)
        return "call with another number of arguments";
    if (is_tail_self(op) && VM_C(*at) > check->function->arity)
        return "more arguments than parameters";
    if (is_tail_self(op) && op != VM_OP_TAIL_SELF && VM_C(*at) != op - VM_OP_TAIL_SELF)
        return "tail call with another number of arguments";
    if (op == VM_OP_CALL_DIRECT && ((const struct vm_site *)(uintptr_t)at[1])->expected == VM_NONE)
        return "direct call of nothing";
    if (op == VM_OP_CALL_NATIVE && !vm_is_kind(at[1], VM_KIND_NATIVE))
        return "call of what is no native";
    return NULL;
}

static const char *check_frame(const struct check *check)
{
    const struct vm_function *function = check->function;

    if (function->words == 0)
        return "no code";
    if (function->required > function->arity)
        return "more parameters required than there are";
    if (function->arity + (function->captures > 0 ? 1u : 0u) > function->registers)
        return "parameters without registers";
    if (function->form != VM_FUNCTION_ORDINARY &&
        (function->catch_at >= function->words || !check->starts[function->catch_at]))
        return "catch entry at no instruction";
    return NULL;
}

static const char *check_code(struct check *check)
{
    const char *wrong = find_starts(check);
    uint32_t end = check->function->words;

    if (wrong == NULL) {
        check->word = 0;
        wrong = check_frame(check);
    }
    while (wrong == NULL && check->word < end) {
        const uint64_t *at = check->function->code + check->word;

        wrong = check_registers(check, at);
        if (wrong == NULL)
            wrong = check_jumps(check, at);
        if (wrong == NULL)
            wrong = check_shape(check, at);
        if (wrong == NULL)
            check->word += vm_insn_words(at);
    }
    return wrong;
}

const char *vm_verify(const struct vm_function *function, uint32_t *ret_word)
{
    struct check check = { function, nb_xalloc_zero(function->words + 1), 0 };
    const char *wrong = check_code(&check);

    nb_free(check.starts);
    if (wrong != NULL && ret_word != NULL)
        *ret_word = check.word;
    return wrong;
}
