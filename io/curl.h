/*
 * curl.h - libcurl, loaded with the first request.
 *
 * With its two dozen libraries it would double the time that a program takes to start, and add 4 MiB to each; most
 * programs never ask for anything. So we do not link it: after io_curl_load(), curl_easy_init() is io_curl.easy_init().
 */
#ifndef IO_CURL_H
#define IO_CURL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct io_curl {
#define FUNCTION(name) __typeof__(&curl_##name) name;
#include "io/curl.def"
#undef FUNCTION
};

/** Filled once by io_curl_load(). */
extern struct io_curl io_curl;

/** Load and initialise libcurl, if that has not been done. False when it is not there: the text, of `size` bytes at the
 *  most, says what is wrong. Threads: the reactor's only. */
bool io_curl_load(char *text, size_t size);

#endif
