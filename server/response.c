/*
 * response.c - see response.h.
 */
#include "config.h"

#include "server/response.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "lib/expect.h"
#include "server/unsent.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/shared.h"
#include "vm/string.h"

enum {
    BORROWED_BYTES = 1024, /* longer bodies that are shared objects already are sent from where they are */
    HEADER_BYTES = 512     /* headers up to this size need no allocation of ours */
};

/* ---- bodies ---- */

static void unref_string(void *closure)
{
    vm_shared_unref((vm_value)(uintptr_t)closure);
}

/* The shared object in which a string's bytes lie; VM_NONE when they lie in the heap or belong to a program. */
static vm_value shared_bytes_of(vm_value string)
{
    vm_value whole = vm_kind(string) == VM_KIND_BYTES_SLICE ? vm_field(string, 1) : string;

    return vm_is_shared(whole) ? whole : VM_NONE;
}

static struct MHD_Response *response_of_string(struct vm_ctx *ctx, vm_value body)
{
    struct vm_text text = vm_text(body);
    vm_value shared = text.length >= BORROWED_BYTES ? shared_bytes_of(body) : VM_NONE;
    struct MHD_Response *response;

    if (shared == VM_NONE) {
        lib_worked(ctx, text.length);
        return MHD_create_response_from_buffer(text.length, (void *)(uintptr_t)text.bytes, MHD_RESPMEM_MUST_COPY);
    }
    vm_shared_ref(shared);
    response = MHD_create_response_from_buffer_with_free_callback_cls(text.length, (void *)(uintptr_t)text.bytes,
                                                                      unref_string, (void *)(uintptr_t)shared);
    if (response == NULL)
        vm_shared_unref(shared);
    return response;
}

/* A list of numbers, each sent as the byte of its low eight bits. */
static enum vm_status response_of_list(struct vm_ctx *ctx, vm_value body, struct MHD_Response **ret_response)
{
    uint32_t length = vm_list_length(body), i = 0;
    char *bytes = nb_alloc(length > 0 ? length : 1);
    struct vm_list_walk walk;
    vm_value item;

    if (bytes == NULL)
        return VM_NOMEM;
    lib_worked(ctx, length);
    for (vm_list_walk(&walk, body); vm_list_next(&walk, &item); i++) {
        if (!vm_is_small(item)) {
            nb_free(bytes);
            return vm_raise_type(ctx, "Int", item);
        }
        bytes[i] = (char)(vm_small(item) & 0xff);
    }
    *ret_response = MHD_create_response_from_buffer_with_free_callback(length, bytes, nb_free);
    if (*ret_response != NULL)
        return VM_OK;
    nb_free(bytes);
    return VM_NOMEM;
}

static enum vm_status make_of_body(struct vm_ctx *ctx, vm_value body, struct MHD_Response **ret_response)
{
    if (vm_is_list(body))
        return response_of_list(ctx, body, ret_response);
    if (vm_is_string(body))
        *ret_response = response_of_string(ctx, body);
    else if (body == VM_UNIT)
        *ret_response = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    else
        return vm_raise_type(ctx, "String", body);
    return *ret_response != NULL ? VM_OK : VM_NOMEM;
}

/* ---- headers ---- */

/* Copy a text to where it ends with a NUL. False when it does not fit or has a NUL inside. */
static bool copy_text(struct vm_text text, char *to, size_t size)
{
    if (text.length >= size || memchr(text.bytes, '\0', text.length) != NULL)
        return false;
    memcpy(to, text.bytes, text.length);
    to[text.length] = '\0';
    return true;
}

/* The body's length and how it is sent are not the program's to say. An empty value is left out. */
static bool is_ours_to_say(const char *name, const char *value)
{
    return value[0] == '\0' || strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
           strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
}

static bool add_header_in(struct MHD_Response *response, struct vm_text name, struct vm_text value, char *memory,
                          size_t size)
{
    char *value_copy = memory + name.length + 1;

    if (!copy_text(name, memory, size) || !copy_text(value, value_copy, size - name.length - 1))
        return false;
    return is_ours_to_say(memory, value_copy) || MHD_add_response_header(response, memory, value_copy) == MHD_YES;
}

static bool add_header(struct MHD_Response *response, struct vm_text name, struct vm_text value)
{
    size_t size = (size_t)name.length + value.length + 2;
    char small[HEADER_BYTES];
    char *large;
    bool ok;

    if (size <= sizeof small)
        return add_header_in(response, name, value, small, size);
    large = nb_alloc(size);
    ok = large != NULL && add_header_in(response, name, value, large, size);
    nb_free(large);
    return ok;
}

static enum vm_status add_headers(struct vm_ctx *ctx, struct MHD_Response *response, vm_value headers)
{
    struct vm_list_walk walk;
    vm_value pair;

    if (headers == VM_UNIT)
        return VM_OK;
    if (!vm_is_list(headers))
        return vm_raise_type(ctx, "List", headers);
    for (vm_list_walk(&walk, headers); vm_list_next(&walk, &pair);) {
        if (!vm_is_kind(pair, VM_KIND_TUPLE) || vm_size(pair) != 2)
            return vm_raise_type(ctx, "Tuple", pair);
        for (unsigned i = 0; i < 2; i++) {
            if (!vm_is_string(vm_field(pair, i)))
                return vm_raise_type(ctx, "String", vm_field(pair, i));
        }
        if (!add_header(response, vm_text(vm_field(pair, 0)), vm_text(vm_field(pair, 1))))
            return vm_raise_kind(ctx, "io_error", "Invalid header: %.*s", (int)vm_text(vm_field(pair, 0)).length,
                                 vm_text(vm_field(pair, 0)).bytes);
    }
    return VM_OK;
}

bool srv_response_note_large(vm_value body, struct MHD_Response *response, struct srv_unsent **ret_unsent)
{
    size_t bytes = vm_is_list(body) ? vm_list_length(body) : vm_is_string(body) ? vm_text(body).length : 0;
    vm_value shared = bytes >= SRV_UNSENT_LEAST && vm_is_string(body) ? shared_bytes_of(body) : VM_NONE;

    if (bytes < SRV_UNSENT_LEAST)
        return true;
    *ret_unsent = shared != VM_NONE ? srv_unsent_new((uintptr_t)shared, vm_shared_bytes(shared))
                                    : srv_unsent_new((uintptr_t)response, bytes);
    return *ret_unsent != NULL;
}

enum vm_status srv_response_make(struct vm_ctx *ctx, vm_value headers, vm_value body,
                                 struct MHD_Response **ret_response)
{
    struct MHD_Response *response = NULL;
    enum vm_status status = make_of_body(ctx, body, &response);

    if (status == VM_OK)
        status = add_headers(ctx, response, headers);
    if (status == VM_OK)
        *ret_response = response;
    else if (response != NULL)
        MHD_destroy_response(response);
    return status;
}
