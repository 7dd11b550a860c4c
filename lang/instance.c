/*
 * instance.c - functions with type parameters, for the type arguments they are called with.
 *
 * Types do not exist while a program runs, but a few built-in functions want to know one: jsonToType[T](json) and its
 * like get the text of T. Where T is a parameter of the function around, that function is compiled once for each list
 * of arguments that calls give, decode[Person](text), or the checker found in their place (type_argument.c).
 */
#include "config.h"

#include "lang/unit.h"

#include <string.h>

/* A function that calls itself with ever larger arguments has instances up to this size of their texts. */
enum { TEXT_MAX = 400 };

/* The type parameters that a group declares: those of its first clause that has any. */
static const struct ns_type_parameter_list *parameters_of(const struct ns_group *group)
{
    for (size_t i = 0; i < group->clauses.count; i++)
        if (group->clauses.items[i]->type_parameters.count > 0)
            return &group->clauses.items[i]->type_parameters;
    return NULL;
}

static bool same_texts(const char *const *left, const char *const *right, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(left[i], right[i]) != 0)
            return false;
    return true;
}

static struct ns_group *find_instance(const struct ns_group *group, const char *const *texts, uint32_t count)
{
    struct ns_group *instance = group->instances;

    while (instance != NULL && !same_texts(instance->bindings->texts, texts, count))
        instance = instance->next_instance;
    return instance;
}

static struct ns_group *new_instance(struct ns_unit *unit, struct ns_group *group,
                                     const struct ns_type_parameter_list *parameters, const char *const *texts)
{
    struct ns_group *instance = nb_arena_alloc(unit->arena, sizeof *instance);
    struct ns_bindings *bindings = nb_arena_alloc(unit->arena, sizeof *bindings);
    const struct vm_function *general = group->function;

    *bindings = (struct ns_bindings){ parameters, texts };
    *instance = *group;
    instance->bindings = bindings;
    instance->instances = NULL;
    instance->queued = false;
    instance->function = ns_function_new(unit, group->space, general->name, group->clauses.items[0]->span);
    instance->function->parameters = general->parameters;
    instance->function->arity = general->arity;
    instance->function->required = general->required;
    instance->next_instance = group->instances;
    group->instances = instance;
    return instance;
}

static struct ns_group *instance_of(struct ns_unit *unit, struct ns_group *group, const char *const *texts,
                                    uint32_t count)
{
    const struct ns_type_parameter_list *parameters = parameters_of(group);
    struct ns_group *known;

    if (parameters == NULL || parameters->count != count)
        return group;
    known = find_instance(group, texts, count);
    return known != NULL ? known : new_instance(unit, group, parameters, texts);
}

struct ns_functions *ns_instances(struct ns_unit *unit, struct ns_space *space, struct ns_functions *functions,
                                  const struct ns_type_list *arguments)
{
    struct ns_functions *instances;
    const char **texts;
    size_t length = 0;

    if (arguments->count == 0)
        return functions;
    texts = nb_arena_array(unit->arena, arguments->count, sizeof *texts);
    for (uint32_t i = 0; i < arguments->count; i++) {
        texts[i] = ns_resolved_type_text(unit, space, arguments->items[i]);
        length += strlen(texts[i]);
    }
    if (length > TEXT_MAX)
        return functions;
    instances = nb_arena_alloc(unit->arena, sizeof *instances);
    instances->name = functions->name;
    instances->space = functions->space;
    for (size_t i = 0; i < functions->groups.count; i++)
        ns_push(unit, &instances->groups, instance_of(unit, functions->groups.items[i], texts, arguments->count));
    return instances;
}
