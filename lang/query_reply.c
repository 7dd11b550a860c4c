/*
 * query_reply.c - showing what is known of a place.
 */
#include "config.h"

#include <string.h>

#include "lang/query.h"

static const char *const kinds[] = {
    [NS_REPLY_EXPRESSION] = "expression", [NS_REPLY_LOCAL] = "local",   [NS_REPLY_VALUE] = "value",
    [NS_REPLY_FUNCTION] = "function",     [NS_REPLY_METHOD] = "method", [NS_REPLY_FIELD] = "field",
    [NS_REPLY_CONSTRUCTOR] = "constructor", [NS_REPLY_TYPE] = "type",   [NS_REPLY_MODULE] = "module",
};

static void print_lines(struct nb_buf *out, const char *text)
{
    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, "\n");

        nb_buf_printf(out, "    %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

void ns_reply_print(const struct ns_reply *reply, struct nb_buf *out)
{
    uint32_t line, column;

    nb_buf_printf(out, "%s", kinds[reply->kind]);
    if (reply->name != NULL)
        nb_buf_printf(out, " %s", reply->name);
    if (reply->type != NULL)
        nb_buf_printf(out, ": %s", reply->type);
    else if (reply->kind == NS_REPLY_EXPRESSION || reply->kind == NS_REPLY_LOCAL)
        nb_buf_text(out, ": not known before it runs");
    nb_buf_byte(out, '\n');
    if (reply->declared != NULL && (reply->type == NULL || strcmp(reply->type, reply->declared) != 0))
        nb_buf_printf(out, "    declared: %s\n", reply->declared);
    if (reply->definition.source != NULL) {
        ns_source_position(reply->definition.source, reply->definition.from, &line, &column);
        nb_buf_printf(out, "    defined: %s:%u:%u\n", reply->definition.source->file, line, column);
    }
    print_lines(out, reply->documentation);
}

static void json_text(struct nb_buf *out, const char *key, const char *text)
{
    if (text == NULL)
        return;
    nb_buf_printf(out, ",\"%s\":", key);
    ns_json_string(out, text);
}

void ns_reply_json(const struct ns_reply *reply, struct nb_buf *out)
{
    nb_buf_printf(out, "{\"kind\":\"%s\",", kinds[reply->kind]);
    ns_json_place(out, reply->span);
    json_text(out, "name", reply->name);
    json_text(out, "type", reply->type);
    json_text(out, "declared", reply->declared);
    if (reply->definition.source != NULL) {
        nb_buf_text(out, ",\"definition\":{\"file\":");
        ns_json_string(out, reply->definition.source->file);
        nb_buf_byte(out, ',');
        ns_json_place(out, reply->definition);
        nb_buf_byte(out, '}');
    }
    json_text(out, "documentation", reply->documentation);
    nb_buf_text(out, "}\n");
}
