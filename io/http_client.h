/*
 * http_client.h - requests to HTTP servers, over libcurl.
 *
 * All requests of the program share one libcurl multi handle on the reactor's thread, and so their connections: one
 * that its server keeps open is used again by whoever asks the same server next. A process that ends takes its request
 * with it. Redirects are followed, IO_HTTP_REDIRECTS_MAX of them; there is no time limit but libcurl's for connecting.
 */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include <stddef.h>

#include "base/buf.h"
#include "io/reactor.h"

enum { IO_HTTP_REDIRECTS_MAX = 10, IO_HTTP_ERROR_BYTES = 256 };

/** What to ask for. */
struct io_http_request {
    const char *method; /* upper-case; static */
    struct nb_buf url;
    struct nb_buf headers; /* "name: value", or "name;" for an empty value; each ended by a NUL, without line breaks */
    struct nb_buf body;
    size_t most; /* bytes of headers and body together that the answer may have */
};

enum io_http_error {
    IO_HTTP_FINE,
    IO_HTTP_NO_CONNECTION, /* no such host, refused, TLS: error_text says why */
    IO_HTTP_TIMED_OUT,
    IO_HTTP_NO_MEMORY,
    IO_HTTP_FAILED /* anything else: error_text */
};

/** The answer, when its operation is done. */
struct io_http_answer {
    struct io_operation operation;
    enum io_http_error error;
    char error_text[IO_HTTP_ERROR_BYTES];
    long status;
    struct nb_buf headers; /* name NUL value NUL …: names in lower case, in the order they came */
    struct nb_buf body;
    struct io_transfer *transfer; /* the loop's; NULL once done */
};

/** Begin a request of the running process; io_submit() tells what this returns. Takes over the request's buffers; one
 *  that has failed is VM_NOMEM. */
enum vm_status io_http_begin(struct vm_ctx *ctx, struct io_http_request *request);
/** The running process's answer if it is there, to be given back by io_finish(); NULL while it is not. */
struct io_http_answer *io_http_result(const struct vm_ctx *ctx);

/** Give back a request's buffers, for one that is not begun. */
void io_http_request_done(struct io_http_request *request);

#endif
