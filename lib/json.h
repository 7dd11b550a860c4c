/*
 * json.h - Json values (stdlib.json.Json): what they look like inside, reading, printing. For the natives of this
 * folder.
 *
 *     Null   Bool(Bool)   Number(Float)   Integer(Int)   String(String)   Array(List[Json])   Object(List[(String, Json)])
 *
 * Texts and values may be nested as deep as memory allows; nothing here recurses.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include "base/buf.h"
#include "lib/stack.h"
#include "vm/string.h"

enum lib_json_kind {
    LIB_JSON_NULL,
    LIB_JSON_BOOL,
    LIB_JSON_NUMBER,
    LIB_JSON_INTEGER,
    LIB_JSON_STRING,
    LIB_JSON_ARRAY,
    LIB_JSON_OBJECT,
    LIB_JSON_KINDS /* no Json value */
};

/** Register the constructors; again is fine. Called before anything else here. Threads: one. */
void lib_json_init(void);
/** Which constructor built a value: by name, so a program's own type of the same constructors will do. What it holds
 *  need not be what the declaration says. */
enum lib_json_kind lib_json_kind(vm_value v);
/** Whether it is of the type Json itself. */
bool lib_is_json(vm_value v);
vm_value lib_json_null(void);
/** Replace the topmost entry of the stack, for Null nothing, by the Json value that holds it. */
bool lib_json_wrap(struct vm_ctx *ctx, struct lib_stack *stack, enum lib_json_kind kind);
/** The list in an Array or Object; VM_NONE when there is something else. */
vm_value lib_json_list(vm_value json);
/** The parts of an Object's entry; false when it is no pair with a String in front. */
bool lib_json_pair(vm_value pair, vm_value *ret_key, vm_value *ret_value);

/** Push the Json value of a text. The lenient reader makes something of any text (04 §3.3); false: no memory. */
bool lib_json_read_lenient(struct vm_ctx *ctx, struct lib_stack *stack, const char *text, size_t length);

/** RFC 8259. VM_OK, VM_NOMEM, or VM_RAISE with `JSON parse error: …`; of duplicate keys the last value is kept in the
 *  first one's place. */
enum vm_status lib_json_read(struct vm_ctx *ctx, struct lib_stack *stack, const char *text, size_t length);

/** Append the text of a Json value, strings without any escapes (04 §3.4). VM_RAISE when something in it is no Json
 *  value. */
enum vm_status lib_json_print_raw(struct vm_ctx *ctx, struct nb_buf *out, vm_value json);
/** The same as RFC 8259 wants it; of duplicate keys the last value in the first one's place. Takes bare Bool, Int,
 *  Float, String and () as well. */
enum vm_status lib_json_print(struct vm_ctx *ctx, struct nb_buf *out, vm_value json);

/** Mark entries of an Object that a later one with the same key replaces. keys[i]: the texts. ret_latest[i] is the
 *  index of the last entry with key i if i is the first with that key, else UINT32_MAX. False when there are no
 *  duplicates, and *ret_latest is NULL; else it is nb_alloc'ed, or NULL when memory is exhausted. */
bool lib_json_duplicates(const struct vm_text *keys, uint32_t count, uint32_t **ret_latest);

/** Push the Json value that describes any value (04 §4.3). */
bool lib_json_reflect(struct vm_ctx *ctx, struct lib_stack *stack, vm_value value);

#endif
