/*
 * query.c - from a place in a text to what is known of it.
 */
#include "config.h"

#include "lang/query.h"

#include <string.h>

#include "base/alloc.h"
#include "lang/infer.h"
#include "lang/query_find.h"
#include "vm/native.h"

struct ns_query {
    struct ns_options options;
    struct ns_program_source *source;
    struct ns_unit *unit;
    struct ns_check check; /* for questions about methods; no inference goes on */
};

int ns_query_new(const char *path, const struct ns_options *options, struct ns_diag *diag, struct ns_query **ret_query)
{
    struct ns_query *query = nb_xalloc_zero(sizeof *query);
    int error;

    query->options = *options;
    query->options.check_only = true;
    error = ns_load(path, &query->options, diag, &query->source);
    if (error != 0) {
        nb_free(query);
        return error;
    }
    query->unit = ns_unit_new(&query->options, diag, query->source);
    ns_unit_compile(query->unit);
    query->check = (struct ns_check){ .unit = query->unit, .arena = query->unit->arena };
    *ret_query = query;
    return 0;
}

struct ns_query *ns_query_free(struct ns_query *query)
{
    if (query == NULL)
        return NULL;
    ns_table_done(&query->check.native_schemes);
    ns_table_done(&query->check.locals);
    ns_unit_free(query->unit);
    ns_program_source_free(query->source);
    nb_free(query);
    return NULL;
}

/* ---- texts ---- */

static const char *text_of(struct ns_query *query, struct ns_term *term)
{
    term = term == NULL ? NULL : ns_prune(term);
    return term == NULL || term->kind == NS_TERM_ANY || term->kind == NS_TERM_NEVER ? NULL
                                                                                    : ns_term_text(&query->check, term);
}

/* A comment's words: without its marks and the blank behind them. */
static void append_comment(struct nb_buf *out, struct ns_span comment)
{
    const char *text = comment.source->text + comment.from;
    uint32_t length = comment.to - comment.from, from = 0;

    while (from < length && (text[from] == '#' || text[from] == '*'))
        from++;
    if (from < length && text[from] == ' ')
        from++;
    while (length > from && strchr("#* \t\r\n", text[length - 1]) != NULL)
        length--;
    nb_buf_printf(out, "%s%.*s", out->length > 0 ? "\n" : "", (int)(length - from), text + from);
}

static uint32_t line_of(const struct ns_source *source, uint32_t at)
{
    uint32_t line, column;

    ns_source_position(source, at, &line, &column);
    return line;
}

static const struct ns_module *module_of(const struct ns_query *query, const struct ns_source *source)
{
    for (uint32_t i = 0; i < query->source->count; i++)
        if (query->source->modules[i]->source == source)
            return query->source->modules[i];
    return NULL;
}

/* The comments on the lines directly above a definition. Comments are in order. */
static const char *comments_above(struct ns_query *query, struct ns_span definition)
{
    const struct ns_source *source = ns_source_original(definition.source);
    const struct ns_module *module = source == NULL ? NULL : module_of(query, source);
    const struct ns_comment_list *comments = module == NULL ? NULL : &module->file->comments;
    struct nb_buf text = NB_BUF_INIT;
    uint32_t first = 0, behind = 0, line;
    const char *kept = NULL;

    while (comments != NULL && behind < comments->count && comments->items[behind].span.to <= definition.from)
        behind++;
    line = source == NULL ? 0 : line_of(source, definition.from);
    for (first = behind; first > 0 && line_of(source, comments->items[first - 1].span.to - 1) + 1 == line; first--)
        line = line_of(source, comments->items[first - 1].span.from);
    for (; first < behind; first++)
        append_comment(&text, comments->items[first].span);
    if (text.length > 0)
        kept = nb_arena_strndup(query->unit->arena, nb_buf_cstr(&text), text.length);
    nb_buf_done(&text);
    return kept;
}

static void defined_at(struct ns_query *query, struct ns_reply *reply, struct ns_span definition)
{
    reply->definition = definition;
    reply->documentation = comments_above(query, definition);
}

/* ---- what names mean ---- */

static void tell_group(struct ns_query *query, struct ns_reply *reply, struct ns_group *group)
{
    if (group->space->library)
        reply->declared = text_of(query, ns_scheme_of_library(&query->check, group));
    else if (group->typing != NULL)
        reply->declared = text_of(query, group->typing->term);
    defined_at(query, reply, group->clauses.items[0]->name.span);
}

