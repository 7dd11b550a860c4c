/*
 * regex.c - natives of regular expressions.
 *
 * Each collects what it wants of the matches outside of the process's heap and makes its value at the end, so that it
 * can stop in between: a search that takes long goes on in the next time slice (VM_YIELD).
 */
#include "config.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/stress.h"
#include "lib/expect.h"
#include "lib/pattern.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/string.h"

#define JOB_MAGIC 0x4e6e0b5du

enum { SLICE_NS = NB_STRESS_OR(1, 1000000) };

/* One call that is under way. */
struct job {
    unsigned magic;
    struct lib_search search;
    struct nb_buf offsets; /* of what was found: pairs of size_t */
    struct nb_buf text;    /* what replacing has written so far … */
    size_t copied;         /* … for this much of the text */
};

/* What to do with a match; false: no more are wanted. */
typedef bool take_match(struct job *job, struct vm_text text, struct vm_text replacement);

static void job_done(struct job *job)
{
    lib_pattern_unref(job->search.pattern);
    nb_buf_done(&job->offsets);
    nb_buf_done(&job->text);
}

/* ---- going on in the next slice ---- */

static void forget_job(struct vm_process *process)
{
    struct job *job = process->operation;

    process->operation = NULL;
    process->operation_cancel = NULL;
    nb_check_object(job, JOB_MAGIC);
    job_done(job);
    job->magic = 0;
    nb_free(job);
}

/* Keep the job with the process. */
static enum vm_status put_off(struct vm_ctx *ctx, struct job *job)
{
    struct job *kept = ctx->process->operation;

    if (kept == NULL)
        kept = nb_alloc(sizeof *kept);
    if (kept == NULL) {
        job_done(job);
        return VM_NOMEM;
    }
    *kept = *job;
    ctx->process->operation = kept;
    ctx->process->operation_cancel = forget_job;
    return VM_YIELD;
}

/* Take back what was put off, or begin. */
static enum vm_status begin(struct vm_ctx *ctx, const vm_value *args, struct job *ret_job)
{
    struct job *kept = ctx->process->operation;
    struct vm_text pattern = vm_text(args[1]);
    struct nb_buf wrong = NB_BUF_INIT;
    struct lib_pattern *compiled;
    enum vm_status status = VM_OK;

    if (kept != NULL) {
        nb_check_object(kept, JOB_MAGIC);
        *ret_job = *kept;
        ctx->process->operation = NULL;
        ctx->process->operation_cancel = NULL;
        nb_free(kept);
        return VM_OK;
    }
    lib_worked(ctx, pattern.length);
    compiled = lib_pattern_get(pattern.bytes, pattern.length, &wrong);
    if (compiled == NULL) {
        status = vm_raise_panic(ctx, "Invalid regex: %s", nb_buf_cstr(&wrong));
    } else {
        *ret_job = (struct job){ .magic = JOB_MAGIC, .offsets = NB_BUF_INIT, .text = NB_BUF_INIT };
        lib_search_begin(&ret_job->search, compiled);
    }
    nb_buf_done(&wrong);
    return status;
}

static enum vm_status give_up(struct vm_ctx *ctx, struct job *job, enum lib_search_result result)
{
    struct nb_buf words = NB_BUF_INIT;
    enum vm_status status = VM_NOMEM;

    if (result == LIB_SEARCH_LIMIT) {
        lib_search_problem(&job->search, &words);
        status = vm_raise_panic(ctx, "Regex error: %s", nb_buf_cstr(&words));
    }
    nb_buf_done(&words);
    job_done(job);
    return status;
}

/* For whoever wants to know no more than whether there is a match. */
static bool take_nothing(struct job *job, struct vm_text text, struct vm_text replacement)
{
    (void)job, (void)text, (void)replacement;
    return false;
}

/* Search args[0] for args[1] until there are no more matches or no more are wanted; kinds: "SS", or "SSS" with a
 * replacement. VM_OK: the job has what was found and is the caller's to finish. */
static enum vm_status search(struct vm_ctx *ctx, const vm_value *args, const char *kinds, take_match *take,
                             struct job *ret_job)
{
    enum vm_status status = lib_expect(ctx, args, kinds);
    struct vm_text text, replacement = { "", 0, true };
    enum lib_search_result result;
    bool wanted = true;
    uint64_t until_ns;

