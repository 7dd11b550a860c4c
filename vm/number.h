/*
 * number.h - numbers of every kind: boxing, arithmetic off the fast path, conversion, parsing, text.
 *
 * The interpreter does Int and Float inline; everything else comes here. Rules: 01 §15, 02 §4, 03 §4.
 */
#ifndef VM_NUMBER_H
#define VM_NUMBER_H

#include "base/buf.h"
#include "vm/process.h"

enum vm_arith { VM_ADD, VM_SUB, VM_MUL, VM_DIV, VM_MOD, VM_POW };

/** An Int value, boxed if it needs 64 bits (may collect). VM_NONE when memory is exhausted. */
vm_value vm_int(struct vm_ctx *ctx, int64_t n);
vm_value vm_float(struct vm_ctx *ctx, double d);
vm_value vm_uint64(struct vm_ctx *ctx, uint64_t n);
vm_value vm_float32(float f);
float vm_float32_of(vm_value v);                 /* of a Float32 */
bool vm_is_int(vm_value v);                      /* Int: small or boxed */
int64_t vm_int_of(vm_value v);                   /* of an Int */
bool vm_is_float(vm_value v);                    /* Float, not Float32 */
double vm_float_of(vm_value v);
bool vm_is_number(vm_value v);                   /* any kind */
/** Any fixed-width integer as 64 bits (UInt64 reinterpreted). */
bool vm_integer_bits(vm_value v, int64_t *ret);

/** left ⊕ right for numbers of any kinds, with the widenings of 03 §4.2; raises DivisionByZero, TypeError. Not for user
 *  types. */
enum vm_status vm_arithmetic(struct vm_ctx *ctx, enum vm_arith op, vm_value left, vm_value right, vm_value *ret);
enum vm_status vm_negate(struct vm_ctx *ctx, vm_value v, vm_value *ret);
/** Numeric comparison of two numbers (any kinds that may be compared): -1, 0, 1, or 2 when unordered (NaN), -2: not
 *  comparable kinds. */
int vm_number_compare(vm_value left, vm_value right);

/** Conversion to a number class (VM_CLASS_INT … VM_CLASS_DECIMAL), 03 §8.2. */
enum vm_status vm_convert(struct vm_ctx *ctx, vm_value v, uint32_t to_class, vm_value *ret);

/** String.toInt and String.toFloat (03 §10): ASCII white space around and a sign are accepted. False when it is no such
 *  number, or an Int too large; *ret is left alone. */
bool vm_parse_int(const char *text, size_t length, int64_t *ret);
bool vm_parse_float(const char *text, size_t length, double *ret);
/** Decimal digits with an optional sign, "12.50" for a Decimal (rounded to 28 digits). VM_NONE when it is no such
 *  number or without memory. `ctx` NULL: a constant, immortal, from nb_alloc (the caller frees the object). */
vm_value vm_bigint_from_text(struct vm_ctx *ctx, const char *digits, size_t length);
vm_value vm_decimal_from_text(struct vm_ctx *ctx, const char *text, size_t length);

/** Append the digits; no suffix (03 §2.3 for floats). */
void vm_number_print(struct nb_buf *out, vm_value v);
enum { VM_INT_TEXT_MAX = 20 };
/** The decimal digits of an integer, with its sign; no NUL behind them. Returns how many bytes. */
size_t vm_int_text(int64_t n, char to[VM_INT_TEXT_MAX]);

#endif
