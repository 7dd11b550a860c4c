/*
 * satisfy.c - which type implements which trait: the program's implementations, and what 02 §8.6 says of the rest.
 */
#include "config.h"

#include <string.h>

#include "lang/infer.h"

enum { DEPTH_MAX = 50 };

enum builtin_trait {
    TRAIT_EQ, TRAIT_SHOW, TRAIT_HASH, TRAIT_ORD, TRAIT_NUM, TRAIT_CONCAT,
    TRAIT_LENGTH, TRAIT_NUMERIC, TRAIT_FLOATING, /* of natives: type_text.h */
    TRAIT_OTHER
};

static enum builtin_trait builtin_trait(const char *name)
{
    static const struct { const char *name; enum builtin_trait trait; } traits[] = {
        { "Eq", TRAIT_EQ },   { "Show", TRAIT_SHOW },     { "Copy", TRAIT_SHOW }, { "Hash", TRAIT_HASH },
        { "Ord", TRAIT_ORD }, { "Concat", TRAIT_CONCAT }, { "Num", TRAIT_NUM }, { "Length", TRAIT_LENGTH },
        { "Numeric", TRAIT_NUMERIC }, { "Floating", TRAIT_FLOATING },
    };

    for (size_t i = 0; i < sizeof traits / sizeof *traits; i++)
        if (strcmp(traits[i].name, name) == 0)
            return traits[i].trait;
    return TRAIT_OTHER;
}

uint32_t ns_class_of_term(struct ns_term *term)
{
    term = ns_prune(term);
    switch (term->kind) {
    case NS_TERM_DATA:
        return term->data.con->class_key;
    case NS_TERM_FUNCTION:
        return VM_CLASS_FUNCTION;
    case NS_TERM_TUPLE:
        return VM_CLASS_TUPLE;
    default:
        return 0;
    }
}

static bool is_implemented(struct ns_check *check, uint32_t class_key, const char *name,
                           const struct ns_trait_info *trait)
{
    const struct ns_implementation *at = NULL;

    if (class_key != 0)
        at = ns_implementation_of(check->unit, class_key, trait != NULL ? trait->name : name);
    while (at != NULL && trait != NULL && at->trait != NULL && !at->trait->space->library && at->trait != trait)
        at = ns_implementation_before(at);
    return at != NULL;
}

/* What length() counts, but for tuples. */
static bool has_length(enum ns_con_number number)
{
    return number == NS_CON_STRING || number == NS_CON_LIST || number == NS_CON_ARRAY || number == NS_CON_BUFFER ||
           (number >= NS_CON_INT64_ARRAY && number <= NS_CON_FLOAT32_ARRAY);
}

/* How a built-in trait holds of a type without arguments, or of the constructor itself. */
static enum ns_answer holds_of_con(const struct ns_con *con, enum builtin_trait trait)
{
    enum ns_con_number number = con->number;

    if (trait == TRAIT_SHOW)
        return NS_YES;
    if (trait == TRAIT_NUM)
        return number <= NS_CON_FLOAT32 ? NS_YES : NS_NO;
    if (trait == TRAIT_LENGTH)
        return has_length(number) ? NS_YES : NS_NO;
    if (trait == TRAIT_NUMERIC)
        return number <= NS_CON_FLOAT32 || number == NS_CON_CHAR ? NS_YES : NS_NO;
    if (trait == TRAIT_FLOATING)
        return number == NS_CON_FLOAT || number == NS_CON_FLOAT32 ? NS_YES : NS_NO;
    if (trait == TRAIT_CONCAT)
        return number == NS_CON_STRING || number == NS_CON_LIST || number == NS_CON_ARRAY ? NS_YES : NS_NO;
    if (number == NS_CON_DEFINED || number <= NS_CON_FLOAT32)
        return NS_YES;
    switch (number) {
    case NS_CON_STRING:
    case NS_CON_CHAR:
        return NS_YES;
    case NS_CON_BOOL:
    case NS_CON_UNIT:
        return trait == TRAIT_ORD ? NS_NO : NS_YES;
    case NS_CON_LIST:
    case NS_CON_ARRAY:
    case NS_CON_SET:
    case NS_CON_MAP:
    case NS_CON_PID:
        return trait == TRAIT_EQ ? NS_YES : NS_NO;
    default:
        return NS_MAYBE;
    }
}