static void tell_native(struct ns_reply *reply, const char *name)
{
    const struct vm_native *native = vm_native_find(name, -1);

    if (native == NULL)
        return;
    reply->declared = native->type;
    reply->documentation = native->doc;
}

static void tell_value(struct ns_query *query, struct ns_reply *reply, const struct ns_value *value)
{
    struct ns_span span = value->item->value.name.span;

    reply->kind = NS_REPLY_VALUE;
    if (value->lambda != NULL && value->lambda->typing != NULL)
        reply->declared = text_of(query, value->lambda->typing->term);
    defined_at(query, reply, span.source != NULL ? span : value->item->span);
}

static struct ns_span name_of_constructor(const struct ns_constructor_info *constructor)
{
    const struct ns_constructor_list *list = &constructor->type->item->type.constructors;

    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].name.text == constructor->name)
            return list->items[i].name.span;
    return constructor->type->item->type.name.span;
}

static void tell_constructor(struct ns_query *query, struct ns_reply *reply, struct ns_constructor_info *constructor)
{
    struct ns_term *result, **fields = ns_instantiate_constructor(&query->check, constructor, &result);
    uint32_t count = constructor->fields->count;

    reply->kind = NS_REPLY_CONSTRUCTOR;
    reply->declared = text_of(query, count == 0 ? result : ns_function_of(&query->check, fields, count, count, result));
    defined_at(query, reply, name_of_constructor(constructor));
    if (reply->documentation == NULL)
        reply->documentation = comments_above(query, constructor->type->item->span);
}

static bool tell_meaning(struct ns_query *query, struct ns_reply *reply, struct ns_meaning meaning)
{
    switch (meaning.kind) {
    case NS_MEANS_VALUE:
        tell_value(query, reply, meaning.value);
        return true;
    case NS_MEANS_FUNCTIONS:
        reply->kind = NS_REPLY_FUNCTION;
        tell_group(query, reply, meaning.functions->groups.items[0]);
        return true;
    case NS_MEANS_NATIVE:
        reply->kind = NS_REPLY_FUNCTION;
        tell_native(reply, meaning.native);
        return true;
    case NS_MEANS_CONSTRUCTOR:
        tell_constructor(query, reply, meaning.constructor);
        return true;
    case NS_MEANS_METHOD:
        reply->kind = NS_REPLY_METHOD;
        return true;
    case NS_MEANS_NOTHING:
        break;
    }
    return false;
}

static void tell_name(struct ns_query *query, struct ns_reply *reply, const struct ns_found *found,
                      struct ns_space *space)
{
    struct ns_span local;

    if (ns_find_local(found, reply->name, ns_find_mvar(query->unit, space, reply->name) != NULL, &local)) {
        reply->kind = NS_REPLY_LOCAL;
        reply->definition = local;
        return;
    }
    tell_meaning(query, reply, ns_find(query->unit, space, reply->name));
}

static void tell_upper(struct ns_query *query, struct ns_reply *reply, struct ns_space *space, int count,
                       struct ns_term *expected)
{
    struct ns_constructor_info *constructor = ns_constructor_meant(&query->check, reply->name, count, expected);

    if (constructor == NULL)
        constructor = ns_find_constructor(query->unit, space, reply->name, count);
    if (constructor != NULL)
        tell_constructor(query, reply, constructor);
    else if (!tell_meaning(query, reply, ns_find(query->unit, space, reply->name)) &&
             (ns_find_module(query->unit, space, reply->name) != NULL || vm_native_is_namespace(reply->name)))
        reply->kind = NS_REPLY_MODULE;
}

/* The field of that name of a type with one constructor. */
static bool tell_field(struct ns_query *query, struct ns_reply *reply, struct ns_term *object)
{
    const struct ns_con *con = object == NULL ? NULL : ns_con_of_term(object);
    const struct ns_field_list *fields;

    if (con == NULL || con->info == NULL || con->info->count != 1)
        return false;
    fields = con->info->constructors[0]->fields;
    for (uint32_t i = 0; i < fields->count; i++)
        if (fields->items[i].name.text == reply->name) {
            reply->kind = NS_REPLY_FIELD;
            defined_at(query, reply, fields->items[i].name.span);
            return true;
        }
    return false;
}

