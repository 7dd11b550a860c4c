/* test_emit.c - what the assembler promises: jumps that arrive, registers like a stack, no dead code. */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "base/arena.h"
#include "lang/emit.h"

static struct ns_code code;
static struct nb_arena *arena;
static struct vm_function function;

static void set_up(void)
{
    arena = nb_arena_new();
    ns_code_init(&code);
    function = (struct vm_function){ .name = "f", .file = "f.nos" };
}

static void tear_down(void)
{
    ns_code_done(&code);
    arena = nb_arena_free(arena);
}

static void finish(void)
{
    ns_code_finish(&code, arena, &function);
    ck_assert_ptr_null(vm_verify(&function, NULL));
}

START_TEST(resolves_jumps_forward_and_backward)
{
    ns_mark top = ns_code_label(&code), end = ns_code_label(&code);
    unsigned flag = ns_code_take(&code, 1);

    ns_code_bind(&code, top);
    ns_code_jump(&code, VM_OP_JUMP_FALSE, flag, end);
    ns_code_jump(&code, VM_OP_LOOP, 0, top);
    ns_code_bind(&code, end);
    ns_code_abc(&code, VM_OP_RETURN, flag, 0, 0);
    finish();
    ck_assert_int_eq(VM_D(function.code[0]), 2);
    ck_assert_int_eq(VM_D(function.code[1]), -1);
}
END_TEST

START_TEST(counts_offsets_from_the_first_word)
{
    ns_mark end = ns_code_label(&code);
    unsigned reg = ns_code_take(&code, 1);

    ns_code_jump_w2(&code, VM_OP_UNLESS_RANGE, reg, end, 1, 9);
    ns_code_abc(&code, VM_OP_RETURN, reg, 0, 0);
    ns_code_bind(&code, end);
    ns_code_abc(&code, VM_OP_NO_MATCH, 0, 0, 0);
    finish();
    ck_assert_int_eq(VM_D(function.code[0]), 4);
    ck_assert_uint_eq(function.code[1], 1);
    ck_assert_uint_eq(function.code[2], 9);
}
END_TEST

START_TEST(drops_what_cannot_be_reached)
{
    unsigned reg = ns_code_take(&code, 1);

    ns_code_abc(&code, VM_OP_RETURN, reg, 0, 0);
    ns_code_const(&code, reg, VM_TRUE);
    ns_code_abc(&code, VM_OP_THROW, reg, 0, 0);
    ns_code_bind(&code, ns_code_label(&code)); /* nobody jumps here */
    ns_code_abc(&code, VM_OP_THROW, reg, 0, 0);
    finish();
    ck_assert_uint_eq(function.words, 1);
}
END_TEST

START_TEST(drops_jumps_with_the_code_they_stand_in)
{
    ns_mark end = ns_code_label(&code);
    unsigned reg = ns_code_take(&code, 1);

    ns_code_abc(&code, VM_OP_RETURN, reg, 0, 0);
    ns_code_jump(&code, VM_OP_JUMP, 0, end);
    ns_code_bind(&code, end);
    ns_code_abc(&code, VM_OP_NO_MATCH, 0, 0, 0);
    finish();
    ck_assert_uint_eq(function.words, 1);
}
END_TEST

START_TEST(revives_code_at_a_label_that_is_used)
{
    ns_mark end = ns_code_label(&code);
    unsigned reg = ns_code_take(&code, 1);

    ns_code_jump(&code, VM_OP_JUMP_TRUE, reg, end);
    ns_code_abc(&code, VM_OP_RETURN, reg, 0, 0);
    ns_code_bind(&code, end);
    ns_code_abc(&code, VM_OP_THROW, reg, 0, 0);
    finish();
    ck_assert_uint_eq(function.words, 3);
}
END_TEST

START_TEST(remembers_how_many_registers_were_in_use)
{
    unsigned saved;

    ns_code_take(&code, 2);
    saved = code.next;
    ck_assert_uint_eq(ns_code_take(&code, 5), 2);
    code.next = saved;
    ck_assert_uint_eq(ns_code_take(&code, 1), 2);
    ns_code_abc(&code, VM_OP_RETURN, 0, 0, 0);
    finish();
    ck_assert_uint_eq(function.registers, 7);
}
END_TEST

START_TEST(says_when_registers_run_out)
{
    ns_code_take(&code, VM_REGISTERS_MAX);
    ck_assert(!code.too_big);
    ns_code_take(&code, 1);
    ck_assert(code.too_big);
}
END_TEST

