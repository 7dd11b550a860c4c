/* mutate_http.c - see mutate_http.h. */
#include "config.h"

#include "tests/fuzz/mutate_http.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { REQUESTS_MAX = 5, CHANGES_MAX = 6, RANGE_MAX = 200, WORD_BYTES = 64 };

/* Good requests; %u is the number of the request, which its answer has to name. */
static const char *const good[] = {
    "GET /good/%u HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /good/%u?a=1&b=%%41%%20&=&c HTTP/1.1\r\nHost: x\r\nCookie: a=1; b=2;=; c\r\nAccept: */*\r\n\r\n",
    "DELETE /good/%u HTTP/1.1\r\nhost: x\r\nX-Empty:\r\nX-Same: 1\r\nX-Same: 2\r\n\r\n",
    "POST /good/%u HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    "POST /good/%u HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 19\r\n\r\n"
    "k=v&u=%%C3%%BC&k=&=&z",
    "PUT /good/%u HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n\xff\x00\r\n\x01",
    "POST /good/%u HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\n\n\r\n0\r\n\r\n",
    "PATCH /good/%u HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\nA;name=value\r\n0123456789\r\n000\r\n"
    "Trailer: x\r\n\r\n",
    "\r\nGET /good/%u HTTP/1.1\r\nHost: [::1]:80\r\nUpgrade: websocket\r\nUser-Agent: a b (c)\r\n\r\n",
};

/* What is put somewhere, or in the place of something. */
static const char *const words[] = {
    "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", ":", ";", "\"", "\\", "%", "%00", "%zz", "%C3", "?", "&", "=", "#", "..", "/",
    "\xff", "\xc3\x28", "\xf0\x9f\x98\x80", "\x7f", "\x01", "HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/9999999999", "HTTP/",
    "GET ", "HEAD ", "OPTIONS * ", "CONNECT a:1 ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http://x/y",
    "Host: y\r\n", "Content-Length: 4\r\n", "Content-Length: 18446744073709551617\r\n", "Content-Length: -1\r\n",
    "Content-Length: 1, 1\r\n", "Content-Length: 0x3\r\n", "Content-Length: 99999999\r\n", "Content-Length:\r\n",
    "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, chunked\r\n",
    "Transfer-Encoding : chunked\r\n", "Transfer-Encoding: identity\r\n", "Expect: 100-continue\r\n", "Expect: 200\r\n",
    "Connection: close\r\n", "Connection: upgrade, , close\r\n", "Keep-Alive: timeout=0\r\n", " folded: yes\r\n",
    "Cookie: \"a=\"; $Version=1;;;=\r\n", "Content-Type: multipart/form-data; boundary=\r\n", "Range: bytes=0-\r\n",
    "Content-Type: application/x-www-form-urlencoded; charset=x\r\n", "ffffffffffffffff\r\n", "80000000\r\n", "0\r\n\r\n",
    "-1\r\n", "3;\"\r\n", "x: ", "0", "1", "007", "4294967295", "9223372036854775808",
};

enum { GOOD = sizeof good / sizeof *good, WORDS = sizeof words / sizeof *words };

