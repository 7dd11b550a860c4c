/* test_op.c - what the instruction table, the verifier and the listing promise. */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "vm/code.h"

enum { WORDS_MAX = 32 };

static uint64_t words[WORDS_MAX];
static struct vm_function function;

static void set_up(void)
{
    memset(words, 0, sizeof words);
    function = (struct vm_function){ .header = VM_HEADER(VM_KIND_FUNCTION, VM_FLAG_IMMORTAL, 0, 1),
                                     .name = "f",
                                     .file = "f.nos",
                                     .code = words,
                                     .registers = 4 };
}

/* The complaint about the first `count` words; "" when there is none. */
static const char *complaint(uint32_t count)
{
    const char *wrong;

    function.words = count;
    wrong = vm_verify(&function, NULL);
    return wrong == NULL ? "" : wrong;
}

START_TEST(knows_every_instruction)
{
    for (unsigned op = 0; op < VM_OP_COUNT; op++) {
        ck_assert_ptr_nonnull(vm_op_info(op)->name);
        ck_assert_uint_gt(strlen(vm_op_info(op)->meaning), 0);
    }
}
END_TEST

static const struct { uint64_t word; unsigned words; } lengths[] = {
    { VM_INSN(VM_OP_MOVE, 0, 1, 0), 1 },       { VM_INSN(VM_OP_CONST, 0, 0, 0), 2 },
    { VM_INSN(VM_OP_FIELD, 0, 1, 0), 3 },      { VM_INSN(VM_OP_LIST, 0, 0, 0), 1 },
    { VM_INSN(VM_OP_LIST, 0, 0, 1), 2 },       { VM_INSN(VM_OP_LIST, 0, 0, 4), 2 },
    { VM_INSN(VM_OP_LIST, 0, 0, 5), 3 },       { VM_INSN(VM_OP_CALL, 0, 0, 4), 3 },
    { VM_INSN(VM_OP_UPDATE, 0, 0, 1), 4 },     { VM_INSN(VM_OP_SWITCH_INT, 0, 0, 3), 8 },
    { VM_INSN(VM_OP_UNLESS_RANGE, 0, 0, 0), 3 },
};

START_TEST(counts_the_words_of_an_instruction)
{
    ck_assert_uint_eq(vm_insn_words(&lengths[_i].word), lengths[_i].words);
}
END_TEST

START_TEST(accepts_well_formed_code)
{
    words[0] = VM_INSN(VM_OP_TEST_LT, 2, 0, 1);
    words[1] = VM_INSN_D(VM_OP_JUMP_FALSE, 2, 2);
    words[2] = VM_INSN_D(VM_OP_LOOP, 0, -2);
    words[3] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(4), "");
}
END_TEST

START_TEST(refuses_empty_code)
{
    ck_assert_str_eq(complaint(0), "no code");
}
END_TEST

START_TEST(refuses_unknown_opcodes)
{
    words[0] = VM_OP_COUNT;
    ck_assert_str_eq(complaint(1), "unknown opcode");
}
END_TEST

START_TEST(refuses_instructions_that_are_cut_off)
{
    words[0] = VM_INSN(VM_OP_CONST, 0, 0, 0);
    ck_assert_str_eq(complaint(1), "instruction runs past the end");
}
END_TEST

START_TEST(refuses_code_that_runs_off_the_end)
{
    words[0] = VM_INSN(VM_OP_MOVE, 0, 1, 0);
    ck_assert_str_eq(complaint(1), "code runs off the end");
}
END_TEST

static const uint64_t bad_registers[] = {
    VM_INSN(VM_OP_RETURN, 4, 0, 0), VM_INSN(VM_OP_MOVE, 4, 0, 0),    VM_INSN(VM_OP_MOVE, 0, 4, 0),
    VM_INSN(VM_OP_ADD, 0, 0, 4),    VM_INSN(VM_OP_END_TRY, 3, 0, 0), VM_INSN_D(VM_OP_TRY, 3, 1),
};

START_TEST(refuses_registers_beyond_the_frame)
{
    words[0] = bad_registers[_i];
    words[1] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(2), "register out of range");
}
END_TEST

START_TEST(refuses_bad_registers_in_lists)
{
    words[0] = VM_INSN(VM_OP_LIST, 0, 0, 3);
    words[1] = UINT64_C(0x0000000400010002); /* 2, 1, 4 */
    words[2] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(3), "register out of range");
}
END_TEST

