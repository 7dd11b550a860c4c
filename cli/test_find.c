/*
 * test_find.c - walking folders, reading headers, compiling what has functions named test_….
 */
#include "config.h"

#include "cli/test_find.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "io/file.h"
#include "lang/compile.h"
#include "lang/diag.h"

enum { SOURCE_BYTES_MAX = 16 << 20, LIBRARY_PREFIX = 7 };

/* ---- tests ---- */

static void add(struct test_list *list, struct test test)
{
    nb_vec_push(&list->tests, test);
}

static const char *shown(const char *path)
{
    return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}

static void add_broken(struct test_list *list, const char *path, const char *why)
{
    add(list, (struct test){ .name = nb_xstrdup(shown(path)), .want = TEST_BROKEN, .wanted = nb_xstrdup(why) });
}

void test_list_done(struct test_list *list)
{
    for (size_t i = 0; i < list->tests.count; i++) {
        struct test *test = &list->tests.items[i];

        nb_free(test->name);
        nb_free(test->target);
        nb_free(test->function);
        nb_free(test->flags);
        nb_free(test->wanted);
    }
    nb_vec_done(&list->tests);
}

/* ---- paths ---- */

static char *join(const char *folder, const char *name)
{
    struct nb_buf path = NB_BUF_INIT;

    nb_buf_printf(&path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
    if (path.failed)
        nb_out_of_memory(path.length);
    return nb_buf_take(&path);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = nb_xstrdup(slash == NULL ? "." : path);

    if (slash == path)
        folder[1] = '\0';
    else if (slash != NULL)
        folder[slash - path] = '\0';
    return folder;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* Whether a folder of that name is on the way to the file. */
static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    for (const char *at = strstr(path, folder); at != NULL; at = strstr(at + 1, folder))
        if ((at == path || at[-1] == '/') && at[length] == '/')
            return true;
    return false;
}

static bool is_in(const char *folder, const char *name)
{
    char *path = join(folder, name);
    bool there = access(path, F_OK) == 0;

    nb_free(path);
    return there;
}

static bool is_project(const char *folder)
{
    return is_in(folder, "main.nos") || is_in(folder, "nostos.toml");
}

/* ---- what a file says ---- */

/* The rest of the first line that begins with `key`; NULL when there is none. */
static char *header(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && (line[length] == ' ' || line[length] == '\n' || line[length] == '\0')) {
            const char *value = line + length + (line[length] == ' ');
            char *copy = nb_strndup(value, strcspn(value, "\r\n"));

            if (copy == NULL)
                nb_out_of_memory(length);
            return copy;
        }
    }
    return NULL;
}

static bool has_test_functions(const char *text)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, "pub ", 4) == 0)
            line += 4;
        if (strncmp(line, "test_", 5) == 0)
            return true;
    }
    return false;
}

/* A test that is a program, if the text says so. */
static bool add_program(struct test_list *list, const char *path, const char *text)
{
    char *error = header(text, "# expect_error:"), *value = header(text, "# expect:");

    if (error == NULL && value == NULL)
        return false;
    add(list, (struct test){ .name = nb_xstrdup(shown(path)),
                             .target = is_below(path, "multifile") ? folder_of(path) : nb_xstrdup(path),
                             .flags = header(text, "# flags:"),
                             .want = error != NULL ? TEST_ERROR : TEST_VALUE,
                             .wanted = error != NULL ? error : value });
    if (error != NULL)
        nb_free(value);
    return true;
}

/* ---- functions ---- */

static bool is_test_function(const struct vm_function *function)
{
    const char *dot = strrchr(function->name, '.');

    return function->arity == 0 && strncmp(dot == NULL ? function->name : dot + 1, "test_", 5) == 0 &&
           strncmp(function->file, "<stdlib", LIBRARY_PREFIX) != 0;
}

static void add_function(struct test_list *list, const char *target, const struct vm_function *function)
{
    const char *dot = strrchr(function->name, '.');
    struct nb_buf name = NB_BUF_INIT;

    nb_buf_printf(&name, "%s: %s", shown(function->file), dot == NULL ? function->name : dot + 1);
    if (name.failed)
        nb_out_of_memory(name.length);
    add(list, (struct test){ .name = nb_buf_take(&name),
                             .target = nb_xstrdup(target),
                             .function = nb_xstrdup(function->name),
                             .want = TEST_RETURN });
}

