/*
 * invocation.c - reading the arguments.
 *
 * Options are rows of one table, from which the help is printed as well. They may stand anywhere; unknown ones are
 * passed over, and those of one command are unknown to the others (programs may have options of the same names).
 */
#include "config.h"

#include "cli/invocation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "scheduler/sched.h"

enum { HELP_COLUMN = 21 };

static const struct { const char *word; enum command command; const char *usage, *what; } commands[] = {
    { "run", COMMAND_RUN, "run FILE|DIR [args]", "compile and run (the word `run` may be left out)" },
    { "check", COMMAND_CHECK, "check FILE|DIR", "compile without running; exit status 0 when there are no errors" },
    { "test", COMMAND_TEST, "test [FILE|DIR ...]", "run test programs and functions named test_..., see nostos(1)" },
    { "repl", COMMAND_REPL, "repl [FILE ...]", "evaluate what is typed, line by line; see nostos(1)" },
    { "new", COMMAND_NEW, "new NAME", "make the folder NAME with a first program" },
    { "disasm", COMMAND_DISASM, "disasm FILE|DIR [FUNCTION]", "list the instructions of the program's functions" },
    { "version", COMMAND_VERSION, "version", "print the version" },
    { "help", COMMAND_HELP, "help", "print this text" },
};

/* ---- options ---- */

/* A whole number within bounds, or an error that names the option. */
static bool number_option(const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
    char *end;

    errno = 0;
    *ret = text == NULL || *text == '-' ? 0 : strtoull(text, &end, 10);
    if (text == NULL || *text == '\0' || *text == '-' || *end != '\0' || errno != 0 || *ret < least || *ret > most) {
        fprintf(stderr, "Error: %s takes a whole number from %llu to %llu\n", option, (unsigned long long)least,
                (unsigned long long)most);
        return false;
    }
    return true;
}

static bool take_help(struct invocation *invocation, char *value)
{
    (void)value;
    invocation->command = COMMAND_HELP;
    return true;
}

static bool take_version(struct invocation *invocation, char *value)
{
    (void)value;
    invocation->command = COMMAND_VERSION;
    return true;
}

static bool take_check(struct invocation *invocation, char *value)
{
    (void)value;
    invocation->command = COMMAND_CHECK;
    return true;
}

static bool take_json(struct invocation *invocation, char *value)
{
    (void)value;
    invocation->json = true;
    return true;
}

static bool take_types(struct invocation *invocation, char *value)
{
    (void)value;
    invocation->types = true;
    return true;
}

static bool take_no_types(struct invocation *invocation, char *value)
{
    (void)value;
    invocation->types = false;
    return true;
}

static bool take_no_typed_code(struct invocation *invocation, char *value)
{
    (void)value;
    invocation->no_typed_code = invocation->test.no_typed_code = true;
    return true;
}

static bool take_bin(struct invocation *invocation, char *value)
{
    if (value == NULL)
        fputs("Error: --bin requires a binary name\n", stderr);
    invocation->bin = value;
    return value != NULL;
}

static bool take_entry(struct invocation *invocation, char *value)
{
    if (value == NULL)
        fputs("Error: --entry requires the name of a function\n", stderr);
    invocation->entry = value;
    return value != NULL;
}

static bool take_threads(struct invocation *invocation, char *value)
{
    uint64_t n;

    if (!number_option("--threads", value, 1, SCHED_WORKERS_MAX, &n))
        return false;
    invocation->threads = (unsigned)n;
    return true;
}

static bool take_depth(struct invocation *invocation, char *value)
{
    uint64_t n;

    if (!number_option("--depth", value, 100, 100000000, &n))
        return false;
    invocation->depth = (uint32_t)n;
    return true;
}

static bool take_heap(struct invocation *invocation, char *value)
{
    return number_option("--heap", value, 1, UINT32_MAX, &invocation->heap_mib);
}

