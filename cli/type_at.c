/*
 * type_at.c - one question to one program.
 */
#include "config.h"

#include "cli/type_at.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/complaint.h"
#include "lang/diag.h"
#include "lang/query.h"

/* Cut ":NUMBER" off the end of a text. */
static bool cut_number(char *text, unsigned *ret_number)
{
    char *colon = strrchr(text, ':'), *end;
    unsigned long number;

    if (colon == NULL || colon[1] < '1' || colon[1] > '9')
        return false;
    number = strtoul(colon + 1, &end, 10);
    if (*end != '\0' || number > UINT32_MAX)
        return false;
    *colon = '\0';
    *ret_number = (unsigned)number;
    return true;
}

bool type_at_parse(char *text, struct type_at_place *ret_place)
{
    ret_place->file = text;
    return cut_number(text, &ret_place->column) && cut_number(text, &ret_place->line) && text[0] != '\0';
}

static bool print_reply(struct ns_query *query, const struct type_at_place *place, bool json)
{
    struct nb_buf text = NB_BUF_INIT;
    struct ns_reply reply;

    if (!ns_query_at(query, place->file, place->line, place->column, &reply)) {
        fprintf(stderr, "Error: nothing is known of what stands at %s:%u:%u\n", place->file, place->line,
                place->column);
        return false;
    }
    if (json)
        ns_reply_json(&reply, &text);
    else
        ns_reply_print(&reply, &text);
    fputs(nb_buf_cstr(&text), stdout);
    nb_buf_done(&text);
    return true;
}

int type_at_main(const char *path, const struct type_at_place *place, const struct ns_options *options, bool json)
{
    struct ns_diag *diag = ns_diag_new();
    struct ns_query *query = NULL;
    int status = EXIT_FAILURE;

    if (ns_query_new(path == NULL ? place->file : path, options, diag, &query) < 0)
        complaint_print(diag, json);
    else if (print_reply(query, place, json))
        status = EXIT_SUCCESS;
    ns_query_free(query);
    ns_diag_free(diag);
    return status;
}