/* The test functions of a program: all of them, or those of one of its files. */
static void add_functions(struct test_list *list, const char *target, const char *only_file)
{
    struct ns_diag *diag = ns_diag_new();
    struct vm_program *program = NULL;
    struct nb_buf why = NB_BUF_INIT;

    if (ns_compile(target, &(struct ns_options){ .need_main = false }, diag, &program) < 0) {
        ns_diag_print(diag, &why);
        add_broken(list, only_file != NULL ? only_file : target, nb_buf_cstr(&why));
        nb_buf_done(&why);
    }
    for (uint32_t i = 0; program != NULL && i < program->function_count; i++) {
        const struct vm_function *function = program->functions[i];

        if (is_test_function(function) && (only_file == NULL || strcmp(function->file, only_file) == 0))
            add_function(list, target, function);
    }
    if (program != NULL)
        vm_program_unref(program);
    ns_diag_free(diag);
}

/* ---- files and folders ---- */

static bool is_module_of_a_test(const char *path)
{
    return is_below(path, "multifile") && strcmp(base_of(path), "main.nos") != 0;
}

/* NULL when it cannot be read, which is a broken test. */
static char *read_text(struct test_list *list, const char *path)
{
    size_t length = 0;
    char *data = NULL, *text;
    int r = io_file_read_now(path, SOURCE_BYTES_MAX, &data, &length);

    if (r < 0) {
        add_broken(list, path, strerror(-r));
        return NULL;
    }
    text = nb_strndup(data != NULL ? data : "", length);
    nb_free(data);
    if (text == NULL)
        nb_out_of_memory(length);
    return text;
}

/* The tests of a file met in a folder. Returns whether it has test functions as a module of the project. */
static bool find_in_file(struct test_list *list, const char *path, bool in_project)
{
    char *text = is_module_of_a_test(path) ? NULL : read_text(list, path);
    bool functions = text != NULL && !add_program(list, path, text) && has_test_functions(text);

    nb_free(text);
    if (functions && !in_project)
        add_functions(list, path, NULL);
    return functions && in_project;
}

static bool find_in_folder(struct test_list *list, const char *folder, bool in_project);

static bool find_at(struct test_list *list, const char *path, const struct dirent *entry, bool in_project)
{
    struct stat stat_of;

    if (entry->d_name[0] == '.' || strcmp(entry->d_name, "timeout") == 0 || stat(path, &stat_of) < 0)
        return false;
    if (S_ISDIR(stat_of.st_mode) && entry->d_type != DT_LNK)
        return find_in_folder(list, path, in_project);
    return S_ISREG(stat_of.st_mode) && ends_in(path, ".nos") && find_in_file(list, path, in_project);
}

/* Returns whether modules of the project that the folder is in have test functions. */
static bool find_in_folder(struct test_list *list, const char *folder, bool in_project)
{
    bool is_root = !in_project && is_project(folder), functions = false;
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);

    if (count < 0)
        add_broken(list, folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        char *path = join(folder, entries[i]->d_name);

        functions |= find_at(list, path, entries[i], in_project || is_root);
        nb_free(path);
        free(entries[i]);
    }
    free(entries);
    if (is_root && functions)
        add_functions(list, folder, NULL);
    return functions && !is_root;
}

/* The folder of the project that a file is a module of: the nearest one. NULL when there is none. */
static char *project_of(const char *path)
{
    char *folder = folder_of(path), *outer;

    while (!is_project(folder)) {
        outer = strcmp(folder, ".") == 0 || strcmp(folder, "/") == 0 ? NULL : folder_of(folder);
        nb_free(folder);
        if (outer == NULL)
            return NULL;
        folder = outer;
    }
    return folder;
}

static void add_functions_of_file(struct test_list *list, const char *path)
{
    char *project = project_of(path), *file;

    if (project == NULL) {
        add_functions(list, path, NULL);
        return;
    }
    file =
        join(project, strcmp(project, ".") == 0 ? shown(path) : path + strlen(project) + (strcmp(project, "/") != 0));
    add_functions(list, project, file);
    nb_free(project);
    nb_free(file);
}

/* A file that is named has to have tests. */
static void find_in_named_file(struct test_list *list, const char *path)
{
    char *text = read_text(list, path);

    if (text != NULL && !add_program(list, path, text)) {
        if (has_test_functions(text))
            add_functions_of_file(list, path);
        else
            add_broken(list, path, "says neither what it expects nor which error, and has no functions named test_...");
    }
    nb_free(text);
}

void test_find(struct test_list *list, const char *path)
{
    struct stat stat_of;

    if (stat(path, &stat_of) < 0)
        add_broken(list, path, strerror(errno));
    else if (S_ISDIR(stat_of.st_mode))
        find_in_folder(list, path, false);
    else
        find_in_named_file(list, path);
}
