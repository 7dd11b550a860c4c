/*
 * infer_construct.c - values of declared types: constructors with their fields, by position or by name, and copies with
 * other fields (02 §3.1).
 */
#include "config.h"

#include <string.h>

#include "lang/infer.h"

static int field_position(const struct ns_constructor_info *constructor, const char *name)
{
    for (uint32_t i = 0; i < constructor->fields->count; i++)
        if (constructor->fields->items[i].name.text == name)
            return (int)i;
    return -1;
}

static void fit_field(struct ns_check *check, const struct ns_constructor_info *constructor, uint32_t position,
                      struct ns_term *field, struct ns_expr *value)
{
    struct ns_term *term = ns_infer(check, value, field);

    if (ns_unify(check, field, term) == NS_UNIFIED)
        return;
    ns_settle(check);
    if (check->clash.how != NS_MISMATCH)
        ns_complain_clash(check, value->span, field, term, (struct ns_span){ NULL, 0, 0 }, NULL);
    else
        ns_complain_argument(check, value->span, position + 1, constructor->name, field, term,
                             constructor->fields->items[position].type->span);
}

static bool is_written(const struct ns_argument_list *written, const char *name)
{
    for (uint32_t i = 1; i < written->count; i++)
        if (written->items[i].name.text == name)
            return true;
    return false;
}

/* P(old, x: 1): a copy with other fields. What is written anew may make another type of a generic one. */
static struct ns_term *construct_copy(struct ns_check *check, const struct ns_constructor_info *constructor,
                                      const struct ns_argument_list *written)
{
    struct ns_term *old, **old_fields = ns_instantiate_constructor(check, constructor, &old);
    struct ns_term *result, **fields = ns_instantiate_constructor(check, constructor, &result);
    struct ns_term *former = ns_infer(check, written->items[0].value, old);

    if (ns_unify(check, old, former) != NS_UNIFIED) {
        ns_complain_clash(check, written->items[0].value->span, old, former, (struct ns_span){ NULL, 0, 0 }, NULL);
        if (!ns_is_muted(check) && ns_reported(check->unit))
            ns_note(check->unit->diag, "Cannot update non-record type: %s", ns_term_text(check, former));
    }
    for (uint32_t i = 0; i < constructor->fields->count; i++)
        if (!is_written(written, constructor->fields->items[i].name.text))
            ns_unify(check, old_fields[i], fields[i]);
    for (uint32_t i = 1; i < written->count; i++) {
        int position = field_position(constructor, written->items[i].name.text);

        if (position < 0)
            ns_infer(check, written->items[i].value, NULL);
        else
            fit_field(check, constructor, (uint32_t)position, fields[position], written->items[i].value);
    }
    return result;
}

static struct ns_term *construct(struct ns_check *check, const struct ns_constructor_info *constructor,
                                 const struct ns_argument_list *written)
{
    struct ns_term *result, **fields;

    if (written->count >= 2 && written->items[0].name.text == NULL && written->items[1].name.text != NULL)
        return construct_copy(check, constructor, written);
    fields = ns_instantiate_constructor(check, constructor, &result);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < written->count; i++) {
            struct ns_expr *value = written->items[i].value;
            const char *name = written->items[i].name.text;
            int position = name == NULL ? (int)i : field_position(constructor, name);

            if ((value->kind == NS_EXPR_LAMBDA) != (round == 1))
                continue;
            if (position < 0 || (uint32_t)position >= constructor->fields->count)
                ns_infer(check, value, NULL);
            else
                fit_field(check, constructor, (uint32_t)position, fields[position], value);
        }
    return result;
}

/* A(…) where `type A = B` builds what B does; Self(…) builds the implementing type. */
static const struct ns_constructor_info *through_type(struct ns_check *check, const char *name)
{
    struct ns_term *self = check->body->types == NULL ? NULL : check->body->types->self;
    struct ns_type_info *info = NULL;
    const struct ns_con *con;

    if (strcmp(name, "Self") == 0 && self != NULL && (con = ns_con_of_term(self)) != NULL)
        info = con->info;
    return info != NULL && info->count == 1 ? info->constructors[0] : NULL;
}

/* Int(x) and the like are conversions; NULL: the name is none. */
static const char *conversion(const char *name)
{
    if (strcmp(name, "Int") == 0 || strcmp(name, "Int64") == 0)
        return "toInt";
    return strcmp(name, "Float") == 0 || strcmp(name, "Float64") == 0 ? "toFloat" : NULL;
}

/* A call of a name in upper case that is no constructor of the program's. */
static struct ns_term *convert(struct ns_check *check, struct ns_expr *expr, struct ns_typed_argument *arguments)
{
    const char *native = conversion(expr->call.name.text);
    struct ns_meaning meaning = { .kind = NS_MEANS_NATIVE, .native = native };

    if (native == NULL || expr->call.arguments.count != 1) {
        ns_infer_arguments(check, arguments, expr->call.arguments.count);
        return ns_any(check);
    }
    return ns_call_meaning(check, meaning, native, arguments, 1, &expr->call.arguments, expr->span);
}

static const struct ns_constructor_info *constructor_of(struct ns_check *check, const struct ns_expr *expr,
                                                        struct ns_term *expected)
{
    const struct ns_argument_list *written = &expr->call.arguments;
    bool copies = written->count >= 2 && written->items[0].name.text == NULL && written->items[1].name.text != NULL;
    struct ns_meaning meaning;
    struct ns_space *module;
    const char *path;

    if (expr->call.receiver == NULL)
        return through_type(check, expr->call.name.text) != NULL
                   ? through_type(check, expr->call.name.text)
                   : ns_constructor_meant(check, expr->call.name.text, copies ? -1 : (int)written->count, expected);
    if (!ns_names_module(check, expr->call.receiver, &module, &path))
        return NULL;
    meaning = ns_qualified_meaning(check, module, path, expr->call.name.text);
    return meaning.kind == NS_MEANS_CONSTRUCTOR ? meaning.constructor : NULL;
}

struct ns_term *ns_infer_construct(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected)
{
    const struct ns_constructor_info *constructor = constructor_of(check, expr, expected);
    struct ns_typed_argument *arguments;
    struct ns_meaning meaning;

    if (constructor != NULL && constructor->type->item->kind == NS_ITEM_TYPE)
        return construct(check, constructor, &expr->call.arguments);
    arguments = ns_arguments_of(check, &expr->call.arguments);
    meaning = ns_find(check->unit, check->body->space, expr->call.name.text);
    if (expr->call.receiver == NULL && meaning.kind == NS_MEANS_VALUE)
        return ns_call_meaning(check, meaning, expr->call.name.text, arguments, expr->call.arguments.count,
                               &expr->call.arguments, expr->span);
    if (constructor == NULL && expr->call.receiver == NULL &&
        ns_all_constructors(check->unit, check->body->space, expr->call.name.text) == NULL)
        return convert(check, expr, arguments);
    ns_infer_arguments(check, arguments, expr->call.arguments.count);
    return ns_any(check);
}
