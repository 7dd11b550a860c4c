/*
 * sample.c - the table of keys as a sample file and as a manual page.
 *
 * In the sample every key is shown commented out with its default, so that the file says the same as an empty one
 * until somebody removes a "#".
 */
#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "conf/key.h"

enum { LINE_BYTES = 100 };

/* A sentence as comment lines, broken between words. */
static void comment(struct nb_buf *out, const char *indent, const char *sentence)
{
    size_t column = 0;

    while (*sentence != '\0') {
        size_t word = strcspn(sentence, " ");

        if (column == 0 || column + 1 + word > LINE_BYTES) {
            nb_buf_printf(out, "%s%s#", column == 0 ? "" : "\n", indent);
            column = strlen(indent) + 1;
        }
        nb_buf_byte(out, ' ');
        nb_buf_append(out, sentence, word);
        column += 1 + word;
        sentence += word;
        sentence += strspn(sentence, " ");
    }
    nb_buf_byte(out, '\n');
}

/* What a key may be, for those where it is worth saying. */
static void bounds(struct nb_buf *out, const char *indent, const struct conf_key *key)
{
    if (key->type != CONF_INT && key->type != CONF_CHOICE)
        return;
    nb_buf_printf(out, "%s# (", indent);
    conf_print_bounds(key, out);
    nb_buf_text(out, ")\n");
}

static void sample_key(struct nb_buf *out, const char *indent, const struct conf_key *key, const void *defaults)
{
    comment(out, indent, key->meaning);
    bounds(out, indent, key);
    nb_buf_printf(out, "%s#%s = ", indent, key->name);
    conf_print_field(key, defaults, out);
    nb_buf_text(out, "\n\n");
}

static void sample_keys(struct nb_buf *out, const char *indent, enum conf_section section, const void *defaults)
{
    for (size_t i = 0; i < conf_key_count; i++)
        if (conf_keys[i].section == section)
            sample_key(out, indent, &conf_keys[i], defaults);
}

static void sample_block(struct nb_buf *out, enum conf_block_kind kind, const void *defaults)
{
    comment(out, "", conf_blocks[kind].meaning);
    nb_buf_printf(out, "%s {\n", conf_blocks[kind].name);
    sample_keys(out, "    ", conf_blocks[kind].sections[0], defaults);
    out->length--; /* no empty line before the brace */
    nb_buf_text(out, "}\n\n");
}

static const char named_blocks[] =
    "# A block for one listener, found by its port, or for one app, found by its name, says what is different there:\n"
    "#\n"
    "#listener web {\n"
    "#    port = 8080\n"
    "#    address = \"127.0.0.1\"\n"
    "#    queue_max = 256\n"
    "#}\n"
    "#\n"
    "#app shop {\n"
    "#    heap_max_mib = 64\n"
    "#    processes_max = 10000\n"
    "#}\n";

struct defaults {
    struct conf_global global;
    struct conf_log log;
    struct conf_listener listener;
    struct conf_app app;
};

static void set_all_defaults(struct defaults *defaults)
{
    memset(defaults, 0, sizeof *defaults);
    conf_set_defaults(CONF_BLOCK_ROOT, &defaults->global);
    conf_set_defaults(CONF_BLOCK_LOG, &defaults->log);
    conf_set_defaults(CONF_BLOCK_LISTENER, &defaults->listener);
    conf_set_defaults(CONF_BLOCK_APP, &defaults->app);
}

void conf_sample(struct nb_buf *out)
{
    struct defaults defaults;

    set_all_defaults(&defaults);
    nb_buf_text(out, "# nostosd.conf - how nostosd runs; see nostosd.conf(5).\n#\n"
                     "# Every key is shown with its default. Test a change with: nostosd --check-config\n\n");
    sample_keys(out, "", CONF_GLOBAL, &defaults.global);
    sample_block(out, CONF_BLOCK_LOG, &defaults.log);
    sample_block(out, CONF_BLOCK_LISTENER_DEFAULTS, &defaults.listener);
    sample_block(out, CONF_BLOCK_APP_DEFAULTS, &defaults.app);
    nb_buf_text(out, named_blocks);
}