static bool take_seed(struct invocation *invocation, char *value)
{
    invocation->seeded = true;
    return number_option("--seed", value, 0, UINT64_MAX - 1, &invocation->seed);
}

static bool take_free_all(struct invocation *invocation, char *value)
{
    (void)value;
    invocation->free_all = true;
    return true;
}

static bool take_place(struct invocation *invocation, char *value)
{
    if (value != NULL && type_at_parse(value, &invocation->place))
        return true;
    fputs("Error: --type-at takes a place: FILE:LINE:COLUMN\n", stderr);
    return false;
}

static bool take_jobs(struct invocation *invocation, char *value)
{
    uint64_t n;

    if (!number_option("--jobs", value, 1, TEST_JOBS_MAX, &n))
        return false;
    invocation->test.jobs = (unsigned)n;
    return true;
}

static bool take_timeout(struct invocation *invocation, char *value)
{
    uint64_t n;

    if (!number_option("--timeout", value, 1, TEST_SECONDS_MAX, &n))
        return false;
    invocation->test.seconds = (unsigned)n;
    return true;
}

static bool take_quiet(struct invocation *invocation, char *value)
{
    (void)value;
    invocation->test.quiet = true;
    return true;
}

static const struct option {
    enum command command; /* the only one that has it; COMMAND_COUNT: all have */
    const char *letter;   /* "-b"; NULL: none */
    const char *name;     /* "--bin" */
    const char *value;    /* what the help calls the word behind it; NULL: it takes none */
    bool (*take)(struct invocation *invocation, char *value); /* false: wrong, as was printed */
    const char *what;     /* for the help; NULL: the default, which need not be asked for */
} options[] = {
    { COMMAND_COUNT, "-h", "--help", NULL, take_help, "print this text" },
    { COMMAND_COUNT, "-v", "--version", NULL, take_version, "print the version" },
    { COMMAND_COUNT, NULL, "--check", NULL, take_check, "as `nostos check`" },
    { COMMAND_COUNT, NULL, "--json-errors", NULL, take_json, "compile errors as JSON lines on standard output" },
    { COMMAND_COUNT, NULL, "--types", NULL, take_types, NULL },
    { COMMAND_COUNT, NULL, "--no-types", NULL, take_no_types, "do not check static types" },
    { COMMAND_COUNT, NULL, "--no-typed-code", NULL, take_no_typed_code,
      "use general instructions only; results are the same" },
    { COMMAND_COUNT, "-b", "--bin", "NAME", take_bin, "entry point NAME of nostos.toml" },
    { COMMAND_COUNT, NULL, "--entry", "NAME", take_entry,
      "begin in the function NAME, in a folder MODULE.NAME, instead of main" },
    { COMMAND_COUNT, NULL, "--threads", "N", take_threads, "worker threads (default: one per core)" },
    { COMMAND_COUNT, NULL, "--depth", "N", take_depth, "nested calls a process may have (default: 50000)" },
    { COMMAND_COUNT, NULL, "--heap", "MIB", take_heap,
      "memory a process may have (default: three quarters of the machine's)" },
    { COMMAND_COUNT, NULL, "--seed", "N", take_seed, "one thread, reproducible: same seed, same order of events" },
    { COMMAND_COUNT, NULL, "--free-all", NULL, take_free_all,
      "give all memory back before exiting, for leak checkers" },
    { COMMAND_CHECK, NULL, "--json", NULL, take_json, "errors as JSON lines on standard output (as --json-errors)" },
    { COMMAND_CHECK, NULL, "--type-at", "FILE:LINE:COLUMN", take_place,
      "instead of errors: what stands there, its type, where it was defined" },
    { COMMAND_TEST, NULL, "--jobs", "N", take_jobs, "tests at a time (default: one per core)" },
    { COMMAND_TEST, NULL, "--timeout", "S", take_timeout, "seconds a test may take (default: 15)" },
    { COMMAND_TEST, "-q", "--quiet", NULL, take_quiet, "say nothing of tests that pass" },
};

