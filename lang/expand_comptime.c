/*
 * expand_comptime.c - programs that run while the program around them is compiled (06 A.5.5).
 *
 * Such a program is one expression, compiled as a program of its own and run right here, on the compiler's thread. It
 * may compute and nothing else: natives with effects, processes and the modules of the library are refused before it
 * is compiled, its memory and its work are bounded. What it comes to is written back as literals.
 */
#include "config.h"

#include "lang/expand_private.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/intern.h"
#include "lang/compile_expression.h"
#include "lang/parse.h"
#include "lang/walk.h"
#include "vm/host.h"
#include "vm/list.h"
#include "vm/map.h"
#include "vm/native.h"
#include "vm/number.h"
#include "vm/process.h"
#include "vm/string.h"
#include "vm/type.h"

enum {
    HEAP_WORDS_MAX = 4 << 20,  /* 32 MB */
    CALLS_MAX = 10000,         /* calls that wait for results */
    COST = 2000,               /* of one program, in nodes */
    VALUE_NESTING_MAX = 100,
};

/* ---- what may run ---- */

static bool is_pure(const char *native)
{
    const struct vm_native *found = vm_native_find(native, -1);

    return found == NULL || (found->flags & VM_NATIVE_PURE) != 0;
}

/* M.f, where M may be a namespace of natives. */
static bool is_pure_member(struct ns_expander *expander, const struct ns_expr *object, const char *name)
{
    return object->kind != NS_EXPR_UPPER || is_pure(nb_arena_printf(expander->arena, "%s.%s", object->name, name));
}

struct scan { struct ns_expander *expander; bool harmless; };

static bool is_harmless(struct ns_expander *expander, const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_NAME: return strcmp(expr->name, "stdlib") != 0 && is_pure(expr->name);
    case NS_EXPR_FIELD: return is_pure_member(expander, expr->field.object, expr->field.name.text);
    case NS_EXPR_METHOD_CALL: return is_pure_member(expander, expr->call.receiver, expr->call.name.text);
    case NS_EXPR_SEND:
    case NS_EXPR_SPAWN:
    case NS_EXPR_RECEIVE: return false;
    default: return true;
    }
}

static void look_at(void *context, struct ns_expr *expr)
{
    struct scan *scan = context;

    scan->harmless = scan->harmless && is_harmless(scan->expander, expr);
    ns_walk_children(expr, look_at, context);
}

/* ---- running ---- */

static const struct vm_host no_host;

/* Run a program until it ends or has used up what is left of the work that all may do. True: it has a value, which
 * lies in the process's heap. */
static bool run(struct ns_expander *expander, struct vm_program *program, struct vm_process *process)
{
    struct vm_ctx *ctx = nb_xalloc_zero(sizeof *ctx);
    enum vm_stop stop;

    process->depth_max = CALLS_MAX;
    process->heap.limit_words = HEAP_WORDS_MAX;
    process->entry = vm_from_object(program->entry);
    atomic_store(&process->state, VM_PROCESS_RUNNING);
    ctx->process = process;
    ctx->host = &no_host;
    ctx->reductions = expander->reductions;
    stop = vm_run(ctx);
    expander->reductions = ctx->reductions > 0 ? ctx->reductions : 0;
    nb_free(ctx);
    return stop == VM_STOP_END;
}

/* ---- values as code ---- */

static struct ns_expr *literal_of(struct ns_expansion *expansion, vm_value value, unsigned depth);

static struct ns_expr *integer(struct ns_expansion *expansion, enum ns_literal_kind kind, int64_t n)
{
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_LITERAL);

    expr->literal.kind = kind;
    expr->literal.integer = n;
    return expr;
}

static struct ns_expr *real(struct ns_expansion *expansion, enum ns_literal_kind kind, double d)
{
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_LITERAL);

    expr->literal.kind = kind;
    expr->literal.real = d;
    return expr;
}

