/*
 * object.c - what is known of each kind of object, from the table kinds.def.
 */
#include "config.h"

#include "vm/object.h"

#include "base/assert.h"

const unsigned char vm_kind_layouts[VM_KIND_COUNT] = {
#define KIND(name, layout) [VM_KIND_##name] = VM_LAYOUT_##layout,
#include "vm/kinds.def"
#undef KIND
};

static const char *const kind_names[VM_KIND_COUNT] = {
#define KIND(name, layout) [VM_KIND_##name] = #name,
#include "vm/kinds.def"
#undef KIND
};

_Static_assert(VM_KIND_COUNT <= 64, "a header has six bits for the kind");

const char *vm_kind_name(enum vm_kind kind)
{
    nb_assert((unsigned)kind < VM_KIND_COUNT);
    return kind_names[kind];
}
