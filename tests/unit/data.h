/*
 * data.h - a process whose heap tests of data structures allocate from, and the ways they look at results.
 *
 * Values that a test keeps across allocations lie in ctx.args: those are roots.
 */
#ifndef TESTS_UNIT_DATA_H
#define TESTS_UNIT_DATA_H

#include <check.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/print.h"
#include "vm/process.h"
#include "vm/program.h"
#include "vm/string.h"
#include "vm/type.h"

static struct vm_program *program;
static struct vm_process process;
static struct vm_ctx ctx;

static void set_up(void)
{
    vm_type_init();
    program = vm_program_new("test");
    memset(&process, 0, sizeof process);
    memset(&ctx, 0, sizeof ctx);
    ck_assert(vm_process_init(&process, program, 1));
    atomic_store(&process.state, VM_PROCESS_RUNNING);
    ctx.process = &process;
    ctx.arg_count = sizeof ctx.args / sizeof *ctx.args;
}

static void tear_down(void)
{
    vm_process_done(&process);
    vm_heap_done(&process.heap);
    vm_program_unref(program);
}

/* Move everything, so that what was not a root is found out. */
static inline void collect(void) { ck_assert(vm_heap_collect(&ctx, 0)); }

static inline vm_value text(const char *bytes) { return vm_string_cstr(&ctx, bytes); }

/* The two printed forms; good until the second next call. */
static inline const char *printed(vm_value v, void (*print)(struct nb_buf *, vm_value))
{
    static char *kept[2];
    static unsigned next;
    struct nb_buf out = NB_BUF_INIT;

    print(&out, v);
    ck_assert(!out.failed);
    nb_free(kept[next]);
    kept[next] = nb_strdup(nb_buf_cstr(&out));
    nb_buf_done(&out);
    next ^= 1;
    return kept[next ^ 1];
}
static inline const char *display(vm_value v) { return printed(v, vm_print_display); }
static inline const char *result(vm_value v) { return printed(v, vm_print_result); }

/* A tuple or data of the values in ctx.args[0 … count - 1]. */
static inline vm_value compound(enum vm_kind kind, uint32_t aux, uint32_t count)
{
    vm_value *object;

    ck_assert(vm_heap_reserve(&ctx, 1 + count));
    object = vm_heap_take(&process.heap, 1 + count);
    object[0] = VM_HEADER(kind, 0, aux, count);
    memcpy(object + 1, ctx.args, count * sizeof *object);
    return vm_from_object(object);
}
static inline vm_value tuple(uint32_t count) { return compound(VM_KIND_TUPLE, 0, count); }

static inline vm_value tuple_of(vm_value first, vm_value second)
{
    ctx.args[0] = first;
    ctx.args[1] = second;
    return tuple(2);
}

/* Constructor `name` of a variant type with three constructors, or a record's. */
static inline uint32_t variant(const char *type, const char *name, uint16_t position, uint16_t arity)
{
    struct vm_constructor description = { .type_name = type, .name = name, .form = VM_TYPE_VARIANT, .arity = arity,
                                          .position = position, .siblings = 3 };

    return vm_constructor_register(&description);
}
static inline uint32_t record(const char *type, const char *name, uint16_t arity, const char *const *fields)
{
    struct vm_constructor description = { .type_name = type, .name = name, .form = VM_TYPE_RECORD, .arity = arity,
                                          .named = true, .position = 0, .siblings = 1, .fields = fields };

    return vm_constructor_register(&description);
}

struct named_test { const TTest *test; int rows; };

/* Run tests, each in `rows` rows if that is not 0. */
static inline int run_tests(const char *name, const struct named_test *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *all = tcase_create(name);
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 60);
    for (size_t i = 0; i < count; i++) {
        if (tests[i].rows == 0)
            tcase_add_test(all, tests[i].test);
        else
            tcase_add_loop_test(all, tests[i].test, 0, tests[i].rows);
    }
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define ROWS(table) ((int)(sizeof(table) / sizeof *(table)))

#endif
