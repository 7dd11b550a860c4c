/*
 * term.c - making types, looking at them, printing them as 02 §2.5 says.
 */
#include "config.h"

#include "lang/term.h"

#include <string.h>

#include "base/intern.h"
#include "lang/infer.h"

enum { KNOWN_NODES_MAX = 2000, PRINT_DEPTH_MAX = 40, PRINT_BYTES_MAX = 2000 };

/* ---- constructors ---- */

static const struct { const char *name; uint32_t arity, class_key; } builtins[NS_CON_COUNT] = {
    [NS_CON_INT] = { "Int", 0, VM_CLASS_INT },
    [NS_CON_INT8] = { "Int8", 0, VM_CLASS_INT8 },
    [NS_CON_INT16] = { "Int16", 0, VM_CLASS_INT16 },
    [NS_CON_INT32] = { "Int32", 0, VM_CLASS_INT32 },
    [NS_CON_UINT8] = { "UInt8", 0, VM_CLASS_UINT8 },
    [NS_CON_UINT16] = { "UInt16", 0, VM_CLASS_UINT16 },
    [NS_CON_UINT32] = { "UInt32", 0, VM_CLASS_UINT32 },
    [NS_CON_UINT64] = { "UInt64", 0, VM_CLASS_UINT64 },
    [NS_CON_BIGINT] = { "BigInt", 0, VM_CLASS_BIGINT },
    [NS_CON_DECIMAL] = { "Decimal", 0, VM_CLASS_DECIMAL },
    [NS_CON_FLOAT] = { "Float", 0, VM_CLASS_FLOAT },
    [NS_CON_FLOAT32] = { "Float32", 0, VM_CLASS_FLOAT32 },
    [NS_CON_BOOL] = { "Bool", 0, VM_CLASS_BOOL },
    [NS_CON_CHAR] = { "Char", 0, VM_CLASS_CHAR },
    [NS_CON_STRING] = { "String", 0, VM_CLASS_STRING },
    [NS_CON_UNIT] = { "()", 0, VM_CLASS_UNIT },
    [NS_CON_PID] = { "Pid", 0, VM_CLASS_PID },
    [NS_CON_REF] = { "Ref", 0, 0 },
    [NS_CON_BUFFER] = { "Buffer", 0, VM_CLASS_BUFFER },
    [NS_CON_INT64_ARRAY] = { "Int64Array", 0, VM_CLASS_INT64_ARRAY },
    [NS_CON_FLOAT64_ARRAY] = { "Float64Array", 0, VM_CLASS_FLOAT64_ARRAY },
    [NS_CON_FLOAT32_ARRAY] = { "Float32Array", 0, VM_CLASS_FLOAT32_ARRAY },
    [NS_CON_SERVER] = { "Server", 0, 0 },
    [NS_CON_WEB_SOCKET] = { "WebSocket", 0, 0 },
    [NS_CON_LIST] = { "List", 1, VM_CLASS_LIST },
    [NS_CON_ARRAY] = { "Array", 1, VM_CLASS_LIST },
    [NS_CON_SET] = { "Set", 1, VM_CLASS_SET },
    [NS_CON_IO] = { "IO", 1, 0 },
    [NS_CON_MAP] = { "Map", 2, VM_CLASS_MAP },
};

const struct ns_con *ns_con(struct ns_check *check, enum ns_con_number number)
{
    struct ns_con *con = check->cons[number];

    if (con != NULL)
        return con;
    con = nb_arena_alloc(check->arena, sizeof *con);
    con->number = number;
    con->name = builtins[number].name;
    con->arity = builtins[number].arity;
    con->class_key = builtins[number].class_key;
    check->cons[number] = con;
    return con;
}

const struct ns_con *ns_con_of(struct ns_check *check, struct ns_type_info *info)
{
    struct ns_con *con = info->con;

    if (con != NULL)
        return con;
    con = nb_arena_alloc(check->arena, sizeof *con);
    con->number = NS_CON_DEFINED;
    con->name = info->space->library ? info->name : info->qualified;
    con->arity = info->item->type.parameters.count;
    con->info = info;
    con->class_key = info->class_key;
    info->con = con;
    return con;
}

static const struct ns_con *library_con(struct ns_check *check, const char *name)
{
    struct ns_unit *unit = check->unit;

    name = nb_intern(name);
    for (size_t i = 0; i < unit->spaces.count && unit->spaces.items[i]->library; i++) {
        const struct ns_member *member = ns_table_get(&unit->spaces.items[i]->members, name);

        if (member != NULL && member->type != NULL && unit->spaces.items[i]->module->prelude)
            return ns_con_of(check, member->type);
    }
    return NULL;
}

