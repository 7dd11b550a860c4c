/*
 * table.h - turns a table of natives into what it stands for. Included once by the .c file that defines the functions:
 *
 *     #define LIB_TABLE "lib/string.def"
 *     #define LIB_REGISTER lib_register_string
 *     #include "lib/table.h"
 *
 * declares each function (one that is missing does not link, one that is in no row does not compile), lays out the
 * descriptions, and defines the function that registers them. Rows:
 *
 *     NATIVE(name, function, arity, type, flags, documentation)
 *
 * The type is as the language writes it, with parameter names where programs may use them for named arguments.
 */
#include "lib/tables.h"
#include "vm/native.h"

enum { NONE = 0, PURE = VM_NATIVE_PURE, PARKS = VM_NATIVE_PARKS, HIDDEN = VM_NATIVE_HIDDEN, PUTS = VM_NATIVE_PUTS };

#define NATIVE(name, function, arity, type, flags, doc) static vm_native_function function;
#include LIB_TABLE
#undef NATIVE

#define LIB_NATIVE_HEADER \
    VM_HEADER(VM_KIND_NATIVE, VM_FLAG_IMMORTAL, 0, sizeof(struct vm_native) / sizeof(vm_value) - 1)

static struct vm_native natives[] = {
#define NATIVE(name, function, arity, type, flags, doc) { LIB_NATIVE_HEADER, name, function, arity, flags, type, doc },
#include LIB_TABLE
#undef NATIVE
};

void LIB_REGISTER(void)
{
    vm_native_register(natives, sizeof natives / sizeof *natives);
}
