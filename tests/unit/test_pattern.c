/* test_pattern.c - what compiled choices promise: nothing is asked twice on a way, bodies exist once, size stays in
 * proportion. */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lang/compile.h"
#include "vm/type.h"

static struct vm_program *program;

static void set_up(void) { vm_type_init(); }

static void tear_down(void)
{
    vm_program_unref(program);
    program = NULL;
}

static const struct vm_function *compile(const char *text)
{
    struct ns_options options = { 0 };
    struct ns_diag *diag = ns_diag_new();
    int error = ns_compile_text("test.nos", text, strlen(text), &options, diag, &program);

    ck_assert_msg(error == 0, "%s", ns_diag_first(diag));
    ns_diag_free(diag);
    return vm_program_function(program, "f", 1);
}

/* ---- walking all ways through a function ---- */

struct question { enum vm_op op; unsigned reg; uint64_t w1, w2; };
struct way { struct question asked[64]; unsigned count; };

static unsigned ways; /* how many ends were reached */

static bool is_question(enum vm_op op) { return op >= VM_OP_UNLESS_IS && op <= VM_OP_UNLESS_PREFIX; }

static struct question question_at(const uint64_t *at)
{
    unsigned flags = vm_op_info(VM_OP_OF(*at))->flags;

    return (struct question){ VM_OP_OF(*at), VM_A(*at), flags & (VM_OP_W1 | VM_OP_W2) ? at[1] : 0,
                              flags & VM_OP_W2 ? at[2] : 0 };
}

static void ask(struct way *way, struct question question)
{
    for (unsigned i = 0; i < way->count; i++)
        ck_assert_msg(memcmp(&way->asked[i], &question, sizeof question) != 0, "%s on r%u is asked twice",
                      vm_op_info(question.op)->name, question.reg);
    ck_assert_uint_lt(way->count, 64);
    way->asked[way->count++] = question;
}

static void walk(const struct vm_function *function, uint32_t word, struct way way)
{
    for (;;) {
        const uint64_t *at = function->code + word;
        enum vm_op op = VM_OP_OF(*at);
        const struct vm_op_info *info = vm_op_info(op);

        if (is_question(op)) {
            ask(&way, question_at(at));
            walk(function, word + (uint32_t)VM_D(*at), way);
        } else if (info->flags & VM_OP_TABLE) {
            for (unsigned i = 0; i < VM_C(*at); i++)
                walk(function, word + (uint32_t)at[3 + 2 * i], way);
            word += (uint32_t)at[1];
            continue;
        } else if (info->flags & VM_OP_JUMPS) {
            if (!(info->flags & VM_OP_ENDS))
                walk(function, word + (uint32_t)VM_D(*at), way);
            else {
                word += (uint32_t)VM_D(*at);
                continue;
            }
        }
        if (info->flags & VM_OP_ENDS) {
            ways++;
            return;
        }
        word += vm_insn_words(at);
    }
}

static unsigned count_op(const struct vm_function *function, enum vm_op op)
{
    unsigned count = 0;

    for (uint32_t word = 0; word < function->words; word += vm_insn_words(function->code + word))
        count += VM_OP_OF(function->code[word]) == op;
    return count;
}

static const char *const choices[] = {
    "f(x) = match x { (0, 0) -> 1\n (0, _) -> 2\n (_, 0) -> 3\n (a, b) -> a }",
    "f(x) = match x { [] -> 0\n [a] -> a\n [a, b] -> b\n [a, b | c] -> a }",
    "f(x) = match x { [0] -> 0\n [1] -> 1\n [_, 0] -> 2\n [0 | _] -> 3\n _ -> 4 }",
    "type T = A | B(Int) | C(T, T)\n"
    "f(x) = match x { C(A, A) -> 0\n C(B(1), _) -> 1\n C(_, B(1)) -> 2\n B(1) -> 3\n C(A, B(2)) -> 4\n A -> 5\n _ -> 6 "
    "}",
    "f(x) = match x { (1 | 2, 3 | 4) -> 0\n (1, 5) -> 1\n (2 | 5, _) -> 2\n _ -> 3 }",
    "f(x) = match x { 1 -> 0\n 0..10 -> 1\n 5 -> 2\n 3..4 -> 3\n 20 -> 4\n 10..=20 -> 5\n _ -> 6 }",
    "f(x) = match x { (\"a\", 1) -> 0\n (\"b\", 1) -> 1\n (\"a\", 2) -> 2\n (\"c\", _) -> 3\n (_, 1) -> 4\n _ -> 5 }",
    "f((0, a)) = a\nf((a, 0)) = a\nf([x | _]) = x\nf([]) = 0\nf(\"s\") = 1",
    "f(x) = match x { (a, 1) when a > 1 -> 0\n (a, 1) when a > 0 -> 1\n (_, 1) -> 2\n _ -> 3 }",
    "f(x) = match x { [\"ab\" | r] -> r\n [\"abc\" | r] -> r\n [\"a\" | r] -> r\n _ -> x }",
};

