/*
 * pipe.h - x |> f(a), as the call that it stands for.
 */
#ifndef LANG_PIPE_H
#define LANG_PIPE_H

#include "base/arena.h"
#include "lang/ast.h"

/** The call f(x, a) that a pipe x |> f(a) means, with the same parts: the one that the checker looked at and left in
 *  the pipe, as it may have found out something about it, or else a new one. */
struct ns_expr *ns_pipe_call(struct nb_arena *arena, const struct ns_expr *pipe);

#endif