START_TEST(takes_numbers_for_numbers)
{
    words[0] = VM_INSN(VM_OP_AT, 0, 1, 60000);
    words[1] = VM_INSN(VM_OP_ADD_IMM, 0, 1, 60000);
    words[2] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(3), "");
}
END_TEST

START_TEST(refuses_jumps_into_the_middle)
{
    words[0] = VM_INSN_D(VM_OP_JUMP, 0, 2);
    words[1] = VM_INSN(VM_OP_CONST, 0, 0, 0);
    words[3] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(4), "jump to no instruction");
}
END_TEST

START_TEST(refuses_jumps_backward_that_are_no_loops)
{
    words[0] = VM_INSN(VM_OP_MOVE, 0, 1, 0);
    words[1] = VM_INSN_D(VM_OP_JUMP, 0, -1);
    ck_assert_str_eq(complaint(2), "jump in the wrong direction");
}
END_TEST

START_TEST(refuses_loops_forward)
{
    words[0] = VM_INSN_D(VM_OP_LOOP, 0, 1);
    words[1] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(2), "jump in the wrong direction");
}
END_TEST

START_TEST(refuses_a_test_without_its_jump)
{
    words[0] = VM_INSN(VM_OP_TEST_EQ, 2, 0, 1);
    words[1] = VM_INSN_D(VM_OP_JUMP_FALSE, 1, 1); /* looks at another register */
    words[2] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(3), "test without its jump");
}
END_TEST

START_TEST(accepts_a_typed_instruction_before_what_it_expects)
{
    words[0] = VM_INSN(VM_OP_ADD_RETURN, 2, 0, 1);
    words[1] = VM_INSN(VM_OP_RETURN, 2, 0, function.registers);
    ck_assert_str_eq(complaint(2), "");
    ck_assert_int_eq(vm_op_general(VM_OP_ADD_RETURN), VM_OP_ADD);
    ck_assert_int_eq(vm_op_general(VM_OP_ADD), VM_OP_ADD);
    ck_assert_int_eq(vm_op_paired(VM_OP_ADD, VM_OP_RETURN), VM_OP_ADD_RETURN);
    ck_assert_int_eq(vm_op_paired(VM_OP_ADD, VM_OP_THROW), VM_OP_ADD);
}
END_TEST

START_TEST(refuses_a_typed_instruction_without_what_it_expects)
{
    words[0] = VM_INSN(VM_OP_ADD_RETURN, 2, 0, 1);
    words[1] = VM_INSN(VM_OP_THROW, 2, 0, 0);
    ck_assert_str_eq(complaint(2), "typed instruction without what it expects");
}
END_TEST

START_TEST(refuses_a_typed_return_from_another_frame)
{
    words[0] = VM_INSN(VM_OP_ADD_RETURN, 2, 0, 1);
    words[1] = VM_INSN(VM_OP_RETURN, 2, 0, function.registers + 1);
    ck_assert_str_eq(complaint(2), "typed instruction without what it expects");
}
END_TEST

/* A function that begins with what words[0] is, and a call of it from words[5] on, whose argument is r[argument]. */
static void call_after_a_step(enum vm_op step, enum vm_op call, unsigned argument)
{
    words[0] = VM_INSN(VM_OP_TEST_LT_IMM, 1, 0, 2);
    words[1] = VM_INSN_D(VM_OP_JUMP_FALSE, 1, 2);
    words[2] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    words[3] = VM_INSN(step, 2, 0, 1);
    words[4] = VM_INSN(call, 1, 0, 1);
    words[5] = vm_from_object(&function);
    words[6] = argument;
    words[7] = VM_INSN(VM_OP_RETURN, 1, 0, 0);
}

START_TEST(accepts_a_call_that_begins_with_a_question)
{
    call_after_a_step(VM_OP_SUB_IMM_CALL_1_TEST_LT_IMM, VM_OP_CALL_1_TEST_LT_IMM, 2);
    ck_assert_str_eq(complaint(8), "");
    ck_assert_ptr_eq(vm_insn_follower(&function, words + 4), words);
}
END_TEST

START_TEST(refuses_a_call_whose_argument_is_another_than_was_computed)
{
    call_after_a_step(VM_OP_SUB_IMM_CALL_1_TEST_LT_IMM, VM_OP_CALL_1_TEST_LT_IMM, 0);
    ck_assert_str_eq(complaint(8), "typed instruction without what it expects");
}
END_TEST