/* The native that a method of a built-in type is. */
static const char *native_method(struct ns_query *query, struct ns_term *receiver, const char *name)
{
    const struct ns_con *con = ns_con_of_term(receiver);
    const struct vm_native *native = NULL;

    if (con != NULL)
        native = vm_native_find(nb_arena_printf(query->unit->arena, "%s.%s", con->name, name), -1);
    if (native == NULL)
        native = vm_native_find(name, -1);
    return native == NULL || (native->flags & VM_NATIVE_HIDDEN) ? NULL : native->name;
}

/* In the order in which a call looks for it (02 §6.6). */
static void find_method(struct ns_query *query, struct ns_reply *reply, const struct ns_expr *call,
                        struct ns_space *space)
{
    uint32_t count = call->call.arguments.count + 1;
    struct ns_term *receiver = call->call.receiver->term;
    struct ns_meaning meaning = ns_find(query->unit, space, reply->name);
    struct ns_group *group;
    bool known;

    reply->kind = NS_REPLY_METHOD;
    if (receiver == NULL)
        return;
    group = ns_trait_method(&query->check, receiver, reply->name, count, space);
    if (group != NULL) {
        tell_group(query, reply, group);
        return;
    }
    reply->declared = text_of(query, ns_scheme_of_method(&query->check, receiver, reply->name, count - 1, &known));
    if (reply->declared != NULL && native_method(query, receiver, reply->name) != NULL)
        tell_native(reply, native_method(query, receiver, reply->name));
    else if (reply->declared != NULL && meaning.kind == NS_MEANS_FUNCTIONS)
        tell_group(query, reply, meaning.functions->groups.items[0]);
    else if (reply->declared == NULL && !tell_field(query, reply, receiver))
        tell_meaning(query, reply, meaning);
}

static void tell_method(struct ns_query *query, struct ns_reply *reply, const struct ns_expr *call,
                        struct ns_space *space)
{
    find_method(query, reply, call, space);
    if (reply->kind == NS_REPLY_FUNCTION)
        reply->kind = NS_REPLY_METHOD;
}

/* ---- nodes ---- */

static struct ns_reply reply_on(enum ns_reply_kind kind, const char *name, struct ns_span span)
{
    return (struct ns_reply){ .kind = kind, .name = name, .span = span };
}

/* M.name, as a value or called; false when the object is no module. */
static bool tell_member(struct ns_query *query, struct ns_reply *reply, const struct ns_found *found,
                        const struct ns_expr *object)
{
    struct ns_space *module;
    struct ns_span local;
    const char *path;

    if (object->kind == NS_EXPR_NAME && ns_find_local(found, object->name, false, &local))
        return false;
    if (!ns_names_module(&query->check, object, &module, &path))
        return false;
    tell_meaning(query, reply, ns_qualified_meaning(&query->check, module, path, reply->name));
    return true;
}

static struct ns_reply reply_on_expr(struct ns_query *query, const struct ns_found *found, struct ns_space *space)
{
    const struct ns_expr *expr = found->expr;
    struct ns_reply reply = reply_on(NS_REPLY_EXPRESSION, NULL, expr->span);

    switch (expr->kind) {
    case NS_EXPR_NAME:
        reply.name = expr->name;
        tell_name(query, &reply, found, space);
        break;
    case NS_EXPR_UPPER:
        reply.name = expr->name;
        tell_upper(query, &reply, space, -1, expr->term);
        break;
    case NS_EXPR_CONSTRUCT:
        if (!ns_is_at(found, expr->call.name.span))
            break;
        reply = reply_on(NS_REPLY_CONSTRUCTOR, expr->call.name.text, expr->call.name.span);
        if (expr->call.receiver == NULL || !tell_member(query, &reply, found, expr->call.receiver))
            tell_upper(query, &reply, space, (int)expr->call.arguments.count, expr->term);
        break;
    case NS_EXPR_METHOD_CALL:
        if (!ns_is_at(found, expr->call.name.span))
            break;
        reply = reply_on(NS_REPLY_METHOD, expr->call.name.text, expr->call.name.span);
        if (!tell_member(query, &reply, found, expr->call.receiver))
            tell_method(query, &reply, expr, space);
        break;
    case NS_EXPR_FIELD:
        if (!ns_is_at(found, expr->field.name.span))
            break;
        reply = reply_on(NS_REPLY_FIELD, expr->field.name.text, expr->field.name.span);
        if (!tell_member(query, &reply, found, expr->field.object))
            tell_field(query, &reply, expr->field.object->term);
        break;
    default:
        break;
    }
    reply.type = text_of(query, expr->term);
    if (reply.type == NULL && reply.kind != NS_REPLY_METHOD)
        reply.type = reply.declared;
    return reply;
}

