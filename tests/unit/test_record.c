/* test_record.c - how queries, forms and cookies are taken apart, and what records come out. */
#include "config.h"

#include <check.h>

#include "server/connection.h"
#include "server/headers.h"
#include "server/loop.h"
#include "server/record.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/vm_fixture.h"
#include "vm/list.h"
#include "vm/print.h"
#include "vm/type.h"

/* ---- pairs ---- */

static const struct {
    const char *text;
    bool cookies;
    const char *shown; /* "name=value|…" */
} pairs[] = {
    { "a=1&b=2", false, "a=1|b=2|" },
    { "", false, "=|" }, /* an empty query is one empty pair */
    { "a", false, "a=|" },
    { "a=", false, "a=|" },
    { "=1", false, "=1|" },
    { "a=b=c", false, "a=b=c|" },
    { "a&&b", false, "a=|=|b=|" },
    { "a=1&", false, "a=1|=|" },
    { "a+b=c+d", false, "a+b=c+d|" }, /* a plus stays a plus */
    { "a=%41%zz%4", false, "a=A%zz%4|" },
    { "n=%e4%b8%ad", false, "n=\xe4\xb8\xad|" },
    { "n=%ff", false, "n=\xef\xbf\xbd|" }, /* not UTF-8 */
    { "a=1; b=2", true, "a=1|b=2|" },
    { " a = 1 ;b=2;", true, "a=1|b=2|" },
    { "=x; ;a", true, "a=|" },
    { "a=%41", true, "a=%41|" }, /* cookies are not decoded */
    { "a=b=c", true, "a=b=c|" },
    { "", true, "" },
};

START_TEST(takes_pairs_apart)
{
    struct nb_buf out = NB_BUF_INIT;
    struct srv_pairs walk;
    struct srv_text name, value;

    srv_pairs_begin(&walk, pairs[_i].text, strlen(pairs[_i].text), pairs[_i].cookies);
    while (srv_pairs_next(&walk, &name, &value)) {
        if (pairs[_i].cookies) {
            nb_buf_printf(&out, "%.*s=%.*s|", (int)name.length, name.bytes, (int)value.length, value.bytes);
            continue;
        }
        srv_percent_decode(&out, name);
        nb_buf_byte(&out, '=');
        srv_percent_decode(&out, value);
        nb_buf_byte(&out, '|');
    }
    ck_assert_str_eq(nb_buf_cstr(&out), pairs[_i].shown);
    nb_buf_done(&out);
}
END_TEST

/* ---- records ---- */

static struct fixture fixture;
static struct srv_loop loop;
static struct srv_request *request;

static void set_up(void)
{
    static bool registered;

    if (!registered) {
        vm_type_init();
        srv_record_register();
        registered = true;
    }
    ck_assert(fixture_begin(&fixture, 1));
    request = srv_request_new(&loop);
    request->id = 7;
}

static void tear_down(void)
{
    srv_request_free_all(request);
    fixture_end(&fixture);
}

static void add_header(const char *name, const char *value)
{
    ck_assert(srv_request_add_header(request, name, strlen(name), value, strlen(value)));
}

/* Make the record and show it as a program would. */
static void expect(const char *target, const char *method, const char *body, size_t length, const char *shown)
{
    struct nb_buf text = NB_BUF_INIT;
    vm_value record;

    ck_assert(srv_request_set_target(request, target));
    ck_assert(srv_request_set_method(request, method));
    nb_buf_append(&request->body, body, length);
    ck_assert_int_eq(srv_record_make(&fixture.ctx, request, &record), VM_OK);
    for (unsigned i = 0; i < 9; i++) {
        vm_print_display(&text, vm_field(record, i));
        nb_buf_text(&text, i < 8 ? " " : "");
    }
    ck_assert_str_eq(nb_buf_cstr(&text), shown);
    nb_buf_done(&text);
}

START_TEST(makes_a_plain_record)
{
    add_header("Host", "x");
    expect("/a%20b", "GET", "", 0, "7 GET /a%20b [(\"host\", \"x\")]  [] [] [] false");
}
END_TEST

START_TEST(leaves_blanks_behind_a_value)
{
    add_header("A", "b \tc \t ");
    add_header("D", " ");
    expect("/", "GET", "", 0, "7 GET / [(\"a\", \"b \tc\"), (\"d\", \"\")]  [] [] [] false");
}
END_TEST