START_TEST(refuses_a_call_whose_callee_goes_on_after_its_question)
{
    call_after_a_step(VM_OP_SUB_IMM, VM_OP_CALL_1_TEST_LT_IMM, 2);
    words[2] = VM_INSN(VM_OP_MOVE, 0, 1, 0);
    ck_assert_str_eq(complaint(8), "typed instruction without what it expects");
}
END_TEST

START_TEST(refuses_switch_tables_out_of_order)
{
    words[0] = VM_INSN(VM_OP_SWITCH_INT, 0, 0, 2);
    words[1] = 6;
    words[2] = 5;
    words[3] = 6;
    words[4] = 5;
    words[5] = 6;
    words[6] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(7), "switch table out of order");
}
END_TEST

START_TEST(refuses_switch_targets_outside)
{
    words[0] = VM_INSN(VM_OP_SWITCH_CTOR, 0, 0, 1);
    words[1] = 4;
    words[2] = 5;
    words[3] = 400;
    words[4] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(5), "jump to no instruction");
}
END_TEST

START_TEST(refuses_maps_with_odd_lists)
{
    words[0] = VM_INSN(VM_OP_MAP, 0, 0, 1);
    words[2] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(3), "map with a key without value");
}
END_TEST

START_TEST(refuses_stub_instructions_elsewhere)
{
    words[0] = VM_INSN(VM_OP_STUB_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(1), "stub instruction in an ordinary function");
    function.form = VM_FUNCTION_STUB;
    ck_assert_str_eq(complaint(1), "");
    function.catch_at = 1;
    ck_assert_str_eq(complaint(1), "catch entry at no instruction");
}
END_TEST

START_TEST(refuses_calls_of_values)
{
    words[0] = VM_INSN(VM_OP_CALL, 0, 0, 0);
    words[1] = VM_UNIT;
    words[2] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(3), "call of what is no function");
}
END_TEST

START_TEST(refuses_other_numbers_of_arguments)
{
    words[0] = VM_INSN(VM_OP_CALL_2, 0, 0, 1);
    words[1] = vm_from_object(&function);
    words[2] = 0;
    words[3] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    ck_assert_str_eq(complaint(4), "call with another number of arguments");
    words[0] = VM_INSN(VM_OP_TAIL_SELF, 0, 0, 1);
    words[1] = 0;
    function.arity = function.required = 0;
    ck_assert_str_eq(complaint(2), "more arguments than parameters");
    function.arity = function.required = 1;
    ck_assert_str_eq(complaint(2), "");
    words[0] = VM_INSN(VM_OP_TAIL_SELF_2, 0, 0, 1);
    ck_assert_str_eq(complaint(2), "tail call with another number of arguments");
}
END_TEST

START_TEST(refuses_tail_calls_of_what_was_not_computed)
{
    function.arity = function.required = 2;
    words[0] = VM_INSN(VM_OP_ADD_TAIL_SELF_2, 2, 0, 1);
    words[1] = VM_INSN(VM_OP_TAIL_SELF_2, 0, 0, 2);
    words[2] = 2 << 16; /* r0 and r2 */
    ck_assert_str_eq(complaint(3), "");
    words[2] = 1 << 16;
    ck_assert_str_eq(complaint(3), "typed instruction without what it expects");
}
END_TEST

START_TEST(refuses_parameters_without_registers)
{
    words[0] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    function.arity = function.required = 4;
    ck_assert_str_eq(complaint(1), "");
    function.captures = 1; /* the closure needs a register, too */
    ck_assert_str_eq(complaint(1), "parameters without registers");
}
END_TEST

START_TEST(says_where_the_fault_is)
{
    uint32_t word = 99;

    words[0] = VM_INSN(VM_OP_MOVE, 0, 1, 0);
    words[1] = VM_INSN(VM_OP_MOVE, 0, 9, 0);
    words[2] = VM_INSN(VM_OP_RETURN, 0, 0, 0);
    function.words = 3;
    ck_assert_ptr_nonnull(vm_verify(&function, &word));
    ck_assert_uint_eq(word, 1);
}
END_TEST

