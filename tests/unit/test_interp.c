/* test_interp.c - what the interpreter promises: calls, handlers, stubs, pre-emption; on hand-made code. */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/stress.h"
#include "vm/call.h"
#include "vm/code.h"
#include "vm/dispatch.h"
#include "vm/except.h"
#include "vm/host.h"
#include "vm/program.h"
#include "vm/string.h"
#include "vm/type.h"

static struct vm_program *program;
static struct vm_process process;
static struct vm_ctx ctx;
static const struct vm_host no_host;

static void set_up(void)
{
    vm_type_init();
    vm_call_init();
    program = vm_program_new("test");
    program->methods = vm_methods_new(program->arena);
    memset(&process, 0, sizeof process);
    memset(&ctx, 0, sizeof ctx);
    ck_assert(vm_process_init(&process, program, 1));
    process.depth_max = 1000;
    atomic_store(&process.state, VM_PROCESS_RUNNING);
    ctx.process = &process;
    ctx.host = &no_host;
}

static void tear_down(void)
{
    vm_process_done(&process);
    vm_heap_done(&process.heap);
    vm_program_unref(program);
}

static struct vm_function make(uint64_t *code, uint32_t words, uint16_t arity, uint16_t registers)
{
    return (struct vm_function){ .header = VM_HEADER(VM_KIND_FUNCTION, VM_FLAG_IMMORTAL, 0, 0),
                                 .name = "f", .file = "f.nos", .program = program, .code = code, .words = words,
                                 .arity = arity, .required = arity, .registers = registers };
}

static uint64_t word(const void *pointer) { return (uint64_t)(uintptr_t)pointer; }

static uint64_t regs(unsigned a, unsigned b, unsigned c, unsigned d)
{
    return (uint64_t)a | (uint64_t)b << 16 | (uint64_t)c << 32 | (uint64_t)d << 48;
}

static enum vm_stop run(const struct vm_function *f, int64_t budget)
{
    process.entry = vm_from_object(f);
    ctx.reductions = budget;
    return vm_run(&ctx);
}

START_TEST(computes_fibonacci)
{
    struct vm_function fib, start;
    uint64_t code[] = {
        VM_INSN(VM_OP_TEST_LT_IMM, 3, 0, 2), VM_INSN_D(VM_OP_JUMP_FALSE, 3, 2), VM_INSN(VM_OP_RETURN, 0, 0, 0),
        VM_INSN(VM_OP_SUB_IMM, 1, 0, 1), VM_INSN(VM_OP_CALL, 1, 0, 1), word(&fib), regs(1, 0, 0, 0),
        VM_INSN(VM_OP_SUB_IMM, 2, 0, 2), VM_INSN(VM_OP_CALL, 2, 0, 1), word(&fib), regs(2, 0, 0, 0),
        VM_INSN(VM_OP_ADD, 1, 1, 2), VM_INSN(VM_OP_RETURN, 1, 0, 0),
    };
    uint64_t start_code[] = { VM_INSN_D(VM_OP_INT, 0, 20), VM_INSN(VM_OP_CALL, 0, 0, 1), word(&fib), regs(0, 0, 0, 0),
                              VM_INSN(VM_OP_RETURN, 0, 0, 0) };

    fib = make(code, sizeof code / 8, 1, 4);
    start = make(start_code, sizeof start_code / 8, 0, 1);
    ck_assert_int_eq(run(&start, INT64_MAX), VM_STOP_END);
    ck_assert_uint_eq(process.result, vm_from_small(6765));
}
END_TEST

