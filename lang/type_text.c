/*
 * type_text.c - reads the types of natives. A grammar of a few lines, by recursive descent:
 *
 *     text       = [ demand { "," demand } "=>" ] type
 *     demand     = Trait variable
 *     type       = atom [ "->" type ]
 *     atom       = "(" [ parameter { "," parameter } ] ")" | "[" type "]" | variable | Name [ "[" types "]" ]
 *     parameter  = [ name ":" ] type
 */
#include "config.h"

#include "lang/type_text.h"

#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "base/intern.h"
#include "lang/infer.h"

enum { TERMS_MAX = 16, TYPE_NESTING_MAX = 40 };

struct reader {
    struct ns_check *check;
    const char *at;
    const char *error;
    unsigned depth;
    struct { const char *name; struct ns_term *variable; } variables[TERMS_MAX];
    unsigned count;
};

struct terms { struct ns_term *items[TERMS_MAX]; unsigned count; };

static struct ns_term *read_type(struct reader *reader);

/* The first error counts. */
static struct ns_term *fail(struct reader *reader, const char *error)
{
    if (reader->error == NULL)
        reader->error = error;
    return ns_any(reader->check);
}

static void skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " ");
}

static bool take(struct reader *reader, const char *token)
{
    skip_blanks(reader);
    if (strncmp(reader->at, token, strlen(token)) != 0)
        return false;
    reader->at += strlen(token);
    return true;
}

