/* test_module.c - what loading promises: files and folders, only the library that is needed, clear errors. */
#include "config.h"

#include "lang/module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/file.h"
#include "lang/library.h"
#include "tests/unit/run_suite.h"

static char folder[32];
static struct ns_diag *diag;
static struct ns_program_source *program;
static struct nb_buf paths;

static void add(const char *module, const char *text, bool prelude)
{
    ns_library_add(module, text, strlen(text), prelude);
}

static void add_libraries(void)
{
    add("stdlib.list", "pub type Option[T] = Some(T) | None", true);
    add("stdlib.io", "x() = 1", true);
    add("stdlib.json", "use stdlib.deep.*\npub type Json = Null | Integer(Int) | String(String)", false);
    add("stdlib.deep", "pub x() = 1", false);
    add("stdlib.html", "pub type Html = Text(String) | Element(Int)", false);
    add("stdlib.rhtml", "pub type Rhtml = Text(String)", false);
    add("stdlib.html_parser", "pub parse() = 1", false);
    add("stdlib.bad", "pub type Oops = Wrong\nf( = 1", false);
}

static void set_up(void)
{
    add_libraries();
    strcpy(folder, "/tmp/test_module_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    diag = ns_diag_new();
    program = NULL;
    paths = NB_BUF_INIT;
}

static void tear_down(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
    program = ns_program_source_free(program);
    diag = ns_diag_free(diag);
    nb_buf_done(&paths);
}

/* A path in the folder; valid until the next call. */
static const char *at(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_bytes(const char *name, const char *text, size_t length)
{
    FILE *file = fopen(at(name), "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, length, file), length);
    fclose(file);
}

static void write_file(const char *name, const char *text) { write_bytes(name, text, strlen(text)); }
static void make_folder(const char *name) { ck_assert_int_eq(mkdir(at(name), 0700), 0); }

static int load(const char *path, const char *bin)
{
    struct ns_options options = { .need_main = true, .bin = bin };

    return ns_load(path, &options, diag, &program);
}

static int load_text(const char *text)
{
    return ns_load_text("t.nos", text, strlen(text), NULL, diag, &program);
}

/* The modules in order: "stdlib.list stdlib.io | main". */
static const char *modules(void)
{
    nb_buf_clear(&paths);
    for (uint32_t i = 0; i < program->count; i++) {
        if (i == program->library_count)
            nb_buf_text(&paths, "| ");
        nb_buf_printf(&paths, "%s ", program->modules[i]->path);
    }
    return nb_buf_cstr(&paths);
}

static void check_error(const char *message)
{
    ck_assert_ptr_null(program);
    ck_assert_str_eq(ns_diag_first(diag), message);
}

/* The module of that path, or NULL. */
static const struct ns_module *module_of(const char *path)
{
    for (uint32_t i = 0; i < program->count; i++)
        if (strcmp(program->modules[i]->path, path) == 0)
            return program->modules[i];
    return NULL;
}

START_TEST(loads_a_single_file_as_the_root)
{
    write_file("one.nos", "main() = 1");
    write_file("sibling.nos", "is not read (");
    ck_assert_int_eq(load(at("one.nos"), NULL), 0);
    ck_assert_str_eq(modules(), "stdlib.list stdlib.io |  ");
    ck_assert(!program->directory);
    ck_assert_ptr_nonnull(module_of(""));
    ck_assert_ptr_null(module_of("sibling"));
}
END_TEST

START_TEST(loads_a_folder_in_path_order)
{
    make_folder("net");
    make_folder("net/deep");
    make_folder(".nostos");
    write_file("main.nos", "main() = 1");
    write_file("shapes.nos", "");
    write_file("net/tcp.nos", "");
    write_file("net/deep/a.nos", "");
    write_file("net.nos", "");
    write_file(".nostos/no.nos", "f(");
    write_file("readme.txt", "f(");
    ck_assert_int_eq(symlink("..", at("net/loop")), 0);
    ck_assert_int_eq(load(folder, NULL), 0);
    ck_assert_str_eq(modules(), "stdlib.list stdlib.io | main net net.deep.a net.tcp shapes ");
    ck_assert(program->directory);
    ck_assert_str_eq(module_of("net.tcp")->source->file, at("net/tcp.nos"));
}
END_TEST

static const struct { const char *text, *modules; } reaches[] = {
    { "main() = 1", "stdlib.list stdlib.io |  " },
    { "main() = Some(1)", "stdlib.list stdlib.io |  " },
    { "use stdlib.deep.*", "stdlib.list stdlib.io stdlib.deep |  " },
    { "use stdlib.deep.{x}", "stdlib.list stdlib.io stdlib.deep |  " },
    { "use stdlib.deep.x", "stdlib.list stdlib.io stdlib.deep |  " },
    { "use stdlib.deep", "stdlib.list stdlib.io stdlib.deep |  " },
    { "use stdlib.deeper.*", "stdlib.list stdlib.io |  " },
    { "main() = stdlib.deep.x()", "stdlib.list stdlib.io stdlib.deep |  " },
    { "main() = \"${stdlib.deep.x()}\"", "stdlib.list stdlib.io stdlib.deep |  " },
    { "use stdlib.html_parser.*", "stdlib.list stdlib.io stdlib.html_parser |  " },
    { "use stdlib.json.*", "stdlib.list stdlib.io stdlib.json stdlib.deep |  " },
    { "main() = Integer(1)", "stdlib.list stdlib.io stdlib.json stdlib.deep |  " },
    { "f(x) = match x { Null -> 1 }", "stdlib.list stdlib.io stdlib.json stdlib.deep |  " },
    { "f(x: String) = String.trim(x)", "stdlib.list stdlib.io |  " },
    { "f(x) = String(x)", "stdlib.list stdlib.io stdlib.json stdlib.deep |  " },
    { "f(x) = Text(x)", "stdlib.list stdlib.io stdlib.html stdlib.rhtml |  " },
    { "use stdlib.rhtml.*\nf(x) = Text(x)", "stdlib.list stdlib.io stdlib.rhtml |  " },
    { "type Mine = Text(Int) | Null\nf(x) = Text(x)", "stdlib.list stdlib.io |  " },
    { "module M\ntype Mine = | Null\nend\nf() = Null", "stdlib.list stdlib.io |  " },
};

START_TEST(loads_only_the_library_that_is_reached)
{
    ck_assert_int_eq(load_text(reaches[_i].text), 0);
    ck_assert_str_eq(modules(), reaches[_i].modules);
}
END_TEST

START_TEST(marks_library_and_prelude)
{
    ck_assert_int_eq(load_text("use stdlib.deep.*"), 0);
    ck_assert(module_of("stdlib.list")->prelude);
    ck_assert(module_of("stdlib.deep")->library);
    ck_assert(!module_of("stdlib.deep")->prelude);
    ck_assert(!module_of("")->library);
}
END_TEST

START_TEST(reports_mistakes_in_the_library)
{
    ck_assert_int_eq(load_text("use stdlib.bad.*"), -EINVAL);
    check_error("expected `pattern`, found `=`");
}
END_TEST

START_TEST(reports_missing_files)
{
    char message[256];

    ck_assert_int_eq(load(at("no.nos"), NULL), -EINVAL);
    snprintf(message, sizeof message, "Error reading file '%s': No such file or directory", at("no.nos"));
    check_error(message);
}
END_TEST

START_TEST(reports_folders_without_main)
{
    char message[256];

    write_file("other.nos", "");
    ck_assert_int_eq(load(folder, NULL), -EINVAL);
    snprintf(message, sizeof message, "No 'main.nos' found in directory '%s'", folder);
    check_error(message);
}
END_TEST

START_TEST(needs_no_main_when_nobody_wants_to_run_it)
{
    write_file("other.nos", "");
    ck_assert_int_eq(ns_load(folder, NULL, diag, &program), 0);
    ck_assert_str_eq(modules(), "stdlib.list stdlib.io | other ");
}
END_TEST

START_TEST(reports_folders_without_sources)
{
    char message[256];

    ck_assert_int_eq(ns_load(folder, NULL, diag, &program), -EINVAL);
    snprintf(message, sizeof message, "No .nos files found in '%s'", folder);
    check_error(message);
}
END_TEST

START_TEST(reports_text_that_is_no_utf8)
{
    struct nb_buf out = NB_BUF_INIT;

    write_bytes("bad.nos", "main() = \"a\xff\"", 13);
    ck_assert_int_eq(load(at("bad.nos"), NULL), -EINVAL);
    check_error("the text is not valid UTF-8");
    ns_diag_print(diag, &out);
    ck_assert_ptr_nonnull(strstr(nb_buf_cstr(&out), "bad.nos:1:12"));
    nb_buf_done(&out);
}
END_TEST

START_TEST(refuses_files_that_are_too_large)
{
    write_file("large.nos", "");
    ck_assert_int_eq(truncate(at("large.nos"), NS_FILE_BYTES_MAX + 1), 0);
    ck_assert_int_eq(load(at("large.nos"), NULL), -EINVAL);
    ck_assert_ptr_nonnull(strstr(ns_diag_first(diag), "the file is too large"));
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
    ck_assert_int_eq(mkfifo(at("pipe.nos"), 0600), 0);
    ck_assert_int_eq(load(at("pipe.nos"), NULL), -EINVAL);
    ck_assert_ptr_nonnull(strstr(ns_diag_first(diag), "not a regular file"));
}
END_TEST

START_TEST(stops_at_the_first_file_with_errors)
{
    write_file("a.nos", "f( = 1\ng( = 2");
    write_file("main.nos", "h( = 1");
    ck_assert_int_eq(load(folder, NULL), -EINVAL);
    ck_assert_uint_eq(ns_diag_count(diag), 2);
}
END_TEST

/* ---- nostos.toml ---- */

#define BINS \
    "[project]\nname = \"p\"\n\n[[bin]]\nname = \"a\"\nentry = \"main.a\"\n[[bin]]\nname = 'b'\nentry = \"x.b\"\n"

START_TEST(chooses_the_bin_that_is_asked_for)
{
    write_file("nostos.toml", BINS);
    write_file("x.nos", ""); /* no main.nos needed */
    ck_assert_int_eq(load(folder, "b"), 0);
    ck_assert_str_eq(program->bin->entry, "x.b");
    ck_assert_str_eq(program->project.name, "p");
}
END_TEST

START_TEST(chooses_the_default_bin)
{
    write_file("nostos.toml", BINS "default = true # yes\n");
    write_file("x.nos", "");
    ck_assert_int_eq(load(folder, NULL), 0);
    ck_assert_str_eq(program->bin->name, "b");
}
END_TEST

START_TEST(wants_a_choice_among_bins)
{
    write_file("nostos.toml", BINS);
    write_file("x.nos", "");
    ck_assert_int_eq(load(folder, NULL), -EINVAL);
    check_error("Project has [[bin]] entries but none is marked as default. Use --bin NAME to specify which to run. "
                "Available: a, b");
}
END_TEST

START_TEST(reports_unknown_bins)
{
    write_file("nostos.toml", BINS);
    write_file("x.nos", "");
    ck_assert_int_eq(load(folder, "c"), -EINVAL);
    check_error("No [[bin]] entry named 'c' in nostos.toml. Available: a, b");
}
END_TEST

START_TEST(reports_bins_without_a_project_file)
{
    write_file("main.nos", "");
    ck_assert_int_eq(load(folder, "c"), -EINVAL);
    check_error("--bin requires a nostos.toml with [[bin]] entries");
}
END_TEST

START_TEST(finds_the_project_file_above)
{
    char path[256];

    make_folder("sub");
    write_file("nostos.toml", "[project]\nname = \"up\"\n");
    write_file("sub/main.nos", "");
    strcpy(path, at("sub"));
    ck_assert_int_eq(load(path, NULL), 0);
    ck_assert_str_eq(program->project.name, "up");
    ck_assert_ptr_null(program->bin);
}
END_TEST

START_TEST(warns_of_a_project_file_it_cannot_read)
{
    struct nb_buf out = NB_BUF_INIT;

    write_file("nostos.toml", "[project\n");
    write_file("main.nos", "");
    ck_assert_int_eq(load(folder, NULL), 0);
    ns_diag_print_warnings(diag, &out);
    ck_assert_ptr_nonnull(strstr(nb_buf_cstr(&out), "Warning: Failed to load project config: "));
    ck_assert_ptr_nonnull(strstr(nb_buf_cstr(&out), "line 1: table header is not closed"));
    nb_buf_done(&out);
}
END_TEST

static const struct { const char *text, *problem; } projects[] = {
    { "", NULL },
    { "# only a comment", NULL },
    { "[project]\nname = \"a\\\"b\\n\"\nversion = '0'\n[dependencies]\nx = { git = \"}\", y = [1, 2] }\n", NULL },
    { "[project]\nname = \"a\"\nlist = [ # here\n  1,\n  \"]\",\n]\nwhen = 2020-01-01T00:00:00Z\n", NULL },
    { "[project]\nname = 5\n", "line 2: expected a string" },
    { "[project]\nname = \"a\n", "line 2: string is not closed" },
    { "[project]\nname = \"a\\q\"\n", "line 2: unknown escape in a string" },
    { "[project]\nname = \"a\" b\n", "line 2: unexpected text behind the value" },
    { "[project]\nname\n", "line 2: expected `=` behind the key" },
    { "= 1\n", "line 1: expected a key" },
    { "x = [1\n", "line 2: value is not closed" },
    { "x = ]\n", "line 1: unexpected closing bracket" },
    { "[project]\nname='p'\n[[bin]]\nname = \"a\"\n", "line 5: each [[bin]] needs `name` and `entry`" },
    { "[[bin]]\nname = \"a\"\nentry = \"b\"\n", "line 4: [project] needs `name`" },
    { "[[bin]]\ndefault = 1\n", "line 2: expected `true` or `false`" },
};

START_TEST(reads_project_files)
{
    struct nb_arena *arena = nb_arena_new();
    struct ns_project project = { NULL, NULL, 0 };
    const char *problem = ns_project_parse(arena, projects[_i].text, strlen(projects[_i].text), &project);

    ck_assert_pstr_eq(problem, projects[_i].problem);
    nb_arena_free(arena);
}
END_TEST

START_TEST(survives_any_project_file)
{
    static const char bytes[] = "[]\"'=#\n ab\\{},";
    char text[80];

    srand(5);
    for (int round = 0; round < 20000; round++) {
        struct nb_arena *arena = nb_arena_new();
        struct ns_project project;

        for (size_t i = 0; i < sizeof text; i++)
            text[i] = bytes[(size_t)rand() % (sizeof bytes - 1)];
        (void)ns_project_parse(arena, text, sizeof text, &project);
        nb_arena_free(arena);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lang/module");
    TCase *loading = tcase_create("loading");
    TCase *project = tcase_create("project");

    tcase_add_checked_fixture(loading, set_up, tear_down);
    tcase_add_test(loading, loads_a_single_file_as_the_root);
    tcase_add_test(loading, loads_a_folder_in_path_order);
    tcase_add_loop_test(loading, loads_only_the_library_that_is_reached, 0, (int)(sizeof reaches / sizeof *reaches));
    tcase_add_test(loading, marks_library_and_prelude);
    tcase_add_test(loading, reports_mistakes_in_the_library);
    tcase_add_test(loading, reports_missing_files);
    tcase_add_test(loading, reports_folders_without_main);
    tcase_add_test(loading, needs_no_main_when_nobody_wants_to_run_it);
    tcase_add_test(loading, reports_folders_without_sources);
    tcase_add_test(loading, reports_text_that_is_no_utf8);
    tcase_add_test(loading, refuses_files_that_are_too_large);
    tcase_add_test(loading, refuses_what_is_no_file);
    tcase_add_test(loading, stops_at_the_first_file_with_errors);
    suite_add_tcase(suite, loading);
    tcase_add_checked_fixture(project, set_up, tear_down);
    tcase_add_test(project, chooses_the_bin_that_is_asked_for);
    tcase_add_test(project, chooses_the_default_bin);
    tcase_add_test(project, wants_a_choice_among_bins);
    tcase_add_test(project, reports_unknown_bins);
    tcase_add_test(project, reports_bins_without_a_project_file);
    tcase_add_test(project, finds_the_project_file_above);
    tcase_add_test(project, warns_of_a_project_file_it_cannot_read);
    tcase_add_loop_test(project, reads_project_files, 0, (int)(sizeof projects / sizeof *projects));
    tcase_add_test(project, survives_any_project_file);
    suite_add_tcase(suite, project);
    return run_suite(suite);
}
