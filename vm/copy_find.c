/*
 * copy_find.c - what has to be copied for a value: the log, and whether there are cycles in it.
 *
 * The log is also the queue of what is still to be looked at, so nothing here is recursive.
 */
#include "config.h"

#include "vm/copy_private.h"

#include <string.h>

#include "base/alloc.h"
#include "vm/shared.h"
#include "vm/smallcopy.h"

enum { CELLS_MIN = VM_SMALL_CELLS + 1 }; /* a list shorter than that is smaller as cells */
#define INDEX_MAX ((UINT64_C(1) << 30) - 1)

/* ---- marks ---- */

static vm_value mark_of(uint64_t index) { return index << 2; }
static vm_value mark_inside(uint64_t index, uint32_t position) { return (uint64_t)position << 32 | index << 2 | 2; }
static bool is_inside(vm_value mark) { return (mark & 2) != 0; }
static uint32_t position_of(vm_value mark) { return (uint32_t)(mark >> 32); }

static bool grow_marks(struct vm_copier *copier)
{
    struct vm_copier former = *copier;

    copier->mark_capacity = former.mark_capacity == 0 ? 64 : former.mark_capacity * 2;
    copier->marks = nb_alloc_zero(copier->mark_capacity * sizeof *copier->marks);
    if (copier->marks == NULL) {
        copier->marks = former.marks;
        copier->mark_capacity = former.mark_capacity;
        return vm_copier_fail(copier, VM_COPY_NOMEM);
    }
    for (size_t i = 0; i < former.mark_capacity; i++)
        if (former.marks[i].object != 0)
            copier->marks[vm_copier_slot(copier, former.marks[i].object)] = former.marks[i];
    nb_free(former.marks);
    return true;
}

static bool set_mark(struct vm_copier *copier, vm_value value, vm_value mark)
{
    size_t slot;

    if (!copier->frozen) {
        *vm_object(value) = mark;
        return true;
    }
    if (copier->mark_count >= copier->mark_capacity / 2 && !grow_marks(copier))
        return false;
    slot = vm_copier_slot(copier, value);
    copier->mark_count += copier->marks[slot].object == 0;
    copier->marks[slot].object = value;
    copier->marks[slot].mark = mark;
    return true;
}

/* A cell of the source that has no mark yet. */
static bool is_fresh_cell(const struct vm_copier *copier, vm_value value)
{
    vm_value word;

    if (!vm_is_object(value))
        return false;
    word = vm_copier_mark(copier, value);
    return vm_copy_is_header(word) && (word & (VM_FLAG_SHARED | VM_FLAG_IMMORTAL)) == 0 &&
           vm_header_kind(word) == VM_KIND_CONS;
}

/* ---- find ---- */

static bool grow_log(struct vm_copier *copier)
{
    size_t capacity = copier->capacity * 2;
    struct vm_copy_entry *log = copier->log == copier->first ? NULL : copier->log;

    log = nb_realloc_array(log, capacity, sizeof *log);
    if (log == NULL)
        return vm_copier_fail(copier, VM_COPY_NOMEM);
    if (copier->log == copier->first)
        memcpy(log, copier->first, sizeof copier->first);
    copier->log = log;
    copier->capacity = capacity;
    return true;
}

/* Enter an object and mark it. `header` is that without its mark. */
static bool enter(struct vm_copier *copier, vm_value value, vm_value header, enum vm_copy_form form, uint32_t link)
{
    struct vm_copy_entry *entry;

    if (copier->count > INDEX_MAX)
        return vm_copier_fail(copier, VM_COPY_NOMEM);
    if (copier->count == copier->capacity && !grow_log(copier))
        return false;
    if (!set_mark(copier, value, mark_of(copier->count)))
        return false;
    entry = &copier->log[copier->count++];
    entry->object = vm_object(value);
    entry->header = header;
    entry->place = NULL;
    entry->link = link;
    entry->form = form;
    if (form == VM_FORM_PARTED)
        entry->spent = 0;
    copier->words += vm_copy_words(entry);
    return true;
}

static bool enter_cells(struct vm_copier *copier, vm_value cell, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, cell = vm_copy_cell_tail(cell))
        if (!enter(copier, cell, vm_header(cell), VM_FORM_OBJECT, 0))
            return false;
    return true;
}