/* The module's variable that is assigned where a name stands, or NULL. */
static struct ns_value *assigned_mvar(struct ns_query *query, const struct ns_found *found, struct ns_space *space)
{
    const struct ns_expr *around = found->path.count == 0 ? NULL : nb_vec_last(&found->path);
    struct ns_span local;

    if (around == NULL || around->kind != NS_EXPR_BIND || around->bind.pattern != found->pattern ||
        found->pattern->kind != NS_PATTERN_NAME || around->bind.is_var || around->bind.type != NULL ||
        ns_find_local(found, found->pattern->name, true, &local))
        return NULL;
    return ns_find_mvar(query->unit, space, found->pattern->name);
}

static struct ns_reply reply_on_pattern(struct ns_query *query, const struct ns_found *found, struct ns_space *space)
{
    const struct ns_pattern *pattern = found->pattern;
    struct ns_reply reply = reply_on(NS_REPLY_EXPRESSION, NULL, pattern->span);
    struct ns_value *mvar = assigned_mvar(query, found, space);
    struct ns_span local;

    if (mvar != NULL) {
        reply = reply_on(NS_REPLY_VALUE, pattern->name, pattern->span);
        tell_value(query, &reply, mvar);
    } else if (pattern->kind == NS_PATTERN_NAME || pattern->kind == NS_PATTERN_PIN) {
        reply = reply_on(NS_REPLY_LOCAL, pattern->name, pattern->span);
        reply.definition = ns_find_local(found, pattern->name, false, &local) ? local : pattern->span;
    } else if (pattern->kind == NS_PATTERN_CONSTRUCTOR && pattern->constructor.name != NULL) {
        reply = reply_on(NS_REPLY_CONSTRUCTOR, pattern->constructor.name, pattern->span);
        tell_upper(query, &reply, space, -1, NULL);
    }
    reply.type = text_of(query, pattern->term);
    return reply;
}

static struct ns_reply reply_on_type(struct ns_query *query, const struct ns_found *found, struct ns_space *space)
{
    const struct ns_type *type = found->type;
    struct ns_reply reply = reply_on(NS_REPLY_TYPE, ns_type_text(query->unit, type), type->span);
    const struct ns_type_info *info;

    info = type->kind == NS_TYPE_NAMED ? ns_find_type(query->unit, space, type->named.name) : NULL;
    if (info != NULL && info->item->kind == NS_ITEM_TYPE)
        defined_at(query, &reply, info->item->type.name.span);
    return reply;
}

/* The group that a clause, or a local function that was lowered, belongs to. */
static struct ns_group *group_of(const struct ns_functions *functions, const struct ns_function *clause)
{
    for (size_t i = 0; functions != NULL && i < functions->groups.count; i++)
        for (size_t k = 0; k < functions->groups.items[i]->clauses.count; k++)
            if (functions->groups.items[i]->clauses.items[k] == clause)
                return functions->groups.items[i];
    return NULL;
}

static struct ns_group *method_of(const struct ns_unit *unit, const struct ns_function *clause)
{
    for (size_t i = 0; i < unit->implementations.count; i++)
        for (size_t k = 0; k < unit->implementations.items[i]->methods.count; k++) {
            struct ns_group *group = unit->implementations.items[i]->methods.items[k];

            for (size_t n = 0; n < group->clauses.count; n++)
                if (group->clauses.items[n] == clause)
                    return group;
        }
    return NULL;
}

static struct ns_reply reply_on_function(struct ns_query *query, const struct ns_found *found,
                                         const struct ns_space *space)
{
    const struct ns_function *function = found->function;
    struct ns_reply reply = reply_on(NS_REPLY_FUNCTION, function->name.text, function->name.span);
    const struct ns_member *member = ns_table_get(&space->members, function->name.text);
    struct ns_group *group = member == NULL ? NULL : group_of(member->functions, function);

    if (group == NULL && (group = method_of(query->unit, function)) != NULL)
        reply.kind = NS_REPLY_METHOD;
    if (group != NULL)
        tell_group(query, &reply, group);
    else
        defined_at(query, &reply, function->name.span);
    reply.type = reply.declared;
    return reply;
}

/* A field's type as it is written. */
static const char *type_of_field(struct ns_query *query, const struct ns_field_list *fields, const struct ns_name *name)
{
    for (uint32_t i = 0; i < fields->count; i++)
        if (&fields->items[i].name == name)
            return ns_type_text(query->unit, fields->items[i].type);
    return NULL;
}

