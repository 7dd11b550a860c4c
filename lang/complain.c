/*
 * complain.c - one problem, one diagnostic, all the words for it: what people and programs look for differs (02 §11.4).
 */
#include "config.h"

#include <string.h>

#include "lang/infer.h"
#include "lang/scope_form.h"
#include "lang/suggest.h"

enum { RANK = 12 }; /* behind errors about names */

/* Two types as a message shows them: variables that occur in both have one name. */
struct pair { const char *expected, *found; };

static struct pair pair_text(struct ns_check *check, struct ns_term *expected, struct ns_term *found)
{
    struct ns_variable_names names = { NB_VEC_INIT };
    struct nb_buf text = NB_BUF_INIT;
    struct pair pair;

    ns_print_term(&text, expected, &names);
    pair.expected = nb_arena_strndup(check->arena, nb_buf_cstr(&text), text.length);
    nb_buf_done(&text);
    text = NB_BUF_INIT;
    ns_print_term(&text, found, &names);
    pair.found = nb_arena_strndup(check->arena, nb_buf_cstr(&text), text.length);
    nb_buf_done(&text);
    nb_vec_done(&names.variables);
    return pair;
}

bool ns_is_muted(const struct ns_check *check)
{
    return check->mute > 0 || (check->body != NULL && check->body->lenient);
}

/* Whether there is nothing to be said; in a body that is let off, that there would have been is remembered. */
static bool passes_over(struct ns_check *check)
{
    if (ns_is_muted(check) && check->mute == 0)
        check->body->failed = true;
    return ns_is_muted(check);
}

static bool opened(struct ns_check *check)
{
    if (ns_reported(check->unit))
        ns_rank(check->unit->diag, RANK);
    return ns_reported(check->unit);
}

/* ---- mismatches ---- */

static bool is_text(struct ns_term *term)
{
    return ns_is_basic(term, NS_CON_STRING);
}

static bool is_list(struct ns_term *term)
{
    const struct ns_con *con = ns_con_of_term(term);

    return con != NULL && con->number == NS_CON_LIST;
}

static bool is_list_of_tuples(struct ns_term *term)
{
    return is_list(term) && ns_prune(ns_prune(term)->data.arguments[0])->kind == NS_TERM_TUPLE;
}

static bool is_either(struct ns_term *one, struct ns_term *other, enum ns_con_number number)
{
    return ns_is_basic(one, number) || ns_is_basic(other, number);
}

static bool is_of(struct ns_term *term, const struct ns_con *con)
{
    return con != NULL && ns_con_of_term(term) == con;
}

/* A value that is to be put in first. */
static void hint_wrapping(struct ns_check *check, struct ns_term *expected)
{
    if (is_of(expected, ns_option_con(check)))
        ns_hint(check->unit->diag, "`Some(x)` makes an Option of a value");
    if (is_of(expected, ns_result_con(check)))
        ns_hint(check->unit->diag, "`Ok(x)` makes a Result of a value, `Err(e)` of an error");
}

/* A value that has to be taken out first. */
void ns_hint_container(struct ns_check *check, struct ns_term *found)
{
    if (is_of(found, ns_option_con(check)))
        ns_hint(check->unit->diag, "an Option may hold nothing: take the value out with `match` or `unwrapOr`, or "
                                   "change it inside with `map`");
    if (is_of(found, ns_result_con(check)))
        ns_hint(check->unit->diag, "a Result may be an error: take the value out with `match` or `unwrapOr`, or "
                                   "change it inside with `map`");
}

static bool is_known_data(struct ns_term *term)
{
    return ns_con_of_term(term) != NULL;
}

