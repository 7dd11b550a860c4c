/*
 * declarations.c - what can be said of declarations without knowing types of expressions: names of types and traits in
 * annotations (02 §12.4, §12.5), bare generic names (02 §2.4), methods that differ from their trait (02 §12.7).
 *
 * A name that may come from elsewhere is let pass: templates make types, and library modules that are not loaded define
 * some.
 */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/intern.h"
#include "lang/library.h"
#include "lang/suggest.h"
#include "lang/unit.h"
#include "lang/walk.h"
#include "vm/native.h"

/* Where a type is written: the names that are variables there. */
struct place {
    struct ns_unit *unit;
    struct ns_space *space;
    const struct place *outer;                            /* a function around */
    const struct ns_type_parameter_list *parameters;      /* NULL: none */
    const struct ns_type *target;                         /* of an implementation, else NULL: its arguments */
    const struct ns_item *definition;                     /* a type definition, or NULL: an annotation */
    bool names_may_be_made;                               /* by templates */
};

/* ---- names of types ---- */

static bool is_parameter(const struct place *place, const char *name)
{
    for (; place != NULL; place = place->outer) {
        for (uint32_t i = 0; place->parameters != NULL && i < place->parameters->count; i++)
            if (place->parameters->items[i].name.text == name)
                return true;
        for (uint32_t i = 0; place->target != NULL && place->target->kind == NS_TYPE_NAMED &&
                             i < place->target->named.arguments.count;
             i++) {
            const struct ns_type *argument = place->target->named.arguments.items[i];

            if (argument->kind == NS_TYPE_NAMED && argument->named.name == name)
                return true;
        }
    }
    return false;
}

/* Whether a whole word of a text is `name`, `before` standing in front of it. */
static bool has_word(const char *text, size_t length, const char *before, const char *name)
{
    const char *end = text + length;
    size_t name_length = strlen(name), before_length = strlen(before);

    for (const char *at = text; (at = memmem(at, (size_t)(end - at), name, name_length)) != NULL; at++) {
        const char *behind = at + name_length;

        if ((behind == end || !isalnum((unsigned char)*behind)) && (size_t)(at - text) >= before_length &&
            memcmp(at - before_length, before, before_length) == 0 &&
            (before_length > 0 || at == text || !isalnum((unsigned char)at[-1])))
            return true;
    }
    return false;
}

/* Types that nobody declares in the language, that natives mention, and of library modules that are not loaded. */
static bool is_known_elsewhere(const char *name)
{
    static const char names[] = "Self Never IO Ref Server WebSocket Json HttpRequest HttpResponse WsMessage RHtml"
                                " RHtmlResult RNode Html Any Function";
    const struct vm_native *native;

    if (has_word(names, sizeof names - 1, "", name))
        return true;
    for (unsigned i = 0; (native = vm_native_at(i)) != NULL; i++)
        if (has_word(native->type, strlen(native->type), "", name))
            return true;
    for (size_t i = 0; i < ns_library_count(); i++) {
        const struct ns_library_module *module = ns_library_get(i);

        if (has_word(module->text, module->length, "type ", name) ||
            has_word(module->text, module->length, "reactive ", name))
            return true;
    }
    return false;
}

static bool is_known(const struct place *place, const struct ns_type *type)
{
    const char *name = type->named.name;

    if (is_parameter(place, name) || name[1] == '\0')
        return true;
    return ns_class_of_type(place->unit, place->space, type) != 0 ||
           ns_find_type(place->unit, place->space, name) != NULL ||
           ns_find_trait(place->unit, place->space, name) != NULL ||
           (strchr(name, '.') == NULL && is_known_elsewhere(name));
}

static void check_privacy(const struct place *place, const struct ns_type *type)
{
    const struct ns_type_info *info = ns_find_type(place->unit, place->space, type->named.name);

    if (info != NULL && !info->is_public && !info->space->library && !ns_is_inside(place->space, info->space))
        ns_report(place->unit, type->span, "type `%s` is private in module `%s`", info->name, info->space->path);
}

/* ---- bare generics ---- */

static const char *parameters_of(const char *name)
{
    static const char *const generics[][2] = {
        { "List", "T" }, { "Set", "T" }, { "Option", "T" }, { "Map", "K, V" }, { "Result", "T, E" },
    };

    for (size_t i = 0; i < sizeof generics / sizeof *generics; i++)
        if (strcmp(generics[i][0], name) == 0)
            return generics[i][1];
    return NULL;
}