const struct ns_con *ns_option_con(struct ns_check *check)
{
    if (check->option == NULL)
        check->option = library_con(check, "Option");
    return check->option;
}

const struct ns_con *ns_result_con(struct ns_check *check)
{
    if (check->result == NULL)
        check->result = library_con(check, "Result");
    return check->result;
}

/* ---- making ---- */

static struct ns_term *new_term(struct ns_check *check, enum ns_term_kind kind)
{
    struct ns_term *term = nb_arena_alloc(check->arena, sizeof *term);

    term->kind = kind;
    return term;
}

struct ns_term *ns_variable(struct ns_check *check)
{
    struct ns_term *term = new_term(check, NS_TERM_VARIABLE);

    term->variable.level = check->level;
    return term;
}

struct ns_term *ns_quantified(struct ns_check *check, const char *name)
{
    struct ns_term *term = new_term(check, NS_TERM_VARIABLE);

    term->variable.level = NS_LEVEL_QUANTIFIED;
    term->variable.name = name;
    return term;
}

struct ns_term *ns_any(struct ns_check *check)
{
    if (check->any == NULL)
        check->any = new_term(check, NS_TERM_ANY);
    return check->any;
}

struct ns_term *ns_never(struct ns_check *check)
{
    if (check->never == NULL)
        check->never = new_term(check, NS_TERM_NEVER);
    return check->never;
}

struct ns_term **ns_terms(struct ns_check *check, uint32_t count)
{
    return nb_arena_array(check->arena, count + 1, sizeof(struct ns_term *));
}

struct ns_term *ns_data(struct ns_check *check, const struct ns_con *con, struct ns_term **arguments)
{
    struct ns_term *term = new_term(check, NS_TERM_DATA);

    term->data.con = con;
    term->data.arguments = arguments;
    return term;
}

struct ns_term *ns_basic(struct ns_check *check, enum ns_con_number number)
{
    if (check->basics[number] == NULL)
        check->basics[number] = ns_data(check, ns_con(check, number), NULL);
    return check->basics[number];
}

static struct ns_term *data_1(struct ns_check *check, const struct ns_con *con, struct ns_term *argument)
{
    struct ns_term **arguments = ns_terms(check, 1);

    arguments[0] = argument;
    return ns_data(check, con, arguments);
}

struct ns_term *ns_list_of(struct ns_check *check, struct ns_term *element)
{
    return data_1(check, ns_con(check, NS_CON_LIST), element);
}

struct ns_term *ns_set_of(struct ns_check *check, struct ns_term *element)
{
    return data_1(check, ns_con(check, NS_CON_SET), element);
}

struct ns_term *ns_map_of(struct ns_check *check, struct ns_term *key, struct ns_term *value)
{
    struct ns_term **arguments = ns_terms(check, 2);

    arguments[0] = key;
    arguments[1] = value;
    return ns_data(check, ns_con(check, NS_CON_MAP), arguments);
}

struct ns_term *ns_tuple_of(struct ns_check *check, struct ns_term **items, uint32_t count)
{
    struct ns_term *term = new_term(check, NS_TERM_TUPLE);

    term->tuple.items = items;
    term->tuple.count = count;
    return term;
}

struct ns_term *ns_function_of(struct ns_check *check, struct ns_term **parameters, uint32_t count, uint32_t required,
                               struct ns_term *result)
{
    struct ns_term *term = new_term(check, NS_TERM_FUNCTION);

    term->function.parameters = parameters;
    term->function.count = count;
    term->function.required = required;
    term->function.result = result;
    return term;
}

/* ---- looking ---- */

struct ns_term *ns_prune(struct ns_term *term)
{
    while (term->kind == NS_TERM_VARIABLE && term->variable.link != NULL)
        term = term->variable.link;
    return term;
}

bool ns_is_basic(struct ns_term *term, enum ns_con_number number)
{
    term = ns_prune(term);
    return term->kind == NS_TERM_DATA && term->data.con->number == number;
}

bool ns_is_number(struct ns_term *term)
{
    term = ns_prune(term);
    return term->kind == NS_TERM_DATA && term->data.con->number <= NS_CON_FLOAT32;
}

const struct ns_con *ns_con_of_term(struct ns_term *term)
{
    term = ns_prune(term);
    return term->kind == NS_TERM_DATA ? term->data.con : NULL;
}