static struct ns_expr *of_immediate(struct ns_expansion *expansion, vm_value value)
{
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_LITERAL);
    uint32_t bits;
    float f;

    switch (vm_sort(value)) {
    case VM_SORT_UNIT: return expr;
    case VM_SORT_BOOL:
        expr->literal.kind = NS_LITERAL_BOOL;
        expr->literal.boolean = value == VM_TRUE;
        return expr;
    case VM_SORT_CHAR:
        expr->literal.kind = NS_LITERAL_CHAR;
        expr->literal.character = (uint32_t)vm_payload(value);
        return expr;
    case VM_SORT_INT8: return integer(expansion, NS_LITERAL_INT8, vm_payload_signed(value));
    case VM_SORT_INT16: return integer(expansion, NS_LITERAL_INT16, vm_payload_signed(value));
    case VM_SORT_INT32: return integer(expansion, NS_LITERAL_INT32, vm_payload_signed(value));
    case VM_SORT_UINT8: return integer(expansion, NS_LITERAL_UINT8, vm_payload_signed(value));
    case VM_SORT_UINT16: return integer(expansion, NS_LITERAL_UINT16, vm_payload_signed(value));
    case VM_SORT_UINT32: return integer(expansion, NS_LITERAL_UINT32, vm_payload_signed(value));
    case VM_SORT_FLOAT32:
        bits = (uint32_t)vm_payload(value);
        memcpy(&f, &bits, sizeof f);
        return real(expansion, NS_LITERAL_FLOAT32, f);
    case VM_SORT_NIL: return ns_new_node(expansion, NS_EXPR_LIST);
    case VM_SORT_EMPTY_MAP: return ns_new_node(expansion, NS_EXPR_MAP);
    case VM_SORT_EMPTY_SET: return ns_new_node(expansion, NS_EXPR_SET);
    case VM_SORT_CTOR:
        expr->kind = NS_EXPR_UPPER;
        expr->name = vm_constructor_of(value)->name;
        return expr;
    default: return NULL;
    }
}

static struct ns_expr *of_big_number(struct ns_expansion *expansion, vm_value value)
{
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_LITERAL);
    struct nb_buf text = NB_BUF_INIT;

    vm_number_print(&text, value);
    expr->literal.kind = vm_kind(value) == VM_KIND_BIGINT ? NS_LITERAL_BIGINT : NS_LITERAL_DECIMAL;
    expr->literal.text = nb_arena_strndup(expansion->expander->arena, nb_buf_cstr(&text), text.length);
    expr->literal.length = (uint32_t)text.length;
    nb_buf_done(&text);
    return expr;
}

/* Append the tree of a value. False: it has none. */
static bool append(struct ns_expansion *expansion, struct ns_expr_buf *out, vm_value value, unsigned depth)
{
    struct ns_expr *expr = literal_of(expansion, value, depth);

    if (expr != NULL)
        ns_expr_buf_push(expansion->expander->arena, out, expr);
    return expr != NULL;
}

static struct ns_expr *of_list(struct ns_expansion *expansion, vm_value value, unsigned depth)
{
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_LIST);
    struct ns_expr_buf items = { NULL, 0, 0 };
    struct vm_list_walk walk;
    vm_value item;

    vm_list_walk(&walk, value);
    while (vm_list_next(&walk, &item))
        if (!append(expansion, &items, item, depth))
            return NULL;
    expr->list.items = (struct ns_expr_list){ items.items, items.count };
    return expr;
}

static struct ns_expr *of_tuple(struct ns_expansion *expansion, vm_value value, unsigned depth)
{
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_TUPLE);
    struct ns_expr_buf items = { NULL, 0, 0 };

    for (uint32_t i = 0; i < vm_size(value); i++)
        if (!append(expansion, &items, vm_field(value, i), depth))
            return NULL;
    expr->items = (struct ns_expr_list){ items.items, items.count };
    return expr;
}

static struct ns_expr *of_collection(struct ns_expansion *expansion, vm_value value, unsigned depth)
{
    struct ns_expr *expr = ns_new_node(expansion, vm_is_set(value) ? NS_EXPR_SET : NS_EXPR_MAP);
    struct ns_expr_buf keys = { NULL, 0, 0 }, values = { NULL, 0, 0 };
    struct vm_map_walk walk;
    vm_value key, item;

    vm_map_walk(&walk, value);
    while (vm_map_next(&walk, &key, &item))
        if (!append(expansion, &keys, key, depth) || (!vm_is_set(value) && !append(expansion, &values, item, depth)))
            return NULL;
    if (vm_is_set(value)) {
        expr->items = (struct ns_expr_list){ keys.items, keys.count };
        return expr;
    }
    expr->map.items = nb_arena_array(expansion->expander->arena, (size_t)keys.count + 1, sizeof *expr->map.items);
    expr->map.count = keys.count;
    for (uint32_t i = 0; i < keys.count; i++)
        expr->map.items[i] = (struct ns_map_entry){ keys.items[i], values.items[i] };
    return expr;
}

