/*
 * expand.c - which templates are applied to what, in which order, and where the results go.
 */
#include "config.h"

#include "lang/expand_private.h"

#include <string.h>

#include "lang/walk.h"

bool ns_expand_spend(struct ns_expander *expander, struct ns_span place, uint32_t nodes)
{
    if (expander->failed)
        return false;
    if (expander->budget >= nodes) {
        expander->budget -= nodes;
        return true;
    }
    expander->failed = true;
    ns_error(expander->diag, NS_ERROR_COMPILE, place, "templates expand to too much code (more than %d nodes)",
             NS_EXPAND_BUDGET);
    return false;
}

/* ---- the table of templates ---- */

static void register_templates(struct ns_expander *expander, const struct ns_item_list *items)
{
    for (uint32_t i = 0; i < items->count; i++) {
        const struct ns_item *item = items->items[i];
        struct ns_template *template;

        if (item->kind == NS_ITEM_MODULE)
            register_templates(expander, &item->module.items);
        if (item->kind != NS_ITEM_TEMPLATE)
            continue;
        template = nb_arena_alloc(expander->arena, sizeof *template);
        template->function = item->function;
        template->home = items;
        template->before = ns_table_set(&expander->templates, item->function->name.text, template);
    }
}

/* The one of the nearest module around, else the one that was registered last. */
static const struct ns_template *find_template(const struct ns_expander *expander, const char *name)
{
    const struct ns_template *latest = ns_table_get(&expander->templates, name);

    for (const struct ns_scope *scope = expander->scope; scope != NULL && latest != NULL; scope = scope->outer)
        for (const struct ns_template *template = latest; template != NULL; template = template->before)
            if (template->home == scope->items)
                return template;
    return latest;
}

static bool has_decorators(const struct ns_item_list *items)
{
    for (uint32_t i = 0; i < items->count; i++) {
        const struct ns_item *item = items->items[i];

        if (item->decorators.count > 0 || (item->kind == NS_ITEM_MODULE && has_decorators(&item->module.items)))
            return true;
    }
    return false;
}

/* ---- one expansion ---- */

static struct ns_expansion begin(struct ns_expander *expander, const char *name, const struct ns_template *template,
                                 struct ns_span place, const struct ns_item *decorated)
{
    struct ns_expansion expansion = {
        .expander = expander, .name = name, .template = template, .place = place, .decorated = decorated
    };

    ns_expand_spend(expander, place, NS_EXPAND_COST);
    expansion.place.source =
        ns_diag_expanded_source(expander->diag, place.source, name, template->function->name.span);
    return expansion;
}

/* Only names can stand for something. */
static void bind(struct ns_expansion *expansion, uint32_t position, struct ns_syntax value)
{
    const struct ns_pattern *pattern = expansion->template->function->parameters.items[position].pattern;
    struct ns_binding *binding;

    if (pattern->kind != NS_PATTERN_NAME)
        return;
    binding = nb_arena_alloc(expansion->expander->arena, sizeof *binding);
    *binding = (struct ns_binding){ pattern->name, value, true, false, expansion->bindings };
    expansion->bindings = binding;
}

/* The template of a decorator that fits; NULL after a report. `of_type`: in front of a type. */
static const struct ns_template *template_of(struct ns_expander *expander, const struct ns_decorator *decorator,
                                             bool of_type)
{
    const struct ns_template *template = find_template(expander, decorator->name.text);
    uint32_t parameters;

    if (template == NULL) {
        ns_error(expander->diag, NS_ERROR_COMPILE, decorator->span, "decorator template '%s' not found",
                 decorator->name.text);
        return NULL;
    }
    parameters = template->function->parameters.count;
    if (parameters == 0) {
        ns_error(expander->diag, NS_ERROR_COMPILE, decorator->span,
                 "decorator template '%s' must have at least one parameter for the %s", decorator->name.text,
                 of_type ? "type definition" : "function body");
        return NULL;
    }
    if (decorator->arguments.count == parameters - 1)
        return template;
    ns_error(expander->diag, NS_ERROR_COMPILE, decorator->span, "decorator @%s expects %u argument(s) but got %u",
             decorator->name.text, parameters - 1, decorator->arguments.count);
    ns_label(expander->diag, template->function->name.span, "the template");
    return NULL;
}