START_TEST(makes_params_cookies_and_form)
{
    add_header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    add_header("Cookie", "s=1; t=2");
    add_header("X", "\xff");
    expect("/?q=a%26b&q=2", "POST", "k=v", 3,
           "7 POST / [(\"content-type\", \"application/x-www-form-urlencoded; charset=utf-8\"), (\"cookie\", \"s=1; "
           "t=2\"), "
           "(\"x\", \"\")] k=v [(\"q\", \"a&b\"), (\"q\", \"2\")] [(\"s\", \"1\"), (\"t\", \"2\")] [(\"k\", \"v\")] "
           "false");
}
END_TEST

START_TEST(gives_bytes_that_are_no_text_as_numbers)
{
    expect("/", "PUT", "\x00\xff", 2, "7 PUT / [] [0, 255] [] [] [] false");
}
END_TEST

START_TEST(knows_a_websocket)
{
    add_header("Upgrade", "WebSocket");
    add_header("Connection", "keep-alive, Upgrade");
    expect("/ws", "GET", "ignored", 7,
           "7 GET /ws [(\"upgrade\", \"WebSocket\"), (\"connection\", \"keep-alive, Upgrade\")]  [] [] [] true");
}
END_TEST

static const struct {
    const char *target, *path;
} targets[] = {
    { "/x?y", "/x" },      { "", "/" },  { "http://h:80/x/y?z", "/x/y" },  { "http://h", "/" },
    { "http://h?q", "/" }, { "*", "*" }, { "/http://h/x", "/http://h/x" }, { "//x", "//x" },
};

START_TEST(finds_the_path)
{
    ck_assert(srv_request_set_target(request, targets[_i].target));
    ck_assert_uint_eq(request->path.length, strlen(targets[_i].path));
    ck_assert_mem_eq(srv_request_part(request, request->path), targets[_i].path, request->path.length);
}
END_TEST

START_TEST(holds_many_headers)
{
    vm_value record;

    for (int i = 0; i < 100; i++)
        add_header("N", i % 2 == 0 ? "even" : "odd");
    ck_assert(srv_request_set_target(request, "/"));
    ck_assert(srv_request_set_method(request, "GET"));
    ck_assert_int_eq(srv_record_make(&fixture.ctx, request, &record), VM_OK);
    ck_assert_uint_eq(vm_list_length(vm_field(record, 3)), 100);
}
END_TEST

/* Names get lower case, values with a byte that is not visible ASCII get empty: wherever in a text the byte stands. A
 * blank at the end goes. */
