/*
 * pipe.c - pipes are calls written in another order (01 §4): x |> f(a) is f(x, a), x |> f is f(x), x |> Some is
 * Some(x).
 */
#include "config.h"

#include "lang/pipe.h"

#include <string.h>

/* Whether the right side is a call that only lacks its first argument. */
static bool is_call(const struct ns_expr *right)
{
    return (right->kind == NS_EXPR_CALL || right->kind == NS_EXPR_METHOD_CALL || right->kind == NS_EXPR_CONSTRUCT) &&
           !right->parenthesised;
}

static struct ns_argument_list with_first(struct nb_arena *arena, struct ns_expr *first,
                                          const struct ns_argument_list *rest)
{
    uint32_t count = rest == NULL ? 0 : rest->count;
    struct ns_argument_list list = { nb_arena_array(arena, count + 1, sizeof *list.items), count + 1 };

    list.items[0].value = first;
    if (count > 0)
        memcpy(list.items + 1, rest->items, count * sizeof *list.items);
    return list;
}

static struct ns_expr *make_call(struct nb_arena *arena, const struct ns_expr *pipe)
{
    struct ns_expr *right = pipe->pair.right, *call = nb_arena_alloc(arena, sizeof *call);

    if (is_call(right)) {
        *call = *right;
    } else if (right->kind == NS_EXPR_UPPER) {
        call->kind = NS_EXPR_CONSTRUCT;
        call->call.name = (struct ns_name){ right->name, right->span };
    } else {
        call->kind = NS_EXPR_CALL;
        call->call.callee = right;
    }
    call->span = pipe->span;
    call->call.arguments = with_first(arena, pipe->pair.left, is_call(right) ? &right->call.arguments : NULL);
    return call;
}

struct ns_expr *ns_pipe_call(struct nb_arena *arena, const struct ns_expr *pipe)
{
    return pipe->pair.call != NULL ? pipe->pair.call : make_call(arena, pipe);
}
