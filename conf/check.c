/* check.c - rules for the form of texts, and those that concern several keys. */
#include "config.h"

#include "conf/parse.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

static bool is_address(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static void check_text(struct conf_parsed *parsed, const struct conf_block_found *block,
                       const struct conf_assignment *a)
{
    if (strcmp(a->key->name, "address") == 0 && !is_address(a->text))
        conf_problem_add(parsed, block, a->line, "address = \"%s\": expected a numeric IPv4 or IPv6 address", a->text);
    if (strcmp(a->key->name, "apps_dir") == 0 && a->text[0] == '\0')
        conf_problem_add(parsed, block, a->line, "apps_dir = \"\": expected the path of a folder");
    if (strcmp(a->key->name, "control_socket") == 0 && strlen(a->text) >= sizeof((struct sockaddr_un *)0)->sun_path)
        conf_problem_add(parsed, block, a->line, "control_socket: a path of a socket has at most %zu bytes",
                         sizeof((struct sockaddr_un *)0)->sun_path - 1);
}

static int64_t number_in(const struct conf_block_found *block, const char *key, int *ret_line)
{
    const struct conf_assignment *assignment = conf_block_assignment(block, key);

    if (assignment == NULL)
        return 0;
    *ret_line = assignment->line;
    return assignment->number;
}

static void check_threads(struct conf_parsed *parsed, const struct conf_block_found *root)
{
    int line = 0;
    int64_t schedulers = number_in(root, "schedulers", &line);
    int64_t threads = number_in(root, "connection_threads", &line);
    int64_t loops = number_in(root, "connection_loops", &line);

    if (schedulers != 0 && loops > schedulers)
        conf_problem_add(parsed, root, line, "connection_loops = %lld: expected at most as many as schedulers (%lld)",
                         (long long)loops, (long long)schedulers);
    if (loops != 0 && threads != 0)
        conf_problem_add(parsed, root, line,
                         "connection_loops and connection_threads: connections are driven by the one or the other");
}

/* Complains if an earlier listener has the same port. */
static void check_port(struct conf_parsed *parsed, const struct conf_block_found *block)
{
    const struct conf_assignment *port = conf_block_assignment(block, "port");

    if (port == NULL) {
        conf_problem_add(parsed, block, block->line, "port is missing");
        return;
    }
    for (const struct conf_block_found *other = parsed->blocks.items; other < block; other++) {
        const struct conf_assignment *same = conf_block_assignment(other, "port");

        if (other->kind == CONF_BLOCK_LISTENER && same != NULL && same->number == port->number && port->number != 0)
            conf_problem_add(parsed, block, port->line, "port = %lld: listener %s has that port already (line %d)",
                             (long long)port->number, other->title, same->line);
    }
}

static void check_title(struct conf_parsed *parsed, const struct conf_block_found *block)
{
    if (block->title[0] == '\0')
        conf_problem_add(parsed, block, block->line, "a name is missing");
    else if (block->kind == CONF_BLOCK_APP && (strchr(block->title, '/') != NULL || block->title[0] == '.'))
        conf_problem_add(parsed, block, block->line, "expected the name of an app, without folder and \".nos\"");
}

void conf_check(struct conf_parsed *parsed)
{
    check_threads(parsed, &parsed->blocks.items[0]);
    for (size_t i = 0; i < parsed->blocks.count; i++) {
        const struct conf_block_found *block = &parsed->blocks.items[i];

        for (size_t k = 0; k < block->assignments.count; k++)
            if (block->assignments.items[k].key->type == CONF_TEXT)
                check_text(parsed, block, &block->assignments.items[k]);
        if (conf_blocks[block->kind].is_titled)
            check_title(parsed, block);
        if (block->kind == CONF_BLOCK_LISTENER)
            check_port(parsed, block);
    }
}
