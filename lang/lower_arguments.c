/*
 * lower_arguments.c - the arguments of calls: which is which parameter's, and what is wrong with them (01 §12.1).
 */
#include "config.h"

#include "lang/lower_call.h"

#include <string.h>

#include "base/buf.h"
#include "lang/suggest.h"

bool ns_call_has_names(const struct ns_call *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        if (call->written[i].name.text != NULL)
            return true;
    return false;
}

bool ns_call_check_count(struct ns_frame *frame, const struct ns_call *call)
{
    if (call->count <= NS_PARAMETERS_MAX)
        return true;
    ns_report(frame->unit, call->span, "more than %d arguments", NS_PARAMETERS_MAX);
    return false;
}

/* Room for one register or expression per argument; in the arena, as calls nest deeply. */
unsigned *ns_call_registers(struct ns_frame *frame, uint32_t count)
{
    return nb_arena_array(frame->unit->arena, count + 1, sizeof(unsigned));
}

struct ns_expr **ns_call_items(struct ns_frame *frame, uint32_t count)
{
    return nb_arena_array(frame->unit->arena, count + 1, sizeof(struct ns_expr *));
}

/* Evaluate expressions in order; NULL: absent. */
unsigned *ns_evaluate_arguments(struct ns_frame *frame, struct ns_expr *const *items, uint32_t count)
{
    struct ns_expr **present = ns_call_items(frame, count);
    unsigned *present_registers = ns_call_registers(frame, count), *registers = ns_call_registers(frame, count);
    uint32_t n = 0;
    unsigned none = 0;

    for (uint32_t i = 0; i < count; i++)
        if (items[i] != NULL)
            present[n++] = items[i];
    ns_operands(frame, present, n, present_registers);
    if (n < count) {
        none = ns_code_take(&frame->code, 1);
        ns_code_const(&frame->code, none, VM_NONE);
    }
    n = 0;
    for (uint32_t i = 0; i < count; i++)
        registers[i] = items[i] != NULL ? present_registers[n++] : none;
    return registers;
}

void ns_evaluate_positional(struct ns_frame *frame, struct ns_call *call, uint32_t count)
{
    struct ns_expr **items = ns_call_items(frame, count);

    for (uint32_t i = 0; i < count && i < call->count; i++)
        items[i] = call->written[i].value;
    call->registers = ns_evaluate_arguments(frame, items, count);
}

/* "area(w: Int, h) -> Int", as the first clause has it. */
static void note_signature(struct ns_frame *frame, const struct ns_group *group)
{
    const struct ns_function *first = group->clauses.items[0];
    struct nb_buf text = NB_BUF_INIT;

    for (uint32_t i = 0; i < group->arity; i++) {
        nb_buf_printf(&text, "%s%s", i > 0 ? ", " : "",
                      group->parameter_names[i] == NULL ? "_" : group->parameter_names[i]);
        if (group->types[i] != NULL)
            nb_buf_printf(&text, ": %s", ns_type_text(frame->unit, group->types[i]));
    }
    nb_buf_text(&text, ")");
    if (first->return_type != NULL)
        nb_buf_printf(&text, " -> %s", ns_type_text(frame->unit, first->return_type));
    ns_note(frame->unit->diag, "function signature: %s(%s", group->name, nb_buf_cstr(&text));
    nb_buf_done(&text);
}

/* `group`: what is called, or NULL. */
void ns_report_count(struct ns_frame *frame, const struct ns_call *call, unsigned expected,
                     const struct ns_group *group)
{
    ns_report(frame->unit, call->span, "function `%s` expects %u argument%s, but %u %s provided", call->name, expected,
              expected == 1 ? "" : "s", call->count, call->count == 1 ? "was" : "were");
    if (!ns_reported(frame->unit))
        return;
    if (group != NULL && strcmp(group->name, call->name) != 0) /* it was called by a path */
        ns_also(frame->unit->diag, "function `%s` expects %u argument%s, but %u %s provided", group->name, expected,
                expected == 1 ? "" : "s", call->count, call->count == 1 ? "was" : "were");
    ns_note(frame->unit->diag, "Wrong number of arguments: expected %u, found %u", expected, call->count);
    if (group != NULL)
        note_signature(frame, group);
}

void ns_report_wrong_number(struct ns_frame *frame, const struct ns_call *call, unsigned expected)
{
    ns_report(frame->unit, call->span, "Wrong number of arguments: expected %u, found %u", expected, call->count);
}

struct ns_parameters ns_parameters_of(const struct ns_group *group)
{
    return (struct ns_parameters){ group->parameter_names, group->defaults, group->arity, group->required, group };
}

static void report_unknown_argument(struct ns_frame *frame, const struct ns_name *name, struct ns_parameters parameters)
{
    struct nb_buf names = NB_BUF_INIT;

    for (uint32_t i = 0; i < parameters.arity; i++)
        if (parameters.names[i] != NULL)
            nb_buf_printf(&names, "%s%s", names.length > 0 ? ", " : "", parameters.names[i]);
    ns_report(frame->unit, name->span, "unknown named argument '%s'; valid parameter names are: %s", name->text,
              nb_buf_cstr(&names));
    ns_suggest_among(frame->unit, parameters.names, parameters.arity, name);
    nb_buf_done(&names);
}

int ns_parameter_position(struct ns_parameters parameters, const char *name)
{
    for (uint32_t i = 0; i < parameters.arity; i++)
        if (parameters.names[i] == name)
            return (int)i;
    return -1;
}

/* Put arguments in their parameters' places (01 §12.1). False when that was an error. */
bool ns_place_arguments(struct ns_frame *frame, const struct ns_call *call, struct ns_parameters parameters,
                        struct ns_expr **ret_items)
{
    uint32_t next = 0;

    memset(ret_items, 0, parameters.arity * sizeof *ret_items);
    for (uint32_t i = 0; i < call->count; i++) {
        const struct ns_argument *argument = &call->written[i];
        int position;

        if (argument->name.text == NULL) {
            while (next < parameters.arity && ret_items[next] != NULL)
                next++;
            position = (int)next;
        } else if ((position = ns_parameter_position(parameters, argument->name.text)) < 0) {
            report_unknown_argument(frame, &argument->name, parameters);
            return false;
        } else if (ret_items[position] != NULL) {
            ns_report(frame->unit, argument->name.span, "duplicate named argument '%s'", argument->name.text);
            return false;
        }
        if ((uint32_t)position >= parameters.arity) {
            ns_report_count(frame, call, parameters.required, parameters.group);
            return false;
        }
        ret_items[position] = argument->value;
    }
    for (uint32_t i = 0; i < parameters.arity; i++)
        if (ret_items[i] == NULL && (parameters.defaults == NULL || parameters.defaults[i] == NULL)) {
            ns_report_count(frame, call, parameters.required, parameters.group);
            return false;
        }
    return true;
}

/* Evaluate what was written so that errors inside are reported, too. */
void ns_evaluate_for_errors(struct ns_frame *frame, const struct ns_call *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ns_lower(frame, call->written[i].value, ns_nowhere());
}

/* The arguments with one more in front. */
struct ns_argument_list ns_with_argument(struct ns_frame *frame, struct ns_expr *first,
                                         const struct ns_argument_list *rest)
{
    struct ns_argument_list list = { nb_arena_array(frame->unit->arena, rest->count + 1, sizeof *list.items),
                                     rest->count + 1 };

    list.items[0].value = first;
    if (rest->count > 0)
        memcpy(list.items + 1, rest->items, rest->count * sizeof *list.items);
    return list;
}
