/*
 * response.h - what a program answers, as libmicrohttpd sends it.
 */
#ifndef SERVER_RESPONSE_H
#define SERVER_RESPONSE_H

#include <microhttpd.h>

#include "vm/native.h"

struct srv_unsent;

/**
 * A response with these headers (a list of pairs of Strings, or ()) and this body (a String, a list of bytes, or ()).
 * The body's length and how it is sent are not the program's to say; headers that do are left out, and so are empty
 * values. Long bodies that are shared objects are sent from where they lie.
 *
 * ret_response  receives it, with one reference, on VM_OK
 *
 * Raises a type error, or ("io_error", "Invalid header: …"). Threads: any.
 */
enum vm_status srv_response_make(struct vm_ctx *ctx, vm_value headers, vm_value body,
                                 struct MHD_Response **ret_response);

/** Note what a large body keeps in memory until its client has taken it (unsent.h); nothing for others. False without
 * memory. */
bool srv_response_note_large(vm_value body, struct MHD_Response *response, struct srv_unsent **ret_unsent);

#endif
