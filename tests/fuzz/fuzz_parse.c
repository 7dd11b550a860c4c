/*
 * fuzz_parse.c - any bytes through the lexer and the parser: nothing may crash, hang or leak; trees that come without
 * errors must be printable.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "lang/parse.h"
#include "tests/unit/dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct ns_file *file, const struct ns_diag *diag)
{
    struct nb_buf out = NB_BUF_INIT;

    if (ns_diag_count(diag) == 0)
        dump_file(file, &out);
    else
        ns_diag_print(diag, &out);
    nb_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nb_arena *arena = nb_arena_new();
    struct ns_diag *diag = ns_diag_new();
    struct ns_references references = { nb_map_new(), nb_map_new(), nb_map_new() };
    const struct ns_source *source =
        ns_diag_source(diag, "fuzz.nos", "", (const char *)data, (uint32_t)size, false, false);

    show(ns_parse(arena, source, diag, &references), diag);
    nb_map_free(references.paths);
    nb_map_free(references.uppers);
    nb_map_free(references.upper_calls);
    ns_diag_free(diag);
    nb_arena_free(arena);
    return 0;
}