static struct ns_expansion begin_decorator(struct ns_expander *expander, const struct ns_decorator *decorator,
                                           const struct ns_template *template, struct ns_item *item)
{
    struct ns_expansion expansion = begin(expander, decorator->name.text, template, decorator->span, item);

    bind(&expansion, 0, (struct ns_syntax){ .kind = NS_SYNTAX_ITEM, .item = item });
    for (uint32_t i = 0; i < decorator->arguments.count; i++)
        bind(&expansion, i + 1, ns_syntax_of_expr(decorator->arguments.items[i]));
    return expansion;
}

/* What was generated as one expression. */
static struct ns_expr *body_of(struct ns_expansion *expansion, struct ns_expr_list *generated)
{
    struct ns_expr *body;

    if (generated->count == 1) {
        body = generated->items[0];
    } else {
        body = ns_new_node(expansion, NS_EXPR_BLOCK);
        body->block.statements = *generated;
    }
    if (body == expansion->evaluated)
        return body->bind.value;
    if (body->kind == NS_EXPR_BLOCK && body->block.statements.count > 0) {
        struct ns_expr **last = &body->block.statements.items[body->block.statements.count - 1];

        if (*last == expansion->evaluated)
            *last = (*last)->bind.value; /* a generated binding has the value of what it binds, at the end */
    }
    return body;
}

/* ---- items of a module ---- */

static void add_item(struct ns_expander *expander, struct ns_item_list *items, struct ns_item *item)
{
    struct ns_item **larger = items->items;

    if ((items->count & (items->count - 1)) == 0 || items->count < 4) {
        larger = nb_arena_array(expander->arena, (size_t)items->count * 2 + 4, sizeof *larger);
        if (items->count > 0)
            memcpy(larger, items->items, items->count * sizeof *larger);
    }
    items->items = larger;
    items->items[items->count++] = item;
}

/* ---- types ---- */

static void become(struct ns_item *item, const struct ns_item *definition)
{
    if (definition == item)
        return;
    item->type.name = definition->type.name;
    item->type.kind = definition->type.kind;
    item->type.fields = definition->type.fields;
    item->type.constructors = definition->type.constructors;
    item->type.alias = definition->type.alias;
    if (item->type.parameters.count == 0)
        item->type.parameters = definition->type.parameters;
}

static void add_for_type(struct ns_expansion *expansion, struct ns_item_list *items, struct ns_item *item)
{
    bool defined = false;

    for (uint32_t i = 0; i < expansion->definitions.count; i++) {
        struct ns_item *definition = expansion->definitions.items[i];

        if (definition->kind == NS_ITEM_TYPE) {
            if (!defined)
                become(item, definition);
            defined = true;
            continue;
        }
        if (definition->kind == NS_ITEM_FUNCTION)
            definition->is_public = true;
        add_item(expansion->expander, items, definition);
    }
}

/* A function that the quotation writes out, among statements, is one of the module too. */
static void add_written_functions(struct ns_expansion *expansion, struct ns_item_list *items,
                                  const struct ns_expr_list *statements)
{
    for (uint32_t i = 0; i < statements->count; i++) {
        const struct ns_expr *statement = statements->items[i];
        struct ns_item *item;

        if (statement->kind != NS_EXPR_LOCAL_FUNCTION)
            continue;
        item = nb_arena_alloc(expansion->expander->arena, sizeof *item);
        item->kind = NS_ITEM_FUNCTION;
        item->is_public = true;
        item->span = statement->span;
        item->function = statement->function;
        add_item(expansion->expander, items, item);
    }
}