static void expect(struct reader *reader, const char *token, const char *error)
{
    if (!take(reader, token))
        fail(reader, error);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* A name, dots included; "" when there is none. */
static const char *read_word(struct reader *reader)
{
    const char *start;

    skip_blanks(reader);
    start = reader->at;
    while (is_word(*reader->at) || (*reader->at == '.' && is_word(reader->at[1])))
        reader->at++;
    return nb_intern_n(start, (size_t)(reader->at - start));
}

static struct ns_term *variable_named(struct reader *reader, const char *name)
{
    for (unsigned i = 0; i < reader->count; i++)
        if (reader->variables[i].name == name)
            return reader->variables[i].variable;
    if (reader->count == TERMS_MAX)
        return fail(reader, "too many type variables");
    reader->variables[reader->count].name = name;
    reader->variables[reader->count].variable = ns_quantified(reader->check, NULL);
    return reader->variables[reader->count++].variable;
}

static void add(struct reader *reader, struct terms *terms, struct ns_term *term)
{
    if (terms->count == TERMS_MAX)
        fail(reader, "too many types in a list");
    else
        terms->items[terms->count++] = term;
}

static struct ns_term **copied(struct reader *reader, const struct terms *terms)
{
    struct ns_term **items = ns_terms(reader->check, terms->count);

    for (unsigned i = 0; i < terms->count; i++)
        items[i] = terms->items[i];
    return items;
}

static const struct ns_con *con_named(struct ns_check *check, const char *name)
{
    struct ns_unit *unit = check->unit;

    if (strcmp(name, "Int64") == 0)
        return ns_con(check, NS_CON_INT);
    if (strcmp(name, "Float64") == 0)
        return ns_con(check, NS_CON_FLOAT);
    if (strcmp(name, "Unit") == 0)
        return ns_con(check, NS_CON_UNIT);
    for (enum ns_con_number number = 0; number < NS_CON_DEFINED; number++)
        if (strcmp(ns_con(check, number)->name, name) == 0)
            return ns_con(check, number);
    for (size_t i = 0; i < unit->spaces.count && unit->spaces.items[i]->library; i++) {
        const struct ns_member *member = ns_table_get(&unit->spaces.items[i]->members, name);

        if (member != NULL && member->type != NULL && member->type->item->type.kind != NS_DEFINE_ALIAS)
            return ns_con_of(check, member->type);
    }
    return NULL;
}

/* Arguments of a type: as many as it takes, or none for any. */
static struct ns_term *data_of(struct reader *reader, const char *name, const struct terms *arguments)
{
    const struct ns_con *con = con_named(reader->check, name);
    struct terms open = { .count = 0 };

    if (strcmp(name, "Never") == 0)
        return ns_never(reader->check);
    if (con == NULL) {
        struct ns_term *record = ns_record_of_natives(reader->check, name);

        return record != NULL ? record : ns_any(reader->check);
    }
    if (arguments->count == con->arity)
        return ns_data(reader->check, con, copied(reader, arguments));
    if (arguments->count > 0)
        return fail(reader, "wrong number of type arguments");
    for (uint32_t i = 0; i < con->arity; i++)
        add(reader, &open, ns_any(reader->check));
    return ns_data(reader->check, con, copied(reader, &open));
}

static struct ns_term *read_named(struct reader *reader)
{
    struct terms arguments = { .count = 0 };
    const char *name = read_word(reader);

    if (name[0] == '\0')
        return fail(reader, "a type is missing");
    if (!isupper((unsigned char)name[0]))
        return variable_named(reader, name);
    if (!take(reader, "["))
        return data_of(reader, name, &arguments);
    do
        add(reader, &arguments, read_type(reader));
    while (take(reader, ","));
    expect(reader, "]", "`]` is missing");
    return data_of(reader, name, &arguments);
}

/* `name:` in front of a parameter's type says what it is called, nothing for its type. */
static void skip_parameter_name(struct reader *reader)
{
    const char *start;

    skip_blanks(reader);
    start = reader->at;
    while (is_word(*reader->at))
        reader->at++;
    if (*reader->at == ':')
        reader->at++;
    else
        reader->at = start;
}

static void read_parameters(struct reader *reader, struct terms *parameters)
{
    if (take(reader, ")"))
        return;
    do {
        skip_parameter_name(reader);
        add(reader, parameters, read_type(reader));
    } while (take(reader, ","));
    expect(reader, ")", "`)` is missing");
}

static struct ns_term *function_of(struct reader *reader, const struct terms *parameters)
{
    struct ns_term *result = read_type(reader);

    return ns_function_of(reader->check, copied(reader, parameters), parameters->count, parameters->count, result);
}

/* What stands in parentheses: parameters of a function, a tuple, unit, or just a type. */
static struct ns_term *read_parenthesised(struct reader *reader)
{
    struct terms items = { .count = 0 };

    read_parameters(reader, &items);
    if (take(reader, "->"))
        return function_of(reader, &items);
    if (items.count == 0)
        return ns_basic(reader->check, NS_CON_UNIT);
    return items.count == 1 ? items.items[0] : ns_tuple_of(reader->check, copied(reader, &items), items.count);
}

static struct ns_term *read_type(struct reader *reader)
{
    struct terms parameter = { .count = 1 };

    if (reader->error != NULL)
        return ns_any(reader->check);
    if (reader->depth == TYPE_NESTING_MAX)
        return fail(reader, "types nest too deep");
    reader->depth++;
    if (take(reader, "(")) {
        parameter.items[0] = read_parenthesised(reader);
    } else if (take(reader, "[")) {
        parameter.items[0] = ns_list_of(reader->check, read_type(reader));
        expect(reader, "]", "`]` is missing");
    } else {
        parameter.items[0] = read_named(reader);
    }
    reader->depth--;
    return take(reader, "->") ? function_of(reader, &parameter) : parameter.items[0];
}

/* A quantified variable gets its demands by hand: ns_demand() is for variables that are being inferred. */
static void demand_trait(struct reader *reader, struct ns_term *variable, const char *trait)
{
    struct ns_demand *demand = nb_arena_alloc(reader->check->arena, sizeof *demand);

    if (variable->kind != NS_TERM_VARIABLE)
        return;
    demand->kind = NS_DEMAND_TRAIT;
    demand->subject = variable;
    demand->name = trait;
    demand->next = variable->variable.demands;
    variable->variable.demands = demand;
}

static void read_demands(struct reader *reader)
{
    if (strstr(reader->at, "=>") == NULL)
        return;
    do {
        const char *trait = read_word(reader);
        const char *variable = read_word(reader);

        if (trait[0] == '\0' || variable[0] == '\0')
            fail(reader, "a trait and a variable are expected before `=>`");
        else
            demand_trait(reader, variable_named(reader, variable), trait);
    } while (take(reader, ","));
    expect(reader, "=>", "`=>` is missing");
}

struct ns_term *ns_scheme_of_text(struct ns_check *check, const char *text, const char **ret_error)
{
    struct reader reader = { .check = check, .at = text };
    struct ns_term *scheme;

    read_demands(&reader);
    scheme = read_type(&reader);
    skip_blanks(&reader);
    if (*reader.at != '\0')
        fail(&reader, "text behind the type");
    if (ret_error != NULL)
        *ret_error = reader.error;
    return reader.error == NULL ? scheme : NULL;
}
