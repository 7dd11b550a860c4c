/* buf.c - a growable run of bytes: doubles, and keeps room for the NUL. */
#include "config.h"

#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/stress.h"
#include "base/utf8.h"

enum { CAPACITY_MIN = NB_STRESS_OR(1, 64) };

void nb_buf_done(struct nb_buf *buf)
{
    nb_free(buf->data);
    *buf = NB_BUF_INIT;
}

void nb_buf_clear(struct nb_buf *buf)
{
    buf->length = 0;
    buf->failed = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

/* One byte more than asked for is always there: the NUL. */
bool nb_buf_reserve(struct nb_buf *buf, size_t extra)
{
    size_t wanted;
    size_t capacity = buf->capacity < CAPACITY_MIN ? CAPACITY_MIN : buf->capacity;
    char *data;

    if (buf->failed)
        return false;
    if (__builtin_add_overflow(buf->length, extra, &wanted) || wanted >= SIZE_MAX / 2) {
        buf->failed = true;
        return false;
    }
    if (buf->data != NULL && wanted < buf->capacity)
        return true;
    while (capacity <= wanted) /* one more for the NUL */
        capacity *= 2;
    data = nb_realloc_array(buf->data, capacity, 1);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    data[buf->length] = '\0';
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void nb_buf_append(struct nb_buf *buf, const void *bytes, size_t count)
{
    if (!nb_buf_reserve(buf, count))
        return;
    if (count > 0)
        memcpy(buf->data + buf->length, bytes, count);
    buf->length += count;
    buf->data[buf->length] = '\0';
}

void nb_buf_byte(struct nb_buf *buf, char byte) { nb_buf_append(buf, &byte, 1); }

void nb_buf_text(struct nb_buf *buf, const char *text) { nb_buf_append(buf, text, strlen(text)); }

void nb_buf_printf(struct nb_buf *buf, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    nb_buf_vprintf(buf, format, arguments);
    va_end(arguments);
}

void nb_buf_vprintf(struct nb_buf *buf, const char *format, va_list arguments)
{
    va_list again;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    nb_assert(length >= 0);
    if (nb_buf_reserve(buf, (size_t)length)) {
        vsnprintf(buf->data + buf->length, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
}

void nb_buf_code_point(struct nb_buf *buf, unsigned code_point)
{
    char bytes[4];

    nb_buf_append(buf, bytes, nb_utf8_encode(code_point, bytes));
}

const char *nb_buf_cstr(const struct nb_buf *buf) { return buf->data == NULL ? "" : buf->data; }

char *nb_buf_take(struct nb_buf *buf)
{
    char *data;

    if (!nb_buf_reserve(buf, 0)) { /* also gives an empty buffer its NUL */
        nb_buf_done(buf);
        return NULL;
    }
    data = buf->data;
    *buf = NB_BUF_INIT;
    return data;
}