static void decorate_type(struct ns_expander *expander, struct ns_item_list *items, struct ns_item *item)
{
    for (uint32_t i = item->decorators.count; i-- > 0 && !expander->failed;) {
        const struct ns_decorator *decorator = &item->decorators.items[i];
        const struct ns_template *template = template_of(expander, decorator, true);
        struct ns_expr_list generated;
        struct ns_expansion expansion;

        if (template == NULL || template->function->body->kind != NS_EXPR_QUOTE)
            continue;
        expansion = begin_decorator(expander, decorator, template, item);
        generated = ns_expand_quote(&expansion, template->function->body);
        add_for_type(&expansion, items, item);
        if (generated.count == 1 && generated.items[0]->kind == NS_EXPR_BLOCK)
            generated = generated.items[0]->block.statements;
        add_written_functions(&expansion, items, &generated);
    }
    item->decorators.count = 0;
}

/* Generated types come at the end of the list and have their turn too. */
static void decorate_types(struct ns_expander *expander, struct ns_item_list *items)
{
    struct ns_scope scope = { items, expander->scope };

    expander->scope = &scope;
    for (uint32_t i = 0; i < items->count && !expander->failed; i++) {
        struct ns_item *item = items->items[i];

        if (item->kind == NS_ITEM_MODULE)
            decorate_types(expander, &item->module.items);
        else if (item->kind == NS_ITEM_TYPE && item->decorators.count > 0)
            decorate_type(expander, items, item);
    }
    expander->scope = scope.outer;
}

/* ---- functions ---- */

/* What a decorator made has no expression. What one definition alone says applies to several too: both are told, the
 * one that fits better first. */
static void report_no_body(struct ns_expansion *expansion)
{
    static const char only_functions[] = "decorator @%s generates functions but doesn't provide a function body "
                                         "expression";
    static const char a_function[] = "decorator @%s returned a function definition instead of an expression. To "
                                     "generate additional functions, wrap them in a block with the body expression "
                                     "last.";
    struct ns_diag *diag = expansion->expander->diag;
    struct ns_span place = expansion->place;
    bool several = expansion->definitions.count > 1;

    place.source = ns_source_original(place.source);
    if (expansion->definitions.count == 0) {
        ns_error(diag, NS_ERROR_COMPILE, place, "decorator @%s expanded to empty Items", expansion->name);
    } else {
        ns_error(diag, NS_ERROR_COMPILE, place, several ? only_functions : a_function, expansion->name);
        ns_note(diag, several ? a_function : only_functions, expansion->name);
        ns_note(diag, "cannot convert AST node back to expression: a function definition");
    }
    ns_label(diag, expansion->template->function->name.span, "the template");
}

/* `again`: for a further clause; what the first one generated is there, and only functions can have clauses. */
static void add_generated(struct ns_expansion *expansion, struct ns_item_list *items, bool again)
{
    for (uint32_t i = 0; i < expansion->definitions.count; i++) {
        struct ns_item *definition = expansion->definitions.items[i];

        if (definition != expansion->decorated && (!again || definition->kind == NS_ITEM_FUNCTION))
            add_item(expansion->expander, items, definition);
    }
}

/* A clause is a tree of its own: its function is replaced, so that others keep what they refer to. */
static void set_body(struct ns_expander *expander, struct ns_item *item, struct ns_expr *body)
{
    struct ns_function *clause = nb_arena_alloc(expander->arena, sizeof *clause);

    *clause = *item->function;
    clause->body = body;
    item->function = clause;
}

