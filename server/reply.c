/*
 * reply.c - see reply.h.
 */
#include "config.h"

#include "server/reply.h"

#include "base/alloc.h"
#include "server/response.h"

enum vm_status srv_reply_make(struct vm_ctx *ctx, unsigned loop, vm_value headers, vm_value body,
                              struct srv_reply *ret_reply)
{
    enum vm_status status;

    *ret_reply = (struct srv_reply){ .prepared = srv_prepared_find(ctx, loop, headers, body) };
    if (ret_reply->prepared != NULL)
        return VM_OK;
    status = srv_response_make(ctx, headers, body, &ret_reply->own);
    if (status == VM_OK && !srv_response_note_large(body, ret_reply->own, &ret_reply->unsent))
        status = VM_NOMEM;
    if (status != VM_OK)
        srv_reply_drop(ret_reply);
    return status;
}

struct MHD_Response *srv_reply_response(const struct srv_reply *reply, bool closing)
{
    if (reply->prepared != NULL)
        return srv_prepared_response(reply->prepared, closing);
    if (reply->own == NULL)
        return reply->ready_made;
    if (closing)
        MHD_add_response_header(reply->own, MHD_HTTP_HEADER_CONNECTION, "close");
    return reply->own;
}

void srv_reply_drop(struct srv_reply *reply)
{
    if (reply->own != NULL)
        MHD_destroy_response(reply->own);
    srv_prepared_unref(reply->prepared);
    nb_free(reply->unsent);
    *reply = (struct srv_reply){ 0 };
}
