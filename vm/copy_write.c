/*
 * copy_write.c - places for the copies of what was found, and their fields. Marks in the source lead to the places.
 */
#include "config.h"

#include "vm/copy_private.h"

#include <string.h>

#include "vm/shared.h"

/* ---- place ---- */

/* The next object of the copy: at *next, which moves on, or shared. Its fields are not set yet. NULL: no memory. */
static vm_value *new_object(const struct vm_copier *copier, vm_value **next, vm_value header)
{
    vm_value *object = *next;

    if (copier->sharing)
        return vm_object(vm_shared_new(vm_header_kind(header), header & VM_FLAG_ASCII, vm_header_aux(header),
                                       vm_header_size(header)));
    *object = header;
    *next += vm_object_words(header);
    return object;
}

/* A slice of a new array of as many elements. */
static bool place_list(const struct vm_copier *copier, struct vm_copy_entry *entry, vm_value **next)
{
    uint32_t length = vm_header_size(entry->header);
    vm_value *slice = new_object(copier, next, VM_HEADER(VM_KIND_SLICE, 0, 0, length));
    vm_value *array = slice == NULL ? NULL : new_object(copier, next, VM_HEADER(VM_KIND_ARRAY, 0, 0, 1 + length));

    if (array == NULL) {
        if (slice != NULL)
            vm_shared_discard(vm_from_object(slice));
        return false;
    }
    slice[1] = vm_from_object(array);
    slice[2] = vm_from_small(0);
    array[1] = vm_from_small(length);
    entry->place = slice;
    return true;
}

/* A slice of the array of a chain, which was entered before. */
static bool place_tail(const struct vm_copier *copier, struct vm_copy_entry *entry, vm_value **next)
{
    const struct vm_copy_entry *chain = &copier->log[entry->link];
    uint32_t length = vm_header_size(entry->header);

    entry->place = new_object(copier, next, VM_HEADER(VM_KIND_SLICE, 0, 0, length));
    if (entry->place == NULL)
        return false;
    entry->place[1] = chain->place[1];
    entry->place[2] = vm_from_small(vm_header_size(chain->header) - length);
    if (copier->sharing)
        vm_shared_ref(entry->place[1]);
    return true;
}

static bool place_object(const struct vm_copier *copier, struct vm_copy_entry *entry, vm_value **next)
{
    vm_value header = entry->header;

    if (vm_header_kind(header) == VM_KIND_ARRAY)
        header = VM_HEADER(VM_KIND_ARRAY, 0, 0, 1 + vm_copy_array_used(entry->object));
    entry->place = new_object(copier, next, header);
    return entry->place != NULL;
}

static bool place_entry(const struct vm_copier *copier, struct vm_copy_entry *entry, vm_value **next)
{
    switch ((enum vm_copy_form)entry->form) {
    case VM_FORM_OBJECT:
        return place_object(copier, entry, next);
    case VM_FORM_CHAIN:
    case VM_FORM_PART:
        return place_list(copier, entry, next);
    case VM_FORM_TAIL:
        return place_tail(copier, entry, next);
    case VM_FORM_PARTED:
        return true;
    }
    nb_unreachable();
}

bool vm_copier_place(struct vm_copier *copier, vm_value *run)
{
    for (size_t i = 0; i < copier->count; i++)
        copier->log[i].place = NULL;
    for (size_t i = 0; i < copier->count; i++)
        if (!place_entry(copier, &copier->log[i], &run))
            return vm_copier_fail(copier, VM_COPY_NOMEM);
    return true;
}

/* ---- fill ---- */

vm_value vm_copier_copy_of(const struct vm_copier *copier, vm_value value)
{
    const struct vm_copy_entry *entry = vm_copier_entry(copier, value);

    if (entry != NULL)
        value = vm_from_object(entry->place);
    if (copier->sharing && vm_is_shared(value))
        vm_shared_ref(value);
    return value;
}

static void fill_values(const struct vm_copier *copier, vm_value *to, const vm_value *from, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        to[i] = vm_copier_copy_of(copier, from[i]);
}

static void fill_object(const struct vm_copier *copier, const struct vm_copy_entry *entry)
{
    uint64_t words = vm_copy_words(entry);

    switch ((enum vm_layout)vm_kind_layouts[vm_header_kind(entry->header)]) {
    case VM_LAYOUT_VALUES:
    case VM_LAYOUT_PAIR:
        fill_values(copier, entry->place + 1, entry->object + 1, words - 1);
        break;
    case VM_LAYOUT_RAW1:
        entry->place[1] = entry->object[1];
        fill_values(copier, entry->place + 2, entry->object + 2, words - 2);
        break;
    case VM_LAYOUT_WORDS:
    case VM_LAYOUT_BYTES:
        memcpy(entry->place + 1, entry->object + 1, (words - 1) * sizeof(vm_value));
        break;
    }
}

static void fill_chain(const struct vm_copier *copier, const struct vm_copy_entry *entry)
{
    vm_value *elements = vm_object(entry->place[1]) + 2, list = vm_from_object(entry->object);

    for (uint32_t i = 0; i < entry->link; i++, list = vm_copy_cell_tail(list))
        elements[i] = vm_copier_copy_of(copier, vm_field(list, 0));
    if (list != VM_NIL)
        fill_values(copier, elements + entry->link, vm_copy_slice_elements(vm_object(list)),
                    vm_header_size(entry->header) - entry->link);
}

void vm_copier_fill(const struct vm_copier *copier)
{
    for (size_t i = 0; i < copier->count; i++) {
        const struct vm_copy_entry *entry = &copier->log[i];

        if (entry->form == VM_FORM_OBJECT)
            fill_object(copier, entry);
        else if (entry->form == VM_FORM_CHAIN)
            fill_chain(copier, entry);
        else if (entry->form == VM_FORM_PART)
            fill_values(copier, vm_object(entry->place[1]) + 2, vm_copy_slice_elements(entry->object),
                        vm_header_size(entry->header));
    }
}