static bool is_known(struct ns_term *term, uint32_t *fuel)
{
    term = ns_prune(term);
    if (*fuel == 0)
        return false;
    --*fuel;
    switch (term->kind) {
    case NS_TERM_VARIABLE:
    case NS_TERM_ANY:
    case NS_TERM_NEVER:
        return false;
    case NS_TERM_DATA:
        for (uint32_t i = 0; i < term->data.con->arity; i++)
            if (!is_known(term->data.arguments[i], fuel))
                return false;
        return true;
    case NS_TERM_FUNCTION:
        for (uint32_t i = 0; i < term->function.count; i++)
            if (!is_known(term->function.parameters[i], fuel))
                return false;
        return is_known(term->function.result, fuel);
    case NS_TERM_TUPLE:
        for (uint32_t i = 0; i < term->tuple.count; i++)
            if (!is_known(term->tuple.items[i], fuel))
                return false;
        return true;
    }
    return false;
}

bool ns_is_unknown(const struct ns_term *term)
{
    return term->kind == NS_TERM_VARIABLE || term->kind == NS_TERM_ANY || term->kind == NS_TERM_NEVER;
}

bool ns_is_known(struct ns_term *term)
{
    uint32_t fuel = KNOWN_NODES_MAX;

    return is_known(term, &fuel);
}

/* ---- printing ---- */

static void print(struct nb_buf *out, struct ns_term *term, struct ns_variable_names *names, int depth);

static void print_list(struct nb_buf *out, struct ns_term *const *terms, uint32_t count,
                       struct ns_variable_names *names, int depth)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            nb_buf_text(out, ", ");
        print(out, terms[i], names, depth);
    }
}

/* a, b, … z, a1, b1, … */
static void print_variable(struct nb_buf *out, struct ns_term *term, struct ns_variable_names *names)
{
    size_t at = 0;

    while (at < names->variables.count && names->variables.items[at] != term)
        at++;
    if (at == names->variables.count)
        nb_vec_push(&names->variables, term);
    nb_buf_byte(out, (char)('a' + at % 26));
    if (at >= 26)
        nb_buf_printf(out, "%zu", at / 26);
}

static void print(struct nb_buf *out, struct ns_term *term, struct ns_variable_names *names, int depth)
{
    term = ns_prune(term);
    if (depth == 0 || out->length > PRINT_BYTES_MAX) {
        nb_buf_text(out, "…");
        return;
    }
    switch (term->kind) {
    case NS_TERM_VARIABLE:
        print_variable(out, term, names);
        break;
    case NS_TERM_ANY:
        nb_buf_byte(out, '_');
        break;
    case NS_TERM_NEVER:
        nb_buf_text(out, "Never");
        break;
    case NS_TERM_DATA:
        nb_buf_text(out, term->data.con->name);
        if (term->data.con->arity == 0)
            break;
        nb_buf_byte(out, '[');
        print_list(out, term->data.arguments, term->data.con->arity, names, depth - 1);
        nb_buf_byte(out, ']');
        break;
    case NS_TERM_FUNCTION:
        nb_buf_byte(out, '(');
        print_list(out, term->function.parameters, term->function.count, names, depth - 1);
        nb_buf_text(out, ") -> ");
        print(out, term->function.result, names, depth - 1);
        break;
    case NS_TERM_TUPLE:
        nb_buf_byte(out, '(');
        print_list(out, term->tuple.items, term->tuple.count, names, depth - 1);
        nb_buf_byte(out, ')');
        break;
    }
}

void ns_print_term(struct nb_buf *out, struct ns_term *term, struct ns_variable_names *names)
{
    print(out, term, names, PRINT_DEPTH_MAX);
}

const char *ns_term_text(struct ns_check *check, struct ns_term *term)
{
    struct nb_buf text = NB_BUF_INIT;
    struct ns_variable_names names = { NB_VEC_INIT };
    const char *kept;

    ns_print_term(&text, term, &names);
    kept = nb_arena_strndup(check->arena, nb_buf_cstr(&text), text.length);
    nb_buf_done(&text);
    nb_vec_done(&names.variables);
    return kept;
}

const char *ns_head_text(struct ns_check *check, struct ns_term *term)
{
    term = ns_prune(term);
    if (term->kind == NS_TERM_DATA)
        return term->data.con->name;
    if (term->kind == NS_TERM_FUNCTION)
        return "Function";
    return ns_term_text(check, term);
}