    if (status == VM_OK)
        status = begin(ctx, args, ret_job);
    if (status != VM_OK)
        return status;
    ret_job->search.whether = take == take_nothing;
    until_ns = ret_job->search.used_ns + SLICE_NS;
    text = vm_text(args[0]);
    if (kinds[2] != '\0')
        replacement = vm_text(args[2]);
    do {
        size_t before = ret_job->search.at;

        result = lib_search_next(&ret_job->search, text.bytes, text.length, SLICE_NS);
        lib_worked(ctx, 16 + ret_job->search.at - before);
        if (result == LIB_SEARCH_FOUND)
            wanted = take(ret_job, text, replacement);
    } while (result == LIB_SEARCH_FOUND && wanted && ctx->reductions > 0 && ret_job->search.used_ns < until_ns);
    if (result == LIB_SEARCH_MORE || (result == LIB_SEARCH_FOUND && wanted))
        return put_off(ctx, ret_job);
    if (result != LIB_SEARCH_FOUND && result != LIB_SEARCH_NONE)
        return give_up(ctx, ret_job, result);
    return VM_OK;
}

static bool was_found(const struct job *job)
{
    return job->search.last_end != SIZE_MAX;
}

/* ---- parts of the text ---- */

static void note(struct job *job, size_t from, size_t to)
{
    size_t pair[2] = { from, to };

    nb_buf_append(&job->offsets, pair, sizeof pair);
}

static size_t noted(const struct job *job)
{
    return job->offsets.length / (2 * sizeof(size_t));
}

static void noted_at(const struct job *job, size_t index, size_t *ret_pair)
{
    memcpy(ret_pair, nb_buf_cstr(&job->offsets) + index * 2 * sizeof(size_t), 2 * sizeof(size_t));
}

/* The noted part of args[0]; () for a group that took no part. */
static vm_value part(struct vm_ctx *ctx, const vm_value *args, const struct job *job, size_t index)
{
    size_t pair[2];

    noted_at(job, index, pair);
    if (pair[0] == LIB_SEARCH_ABSENT)
        return VM_UNIT;
    return vm_string_part(ctx, args[0], (uint32_t)pair[0], (uint32_t)(pair[1] - pair[0]));
}

/* The noted parts as a list; VM_NONE when memory is exhausted. */
static vm_value parts(struct vm_ctx *ctx, const vm_value *args, const struct job *job)
{
    size_t count = noted(job);
    vm_value list = job->offsets.failed ? VM_NONE : vm_list_make(ctx, count);

    VM_ROOT(ctx, list);
    for (size_t i = 0; i < count && list != VM_NONE; i++) {
        vm_value item = part(ctx, args, job, i);

        if (item == VM_NONE)
            list = VM_NONE;
        else
            vm_list_init_at(list, i, item);
    }
    VM_UNROOT(ctx, list);
    return list;
}

static bool take_groups(struct job *job, struct vm_text text, struct vm_text replacement)
{
    const size_t *found = job->search.found;

    (void)text, (void)replacement;
    for (uint32_t i = 0; i < lib_pattern_groups(job->search.pattern); i++)
        note(job, found[2 * i], found[2 * i + 1]);
    return false;
}

static bool take_first(struct job *job, struct vm_text text, struct vm_text replacement)
{
    (void)text, (void)replacement;
    note(job, job->search.found[0], job->search.found[1]);
    return false;
}

static bool take_each(struct job *job, struct vm_text text, struct vm_text replacement)
{
    (void)take_first(job, text, replacement);
    return true;
}

/* What stands in front of the match, from the end of the last. */
static bool take_piece(struct job *job, struct vm_text text, struct vm_text replacement)
{
    (void)text, (void)replacement;
    note(job, job->copied, job->search.found[0]);
    job->copied = job->search.found[1];
    return true;
}

/* ---- replacing ---- */

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A group's name behind a $, in braces or as long as it goes. Its length, 0 when there is none; *ret_all counts the
 * braces too. */
static size_t name_length(const char *at, size_t length, const char **ret_name, size_t *ret_all)
{
    size_t n = 0;

    if (length > 0 && at[0] == '{') {
        const char *end = memchr(at, '}', length);

        if (end == NULL)
            return 0;
        *ret_name = at + 1;
        *ret_all = (size_t)(end - at) + 1;
        return (size_t)(end - at) - 1;
    }
    while (n < length && is_name_byte(at[n]))
        n++;
    *ret_name = at;
    *ret_all = n;
    return n;
}