static void tell_type_item(struct ns_query *query, struct ns_reply *reply, const struct ns_item *item,
                           const struct ns_name *name)
{
    const struct ns_constructor_list *constructors = &item->type.constructors;

    reply->kind = NS_REPLY_FIELD;
    reply->type = type_of_field(query, &item->type.fields, name);
    for (uint32_t i = 0; i < constructors->count && reply->type == NULL; i++) {
        reply->type = type_of_field(query, &constructors->items[i].fields, name);
        if (&constructors->items[i].name == name)
            reply->kind = NS_REPLY_CONSTRUCTOR;
    }
    if (name == &item->type.name)
        reply->kind = NS_REPLY_TYPE;
}

/* A name where the item defines it. */
static struct ns_reply reply_on_name(struct ns_query *query, const struct ns_found *found, struct ns_space *space)
{
    struct ns_reply reply = reply_on(NS_REPLY_VALUE, found->name->text, found->name->span);

    if (found->item->kind == NS_ITEM_TYPE)
        tell_type_item(query, &reply, found->item, found->name);
    else if (found->item->kind == NS_ITEM_TRAIT)
        reply.kind = NS_REPLY_TYPE;
    else
        tell_meaning(query, &reply, ns_find(query->unit, space, reply.name));
    if (reply.kind == NS_REPLY_CONSTRUCTOR)
        tell_upper(query, &reply, space, -1, NULL);
    if (reply.kind == NS_REPLY_VALUE && found->item->value.value->term != NULL)
        reply.type = text_of(query, found->item->value.value->term);
    if (reply.type == NULL)
        reply.type = reply.declared;
    defined_at(query, &reply, found->name->span);
    return reply;
}

/* ---- places ---- */

static bool is_file(const struct ns_source *source, const char *file)
{
    size_t have = strlen(source->file), want = strlen(file);

    return have >= want && strcmp(source->file + have - want, file) == 0 &&
           (have == want || source->file[have - want - 1] == '/');
}

static struct ns_space *space_of(const struct ns_unit *unit, const struct ns_item_list *items)
{
    for (size_t i = 0; i < unit->spaces.count; i++)
        if (unit->spaces.items[i]->items == items)
            return unit->spaces.items[i];
    return NULL;
}

static bool find(struct ns_query *query, const struct ns_module *module, uint32_t at, struct ns_reply *ret_reply)
{
    struct ns_found found = { .source = module->source, .at = at };
    struct ns_typed_body body = { .space = NULL };
    struct ns_space *space;
    bool there = ns_find_node(&found, &module->file->items);

    space = there ? space_of(query->unit, found.items) : NULL;
    there = space != NULL;
    body.space = space;
    query->check.body = &body;
    if (there && found.expr != NULL)
        *ret_reply = reply_on_expr(query, &found, space);
    else if (there && found.pattern != NULL)
        *ret_reply = reply_on_pattern(query, &found, space);
    else if (there && found.type != NULL)
        *ret_reply = reply_on_type(query, &found, space);
    else if (there && found.function != NULL)
        *ret_reply = reply_on_function(query, &found, space);
    else if (there && found.name != NULL)
        *ret_reply = reply_on_name(query, &found, space);
    else
        there = false;
    query->check.body = NULL;
    nb_vec_done(&found.path);
    return there;
}

static bool ends_name(const struct ns_source *source, uint32_t at)
{
    unsigned char byte = at == 0 ? ' ' : (unsigned char)source->text[at - 1];
    unsigned char next = at < source->length ? (unsigned char)source->text[at] : ' ';

    return strchr(" \t\r\n(){}[].,:;+-*/%<>=!&|~\"'", byte) == NULL &&
           strchr(" \t\r\n(){}[].,:;+-*/%<>=!&|~\"'", next) != NULL;
}

bool ns_query_at(struct ns_query *query, const char *file, uint32_t line, uint32_t column, struct ns_reply *ret_reply)
{
    uint32_t at;

    for (uint32_t i = query->source->library_count; i < query->source->count; i++) {
        const struct ns_module *module = query->source->modules[i];

        if (!is_file(module->source, file))
            continue;
        if (!ns_source_offset(module->source, line, column, &at))
            return false;
        return find(query, module, ends_name(module->source, at) ? at - 1 : at, ret_reply);
    }
    return false;
}