/* Sebastiano Vigna's splitmix64: any state will do to begin with. */
uint64_t http_random(uint64_t *state, uint64_t below)
{
    uint64_t number = (*state += UINT64_C(0x9e3779b97f4a7c15));

    number = (number ^ (number >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94d049bb133111eb);
    number ^= number >> 31;
    return number % (below == 0 ? 1 : below);
}

/* ---- good ones ---- */

/* The body of that one has a zero byte, which no text of C has: it stands for itself. */
static size_t put_good(const char *request, unsigned number, char *out, size_t room)
{
    size_t length = (size_t)snprintf(out, room, request, number);

    if (length >= 1 && out[length - 1] == '\xff') {
        memcpy(out + length, "\x00\r\n\x01", 4);
        length += 4;
    }
    return length;
}

void http_good(struct http_text *text, uint64_t *random)
{
    text->length = 0;
    text->requests = 1 + (unsigned)http_random(random, REQUESTS_MAX);
    for (unsigned i = 0; i < text->requests; i++)
        text->length += put_good(good[http_random(random, GOOD)], i, text->bytes + text->length,
                                 sizeof text->bytes - text->length);
}

/* ---- changes ---- */

/* Put bytes in the place of a piece; what does not fit is left out. */
static void replace(struct http_text *text, size_t at, size_t length, const char *bytes, size_t count)
{
    size_t rest = text->length - at - length;

    if (text->length - length + count > sizeof text->bytes)
        return;
    memmove(text->bytes + at + count, text->bytes + at + length, rest);
    memcpy(text->bytes + at, bytes, count);
    text->length += count - length;
}

static void change_byte(struct http_text *text, uint64_t *random)
{
    if (text->length > 0)
        text->bytes[http_random(random, text->length)] ^= (char)(1u << http_random(random, 8));
}

static void put_word(struct http_text *text, uint64_t *random)
{
    const char *word = words[http_random(random, WORDS)];

    replace(text, http_random(random, text->length + 1), 0, word, strlen(word));
}

/* Words that are lines belong where lines begin. */
static void put_word_at_line(struct http_text *text, uint64_t *random)
{
    const char *word = words[http_random(random, WORDS)];
    size_t at = http_random(random, text->length + 1);

    while (at < text->length && (at == 0 || text->bytes[at - 1] != '\n'))
        at++;
    replace(text, at, 0, word, strlen(word));
}

static void remove_piece(struct http_text *text, uint64_t *random)
{
    size_t at = http_random(random, text->length + 1), most = text->length - at;

    replace(text, at, http_random(random, (most < RANGE_MAX ? most : RANGE_MAX) + 1), "", 0);
}

static void repeat_piece(struct http_text *text, uint64_t *random)
{
    char piece[RANGE_MAX];
    size_t at = http_random(random, text->length + 1), most = text->length - at;
    size_t length = http_random(random, (most < sizeof piece ? most : sizeof piece) + 1);
    size_t times = 1 + http_random(random, http_random(random, 8) == 0 ? 100 : 3);

    memcpy(piece, text->bytes + at, length);
    for (size_t i = 0; i < times; i++)
        replace(text, at, 0, piece, length);
}

static void change_number(struct http_text *text, uint64_t *random)
{
    static const char *const numbers[] = { "0", "1", "-1", "+5", "5 ", "00000000000000000005", "4294967296", "0x5",
                                           "9223372036854775807", "18446744073709551615", "5e0", "5,5", "" };
    size_t at = http_random(random, text->length + 1), end;
    const char *number = numbers[http_random(random, sizeof numbers / sizeof *numbers)];

    while (at < text->length && !isdigit((unsigned char)text->bytes[at]))
        at++;
    for (end = at; end < text->length && isdigit((unsigned char)text->bytes[end]);)
        end++;
    replace(text, at, end - at, number, strlen(number));
}

static void put_zeroes(struct http_text *text, uint64_t *random)
{
    static const char zeroes[4];

    replace(text, http_random(random, text->length + 1), 0, zeroes, 1 + http_random(random, sizeof zeroes));
}

/* A name, a value or a target that is very long. */
static void put_much(struct http_text *text, uint64_t *random)
{
    static const char letters[] = "aA0%=;: &";
    char much[HTTP_TEXT_BYTES / 2];

    memset(much, letters[http_random(random, sizeof letters - 1)], sizeof much);
    replace(text, http_random(random, text->length + 1), 0, much, http_random(random, sizeof much));
}

static void cut(struct http_text *text, uint64_t *random)
{
    text->length = http_random(random, text->length + 1);
}

void http_mutate(struct http_text *text, uint64_t *random)
{
    static void (*const changes[])(struct http_text *, uint64_t *) = {
        change_byte, put_word, put_word, put_word_at_line, put_word_at_line, put_word_at_line, remove_piece,
        repeat_piece, change_number, change_number, put_zeroes, put_much, cut,
    };
    uint64_t count = 1 + http_random(random, CHANGES_MAX);

    while (count-- > 0)
        changes[http_random(random, sizeof changes / sizeof *changes)](text, random);
}
