/*
 * session.c - definitions as text, inputs as programs, one process for each (session_run.h).
 *
 * Entering a definition makes a candidate: the entries (session_entries.h) without those it replaces, and the new ones;
 * only if all of that compiles does it become the session's. Programs live as long as the session, because kept values
 * may be closures over their functions, and their mvars go on to be used.
 */
#include "config.h"

#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "cli/session_entries.h"
#include "cli/session_names.h"
#include "cli/session_run.h"
#include "cli/session_value.h"
#include "lang/compile.h"
#include "lang/file.h"
#include "lang/input.h"
#include "vm/program.h"

struct session {
    struct session_options options;
    struct session_run *run;
    struct nb_arena *arena;    /* of entries and their texts; only grows */
    struct session_entries entries;
    unsigned inputs;           /* so far */
    NB_VEC(struct vm_program *) programs;
    NB_VEC(struct vm_mvar *) mvars;
};

/* ---- compiling ---- */

static void report(const struct ns_diag *diag, bool failed)
{
    struct nb_buf text = NB_BUF_INIT;

    ns_diag_print_warnings(diag, &text);
    if (failed)
        ns_diag_print(diag, &text);
    fflush(stdout);
    fputs(nb_buf_cstr(&text), stderr);
    nb_buf_done(&text);
}

/* `quiet`: errors are not shown. Returns the program, or NULL. */
static struct vm_program *compile(struct session *session, const char *file, const char *text, size_t length,
                                  const struct ns_options *wanted, bool quiet)
{
    struct ns_options options = *wanted;
    struct ns_diag *diag = ns_diag_new();
    struct vm_program *program = NULL;
    int r;

    options.types = session->options.types;
    options.mvars = session->mvars.items;
    options.mvar_count = session->mvars.count;
    r = ns_compile_text(file, text, length, &options, diag, &program);
    if (!quiet)
        report(diag, r < 0);
    ns_diag_free(diag);
    return r < 0 ? NULL : program;
}

static void keep_program(struct session *session, struct vm_program *program)
{
    nb_vec_push(&session->programs, program);
    for (uint32_t i = 0; i < program->mvar_count; i++)
        nb_vec_push(&session->mvars, program->mvars[i]);
}

/* ---- what a session has ---- */

static void take_entries(struct session *session, struct session_entries *entries)
{
    nb_vec_done(&session->entries.list);
    session->entries = *entries;
    *entries = (struct session_entries){ .list = { 0 } };
}

/* An mvar that is defined anew begins anew. */
static void forget_mvar(struct session *session, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < session->mvars.count; i++)
        if (strcmp(session->mvars.items[i]->name, name) != 0)
            session->mvars.items[kept++] = session->mvars.items[i];
    session->mvars.count = kept;
}

/* ---- definitions ---- */

static const char *trimmed(const char *text, uint32_t *length)
{
    while (*length > 0 && strchr("; \t\r\n", *text) != NULL) {
        text++;
        --*length;
    }
    return text;
}

static void add_parts(struct session *session, struct session_entries *entries, const struct ns_input *input,
                      const char *text, const char *file)
{
    for (uint32_t i = 0; i < input->part_count; i++) {
        const struct ns_input_part *part = &input->parts[i];
        struct session_entry *entry = nb_arena_alloc(session->arena, sizeof *entry);
        uint32_t length = part->to - part->from;
        const char *start = trimmed(text + part->from, &length);

        entry->key = nb_arena_strndup(session->arena, part->key, strlen(part->key));
        entry->name = part->name;
        entry->kind = part->kind;
        entry->text = nb_arena_strndup(session->arena, start, length);
        entry->file = file;
        entry->input = session->inputs;
        session_entries_add(entries, entry);
    }
}

/* Set the mvars of a program that has just been compiled. They count from then on. */
static bool initialise(struct session *session, struct vm_program *program)
{
    struct session_outcome outcome = { .stop = VM_STOP_END };

    if (program->init != NULL && !session_run_evaluate(session->run, program, program->init, &outcome)) {
        nb_vec_push(&session->programs, program);
        return false;
    }
    keep_program(session, program);
    return true;
}

/* The entries with the mvars they had; definitions that are wrong bring both back. */
struct former { NB_VEC(struct vm_mvar *) mvars; };

static void remember_mvars(struct session *session, struct former *former)
{
    for (size_t i = 0; i < session->mvars.count; i++)
        nb_vec_push(&former->mvars, session->mvars.items[i]);
}

static void bring_back_mvars(struct session *session, const struct former *former)
{
    nb_vec_clear(&session->mvars);
    for (size_t i = 0; i < former->mvars.count; i++)
        nb_vec_push(&session->mvars, former->mvars.items[i]);
}