/* In the definition of a type, a generic type of the language is written with its arguments; the type that is being
 * defined, and one of the program's own with such a name, may stand alone. */
static void check_bare(const struct place *place, const struct ns_type *type)
{
    const char *name = type->named.name, *wanted = parameters_of(name);
    const struct ns_type_info *info;

    if (place->definition == NULL || wanted == NULL || type->named.brackets || type->named.arguments.count > 0 ||
        is_parameter(place, name))
        return;
    info = ns_find_type(place->unit, place->space, name);
    if (info == NULL || info->space->library)
        ns_report(place->unit, type->span,
                  "Generic type `%s` requires type parameters. Use `%s[%s]` instead of bare `%s`.", name, name, wanted,
                  name);
}

/* ---- the number of arguments ---- */

/* The type parameters of a type, as people write them, and how many there are; 0: none, or not known. */
static uint32_t declared_parameters(const struct place *place, const char *name, struct nb_buf *out)
{
    const struct ns_type_info *info = ns_find_type(place->unit, place->space, name);
    const struct ns_type_parameter_list *parameters;

    if (info == NULL || info->item->kind != NS_ITEM_TYPE) {
        nb_buf_text(out, parameters_of(name) == NULL ? "" : parameters_of(name));
        return out->length == 0 ? 0 : strcmp(name, "Map") == 0 || strcmp(name, "Result") == 0 ? 2 : 1;
    }
    parameters = &info->item->type.parameters;
    for (uint32_t i = 0; i < parameters->count; i++)
        nb_buf_printf(out, "%s%s", i > 0 ? ", " : "", parameters->items[i].name.text);
    return parameters->count;
}

/* None at all is a bare generic, which may stand for each. */
static void check_count(const struct place *place, const struct ns_type *type)
{
    uint32_t given = type->named.arguments.count, wanted;
    struct nb_buf names = NB_BUF_INIT;

    if (given == 0 || is_parameter(place, type->named.name))
        return;
    wanted = declared_parameters(place, type->named.name, &names);
    if (wanted != 0 && wanted != given)
        ns_report(place->unit, type->span,
                  "wrong number of type arguments: `%s` expects %u type parameter(s) [%s], but %u %s provided",
                  type->named.name, wanted, nb_buf_cstr(&names), given, given == 1 ? "was" : "were");
    nb_buf_done(&names);
}

/* ---- types as they are written ---- */

static void check_type(const struct place *place, const struct ns_type *type);

static void check_types(const struct place *place, const struct ns_type_list *types)
{
    for (uint32_t i = 0; i < types->count; i++)
        check_type(place, types->items[i]);
}

/* Where the name alone stands; without a source if that cannot be told. */
static struct ns_span name_span(const struct ns_type *type)
{
    struct ns_span nowhere = { NULL, 0, 0 };

    return type->named.arguments.count == 0 ? type->span : nowhere;
}

static void check_named(const struct place *place, const struct ns_type *type)
{
    if (!type->named.brackets && !is_known(place, type) && !place->names_may_be_made) {
        ns_report(place->unit, type->span, "unknown type `%s`", type->named.name);
        ns_suggest_type(place->unit, place->space, &(struct ns_name){ type->named.name, name_span(type) });
    }
    if (!is_parameter(place, type->named.name))
        check_privacy(place, type);
    check_bare(place, type);
    check_count(place, type);
    check_types(place, &type->named.arguments);
}

static bool is_repeated(const struct ns_field_list *fields, uint32_t position)
{
    for (uint32_t i = 0; i < position; i++)
        if (fields->items[i].name.text == fields->items[position].name.text)
            return true;
    return false;
}

static void check_fields(const struct place *place, const struct ns_field_list *fields)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        if (fields->items[i].name.text != NULL && is_repeated(fields, i))
            ns_report_twice(place->unit, &fields->items[i].name);
        check_type(place, fields->items[i].type);
    }
}

static void check_type(const struct place *place, const struct ns_type *type)
{
    if (type == NULL)
        return;
    switch (type->kind) {
    case NS_TYPE_NAMED:
        check_named(place, type);
        break;
    case NS_TYPE_TUPLE:
        check_types(place, &type->items);
        break;
    case NS_TYPE_FUNCTION:
        check_types(place, &type->function.parameters);
        check_type(place, type->function.result);
        break;
    case NS_TYPE_RECORD:
        check_fields(place, &type->fields);
        break;
    case NS_TYPE_VARIABLE:
    case NS_TYPE_UNIT:
        break;
    }
}

