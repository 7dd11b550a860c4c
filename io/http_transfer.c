/*
 * http_transfer.c - options of a request, collecting of its answer, and the meaning of libcurl's codes.
 *
 * libcurl adds headers of its own to what it thinks is a form; a request here has those that the program gives, Host
 * and Accept. It follows redirects itself, drops the program's credentials on the way to another host, and asks with
 * GET after a 301, 302 or 303 to a POST. For the methods that have to be named we see to that.
 */
#include "config.h"

#include "io/http_transfer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

enum { HEADERS_OVERHEAD = 2 };

/* ---- the address ---- */

static bool is_web_address(const char *url)
{
    return strncasecmp(url, "http://", strlen("http://")) == 0 || strncasecmp(url, "https://", strlen("https://")) == 0;
}

static bool must_be_escaped(unsigned char byte)
{
    return byte <= ' ' || byte >= 0x7f || strchr("\"<>`{}", byte) != NULL;
}

/* As people write addresses: with blanks and letters of all kinds behind the host. False without memory. */
static bool escape_address(struct nb_buf *url)
{
    struct nb_buf escaped = NB_BUF_INIT;
    const char *text = nb_buf_cstr(url), *end = text + url->length, *host = strstr(text, "://");
    const char *rest = host != NULL ? host + 3 + strcspn(host + 3, "/?#") : end;

    nb_buf_append(&escaped, text, (size_t)(rest - text));
    for (; rest < end; rest++)
        if (must_be_escaped((unsigned char)*rest))
            nb_buf_printf(&escaped, "%%%02X", (unsigned char)*rest);
        else
            nb_buf_byte(&escaped, *rest);
    nb_buf_done(url);
    *url = escaped;
    return !escaped.failed;
}

/* ---- what comes ---- */

/* Count it in: false when it is more than the answer may have. */
static bool has_room(struct io_transfer *transfer, size_t more)
{
    const struct io_http_answer *answer = transfer->answer;

    transfer->too_large = more > transfer->request.most - answer->headers.length - answer->body.length;
    return !transfer->too_large;
}

static size_t on_body(char *bytes, size_t one, size_t count, void *closure)
{
    struct io_transfer *transfer = closure;
    struct nb_buf *body = &transfer->answer->body;

    (void)one;
    transfer->in_body = true;
    if (!has_room(transfer, count))
        return 0; /* ends the transfer */
    nb_buf_append(body, bytes, count);
    return body->failed ? 0 : count;
}

static bool is_printable(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((value[i] < ' ' || value[i] > '~') && value[i] != '\t')
            return false;
    return true;
}

static void add_header(struct nb_buf *headers, const char *name, size_t name_length, const char *value, size_t length)
{
    while (length > 0 && strchr(" \t\r\n", value[length - 1]) != NULL)
        length--;
    while (length > 0 && (*value == ' ' || *value == '\t')) {
        value++;
        length--;
    }
    for (size_t i = 0; i < name_length; i++)
        nb_buf_byte(headers, name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i]);
    nb_buf_byte(headers, '\0');
    if (is_printable(value, length))
        nb_buf_append(headers, value, length);
    nb_buf_byte(headers, '\0');
}

/* A new answer begins: what came before was a redirect's, or an interim one. */
static void begin_answer(struct io_transfer *transfer, const char *line, size_t length)
{
    char text[16] = "";
    int status = 0;

    memcpy(text, line, length < sizeof text ? length : sizeof text - 1);
    nb_buf_clear(&transfer->answer->headers);
    nb_buf_clear(&transfer->answer->body);
    transfer->in_body = false;
    if (sscanf(text, "HTTP/%*s %d", &status) == 1 && status >= 301 && status <= 303)
        io_curl.easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, NULL); /* should it be followed: with GET */
}

static size_t on_header(char *line, size_t one, size_t count, void *closure)
{
    struct io_transfer *transfer = closure;
    struct nb_buf *headers = &transfer->answer->headers;
    const char *colon = memchr(line, ':', count);

    (void)one;
    if (!has_room(transfer, count + HEADERS_OVERHEAD))
        return 0;
    if (count >= strlen("HTTP/") && strncmp(line, "HTTP/", strlen("HTTP/")) == 0)
        begin_answer(transfer, line, count);
    else if (colon != NULL && !transfer->in_body) /* behind the body: a trailer */
        add_header(headers, line, (size_t)(colon - line), colon + 1, count - (size_t)(colon + 1 - line));
    return headers->failed ? 0 : count;
}

/* ---- options ---- */

static bool add_line(struct io_transfer *transfer, const char *line)
{
    struct curl_slist *longer = io_curl.slist_append(transfer->lines, line);

    if (longer == NULL)
        return false;
    transfer->lines = longer;
    return true;
}

