/*
 * json_value.c - Json values: their constructors, and keys that occur twice.
 */
#include "config.h"

#include "lib/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/intern.h"
#include "vm/list.h"
#include "vm/type.h"

enum { FEW_KEYS = 12 };

/* As stdlib.json declares them: registering the same again gives the same numbers. */
static const struct { const char *name, *field; } declared[LIB_JSON_KINDS] = {
    [LIB_JSON_NULL] = { "Null", NULL },
    [LIB_JSON_BOOL] = { "Bool", "Bool" },
    [LIB_JSON_NUMBER] = { "Number", "Float" },
    [LIB_JSON_INTEGER] = { "Integer", "Int" },
    [LIB_JSON_STRING] = { "String", "String" },
    [LIB_JSON_ARRAY] = { "Array", "List[Json]" },
    [LIB_JSON_OBJECT] = { "Object", "List[(String, Json)]" },
};

static uint32_t numbers[LIB_JSON_KINDS];
static uint32_t name_ids[LIB_JSON_KINDS];

void lib_json_init(void)
{
    for (unsigned i = 0; i < LIB_JSON_KINDS; i++) {
        const struct vm_constructor description = {
            .type_name = "Json", .name = declared[i].name, .form = VM_TYPE_VARIANT,
            .arity = declared[i].field == NULL ? 0 : 1, .position = (uint16_t)i, .siblings = LIB_JSON_KINDS,
            .field_types = &declared[i].field,
        };

        numbers[i] = vm_constructor_register(&description);
        nb_assert(numbers[i] != 0);
        name_ids[i] = nb_intern_id(declared[i].name);
    }
}

enum lib_json_kind lib_json_kind(vm_value v)
{
    const struct vm_constructor *constructor = vm_constructor_of(v);

    if (constructor == NULL)
        return LIB_JSON_KINDS;
    if (constructor->id - numbers[0] < LIB_JSON_KINDS && numbers[constructor->id - numbers[0]] == constructor->id)
        return (enum lib_json_kind)(constructor->id - numbers[0]);
    for (unsigned i = 0; i < LIB_JSON_KINDS; i++)
        if (name_ids[i] == constructor->name_id && constructor->arity == (declared[i].field == NULL ? 0 : 1))
            return (enum lib_json_kind)i;
    return LIB_JSON_KINDS;
}

bool lib_is_json(vm_value v)
{
    const struct vm_constructor *constructor = vm_constructor_of(v);

    return constructor != NULL && constructor->type_id == vm_constructor(numbers[LIB_JSON_NULL])->type_id;
}

vm_value lib_json_null(void) { return VM_IMMEDIATE(VM_SORT_CTOR, numbers[LIB_JSON_NULL]); }

bool lib_json_wrap(struct vm_ctx *ctx, struct lib_stack *stack, enum lib_json_kind kind)
{
    return lib_stack_data(ctx, stack, numbers[kind], declared[kind].field == NULL ? 0 : 1);
}

vm_value lib_json_list(vm_value json)
{
    return vm_is_list(vm_field(json, 0)) ? vm_field(json, 0) : VM_NONE;
}

bool lib_json_pair(vm_value pair, vm_value *ret_key, vm_value *ret_value)
{
    if (!vm_is_kind(pair, VM_KIND_TUPLE) || vm_size(pair) != 2 || !vm_is_string(vm_field(pair, 0)))
        return false;
    *ret_key = vm_field(pair, 0);
    *ret_value = vm_field(pair, 1);
    return true;
}

/* ---- keys that occur twice ---- */

static int compare_texts(const struct vm_text *left, const struct vm_text *right)
{
    uint32_t shorter = left->length < right->length ? left->length : right->length;
    int order = memcmp(left->bytes, right->bytes, shorter);

    if (order != 0 || left->length == right->length)
        return order;
    return left->length < right->length ? -1 : 1;
}

static bool few_are_distinct(const struct vm_text *keys, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (keys[i].length == keys[k].length && memcmp(keys[i].bytes, keys[k].bytes, keys[i].length) == 0)
                return false;
    return true;
}

struct numbered { const struct vm_text *text; uint32_t index; };

/* By text, then by position. */
static int compare_numbered(const void *left, const void *right)
{
    const struct numbered *a = left, *b = right;
    int order = compare_texts(a->text, b->text);

    if (order != 0)
        return order;
    return a->index < b->index ? -1 : 1;
}

/* Of each run of equal keys the first gets the last one's index. Whether there was a run. */
static bool mark_runs(const struct numbered *sorted, uint32_t count, uint32_t *latest)
{
    bool found = false;

    for (uint32_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && compare_texts(sorted[from].text, sorted[to].text) == 0; to++)
            latest[sorted[to].index] = UINT32_MAX;
        latest[sorted[from].index] = sorted[to - 1].index;
        found = found || to > from + 1;
    }
    return found;
}

bool lib_json_duplicates(const struct vm_text *keys, uint32_t count, uint32_t **ret_latest)
{
    struct numbered *sorted;
    bool found = true;

    *ret_latest = NULL;
    if (count < 2 || (count <= FEW_KEYS && few_are_distinct(keys, count)))
        return false;
    sorted = nb_alloc_array(count, sizeof *sorted);
    *ret_latest = nb_alloc_array(count, sizeof **ret_latest);
    if (sorted != NULL && *ret_latest != NULL) {
        for (uint32_t i = 0; i < count; i++)
            sorted[i] = (struct numbered){ &keys[i], i };
        qsort(sorted, count, sizeof *sorted, compare_numbered);
        found = mark_runs(sorted, count, *ret_latest);
    }
    if (!found || sorted == NULL) {
        nb_free(*ret_latest);
        *ret_latest = NULL;
    }
    nb_free(sorted);
    return found;
}