static void help_with(struct ns_check *check, struct ns_term *expected, struct ns_term *found, struct pair text)
{
    struct ns_diag *diag = check->unit->diag;
    bool function = ns_prune(expected)->kind == NS_TERM_FUNCTION || ns_prune(found)->kind == NS_TERM_FUNCTION;

    if (ns_is_number(expected) && ns_is_number(found)) {
        ns_hint(diag, "cannot implicitly convert between `%s` and `%s`", text.expected, text.found);
        if (ns_is_basic(expected, NS_CON_FLOAT) && ns_is_basic(found, NS_CON_INT))
            ns_note(diag, "use `toFloat(x)` to make a Float of an Int");
    } else if ((is_text(expected) && ns_is_number(found)) || (ns_is_number(expected) && is_text(found))) {
        ns_hint(diag, "`%s` and `%s` are incompatible types", text.expected, text.found);
        ns_note(diag, "to concatenate strings, use `++`: show(42) ++ \" items\"");
    } else if (function && (is_known_data(expected) || is_known_data(found))) {
        ns_hint(diag, "function arguments may be in the wrong order");
    } else if (is_either(expected, found, NS_CON_UNIT)) {
        ns_hint(diag, "a `()` (unit) value cannot be used where a value is expected");
    } else if (is_either(expected, found, NS_CON_BOOL)) {
        ns_hint(diag, "`%s` and `Bool` are incompatible types",
                ns_is_basic(expected, NS_CON_BOOL) ? text.found : text.expected);
    }
    if (ns_prune(expected)->kind != NS_TERM_VARIABLE && ns_con_of_term(expected) != ns_con_of_term(found)) {
        hint_wrapping(check, expected);
        ns_hint_container(check, found);
    }
}

/* The words under the diagnostic that is open. */
void ns_note_mismatch(struct ns_check *check, struct ns_term *expected, struct ns_term *found)
{
    struct pair text = pair_text(check, expected, found);
    struct ns_diag *diag = check->unit->diag;

    ns_also(diag, "type mismatch: expected %s, found %s", text.expected, text.found);
    if (ns_con_of_term(expected) != NULL && ns_con_of_term(found) != NULL &&
        ns_con_of_term(expected)->arity + ns_con_of_term(found)->arity > 0 &&
        ns_con_of_term(expected) != ns_con_of_term(found))
        ns_also(diag, "type mismatch: expected `%s`, found `%s`", ns_head_text(check, expected),
                ns_head_text(check, found));
    ns_also(diag, "Cannot unify types: %s and %s", text.expected, text.found);
    if (ns_is_basic(expected, NS_CON_BOOL) && ns_is_number(found))
        ns_also(diag, "Bool does not implement Num");
    if (ns_prune(expected)->kind == NS_TERM_FUNCTION && ns_con_of_term(found) != NULL)
        ns_also(diag, "type mismatch: expected function, found %s", text.found);
    if (is_list(expected))
        ns_also(diag, "type mismatch: expected List%s, found %s",
                is_list(found) && is_list_of_tuples(expected) ? " of tuples" : "", text.found);
}

/* Where the expectation comes from. */
static void label(struct ns_check *check, struct ns_span because, const char *why)
{
    if (because.source != NULL && why != NULL && !because.source->library)
        ns_label(check->unit->diag, because, "%s", why);
}

void ns_complain_mismatch(struct ns_check *check, struct ns_span where, struct ns_term *expected, struct ns_term *found,
                          struct ns_span because, const char *why)
{
    struct pair text;

    if (passes_over(check))
        return;
    text = pair_text(check, expected, found);
    ns_report(check->unit, where, "type mismatch: expected `%s`, found `%s`", text.expected, text.found);
    if (!opened(check))
        return;
    label(check, because, why);
    help_with(check, expected, found, text);
    ns_note_mismatch(check, expected, found);
}

void ns_complain_argument(struct ns_check *check, struct ns_span where, unsigned position, const char *function,
                          struct ns_term *expected, struct ns_term *found, struct ns_span because)
{
    struct pair text;

    if (passes_over(check))
        return;
    text = pair_text(check, expected, found);
    ns_report(check->unit, where, "type mismatch in argument %u: expected `%s`, found `%s`", position, text.expected,
              text.found);
    if (!opened(check))
        return;
    if (function != NULL) {
        if (ns_scope_form_of(function) != NULL)
            function = ns_scope_form_of(function);
        ns_note(check->unit->diag, "function `%s` expects `%s` but received `%s`", function, text.expected,
                text.found);
        label(check, because,
              nb_arena_printf(check->arena, "parameter type `%s` defined here in `%s`", text.expected, function));
    }
    help_with(check, expected, found, text);
    ns_also(check->unit->diag, "type mismatch: expected `%s`, found `%s`", text.expected, text.found);
    ns_note_mismatch(check, expected, found);
}

