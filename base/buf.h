/*
 * buf.h - a growable run of bytes, always NUL-terminated behind its length.
 *
 * Running out of memory sets `failed` and makes further appends do nothing: check once at the end.
 * Start with `struct nb_buf b = NB_BUF_INIT;`, end with nb_buf_done().
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

struct nb_buf {
    char *data; /* NULL while nothing was appended */
    size_t length;
    size_t capacity;
    bool failed;
};
#define NB_BUF_INIT ((struct nb_buf){ NULL, 0, 0, false })

void nb_buf_done(struct nb_buf *buf);
void nb_buf_clear(struct nb_buf *buf); /* length 0, not failed, memory kept */
/** Make room for `extra` more bytes. Returns false, and sets failed, without memory. */
bool nb_buf_reserve(struct nb_buf *buf, size_t extra);
void nb_buf_append(struct nb_buf *buf, const void *bytes, size_t count);
void nb_buf_byte(struct nb_buf *buf, char byte);
void nb_buf_text(struct nb_buf *buf, const char *text);
void nb_buf_printf(struct nb_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void nb_buf_vprintf(struct nb_buf *buf, const char *format, va_list arguments);
void nb_buf_code_point(struct nb_buf *buf, unsigned code_point); /* as UTF-8 */
const char *nb_buf_cstr(const struct nb_buf *buf);               /* "" when empty */
char *nb_buf_take(struct nb_buf *buf);                           /* NULL if failed; the caller's then (nb_free) */

#endif
