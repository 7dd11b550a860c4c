/*
 * request_type.c - requestToType: the parameters of a request as a record (05 §7.7).
 *
 * The request is any record with lists of pairs in fields called queryParams and formParams; form parameters win, of
 * several with one name the last. All that is wrong is collected into one text.
 */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "base/intern.h"
#include "lib/expect.h"
#include "lib/json.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/program.h"
#include "vm/types.h"

struct request {
    struct vm_ctx *ctx;
    const vm_value *record;  /* a root */
    struct lib_stack fields; /* parsed so far */
    struct nb_buf errors;
};

/* ---- parameters ---- */

/* The last text with that name in a field of the request, VM_NONE when there is none. */
static vm_value last_of(const struct request *request, const char *field, const char *name)
{
    int position = vm_constructor_field(vm_constructor_of(*request->record), nb_intern_id(field));
    vm_value list = position < 0 ? VM_NIL : vm_field(*request->record, (unsigned)position);
    vm_value found = VM_NONE, pair, key, value;
    struct vm_list_walk walk;

    if (!vm_is_list(list))
        return VM_NONE;
    for (vm_list_walk(&walk, list); vm_list_next(&walk, &pair);)
        if (lib_json_pair(pair, &key, &value) && vm_is_string(value) && vm_string_equals(key, name, strlen(name)))
            found = value;
    return found;
}

static vm_value parameter(const struct request *request, const char *name)
{
    vm_value found = last_of(request, "formParams", name);

    return found != VM_NONE ? found : last_of(request, "queryParams", name);
}

/* ---- texts to values ---- */

/* Each answers whether the text is one; what it pushed is VM_NONE-free or the status VM_NOMEM. */
enum parsed { PARSED, NOT_PARSED, NO_MEMORY };

static enum parsed push(struct request *request, vm_value value)
{
    return lib_stack_push(&request->fields, value) ? PARSED : NO_MEMORY;
}

static enum parsed parse_integer(struct request *request, struct vm_text text, uint32_t class_key)
{
    uint32_t signs = text.length > 0 && (text.bytes[0] == '-' || text.bytes[0] == '+') ? 1 : 0;
    vm_value value = VM_NONE;
    int64_t n, converted;

    for (uint32_t i = signs; i < text.length; i++)
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return NOT_PARSED;
    if (!vm_parse_int(text.bytes, text.length, &n))
        return NOT_PARSED;
    if (vm_convert(request->ctx, vm_int(request->ctx, n), class_key, &value) != VM_OK)
        return NO_MEMORY;
    vm_integer_bits(value, &converted);
    return converted == n ? push(request, value) : NOT_PARSED; /* it was too large */
}

static enum parsed parse_float(struct request *request, struct vm_text text, uint32_t class_key)
{
    double d;

    if (text.length == 0 || isspace((unsigned char)text.bytes[0]) ||
        isspace((unsigned char)text.bytes[text.length - 1]) || !vm_parse_float(text.bytes, text.length, &d))
        return NOT_PARSED;
    return push(request, class_key == VM_CLASS_FLOAT ? vm_float(request->ctx, d) : vm_float32((float)d));
}

static enum parsed parse_bool(struct request *request, struct vm_text text)
{
    static const char *const words[] = { "true", "1", "yes", "false", "0", "no" };

    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == text.length && strncasecmp(words[i], text.bytes, text.length) == 0)
            return push(request, vm_from_bool(i < 3));
    return NOT_PARSED;
}

/* What types are called in messages; NULL for those that cannot be parsed. */
static const char *name_of(const struct vm_shape *shape)
{
    if (shape->kind != VM_SHAPE_BUILTIN || shape->count > 0)
        return NULL;
    if ((shape->class_key >= VM_CLASS_INT && shape->class_key <= VM_CLASS_INT32) ||
        shape->class_key == VM_CLASS_FLOAT || shape->class_key == VM_CLASS_FLOAT32 ||
        shape->class_key == VM_CLASS_BOOL || shape->class_key == VM_CLASS_STRING)
        return vm_class_name(shape->class_key);
    return NULL;
}

static enum parsed parse(struct request *request, vm_value string, uint32_t class_key)
{
    struct vm_text text = vm_text(string);

    switch (class_key) {
    case VM_CLASS_STRING:
        return push(request, string);
    case VM_CLASS_BOOL:
        return parse_bool(request, text);
    case VM_CLASS_FLOAT:
    case VM_CLASS_FLOAT32:
        return parse_float(request, text, class_key);
    default:
        return parse_integer(request, text, class_key);
    }
}

/* ---- fields ---- */

