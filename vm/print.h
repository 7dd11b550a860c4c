/*
 * print.h - the two printed forms of values (03 §2). Bounded recursion; never allocates from a heap, never calls user
 * code.
 */
#ifndef VM_PRINT_H
#define VM_PRINT_H

#include "base/buf.h"
#include "vm/object.h"

void vm_print_display(struct nb_buf *out, vm_value v);  /* show, println: strings bare at the top level */
void vm_print_result(struct nb_buf *out, vm_value v);   /* main's value */
/** Kind words of "expected X, got Y": 03 §5 ("Int64", "String", "List", "other" …). */
const char *vm_kind_word(vm_value v);

#endif