/* The program's headers, and two that libcurl is not to add: a name without a value says so. */
static bool make_lines(struct io_transfer *transfer)
{
    const struct nb_buf *headers = &transfer->request.headers;

    if (!add_line(transfer, "Content-Type:") || !add_line(transfer, "Expect:"))
        return false;
    for (size_t at = 0; at < headers->length; at += strlen(headers->data + at) + 1)
        if (!add_line(transfer, headers->data + at))
            return false;
    return true;
}

static bool set_method(struct io_transfer *transfer)
{
    const struct io_http_request *request = &transfer->request;
    const char *method = request->method;
    curl_off_t length = (curl_off_t)request->body.length;
    CURL *easy = transfer->easy;
    bool is_post = strcmp(method, "POST") == 0;
    bool has_body = is_post || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0 || request->body.length > 0;

    if (strcmp(method, "HEAD") == 0)
        return io_curl.easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
    if (has_body && (io_curl.easy_setopt(easy, CURLOPT_POST, 1L) != CURLE_OK ||
                     io_curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, length) != CURLE_OK ||
                     io_curl.easy_setopt(easy, CURLOPT_POSTFIELDS, nb_buf_cstr(&request->body)) != CURLE_OK))
        return false;
    if (is_post || (strcmp(method, "GET") == 0 && !has_body))
        return true;
    return io_curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK;
}

/* Only the web's protocols, no signals, and no proxy that the environment happens to name. */
static bool set_options(struct io_transfer *transfer)
{
    CURL *easy = transfer->easy;

    return io_curl.easy_setopt(easy, CURLOPT_URL, nb_buf_cstr(&transfer->request.url)) == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK && /* who leaves waits for no name server */
           io_curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_MAXREDIRS, (long)IO_HTTP_REDIRECTS_MAX) == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->lines) == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->answer->error_text) == CURLE_OK &&
           io_curl.easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK;
}

CURLcode io_transfer_prepare(struct io_transfer *transfer)
{
    if (!is_web_address(nb_buf_cstr(&transfer->request.url))) {
        snprintf(transfer->answer->error_text, IO_HTTP_ERROR_BYTES, "no http:// or https:// address: %.150s",
                 nb_buf_cstr(&transfer->request.url));
        return CURLE_URL_MALFORMAT;
    }
    transfer->easy = io_curl.easy_init();
    if (transfer->easy == NULL || !escape_address(&transfer->request.url) || !make_lines(transfer) ||
        !set_options(transfer) || !set_method(transfer))
        return CURLE_OUT_OF_MEMORY;
    return CURLE_OK;
}

/* ---- what became of it ---- */

static enum io_http_error meaning(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return IO_HTTP_FINE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return IO_HTTP_NO_CONNECTION;
    case CURLE_OPERATION_TIMEDOUT:
        return IO_HTTP_TIMED_OUT;
    case CURLE_OUT_OF_MEMORY:
        return IO_HTTP_NO_MEMORY;
    default:
        return IO_HTTP_FAILED;
    }
}

void io_transfer_conclude(struct io_transfer *transfer, CURLcode code)
{
    struct io_http_answer *answer = transfer->answer;

    answer->error = meaning(code);
    if (answer->error == IO_HTTP_FINE)
        io_curl.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &answer->status);
    else if (answer->headers.failed || answer->body.failed)
        answer->error = IO_HTTP_NO_MEMORY;
    else if (transfer->too_large)
        snprintf(answer->error_text, sizeof answer->error_text, "the response is larger than %zu bytes",
                 transfer->request.most);
    else if (answer->error_text[0] == '\0')
        snprintf(answer->error_text, sizeof answer->error_text, "%s", io_curl.easy_strerror(code));
}

/* ---- their lives ---- */

static void free_answer(struct io_operation *operation)
{
    struct io_http_answer *answer = (struct io_http_answer *)operation;

    io_transfer_free(answer->transfer);
    nb_buf_done(&answer->headers);
    nb_buf_done(&answer->body);
    nb_free(answer);
}

struct io_transfer *io_transfer_new(struct io_http_request *request)
{
    struct io_transfer *transfer = nb_alloc_zero(sizeof *transfer);
    struct io_http_answer *answer = nb_alloc_zero(sizeof *answer);

    if (transfer == NULL || answer == NULL) {
        nb_free(transfer);
        nb_free(answer);
        return NULL;
    }
    io_operation_init(&answer->operation, NULL, free_answer);
    answer->transfer = transfer;
    transfer->answer = answer;
    transfer->request = *request;
    return transfer;
}

struct io_transfer *io_transfer_free(struct io_transfer *transfer)
{
    if (transfer == NULL)
        return NULL;
    if (transfer->easy != NULL) { /* before, libcurl may not be there */
        io_curl.easy_cleanup(transfer->easy);
        io_curl.slist_free_all(transfer->lines);
    }
    io_http_request_done(&transfer->request);
    nb_free(transfer);
    return NULL;
}