static bool enter_chain(struct vm_copier *copier, vm_value first, uint32_t count)
{
    uint64_t index = copier->count;
    vm_value cell = first;

    nb_assert(vm_header(first) == vm_copy_cell_header(vm_size(first))); /* undo() makes them anew */
    if (!enter(copier, first, vm_header(first), VM_FORM_CHAIN, count))
        return false;
    for (uint32_t i = 1; i < count; i++) {
        cell = vm_copy_cell_tail(cell);
        if (!set_mark(copier, cell, mark_inside(index, i)))
            return false;
    }
    return true;
}

static bool find_chain(struct vm_copier *copier, vm_value first)
{
    uint32_t length = vm_size(first), count = 0;
    vm_value rest = first;

    while (is_fresh_cell(copier, rest)) {
        rest = vm_copy_cell_tail(rest);
        count++;
    }
    if (rest == VM_NIL && count >= CELLS_MIN)
        return enter_chain(copier, first, count);
    if (rest != VM_NIL && length - count <= count && length >= CELLS_MIN) {
        vm_value word = vm_copier_mark(copier, rest);

        if (!vm_copy_is_header(word) && !is_inside(word))
            word = copier->log[vm_copy_index(word)].header;
        if (vm_copy_is_header(word) && vm_header_kind(word) == VM_KIND_SLICE &&
            (word & (VM_FLAG_SHARED | VM_FLAG_IMMORTAL)) == 0)
            return enter_chain(copier, first, count);
    }
    return enter_cells(copier, first, count);
}

static bool find_whole_array(struct vm_copier *copier, vm_value array, vm_value header, vm_value slice)
{
    return enter(copier, array, header, VM_FORM_OBJECT, 0) && enter(copier, slice, vm_header(slice), VM_FORM_OBJECT, 0);
}

static bool note_shared(struct vm_copier *copier, vm_value value)
{
    nb_assert(!vm_shared_is_mutable(value)); /* capsules stand alone */
    if (copier->sharing)
        vm_account_adopt(value);
    else if (!vm_references_add(&copier->references, value))
        return vm_copier_fail(copier, VM_COPY_NOMEM);
    return true;
}

static bool find_slice(struct vm_copier *copier, vm_value slice)
{
    vm_value array = vm_field(slice, 0), word = vm_copier_mark(copier, array);
    uint32_t length = vm_size(slice);
    struct vm_copy_entry *entry;

    if (vm_copy_is_header(word)) {
        if ((word & (VM_FLAG_SHARED | VM_FLAG_IMMORTAL)) != 0)
            return ((word & VM_FLAG_SHARED) == 0 || note_shared(copier, array)) &&
                   enter(copier, slice, vm_header(slice), VM_FORM_OBJECT, 0);
        if (length == vm_copy_array_used(vm_object(array)))
            return find_whole_array(copier, array, word, slice);
        if (!enter(copier, array, word, VM_FORM_PARTED, 0))
            return false;
        word = mark_of(copier->count - 1);
    }
    entry = &copier->log[vm_copy_index(word)];
    if (entry->form != VM_FORM_PARTED)
        return enter(copier, slice, vm_header(slice), VM_FORM_OBJECT, 0);
    if (entry->spent + length > vm_copy_array_used(vm_object(array)))
        return find_whole_array(copier, array, entry->header, slice);
    entry->spent += length;
    return enter(copier, slice, vm_header(slice), VM_FORM_PART, 0);
}

static bool find_object(struct vm_copier *copier, vm_value value, vm_value header)
{
    switch (vm_header_kind(header)) {
    case VM_KIND_BUFFER:
    case VM_KIND_BUILDER:
    case VM_KIND_HANDLE:
        return vm_copier_fail(copier, VM_COPY_REFUSED);
    case VM_KIND_CONS:
        return find_chain(copier, value);
    case VM_KIND_SLICE:
        return find_slice(copier, value);
    case VM_KIND_CELL:
    case VM_KIND_RECORD_CELL:
    case VM_KIND_INT64_ARRAY:
    case VM_KIND_FLOAT64_ARRAY:
    case VM_KIND_FLOAT32_ARRAY:
        copier->mutable_parts = true;
        break;
    case VM_KIND_CLOSURE:
        copier->closures = true;
        break;
    default:
        break;
    }
    return enter(copier, value, header, VM_FORM_OBJECT, 0);
}

/* Look at a field or root of the source. */
static bool find(struct vm_copier *copier, vm_value value)
{
    vm_value word;

    if (!vm_is_object(value))
        return true;
    word = vm_copier_mark(copier, value);
    if (!vm_copy_is_header(word)) {
        uint64_t index = vm_copy_index(word);

        if (!is_inside(word))
            return true;
        word = vm_copy_cell_header(vm_header_size(copier->log[index].header) - position_of(word));
        return enter(copier, value, word, VM_FORM_TAIL, (uint32_t)index);
    }
    if ((word & VM_FLAG_IMMORTAL) != 0)
        return true;
    if ((word & VM_FLAG_SHARED) != 0)
        return note_shared(copier, value);
    return find_object(copier, value, word);
}

