/*
 * mutate_http.h - what the HTTP fuzzer sends: good requests, one behind the other, and the same with a few things
 * changed that a parser of HTTP may get wrong.
 */
#ifndef FUZZ_MUTATE_HTTP_H
#define FUZZ_MUTATE_HTTP_H

#include <stddef.h>
#include <stdint.h>

enum { HTTP_TEXT_BYTES = 16384 };

/** What one connection says. */
struct http_text {
    char bytes[HTTP_TEXT_BYTES];
    size_t length;
    unsigned requests; /* good ones, as long as nothing was changed */
};

/** The next number of a sequence that its first state determines: 0 to below - 1; below 0 counts as 1. */
uint64_t http_random(uint64_t *state, uint64_t below);

/** A few good requests, each for the path /good/N with its number on this connection, from 0. */
void http_good(struct http_text *text, uint64_t *random);
/** Change a few things. */
void http_mutate(struct http_text *text, uint64_t *random);

#endif
