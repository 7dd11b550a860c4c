/* test_type.c - what the table of constructors promises: equal descriptions, equal numbers; classes of values. */
#include "config.h"

#include "tests/unit/data.h"

#include <pthread.h>

#include "base/intern.h"
#include "vm/object.h"

static const char *const fields[] = { "x", "y" };

START_TEST(knows_the_prelude_by_fixed_numbers)
{
    ck_assert_str_eq(vm_constructor(VM_CTOR_SOME)->name, "Some");
    ck_assert_str_eq(vm_constructor(VM_CTOR_ERR)->type_name, "Result");
    ck_assert_int_eq(vm_constructor(VM_CTOR_NONE)->position, 1);
    ck_assert_uint_eq(vm_constructor(VM_CTOR_OK)->arity, 1);
}
END_TEST

START_TEST(gives_the_prelude_the_same_numbers_whatever_its_declaration_calls_the_parameter)
{
    const char *types[] = { "anything" };
    struct vm_constructor some = { .type_name = "Option", .name = "Some", .form = VM_TYPE_VARIANT, .arity = 1,
                                   .position = 0, .siblings = 2, .field_types = types };

    ck_assert_uint_eq(vm_constructor_register(&some), VM_CTOR_SOME);
}
END_TEST

START_TEST(gives_equal_descriptions_equal_numbers)
{
    uint32_t id = record("shapes.Pt", "Pt", 2, fields);
    const struct vm_constructor *pt = vm_constructor(id);

    ck_assert_uint_eq(record("shapes.Pt", "Pt", 2, fields), id);
    ck_assert_uint_ne(record("shapes.Pt", "Pt", 1, fields), id);
    ck_assert_uint_ne(record("other.Pt", "Pt", 2, fields), id);
    ck_assert_uint_ne(variant("shapes.Pt", "Pt", 0, 2), id);
    ck_assert_uint_eq(pt->id, id);
    ck_assert_uint_eq(pt->type_id, nb_intern_id("shapes.Pt"));
    ck_assert_int_eq(vm_constructor_field(pt, nb_intern_id("y")), 1);
    ck_assert_int_eq(vm_constructor_field(pt, nb_intern_id("z")), -1);
}
END_TEST

START_TEST(tells_apart_what_differs_in_the_type_of_a_field_only)
{
    const char *ints[] = { "Int", "Int" }, *mixed[] = { "Int", "String" };
    struct vm_constructor description = { .type_name = "P", .name = "P", .arity = 2, .named = true, .siblings = 1,
                                          .fields = fields, .field_types = ints };
    uint32_t id = vm_constructor_register(&description);

    description.field_types = mixed;
    ck_assert_uint_ne(vm_constructor_register(&description), id);
    ck_assert_str_eq(vm_constructor(id)->field_types[1], "Int");
}
END_TEST

START_TEST(names_positional_fields_by_their_numbers)
{
    const struct vm_constructor *big = vm_constructor(variant("T", "Big", 0, 12));

    ck_assert_str_eq(big->fields[0], "0");
    ck_assert_int_eq(vm_constructor_field(big, nb_intern_id("11")), 11);
}
END_TEST

static void *register_many(void *ret_ids)
{
    uint32_t *ids = ret_ids;
    char name[16];

    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "C%d", i);
        ids[i] = variant("Many", name, 0, 0);
    }
    return NULL;
}

START_TEST(agrees_with_itself_across_threads_and_chunks)
{
    static uint32_t ids[2][2000];
    pthread_t other;

    ck_assert_int_eq(pthread_create(&other, NULL, register_many, ids[0]), 0);
    register_many(ids[1]);
    pthread_join(other, NULL);
    for (int i = 0; i < 2000; i++) {
        char name[16];

        snprintf(name, sizeof name, "C%d", i);
        ck_assert_uint_eq(ids[0][i], ids[1][i]);
        ck_assert_str_eq(vm_constructor(ids[0][i])->name, name);
    }
}
END_TEST

START_TEST(classifies_values)
{
    ctx.args[0] = text("s");
    ck_assert_str_eq(vm_class_name(vm_class_of(ctx.args[0])), "String");
    ck_assert_str_eq(vm_class_name(vm_class_of(VM_NIL)), "List");
    ck_assert_str_eq(vm_class_name(vm_class_of(vm_from_small(1))), "Int");
    ck_assert_str_eq(vm_class_name(vm_class_of(vm_int(&ctx, INT64_MAX))), "Int");
    ck_assert_str_eq(vm_class_name(vm_class_of(vm_from_flonum(1.5))), "Float");
    ck_assert_str_eq(vm_class_name(vm_class_of(vm_float32(1.5f))), "Float32");
    ck_assert_str_eq(vm_class_name(vm_class_of(VM_EMPTY_SET)), "Set");
    ck_assert_uint_eq(vm_class_of(VM_IMMEDIATE(VM_SORT_CTOR, VM_CTOR_NONE)), nb_intern_id("Option"));
    ctx.args[0] = VM_UNIT;
    ck_assert_str_eq(vm_class_name(vm_class_of(compound(VM_KIND_DATA, variant("a.b.Shape", "Dot", 0, 1), 1))), "Shape");
    ck_assert_ptr_null(vm_constructor_of(VM_TRUE));
}
END_TEST

START_TEST(lays_out_every_kind)
{
    ck_assert_uint_eq(vm_object_words(VM_HEADER(VM_KIND_STRING, 0, 0, 0)), 1);
    ck_assert_uint_eq(vm_object_words(VM_HEADER(VM_KIND_STRING, 0, 0, 9)), 3);
    ck_assert_uint_eq(vm_object_words(VM_HEADER(VM_KIND_CONS, 0, 0, 1000)), 3);
    ck_assert_uint_eq(vm_object_words(VM_HEADER(VM_KIND_TUPLE, 0, 0, 5)), 6);
    ck_assert_str_eq(vm_kind_name(VM_KIND_BYTES_SLICE), "BYTES_SLICE");
}
END_TEST

int main(void)
{
    const struct named_test tests[] = {
        { knows_the_prelude_by_fixed_numbers, 0 },
        { gives_the_prelude_the_same_numbers_whatever_its_declaration_calls_the_parameter, 0 },
        { gives_equal_descriptions_equal_numbers, 0 }, { tells_apart_what_differs_in_the_type_of_a_field_only, 0 },
        { names_positional_fields_by_their_numbers, 0 }, { agrees_with_itself_across_threads_and_chunks, 0 },
        { classifies_values, 0 }, { lays_out_every_kind, 0 },
    };

    return run_tests("vm/type", tests, sizeof tests / sizeof *tests);
}