START_TEST(stops_when_its_reductions_are_used_up_and_goes_on)
{
    struct vm_function loop;
    uint64_t code[] = { VM_INSN_D(VM_OP_INT, 0, 0), VM_INSN_D(VM_OP_INT, 1, 1000), VM_INSN_D(VM_OP_FOR, 0, 0),
                        VM_INSN(VM_OP_RETURN, 0, 0, 0) };
    unsigned slices = 1;

    loop = make(code, sizeof code / 8, 0, 2);
    process.entry = vm_from_object(&loop);
    ctx.reductions = 100;
    while (vm_run(&ctx) == VM_STOP_YIELD) {
        ctx.reductions = 100;
        slices++;
    }
    ck_assert_uint_eq(process.result, vm_from_small(1000));
    ck_assert_uint_eq(process.reductions, 0); /* counting them is the scheduler's */
    ck_assert_uint_ge(slices, 10);
    ck_assert_uint_le(slices, 12);
}
END_TEST

START_TEST(ends_a_handler_with_the_exception)
{
    struct vm_function f;
    uint64_t code[] = { VM_INSN_D(VM_OP_TRY, 1, 5), VM_INSN_D(VM_OP_INT, 0, 1), VM_INSN_D(VM_OP_INT, 3, 0),
                        VM_INSN(VM_OP_DIV, 0, 0, 3), VM_INSN(VM_OP_RETURN, 0, 0, 0), VM_INSN(VM_OP_RETURN, 1, 0, 0) };

    f = make(code, sizeof code / 8, 0, 4);
    ck_assert_int_eq(run(&f, INT64_MAX), VM_STOP_END);
    ck_assert(vm_is_kind(process.result, VM_KIND_TUPLE));
    ck_assert(vm_string_equals(vm_field(process.result, 0), "DivisionByZero", 14));
    ck_assert_uint_eq(process.handler, 0);
}
END_TEST

START_TEST(crashes_with_text_and_trace_without_a_handler)
{
    struct vm_function f;
    uint64_t code[] = { VM_INSN(VM_OP_NO_MATCH, 0, 0, 0) };
    char *text;

    f = make(code, 1, 0, 1);
    ck_assert_int_eq(run(&f, INT64_MAX), VM_STOP_CRASH);
    text = vm_exception_text(process.exception);
    ck_assert_str_eq(text, "Panic: Non-exhaustive match: no pattern matched");
    ck_assert_ptr_nonnull(strstr(process.trace, "1. f (f.nos"));
    nb_free(text);
}
END_TEST

START_TEST(ends_endless_recursion_with_an_exception)
{
    struct vm_function f;
    uint64_t code[] = { VM_INSN(VM_OP_CALL, 0, 0, 0), word(&f), VM_INSN(VM_OP_RETURN, 0, 0, 0) };
    char *text;

    f = make(code, 3, 0, 1);
    ck_assert_int_eq(run(&f, INT64_MAX), VM_STOP_CRASH);
    text = vm_exception_text(process.exception);
    ck_assert_str_eq(text, "Stack overflow");
    ck_assert_uint_eq(process.depth, 1000);
    nb_free(text);
}
END_TEST

/* loop(n) = try { if n == 0 then throw else loop(n - 1) } catch { e -> <constant> }, its stub without captured
 * values. */
static void make_loop(struct vm_function *loop, uint64_t *code, struct vm_function *stub, uint64_t *stub_code,
                      bool catches_all)
{
    uint64_t text[] = {
        VM_INSN_D(VM_OP_TRY, 1, 11), VM_INSN(VM_OP_TEST_EQ_IMM, 3, 0, 0), VM_INSN_D(VM_OP_JUMP_FALSE, 3, 2),
        VM_INSN(VM_OP_THROW, 0, 0, 0), VM_INSN(VM_OP_SUB_IMM, 3, 0, 1), VM_INSN(VM_OP_PUSH_STUB, 1, 0, 0), word(stub),
        VM_INSN(VM_OP_TAIL_CALL, 0, 0, 1), word(loop), regs(3, 0, 0, 0), VM_INSN(VM_OP_NO_MATCH, 0, 0, 0),
        VM_INSN(VM_OP_RETURN_CONST, 0, 0, 0), vm_from_small(-1),
    };
    uint64_t stub_text[] = { VM_INSN(VM_OP_STUB_RETURN, 1, 0, 0), VM_INSN(VM_OP_RETURN_CONST, 0, 0, 0), vm_from_small(-1) };

    memcpy(code, text, sizeof text);
    memcpy(stub_code, stub_text, sizeof stub_text);
    *loop = make(code, sizeof text / 8, 1, 4);
    *stub = make(stub_code, sizeof stub_text / 8, 0, 2);
    stub->form = VM_FUNCTION_STUB;
    stub->catch_at = 1;
    stub->catches_all = catches_all;
}

