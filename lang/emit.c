/*
 * emit.c - the assembler: words are appended, jumps patched when the function is finished.
 */
#include "config.h"

#include "lang/emit.h"

#include "base/assert.h"

enum { WORDS_MAX = 1 << 28 };

void ns_code_init(struct ns_code *code)
{
    *code = (struct ns_code){ .words = NB_VEC_INIT, .lines = NB_VEC_INIT, .labels = NB_VEC_INIT,
                              .fixups = NB_VEC_INIT, .notes = NB_VEC_INIT };
}

void ns_code_done(struct ns_code *code)
{
    nb_vec_done(&code->words);
    nb_vec_done(&code->lines);
    nb_vec_done(&code->labels);
    nb_vec_done(&code->fixups);
    nb_vec_done(&code->notes);
}

unsigned ns_code_take(struct ns_code *code, unsigned count)
{
    unsigned first = code->next;

    if (count > VM_REGISTERS_MAX - first) {
        code->too_big = true;
        return 0;
    }
    code->next += count;
    if (code->next > code->registers)
        code->registers = code->next;
    return first;
}

ns_mark ns_code_label(struct ns_code *code)
{
    nb_vec_push(&code->labels, ((struct ns_label_state){ 0, false, false }));
    return (ns_mark)(code->labels.count - 1);
}

/* A jump to the very next instruction that nobody else jumps over: as where a branch ends that has nothing to skip. */
static void drop_idle_jump(struct ns_code *code, ns_mark label)
{
    const struct ns_fixup *last = code->fixups.count == 0 ? NULL : &nb_vec_last(&code->fixups);

    if (last == NULL || last->label != label || last->word + 1 != code->words.count ||
        VM_OP_OF(nb_vec_last(&code->words)) != VM_OP_JUMP || last->from != last->word ||
        code->last_bound == code->words.count)
        return;
    (void)nb_vec_pop(&code->words);
    (void)nb_vec_pop(&code->fixups);
    if (nb_vec_last(&code->lines).at == code->words.count)
        (void)nb_vec_pop(&code->lines);
    code->dead = false;
}

void ns_code_bind(struct ns_code *code, ns_mark label)
{
    struct ns_label_state *state = &code->labels.items[label];

    nb_assert(!state->bound);
    drop_idle_jump(code, label);
    state->bound = true;
    code->last_bound = (uint32_t)code->words.count;
    state->at = (uint32_t)code->words.count;
    if (state->used)
        code->dead = false;
}

uint32_t ns_code_at(const struct ns_code *code, ns_mark label)
{
    nb_assert(code->labels.items[label].bound);
    return code->labels.items[label].at;
}

static void note_line(struct ns_code *code)
{
    if (code->lines.count > 0 && nb_vec_last(&code->lines).line == code->line)
        return;
    nb_vec_push(&code->lines, ((struct vm_line){ (uint32_t)code->words.count, code->line }));
}

/* The first word of an instruction. False when it cannot be reached and is dropped with all that belongs to it. */
static bool begin(struct ns_code *code, uint64_t word)
{
    if (code->dead)
        return false;
    if (code->words.count >= WORDS_MAX) {
        code->too_big = true;
        return false;
    }
    note_line(code);
    nb_vec_push(&code->words, word);
    if (vm_op_info(VM_OP_OF(word))->flags & VM_OP_ENDS)
        code->dead = true;
    return true;
}

static void word(struct ns_code *code, uint64_t w)
{
    nb_vec_push(&code->words, w);
}

static void register_words(struct ns_code *code, const unsigned *registers, unsigned count)
{
    for (unsigned i = 0; i < count; i += 4) {
        uint64_t packed = 0;

        for (unsigned k = 0; k < 4 && i + k < count; k++)
            packed |= (uint64_t)(uint16_t)registers[i + k] << (16 * k);
        word(code, packed);
    }
}

void ns_code_note(struct ns_code *code)
{
    if (!code->dead)
        nb_vec_push(&code->notes, (uint32_t)code->words.count);
}

void ns_code_abc(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, unsigned c)
{
    begin(code, VM_INSN(op, a, b, c));
}

void ns_code_abc_w(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, unsigned c, uint64_t w1)
{
    if (begin(code, VM_INSN(op, a, b, c)))
        word(code, w1);
}

void ns_code_abc_w2(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, unsigned c, uint64_t w1, uint64_t w2)
{
    if (!begin(code, VM_INSN(op, a, b, c)))
        return;
    word(code, w1);
    word(code, w2);
}

/* Lists longer than an operand can say. */
static bool fits_list(struct ns_code *code, unsigned count)
{
    if (count > UINT16_MAX)
        code->too_big = true;
    return count <= UINT16_MAX;
}

void ns_code_list(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, const unsigned *registers,
                  unsigned count)
{
    if (fits_list(code, count) && begin(code, VM_INSN(op, a, b, count)))
        register_words(code, registers, count);
}

void ns_code_list_w(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, uint64_t w1, const unsigned *registers,
                    unsigned count)
{
    if (!fits_list(code, count) || !begin(code, VM_INSN(op, a, b, count)))
        return;
    word(code, w1);
    register_words(code, registers, count);
}