static void complain_infinite(struct ns_check *check, struct ns_span where, const struct ns_clash *clash)
{
    struct ns_term *variable = ns_prune(clash->expected), *whole = ns_prune(clash->found);
    struct pair text;

    if (variable->kind != NS_TERM_VARIABLE) {
        whole = variable;
        variable = ns_prune(clash->found);
    }
    text = pair_text(check, variable, whole);
    ns_report(check->unit, where, "Type mismatch: cannot unify a type with a type containing itself (%s in %s)",
              text.expected, text.found);
    if (opened(check))
        ns_note_mismatch(check, clash->expected, clash->found);
}

void ns_complain_count(struct ns_check *check, struct ns_span where, const char *function, unsigned expected,
                       unsigned found)
{
    if (passes_over(check))
        return;
    if (function == NULL) {
        ns_report(check->unit, where, "Wrong number of arguments: expected %u, found %u", expected, found);
        opened(check);
        return;
    }
    ns_report(check->unit, where, "function `%s` expects %u argument%s, but %u %s provided", function, expected,
              expected == 1 ? "" : "s", found, found == 1 ? "was" : "were");
    if (opened(check))
        ns_also(check->unit->diag, "Wrong number of arguments: expected %u, found %u", expected, found);
}

void ns_complain_clash(struct ns_check *check, struct ns_span where, struct ns_term *expected, struct ns_term *found,
                       struct ns_span because, const char *why)
{
    struct ns_clash clash = check->clash;

    if (passes_over(check))
        return;
    if (clash.how == NS_INFINITE) {
        complain_infinite(check, where, &clash);
    } else if (clash.how == NS_WRONG_COUNT) {
        ns_complain_count(check, where, NULL, clash.expected->function.count, clash.found->function.count);
        if (ns_reported(check->unit))
            ns_note_mismatch(check, expected, found);
    } else {
        ns_complain_mismatch(check, where, expected, found, because, why);
    }
}

/* ---- traits ---- */

static const char *required_by(const char *trait)
{
    static const struct { const char *trait, *by; } reasons[] = {
        { "Num", "arithmetic operators" }, { "Ord", "comparison operators or `sort()`" },
        { "Eq", "equality operators" },    { "Concat", "`++`" },
        { "Hash", "use as Map key or Set element" },
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(reasons[i].trait, trait) == 0)
            return reasons[i].by;
    return NULL;
}

void ns_complain_trait(struct ns_check *check, struct ns_span where, struct ns_term *term, const char *trait,
                       struct ns_term *other)
{
    struct ns_diag *diag = check->unit->diag;
    const char *shown = strcmp(trait, "Hash") == 0 ? "Eq" : trait, *text;

    if (passes_over(check))
        return;
    text = ns_term_text(check, term);
    ns_report(check->unit, where, "Missing trait implementation: %s does not implement %s", text, shown);
    if (!opened(check))
        return;
    if (required_by(trait) != NULL)
        ns_note(diag, "trait `%s` is required %s %s", trait, strcmp(trait, "Hash") == 0 ? "for" : "by",
                required_by(trait));
    if (ns_is_basic(term, NS_CON_UNIT))
        ns_hint(diag, "a `()` (unit) value cannot be used where a value is expected");
    ns_hint_container(check, term);
    if (strcmp(trait, "Concat") == 0 && (ns_is_number(term) || ns_is_basic(term, NS_CON_BOOL)))
        ns_hint(diag, "`show(x)` makes a String of a value, and \"… ${x} …\" puts it into a text");
    if (strcmp(trait, "Num") == 0 && is_text(term))
        ns_hint(diag, "to concatenate strings, use `++`: show(42) ++ \" items\"");
    if (strcmp(trait, "Num") == 0 && (other == NULL || strcmp(ns_term_text(check, other), text) == 0))
        other = ns_basic(check, NS_CON_INT);
    if (other == NULL) {
        ns_also(diag, "type mismatch: expected a type that implements %s, found %s", shown, text);
        return;
    }
    ns_also(diag, "type mismatch: expected `%s`, found `%s`", ns_term_text(check, other), text);
    ns_note_mismatch(check, other, term);
    if (ns_satisfies(check, other, trait, NULL, NULL, NULL) == NS_NO)
        ns_also(diag, "%s does not implement %s", ns_term_text(check, other), shown);
}

/* length() takes several types that have no trait in common (02 §7.2). */
static void complain_length(struct ns_check *check, struct ns_span where, struct ns_term *culprit)
{
    const struct ns_con *con = ns_con_of_term(culprit);
    const char *how = "";

    if (con != NULL && con->number == NS_CON_MAP)
        how = " (use .size() for Map)";
    else if (con != NULL && con->number == NS_CON_SET)
        how = " (use .size() for Set)";
    ns_report(check->unit, where, "type mismatch: expected List, String, Tuple, or Array%s, found %s", how,
              ns_term_text(check, culprit));
    if (opened(check))
        ns_also(check->unit->diag, "Type %s has no method length", ns_head_text(check, culprit));
}