/* Constructors of the library only: the program has none of its own. */
static struct ns_expr *of_data(struct ns_expansion *expansion, vm_value value, unsigned depth)
{
    const struct vm_constructor *constructor = vm_constructor_of(value);
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_CONSTRUCT);
    struct ns_argument *arguments =
        nb_arena_array(expansion->expander->arena, (size_t)constructor->arity + 1, sizeof *arguments);

    for (uint32_t i = 0; i < constructor->arity; i++) {
        arguments[i].value = literal_of(expansion, vm_field(value, i), depth);
        if (arguments[i].value == NULL)
            return NULL;
        if (constructor->named)
            arguments[i].name = (struct ns_name){ constructor->fields[i], expansion->place };
    }
    expr->call.name = (struct ns_name){ constructor->name, expansion->place };
    expr->call.arguments.items = arguments;
    expr->call.arguments.count = constructor->arity;
    return expr;
}

static struct ns_expr *of_object(struct ns_expansion *expansion, vm_value value, unsigned depth)
{
    switch (vm_kind(value)) {
    case VM_KIND_STRING:
    case VM_KIND_BYTES_SLICE: {
        struct vm_text text = vm_text(value);

        if (!ns_expand_spend(expansion->expander, expansion->place, text.length / 64))
            return NULL;
        return ns_syntax_of_text(expansion, text.bytes, text.length).expr;
    }
    case VM_KIND_UINT64: return integer(expansion, NS_LITERAL_UINT64, (int64_t)vm_field(value, 0));
    case VM_KIND_BIGINT:
    case VM_KIND_DECIMAL: return of_big_number(expansion, value);
    case VM_KIND_TUPLE: return of_tuple(expansion, value, depth);
    case VM_KIND_DATA: return of_data(expansion, value, depth);
    default: return NULL;
    }
}

/* The tree of a value, NULL if it has none (functions, handles …) or there would be too much of it. */
static struct ns_expr *literal_of(struct ns_expansion *expansion, vm_value value, unsigned depth)
{
    if (depth >= VALUE_NESTING_MAX || expansion->expander->failed)
        return NULL;
    if (vm_is_int(value))
        return integer(expansion, NS_LITERAL_INT, vm_int_of(value));
    if (vm_is_float(value))
        return real(expansion, NS_LITERAL_FLOAT, vm_float_of(value));
    if (vm_is_immediate(value))
        return of_immediate(expansion, value);
    if (vm_is_list(value))
        return of_list(expansion, value, depth + 1);
    if (vm_is_map(value) || vm_is_set(value))
        return of_collection(expansion, value, depth + 1);
    return vm_is_object(value) ? of_object(expansion, value, depth + 1) : NULL;
}

/* ---- the whole ---- */

/* The program as a tree of its own: what its text means, or a copy. NULL: the text means nothing. */
static struct ns_expr *program_of(struct ns_expansion *expansion, const struct ns_expr *written)
{
    struct ns_expander *expander = expansion->expander;
    struct ns_fragment fragment;
    struct ns_expr *block;
    const char *text;
    uint32_t length;

    if (!ns_known_text(expansion, written, &text, &length))
        return ns_expand_moved(expansion, written);
    text = nb_arena_printf(expander->arena, "{\n%s\n}", text); /* statements, not definitions */
    length += 4;
    if (!ns_expand_spend(expander, expansion->place, length) ||
        !ns_parse_fragment(expander->arena, text, length, expansion->place, expander->depth, expander->references,
                           &fragment) ||
        fragment.items.count > 0 || fragment.statements.count != 1)
        return NULL;
    block = fragment.statements.items[0];
    return block->kind == NS_EXPR_BLOCK ? block : NULL;
}

static struct ns_expr *value_of(struct ns_expansion *expansion, struct vm_program *program)
{
    struct vm_process *process = nb_xalloc_zero(sizeof *process);
    struct ns_expr *value = NULL;

    if (vm_process_init(process, program, 1)) {
        if (run(expansion->expander, program, process))
            value = literal_of(expansion, vm_process_result(process), 0);
        vm_process_done(process);
        vm_heap_done(&process->heap);
    }
    nb_free(process);
    return value;
}

struct ns_expr *ns_comptime(struct ns_expansion *expansion, struct ns_expr *written)
{
    struct ns_expander *expander = expansion->expander;
    struct scan scan = { expander, true };
    struct vm_program *program = NULL;
    struct ns_expr *expr, *value;

    if (!ns_expand_spend(expander, expansion->place, COST) || (expr = program_of(expansion, written)) == NULL)
        return NULL;
    look_at(&scan, expr);
    if (!scan.harmless || ns_compile_expression(expr, &program) != 0)
        return NULL;
    value = value_of(expansion, program);
    vm_program_unref(program);
    return value;
}