START_TEST(finds_lines)
{
    static const struct vm_line lines[] = { { 0, 7 }, { 3, 9 }, { 5, 8 } };

    function.lines = lines;
    function.line_count = 3;
    function.first_line = 6;
    ck_assert_uint_eq(vm_function_line(&function, 0), 7);
    ck_assert_uint_eq(vm_function_line(&function, 2), 7);
    ck_assert_uint_eq(vm_function_line(&function, 3), 9);
    ck_assert_uint_eq(vm_function_line(&function, 900), 8);
    function.line_count = 0;
    ck_assert_uint_eq(vm_function_line(&function, 0), 6);
}
END_TEST

static const struct { uint64_t code[4]; uint32_t words; const char *text; } listings[] = {
    { { VM_INSN(VM_OP_ADD, 1, 2, 3) }, 1, "ADD              r1 r2 r3" },
    { { VM_INSN(VM_OP_ADD_IMM, 1, 2, -3) }, 1, "ADD_IMM          r1 r2 -3" },
    { { VM_INSN_D(VM_OP_JUMP_FALSE, 1, 5) }, 1, "JUMP_FALSE       r1 ->5" },
    { { VM_INSN(VM_OP_LIST, 1, 0, 2), 0x30002 }, 2, "LIST             r1 (r2, r3)" },
    { { VM_INSN(VM_OP_CONST, 1, 0, 0), VM_TRUE }, 2, "CONST            r1 true" },
    { { VM_INSN(VM_OP_CONST, 1, 0, 0), VM_NONE }, 2, "CONST            r1 none" },
    { { VM_INSN_D(VM_OP_UNLESS_RANGE, 1, 4), 3, 9 }, 3, "UNLESS_RANGE     r1 ->4 3..=9" },
    { { VM_INSN(VM_OP_SWITCH_INT, 1, 0, 1), 9, 7, 8 }, 4, "SWITCH_INT       r1 7:8 else:9" },
};

START_TEST(lists_operands)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    memcpy(words, listings[_i].code, sizeof listings[_i].code);
    function.words = listings[_i].words;
    vm_disassemble(&function, out);
    fclose(out);
    ck_assert_msg(strstr(text, listings[_i].text) != NULL, "%s", text);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm/op");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(all, set_up, NULL);
    tcase_add_test(all, knows_every_instruction);
    tcase_add_loop_test(all, counts_the_words_of_an_instruction, 0, sizeof lengths / sizeof *lengths);
    tcase_add_test(all, accepts_well_formed_code);
    tcase_add_test(all, refuses_empty_code);
    tcase_add_test(all, refuses_unknown_opcodes);
    tcase_add_test(all, refuses_instructions_that_are_cut_off);
    tcase_add_test(all, refuses_code_that_runs_off_the_end);
    tcase_add_loop_test(all, refuses_registers_beyond_the_frame, 0, sizeof bad_registers / sizeof *bad_registers);
    tcase_add_test(all, refuses_bad_registers_in_lists);
    tcase_add_test(all, takes_numbers_for_numbers);
    tcase_add_test(all, refuses_jumps_into_the_middle);
    tcase_add_test(all, refuses_jumps_backward_that_are_no_loops);
    tcase_add_test(all, refuses_loops_forward);
    tcase_add_test(all, refuses_a_test_without_its_jump);
    tcase_add_test(all, accepts_a_typed_instruction_before_what_it_expects);
    tcase_add_test(all, refuses_a_typed_instruction_without_what_it_expects);
    tcase_add_test(all, refuses_a_typed_return_from_another_frame);
    tcase_add_test(all, accepts_a_call_that_begins_with_a_question);
    tcase_add_test(all, refuses_a_call_whose_argument_is_another_than_was_computed);
    tcase_add_test(all, refuses_a_call_whose_callee_goes_on_after_its_question);
    tcase_add_test(all, refuses_switch_tables_out_of_order);
    tcase_add_test(all, refuses_switch_targets_outside);
    tcase_add_test(all, refuses_maps_with_odd_lists);
    tcase_add_test(all, refuses_stub_instructions_elsewhere);
    tcase_add_test(all, refuses_calls_of_values);
    tcase_add_test(all, refuses_other_numbers_of_arguments);
    tcase_add_test(all, refuses_tail_calls_of_what_was_not_computed);
    tcase_add_test(all, refuses_parameters_without_registers);
    tcase_add_test(all, says_where_the_fault_is);
    tcase_add_test(all, finds_lines);
    tcase_add_loop_test(all, lists_operands, 0, sizeof listings / sizeof *listings);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