/* Neither have the numbers and Char, which toInt() and its like take (02 §4.4). */
static void complain_conversion(struct ns_check *check, struct ns_span where, const char *function,
                                struct ns_term *culprit)
{
    ns_report(check->unit, where,
              "type mismatch in argument 1: `%s` expects numeric type (Int, Float, etc.) but found `%s`",
              function == NULL ? "conversion" : function, ns_term_text(check, culprit));
    if (opened(check))
        ns_note_mismatch(check, ns_basic(check, NS_CON_INT), culprit);
}

/* Nor have Float and Float32, which sqrt() and its like take (03 §8.1). */
static void complain_floating(struct ns_check *check, const struct ns_demand *demand, struct ns_term *culprit)
{
    struct ns_term *wanted = ns_basic(check, NS_CON_FLOAT);

    if (demand->origin.source == NULL)
        ns_complain_argument(check, demand->where, 1, demand->of, wanted, culprit, demand->origin);
    else
        ns_complain_mismatch(check, demand->where, wanted, culprit, demand->origin, NULL);
}

void ns_complain_demand(struct ns_check *check, const struct ns_demand *demand, struct ns_term *culprit)
{
    if (passes_over(check))
        return;
    if (demand->trait == NULL && strcmp(demand->name, "Length") == 0)
        complain_length(check, demand->where, culprit);
    else if (demand->trait == NULL && strcmp(demand->name, "Numeric") == 0)
        complain_conversion(check, demand->where, demand->of, culprit);
    else if (demand->trait == NULL && strcmp(demand->name, "Floating") == 0)
        complain_floating(check, demand, culprit);
    else
        ns_complain_trait(check, demand->where, culprit, demand->name, NULL);
}

/* ---- methods and fields ---- */

/* If a trait of the program has the method, that it is missing is the trait's matter, too. */
static bool note_trait_of(struct ns_check *check, struct ns_term *receiver, const char *method)
{
    const struct ns_trait_info *trait = ns_table_get(&check->unit->trait_methods, method);
    const char *text = ns_term_text(check, receiver);

    if (trait == NULL || trait->space->library ||
        ns_satisfies(check, receiver, trait->name, trait, NULL, NULL) != NS_NO)
        return false;
    ns_also(check->unit->diag, "%s does not implement %s", text, trait->name);
    ns_hint(check->unit->diag, "`%s` is a method of the trait `%s`; a block `%s: %s … end` implements it", method,
            trait->name, text, trait->name);
    return true;
}

void ns_complain_method(struct ns_check *check, struct ns_span where, struct ns_term *receiver, const char *name)
{
    if (passes_over(check))
        return;
    ns_report(check->unit, where, "Type %s has no method %s", ns_head_text(check, receiver), name);
    if (!opened(check))
        return;
    ns_also(check->unit->diag, "no method `%s` found for type `%s`", name, ns_term_text(check, receiver));
    if (!note_trait_of(check, receiver, name))
        ns_suggest_method(check, receiver, name, where);
}

void ns_complain_field(struct ns_check *check, struct ns_span where, struct ns_term *receiver, const char *name)
{
    if (passes_over(check))
        return;
    ns_report(check->unit, where, "Type %s has no field %s", ns_head_text(check, receiver), name);
    if (!opened(check))
        return;
    ns_also(check->unit->diag, "no field `%s` found for type `%s`", name, ns_term_text(check, receiver));
    ns_suggest_field_of(check, receiver, name, where);
}

void ns_complain_indexed(struct ns_check *check, struct ns_span where, struct ns_term *object, bool is_assigned)
{
    if (passes_over(check))
        return;
    ns_report(check->unit, where, "type mismatch: expected List%s, found %s",
              is_assigned ? " or Map" : ", Map or String", ns_term_text(check, object));
    if (!opened(check))
        return;
    if (is_assigned && is_text(object))
        ns_hint(check->unit->diag, "a String never changes; make another one, with `replace` or from its parts");
    ns_note_mismatch(check, ns_list_of(check, ns_variable(check)), object);
}