/* Another message goes to the others. */
static struct nb_buf *next_error(struct request *request)
{
    if (request->errors.length > 0)
        nb_buf_text(&request->errors, ", ");
    return &request->errors;
}

static bool parse_as(struct request *request, const char *field, const struct vm_shape *shape, vm_value string)
{
    const char *name = name_of(shape);
    enum parsed parsed = name == NULL ? NOT_PARSED : parse(request, string, shape->class_key);
    struct vm_text text;

    if (parsed != NOT_PARSED)
        return parsed == PARSED;
    if (name == NULL) {
        nb_buf_printf(next_error(request), "field '%s': unsupported type '%s' for request parsing", field,
                      shape->text);
        return true;
    }
    text = vm_text(string);
    nb_buf_printf(next_error(request), "field '%s': expected %s, got '", field, name);
    nb_buf_append(&request->errors, text.bytes, text.length);
    nb_buf_byte(&request->errors, '\'');
    return true;
}

/* Push the field's value, or note what is wrong. False: no memory. */
static bool parse_field(struct request *request, const char *field, const struct vm_shape *shape)
{
    vm_value string = parameter(request, field);
    bool optional = vm_shape_is(shape, "Option", 1);
    size_t before = request->errors.length;

    if (string == VM_NONE && optional)
        return lib_stack_push(&request->fields, LIB_NOTHING);
    if (string == VM_NONE) {
        nb_buf_printf(next_error(request), "missing required field '%s'", field);
        return true;
    }
    if (!optional)
        return parse_as(request, field, shape, string);
    if (!parse_as(request, field, shape->arguments[0], string))
        return false;
    return request->errors.length > before || lib_stack_data(request->ctx, &request->fields, VM_CTOR_SOME, 1);
}

/* ---- the native ---- */

static enum vm_status answer_error(struct vm_ctx *ctx, struct nb_buf *text, vm_value *ret)
{
    vm_value string = VM_NONE;
    enum vm_status status = lib_answer_text(ctx, text, &string);

    return status == VM_OK ? lib_answer(lib_data(ctx, VM_CTOR_ERR, 1, &string), ret) : status;
}

static enum vm_status answer_record(struct request *request, const struct vm_constructor *constructor, vm_value *ret)
{
    enum vm_status status = lib_stack_construct(request->ctx, &request->fields, constructor);

    if (status != VM_OK)
        return status;
    if (!lib_stack_data(request->ctx, &request->fields, VM_CTOR_OK, 1))
        return VM_NOMEM;
    *ret = lib_stack_top(&request->fields);
    return VM_OK;
}

static enum vm_status parse_record(struct vm_ctx *ctx, const vm_value *record,
                                   const struct vm_type_constructor *constructor, vm_value *ret)
{
    struct request request = { .ctx = ctx, .record = record, .errors = NB_BUF_INIT };
    const struct vm_constructor *described = constructor->constructor;
    enum vm_status status = VM_OK;

    lib_stack_begin(ctx, &request.fields);
    for (unsigned i = 0; status == VM_OK && i < described->arity; i++)
        if (!parse_field(&request, described->fields[i], constructor->field_shapes[i]) || request.errors.failed)
            status = VM_NOMEM;
    if (status == VM_OK && request.errors.length == 0)
        status = answer_record(&request, described, ret);
    lib_stack_end(ctx, &request.fields);
    if (status == VM_OK && request.errors.length > 0)
        return answer_error(ctx, &request.errors, ret);
    nb_buf_done(&request.errors);
    return status;
}

static bool is_record(vm_value v)
{
    const struct vm_constructor *constructor = vm_is_object(v) ? vm_constructor_of(v) : NULL;

    return constructor != NULL && constructor->form == VM_TYPE_RECORD;
}

static enum vm_status request_to_type(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "*S");
    const struct vm_type *type;
    struct nb_buf error = NB_BUF_INIT;
    struct vm_text name;

    if (status != VM_OK)
        return status;
    name = vm_text(args[1]);
    type = vm_types_find(ctx->process->program->types, name.bytes, name.length);
    if (type != NULL && type->form == VM_TYPE_RECORD && is_record(args[0]))
        return parse_record(ctx, &args[0], &type->constructors[0], ret);
    if (type == NULL) {
        nb_buf_text(&error, "Unknown type: ");
        nb_buf_append(&error, name.bytes, name.length);
    } else if (type->form != VM_TYPE_RECORD) {
        nb_buf_printf(&error, "requestToType only works with record types, '%s' is a variant", type->name);
    } else {
        nb_buf_text(&error, "Expected HttpRequest record");
    }
    return answer_error(ctx, &error, ret);
}

#define LIB_TABLE "lib/request_type.def"
#define LIB_REGISTER lib_register_request_type
#include "lib/table.h"
