/*
 * copy.c - copying values out of a heap: into a fragment, into another heap, or into shared objects.
 *
 * Three phases, none of them recursive:
 *
 *   find    Each object that has to be copied gets an entry in the log; the log is also the queue of what is still
 *           to be looked at. An object that has its entry carries a mark in place of its header: that keeps sharing
 *           (a value of n objects costs n entries, whatever the number of paths to them) and ends cycles.
 *   place   Now the size is known: each entry gets its place, in one run of words or in a shared object of its own.
 *   fill    Fields are written; marks in the source lead to the places.
 *
 * Afterwards the log restores the headers. Shared and immortal objects are never written to. A capsule's content
 * (vm_share()) is read by several threads at once, so there the marks stand in a hash table aside ("frozen").
 *
 * Lists get compact on the way:
 *   - A chain of cells that ends in [] becomes a SLICE of a new ARRAY (entry CHAIN). If it ends in a slice no longer
 *     than the chain, that is copied into the array as well: at most as much again. Another reference to a cell
 *     inside of the chain becomes a SLICE of the same array (entry TAIL). Other chains stay cells.
 *   - Of an ARRAY only the used part goes along. A slice of a part of it takes just that part (entry PART), until
 *     the parts taken so far are as long as the array: then the whole array is copied once, for all further slices.
 * Small values without lists to compact do not come this way: smallcopy.h.
 * So lists never take more than three times their words, and lists that are split up and sent around stay small.
 */
#include "config.h"

#include "vm/heap.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "vm/references.h"
#include "vm/shared.h"
#include "vm/smallcopy.h"

enum form {
    FORM_OBJECT, /* as it is; an ARRAY without the room behind its used part */
    FORM_CHAIN,  /* cells from here on; `link` of them, then perhaps a slice */
    FORM_TAIL,   /* a cell inside of the chain of entry `link` */
    FORM_PART,   /* a slice with an array of its own */
    FORM_PARTED  /* an array of which parts went elsewhere: copies nothing */
};

struct entry {
    vm_value *object;
    vm_value header; /* which the mark stands for */
    union {
        vm_value *place;
        uint64_t spent;    /* FORM_PARTED: elements in parts so far */
        uint64_t incoming; /* has_cycle(): references not yet accounted for */
    };
    uint32_t link;
    uint8_t form;
};

enum { ENTRIES_FIRST = 24, CELLS_MIN = VM_SMALL_CELLS + 1 }; /* a list shorter than that is smaller as cells */
#define INDEX_MAX ((UINT64_C(1) << 30) - 1)

struct copier {
    struct entry *log;
    size_t count, capacity;
    uint64_t words; /* of all places */
    enum vm_copy_result result;
    bool frozen, sharing;
    bool mutable_parts;                        /* met something that can change */
    bool closures;                             /* met closures, which may form cycles */
    struct vm_references references;           /* shared objects met, unless sharing */
    struct { vm_value object, mark; } *marks;  /* when frozen */
    size_t mark_count, mark_capacity;
    uint32_t *ready;                           /* has_cycle(): entries all references to which are accounted for */
    size_t ready_count;
    struct entry first[ENTRIES_FIRST];
};

/*
 * Marks: bit 0 clear (so it is no header), bit 1: inside of a chain; then 30 bits of the entry's index; in the
 * upper half the position in the chain.
 */
static vm_value mark_of(uint64_t index) { return index << 2; }
static vm_value mark_inside(uint64_t index, uint32_t position) { return (uint64_t)position << 32 | index << 2 | 2; }
static bool is_inside(vm_value mark) { return (mark & 2) != 0; }
static uint64_t index_of(vm_value mark) { return (mark & UINT32_MAX) >> 2; }
static uint32_t position_of(vm_value mark) { return (uint32_t)(mark >> 32); }

static bool fail(struct copier *copier, enum vm_copy_result result)
{
    copier->result = result;
    return false;
}

/* ---- marks ---- */

