/*
 * seen.c - a hash table of objects. For classes the word of an object is another one of its class, or itself: the last
 * of such a chain stands for the class, and searching shortens the chains.
 */
#include "config.h"

#include "vm/seen.h"

#include "base/alloc.h"

enum { CAPACITY_FIRST = 64 };

static size_t slot_of(const struct vm_seen *seen, vm_value object)
{
    size_t slot = (size_t)((object >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (seen->capacity - 1);

    while (seen->objects[slot].object != 0 && seen->objects[slot].object != object)
        slot = (slot + 1) & (seen->capacity - 1);
    return slot;
}

static bool grow(struct vm_seen *seen)
{
    struct vm_seen former = *seen;

    seen->capacity = former.capacity == 0 ? CAPACITY_FIRST : former.capacity * 2;
    seen->objects = nb_alloc_zero(seen->capacity * sizeof *seen->objects);
    if (seen->objects == NULL) {
        *seen = former;
        seen->failed = true;
        return false;
    }
    for (size_t i = 0; i < former.capacity; i++)
        if (former.objects[i].object != 0)
            seen->objects[slot_of(seen, former.objects[i].object)] = former.objects[i];
    nb_free(former.objects);
    return true;
}

uint64_t *vm_seen_find(const struct vm_seen *seen, vm_value object)
{
    struct vm_seen_object *found;

    if (seen->capacity == 0)
        return NULL;
    found = &seen->objects[slot_of(seen, object)];
    return found->object == 0 ? NULL : &found->word;
}

bool vm_seen_add(struct vm_seen *seen, vm_value object, uint64_t word)
{
    if ((seen->count + 1) * 2 > seen->capacity && !grow(seen))
        return false;
    seen->objects[slot_of(seen, object)] = (struct vm_seen_object){ object, word };
    seen->count++;
    return true;
}

/* Who stands for the object's class; an object that is new is its own. */
static vm_value class_of(struct vm_seen *seen, vm_value object)
{
    uint64_t *next = vm_seen_find(seen, object);

    if (next == NULL) {
        vm_seen_add(seen, object, object);
        return object;
    }
    while (*next != object) {
        uint64_t *behind = vm_seen_find(seen, *next);

        object = *next;
        *next = *behind; /* halves the way for the next search */
        next = behind;
    }
    return object;
}

bool vm_seen_as_equal(struct vm_seen *seen, vm_value left, vm_value right)
{
    vm_value left_class = class_of(seen, left), right_class = class_of(seen, right);

    if (seen->failed || left_class == right_class)
        return true;
    *vm_seen_find(seen, right_class) = left_class;
    return false;
}

void vm_seen_done(struct vm_seen *seen)
{
    nb_free(seen->objects);
    *seen = VM_SEEN_INIT;
}
