/*
 * scheme_data.c - constructors and fields of declared types (02 §3).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "lang/infer.h"
#include "lang/type_text.h"
#include "vm/type.h"

/* The type with its parameters quantified, and each constructor's fields in terms of them. */
static void describe(struct ns_check *check, struct ns_type_info *info)
{
    const struct ns_con *con = ns_con_of(check, info);
    struct ns_type_scope scope = { .space = info->space, .quantified = true };
    const struct ns_type_parameter_list *parameters = &info->item->type.parameters;
    struct ns_term **arguments = ns_terms(check, con->arity);

    for (uint32_t i = 0; i < con->arity; i++) {
        arguments[i] = ns_quantified(check, parameters->items[i].name.text);
        ns_table_set(&scope.variables, parameters->items[i].name.text, arguments[i]);
    }
    info->term = ns_data(check, con, arguments);
    for (uint32_t i = 0; i < info->count; i++) {
        struct ns_constructor_info *constructor = info->constructors[i];

        constructor->field_terms = ns_terms(check, constructor->fields->count);
        for (uint32_t k = 0; k < constructor->fields->count; k++)
            constructor->field_terms[k] = ns_term_of_type(check, &scope, constructor->fields->items[k].type);
    }
    ns_table_done(&scope.variables);
}

struct ns_term **ns_instantiate_constructor(struct ns_check *check, const struct ns_constructor_info *constructor,
                                            struct ns_term **ret_result)
{
    struct ns_span nowhere = { NULL, 0, 0 };
    struct ns_term *function;

    if (constructor->type->term == NULL)
        describe(check, constructor->type);
    function = ns_function_of(check, constructor->field_terms, constructor->fields->count, constructor->fields->count,
                              constructor->type->term);
    if (constructor->type->con->arity > 0)
        function = ns_instantiate(check, function, nowhere, NULL);
    if (function->kind != NS_TERM_FUNCTION) { /* too large */
        struct ns_term **fields = ns_terms(check, constructor->fields->count);

        for (uint32_t i = 0; i < constructor->fields->count; i++)
            fields[i] = ns_any(check);
        *ret_result = ns_any(check);
        return fields;
    }
    *ret_result = function->function.result;
    return function->function.parameters;
}

static struct ns_term *item_of_tuple(struct ns_term *tuple, const char *name)
{
    char *end;
    unsigned long position = strtoul(name, &end, 10);

    return *end == '\0' && *name >= '0' && *name <= '9' && position < tuple->tuple.count ? tuple->tuple.items[position]
                                                                                        : NULL;
}

static int position_of(const struct ns_constructor_info *constructor, const char *name)
{
    char *end;
    unsigned long position;

    for (uint32_t i = 0; i < constructor->fields->count; i++)
        if (constructor->fields->items[i].name.text != NULL &&
            strcmp(constructor->fields->items[i].name.text, name) == 0)
            return (int)i;
    position = strtoul(name, &end, 10);
    return *name >= '0' && *name <= '9' && *end == '\0' && position < constructor->fields->count ? (int)position : -1;
}

/* Of a record that natives make: as its table says. */
static struct ns_term *field_of_record(struct ns_check *check, const struct vm_constructor *record, const char *name)
{
    int position = vm_constructor_field(record, nb_intern_id(name));

    return position < 0 ? NULL : ns_scheme_of_text(check, record->field_types[position], NULL);
}

struct ns_term *ns_field_of(struct ns_check *check, struct ns_term *receiver, const char *name, bool *ret_open)
{
    const struct ns_type_info *info;
    struct ns_term **fields, *result;
    int position;

    receiver = ns_prune(receiver);
    *ret_open = receiver->kind == NS_TERM_VARIABLE || receiver->kind == NS_TERM_ANY || receiver->kind == NS_TERM_NEVER;
    if (receiver->kind == NS_TERM_TUPLE)
        return item_of_tuple(receiver, name);
    if (receiver->kind == NS_TERM_DATA && receiver->data.con->record != NULL)
        return field_of_record(check, receiver->data.con->record, name);
    if (receiver->kind != NS_TERM_DATA || (info = receiver->data.con->info) == NULL)
        return NULL;
    *ret_open = info->item->kind != NS_ITEM_TYPE || info->item->type.is_reactive ||
                (info->space->library && info->count == 1);
    if (info->count != 1)
        return NULL;
    position = position_of(info->constructors[0], name);
    if (position < 0)
        return NULL;
    fields = ns_instantiate_constructor(check, info->constructors[0], &result);
    ns_unify(check, result, receiver);
    return fields[position];
}