static void decorate_clause(struct ns_expander *expander, struct ns_item_list *items,
                            const struct ns_decorator *decorator, struct ns_item *item, bool again)
{
    const struct ns_template *template = template_of(expander, decorator, false);
    struct ns_expansion expansion;
    struct ns_expr_list generated;

    if (template == NULL)
        return;
    expansion = begin_decorator(expander, decorator, template, item);
    if (template->function->body->kind != NS_EXPR_QUOTE) {
        set_body(expander, item, ns_expand_moved(&expansion, template->function->body));
        return;
    }
    generated = ns_expand_quote(&expansion, template->function->body);
    if (generated.count == 0)
        report_no_body(&expansion);
    else
        set_body(expander, item, body_of(&expansion, &generated));
    add_generated(&expansion, items, again);
}

/* Whether a definition behind a function's first clause is another clause of it. */
static bool is_next_clause(const struct ns_function *first, const struct ns_item *item)
{
    const struct ns_function *next = item->function;

    if (item->kind != NS_ITEM_FUNCTION || next->name.text != first->name.text ||
        next->parameters.count != first->parameters.count)
        return false;
    for (uint32_t i = 0; i < first->parameters.count; i++) {
        const struct ns_parameter *left = &first->parameters.items[i], *right = &next->parameters.items[i];

        if (left->type != NULL && right->type != NULL && !ns_types_read_alike(left->type, right->type))
            return false;
        if ((left->type == NULL) != (right->type == NULL) &&
            (left->type == NULL ? left : right)->pattern->kind != NS_PATTERN_LITERAL)
            return false;
    }
    return true;
}

/* Decorate the function whose first clause is that item, each clause for itself; decorators of later ones go. */
static void decorate_function(struct ns_expander *expander, struct ns_item_list *items, uint32_t first)
{
    struct ns_decorator_list decorators = items->items[first]->decorators;
    const struct ns_function *head = items->items[first]->function;
    uint32_t end = first + 1, count = items->count;

    while (end < count && is_next_clause(head, items->items[end]))
        end++;
    for (uint32_t i = first; i < end; i++)
        items->items[i]->decorators.count = 0;
    for (uint32_t i = first; i < end; i++)
        for (uint32_t k = decorators.count; k-- > 0 && !expander->failed;)
            decorate_clause(expander, items, &decorators.items[k], items->items[i], i > first);
}

/* Behind the clauses of the function that begins at `first`: there the next one begins. */
static uint32_t next_function(const struct ns_item_list *items, uint32_t first)
{
    const struct ns_item *item = items->items[first++];

    while (item->kind == NS_ITEM_FUNCTION && first < items->count &&
           is_next_clause(item->function, items->items[first]))
        items->items[first++]->decorators.count = 0;
    return first;
}

static void decorate_functions(struct ns_expander *expander, struct ns_item_list *items)
{
    struct ns_scope scope = { items, expander->scope };

    expander->scope = &scope;
    for (uint32_t i = 0; i < items->count && !expander->failed; i = next_function(items, i)) {
        struct ns_item *item = items->items[i];

        if (item->kind == NS_ITEM_MODULE)
            decorate_functions(expander, &item->module.items);
        else if (item->kind == NS_ITEM_FUNCTION && item->decorators.count > 0)
            decorate_function(expander, items, i);
    }
    expander->scope = scope.outer;
}

/* ---- calls of templates ---- */

struct calls { struct ns_expander *expander; struct ns_item_list *items; };

static bool is_function_here(const struct ns_scope *scope, const char *name)
{
    for (; scope != NULL; scope = scope->outer)
        for (uint32_t i = 0; i < scope->items->count; i++) {
            const struct ns_item *item = scope->items->items[i];

            if (item->kind == NS_ITEM_FUNCTION && item->function->name.text == name)
                return true;
        }
    return false;
}

static const struct ns_template *called_template(const struct ns_expander *expander, const struct ns_expr *expr)
{
    const struct ns_template *template;

    if (expr->kind != NS_EXPR_CALL || expr->call.callee->kind != NS_EXPR_NAME)
        return NULL;
    template = find_template(expander, expr->call.callee->name);
    return template == NULL || is_function_here(expander->scope, expr->call.callee->name) ? NULL : template;
}

