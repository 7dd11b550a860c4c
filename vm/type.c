/*
 * type.c - the table of constructors and the classes of values.
 *
 * Constructors lie in chunks that never move and are never freed, so a number leads to its constructor by two loads and
 * without a lock: the release store of a chunk's pointer, and whatever handed the number to the reader, make the
 * constructor visible. Registering takes the lock and searches a hash table of numbers, keyed by type and name.
 */
#include "config.h"

#include "vm/type.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/intern.h"
#include "vm/string.h"

enum { CHUNK = 1024, CHUNKS = (VM_AUX_MAX + 1) / CHUNK, FIRST_SLOTS = 256 };

static _Atomic(struct vm_constructor *) chunks[CHUNKS];

static struct {
    pthread_mutex_t lock;
    uint32_t count;      /* numbers 1 … count are given out */
    uint32_t *slots;     /* open addressing: numbers, 0 empty */
    uint32_t slot_count; /* power of two, at most half full */
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- comparing and copying descriptions ---- */

static const char *text_at(const char *const *texts, unsigned index)
{
    return texts == NULL ? NULL : texts[index];
}

static bool same_text(const char *left, const char *right)
{
    return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

/* Whether `entry` of the table is what `description` describes. Of the prelude's constructors the types of fields are
 * not compared: they are known before the library's text that declares them is read. */
static bool same_constructor(const struct vm_constructor *entry, const struct vm_constructor *description)
{
    const struct vm_constructor *left = entry, *right = description;
    bool types_count = entry->id == 0 || entry->id > VM_CTOR_ERR;

    if (!same_text(left->type_name, right->type_name) || !same_text(left->name, right->name))
        return false;
    if (left->form != right->form || left->mutable_fields != right->mutable_fields || left->named != right->named)
        return false;
    if (left->arity != right->arity || left->position != right->position || left->siblings != right->siblings)
        return false;
    for (unsigned i = 0; i < left->arity; i++) {
        if (left->named && !same_text(text_at(left->fields, i), text_at(right->fields, i)))
            return false;
        if (types_count && !same_text(text_at(left->field_types, i), text_at(right->field_types, i)))
            return false;
    }
    return true;
}

/* 64-bit FNV-1a over both names with a byte between them that no name has. */
static uint64_t hash_names(const char *type_name, const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (const char *at = type_name; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    hash = (hash ^ 0xff) * UINT64_C(1099511628211);
    for (const char *at = name; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    return hash;
}

static const char *field_name(const struct vm_constructor *description, unsigned index)
{
    char digits[8];
    unsigned at = sizeof digits - 1;

    if (description->named)
        return nb_intern(description->fields[index]);
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + index % 10);
        index /= 10;
    } while (index != 0);
    return nb_intern(digits + at);
}

static vm_value immortal(const char *text)
{
    size_t length = strlen(text);

    return vm_string_immortal(nb_xalloc_zero(vm_string_immortal_bytes(length)), text, length);
}

/* Fill a fresh table entry. Its arrays live as long as the daemon. */
static void copy_constructor(struct vm_constructor *entry, const struct vm_constructor *description)
{
    unsigned arity = description->arity;
    const char **fields = nb_xalloc_array(arity + 1u, sizeof *fields);
    const char **types = nb_xalloc_array(arity + 1u, sizeof *types);
    uint32_t *ids = nb_xalloc_array(arity + 1u, sizeof *ids);
    vm_value *texts = nb_xalloc_array(arity + 1u, sizeof *texts);

    *entry = *description;
    entry->type_name = nb_intern(description->type_name);
    entry->type_id = nb_intern_id(description->type_name);
    entry->name = nb_intern(description->name);
    entry->name_id = nb_intern_id(description->name);
    entry->hash = hash_names(entry->type_name, entry->name);
    for (unsigned i = 0; i < arity; i++) {
        const char *type = text_at(description->field_types, i);

        fields[i] = field_name(description, i);
        ids[i] = nb_intern_id(fields[i]);
        types[i] = type == NULL ? NULL : nb_intern(type);
        texts[i] = immortal(fields[i]);
    }
    entry->name_text = immortal(entry->name);
    entry->field_texts = texts;
    entry->fields = fields;
    entry->field_ids = ids;
    entry->field_types = types;
}

/* ---- the table; the lock is held ---- */

static struct vm_constructor *entry_of(uint32_t id)
{
    struct vm_constructor *chunk = atomic_load_explicit(&chunks[id / CHUNK], memory_order_acquire);

    return &chunk[id % CHUNK];
}

/* The slot of an equal constructor, or the empty one where it belongs. */
static uint32_t *find_slot(const struct vm_constructor *description, uint64_t hash)
{
    uint32_t mask = table.slot_count - 1;
    uint32_t at = (uint32_t)(hash >> 20) & mask;

    while (table.slots[at] != 0 && !same_constructor(entry_of(table.slots[at]), description))
        at = (at + 1) & mask;
    return &table.slots[at];
}

static void grow_slots(void)
{
    uint32_t *old = table.slots;
    uint32_t old_count = table.slot_count;

    table.slot_count = old_count == 0 ? FIRST_SLOTS : old_count * 2;
    table.slots = nb_xalloc_zero(table.slot_count * sizeof *table.slots);
    for (uint32_t i = 0; i < old_count; i++) {
        const struct vm_constructor *entry = old[i] == 0 ? NULL : entry_of(old[i]);

        if (entry != NULL)
            *find_slot(entry, entry->hash) = old[i];
    }
    nb_free(old);
}

static uint32_t add_constructor(const struct vm_constructor *description)
{
    uint32_t id = table.count + 1;

    if (id > VM_AUX_MAX)
        return 0;
    if (atomic_load_explicit(&chunks[id / CHUNK], memory_order_relaxed) == NULL) {
        struct vm_constructor *chunk = nb_xalloc_zero(CHUNK * sizeof *chunk);

        atomic_store_explicit(&chunks[id / CHUNK], chunk, memory_order_release); /* pairs with entry_of() */
    }
    copy_constructor(entry_of(id), description);
    entry_of(id)->id = id;
    table.count = id;
    return id;
}

uint32_t vm_constructor_register(const struct vm_constructor *description)
{
    uint64_t hash = hash_names(description->type_name, description->name);

    nb_assert(description->position < description->siblings);
    pthread_mutex_lock(&table.lock);
    if ((table.count + 1) * 2 > table.slot_count)
        grow_slots();
    uint32_t *slot = find_slot(description, hash);
    if (*slot == 0)
        *slot = add_constructor(description);
    uint32_t id = *slot;
    pthread_mutex_unlock(&table.lock);
    return id;
}

/* ---- reading ---- */

const struct vm_constructor *vm_constructor(uint32_t id)
{
    nb_assert(id != 0 && id <= VM_AUX_MAX);
    return entry_of(id);
}

int vm_constructor_field(const struct vm_constructor *constructor, uint32_t name_id)
{
    for (unsigned i = 0; i < constructor->arity; i++)
        if (constructor->field_ids[i] == name_id)
            return (int)i;
    return -1;
}

const struct vm_constructor *vm_constructor_of(vm_value v)
{
    if (vm_is_sort(v, VM_SORT_CTOR))
        return vm_constructor((uint32_t)vm_payload(v));
    if (vm_is_kind(v, VM_KIND_DATA) || vm_is_kind(v, VM_KIND_RECORD_CELL) || vm_is_kind(v, VM_KIND_REACTIVE))
        return vm_constructor(vm_aux(v));
    return NULL;
}

const char *vm_type_form_name(enum vm_type_form form)
{
    static const char *const names[] = { "record", "variant", "reactive", "reactive_variant" };

    return names[form];
}

/* ---- the prelude ---- */

static void register_prelude(uint32_t expected, const char *type, const char *name, uint16_t position,
                             const char *field)
{
    struct vm_constructor description = {
        .type_name = type, .name = name, .form = VM_TYPE_VARIANT, .arity = field == NULL ? 0 : 1,
        .position = position, .siblings = 2, .field_types = &field,
    };
    uint32_t id = vm_constructor_register(&description);

    nb_assert(id == expected);
}

void vm_type_init(void)
{
    register_prelude(VM_CTOR_SOME, "Option", "Some", 0, "T");
    register_prelude(VM_CTOR_NONE, "Option", "None", 1, NULL);
    register_prelude(VM_CTOR_OK, "Result", "Ok", 0, "T");
    register_prelude(VM_CTOR_ERR, "Result", "Err", 1, "E");
}

/* ---- classes ---- */

static const uint32_t sort_classes[VM_SORT_COUNT] = {
    [VM_SORT_UNIT] = VM_CLASS_UNIT, [VM_SORT_BOOL] = VM_CLASS_BOOL, [VM_SORT_NIL] = VM_CLASS_LIST,
    [VM_SORT_CHAR] = VM_CLASS_CHAR, [VM_SORT_CTOR] = VM_CLASS_OTHER, [VM_SORT_PID] = VM_CLASS_PID,
    [VM_SORT_INT8] = VM_CLASS_INT8, [VM_SORT_INT16] = VM_CLASS_INT16, [VM_SORT_INT32] = VM_CLASS_INT32,
    [VM_SORT_UINT8] = VM_CLASS_UINT8, [VM_SORT_UINT16] = VM_CLASS_UINT16, [VM_SORT_UINT32] = VM_CLASS_UINT32,
    [VM_SORT_FLOAT32] = VM_CLASS_FLOAT32, [VM_SORT_EMPTY_MAP] = VM_CLASS_MAP, [VM_SORT_EMPTY_SET] = VM_CLASS_SET,
};

static const uint32_t kind_classes[VM_KIND_COUNT] = {
    [VM_KIND_INT64] = VM_CLASS_INT, [VM_KIND_UINT64] = VM_CLASS_UINT64, [VM_KIND_FLOAT] = VM_CLASS_FLOAT,
    [VM_KIND_BIGINT] = VM_CLASS_BIGINT, [VM_KIND_DECIMAL] = VM_CLASS_DECIMAL, [VM_KIND_STRING] = VM_CLASS_STRING,
    [VM_KIND_BYTES_SLICE] = VM_CLASS_STRING, [VM_KIND_CONS] = VM_CLASS_LIST, [VM_KIND_SLICE] = VM_CLASS_LIST,
    [VM_KIND_ARRAY] = VM_CLASS_OTHER, [VM_KIND_TUPLE] = VM_CLASS_TUPLE, [VM_KIND_DATA] = VM_CLASS_OTHER,
    [VM_KIND_MAP] = VM_CLASS_MAP, [VM_KIND_SET] = VM_CLASS_SET, [VM_KIND_NODE] = VM_CLASS_OTHER,
    [VM_KIND_CLOSURE] = VM_CLASS_FUNCTION, [VM_KIND_FUNCTION] = VM_CLASS_FUNCTION,
    [VM_KIND_NATIVE] = VM_CLASS_FUNCTION, [VM_KIND_CELL] = VM_CLASS_OTHER, [VM_KIND_RECORD_CELL] = VM_CLASS_OTHER,
    [VM_KIND_REACTIVE] = VM_CLASS_OTHER,
    [VM_KIND_INT64_ARRAY] = VM_CLASS_INT64_ARRAY, [VM_KIND_FLOAT64_ARRAY] = VM_CLASS_FLOAT64_ARRAY,
    [VM_KIND_FLOAT32_ARRAY] = VM_CLASS_FLOAT32_ARRAY, [VM_KIND_BUFFER] = VM_CLASS_BUFFER,
    [VM_KIND_BUILDER] = VM_CLASS_OTHER, [VM_KIND_HANDLE] = VM_CLASS_OTHER,
};

uint32_t vm_class_of(vm_value v)
{
    const struct vm_constructor *constructor;

    if (vm_is_small(v))
        return VM_CLASS_INT;
    if (vm_is_flonum(v))
        return VM_CLASS_FLOAT;
    constructor = vm_constructor_of(v);
    if (constructor != NULL)
        return constructor->type_id;
    if (vm_is_immediate(v))
        return vm_sort(v) < VM_SORT_COUNT ? sort_classes[vm_sort(v)] : (uint32_t)VM_CLASS_OTHER;
    return v == VM_NONE ? (uint32_t)VM_CLASS_OTHER : kind_classes[vm_kind(v)];
}

static const char *const class_names[] = {
    "Unit", "Bool", "Int", "Int8", "Int16", "Int32", "UInt8", "UInt16", "UInt32", "UInt64", "Float", "Float32",
    "BigInt", "Decimal", "Char", "String", "List", "Tuple", "Map", "Set", "Int64Array", "Float64Array",
    "Float32Array", "Buffer", "Function", "Pid", "other",
};
_Static_assert(sizeof class_names / sizeof *class_names == VM_CLASS_OTHER - VM_CLASS_UNIT + 1, "one name per class");

const char *vm_class_name(uint32_t class_key)
{
    const char *name, *dot;

    if (class_key >= VM_CLASS_UNIT) {
        nb_assert(class_key <= VM_CLASS_OTHER);
        return class_names[class_key - VM_CLASS_UNIT];
    }
    name = nb_intern_text(class_key);
    if (name == NULL)
        return "other";
    dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}
