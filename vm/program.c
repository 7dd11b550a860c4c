/*
 * program.c - program images: who holds one, and what goes with the last holder.
 *
 * The struct itself is outside of the arena, so that a failing magic tells of a use after the end. Everything
 * else the compiler put into the arena; only the contents of the mvars have lives of their own.
 */
#include "config.h"

#include "vm/program.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "vm/dispatch.h"
#include "vm/mvar.h"
#include "vm/shared.h"

#define PROGRAM_MAGIC 0x9c06a3b7u

struct vm_program *vm_program_new(const char *name)
{
    struct vm_program *program = nb_alloc_zero(sizeof *program);

    if (program == NULL)
        return NULL;
    program->magic = PROGRAM_MAGIC;
    atomic_init(&program->references, 1);
    program->account = vm_account_new();
    if (program->account == NULL) {
        nb_free(program);
        return NULL;
    }
    program->arena = nb_arena_new();
    program->name = nb_arena_strndup(program->arena, name, strlen(name));
    return program;
}

struct vm_program *vm_program_ref(struct vm_program *program)
{
    nb_check_object(program, PROGRAM_MAGIC);
    atomic_fetch_add_explicit(&program->references, 1, memory_order_relaxed);
    return program;
}

static void free_attachment(struct vm_program *program)
{
    struct vm_attachment *attachment = atomic_load(&program->attachment);

    if (attachment != NULL)
        attachment->free(attachment);
}

void vm_program_unref(struct vm_program *program)
{
    if (program == NULL)
        return;
    nb_check_object(program, PROGRAM_MAGIC);
    /* Release: what this holder did comes before the freeing; acquire: the last one sees it all. */
    if (atomic_fetch_sub_explicit(&program->references, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < program->mvar_count; i++)
        vm_mvar_done(program->mvars[i]);
    vm_account_release(program->account);
    vm_dispatch_done(program);
    free_attachment(program);
    nb_arena_free(program->arena);
    program->magic = 0;
    nb_free(program);
}

const struct vm_function *vm_program_function(const struct vm_program *program, const char *name, unsigned arity)
{
    nb_check_object(program, PROGRAM_MAGIC);
    for (uint32_t i = 0; i < program->function_count; i++) {
        const struct vm_function *function = program->functions[i];

        if (function->arity == arity && strcmp(function->name, name) == 0)
            return function;
    }
    return NULL;
}