/* What a call becomes; NULL after a report. */
static struct ns_expr *expand_call(struct calls *calls, const struct ns_template *template, const struct ns_expr *call)
{
    struct ns_expander *expander = calls->expander;
    const char *name = template->function->name.text;
    struct ns_expr_list generated;
    struct ns_expansion expansion;

    if (call->call.arguments.count != template->function->parameters.count) {
        ns_error(expander->diag, NS_ERROR_COMPILE, call->span, "template '%s' expects %u arguments but got %u", name,
                 template->function->parameters.count, call->call.arguments.count);
        return NULL;
    }
    if (expander->calls >= NS_EXPAND_CALLS_MAX) {
        ns_error(expander->diag, NS_ERROR_COMPILE, call->span,
                 "template '%s' expands to calls of templates without end", name);
        expander->failed = true;
        return NULL;
    }
    expansion = begin(expander, name, template, call->span, NULL);
    for (uint32_t i = 0; i < call->call.arguments.count; i++)
        bind(&expansion, i, ns_syntax_of_expr(call->call.arguments.items[i].value));
    if (template->function->body->kind != NS_EXPR_QUOTE)
        return ns_expand_moved(&expansion, template->function->body);
    generated = ns_expand_quote(&expansion, template->function->body);
    add_generated(&expansion, calls->items, false);
    if (generated.count == 0)
        ns_error(expander->diag, NS_ERROR_COMPILE, call->span,
                 "cannot convert AST node back to expression: definitions");
    return generated.count == 0 ? NULL : body_of(&expansion, &generated);
}

/* expander->depth is that of the expression inside of its item. */
static void visit(void *context, struct ns_expr *expr)
{
    struct calls *calls = context;
    struct ns_expander *expander = calls->expander;
    const struct ns_template *template = called_template(expander, expr);
    struct ns_expr *code = template == NULL || expander->failed ? NULL : expand_call(calls, template, expr);

    expander->depth++;
    expander->calls += code != NULL;
    if (code != NULL)
        *expr = *code;
    if (code != NULL && called_template(expander, expr) != NULL)
        visit(context, expr);
    else
        ns_walk_children(expr, visit, context);
    expander->calls -= code != NULL;
    expander->depth--;
}

static void replace_calls(struct ns_expander *expander, struct ns_item_list *items)
{
    struct ns_scope scope = { items, expander->scope };
    struct calls calls = { expander, items };

    expander->scope = &scope;
    for (uint32_t i = 0; i < items->count && !expander->failed; i++) {
        struct ns_item *item = items->items[i];

        if (item->kind == NS_ITEM_MODULE)
            replace_calls(expander, &item->module.items);
        else if (item->kind != NS_ITEM_TEMPLATE)
            ns_walk_item(item, visit, &calls);
    }
    expander->scope = scope.outer;
}

/* ---- the whole ---- */

void ns_expand_templates(struct nb_arena *arena, struct ns_own_modules modules, struct ns_diag *diag,
                         const struct ns_references *references)
{
    struct ns_expander expander = {
        .arena = arena,
        .diag = diag,
        .references = references,
        .budget = NS_EXPAND_BUDGET,
        .reductions = NS_EXPAND_REDUCTIONS
    };
    bool decorated = false;

    for (size_t i = 0; i < modules.count; i++) {
        register_templates(&expander, &modules.items[i]->file->items);
        decorated = decorated || has_decorators(&modules.items[i]->file->items);
    }
    for (size_t i = 0; decorated && i < modules.count; i++)
        decorate_types(&expander, &modules.items[i]->file->items);
    for (size_t i = 0; decorated && i < modules.count; i++)
        decorate_functions(&expander, &modules.items[i]->file->items);
    for (size_t i = 0; expander.templates.count > 0 && i < modules.count; i++)
        replace_calls(&expander, &modules.items[i]->file->items);
    ns_table_done(&expander.templates);
}