/* Text for troff: a backslash, and a dot or quote that begins a line, must not be taken for its own. */
static void roff(struct nb_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            nb_buf_text(out, "\\e");
        else if (*text == '-')
            nb_buf_text(out, "\\-");
        else
            nb_buf_byte(out, *text);
    }
}

static void manual_key(struct nb_buf *out, const struct conf_key *key, const void *defaults)
{
    struct nb_buf words = NB_BUF_INIT;

    conf_print_bounds(key, &words);
    nb_buf_text(&words, "; default ");
    conf_print_field(key, defaults, &words);
    nb_buf_printf(out, ".TP\n.B %s\n\\&(", key->name);
    roff(out, nb_buf_cstr(&words));
    nb_buf_text(out, ")\n.br\n\\&");
    roff(out, key->meaning);
    nb_buf_printf(out, "\nA change takes effect %s.\n", conf_when_text(key->when));
    nb_buf_done(&words);
}

static void manual_keys(struct nb_buf *out, enum conf_section section, const void *defaults)
{
    for (size_t i = 0; i < conf_key_count; i++)
        if (conf_keys[i].section == section)
            manual_key(out, &conf_keys[i], defaults);
}

static void manual_block(struct nb_buf *out, enum conf_block_kind kind, const void *defaults)
{
    nb_buf_printf(out, ".SS %s%s { ... }\n\\&", conf_blocks[kind].name, conf_blocks[kind].is_titled ? " NAME" : "");
    roff(out, conf_blocks[kind].meaning);
    nb_buf_byte(out, '\n');
    manual_keys(out, conf_blocks[kind].sections[0], defaults);
}

static const char manual_head[] =
    ".TH NOSTOSD.CONF 5 \"\" nostosd \"File formats\"\n"
    ".SH NAME\nnostosd.conf \\- configuration of the application server nostosd\n"
    ".SH DESCRIPTION\n"
    "The file holds lines of the form\n.IP\n.EX\nkey = value\n.EE\n.PP\n"
    "and blocks of such lines in braces, some of which have a name:\n.IP\n.EX\n"
    "drain_seconds = 10\n\nlog {\n    level = debug\n}\n\nlistener web {\n    port = 8080\n    queue_max = 256\n}\n"
    ".EE\n.PP\n"
    "Everything has a default, also the file as a whole.\n"
    "Comments begin with # or // and go to the end of the line, or stand between /* and */.\n"
    "A text with spaces stands in double quotes; there, ${NAME} is replaced by that environment variable.\n"
    "A switch may be true or false, yes or no, on or off.\n"
    ".PP\n"
    "Unknown keys, values of the wrong kind or out of bounds, keys that are given twice and contradictions are "
    "errors.\n"
    "They are reported with file and line by\n.IP\n.EX\nnostosd \\-\\-check\\-config \\-\\-config "
    "FILE\n.EE\n.PP\n"
    "and no daemon starts with them.\n"
    ".PP\n"
    "A running daemon reads its file again on SIGHUP (systemctl reload nostosd). With errors in it, nothing changes. "
    "Else what can change at once does; what cannot is reported in the log.\n"
    ".SH KEYS\n.SS Top level\n";

static const char manual_tail[] = ".SH FILES\n"
                                  ".I " NB_SYSCONFDIR "/nostosd.conf\n"
                                  ".SH SEE ALSO\n.BR nostosd (8),\n.BR nostosctl (1),\n.BR nostos (1)\n";

void conf_manual(struct nb_buf *out)
{
    struct defaults defaults;

    set_all_defaults(&defaults);
    nb_buf_text(out, manual_head);
    manual_keys(out, CONF_GLOBAL, &defaults.global);
    manual_block(out, CONF_BLOCK_LOG, &defaults.log);
    manual_block(out, CONF_BLOCK_LISTENER_DEFAULTS, &defaults.listener);
    manual_block(out, CONF_BLOCK_LISTENER, &defaults.listener);
    manual_block(out, CONF_BLOCK_APP_DEFAULTS, &defaults.app);
    manual_block(out, CONF_BLOCK_APP, &defaults.app);
    nb_buf_text(out, manual_tail);
}