static size_t stack_words(int64_t rounds, bool catches_all)
{
    struct vm_function loop, stub, start;
    uint64_t code[16], stub_code[8];
    uint64_t start_code[] = { VM_INSN_D(VM_OP_INT, 0, rounds), VM_INSN(VM_OP_CALL, 0, 0, 1), word(&loop),
                              regs(0, 0, 0, 0), VM_INSN(VM_OP_RETURN, 0, 0, 0) };
    size_t deepest = 0;

    make_loop(&loop, code, &stub, stub_code, catches_all);
    start = make(start_code, sizeof start_code / 8, 0, 1);
    process.entry = vm_from_object(&start);
    for (;;) {
        size_t now;

        ctx.reductions = 7;
        if (vm_run(&ctx) != VM_STOP_YIELD)
            break;
        now = (size_t)(process.heap.end - process.heap.fp);
        if (now > deepest)
            deepest = now;
    }
    ck_assert_uint_eq(process.result, vm_from_small(-1));
    ck_assert_uint_eq(process.handler, 0);
    return deepest;
}

START_TEST(keeps_one_handler_record_where_it_catches_all) { ck_assert_uint_le(stack_words(100000, true), 32); }
END_TEST

START_TEST(keeps_a_small_record_per_level_otherwise)
{
    enum { LEVELS = NB_STRESS_OR(300, 10000) }; /* each instruction collects there, and walks the whole stack */
    size_t words = stack_words(LEVELS, false);

    ck_assert_uint_ge(words, LEVELS);
    ck_assert_uint_le(words, LEVELS * 8 + 64);
}
END_TEST

START_TEST(spreads_a_tuple_over_parameters)
{
    struct vm_function add, start;
    uint64_t add_code[] = { VM_INSN(VM_OP_ADD, 0, 0, 1), VM_INSN(VM_OP_RETURN, 0, 0, 0) };
    uint64_t code[] = { VM_INSN_D(VM_OP_INT, 0, 40), VM_INSN_D(VM_OP_INT, 1, 2), VM_INSN(VM_OP_TUPLE, 2, 0, 2),
                        regs(0, 1, 0, 0), VM_INSN(VM_OP_CONST, 3, 0, 0), word(&add),
                        VM_INSN(VM_OP_TAIL_CALL_VALUE, 0, 3, 1), regs(2, 0, 0, 0) };

    add = make(add_code, 2, 2, 2);
    start = make(code, sizeof code / 8, 0, 4);
    ck_assert_int_eq(run(&start, INT64_MAX), VM_STOP_END);
    ck_assert_uint_eq(process.result, vm_from_small(42));
}
END_TEST

START_TEST(is_killed_before_it_runs)
{
    struct vm_function f;
    uint64_t code[] = { VM_INSN(VM_OP_RETURN_CONST, 0, 0, 0), VM_UNIT };

    f = make(code, 2, 0, 1);
    atomic_store(&process.kill, true);
    ck_assert_int_eq(run(&f, INT64_MAX), VM_STOP_KILLED);
}
END_TEST