/* ---- bounds ---- */

static void check_bounds(const struct place *place, const struct ns_type_parameter_list *parameters)
{
    for (uint32_t i = 0; i < parameters->count; i++)
        for (uint32_t k = 0; k < parameters->items[i].bounds.count; k++) {
            const struct ns_name *name = &parameters->items[i].bounds.items[k];

            if (ns_is_builtin_trait(name->text) || ns_find_trait(place->unit, place->space, name->text) != NULL ||
                ns_table_get(&place->unit->traits, name->text) != NULL || place->names_may_be_made ||
                strchr(name->text, '.') != NULL)
                continue;
            ns_report(place->unit, name->span, "unknown trait `%s`", name->text);
            ns_suggest_trait(place->unit, name);
        }
}

/* ---- functions and what is in them ---- */

static void check_function(const struct place *outer, const struct ns_function *function);

static void check_expr(void *context, struct ns_expr *expr)
{
    const struct place *place = context;

    if (expr->kind == NS_EXPR_LAMBDA || expr->kind == NS_EXPR_LOCAL_FUNCTION) {
        check_function(place, expr->function);
        return;
    }
    if (expr->kind == NS_EXPR_BIND)
        check_type(place, expr->bind.type);
    ns_walk_children(expr, check_expr, context);
}

static void check_function(const struct place *outer, const struct ns_function *function)
{
    struct place place = *outer;

    place.outer = outer;
    place.parameters = &function->type_parameters;
    check_bounds(&place, &function->type_parameters);
    for (uint32_t i = 0; i < function->parameters.count; i++)
        check_type(&place, function->parameters.items[i].type);
    check_type(&place, function->return_type);
    ns_walk_function(function, check_expr, &place);
}

static void check_functions(const struct place *place, const struct ns_function_list *functions)
{
    for (uint32_t i = 0; i < functions->count; i++)
        check_function(place, functions->items[i]);
}

/* ---- items ---- */

enum { ALIASES_MAX = 50 };

/* What an alias names, if that is a name; NULL: something else, or nothing. */
static const struct ns_type_info *aliased(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    const struct ns_type *target = item->type.kind == NS_DEFINE_ALIAS ? item->type.alias : NULL;

    return target == NULL || target->kind != NS_TYPE_NAMED ? NULL : ns_find_type(unit, space, target->named.name);
}

/* type A = B with type B = A say nothing of what either is. */
static void check_alias(const struct place *place, const struct ns_item *item)
{
    const struct ns_type_info *at = aliased(place->unit, place->space, item);
    unsigned steps = 1;

    while (at != NULL && at->item != item && steps++ < ALIASES_MAX)
        at = aliased(place->unit, at->space, at->item);
    if (at == NULL || at->item != item || steps == 1) /* type Result = Result[Int, String] means the library's */
        return;
    ns_report(place->unit, item->type.alias->span, "type `%s` is only another name of itself", item->type.name.text);
    if (ns_reported(place->unit))
        ns_hint(place->unit->diag, "one of the types it goes through must be a record, a variant or a built-in type");
}

static void check_definition(const struct place *place, const struct ns_item *item)
{
    check_fields(place, &item->type.fields);
    for (uint32_t i = 0; i < item->type.constructors.count; i++)
        check_fields(place, &item->type.constructors.items[i].fields);
    check_type(place, item->type.alias);
    check_alias(place, item);
}

static void check_item(const struct place *around, const struct ns_item *item)
{
    struct place place = *around;

    switch (item->kind) {
    case NS_ITEM_FUNCTION:
        check_function(&place, item->function);
        break;
    case NS_ITEM_TYPE:
        place.definition = item;
        place.parameters = &item->type.parameters;
        check_definition(&place, item);
        break;
    case NS_ITEM_TRAIT:
        check_functions(&place, &item->trait.methods);
        break;
    case NS_ITEM_IMPLEMENTATION:
        place.parameters = &item->implementation.conditions;
        place.target = item->implementation.type;
        check_functions(&place, &item->implementation.methods);
        break;
    case NS_ITEM_MVAR:
    case NS_ITEM_CONST:
    case NS_ITEM_BINDING:
        check_type(&place, item->value.type);
        ns_walk_item(item, check_expr, &place);
        break;
    default:
        break;
    }
}

