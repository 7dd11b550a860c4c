/*
 * path.c - natives of file paths: functions of texts.
 *
 * A path is read as its parts: what stands between slashes, where empty parts and, except at the start, single dots do
 * not count.
 */
#include "config.h"

#include <string.h>

#include "lib/expect.h"
#include "vm/list.h"
#include "vm/string.h"

struct part {
    size_t from, to;
};

static bool is_dot(struct vm_text path, struct part part)
{
    return part.to - part.from == 1 && path.bytes[part.from] == '.';
}

static bool is_dots(struct vm_text path, struct part part)
{
    return part.to - part.from == 2 && memcmp(path.bytes + part.from, "..", 2) == 0;
}

/* The part that begins at or after *at. False at the end. */
static bool next_part(struct vm_text path, size_t *at, struct part *ret)
{
    for (;;) {
        while (*at < path.length && path.bytes[*at] == '/')
            ++*at;
        if (*at == path.length)
            return false;
        ret->from = *at;
        while (*at < path.length && path.bytes[*at] != '/')
            ++*at;
        ret->to = *at;
        if (ret->from == 0 || !is_dot(path, *ret))
            return true;
    }
}

/* The last part. False when there is none. */
static bool last_part(struct vm_text path, struct part *ret)
{
    struct part part;
    bool found = false;

    for (size_t at = 0; next_part(path, &at, &part); found = true)
        *ret = part;
    return found;
}

/* The last part when it is a name. */
static bool file_name(struct vm_text path, struct part *ret)
{
    return last_part(path, ret) && !is_dots(path, *ret) && !is_dot(path, *ret);
}

/* Where in a name its extension's dot stands; name.to when it has none. */
static size_t extension_dot(struct vm_text path, struct part name)
{
    for (size_t i = name.to; i > name.from + 1; i--)
        if (path.bytes[i - 1] == '.')
            return i - 1;
    return name.to;
}

static enum vm_status path_join(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text base, below;

    if (status != VM_OK)
        return status;
    base = vm_text(args[0]);
    below = vm_text(args[1]);
    if (below.length > 0 && below.bytes[0] == '/')
        return lib_answer(args[1], ret);
    nb_buf_append(&out, base.bytes, base.length);
    if (base.length > 0 && base.bytes[base.length - 1] != '/')
        nb_buf_byte(&out, '/');
    nb_buf_append(&out, below.bytes, below.length);
    return lib_answer_text(ctx, &out, ret);
}

/* Everything in front of the last part, without the slashes between. */
static enum vm_status path_dirname(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text path;
    struct part part;
    size_t end;

    if (status != VM_OK)
        return status;
    path = vm_text(args[0]);
    if (!last_part(path, &part))
        return lib_answer_cstr(ctx, "", ret);
    end = part.from;
    while (end > 1 && path.bytes[end - 1] == '/')
        end--;
    return lib_answer(vm_string_part(ctx, args[0], 0, (uint32_t)end), ret);
}

static enum vm_status path_basename(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct part name;

    if (status != VM_OK)
        return status;
    if (!file_name(vm_text(args[0]), &name))
        return lib_answer_cstr(ctx, "", ret);
    return lib_answer(vm_string_part(ctx, args[0], (uint32_t)name.from, (uint32_t)(name.to - name.from)), ret);
}

static enum vm_status path_extension(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct part name;
    size_t dot;

    if (status != VM_OK)
        return status;
    if (!file_name(vm_text(args[0]), &name))
        return lib_answer_cstr(ctx, "", ret);
    dot = extension_dot(vm_text(args[0]), name);
    if (dot == name.to)
        return lib_answer_cstr(ctx, "", ret);
    return lib_answer(vm_string_part(ctx, args[0], (uint32_t)dot + 1, (uint32_t)(name.to - dot - 1)), ret);
}

static enum vm_status path_with_extension(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text path, extension;
    struct part name;

    if (status != VM_OK)
        return status;
    path = vm_text(args[0]);
    extension = vm_text(args[1]);
    if (!file_name(path, &name))
        return lib_answer(args[0], ret);
    nb_buf_append(&out, path.bytes, extension_dot(path, name));
    if (extension.length > 0)
        nb_buf_byte(&out, '.');
    nb_buf_append(&out, extension.bytes, extension.length);
    return lib_answer_text(ctx, &out, ret);
}

static enum vm_status path_normalize(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text path;
    struct part part;
    bool first = true;

    if (status != VM_OK)
        return status;
    path = vm_text(args[0]);
    if (path.length > 0 && path.bytes[0] == '/')
        nb_buf_byte(&out, '/');
    for (size_t at = 0; next_part(path, &at, &part); first = false) {
        if (!first)
            nb_buf_byte(&out, '/');
        nb_buf_append(&out, path.bytes + part.from, part.to - part.from);
    }
    return lib_answer_text(ctx, &out, ret);
}

static bool is_absolute(vm_value path)
{
    return vm_text(path).length > 0 && vm_text(path).bytes[0] == '/';
}

static enum vm_status path_is_absolute(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");

    if (status == VM_OK)
        *ret = vm_from_bool(is_absolute(args[0]));
    return status;
}

static enum vm_status path_is_relative(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");

    if (status == VM_OK)
        *ret = vm_from_bool(!is_absolute(args[0]));
    return status;
}

static bool push_bytes(struct vm_ctx *ctx, vm_value *args, vm_value *parts, size_t from, size_t to)
{
    vm_value part = vm_string_part(ctx, args[0], (uint32_t)from, (uint32_t)(to - from));

    return part != VM_NONE && vm_builder_push(ctx, parts, part);
}

static enum vm_status path_split(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    vm_value parts;
    struct part part;
    bool room;

    if (status != VM_OK)
        return status;
    parts = vm_builder_new(ctx, 4);
    if (parts == VM_NONE)
        return VM_NOMEM;
    VM_ROOT(ctx, parts);
    room = !is_absolute(args[0]) || push_bytes(ctx, args, &parts, 0, 1);
    for (size_t at = 0; room && next_part(vm_text(args[0]), &at, &part);)
        room = push_bytes(ctx, args, &parts, part.from, part.to);
    VM_UNROOT(ctx, parts);
    return room ? lib_answer(vm_builder_list(parts), ret) : VM_NOMEM;
}

#define LIB_TABLE "lib/path.def"
#define LIB_REGISTER lib_register_path
#include "lib/table.h"
