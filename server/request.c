/*
 * request.c - the request object, its ticket, and the table of those that are open.
 *
 * Ordering: the loop writes a request, then opens its ticket (release); srv_request_find() reads the ticket (acquire).
 * The answerer writes the answer, then pushes on the loop's completion stack, whose pop acquires. `holds` counts the
 * loop, and the ring or whoever took the request out of it; the last to let go puts it away, on the loop's thread.
 */
#include "config.h"

#include "server/request.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/tsan.h"
#include "server/headers.h"
#include "server/runtime_private.h"

#define REQUEST_MAGIC 0x7be1c60au
enum {
    TEXT_KEPT_BYTES = 4096, /* buffers up to this size stay with a request that is put away */
    WARM_REQUESTS = 512,    /* that many keep them; what a crowd leaves behind does not */
    ID_TRIES = 64,
    FIRST_ID = 1000000001
};

/* ---- the table ---- */

bool srv_request_table_init(struct srv_request_table *table, unsigned requests_max)
{
    uint64_t slots = 64;

    while (slots < requests_max)
        slots *= 2;
    table->slots = nb_alloc_zero(slots * sizeof *table->slots);
    table->mask = slots - 1;
    atomic_init(&table->next_id, FIRST_ID);
    return table->slots != NULL;
}

void srv_request_table_done(struct srv_request_table *table)
{
    nb_free(table->slots);
    table->slots = NULL;
}

bool srv_request_table_add(struct srv_request_table *table, struct srv_request *request)
{
    for (unsigned tries = 0; tries < ID_TRIES; tries++) {
        uint64_t id = atomic_fetch_add_explicit(&table->next_id, 1, memory_order_relaxed);
        struct srv_request_slot *slot = &table->slots[id & table->mask];
        struct srv_request *none = NULL;

        if (atomic_load_explicit(&slot->request, memory_order_relaxed) != NULL ||
            !atomic_compare_exchange_strong(&slot->request, &none, request))
            continue;
        atomic_store_explicit(&slot->process, 0, memory_order_relaxed);
        request->id = id;
        nb_tsan_release(request);
        atomic_store_explicit(&request->ticket, id, memory_order_release);
        return true;
    }
    return false;
}

static void remove_from_table(struct srv_request_table *table, struct srv_request *request)
{
    if (request->id != 0)
        atomic_store_explicit(&table->slots[request->id & table->mask].request, NULL, memory_order_release);
    request->id = 0;
}

struct srv_request *srv_request_find(struct srv_request_table *table, uint64_t id)
{
    struct srv_request *request = atomic_load_explicit(&table->slots[id & table->mask].request, memory_order_acquire);

    if (id == 0 || request == NULL || atomic_load_explicit(&request->ticket, memory_order_acquire) != id)
        return NULL;
    return request;
}

void srv_request_set_process(struct srv_request_table *table, uint64_t id, uint64_t pid)
{
    atomic_store_explicit(&table->slots[id & table->mask].process, pid, memory_order_relaxed);
}

uint64_t srv_request_process(struct srv_request_table *table, uint64_t id)
{
    return atomic_load_explicit(&table->slots[id & table->mask].process, memory_order_relaxed);
}

/* ---- the object ---- */

struct srv_request *srv_request_new(struct srv_loop *loop)
{
    struct srv_request *request = loop->free_requests;

    if (request != NULL) {
        loop->free_requests = request->free_next;
        loop->free_count--;
    } else {
        request = nb_alloc_zero(sizeof *request);
        if (request == NULL)
            return NULL;
        request->magic = REQUEST_MAGIC;
        request->headers = request->headers_inline;
        request->header_capacity = SRV_REQUEST_HEADERS_INLINE;
    }
    nb_check_object(request, REQUEST_MAGIC);
    request->loop = loop;
    request->state = SRV_REQUEST_HEADERS;
    atomic_store_explicit(&request->holds, 1, memory_order_relaxed);
    srv_link_init(&request->link);
    srv_link_init(&request->watch_link);
    return request;
}

static void give_buffers_back(struct srv_request *request)
{
    nb_buf_done(&request->text);
    nb_buf_done(&request->body);
    request->text = request->body = NB_BUF_INIT;
    if (request->headers != request->headers_inline)
        nb_free(request->headers);
    request->headers = request->headers_inline;
    request->header_capacity = SRV_REQUEST_HEADERS_INLINE;
}

