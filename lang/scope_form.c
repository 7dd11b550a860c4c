/*
 * scope_form.c - `Html(e)` and `RHtml(e)` become calls of stdlib.html and stdlib.rhtml (04 §17.3, §21.2).
 *
 * What is redirected is decided by the text alone: calls of bare names from a fixed list, wherever they stand inside of
 * the form; Html goes into lambdas, RHtml does not, nor into loops and `try`, as such code renders by forms of its own.
 */
#include "config.h"

#include "lang/scope_form.h"

#include <string.h>

#include "base/intern.h"
#include "lang/unit.h"
#include "lang/walk.h"
#include "lang/words.h"

struct form {
    const char *name;   /* as programs write it */
    const char *module; /* whose functions the names mean */
    const char *result; /* function of the module that gets the inner expression's value */
    const char *start;  /* called before that expression is evaluated, NULL: none … */
    const char *end;    /* … and what gets its answer afterwards, however the evaluation was left */
    const char *whole;  /* … and what the value of all that goes through, to have a type (02 §5.1) */
    const char *more;   /* names beyond the common ones, with blanks around each */
    bool into_closures; /* and loops, and try */
};

static const struct form forms[] = {
    { "Html", "stdlib.html", "_asHtml", NULL, NULL, NULL, " render ", true },
    { "RHtml", "stdlib.rhtml", "_asResult", "_startRender", "_endRender", "_rendered", " component Component html ",
      false },
};

static const char common_names[] =
    " text raw el empty Element Text Raw Empty div span p h1 h2 h3 h4 h5 h6 ul ol li table thead tbody tr th td"
    " form nav header footer section article aside headEl body button label title strong em code pre small br hr img"
    " input meta linkTag a ";

static const struct form *find_form(const char *name)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].name, name) == 0)
            return &forms[i];
    return NULL;
}

const char *ns_scope_form_module(const char *name)
{
    const struct form *form = find_form(name);

    return form == NULL ? NULL : form->module;
}

const char *ns_scope_form_of(const char *function)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].result, function) == 0)
            return forms[i].name;
    return NULL;
}

struct scan {
    struct ns_unit *unit;
    struct ns_space *space;
    const struct form *form; /* that of the region, NULL outside of forms */
    unsigned *forms;         /* rewritten so far, in the whole unit */
};

/* ---- what is what ---- */

static bool is_redirected(const struct form *form, const char *name)
{
    return ns_words_have(common_names, name) || ns_words_have(form->more, name);
}

/* The form that an expression is, unless the program has a constructor of that name. */
static const struct form *form_of(const struct scan *scan, const struct ns_expr *expr)
{
    const struct form *form;

    if (expr->kind != NS_EXPR_CONSTRUCT || expr->call.receiver != NULL || expr->call.arguments.count != 1 ||
        expr->call.arguments.items[0].name.text != NULL)
        return NULL;
    form = find_form(expr->call.name.text);
    if (form == NULL || ns_find_constructor(scan->unit, scan->space, form->name, 1) != NULL)
        return NULL;
    return form;
}

/* The region that the inside of an expression belongs to. */
static const struct form *form_inside(const struct form *form, const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_LOCAL_FUNCTION:
    case NS_EXPR_SPAWN:
    case NS_EXPR_RECEIVE:
        return NULL;
    case NS_EXPR_LAMBDA:
    case NS_EXPR_TRY:
    case NS_EXPR_WHILE:
    case NS_EXPR_FOR:
        return form != NULL && form->into_closures ? form : NULL;
    default:
        return form;
    }
}

/* ---- rewriting ---- */

static struct ns_expr *new_expr(struct ns_unit *unit, enum ns_expr_kind kind, struct ns_span span)
{
    struct ns_expr *expr = nb_arena_alloc(unit->arena, sizeof *expr);

    expr->kind = kind;
    expr->span = span;
    return expr;
}

/* stdlib.html, as an expression */
static struct ns_expr *module_expr(struct ns_unit *unit, const struct form *form, struct ns_span span)
{
    struct ns_expr *root = new_expr(unit, NS_EXPR_NAME, span);
    struct ns_expr *module = new_expr(unit, NS_EXPR_FIELD, span);
    const char *dot = strchr(form->module, '.');

    root->name = nb_intern_n(form->module, (size_t)(dot - form->module));
    module->field.object = root;
    module->field.name = (struct ns_name){ nb_intern(dot + 1), span };
    return module;
}

/* What `component` does directly inside of a form differs from what it does elsewhere. */
static const char *member_name(const char *name)
{
    return strcmp(name, "component") == 0 ? "_renderComponent" : name;
}