struct question {
    struct ns_check *check;
    const char *name;
    const struct ns_trait_info *trait;
    const struct ns_demand *pass;
    struct ns_term *culprit;
};

static enum ns_answer ask(struct question *question, struct ns_term *term, int depth);

static enum ns_answer ask_all(struct question *question, struct ns_term *const *terms, uint32_t count, int depth)
{
    enum ns_answer all = NS_YES;

    for (uint32_t i = 0; i < count; i++) {
        enum ns_answer answer = ask(question, terms[i], depth);

        if (answer == NS_NO)
            return NS_NO;
        all = answer == NS_MAYBE ? NS_MAYBE : all;
    }
    return all;
}

static enum ns_answer no(struct question *question, struct ns_term *term)
{
    question->culprit = term;
    return NS_NO;
}

/* No implementation of the program's: what holds by itself. */
static enum ns_answer ask_builtin(struct question *question, struct ns_term *term, enum builtin_trait trait, int depth)
{
    enum ns_answer answer;

    if (term->kind == NS_TERM_FUNCTION)
        return trait == TRAIT_SHOW ? NS_YES : no(question, term);
    if (term->kind == NS_TERM_TUPLE && trait == TRAIT_LENGTH)
        return NS_YES;
    if (term->kind == NS_TERM_TUPLE)
        return trait == TRAIT_NUM || trait == TRAIT_CONCAT || trait == TRAIT_NUMERIC || trait == TRAIT_FLOATING
                   ? no(question, term)
                   : ask_all(question, term->tuple.items, term->tuple.count, depth - 1);
    answer = holds_of_con(term->data.con, trait);
    if (answer == NS_NO)
        return no(question, term);
    if (answer == NS_YES && trait != TRAIT_SHOW && trait != TRAIT_CONCAT && trait != TRAIT_LENGTH)
        return ask_all(question, term->data.arguments, term->data.con->arity, depth - 1);
    return answer;
}

static void pass_on(struct question *question, struct ns_term *variable)
{
    struct ns_demand *demand;

    if (question->pass == NULL)
        return;
    demand = nb_arena_alloc(question->check->arena, sizeof *demand);
    *demand = *question->pass;
    demand->subject = variable;
    demand->next = NULL;
    ns_demand(question->check, demand);
}

static enum ns_answer ask(struct question *question, struct ns_term *term, int depth)
{
    enum builtin_trait trait = builtin_trait(question->name);

    term = ns_prune(term);
    if (term->kind == NS_TERM_VARIABLE)
        pass_on(question, term);
    if (term->kind == NS_TERM_VARIABLE || term->kind == NS_TERM_ANY || term->kind == NS_TERM_NEVER || depth == 0)
        return NS_MAYBE;
    if (is_implemented(question->check, ns_class_of_term(term), question->name, question->trait))
        return NS_YES;
    if (trait != TRAIT_OTHER)
        return ask_builtin(question, term, trait, depth);
    if (question->trait == NULL || ns_class_of_term(term) == 0)
        return NS_MAYBE;
    return no(question, term);
}

enum ns_answer ns_satisfies(struct ns_check *check, struct ns_term *term, const char *name,
                            const struct ns_trait_info *trait, const struct ns_demand *pass,
                            struct ns_term **ret_culprit)
{
    struct question question = { check, name, trait, pass, NULL };
    enum ns_answer answer = ask(&question, term, DEPTH_MAX);

    if (ret_culprit != NULL)
        *ret_culprit = question.culprit;
    return answer;
}

/* Whether code in `space` sees the methods of an implementation: not those of other modules' private traits. */
static bool sees(const struct ns_space *space, const struct ns_implementation *implementation)
{
    const struct ns_trait_info *trait = implementation->trait;

    return space == NULL || trait == NULL || trait->is_public || trait->space->library ||
           ns_is_builtin_trait(trait->name) || ns_is_inside(space, trait->space);
}

struct ns_group *ns_trait_method(struct ns_check *check, struct ns_term *receiver, const char *method, uint32_t count,
                                 const struct ns_space *space)
{
    uint32_t class_key = ns_class_of_term(receiver);
    struct ns_group *at = class_key == 0 ? NULL : ns_method_of(check->unit, class_key, method);

    for (; at != NULL; at = ns_method_before(at))
        if (!at->implementation->space->library && sees(space, at->implementation) && count >= at->required &&
            count <= at->arity)
            return at;
    return NULL;
}