/* The option with that name or letter that the command has; NULL when there is none. */
static const struct option *find_option(const char *word, enum command command)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if ((options[i].command == COMMAND_COUNT || options[i].command == command) &&
            (strcmp(word, options[i].name) == 0 || (options[i].letter != NULL && strcmp(word, options[i].letter) == 0)))
            return &options[i];
    return NULL;
}

/* The option at argv[*at], if it is one; advances over its value. False: an error was printed. */
static bool take_option(struct invocation *invocation, char **argv, int *at)
{
    const struct option *option = find_option(argv[*at], invocation->command);

    if (option == NULL)
        return true;
    return option->take(invocation, option->value != NULL ? argv[++*at] : NULL);
}

/* ---- words ---- */

static bool exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

/* A first word that names a file is run (06 C.3), unless what follows names one too, or is an option: `nostos check
 * FILE` beside a file `check`. */
static bool take_command(struct invocation *invocation, const char *word, const char *next)
{
    bool is_file = exists(word) && (next == NULL || (next[0] != '-' && !exists(next)));

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(word, commands[i].word) == 0 && !is_file) {
            invocation->command = commands[i].command;
            return true;
        }
    return false;
}

static void take_word(struct invocation *invocation, char *word)
{
    invocation->words[invocation->word_count++] = word;
    if (invocation->path == NULL)
        invocation->path = word;
    else if (invocation->function == NULL)
        invocation->function = word;
}

/* A program that wants more gets an exception, and not the whole machine into trouble. */
static uint64_t default_heap_mib(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);

    if (pages <= 0 || page_bytes <= 0)
        return 0;
    return (uint64_t)pages * (uint64_t)page_bytes / (1 << 20) * 3 / 4 + 1;
}

bool invocation_read(struct invocation *invocation, char **argv)
{
    bool first = true;

    *invocation = (struct invocation){ .command = COMMAND_RUN,
                                       .words = argv,
                                       .types = true,
                                       .depth = SCHED_DEPTH_MAX_DEFAULT,
                                       .heap_mib = default_heap_mib(),
                                       .test = { .jobs = sched_cores(), .seconds = TEST_SECONDS_DEFAULT } };
    for (int i = 1; argv[i] != NULL; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take_option(invocation, argv, &i))
                return false;
            continue;
        }
        if (!first || !take_command(invocation, argv[i], argv[i + 1]))
            take_word(invocation, argv[i]);
        first = false;
    }
    invocation->words[invocation->word_count] = NULL;
    return true;
}

/* ---- help ---- */

/* The options of a command, or those that all have. */
static void print_options(enum command command, FILE *out)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const struct option *option = &options[i];
        struct nb_buf left = NB_BUF_INIT;

        if (option->command != command || option->what == NULL)
            continue;
        nb_buf_printf(&left, "  %s%s %s%s%s", option->letter != NULL ? option->letter : "  ",
                      option->letter != NULL ? "," : " ", option->name, option->value != NULL ? " " : "",
                      option->value != NULL ? option->value : "");
        if (left.length > HELP_COLUMN - 2)
            fprintf(out, "%s\n%*s%s\n", nb_buf_cstr(&left), HELP_COLUMN, "", option->what);
        else
            fprintf(out, "%-*s%s\n", HELP_COLUMN, nb_buf_cstr(&left), option->what);
        nb_buf_done(&left);
    }
}

void invocation_print_help(FILE *out)
{
    fputs("nostos: run programs written in Nostos\n\nUsage: nostos FILE|DIR [args]\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "       nostos %-28s %s\n", commands[i].usage, commands[i].what);
    fputs("\nOptions (before or after the file; unknown ones are ignored):\n", out);
    print_options(COMMAND_COUNT, out);
    fputs("Options of `nostos check`:\n", out);
    print_options(COMMAND_CHECK, out);
    fputs("Options of `nostos test`:\n", out);
    print_options(COMMAND_TEST, out);
}
