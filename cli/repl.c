/*
 * repl.c - the prompt: lines become inputs and commands.
 *
 * At a terminal lines are edited by libedit and remembered in a file from one session to the next. Otherwise nothing
 * is printed but results and errors, so that a text may be piped in.
 */
#include "config.h"

#include "cli/repl.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "cli/repl_complete.h"
#include "cli/session.h"

enum { HISTORY_LINES = 1000, EXIT_INTERRUPTED = 130 };

struct repl {
    struct session *session;
    EditLine *edit;            /* NULL: no terminal */
    History *history;
    char *history_file;        /* NULL: nowhere */
    struct nb_buf input;       /* lines of the input so far */
    unsigned empty_lines;      /* that came last */
    char *line;                /* getline's */
    size_t line_bytes;
    bool done;
};

static volatile sig_atomic_t at_prompt, signalled;

static const char help[] =
    "Type a definition, a binding (x = 1), or statements: what they give is printed.\n"
    "An unfinished input goes on in the next line; two empty lines end it. Ctrl-C interrupts.\n"
    "The tabulator key completes names.\n"
    "  :type EXPR    the static type of an expression, which does not run\n"
    "  :doc NAME     what is known of a function, a namespace, a module or a definition\n"
    "  :browse       what the session has defined\n"
    "  :load FILE    take the definitions of a file, anew if it was loaded before\n"
    "  :reset        forget everything\n"
    "  :help         this text\n"
    "  :quit         end the session\n";

/* ---- commands ---- */

static void show_help(struct repl *repl, const char *rest)
{
    (void)repl;
    (void)rest;
    fputs(help, stdout);
}

static void quit(struct repl *repl, const char *rest)
{
    (void)rest;
    repl->done = true;
}

static void load(struct repl *repl, const char *rest) { session_load(repl->session, rest); }

static void type(struct repl *repl, const char *rest) { session_type(repl->session, rest); }

static void document(struct repl *repl, const char *rest) { session_document(repl->session, rest); }

static void browse(struct repl *repl, const char *rest)
{
    (void)rest;
    session_browse(repl->session);
}

static void reset(struct repl *repl, const char *rest)
{
    (void)rest;
    session_reset(repl->session);
}

static const struct { const char *word; bool takes; void (*run)(struct repl *repl, const char *rest); } commands[] = {
    { "help", false, show_help }, { "h", false, show_help }, { "?", false, show_help }, { "quit", false, quit },
    { "q", false, quit },         { "exit", false, quit },   { "load", true, load },    { "l", true, load },
    { "type", true, type },       { "t", true, type },       { "doc", true, document }, { "browse", false, browse },
    { "reset", false, reset },
};

/* `line` begins behind the colon; it is cut into word and rest. */
static void run_command(struct repl *repl, char *line)
{
    size_t word = strcspn(line, " \t\r\n"), end = strlen(line);
    const char *rest;

    while (end > 0 && strchr(" \t\r\n", line[end - 1]) != NULL)
        line[--end] = '\0';
    rest = line + word + strspn(line + word, " \t");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strlen(commands[i].word) != word || strncmp(line, commands[i].word, word) != 0)
            continue;
        if (commands[i].takes && *rest == '\0')
            fprintf(stderr, "Error: :%s wants something to look at, see :help\n", commands[i].word);
        else
            commands[i].run(repl, rest);
        return;
    }
    fprintf(stderr, "Error: there is no command :%.*s, see :help\n", (int)word, line);
}

/* ---- history ---- */

/* Make the folders above a file, as far as they are missing. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

static char *history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    struct nb_buf path = NB_BUF_INIT;

    if (state != NULL && state[0] == '/')
        nb_buf_printf(&path, "%s/nostos/history", state);
    else if (home != NULL && home[0] == '/')
        nb_buf_printf(&path, "%s/.local/state/nostos/history", home);
    else
        return NULL;
    return nb_buf_take(&path);
}

static void remember(struct repl *repl, const char *text)
{
    HistEvent event;

    if (repl->history != NULL && text[strspn(text, " \t\r\n")] != '\0')
        history(repl->history, &event, H_ENTER, text);
}

static void save_history(struct repl *repl)
{
    HistEvent event;
    mode_t before = umask(077);

    make_folders(repl->history_file);
    history(repl->history, &event, H_SAVE, repl->history_file);
    umask(before);
}

/* ---- lines ---- */

static char *prompt(EditLine *edit)
{
    static char first[] = "nostos> ", more[] = "   ...> ";
    struct repl *repl = NULL;

    el_get(edit, EL_CLIENTDATA, &repl);
    return repl->input.length == 0 ? first : more;
}

/* The tabulator key. */
static unsigned char complete(EditLine *edit, int key)
{
    const LineInfo *line = el_line(edit);
    struct nb_buf added = NB_BUF_INIT, choices = NB_BUF_INIT;
    struct repl *repl = NULL;
    unsigned char what = CC_ERROR;

    (void)key;
    el_get(edit, EL_CLIENTDATA, &repl);
    repl_complete(repl->session, line->buffer, (size_t)(line->cursor - line->buffer), &added, &choices);
    if (added.length > 0) {
        what = el_insertstr(edit, nb_buf_cstr(&added)) == 0 ? CC_REFRESH : CC_ERROR;
    } else if (choices.length > 0) {
        printf("\n%s", nb_buf_cstr(&choices));
        what = CC_REDISPLAY;
    }
    nb_buf_done(&added);
    nb_buf_done(&choices);
    return what;
}