START_TEST(packs_register_lists)
{
    static const unsigned list[] = { 1, 2, 3, 4, 5 };

    ns_code_take(&code, 6);
    ns_code_list(&code, VM_OP_TUPLE, 0, 0, list, 5);
    ns_code_abc(&code, VM_OP_RETURN, 0, 0, 0);
    finish();
    ck_assert_uint_eq(function.code[1], UINT64_C(0x0004000300020001));
    ck_assert_uint_eq(function.code[2], 5);
}
END_TEST

static const struct { vm_value value; enum vm_op op; } constants[] = {
    { (vm_value)INT32_MAX << 1 | 1, VM_OP_INT },
    { ((vm_value)INT32_MAX + 1) << 1 | 1, VM_OP_CONST },
    { (vm_value)(int64_t)INT32_MIN << 1 | 1, VM_OP_INT },
    { VM_UNIT, VM_OP_CONST },
    { VM_NONE, VM_OP_CONST },
};

START_TEST(takes_the_short_form_of_constants_that_fit)
{
    ns_code_const(&code, ns_code_take(&code, 1), constants[_i].value);
    ns_code_abc(&code, VM_OP_RETURN, 0, 0, 0);
    finish();
    ck_assert_int_eq(VM_OP_OF(function.code[0]), constants[_i].op);
    if (constants[_i].op == VM_OP_INT)
        ck_assert_int_eq(VM_D(function.code[0]), vm_small(constants[_i].value));
    else
        ck_assert_uint_eq(function.code[1], constants[_i].value);
}
END_TEST

START_TEST(fills_switch_tables)
{
    static const int64_t keys[] = { -3, 8 };
    ns_mark targets[2] = { ns_code_label(&code), ns_code_label(&code) }, rest = ns_code_label(&code);

    ns_code_take(&code, 1);
    ns_code_switch(&code, VM_OP_SWITCH_INT, 0, keys, targets, 2, rest);
    ns_code_bind(&code, targets[0]);
    ns_code_abc(&code, VM_OP_RETURN, 0, 0, 0);
    ns_code_bind(&code, targets[1]);
    ns_code_abc(&code, VM_OP_THROW, 0, 0, 0);
    ns_code_bind(&code, rest);
    ns_code_abc(&code, VM_OP_NO_MATCH, 0, 0, 0);
    finish();
    ck_assert_int_eq((int64_t)function.code[1], 8);
    ck_assert_int_eq((int64_t)function.code[2], -3);
    ck_assert_int_eq((int64_t)function.code[3], 6);
    ck_assert_int_eq((int64_t)function.code[5], 7);
}
END_TEST

START_TEST(keeps_one_entry_for_each_change_of_line)
{
    ns_code_take(&code, 1);
    code.line = 4;
    ns_code_const(&code, 0, VM_UNIT);
    ns_code_const(&code, 0, VM_TRUE);
    code.line = 6;
    ns_code_abc(&code, VM_OP_RETURN, 0, 0, 0);
    finish();
    ck_assert_uint_eq(function.line_count, 2);
    ck_assert_uint_eq(vm_function_line(&function, 2), 4);
    ck_assert_uint_eq(vm_function_line(&function, 4), 6);
}
END_TEST

START_TEST(moves_nothing_onto_itself)
{
    ns_code_take(&code, 2);
    ns_code_move(&code, 1, 1);
    ns_code_move(&code, 1, 0);
    ck_assert_uint_eq(code.words.count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lang/emit");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, resolves_jumps_forward_and_backward);
    tcase_add_test(all, counts_offsets_from_the_first_word);
    tcase_add_test(all, drops_what_cannot_be_reached);
    tcase_add_test(all, drops_jumps_with_the_code_they_stand_in);
    tcase_add_test(all, revives_code_at_a_label_that_is_used);
    tcase_add_test(all, remembers_how_many_registers_were_in_use);
    tcase_add_test(all, says_when_registers_run_out);
    tcase_add_test(all, packs_register_lists);
    tcase_add_loop_test(all, takes_the_short_form_of_constants_that_fit, 0, sizeof constants / sizeof *constants);
    tcase_add_test(all, fills_switch_tables);
    tcase_add_test(all, keeps_one_entry_for_each_change_of_line);
    tcase_add_test(all, moves_nothing_onto_itself);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