/* ---- methods and what their trait says ---- */

/* Self is the implementing type. */
static bool means_the_same(struct ns_unit *unit, const struct ns_group *method, const struct ns_type *own,
                           const struct ns_type *declared)
{
    const struct ns_implementation *implementation = method->implementation;
    uint32_t own_class = ns_class_of_type(unit, implementation->space, own);
    uint32_t declared_class = ns_class_of_type(unit, implementation->trait->space, declared);

    return own_class == 0 || declared_class == 0 || own_class == declared_class;
}

static void report_signature(struct ns_unit *unit, const struct ns_group *method, struct ns_span where,
                             const char *detail)
{
    const struct ns_implementation *implementation = method->implementation;

    ns_report(unit, where, "trait method `%s` signature mismatch in `%s: %s`: %s", method->name,
              ns_type_text(unit, implementation->item->implementation.type), implementation->trait_name, detail);
}

/* Parameters that have a default in the trait may be left out. */
static bool is_count(const struct ns_function *declared, uint32_t count)
{
    uint32_t required = 0;

    for (uint32_t i = 0; i < declared->parameters.count; i++)
        if (declared->parameters.items[i].value == NULL)
            required = i + 1;
    return count >= required && count <= declared->parameters.count;
}

/* A block may have the method with several numbers of parameters; one of them must be the trait's. */
static bool has_count(const struct ns_group *method)
{
    const struct ns_implementation *implementation = method->implementation;

    for (size_t i = 0; i < implementation->methods.count; i++)
        if (implementation->methods.items[i]->name == method->name &&
            is_count(method->declared, implementation->methods.items[i]->arity))
            return true;
    return false;
}

static void check_clause(struct ns_unit *unit, const struct ns_group *method, const struct ns_function *clause)
{
    const struct ns_function *declared = method->declared;

    if (clause->parameters.count != declared->parameters.count && has_count(method))
        return;
    if (clause->parameters.count != declared->parameters.count) {
        report_signature(unit, method, clause->name.span,
                         nb_arena_printf(unit->arena, "expected %u parameters, found %u", declared->parameters.count,
                                         clause->parameters.count));
        return;
    }
    for (uint32_t i = 1; i < clause->parameters.count; i++) {
        const struct ns_type *own = clause->parameters.items[i].type, *wanted = declared->parameters.items[i].type;

        if (own != NULL && wanted != NULL && !means_the_same(unit, method, own, wanted))
            report_signature(unit, method, own->span,
                             nb_arena_printf(unit->arena, "parameter %u is `%s`, but the trait declares `%s`", i + 1,
                                             ns_type_text(unit, own), ns_type_text(unit, wanted)));
    }
}

/* Built-in traits may be declared again with other signatures (02 §8.1), and defaults are the trait's own. */
static void check_methods(struct ns_unit *unit, const struct ns_implementation *implementation)
{
    if (implementation->space->library || implementation->trait == NULL ||
        ns_is_builtin_trait(implementation->trait_name))
        return;
    for (size_t i = 0; i < implementation->methods.count; i++) {
        const struct ns_group *method = implementation->methods.items[i];

        for (size_t k = 0; method->declared != NULL && k < method->clauses.count; k++)
            if (method->clauses.items[k] != method->declared)
                check_clause(unit, method, method->clauses.items[k]);
    }
}

/* ---- all of them ---- */

static bool has_templates(const struct ns_unit *unit)
{
    for (size_t i = 0; i < unit->spaces.count; i++) {
        const struct ns_space *space = unit->spaces.items[i];

        for (uint32_t k = 0; !space->library && k < space->items->count; k++)
            if (space->items->items[k]->kind == NS_ITEM_TEMPLATE ||
                space->items->items[k]->kind == NS_ITEM_EXTERN_TYPE || space->items->items[k]->decorators.count > 0)
                return true;
    }
    return false;
}

void ns_check_declarations(struct ns_unit *unit)
{
    bool templates = has_templates(unit);

    for (size_t i = 0; i < unit->spaces.count; i++) {
        struct ns_space *space = unit->spaces.items[i];
        struct place place = { .unit = unit, .space = space, .names_may_be_made = templates };

        for (uint32_t k = 0; !space->library && k < space->items->count; k++)
            check_item(&place, space->items->items[k]);
    }
    for (size_t i = 0; i < unit->implementations.count; i++)
        check_methods(unit, unit->implementations.items[i]);
}