typedef bool visitor(struct vm_copier *copier, vm_value value);

static bool visit_all(struct vm_copier *copier, const vm_value *values, uint64_t count, visitor *visit)
{
    for (uint64_t i = 0; i < count; i++)
        if (!visit(copier, values[i]))
            return false;
    return true;
}

static bool visit_chain(struct vm_copier *copier, const struct vm_copy_entry *chain, visitor *visit)
{
    vm_value list = vm_from_object(chain->object);

    for (uint32_t i = 0; i < chain->link; i++, list = vm_copy_cell_tail(list))
        if (!visit(copier, vm_field(list, 0)))
            return false;
    return list == VM_NIL || visit_all(copier, vm_copy_slice_elements(vm_object(list)),
                                       vm_header_size(chain->header) - chain->link, visit);
}

static bool visit_fields(struct vm_copier *copier, const struct vm_copy_entry *entry, visitor *visit)
{
    const vm_value *fields = entry->object + 1;
    uint64_t words = vm_copy_words(entry);

    switch ((enum vm_layout)vm_kind_layouts[vm_header_kind(entry->header)]) {
    case VM_LAYOUT_VALUES:
    case VM_LAYOUT_PAIR:
        return visit_all(copier, fields, words - 1, visit);
    case VM_LAYOUT_RAW1:
        return visit_all(copier, fields + 1, words - 2, visit);
    case VM_LAYOUT_WORDS:
    case VM_LAYOUT_BYTES:
        return true;
    }
    nb_unreachable();
}

/* Call `visit` for each value that the entry's copy refers to, itself aside. */
static bool visit_entry(struct vm_copier *copier, size_t index, visitor *visit)
{
    struct vm_copy_entry entry = copier->log[index]; /* a copy: the log may move */

    switch ((enum vm_copy_form)entry.form) {
    case VM_FORM_OBJECT:
        return visit_fields(copier, &entry, visit);
    case VM_FORM_CHAIN:
        return visit_chain(copier, &entry, visit);
    case VM_FORM_PART:
        return visit_all(copier, vm_copy_slice_elements(entry.object), vm_header_size(entry.header), visit);
    case VM_FORM_TAIL:
        return visit(copier, vm_from_object(copier->log[entry.link].object));
    case VM_FORM_PARTED:
        return true;
    }
    nb_unreachable();
}

bool vm_copier_find(struct vm_copier *copier, vm_value root)
{
    if (!find(copier, root))
        return false;
    for (size_t i = 0; i < copier->count; i++)
        if (!visit_entry(copier, i, find))
            return false;
    return true;
}

/* ---- cycles ---- */

static bool count_incoming(struct vm_copier *copier, vm_value value)
{
    struct vm_copy_entry *entry = vm_copier_entry(copier, value);

    if (entry != NULL)
        entry->incoming++;
    return true;
}

static bool account_for(struct vm_copier *copier, vm_value value)
{
    struct vm_copy_entry *entry = vm_copier_entry(copier, value);

    if (entry != NULL && --entry->incoming == 0)
        copier->ready[copier->ready_count++] = (uint32_t)(entry - copier->log);
    return true;
}

/* Kahn's topological sort: what cannot be sorted is on a cycle or behind one. When memory for it is
 * exhausted, say that there is one: that is always safe. */
bool vm_copier_has_cycle(struct vm_copier *copier)
{
    size_t total = 0;

    copier->ready = nb_alloc_array(copier->count, sizeof *copier->ready);
    if (copier->ready == NULL)
        return true;
    for (size_t i = 0; i < copier->count; i++) {
        copier->log[i].incoming = 0;
        total += copier->log[i].form != VM_FORM_PARTED;
    }
    for (size_t i = 0; i < copier->count; i++)
        visit_entry(copier, i, count_incoming);
    for (size_t i = 0; i < copier->count; i++)
        if (copier->log[i].incoming == 0 && copier->log[i].form != VM_FORM_PARTED)
            copier->ready[copier->ready_count++] = (uint32_t)i;
    for (size_t i = 0; i < copier->ready_count; i++)
        visit_entry(copier, copier->ready[i], account_for);
    nb_free(copier->ready);
    return copier->ready_count < total;
}