static bool define(struct session *session, const struct ns_input *input, const char *text, size_t length,
                   const char *file)
{
    struct session_entries candidate = { .list = { 0 } }, others = { .list = { 0 } };
    struct former former = { .mvars = { 0 } };
    struct nb_buf epilogue = NB_BUF_INIT;
    struct vm_program *program;
    bool good;

    session_entries_copy(&candidate, &session->entries, file);
    session->inputs++;
    add_parts(session, &candidate, input, text, file);
    for (size_t i = 0; i < candidate.list.count; i++) /* the new ones are in the text itself */
        for (size_t k = 0; k < session->entries.list.count; k++)
            if (candidate.list.items[i] == session->entries.list.items[k])
                nb_vec_push(&others.list, candidate.list.items[i]);
    session_entries_text(&epilogue, &others);
    remember_mvars(session, &former);
    for (uint32_t i = 0; i < input->part_count; i++)
        if (session_is_value(input->parts[i].kind) && input->parts[i].name != NULL)
            forget_mvar(session, input->parts[i].name);
    program = compile(session, file == NULL ? "input" : file, text, length,
                      &(struct ns_options){ .epilogue = nb_buf_cstr(&epilogue) }, false);
    good = program != NULL && initialise(session, program);
    if (good)
        take_entries(session, &candidate);
    else
        bring_back_mvars(session, &former);
    nb_vec_done(&former.mvars);
    nb_vec_done(&candidate.list);
    nb_vec_done(&others.list);
    nb_buf_done(&epilogue);
    return good;
}

/* ---- statements and bindings ---- */

static struct vm_program *compile_statements(struct session *session, const char *text, size_t length,
                                             struct nb_buf *type)
{
    struct ns_options options = { .statements = true, .entry = NS_INPUT_FUNCTION, .entry_type = type };
    struct nb_buf epilogue = NB_BUF_INIT;
    struct vm_program *program;

    session_entries_text(&epilogue, &session->entries);
    options.epilogue = nb_buf_cstr(&epilogue);
    program = compile(session, "input", text, length, &options, false);
    nb_buf_done(&epilogue);
    return program;
}

static bool run_statements(struct session *session, const char *text, size_t length, struct session_outcome *outcome,
                           struct nb_buf *type)
{
    struct vm_program *program = compile_statements(session, text, length, type);

    if (program == NULL)
        return false;
    keep_program(session, program);
    return session_run_evaluate(session->run, program, program->entry, outcome);
}

static const struct session_entry *value_entry(struct session *session, const char *name, int number, const char *type)
{
    struct session_entry *entry = nb_arena_alloc(session->arena, sizeof *entry);
    struct nb_buf text = NB_BUF_INIT;

    nb_buf_printf(&text, "%s%s%s = Session.value(%d)", name, type[0] == '\0' ? "" : ": ", type, number);
    entry->kind = NS_ITEM_BINDING;
    entry->name = name;
    entry->input = session->inputs;
    entry->text = nb_arena_strndup(session->arena, nb_buf_cstr(&text), text.length);
    nb_buf_clear(&text);
    nb_buf_printf(&text, "value %s", name);
    entry->key = nb_arena_strndup(session->arena, nb_buf_cstr(&text), text.length);
    nb_buf_done(&text);
    return entry;
}

/* Bind names to kept values, if everything compiles then. */
static bool try_values(struct session *session, const struct ns_input *input, const int *numbers, const char *type,
                       bool quiet)
{
    struct session_entries candidate = { .list = { 0 } };
    struct nb_buf text = NB_BUF_INIT;
    struct vm_program *program;

    session_entries_copy(&candidate, &session->entries, NULL);
    session->inputs++;
    for (uint32_t i = 0; i < input->name_count; i++)
        session_entries_add(&candidate, value_entry(session, input->names[i], numbers[i], type));
    session_entries_text(&text, &candidate);
    program = compile(session, "definitions", nb_buf_cstr(&text), text.length, &(struct ns_options){ 0 }, quiet);
    if (program != NULL) {
        vm_program_unref(program);
        take_entries(session, &candidate);
    }
    nb_vec_done(&candidate.list);
    nb_buf_done(&text);
    return program != NULL;
}

static bool report_not_kept(const char *name, int error)
{
    const char *why = error == -EINVAL   ? "it holds a string buffer, which only one process can have"
                      : error == -ENOSPC ? "the session keeps too many values"
                                         : "there is no memory";

    fprintf(stderr, "Error: `%s` is not kept: %s\n", name, why);
    return false;
}