START_TEST(reads_each_byte_of_a_header)
{
    size_t length = (size_t)_i;
    char name[40], value[40], lower[40];

    for (int byte = 1; byte < 256; byte++) {
        bool blank = byte == ' ' || byte == '\t', visible = blank || (byte > ' ' && byte < 0x7f);

        for (size_t place = 0; place < length; place++) {
            struct srv_header *header;

            memset(name, 'Q', length);
            memset(value, 'v', length);
            memset(lower, 'q', length);
            name[place] = value[place] = (char)byte;
            lower[place] = (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
            request->header_count = 0;
            nb_buf_clear(&request->text);
            ck_assert(srv_request_add_header(request, name, length, value, length));
            header = &request->headers[0];
            ck_assert_uint_eq(header->name.length, length);
            ck_assert_mem_eq(srv_request_part(request, header->name), lower, length);
            ck_assert_uint_eq(header->value.length, !visible ? 0 : blank && place == length - 1 ? place : length);
            if (visible)
                ck_assert_mem_eq(srv_request_part(request, header->value), value, header->value.length);
        }
    }
}
END_TEST

/* The next request of a connection, with five headers. */
static void next_request(struct srv_connection *connection, const char *last)
{
    srv_headers_let_go(request);
    request->header_count = 0;
    request->has_cookies = false;
    nb_buf_clear(&request->text);
    ck_assert(srv_request_set_target(request, "/"));
    ck_assert(srv_request_set_method(request, "GET"));
    for (int i = 0; i < 3; i++)
        add_header("A-Name", "value");
    add_header("Cookie", "c=1");
    add_header("Last", last);
    srv_headers_recall(connection, request);
}

static void expect_record(const char *last)
{
    static const char before[] =
        "[(\"a-name\", \"value\"), (\"a-name\", \"value\"), (\"a-name\", \"value\"), (\"cookie\", \"c=1\"), ";
    struct nb_buf shown = NB_BUF_INIT, wanted = NB_BUF_INIT;
    vm_value record;

    ck_assert_int_eq(srv_record_make(&fixture.ctx, request, &record), VM_OK);
    vm_print_display(&shown, vm_field(record, 3));
    vm_print_display(&shown, vm_field(record, 6));
    nb_buf_printf(&wanted, "%s(\"last\", \"%s\")][(\"c\", \"1\")]", before, last);
    ck_assert_str_eq(nb_buf_cstr(&shown), nb_buf_cstr(&wanted));
    nb_buf_done(&shown);
    nb_buf_done(&wanted);
}

START_TEST(remembers_headers_that_come_again)
{
    struct srv_endpoint endpoint = { .loop = &loop };
    struct srv_connection connection = { .endpoint = &endpoint };

    next_request(&connection, "x"); /* never seen */
    ck_assert(request->known == NULL && !request->is_familiar);
    expect_record("x");
    srv_headers_remember(&connection, request);
    ck_assert_ptr_null(connection.headers);
    next_request(&connection, "x"); /* again: kept from now on */
    ck_assert(request->known == NULL && request->is_familiar);
    expect_record("x");
    srv_headers_remember(&connection, request);
    ck_assert_ptr_nonnull(connection.headers);
    ck_assert_uint_eq(loop.headers_remembered, 1);
    for (int i = 0; i < 3; i++) {
        next_request(&connection, "x");
        ck_assert_ptr_eq(request->known, connection.headers);
        expect_record("x");
    }
    next_request(&connection, "y"); /* others, which nobody has seen */
    ck_assert(request->known == NULL && !request->is_familiar && connection.headers == NULL);
    expect_record("y");
    next_request(&connection, "y");
    expect_record("y");
    srv_headers_remember(&connection, request);
    next_request(&connection, "y");
    ck_assert_ptr_nonnull(request->known);
    srv_headers_forget(&connection); /* the request still has them */
    expect_record("y");
    srv_headers_let_go(request);
    ck_assert_uint_eq(loop.headers_remembered, 0);
}
END_TEST

/* A closure by hand: a function word that nobody looks at, then what it holds. */
static vm_value closure_of(vm_value held)
{
    return make_of_two(&fixture, VM_KIND_CLOSURE, 2, VM_UNIT, held);
}

START_TEST(sees_who_holds_a_request)
{
    vm_value record, inner;

    ck_assert(srv_request_set_target(request, "/"));
    ck_assert(srv_request_set_method(request, "GET"));
    ck_assert_int_eq(srv_record_make(&fixture.ctx, request, &record), VM_OK);
    ck_assert(srv_record_is_held_by(closure_of(record), 7));
    ck_assert(!srv_record_is_held_by(closure_of(record), 8));
    ck_assert(srv_record_is_held_by(closure_of(vm_from_small(7)), 7));
    ck_assert(!srv_record_is_held_by(closure_of(VM_NIL), 7));
    ck_assert(!srv_record_is_held_by(record, 7)); /* a value, not a closure */
    inner = make_pair(&fixture, vm_from_small(1), vm_from_small(7));
    ck_assert(srv_record_is_held_by(closure_of(inner), 7));
    inner = closure_of(vm_from_small(7));
    ck_assert(srv_record_is_held_by(closure_of(inner), 7));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server/record");
    TCase *texts = tcase_create("texts"), *records = tcase_create("records");

    tcase_add_loop_test(texts, takes_pairs_apart, 0, sizeof pairs / sizeof *pairs);
    suite_add_tcase(suite, texts);
    tcase_add_checked_fixture(records, set_up, tear_down);
    tcase_add_test(records, makes_a_plain_record);
    tcase_add_test(records, leaves_blanks_behind_a_value);
    tcase_add_test(records, makes_params_cookies_and_form);
    tcase_add_test(records, gives_bytes_that_are_no_text_as_numbers);
    tcase_add_test(records, knows_a_websocket);
    tcase_add_loop_test(records, finds_the_path, 0, sizeof targets / sizeof *targets);
    tcase_add_test(records, holds_many_headers);
    tcase_add_loop_test(records, reads_each_byte_of_a_header, 0, 27);
    tcase_add_test(records, remembers_headers_that_come_again);
    tcase_add_test(records, sees_who_holds_a_request);
    suite_add_tcase(suite, records);
    return run_suite(suite);
}