/* Write what stands for the $ at replacement[at]. How many bytes of the replacement that were. */
static size_t write_group(struct job *job, struct vm_text text, struct vm_text replacement, size_t at)
{
    const char *behind = replacement.bytes + at + 1, *name;
    size_t left = replacement.length - at - 1, all, length;
    int group;

    if (left > 0 && behind[0] == '$') {
        nb_buf_byte(&job->text, '$');
        return 2;
    }
    length = name_length(behind, left, &name, &all);
    if (length == 0) {
        nb_buf_byte(&job->text, '$');
        return 1;
    }
    group = lib_pattern_group(job->search.pattern, name, length);
    if (group >= 0 && job->search.found[2 * group] != LIB_SEARCH_ABSENT)
        nb_buf_append(&job->text, text.bytes + job->search.found[2 * group],
                      job->search.found[2 * group + 1] - job->search.found[2 * group]);
    return 1 + all;
}

static void write_replacement(struct job *job, struct vm_text text, struct vm_text replacement)
{
    for (size_t at = 0; at < replacement.length && !job->text.failed;) {
        const char *dollar = memchr(replacement.bytes + at, '$', replacement.length - at);
        size_t plain = dollar == NULL ? replacement.length - at : (size_t)(dollar - replacement.bytes) - at;

        nb_buf_append(&job->text, replacement.bytes + at, plain);
        at += plain;
        if (dollar != NULL)
            at += write_group(job, text, replacement, at);
    }
}

static bool take_and_replace(struct job *job, struct vm_text text, struct vm_text replacement)
{
    size_t from = job->search.found[0];

    nb_buf_append(&job->text, text.bytes + job->copied, from - job->copied);
    write_replacement(job, text, replacement);
    job->copied = job->search.found[1];
    if (job->text.length > VM_STRING_MAX)
        job->text.failed = true;
    return !job->text.failed;
}

static bool take_and_replace_first(struct job *job, struct vm_text text, struct vm_text replacement)
{
    (void)take_and_replace(job, text, replacement);
    return false;
}

static enum vm_status replace(struct vm_ctx *ctx, const vm_value *args, take_match *take, vm_value *ret)
{
    struct job job;
    enum vm_status status = search(ctx, args, "SSS", take, &job);
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    if (!was_found(&job)) {
        *ret = args[0];
    } else {
        nb_buf_append(&job.text, text.bytes + job.copied, text.length - job.copied);
        status = lib_answer_text(ctx, &job.text, ret);
    }
    job_done(&job);
    return status;
}

/* ---- the natives ---- */

static enum vm_status regex_matches(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct job job;
    enum vm_status status = search(ctx, args, "SS", take_nothing, &job);

    if (status != VM_OK)
        return status;
    *ret = vm_from_bool(was_found(&job));
    job_done(&job);
    return VM_OK;
}

static enum vm_status regex_find(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct job job;
    enum vm_status status = search(ctx, args, "SS", take_first, &job);
    vm_value match;

    if (status != VM_OK)
        return status;
    if (job.offsets.failed) {
        status = VM_NOMEM;
    } else if (noted(&job) == 0) {
        *ret = LIB_NOTHING;
    } else {
        match = part(ctx, args, &job, 0);
        status = lib_answer(match == VM_NONE ? VM_NONE : lib_some(ctx, match), ret);
    }
    job_done(&job);
    return status;
}

static enum vm_status regex_find_all(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct job job;
    enum vm_status status = search(ctx, args, "SS", take_each, &job);

    if (status != VM_OK)
        return status;
    status = lib_answer(parts(ctx, args, &job), ret);
    job_done(&job);
    return status;
}

static enum vm_status regex_replace(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return replace(ctx, args, take_and_replace_first, ret);
}

static enum vm_status regex_replace_all(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return replace(ctx, args, take_and_replace, ret);
}

static enum vm_status regex_split(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct job job;
    enum vm_status status = search(ctx, args, "SS", take_piece, &job);

    if (status != VM_OK)
        return status;
    note(&job, job.copied, vm_text(args[0]).length);
    status = lib_answer(parts(ctx, args, &job), ret);
    job_done(&job);
    return status;
}

static enum vm_status regex_captures(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct job job;
    enum vm_status status = search(ctx, args, "SS", take_groups, &job);
    vm_value groups;

    if (status != VM_OK)
        return status;
    if (!was_found(&job)) {
        *ret = LIB_NOTHING;
    } else {
        groups = parts(ctx, args, &job);
        status = lib_answer(groups == VM_NONE ? VM_NONE : lib_some(ctx, groups), ret);
    }
    job_done(&job);
    return status;
}

#define LIB_TABLE "lib/regex.def"
#define LIB_REGISTER lib_register_regex
#include "lib/table.h"