static void start_editing(struct repl *repl)
{
    HistEvent event;

    setlocale(LC_CTYPE, "");
    repl->edit = el_init("nostos", stdin, stdout, stderr);
    if (repl->edit == NULL)
        return;
    el_set(repl->edit, EL_CLIENTDATA, repl);
    el_set(repl->edit, EL_PROMPT, prompt);
    el_set(repl->edit, EL_EDITOR, "emacs");
    el_set(repl->edit, EL_ADDFN, "nostos-complete", "Complete the name before the cursor", complete);
    el_set(repl->edit, EL_BIND, "\t", "nostos-complete", NULL);
    el_set(repl->edit, EL_BIND, "^@", "ed-ignore", NULL); /* what becomes of an end of input that is typed too early */
    repl->history = history_init();
    repl->history_file = history_path();
    if (repl->history != NULL) {
        history(repl->history, &event, H_SETSIZE, HISTORY_LINES);
        history(repl->history, &event, H_SETUNIQUE, 1);
        if (repl->history_file != NULL)
            history(repl->history, &event, H_LOAD, repl->history_file);
        el_set(repl->edit, EL_HIST, history, repl->history);
    }
    el_source(repl->edit, NULL);
}

static void stop_editing(struct repl *repl)
{
    if (repl->history != NULL && repl->history_file != NULL)
        save_history(repl);
    if (repl->edit != NULL)
        el_end(repl->edit);
    if (repl->history != NULL)
        history_end(repl->history);
    nb_free(repl->history_file);
}

/* The next line with its line feed, NULL at the end, or "" after an interrupt at the prompt. */
static const char *next_line(struct repl *repl)
{
    const char *line;
    int length;

    signalled = 0;
    at_prompt = 1;
    errno = 0;
    if (repl->edit != NULL)
        line = el_gets(repl->edit, &length);
    else
        line = getline(&repl->line, &repl->line_bytes, stdin) < 0 ? NULL : repl->line;
    at_prompt = 0;
    if (!signalled)
        return line;
    clearerr(stdin);
    return "";
}

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    if (session_interrupt())
        return;
    if (at_prompt && isatty(STDIN_FILENO))
        signalled = 1;
    else
        _exit(EXIT_INTERRUPTED);
}

static void catch_interrupts(void)
{
    struct sigaction action = { .sa_handler = on_interrupt }; /* without SA_RESTART: reading a line ends */

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* ---- inputs ---- */

static void enter(struct repl *repl)
{
    remember(repl, nb_buf_cstr(&repl->input));
    session_enter(repl->session, nb_buf_cstr(&repl->input), repl->input.length);
    nb_buf_clear(&repl->input);
    repl->empty_lines = 0;
}

static void take_line(struct repl *repl, const char *line)
{
    size_t indent = strspn(line, " \t\r\n");

    if (repl->input.length == 0 && line[indent] == ':') {
        NB_CLEANUP(nb_free) char *command = nb_xstrdup(line + indent + 1);

        remember(repl, line);
        run_command(repl, command);
        return;
    }
    if (repl->input.length == 0 && line[indent] == '\0')
        return;
    nb_buf_text(&repl->input, line);
    repl->empty_lines = line[indent] == '\0' ? repl->empty_lines + 1 : 0;
    if (repl->empty_lines >= 2 || !session_is_unfinished(nb_buf_cstr(&repl->input), repl->input.length))
        enter(repl);
}

static void read_inputs(struct repl *repl)
{
    const char *line;

    while (!repl->done && (line = next_line(repl)) != NULL) {
        if (line[0] == '\0') { /* interrupted */
            putchar('\n');
            nb_buf_clear(&repl->input);
            if (repl->edit != NULL)
                el_reset(repl->edit);
        } else {
            take_line(repl, line);
        }
        fflush(stdout);
    }
    if (!repl->done && repl->input.length > 0)
        enter(repl);
    if (!repl->done && repl->edit != NULL)
        putchar('\n');
}

int repl_main(const struct session_options *options, char **files, bool free_all)
{
    struct repl repl = { .input = NB_BUF_INIT };
    int r;

    catch_interrupts();
    r = session_new(options, &repl.session);
    if (r < 0) {
        fprintf(stderr, "Error: cannot start the session: %s\n", strerror(-r));
        return EXIT_FAILURE;
    }
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
        start_editing(&repl);
        puts("nostos " PACKAGE_VERSION ". Type :help for help.");
    }
    for (; *files != NULL; files++)
        session_load(repl.session, *files);
    read_inputs(&repl);
    stop_editing(&repl);
    nb_buf_done(&repl.input);
    free(repl.line);
    fflush(stdout);
    if (!free_all)
        _exit(EXIT_SUCCESS);
    session_free(repl.session);
    return EXIT_SUCCESS;
}
