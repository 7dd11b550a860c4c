/*
 * record.h - a request as a program sees it: the record HttpRequest, and the decoding rules of its fields.
 */
#ifndef SERVER_RECORD_H
#define SERVER_RECORD_H

#include "server/request.h"
#include "vm/native.h"

/** Register the record type and make the constants that most requests have in common. Once, at start. */
void srv_record_register(void);

/** Build the record of a request in the heap of the running process. Uses ctx->args behind the first as roots.
 *  VM_OK or VM_NOMEM. */
enum vm_status srv_record_make(struct vm_ctx *ctx, struct srv_request *request, vm_value *ret);

/** Whether a closure holds the record or the id of a request: directly, or in a cell, tuple or closure that it holds.
 */
bool srv_record_is_held_by(vm_value closure, uint64_t id);

/* ---- decoding (05 §7.3), also used by tests ---- */

struct srv_text {
    const char *bytes;
    size_t length;
};
struct srv_pairs {
    const char *at, *end;
    bool cookies, done;
};

/** Walk the pairs of a query or form ("a=1&b"), or of a Cookie header ("a=1; b=2"); as they stand, not decoded. */
void srv_pairs_begin(struct srv_pairs *pairs, const char *text, size_t length, bool cookies);
bool srv_pairs_next(struct srv_pairs *pairs, struct srv_text *ret_name, struct srv_text *ret_value);
/** Append the percent-decoded text; what is not UTF-8 then becomes U+FFFD. */
void srv_percent_decode(struct nb_buf *out, struct srv_text text);

#endif
