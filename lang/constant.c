/*
 * constant.c - values that are known while compiling: immediates, or immortal objects in the program's arena.
 */
#include "config.h"

#include "lang/lower.h"

#include <string.h>

#include "base/assert.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/string.h"

static vm_value one_word(struct ns_unit *unit, enum vm_kind kind, uint64_t bits)
{
    vm_value *object = nb_arena_alloc(unit->program->arena, 2 * sizeof *object);

    object[0] = VM_HEADER(kind, VM_FLAG_IMMORTAL, 0, 1);
    object[1] = bits;
    return vm_from_object(object);
}

static vm_value int_value(struct ns_unit *unit, int64_t n)
{
    return vm_fits_small(n) ? vm_from_small(n) : one_word(unit, VM_KIND_INT64, (uint64_t)n);
}

static vm_value float_value(struct ns_unit *unit, double d)
{
    uint64_t bits;

    if (vm_double_is_flonum(d))
        return vm_from_flonum(d);
    memcpy(&bits, &d, sizeof bits);
    return one_word(unit, VM_KIND_FLOAT, bits);
}

static vm_value float32_value(double d)
{
    float narrow = (float)d;
    uint32_t bits;

    memcpy(&bits, &narrow, sizeof bits);
    return VM_IMMEDIATE(VM_SORT_FLOAT32, bits);
}

vm_value ns_string_value(struct ns_unit *unit, const char *text, size_t length)
{
    char *key = nb_arena_strndup(unit->arena, text, length);
    bool plain = memchr(text, 0, length) == NULL; /* the map's keys end at a NUL */
    void *known = plain ? nb_map_get(unit->strings, key) : NULL;
    vm_value value;

    if (known != NULL)
        return vm_from_object(known);
    value = vm_string_immortal(nb_arena_alloc(unit->program->arena, vm_string_immortal_bytes(length)), text, length);
    if (plain)
        nb_map_set(unit->strings, key, vm_object(value));
    return value;
}

/* Numbers of any size come from nb_alloc; the program's arena takes a copy. */
static vm_value adopt(struct ns_unit *unit, vm_value made)
{
    size_t bytes;
    void *copy;

    nb_assert(made != VM_NONE);
    bytes = (size_t)vm_object_words(vm_header(made)) * sizeof(vm_value);
    copy = nb_arena_alloc(unit->program->arena, bytes);
    memcpy(copy, vm_object(made), bytes);
    nb_free(vm_object(made));
    return vm_from_object(copy);
}

static vm_value sized(enum vm_sort sort, int64_t n)
{
    return VM_IMMEDIATE(sort, (vm_value)n);
}

vm_value ns_literal_value(struct ns_unit *unit, const struct ns_literal *literal)
{
    switch (literal->kind) {
    case NS_LITERAL_UNIT:
        return VM_UNIT;
    case NS_LITERAL_BOOL:
        return vm_from_bool(literal->boolean);
    case NS_LITERAL_INT:
        return int_value(unit, literal->integer);
    case NS_LITERAL_INT8:
        return sized(VM_SORT_INT8, literal->integer);
    case NS_LITERAL_INT16:
        return sized(VM_SORT_INT16, literal->integer);
    case NS_LITERAL_INT32:
        return sized(VM_SORT_INT32, literal->integer);
    case NS_LITERAL_UINT8:
        return sized(VM_SORT_UINT8, literal->integer);
    case NS_LITERAL_UINT16:
        return sized(VM_SORT_UINT16, literal->integer);
    case NS_LITERAL_UINT32:
        return sized(VM_SORT_UINT32, literal->integer);
    case NS_LITERAL_UINT64:
        return one_word(unit, VM_KIND_UINT64, (uint64_t)literal->integer);
    case NS_LITERAL_BIGINT:
        return adopt(unit, vm_bigint_from_text(NULL, literal->text, literal->length));
    case NS_LITERAL_DECIMAL:
        return adopt(unit, vm_decimal_from_text(NULL, literal->text, literal->length));
    case NS_LITERAL_FLOAT:
        return float_value(unit, literal->real);
    case NS_LITERAL_FLOAT32:
        return float32_value(literal->real);
    case NS_LITERAL_CHAR:
        return vm_from_char(literal->character);
    case NS_LITERAL_STRING:
        return ns_string_value(unit, literal->text, literal->length);
    }
    nb_unreachable();
}

/* ---- lists and tuples of constants ---- */

static bool constants_of(struct ns_unit *unit, const struct ns_expr_list *items, vm_value *to)
{
    for (uint32_t i = 0; i < items->count; i++)
        if (!ns_constant_of(unit, items->items[i], &to[i]))
            return false;
    return true;
}

/* -5 and -2.5. */
static bool negative_of(struct ns_unit *unit, const struct ns_expr *expr, vm_value *ret)
{
    struct ns_literal literal;

    if (expr->unary.op != NS_OPERATOR_NEGATE || expr->unary.operand->kind != NS_EXPR_LITERAL)
        return false;
    literal = expr->unary.operand->literal;
    if (literal.kind == NS_LITERAL_INT)
        literal.integer = (int64_t)-(uint64_t)literal.integer;
    else if (literal.kind == NS_LITERAL_FLOAT)
        literal.real = -literal.real;
    else
        return false;
    *ret = ns_literal_value(unit, &literal);
    return true;
}

static bool list_of(struct ns_unit *unit, const struct ns_expr *expr, vm_value *ret)
{
    uint32_t count = expr->list.items.count;
    vm_value *items;

    if (expr->list.tail != NULL)
        return false;
    items = nb_arena_alloc(unit->arena, (count + 1) * sizeof *items);
    if (!constants_of(unit, &expr->list.items, items))
        return false;
    *ret = count == 0 ? VM_NIL
                      : vm_list_immortal(nb_arena_alloc(unit->program->arena, vm_list_immortal_bytes(count)), items, count);
    return true;
}

static bool tuple_of(struct ns_unit *unit, const struct ns_expr *expr, vm_value *ret)
{
    uint32_t count = expr->items.count;
    vm_value *items = nb_arena_alloc(unit->arena, count * sizeof *items), *tuple;

    if (!constants_of(unit, &expr->items, items))
        return false;
    tuple = nb_arena_alloc(unit->program->arena, (1 + count) * sizeof *tuple);
    tuple[0] = VM_HEADER(VM_KIND_TUPLE, VM_FLAG_IMMORTAL, 0, count);
    memcpy(tuple + 1, items, count * sizeof *items);
    *ret = vm_from_object(tuple);
    return true;
}

bool ns_constant_of(struct ns_unit *unit, const struct ns_expr *expr, vm_value *ret)
{
    switch (expr->kind) {
    case NS_EXPR_LITERAL:
        *ret = ns_literal_value(unit, &expr->literal);
        return true;
    case NS_EXPR_UNARY:
        return negative_of(unit, expr, ret);
    case NS_EXPR_LIST:
        return list_of(unit, expr, ret);
    case NS_EXPR_TUPLE:
        return tuple_of(unit, expr, ret);
    default:
        return false;
    }
}