static void request_free(struct srv_request *request)
{
    give_buffers_back(request);
    nb_free(request);
}

void srv_request_free_all(struct srv_request *first)
{
    while (first != NULL) {
        struct srv_request *next = first->free_next;

        request_free(first);
        first = next;
    }
}

/* Empty a buffer; a large one gives its memory back. */
static void empty_buffer(struct nb_buf *buffer)
{
    if (buffer->capacity > TEXT_KEPT_BYTES || buffer->failed) {
        nb_buf_done(buffer);
        *buffer = NB_BUF_INIT;
    } else {
        nb_buf_clear(buffer);
    }
}

void srv_request_recycle(struct srv_request *request)
{
    struct srv_loop *loop = request->loop;

    nb_check_object(request, REQUEST_MAGIC);
    nb_assert(request->connection == NULL && atomic_load(&request->ticket) == 0);
    nb_assert(srv_link_empty(&request->link) && srv_link_empty(&request->watch_link) && !request->watched);
    remove_from_table(&loop->runtime->requests, request);
    srv_reply_drop(&request->reply);
    nb_free(request->unsent);
    request->unsent = NULL;
    request->recycle = request->suspended = request->has_query = request->is_head = false;
    request->client_gone = false;
    srv_headers_let_go(request);
    request->has_cookies = request->has_upgrade = request->has_type = false;
    request->endpoint = NULL;
    request->group = NULL;
    request->header_count = 0;
    request->turns = 0;
    request->piece_bytes = 0;
    empty_buffer(&request->text);
    empty_buffer(&request->body);
    if (loop->free_count++ >= WARM_REQUESTS)
        give_buffers_back(request);
    request->free_next = loop->free_requests;
    loop->free_requests = request;
}

void srv_request_release(struct vm_ctx *ctx, struct srv_request *request)
{
    struct srv_loop *loop = request->loop;

    nb_check_object(request, REQUEST_MAGIC);
    nb_tsan_release(request);
    if (atomic_fetch_sub_explicit(&request->holds, 1, memory_order_acq_rel) != 1)
        return;
    nb_tsan_acquire(request);
    if (srv_loop_is_mine(loop, ctx)) {
        srv_request_recycle(request);
        return;
    }
    request->recycle = true;
    nb_tsan_release(&loop->completions);
    ck_stack_push_upmc(&loop->completions, &request->completion);
    srv_loop_notify(loop, ctx);
}

void srv_request_answer(struct vm_ctx *ctx, struct srv_request *request, unsigned status, struct srv_reply reply)
{
    struct srv_loop *loop = request->loop;

    nb_check_object(request, REQUEST_MAGIC);
    nb_assert(!srv_reply_is_empty(&reply) && srv_reply_is_empty(&request->reply));
    request->reply = reply;
    request->unsent = reply.unsent;
    request->reply.unsent = NULL;
    request->status = status;
    if (srv_loop_is_mine(loop, ctx)) {
        srv_loop_answered(loop, request);
        return;
    }
    nb_tsan_release(&loop->completions);
    ck_stack_push_upmc(&loop->completions, &request->completion);
    srv_loop_notify(loop, ctx);
}

/* ---- for logs ---- */

void srv_request_describe(const struct srv_request *request, struct nb_buf *out)
{
    nb_buf_text(out, "method=");
    nb_log_quote_bytes(out, srv_request_part(request, request->method), request->method.length);
    nb_buf_text(out, " path=");
    nb_log_quote_bytes(out, srv_request_part(request, request->path), request->path.length);
}

/* ---- filling ---- */

/* With the NUL that ends it. The text has failed without memory. */
static struct srv_part add_text(struct srv_request *request, const char *bytes, size_t length)
{
    struct srv_part part = { (uint32_t)request->text.length, (uint32_t)length };
    char *to;

    if (!nb_buf_reserve(&request->text, length + 1))
        return part;
    to = request->text.data + part.at;
    memcpy(to, bytes, length);
    to[length] = '\0';
    request->text.length += length + 1;
    return part;
}

/* "http://host:1/x" → "/x"; the forms "/x" and "*" stay. */
static const char *without_authority(const char *target)
{
    const char *after_scheme = strstr(target, "://");
    size_t slash;

    if (target[0] == '/' || target[0] == '*' || after_scheme == NULL)
        return target;
    slash = strcspn(after_scheme + 3, "/?");
    return after_scheme + 3 + slash;
}

