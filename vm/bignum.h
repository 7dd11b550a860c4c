/*
 * bignum.h - BigInt and Decimal: the arithmetic behind number.h, done by GMP. For number.c and its siblings only.
 *
 * Objects hold limbs as GMP wants them, so operands are looked at in place; results are computed in GMP's own memory
 * and then copied into a new object. A BigInt has at most VM_BIGINT_BITS_MAX bits, so that no operation runs or grows
 * beyond all bounds; a Decimal at most VM_DECIMAL_DIGITS significant digits and as many behind the point.
 */
#ifndef VM_BIGNUM_H
#define VM_BIGNUM_H

#include <gmp.h>

#include "vm/number.h"

#define VM_BIGINT_BITS_MAX (UINT64_C(1) << 24)
enum { VM_DECIMAL_DIGITS = 28 };

/** A whole number of any width as GMP sees it: a BIGINT's limbs in place, an Int in `limb`. Read only; valid until the
 *  next allocation of the process. */
struct vm_bignum { mpz_t number; mp_limb_t limb; };
void vm_bignum_view(struct vm_bignum *view, vm_value integer);

/** The value of a number; `ctx` NULL: immortal, from nb_alloc. VM_NONE without memory. */
vm_value vm_bigint_new(struct vm_ctx *ctx, const mpz_t number);
enum vm_status vm_bigint_arithmetic(struct vm_ctx *ctx, enum vm_arith op, vm_value left, vm_value right, vm_value *ret);
enum vm_status vm_bigint_negate(struct vm_ctx *ctx, vm_value v, vm_value *ret);
int vm_bigint_compare(vm_value left, vm_value right);

/** A Decimal's coefficient (read only, in place) and scale: its value is coefficient / 10^scale. */
uint32_t vm_decimal_view(mpz_t coefficient, vm_value decimal);
/** Of a coefficient (which is rounded in place if it has too many digits). *ret VM_NONE without memory; false when the
 *  number is too large for a Decimal. */
bool vm_decimal_new(struct vm_ctx *ctx, mpz_t coefficient, uint32_t scale, vm_value *ret);
enum vm_status vm_decimal_arithmetic(struct vm_ctx *ctx, enum vm_arith op, vm_value left, vm_value right,
                                     vm_value *ret);
enum vm_status vm_decimal_negate(struct vm_ctx *ctx, vm_value v, vm_value *ret);
int vm_decimal_compare(vm_value left, vm_value right);
/** The whole part, toward zero; `whole` is initialised. */
void vm_decimal_truncate(mpz_t whole, vm_value decimal);

#endif