START_TEST(raises_out_of_memory_without_memory_for_it)
{
    char *text;

    nb_alloc_fail_after(0);
    ck_assert_int_eq(vm_raise_panic(&ctx, "Out of memory"), VM_RAISE);
    nb_alloc_fail_after(-1);
    text = vm_exception_text(ctx.exception);
    ck_assert_str_eq(text, "Panic: Out of memory");
    nb_free(text);

    process.heap.limit_words = 1;
    process.heap.top = process.heap.fp; /* no room left */
    ck_assert_int_eq(vm_raise_type(&ctx, "Int", VM_UNIT), VM_RAISE);
    text = vm_exception_text(ctx.exception);
    ck_assert_str_eq(text, "Panic: Out of memory");
    nb_free(text);
    process.heap.top = process.heap.start;
}
END_TEST

static uint32_t money(void)
{
    static const char *const fields[] = { "cents" };
    struct vm_constructor description = { .type_name = "Money", .name = "Money", .form = VM_TYPE_RECORD, .arity = 1,
                                          .named = true, .siblings = 1, .fields = fields };

    return vm_constructor_register(&description);
}

/* The arguments of an operator's method must not stay roots: the next process on the thread would "move" them. */
START_TEST(forgets_the_arguments_of_a_method_that_an_operator_called)
{
    struct vm_function add, start;
    uint64_t add_code[] = { VM_INSN_D(VM_OP_LOOP, 0, 0) };
    uint64_t code[] = { VM_INSN_D(VM_OP_INT, 0, 40), VM_INSN(VM_OP_DATA, 1, 0, 1), money(), regs(0, 0, 0, 0),
                        VM_INSN(VM_OP_ADD, 0, 1, 1), VM_INSN(VM_OP_RETURN, 0, 0, 0) };

    add = make(add_code, 1, 2, 2);
    vm_methods_add(program->methods, 0, vm_constructor(money())->type_id, vm_known_names[VM_NAME_ADD], 2,
                   vm_from_object(&add));
    start = make(code, sizeof code / 8, 0, 2);
    ck_assert_int_eq(run(&start, 100), VM_STOP_YIELD);
    ck_assert_uint_eq(process.depth, 1);
    ck_assert_uint_eq(ctx.call_arg_count, 0);
    ck_assert_uint_eq(ctx.call_function, VM_NONE);
}
END_TEST

START_TEST(sees_nothing_that_an_earlier_process_left_in_the_context)
{
    struct vm_function f;
    uint64_t code[] = { VM_INSN_D(VM_OP_INT, 0, 1), VM_INSN(VM_OP_TUPLE, 0, 0, 2), regs(0, 0, 0, 0),
                        VM_INSN_D(VM_OP_LOOP, 0, -2) };
    vm_value gone = 4096; /* nothing lies there */

    f = make(code, sizeof code / 8, 0, 2);
    ctx.args[0] = ctx.call_args[0] = ctx.call_function = ctx.exception = gone;
    ctx.arg_count = ctx.call_arg_count = ctx.root_count = 1;
    ctx.roots[0] = &gone;
    ck_assert_int_eq(run(&f, 1000), VM_STOP_YIELD);
    ck_assert_uint_gt(process.heap.collections, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm/interp");
    TCase *one = tcase_create("hand-made code");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(one, set_up, tear_down);
    tcase_add_test(one, computes_fibonacci);
    tcase_add_test(one, stops_when_its_reductions_are_used_up_and_goes_on);
    tcase_add_test(one, ends_a_handler_with_the_exception);
    tcase_add_test(one, crashes_with_text_and_trace_without_a_handler);
    tcase_add_test(one, ends_endless_recursion_with_an_exception);
    tcase_add_test(one, keeps_one_handler_record_where_it_catches_all);
    tcase_add_test(one, keeps_a_small_record_per_level_otherwise);
    tcase_add_test(one, spreads_a_tuple_over_parameters);
    tcase_add_test(one, is_killed_before_it_runs);
    tcase_add_test(one, raises_out_of_memory_without_memory_for_it);
    tcase_add_test(one, forgets_the_arguments_of_a_method_that_an_operator_called);
    tcase_add_test(one, sees_nothing_that_an_earlier_process_left_in_the_context);
    suite_add_tcase(suite, one);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