static bool bind(struct session *session, const struct ns_input *input, const char *text, size_t length)
{
    struct session_outcome outcome = { .stop = VM_STOP_END, .wanted = input->name_count };
    struct nb_buf type = NB_BUF_INIT;
    bool good;

    outcome.numbers = nb_xalloc_zero((input->name_count + 1) * sizeof *outcome.numbers);
    good = run_statements(session, text, length, &outcome, input->name_count == 1 ? &type : NULL);
    for (uint32_t i = 0; good && i < input->name_count; i++)
        if (outcome.numbers[i] < 0)
            good = report_not_kept(input->names[i], outcome.numbers[i]);
    if (good && (type.length == 0 || !try_values(session, input, outcome.numbers, nb_buf_cstr(&type), true)))
        good = try_values(session, input, outcome.numbers, "", false);
    nb_free(outcome.numbers);
    nb_buf_done(&type);
    return good;
}

/* `n = 1` is an assignment where n is an mvar. */
static bool is_assignment(const struct session *session, const struct ns_input *input)
{
    for (size_t i = 0; input->name_count == 1 && i < session->entries.list.count; i++)
        if (session->entries.list.items[i]->kind == NS_ITEM_MVAR &&
            strcmp(session->entries.list.items[i]->name, input->names[0]) == 0)
            return true;
    return false;
}

/* ---- the door ---- */

bool session_is_unfinished(const char *text, size_t length)
{
    struct ns_input *input = ns_input_read(text, length);
    bool unfinished = input->kind == NS_INPUT_UNFINISHED;

    ns_input_free(input);
    return unfinished;
}

bool session_enter(struct session *session, const char *text, size_t length)
{
    struct ns_input *input = ns_input_read(text, length);
    struct session_outcome outcome = { .stop = VM_STOP_END };
    bool good = true;

    if (input->kind == NS_INPUT_DEFINITIONS || (input->kind == NS_INPUT_UNFINISHED && input->part_count > 0)) {
        good = define(session, input, text, length, NULL);
    } else if (input->kind == NS_INPUT_BINDING && input->name_count > 0 && !is_assignment(session, input)) {
        good = bind(session, input, text, length);
    } else if (input->kind != NS_INPUT_EMPTY) {
        outcome.silent = input->kind == NS_INPUT_BINDING;
        good = run_statements(session, text, length, &outcome, NULL);
    }
    ns_input_free(input);
    return good;
}

bool session_load(struct session *session, const char *path)
{
    struct nb_arena *arena = nb_arena_new();
    char *text = NULL;
    size_t length = 0;
    const char *problem = ns_file_read(arena, path, &text, &length);
    bool good = false;

    if (problem != NULL) {
        fprintf(stderr, "Error reading file '%s': %s\n", path, problem);
    } else {
        struct ns_input *input = ns_input_read(text, length);

        good = define(session, input, text, length, nb_arena_strndup(session->arena, path, strlen(path)));
        ns_input_free(input);
    }
    nb_arena_free(arena);
    return good;
}

bool session_type(struct session *session, const char *text)
{
    struct nb_buf type = NB_BUF_INIT;
    struct vm_program *program = compile_statements(session, text, strlen(text), &type);

    if (program != NULL)
        puts(type.length > 0 ? nb_buf_cstr(&type) : "the type is not known before it runs");
    vm_program_unref(program);
    nb_buf_done(&type);
    return program != NULL;
}

void session_browse(const struct session *session)
{
    for (size_t i = 0; i < session->entries.list.count; i++) {
        const struct session_entry *entry = session->entries.list.items[i];
        const char *value = entry->kind == NS_ITEM_BINDING ? strstr(entry->text, " = Session.value(") : NULL;
        size_t line = strcspn(entry->text, "\n");

        printf("%.*s\n", (int)(value != NULL ? (size_t)(value - entry->text) : line), entry->text);
    }
}

bool session_document(const struct session *session, const char *name)
{
    bool found = session_names_document(&session->entries, name);

    if (!found)
        fprintf(stderr, "Error: nothing is known of `%s`\n", name);
    return found;
}

void session_each_name(const struct session *session, void (*take)(void *context, const char *name, size_t length),
                       void *context)
{
    session_names_each(&session->entries, take, context);
}

bool session_interrupt(void) { return session_run_interrupt(); }

void session_reset(struct session *session)
{
    session_run_end_processes(session->run);
    nb_vec_clear(&session->entries.list);
    nb_vec_clear(&session->mvars);
}

/* ---- its life ---- */

int session_new(const struct session_options *options, struct session **ret_session)
{
    struct session *session = nb_xalloc_zero(sizeof *session);
    int r;

    session->options = *options;
    session->arena = nb_arena_new();
    r = session_run_new(options, &session->run);
    if (r == 0)
        *ret_session = session;
    return r;
}

struct session *session_free(struct session *session)
{
    if (session == NULL)
        return NULL;
    session->run = session_run_free(session->run);
    session_value_done();
    for (size_t i = 0; i < session->programs.count; i++)
        vm_program_unref(session->programs.items[i]);
    nb_vec_done(&session->programs);
    nb_vec_done(&session->mvars);
    nb_vec_done(&session->entries.list);
    nb_arena_free(session->arena);
    nb_free(session);
    return NULL;
}