bool srv_request_set_target(struct srv_request *request, const char *target)
{
    const char *path = without_authority(target);
    const char *mark = strchr(path, '?');
    size_t path_length = mark != NULL ? (size_t)(mark - path) : strlen(path);

    request->path = path_length > 0 ? add_text(request, path, path_length) : add_text(request, "/", 1);
    request->has_query = mark != NULL;
    request->query = mark != NULL ? add_text(request, mark + 1, strlen(mark + 1)) : (struct srv_part){ 0, 0 };
    return !request->text.failed;
}

bool srv_request_set_method(struct srv_request *request, const char *method)
{
    request->method = add_text(request, method, strlen(method));
    request->is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    return !request->text.failed;
}

static bool room_for_header(struct srv_request *request)
{
    struct srv_header *more;
    uint32_t capacity = request->header_capacity * 2;

    if (request->header_count < request->header_capacity)
        return true;
    more = nb_alloc_array(capacity, sizeof *more);
    if (more == NULL)
        return false;
    memcpy(more, request->headers, request->header_count * sizeof *more);
    if (request->headers != request->headers_inline)
        nb_free(request->headers);
    request->headers = more;
    request->header_capacity = capacity;
    return true;
}

/* Eight bytes at a time; the last eight may overlap those before. EACH times a byte is eight of it. */
#define EACH UINT64_C(0x0101010101010101)
static uint64_t load_word(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint64_t lower_case_word(uint64_t word)
{
    uint64_t low = word & EACH * 0x7f;
    uint64_t from_a = low + EACH * (0x80 - 'A'), behind_z = low + EACH * (0x7f - 'Z');

    return word | ((from_a & ~behind_z & ~word & EACH * 0x80) >> 2);
}

static void lower_case(char *text, size_t length)
{
    uint64_t word;

    if (length < sizeof word) {
        for (size_t i = 0; i < length; i++)
            text[i] = (char)(text[i] | ((unsigned char)(text[i] - 'A') < 26) << 5);
        return;
    }
    for (size_t i = 0; i < length; i += sizeof word) {
        i = i + sizeof word > length ? length - sizeof word : i;
        word = lower_case_word(load_word(text + i));
        memcpy(text + i, &word, sizeof word);
    }
}

static bool is_visible(unsigned char byte)
{
    return (byte >= ' ' || byte == '\t') && byte < 0x7f;
}

static bool is_visible_slowly(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_visible((unsigned char)text[i]))
            return false;
    return true;
}

/* What a program sees of a value: visible ASCII, blanks and tabs; anything else makes it "". */
static bool is_visible_ascii(const char *text, size_t length)
{
    uint64_t word, strange = 0;

    if (length < sizeof word)
        return is_visible_slowly(text, length);
    for (size_t i = 0; i < length; i += sizeof word) {
        i = i + sizeof word > length ? length - sizeof word : i;
        word = load_word(text + i);
        strange |= (word - EACH * ' ') | (word + EACH) | word;
    }
    return (strange & EACH * 0x80) == 0 || is_visible_slowly(text, length); /* perhaps a tab */
}

/* What stands between a value and the end of its line is no part of it (RFC 9112, 5.1). */
static size_t without_blanks_behind(const char *value, size_t length)
{
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    return length;
}

/* The few whose value says something about the request as a whole. */
static void note_meaning(struct srv_request *request, const char *name, size_t length)
{
    request->has_cookies |= length == 6 && memcmp(name, "cookie", 6) == 0;
    request->has_upgrade |= length == 7 && memcmp(name, "upgrade", 7) == 0;
    request->has_type |= length == 12 && memcmp(name, "content-type", 12) == 0;
}

bool srv_request_add_header(struct srv_request *request, const char *name, size_t name_length, const char *value,
                            size_t value_length)
{
    struct srv_header *header;

    if (!room_for_header(request))
        return false;
    value_length = without_blanks_behind(value, value_length);
    if (request->header_count == 0)
        request->headers_at = request->text.length;
    header = &request->headers[request->header_count++];
    header->name = add_text(request, name, name_length);
    header->value = add_text(request, value, is_visible_ascii(value, value_length) ? value_length : 0);
    if (request->text.failed)
        return false;
    lower_case(request->text.data + header->name.at, name_length);
    note_meaning(request, request->text.data + header->name.at, name_length);
    return true;
}