void ns_code_list_w2(struct ns_code *code, enum vm_op op, unsigned a, unsigned b, uint64_t w1, uint64_t w2,
                     const unsigned *registers, unsigned count)
{
    if (!fits_list(code, count) || !begin(code, VM_INSN(op, a, b, count)))
        return;
    word(code, w1);
    word(code, w2);
    register_words(code, registers, count);
}

void ns_code_call(struct ns_code *code, unsigned a, const struct vm_function *function, const unsigned *arguments,
                  unsigned count)
{
    enum vm_op op = count >= 1 && count <= 3 ? VM_OP_CALL + count : VM_OP_CALL;

    ns_code_list_w(code, op, a, 0, vm_from_object(function), arguments, count);
}

void ns_code_tail_call(struct ns_code *code, const struct vm_function *own, const struct vm_function *function,
                       const unsigned *arguments, unsigned count)
{
    if (function != own) {
        ns_code_list_w(code, VM_OP_TAIL_CALL, 0, 0, vm_from_object(function), arguments, count);
        return;
    }
    while (count > 0 && arguments[count - 1] == count - 1) /* stays as it is */
        count--;
    ns_code_list(code, count >= 1 && count <= 2 ? VM_OP_TAIL_SELF + count : VM_OP_TAIL_SELF, 0, 0, arguments, count);
}

/* Note that the word at `at` of the instruction at `from` awaits a label. */
static void await(struct ns_code *code, uint32_t from, uint32_t at, ns_mark label, bool whole)
{
    code->labels.items[label].used = true;
    nb_vec_push(&code->fixups, ((struct ns_fixup){ at, from, label, whole }));
}

static bool begin_jump(struct ns_code *code, enum vm_op op, unsigned a, ns_mark target)
{
    uint32_t from = (uint32_t)code->words.count;

    if (!begin(code, VM_INSN_D(op, a, 0)))
        return false;
    await(code, from, from, target, false);
    return true;
}

void ns_code_jump(struct ns_code *code, enum vm_op op, unsigned a, ns_mark target)
{
    begin_jump(code, op, a, target);
}

void ns_code_jump_w(struct ns_code *code, enum vm_op op, unsigned a, ns_mark target, uint64_t w1)
{
    if (begin_jump(code, op, a, target))
        word(code, w1);
}

void ns_code_jump_w2(struct ns_code *code, enum vm_op op, unsigned a, ns_mark target, uint64_t w1, uint64_t w2)
{
    if (!begin_jump(code, op, a, target))
        return;
    word(code, w1);
    word(code, w2);
}

void ns_code_switch(struct ns_code *code, enum vm_op op, unsigned a, const int64_t *keys, const ns_mark *targets,
                    unsigned count, ns_mark otherwise)
{
    uint32_t from = (uint32_t)code->words.count;

    nb_assert(count <= UINT16_MAX);
    if (!begin(code, VM_INSN(op, a, 0, count)))
        return;
    word(code, 0);
    await(code, from, from + 1, otherwise, true);
    for (unsigned i = 0; i < count; i++) {
        word(code, (uint64_t)keys[i]);
        word(code, 0);
        await(code, from, from + 3 + 2 * i, targets[i], true);
    }
}

void ns_code_move(struct ns_code *code, unsigned to, unsigned from)
{
    if (to != from)
        ns_code_abc(code, VM_OP_MOVE, to, from, 0);
}

void ns_code_const(struct ns_code *code, unsigned to, vm_value value)
{
    if (vm_is_small(value) && vm_small(value) >= INT32_MIN && vm_small(value) <= INT32_MAX)
        begin(code, VM_INSN_D(VM_OP_INT, to, (int32_t)vm_small(value)));
    else
        ns_code_abc_w(code, VM_OP_CONST, to, 0, 0, value);
}

static void resolve(struct ns_code *code, const struct ns_fixup *fixup)
{
    const struct ns_label_state *label = &code->labels.items[fixup->label];
    int64_t offset = (int64_t)label->at - fixup->from;
    uint64_t *place = &code->words.items[fixup->word];

    nb_assert(label->bound);
    if (fixup->whole)
        *place = (uint64_t)offset;
    else
        *place = VM_INSN_D(VM_OP_OF(*place), VM_A(*place), (int32_t)offset);
}

void ns_code_finish(struct ns_code *code, struct nb_arena *arena, struct vm_function *function)
{
    size_t count = code->words.count;
    struct vm_line *lines = nb_arena_array(arena, code->lines.count + 1, sizeof *lines);

    nb_assert(code->dead); /* the last instruction ends the function */
    for (size_t i = 0; i < code->fixups.count; i++)
        resolve(code, &code->fixups.items[i]);
    function->code = nb_arena_array(arena, count, sizeof *function->code);
    memcpy(function->code, code->words.items, count * sizeof *function->code);
    function->words = (uint32_t)count;
    function->registers = (uint16_t)code->registers;
    if (code->lines.count > 0)
        memcpy(lines, code->lines.items, code->lines.count * sizeof *lines);
    function->lines = lines;
    function->line_count = (uint32_t)code->lines.count;
}