/* f(x) becomes stdlib.html.f(x). */
static void redirect(const struct scan *scan, struct ns_expr *expr)
{
    struct ns_expr *callee = expr->call.callee;

    if (expr->kind == NS_EXPR_CALL) {
        if (callee->kind != NS_EXPR_NAME || !is_redirected(scan->form, callee->name))
            return;
        expr->call.name = (struct ns_name){ nb_intern(member_name(callee->name)), callee->span };
        expr->call.callee = NULL;
        expr->kind = NS_EXPR_METHOD_CALL;
    } else if (expr->call.receiver != NULL || !is_redirected(scan->form, expr->call.name.text)) {
        return;
    }
    expr->call.receiver = module_expr(scan->unit, scan->form, expr->call.name.span);
}

/* stdlib.rhtml.name(argument), without argument if that is NULL */
static struct ns_expr *module_call(struct ns_unit *unit, const struct form *form, const char *name,
                                   struct ns_expr *argument, struct ns_span span)
{
    struct ns_expr *call = new_expr(unit, NS_EXPR_METHOD_CALL, span);

    call->call.receiver = module_expr(unit, form, span);
    call->call.name = (struct ns_name){ nb_intern(name), span };
    if (argument != NULL) {
        call->call.arguments.items = nb_arena_array(unit->arena, 1, sizeof *call->call.arguments.items);
        call->call.arguments.items[0].value = argument;
        call->call.arguments.count = 1;
    }
    return call;
}

/* What the start function answered is kept in a local, whose name no program can write and no other form has: places
 * in the source do not tell forms apart, as a template's are all at its call. */
static const char *local_name(const struct scan *scan)
{
    return nb_intern(nb_arena_printf(scan->unit->arena, "render depth %u", ++*scan->forms));
}

static struct ns_expr *bind_start(struct ns_unit *unit, const struct form *form, const char *local,
                                  struct ns_span span)
{
    struct ns_expr *bind = new_expr(unit, NS_EXPR_BIND, span);

    bind->bind.pattern = nb_arena_alloc(unit->arena, sizeof *bind->bind.pattern);
    bind->bind.pattern->kind = NS_PATTERN_NAME;
    bind->bind.pattern->span = span;
    bind->bind.pattern->name = local;
    bind->bind.value = module_call(unit, form, form->start, NULL, span);
    return bind;
}

/* Html(e) becomes stdlib.html._asHtml(e), and RHtml(e)
 *     { depth = stdlib.rhtml._startRender()
 *       stdlib.rhtml._rendered(try stdlib.rhtml._asResult(e) finally stdlib.rhtml._endRender(depth)) } */
static void rewrite_form(const struct scan *scan, struct ns_expr *expr, const struct form *form)
{
    struct ns_unit *unit = scan->unit;
    struct ns_span span = expr->call.name.span;
    struct ns_expr *result = module_call(unit, form, form->result, expr->call.arguments.items[0].value, span);
    struct ns_expr *attempt, *depth, **statements;
    const char *local;

    if (form->start == NULL) {
        expr->kind = result->kind;
        expr->call = result->call;
        return;
    }
    local = local_name(scan);
    depth = new_expr(unit, NS_EXPR_NAME, span);
    depth->name = local;
    attempt = new_expr(unit, NS_EXPR_TRY, span);
    attempt->try_.body = result;
    attempt->try_.finally = module_call(unit, form, form->end, depth, span);
    statements = nb_arena_array(unit->arena, 2, sizeof *statements);
    statements[0] = bind_start(unit, form, local, span);
    statements[1] = module_call(unit, form, form->whole, attempt, span);
    expr->kind = NS_EXPR_BLOCK;
    expr->block.statements = (struct ns_expr_list){ statements, 2 };
    expr->block.do_end = false;
}

static void visit(void *context, struct ns_expr *expr)
{
    const struct scan *scan = context;
    struct scan inside = *scan;
    const struct form *form = form_of(scan, expr);

    if (form != NULL) {
        struct ns_expr *argument = expr->call.arguments.items[0].value;

        rewrite_form(scan, expr, form);
        inside.form = form;
        visit(&inside, argument);
        return;
    }
    if (scan->form != NULL && (expr->kind == NS_EXPR_CALL || expr->kind == NS_EXPR_CONSTRUCT))
        redirect(scan, expr);
    inside.form = form_inside(scan->form, expr);
    ns_walk_children(expr, visit, &inside);
}

void ns_rewrite_scope_forms(struct ns_unit *unit)
{
    unsigned rewritten = 0;
    bool any = false;

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        any = any || ns_table_get(&unit->paths, nb_intern(forms[i].module)) != NULL;
    for (size_t i = 0; any && i < unit->spaces.count; i++) {
        struct scan scan = { unit, unit->spaces.items[i], NULL, &rewritten };

        for (uint32_t k = 0; k < scan.space->items->count; k++)
            ns_walk_item(scan.space->items->items[k], visit, &scan);
    }
}
