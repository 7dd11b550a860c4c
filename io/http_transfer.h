/*
 * http_transfer.h - one request as libcurl sees it: its options, and what comes back.
 *
 * Threads: made by the process, from then on the loop's thread only.
 */
#ifndef IO_HTTP_TRANSFER_H
#define IO_HTTP_TRANSFER_H

#include "io/curl.h"
#include "io/http_client.h"

struct io_transfer {
    struct io_http_answer *answer;
    struct io_http_request request; /* its buffers are the transfer's */
    struct curl_slist *lines;
    CURL *easy;
    bool in_body, too_large;
    struct io_transfer *next, **link; /* those under way; the client's (http_client.c) */
};

/** A transfer with its answer; takes over the request's buffers when it succeeds. NULL without memory. */
struct io_transfer *io_transfer_new(struct io_http_request *request);
/** Free a transfer, but not the answer. Returns NULL. */
struct io_transfer *io_transfer_free(struct io_transfer *transfer);
/** Make the handle to be given to the multi handle. A code of libcurl, CURLE_OK if it is there. */
CURLcode io_transfer_prepare(struct io_transfer *transfer);
/** It is over: put into the answer what became of it. */
void io_transfer_conclude(struct io_transfer *transfer, CURLcode code);

#endif