START_TEST(asks_nothing_twice_on_one_way)
{
    const struct vm_function *function = compile(choices[_i]);
    struct way way;

    memset(&way, 0, sizeof way);
    ways = 0;
    walk(function, 0, way);
    ck_assert_uint_gt(ways, 2);
}
END_TEST

START_TEST(has_each_body_once)
{
    const struct vm_function *function =
        compile("f(x) = match x { (1 | 2, _) -> [x, x]\n (_, 1 | 2) -> [x, x]\n _ -> [x, x] }");

    ck_assert_uint_eq(count_op(function, VM_OP_LIST), 3);
}
END_TEST

START_TEST(switches_on_many_constants)
{
    const struct vm_function *function =
        compile("type T = A | B | C | D | E\nf(x) = match x { A -> 1\n B -> 2\n C -> 3\n D -> 4\n E -> 5 }");

    ck_assert_uint_eq(count_op(function, VM_OP_SWITCH_CTOR), 1);
    ck_assert_uint_eq(count_op(function, VM_OP_UNLESS_CTOR), 0);
}
END_TEST

START_TEST(switches_on_integers_and_leaves_the_rest_to_later_arms)
{
    const struct vm_function *function =
        compile("f(x) = match x { 1 -> 1\n 2 -> 2\n 'c' -> 3\n 3 -> 3\n 4 -> 4\n 5 -> 5\n _ -> 0 }");

    ck_assert_uint_eq(count_op(function, VM_OP_SWITCH_INT), 0); /* a Char is among them: one after the other */
    ck_assert_uint_eq(count_op(function, VM_OP_UNLESS_IS), 6);
}
END_TEST

/* Arms that alternate between two places would double the tree with each one. */
START_TEST(stays_in_proportion)
{
    struct nb_buf text = NB_BUF_INIT;
    const struct vm_function *function;

    nb_buf_text(&text, "f(x) = match x {\n");
    for (int i = 0; i < 16; i++) {
        nb_buf_text(&text, "(");
        for (int k = 0; k < 16; k++)
            nb_buf_printf(&text, "%s%s", k > 0 ? ", " : "", k == i ? "[0 | _]" : k == (i + 5) % 16 ? "(0, _)" : "_");
        nb_buf_printf(&text, ") -> %d\n", i);
    }
    nb_buf_text(&text, "_ -> 100 }\n");
    function = compile(nb_buf_cstr(&text));
    nb_buf_done(&text);
    ck_assert_uint_lt(function->words, 20000);
}
END_TEST

START_TEST(takes_thousands_of_arms)
{
    struct nb_buf text = NB_BUF_INIT;

    nb_buf_text(&text, "f(x) = match x {\n");
    for (int i = 0; i < 5000; i++)
        nb_buf_printf(&text, "\"key %d\" -> %d\n", i, i);
    nb_buf_text(&text, "_ -> 0 }\n");
    ck_assert_uint_lt(compile(nb_buf_cstr(&text))->words, 5000 * 8);
    nb_buf_done(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lang/pattern");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_loop_test(all, asks_nothing_twice_on_one_way, 0, sizeof choices / sizeof *choices);
    tcase_add_test(all, has_each_body_once);
    tcase_add_test(all, switches_on_many_constants);
    tcase_add_test(all, switches_on_integers_and_leaves_the_rest_to_later_arms);
    tcase_add_test(all, stays_in_proportion);
    tcase_add_test(all, takes_thousands_of_arms);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