static size_t slot_of(const struct copier *copier, vm_value object)
{
    size_t slot = ((object >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (copier->mark_capacity - 1);

    while (copier->marks[slot].object != 0 && copier->marks[slot].object != object)
        slot = (slot + 1) & (copier->mark_capacity - 1);
    return slot;
}

static bool grow_marks(struct copier *copier)
{
    struct copier former = *copier;

    copier->mark_capacity = former.mark_capacity == 0 ? 64 : former.mark_capacity * 2;
    copier->marks = nb_alloc_zero(copier->mark_capacity * sizeof *copier->marks);
    if (copier->marks == NULL) {
        copier->marks = former.marks;
        copier->mark_capacity = former.mark_capacity;
        return fail(copier, VM_COPY_NOMEM);
    }
    for (size_t i = 0; i < former.mark_capacity; i++)
        if (former.marks[i].object != 0)
            copier->marks[slot_of(copier, former.marks[i].object)] = former.marks[i];
    nb_free(former.marks);
    return true;
}

/* The mark of an object of the source, or its header if it has none yet. */
static vm_value mark_or_header(const struct copier *copier, vm_value value)
{
    if (copier->frozen && copier->marks != NULL) {
        size_t slot = slot_of(copier, value);

        if (copier->marks[slot].object != 0)
            return copier->marks[slot].mark;
    }
    return vm_header(value);
}

static bool set_mark(struct copier *copier, vm_value value, vm_value mark)
{
    size_t slot;

    if (!copier->frozen) {
        *vm_object(value) = mark;
        return true;
    }
    if (copier->mark_count >= copier->mark_capacity / 2 && !grow_marks(copier))
        return false;
    slot = slot_of(copier, value);
    copier->mark_count += copier->marks[slot].object == 0;
    copier->marks[slot].object = value;
    copier->marks[slot].mark = mark;
    return true;
}

static bool is_header(vm_value word) { return (word & 1) != 0; }

/* A cell of the source that has no mark yet. */
static bool is_fresh_cell(const struct copier *copier, vm_value value)
{
    vm_value word;

    if (!vm_is_object(value))
        return false;
    word = mark_or_header(copier, value);
    return is_header(word) && (word & (VM_FLAG_SHARED | VM_FLAG_IMMORTAL)) == 0 &&
           vm_header_kind(word) == VM_KIND_CONS;
}

/* ---- parts of lists ---- */

static vm_value cell_header(uint32_t length) { return VM_HEADER(VM_KIND_CONS, 0, 0, length); }
static vm_value cell_tail(vm_value cell) { return vm_field(cell, 1); }
static uint32_t slice_offset(const vm_value *slice) { return (uint32_t)vm_small(slice[2]); }
static uint32_t array_used(const vm_value *array) { return (uint32_t)vm_small(array[1]); }
/* The elements of a slice; its array may be marked. */
static const vm_value *slice_elements(const vm_value *slice)
{
    return vm_object(slice[1]) + 2 + slice_offset(slice);
}

/* ---- find ---- */

static uint64_t words_of(const struct entry *entry)
{
    switch ((enum form)entry->form) {
    case FORM_OBJECT:
        return vm_header_kind(entry->header) == VM_KIND_ARRAY ? 2 + (uint64_t)array_used(entry->object)
                                                              : vm_object_words(entry->header);
    case FORM_CHAIN:
    case FORM_PART:
        return 3 + 2 + (uint64_t)vm_header_size(entry->header);
    case FORM_TAIL:
        return 3;
    case FORM_PARTED:
        return 0;
    }
    nb_unreachable();
}

static bool grow_log(struct copier *copier)
{
    size_t capacity = copier->capacity * 2;
    struct entry *log = copier->log == copier->first ? NULL : copier->log;

    log = nb_realloc_array(log, capacity, sizeof *log);
    if (log == NULL)
        return fail(copier, VM_COPY_NOMEM);
    if (copier->log == copier->first)
        memcpy(log, copier->first, sizeof copier->first);
    copier->log = log;
    copier->capacity = capacity;
    return true;
}

/* Enter an object and mark it. `header` is that without its mark. */
static bool enter(struct copier *copier, vm_value value, vm_value header, enum form form, uint32_t link)
{
    struct entry *entry;

    if (copier->count > INDEX_MAX)
        return fail(copier, VM_COPY_NOMEM);
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
    if (form == FORM_PARTED)
        entry->spent = 0;
    copier->words += words_of(entry);
    return true;
}

static bool enter_cells(struct copier *copier, vm_value cell, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, cell = cell_tail(cell))
        if (!enter(copier, cell, vm_header(cell), FORM_OBJECT, 0))
            return false;
    return true;
}

static bool enter_chain(struct copier *copier, vm_value first, uint32_t count)
{
    uint64_t index = copier->count;
    vm_value cell = first;

    nb_assert(vm_header(first) == cell_header(vm_size(first))); /* undo() makes them anew */
    if (!enter(copier, first, vm_header(first), FORM_CHAIN, count))
        return false;
    for (uint32_t i = 1; i < count; i++) {
        cell = cell_tail(cell);
        if (!set_mark(copier, cell, mark_inside(index, i)))
            return false;
    }
    return true;
}

static bool find_chain(struct copier *copier, vm_value first)
{
    uint32_t length = vm_size(first), count = 0;
    vm_value rest = first;

    while (is_fresh_cell(copier, rest)) {
        rest = cell_tail(rest);
        count++;
    }
    if (rest == VM_NIL && count >= CELLS_MIN)
        return enter_chain(copier, first, count);
    if (rest != VM_NIL && length - count <= count && length >= CELLS_MIN) {
        vm_value word = mark_or_header(copier, rest);

        if (!is_header(word) && !is_inside(word))
            word = copier->log[index_of(word)].header;
        if (is_header(word) && vm_header_kind(word) == VM_KIND_SLICE &&
            (word & (VM_FLAG_SHARED | VM_FLAG_IMMORTAL)) == 0)
            return enter_chain(copier, first, count);
    }
    return enter_cells(copier, first, count);
}

static bool find_whole_array(struct copier *copier, vm_value array, vm_value header, vm_value slice)
{
    return enter(copier, array, header, FORM_OBJECT, 0) &&
           enter(copier, slice, vm_header(slice), FORM_OBJECT, 0);
}

static bool note_shared(struct copier *copier, vm_value value)
{
    nb_assert(!vm_shared_is_mutable(value)); /* capsules stand alone */
    if (copier->sharing)
        vm_account_adopt(value);
    else if (!vm_references_add(&copier->references, value))
        return fail(copier, VM_COPY_NOMEM);
    return true;
}

static bool find_slice(struct copier *copier, vm_value slice)
{
    vm_value array = vm_field(slice, 0), word = mark_or_header(copier, array);
    uint32_t length = vm_size(slice);
    struct entry *entry;

    if (is_header(word)) {
        if ((word & (VM_FLAG_SHARED | VM_FLAG_IMMORTAL)) != 0)
            return ((word & VM_FLAG_SHARED) == 0 || note_shared(copier, array)) &&
                   enter(copier, slice, vm_header(slice), FORM_OBJECT, 0);
        if (length == array_used(vm_object(array)))
            return find_whole_array(copier, array, word, slice);
        if (!enter(copier, array, word, FORM_PARTED, 0))
            return false;
        word = mark_of(copier->count - 1);
    }
    entry = &copier->log[index_of(word)];
    if (entry->form != FORM_PARTED)
        return enter(copier, slice, vm_header(slice), FORM_OBJECT, 0);
    if (entry->spent + length > array_used(vm_object(array)))
        return find_whole_array(copier, array, entry->header, slice);
    entry->spent += length;
    return enter(copier, slice, vm_header(slice), FORM_PART, 0);
}

static bool find_object(struct copier *copier, vm_value value, vm_value header)
{
    switch (vm_header_kind(header)) {
    case VM_KIND_BUFFER:
    case VM_KIND_BUILDER:
    case VM_KIND_HANDLE:
        return fail(copier, VM_COPY_REFUSED);
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
    return enter(copier, value, header, FORM_OBJECT, 0);
}

/* Look at a field or root of the source. */
static bool find(struct copier *copier, vm_value value)
{
    vm_value word;

    if (!vm_is_object(value))
        return true;
    word = mark_or_header(copier, value);
    if (!is_header(word)) {
        uint64_t index = index_of(word);

        if (!is_inside(word))
            return true;
        word = cell_header(vm_header_size(copier->log[index].header) - position_of(word));
        return enter(copier, value, word, FORM_TAIL, (uint32_t)index);
    }
    if ((word & VM_FLAG_IMMORTAL) != 0)
        return true;
    if ((word & VM_FLAG_SHARED) != 0)
        return note_shared(copier, value);
    return find_object(copier, value, word);
}

typedef bool visitor(struct copier *copier, vm_value value);

static bool visit_all(struct copier *copier, const vm_value *values, uint64_t count, visitor *visit)
{
    for (uint64_t i = 0; i < count; i++)
        if (!visit(copier, values[i]))
            return false;
    return true;
}

static bool visit_chain(struct copier *copier, const struct entry *chain, visitor *visit)
{
    vm_value list = vm_from_object(chain->object);

    for (uint32_t i = 0; i < chain->link; i++, list = cell_tail(list))
        if (!visit(copier, vm_field(list, 0)))
            return false;
    return list == VM_NIL ||
           visit_all(copier, slice_elements(vm_object(list)), vm_header_size(chain->header) - chain->link, visit);
}

static bool visit_fields(struct copier *copier, const struct entry *entry, visitor *visit)
{
    const vm_value *fields = entry->object + 1;
    uint64_t words = words_of(entry);

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
static bool visit_entry(struct copier *copier, size_t index, visitor *visit)
{
    struct entry entry = copier->log[index]; /* a copy: the log may move */

    switch ((enum form)entry.form) {
    case FORM_OBJECT:
        return visit_fields(copier, &entry, visit);
    case FORM_CHAIN:
        return visit_chain(copier, &entry, visit);
    case FORM_PART:
        return visit_all(copier, slice_elements(entry.object), vm_header_size(entry.header), visit);
    case FORM_TAIL:
        return visit(copier, vm_from_object(copier->log[entry.link].object));
    case FORM_PARTED:
        return true;
    }
    nb_unreachable();
}

static bool find_all(struct copier *copier, vm_value root)
{
    if (!find(copier, root))
        return false;
    for (size_t i = 0; i < copier->count; i++)
        if (!visit_entry(copier, i, find))
            return false;
    return true;
}

/* ---- has_cycle: immutable values have none, but closures that refer to each other may (CLOSURE_SET) ---- */

static struct entry *entry_of(const struct copier *copier, vm_value value)
{
    vm_value word;

    if (!vm_is_object(value))
        return NULL;
    word = mark_or_header(copier, value);
    return is_header(word) ? NULL : &copier->log[index_of(word)];
}

static bool count_incoming(struct copier *copier, vm_value value)
{
    struct entry *entry = entry_of(copier, value);

    if (entry != NULL)
        entry->incoming++;
    return true;
}

static bool account_for(struct copier *copier, vm_value value)
{
    struct entry *entry = entry_of(copier, value);

    if (entry != NULL && --entry->incoming == 0)
        copier->ready[copier->ready_count++] = (uint32_t)(entry - copier->log);
    return true;
}

/* Kahn's topological sort: what cannot be sorted is on a cycle or behind one. When memory for it is
 * exhausted, say that there is one: that is always safe. */
static bool has_cycle(struct copier *copier)
{
    size_t total = 0;

    copier->ready = nb_alloc_array(copier->count, sizeof *copier->ready);
    if (copier->ready == NULL)
        return true;
    for (size_t i = 0; i < copier->count; i++) {
        copier->log[i].incoming = 0;
        total += copier->log[i].form != FORM_PARTED;
    }
    for (size_t i = 0; i < copier->count; i++)
        visit_entry(copier, i, count_incoming);
    for (size_t i = 0; i < copier->count; i++)
        if (copier->log[i].incoming == 0 && copier->log[i].form != FORM_PARTED)
            copier->ready[copier->ready_count++] = (uint32_t)i;
    for (size_t i = 0; i < copier->ready_count; i++)
        visit_entry(copier, copier->ready[i], account_for);
    nb_free(copier->ready);
    return copier->ready_count < total;
}

/* ---- place ---- */

/* The next object of the copy: at *next, which moves on, or shared. Its fields are not set yet. NULL: no memory. */
static vm_value *new_object(const struct copier *copier, vm_value **next, vm_value header)
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
static bool place_list(const struct copier *copier, struct entry *entry, vm_value **next)
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
static bool place_tail(const struct copier *copier, struct entry *entry, vm_value **next)
{
    const struct entry *chain = &copier->log[entry->link];
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

static bool place_object(const struct copier *copier, struct entry *entry, vm_value **next)
{
    vm_value header = entry->header;

    if (vm_header_kind(header) == VM_KIND_ARRAY)
        header = VM_HEADER(VM_KIND_ARRAY, 0, 0, 1 + array_used(entry->object));
    entry->place = new_object(copier, next, header);
    return entry->place != NULL;
}

static bool place_entry(const struct copier *copier, struct entry *entry, vm_value **next)
{
    switch ((enum form)entry->form) {
    case FORM_OBJECT:
        return place_object(copier, entry, next);
    case FORM_CHAIN:
    case FORM_PART:
        return place_list(copier, entry, next);
    case FORM_TAIL:
        return place_tail(copier, entry, next);
    case FORM_PARTED:
        return true;
    }
    nb_unreachable();
}

static bool place_all(struct copier *copier, vm_value *run)
{
    for (size_t i = 0; i < copier->count; i++)
        copier->log[i].place = NULL;
    for (size_t i = 0; i < copier->count; i++)
        if (!place_entry(copier, &copier->log[i], &run))
            return fail(copier, VM_COPY_NOMEM);
    return true;
}

/* ---- fill ---- */

/* What the copy has where the source has `value`. */
static vm_value copy_of(const struct copier *copier, vm_value value)
{
    const struct entry *entry = entry_of(copier, value);

    if (entry != NULL)
        value = vm_from_object(entry->place);
    if (copier->sharing && vm_is_shared(value))
        vm_shared_ref(value);
    return value;
}

static void fill_values(const struct copier *copier, vm_value *to, const vm_value *from, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        to[i] = copy_of(copier, from[i]);
}

static void fill_object(const struct copier *copier, const struct entry *entry)
{
    uint64_t words = words_of(entry);

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

static void fill_chain(const struct copier *copier, const struct entry *entry)
{
    vm_value *elements = vm_object(entry->place[1]) + 2, list = vm_from_object(entry->object);

    for (uint32_t i = 0; i < entry->link; i++, list = cell_tail(list))
        elements[i] = copy_of(copier, vm_field(list, 0));
    if (list != VM_NIL)
        fill_values(copier, elements + entry->link, slice_elements(vm_object(list)),
                    vm_header_size(entry->header) - entry->link);
}

static void fill_all(const struct copier *copier)
{
    for (size_t i = 0; i < copier->count; i++) {
        const struct entry *entry = &copier->log[i];

        if (entry->form == FORM_OBJECT)
            fill_object(copier, entry);
        else if (entry->form == FORM_CHAIN)
            fill_chain(copier, entry);
        else if (entry->form == FORM_PART)
            fill_values(copier, vm_object(entry->place[1]) + 2, slice_elements(entry->object),
                        vm_header_size(entry->header));
    }
}

/* ---- begin and end ---- */

static void restore_cells(const struct entry *chain)
{
    uint32_t length = vm_header_size(chain->header);
    vm_value *cell = chain->object;

    for (uint32_t i = 0; i < chain->link; i++) {
        cell[0] = cell_header(length - i);
        cell = vm_object(cell[2]);
    }
}

static void undo_marks(const struct copier *copier)
{
    if (copier->frozen)
        return;
    for (size_t i = 0; i < copier->count; i++) {
        const struct entry *entry = &copier->log[i];

        if (entry->form == FORM_CHAIN)
            restore_cells(entry);
        else
            *entry->object = entry->header;
    }
}

static void start(struct copier *copier, bool sharing, bool frozen)
{
    memset(copier, 0, offsetof(struct copier, first));
    copier->log = copier->first;
    copier->capacity = ENTRIES_FIRST;
    copier->result = VM_COPY_OK;
    copier->sharing = sharing;
    copier->frozen = frozen;
}

/* The source is as before; returns how it went. */
static enum vm_copy_result finish(struct copier *copier)
{
    undo_marks(copier);
    vm_references_done(&copier->references);
    nb_free(copier->marks);
    if (copier->log != copier->first)
        nb_free(copier->log);
    return copier->result;
}

/* ---- into memory of one run ---- */

/* The value inside of a capsule; any other value is itself. */
static vm_value opened(vm_value value)
{
    return vm_shared_is_mutable(value) ? vm_field(value, 0) : value;
}

static struct vm_fragment *new_fragment(struct copier *copier)
{
    struct vm_fragment *fragment = NULL;

    if (copier->words <= UINT32_MAX)
        fragment = nb_alloc(sizeof *fragment + copier->words * sizeof(vm_value));
    if (fragment == NULL) {
        (void)fail(copier, VM_COPY_NOMEM);
        return NULL;
    }
    vm_references_take(&copier->references);
    fragment->next = NULL;
    fragment->words = (uint32_t)copier->words;
    fragment->shared_count = copier->references.count;
    fragment->shared = copier->references.items;
    copier->references.items = NULL;
    return fragment;
}

/* Place and fill cannot fail in a run of words. */
static vm_value write_copy(struct copier *copier, vm_value root, vm_value *run)
{
    bool placed = place_all(copier, run);

    nb_assert(placed);
    fill_all(copier);
    return copy_of(copier, root);
}

/* The same of a small copy, which was made at `from`. NULL without memory. */
static struct vm_fragment *new_small_fragment(struct vm_small_copy *copy, const vm_value *from)
{
    struct vm_fragment *fragment = nb_alloc(sizeof *fragment + copy->words * sizeof(vm_value));
    vm_value *shared = NULL;

    if (fragment != NULL && copy->shared_count > 0) {
        shared = nb_alloc_array(copy->shared_count, sizeof *shared);
        if (shared == NULL) {
            nb_free(fragment);
            return NULL;
        }
    }
    if (fragment == NULL)
        return NULL;
    for (unsigned i = 0; i < copy->shared_count; i++) {
        shared[i] = copy->shared[i];
        vm_shared_ref(shared[i]);
    }
    fragment->next = NULL;
    fragment->words = (uint32_t)copy->words;
    fragment->shared_count = copy->shared_count;
    fragment->shared = shared;
    memcpy(fragment->objects, from, copy->words * sizeof *from);
    vm_small_copy_moved(copy, from, fragment->objects);
    return fragment;
}

enum vm_copy_result vm_copy_to_fragment(vm_value value, vm_value *ret_copy, struct vm_fragment **ret_fragment)
{
    struct copier copier;
    struct vm_fragment *fragment = NULL;
    struct vm_small_copy small;
    vm_value root = opened(value), words[VM_SMALL_WORDS];

    *ret_copy = root;
    *ret_fragment = NULL;
    if (!vm_is_object(root) || vm_is_outside(root))
        return VM_COPY_OK;
    if (root == value && vm_small_copy(root, words, &small)) {
        *ret_fragment = new_small_fragment(&small, words);
        *ret_copy = small.root;
        return *ret_fragment == NULL ? VM_COPY_NOMEM : VM_COPY_OK;
    }
    start(&copier, false, root != value);
    if (find_all(&copier, root))
        fragment = new_fragment(&copier);
    if (fragment != NULL) {
        *ret_copy = write_copy(&copier, root, fragment->objects);
        *ret_fragment = fragment;
    }
    return finish(&copier);
}

static void note_references(const struct copier *copier, struct vm_heap *heap)
{
    vm_references_take(&copier->references);
    for (uint32_t i = 0; i < copier->references.count; i++)
        vm_heap_add_shared(heap, copier->references.items[i]);
}

enum vm_copy_result vm_copy_to_heap(vm_value value, struct vm_heap *heap, vm_value *ret_copy)
{
    struct copier copier;
    struct vm_small_copy small;
    vm_value root = opened(value);

    *ret_copy = root;
    if (!vm_is_object(root))
        return VM_COPY_OK;
    if (root == value && vm_heap_has(heap, 2 * VM_SMALL_WORDS) && vm_small_copy(root, heap->top, &small)) {
        heap->top += small.words;
        for (unsigned i = 0; i < small.shared_count; i++) {
            vm_shared_ref(small.shared[i]);
            vm_heap_add_shared(heap, small.shared[i]);
        }
        *ret_copy = small.root;
        return VM_COPY_OK;
    }
    start(&copier, false, root != value);
    if (find_all(&copier, root)) {
        if (vm_heap_has(heap, copier.words * 2)) { /* leaves as much again for the stack */
            note_references(&copier, heap);
            *ret_copy = write_copy(&copier, root, vm_heap_take(heap, copier.words));
        } else {
            struct vm_fragment *fragment = new_fragment(&copier);

            if (fragment != NULL)
                *ret_copy = write_copy(&copier, root, fragment->objects);
            vm_heap_adopt(heap, fragment);
        }
    }
    return finish(&copier);
}

/* ---- into shared objects ---- */

static void discard_places(const struct copier *copier)
{
    for (size_t i = 0; i < copier->count; i++) {
        const struct entry *entry = &copier->log[i];

        if (entry->form == FORM_PARTED || entry->place == NULL)
            continue;
        if (entry->form == FORM_CHAIN || entry->form == FORM_PART)
            vm_shared_discard(entry->place[1]);
        vm_shared_discard(vm_from_object(entry->place));
    }
}

/* Each new object was born with a reference; the root keeps it for the caller, all others have counted ones by
 *  now. */
static void drop_birth_references(const struct copier *copier, vm_value root)
{
    for (size_t i = 0; i < copier->count; i++) {
        const struct entry *entry = &copier->log[i];

        if (entry->form != FORM_PARTED && entry->place != vm_object(root))
            vm_shared_unref(vm_from_object(entry->place));
    }
}

static enum vm_copy_result share_parts(struct copier *copier, vm_value value, vm_value *ret_shared)
{
    if (!place_all(copier, NULL)) {
        discard_places(copier);
        return finish(copier);
    }
    fill_all(copier);
    *ret_shared = vm_from_object(entry_of(copier, value)->place);
    drop_birth_references(copier, *ret_shared);
    return finish(copier);
}

static enum vm_copy_result share_capsule(vm_value value, vm_value *ret_shared)
{
    struct vm_fragment *fragment;
    vm_value copy, capsule;
    enum vm_copy_result result = vm_copy_to_fragment(value, &copy, &fragment);

    if (result != VM_COPY_OK)
        return result;
    capsule = vm_shared_new(VM_KIND_HANDLE, VM_FLAG_MUTABLE, 0, 2);
    if (capsule == VM_NONE) {
        vm_fragment_free(fragment);
        return VM_COPY_NOMEM;
    }
    vm_object(capsule)[1] = copy;
    vm_object(capsule)[2] = vm_from_object(fragment);
    *ret_shared = capsule;
    return VM_COPY_OK;
}

enum vm_copy_result vm_share(vm_value value, vm_value *ret_shared)
{
    struct copier copier;

    if (!vm_is_object(value) || vm_is_outside(value)) {
        if (vm_is_shared(value))
            vm_shared_ref(value);
        *ret_shared = value;
        return VM_COPY_OK;
    }
    start(&copier, true, false);
    if (!find_all(&copier, value))
        return finish(&copier);
    if (copier.mutable_parts || (copier.closures && has_cycle(&copier))) {
        (void)finish(&copier);
        return share_capsule(value, ret_shared);
    }
    return share_parts(&copier, value, ret_shared);
}
