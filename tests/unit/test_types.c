/*
 * test_types.c - what the table of a program's types promises: which type a name means, and how type texts are read.
 */
#include "config.h"

#include "vm/types.h"

#include <check.h>
#include <string.h>

#include "tests/unit/run_suite.h"

static struct nb_arena *arena;
static struct vm_types *types;

static void add(const char *name, const char *path, unsigned parameters)
{
    static const char *const letters[] = { "A", "B" };
    struct vm_type *type = nb_arena_alloc(arena, sizeof *type);

    *type = (struct vm_type){ .name = name, .path = path, .parameters = letters, .parameter_count = parameters };
    vm_types_add(types, type);
}

static void set_up(void)
{
    vm_type_init();
    arena = nb_arena_new();
    types = vm_types_new(arena);
    add("Json", "stdlib.json.Json", 0);
    add("model.deep.Person", "model.deep.Person", 0);
    add("Person", "Person", 0);
    add("model.Item", "model.Item", 0);
    add("Pair", "Pair", 2);
    add("shop.Json", "shop.Json", 0);
    vm_types_finish(types);
}

static void tear_down(void) { nb_arena_free(arena); }

static const struct { const char *name, *path; } names[] = {
    { "Person", "Person" },           /* exact wins over the end of a path */
    { "deep.Person", "model.deep.Person" },
    { "model.deep.Person", "model.deep.Person" },
    { "Item", "model.Item" },
    { "Json", "shop.Json" },          /* the program's own wins over the library's */
    { "stdlib.json.Json", "stdlib.json.Json" },
    { "json.Json", "stdlib.json.Json" },
    { "erson", NULL }, { "Perso", NULL }, { "Persons", NULL }, { "", NULL }, { "model", NULL },
};

START_TEST(finds_by_name)
{
    const struct vm_type *found = vm_types_find(types, names[_i].name, strlen(names[_i].name));

    ck_assert_pstr_eq(found == NULL ? NULL : found->path, names[_i].path);
}
END_TEST

static const struct { const char *text; enum vm_shape_kind kind; const char *name; unsigned count; } shapes[] = {
    { "Int", VM_SHAPE_BUILTIN, "Int", 0 },
    { " List[ Person ] ", VM_SHAPE_BUILTIN, "List", 1 },
    { "Map[String, List[Int]]", VM_SHAPE_BUILTIN, "Map", 2 },
    { "Pair[Int,Person]", VM_SHAPE_DECLARED, "Pair", 2 },
    { "(Int, (String, Item))", VM_SHAPE_TUPLE, "", 2 },
    { "(Item)", VM_SHAPE_DECLARED, "Item", 0 },
    { "()", VM_SHAPE_BUILTIN, "", 0 },
    { "(Int) -> Int", VM_SHAPE_OTHER, "", 0 },
    { "Nope", VM_SHAPE_OTHER, "Nope", 0 },
    { "List[Int", VM_SHAPE_OTHER, "", 0 },
    { "List[Int]]", VM_SHAPE_OTHER, "", 0 },
    { "(", VM_SHAPE_OTHER, "", 0 },
    { "", VM_SHAPE_OTHER, "", 0 },
    { "{x: Int}", VM_SHAPE_OTHER, "", 0 },
};

START_TEST(reads_texts)
{
    const struct vm_shape *shape = vm_shape_read(types, arena, shapes[_i].text, strlen(shapes[_i].text));

    ck_assert_int_eq(shape->kind, shapes[_i].kind);
    ck_assert_str_eq(shape->name, shapes[_i].name);
    ck_assert_uint_eq(shape->count, shapes[_i].count);
}
END_TEST

START_TEST(nesting_has_a_bound)
{
    char text[4000];

    memset(text, '(', sizeof text);
    ck_assert_int_eq(vm_shape_read(types, arena, text, sizeof text)->kind, VM_SHAPE_OTHER);
    for (size_t i = 0; i + 5 <= sizeof text; i += 5)
        memcpy(text + i, "List[", 5);
    ck_assert_int_eq(vm_shape_read(types, arena, text, sizeof text)->kind, VM_SHAPE_OTHER);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm/types");
    TCase *one = tcase_create("one table");

    tcase_add_checked_fixture(one, set_up, tear_down);
    tcase_add_loop_test(one, finds_by_name, 0, sizeof names / sizeof *names);
    tcase_add_loop_test(one, reads_texts, 0, sizeof shapes / sizeof *shapes);
    tcase_add_test(one, nesting_has_a_bound);
    suite_add_tcase(suite, one);
    return run_suite(suite);
}
