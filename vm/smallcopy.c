/* smallcopy.c - the one-pass copy of small values. */
#include "config.h"

#include "vm/smallcopy.h"

struct copying {
    vm_value *top, *end;
    unsigned count;
    vm_value *objects[VM_SMALL_OBJECTS]; /* of the source, with the headers that the new addresses stand for */
    vm_value headers[VM_SMALL_OBJECTS];
};

/* Whether a slice is its whole array, without room, or the array has come over already. Other slices take just their
 * part along, on the long way. */
static bool is_whole(const vm_value *slice)
{
    vm_value array = vm_header(slice[1]);

    return (array & 1) == 0 || (slice[2] == vm_from_small(0) && vm_header_size(array) == 1 + vm_header_size(slice[0]));
}

/* Handles and buffers are refused on the long way, larger lists get compact there. */
static bool goes_as_it_is(const vm_value *object)
{
    switch (vm_header_kind(*object)) {
    case VM_KIND_CONS:
        return vm_header_size(*object) <= VM_SMALL_CELLS;
    case VM_KIND_SLICE:
        return is_whole(object);
    case VM_KIND_BUFFER:
    case VM_KIND_BUILDER:
    case VM_KIND_HANDLE:
        return false;
    default:
        return true;
    }
}

static bool note_shared(struct vm_small_copy *copy, vm_value shared)
{
    for (unsigned i = 0; i < copy->shared_count; i++)
        if (copy->shared[i] == shared)
            return true;
    if (copy->shared_count == VM_SMALL_SHARED)
        return false;
    copy->shared[copy->shared_count++] = shared;
    return true;
}

/* Bring an object over that a place of the copy refers to. */
static bool move_object(struct copying *copying, struct vm_small_copy *copy, vm_value *place)
{
    vm_value value = *place, header = vm_header(value);
    uint64_t words;

    if ((header & 1) == 0) {
        *place = header;
        return true;
    }
    if ((header & (VM_FLAG_SHARED | VM_FLAG_IMMORTAL)) != 0)
        return (header & VM_FLAG_SHARED) == 0 || note_shared(copy, value);
    words = vm_object_words(header);
    if (!goes_as_it_is(vm_object(value)) || copying->count == VM_SMALL_OBJECTS ||
        words > (uint64_t)(copying->end - copying->top))
        return false;
    for (uint64_t i = 0; i < words; i++)
        copying->top[i] = vm_object(value)[i];
    copying->objects[copying->count] = vm_object(value);
    copying->headers[copying->count++] = header;
    *place = *vm_object(value) = vm_from_object(copying->top);
    copying->top += words;
    return true;
}

/* The value words of an object: from the first one to behind the last one. */
static vm_value *fields_of(vm_value *object, uint64_t words, vm_value **ret_end)
{
    switch ((enum vm_layout)vm_kind_layouts[vm_header_kind(*object)]) {
    case VM_LAYOUT_VALUES:
    case VM_LAYOUT_PAIR:
        *ret_end = object + words;
        return object + 1;
    case VM_LAYOUT_RAW1:
        *ret_end = object + words;
        return object + 2;
    case VM_LAYOUT_WORDS:
    case VM_LAYOUT_BYTES:
        break;
    }
    *ret_end = object;
    return object;
}

static bool move_all(struct copying *copying, struct vm_small_copy *copy, vm_value *to)
{
    vm_value *field, *end;

    if (vm_is_object(copy->root) && !move_object(copying, copy, &copy->root))
        return false;
    for (vm_value *object = to; object < copying->top;) {
        uint64_t words = vm_object_words(*object);

        for (field = fields_of(object, words, &end); field < end; field++)
            if (vm_is_object(*field) && !move_object(copying, copy, field))
                return false;
        object += words;
    }
    return true;
}

bool vm_small_copy(vm_value root, vm_value *to, size_t room, struct vm_small_copy *ret)
{
    struct copying copying;
    bool done;

    copying.top = to;
    copying.end = to + (room < VM_SMALL_WORDS ? room : VM_SMALL_WORDS);
    copying.count = 0;
    ret->root = root;
    ret->shared_count = 0;
    done = move_all(&copying, ret, to);
    for (unsigned i = 0; i < copying.count; i++)
        *copying.objects[i] = copying.headers[i];
    ret->words = (size_t)(copying.top - to);
    return done;
}

void vm_small_copy_moved(struct vm_small_copy *copy, const vm_value *from, vm_value *to)
{
    vm_value low = vm_from_object(from), high = low + copy->words * sizeof *to, distance = vm_from_object(to) - low;
    vm_value *field, *end;

    copy->root += distance;
    for (vm_value *object = to; object < to + copy->words;) {
        uint64_t words = vm_object_words(*object);

        for (field = fields_of(object, words, &end); field < end; field++)
            if (vm_is_object(*field) && *field >= low && *field < high)
                *field += distance;
        object += words;
    }
}
