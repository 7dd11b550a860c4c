/*
 * dispatch.c - method tables and call sites.
 *
 * A method table is a hash from (tier, class, name) to a chain of functions, latest first; it is filled by the compiler
 * and never changes afterwards. A site keeps the answers it got in a short chain of its own, one entry per class of
 * receiver seen, newest first; entries are pushed by compare-and-swap and only freed with the program, so readers need
 * no lock. The release of that push pairs with the acquire load of `cache`.
 */
#include "config.h"

#include "vm/dispatch.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/intern.h"
#include "vm/print.h"
#include "vm/reactive.h"
#include "vm/type.h"

enum { BUCKETS_MIN = 64, SITE_ENTRIES_MAX = 64, QUALIFIED_NAME_MAX = 200 };

struct method {
    struct method *next; /* in the bucket */
    uint64_t key;
    vm_value function;
    const char *scope;   /* path of the module that sees it; NULL: all do */
};

struct vm_methods {
    struct nb_arena *arena;
    struct method **buckets;
    size_t bucket_count, count;
    uint64_t *names;     /* a bit for each name id that some class has a method of */
    size_t name_words;
};

static uint64_t method_key(unsigned tier, uint32_t class_key, uint32_t name_id)
{
    return (uint64_t)tier << 63 | (uint64_t)class_key << 24 | name_id;
}

static size_t bucket_of(uint64_t key, size_t buckets)
{
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (buckets - 1);
}

struct vm_methods *vm_methods_new(struct nb_arena *arena)
{
    struct vm_methods *methods = nb_arena_alloc(arena, sizeof *methods);

    methods->arena = arena;
    methods->bucket_count = BUCKETS_MIN;
    methods->buckets = nb_arena_array(arena, BUCKETS_MIN, sizeof *methods->buckets);
    return methods;
}

/* Twice as many buckets; chains keep their order, so that the latest definition stays first. */
static void methods_grow(struct vm_methods *methods)
{
    size_t count = methods->bucket_count * 2;
    struct method **buckets = nb_arena_array(methods->arena, count, sizeof *buckets);

    for (size_t i = 0; i < methods->bucket_count; i++) {
        struct method *reversed = NULL, *next;

        for (struct method *m = methods->buckets[i]; m != NULL; m = next) {
            next = m->next;
            m->next = reversed;
            reversed = m;
        }
        for (struct method *m = reversed; m != NULL; m = next) {
            struct method **place = &buckets[bucket_of(m->key, count)];

            next = m->next;
            m->next = *place;
            *place = m;
        }
    }
    methods->buckets = buckets;
    methods->bucket_count = count;
}

static void note_name(struct vm_methods *methods, uint32_t name_id)
{
    size_t word = name_id / 64;

    if (word >= methods->name_words) {
        size_t words = word * 2 + 16;
        uint64_t *names = nb_arena_array(methods->arena, words, sizeof *names);

        if (methods->name_words > 0)
            memcpy(names, methods->names, methods->name_words * sizeof *names);
        methods->names = names;
        methods->name_words = words;
    }
    methods->names[word] |= UINT64_C(1) << name_id % 64;
}

bool vm_methods_know(const struct vm_methods *methods, uint32_t name_id)
{
    return name_id / 64 < methods->name_words && (methods->names[name_id / 64] >> name_id % 64 & 1) != 0;
}

void vm_methods_add_private(struct vm_methods *methods, unsigned tier, uint32_t class_key, uint32_t name_id,
                            const char *scope, vm_value function)
{
    struct method *method = nb_arena_alloc(methods->arena, sizeof *method);
    struct method **place;

    if (methods->count >= methods->bucket_count)
        methods_grow(methods);
    note_name(methods, name_id);
    method->key = method_key(tier, class_key, name_id);
    method->function = function;
    method->scope = scope;
    place = &methods->buckets[bucket_of(method->key, methods->bucket_count)];
    method->next = *place;
    *place = method;
    methods->count++;
}

void vm_methods_add(struct vm_methods *methods, unsigned tier, uint32_t class_key, uint32_t name_id, unsigned arity,
                    vm_value function)
{
    (void)arity; /* the function knows its own */
    vm_methods_add_private(methods, tier, class_key, name_id, NULL, function);
}

/* Whether a function value can be called with that many arguments. */
static bool accepts(vm_value function, unsigned count)
{
    if (vm_kind(function) == VM_KIND_NATIVE)
        return ((const struct vm_native *)vm_object(function))->arity == count;
    const struct vm_function *f = (const struct vm_function *)vm_object(function);

    return count >= f->required && count <= f->arity;
}

/* Whether code in `module` sees what belongs to `scope`: it is that module or nested in it. */
static bool sees(const char *module, const char *scope)
{
    size_t length;

    if (scope == NULL || *scope == '\0')
        return true;
    length = strlen(scope);
    return module != NULL && strncmp(module, scope, length) == 0 && (module[length] == '\0' || module[length] == '.');
}

vm_value vm_methods_find(const struct vm_methods *methods, unsigned tier, uint32_t class_key, uint32_t name_id,
                         unsigned arity)
{
    uint64_t key = method_key(tier, class_key, name_id);

    for (struct method *m = methods->buckets[bucket_of(key, methods->bucket_count)]; m != NULL; m = m->next)
        if (m->key == key && accepts(m->function, arity))
            return m->function;
    return VM_NONE;
}

/* The same for a call site, which does not see the methods of other modules' private traits. */
static vm_value find_for(const struct vm_methods *methods, unsigned tier, uint32_t class_key,
                         const struct vm_site *site)
{
    uint64_t key = method_key(tier, class_key, site->name_id);

    for (struct method *m = methods->buckets[bucket_of(key, methods->bucket_count)]; m != NULL; m = m->next)
        if (m->key == key && accepts(m->function, site->arg_count) && sees(site->module, m->scope))
            return m->function;
    return VM_NONE;
}

static bool callable(vm_value v)
{
    return vm_is_object(v) &&
           (vm_kind(v) == VM_KIND_CLOSURE || vm_kind(v) == VM_KIND_FUNCTION || vm_kind(v) == VM_KIND_NATIVE);
}

/* The native "Class.method", if there is one with that many arguments. */
static vm_value namespace_method(uint32_t class_key, const char *name, unsigned count)
{
    char qualified[QUALIFIED_NAME_MAX];
    const struct vm_native *native;
    int length;

    if (class_key < VM_CLASS_UNIT) /* a user type: never a namespace of natives */
        return VM_NONE;
    length = snprintf(qualified, sizeof qualified, "%s.%s", vm_class_name(class_key), name);
    if (length < 0 || (size_t)length >= sizeof qualified)
        return VM_NONE;
    native = vm_native_find(qualified, (int)count);
    return native == NULL ? VM_NONE : vm_from_object(native);
}

/* get, set, onChange … of a reactive value. */
static vm_value reactive_method(vm_value receiver, const struct vm_site *site)
{
    char qualified[QUALIFIED_NAME_MAX];
    const struct vm_native *native;
    int length;

    if (site->as_function || !vm_is_reactive(receiver))
        return VM_NONE;
    length = snprintf(qualified, sizeof qualified, "_%s.%s", vm_kind_word(receiver), site->name);
    if (length < 0 || (size_t)length >= sizeof qualified)
        return VM_NONE;
    native = vm_native_find(qualified, (int)site->arg_count);
    return native == NULL ? VM_NONE : vm_from_object(native);
}

/* toInt, toFloat and the like of a number or a Char: functions of the program called so do not replace them. */
static vm_value conversion(uint32_t class_key, const struct vm_site *site)
{
    const struct vm_native *native;

    if (class_key < VM_CLASS_INT || class_key > VM_CLASS_CHAR || site->arg_count != 1 ||
        strncmp(site->name, "to", 2) != 0)
        return VM_NONE;
    native = vm_native_find(site->name, 1);
    return native == NULL ? VM_NONE : vm_from_object(native);
}

/* The field that the call may mean; -1 when there is none. Variants with several constructors have no fields. */
static int field_position(const struct vm_site *site, vm_value receiver)
{
    const struct vm_constructor *constructor = vm_constructor_of(receiver);

    if (site->as_function || constructor == NULL || constructor->siblings != 1 || !vm_is_object(receiver) ||
        vm_is_reactive(receiver))
        return -1;
    return vm_constructor_field(constructor, site->name_id);
}

/* What the tables say, in the order of 02 §6.6. The receiver matters where it is reactive. */
static vm_value find_in_tables(const struct vm_program *program, const struct vm_site *site, uint32_t class_key,
                               vm_value receiver)
{
    vm_value found = find_for(program->methods, 0, class_key, site);

    if (found != VM_NONE)
        return found;
    if (!site->as_function) {
        found = namespace_method(class_key, site->name, site->arg_count);
        if (found == VM_NONE)
            found = reactive_method(receiver, site);
        if (found != VM_NONE)
            return found;
    }
    found = find_for(program->methods, 1, class_key, site);
    return found != VM_NONE ? found : conversion(class_key, site);
}

/* With fields and functions in scope, which come behind them. */
static vm_value resolve(const struct vm_program *program, const struct vm_site *site, uint32_t class_key,
                        vm_value receiver, bool *ret_field)
{
    vm_value found = find_in_tables(program, site, class_key, receiver);
    int position;

    *ret_field = false;
    if (found != VM_NONE)
        return found;
    position = field_position(site, receiver);
    if (position >= 0 && callable(vm_field(receiver, (unsigned)position))) {
        *ret_field = true;
        return vm_field(receiver, (unsigned)position);
    }
    return site->fallback;
}

vm_value vm_dispatch_class(const struct vm_program *program, const struct vm_site *site, uint32_t class_key,
                           const struct vm_constructor *constructor)
{
    vm_value found = find_in_tables(program, site, class_key, VM_NONE);

    if (found == VM_NONE && (constructor == NULL || vm_constructor_field(constructor, site->name_id) < 0))
        found = site->fallback;
    if (vm_is_kind(found, VM_KIND_FUNCTION))
        return ((const struct vm_function *)vm_object(found))->arity == site->arg_count ? found : VM_NONE;
    if (vm_is_kind(found, VM_KIND_NATIVE))
        return ((const struct vm_native *)vm_object(found))->arity == site->arg_count ? found : VM_NONE;
    return VM_NONE;
}

/* Remember an answer, unless the site saw too many classes already or memory is short: then it is looked up each
 * time. */
static void remember(struct vm_program *program, struct vm_site *site, vm_value receiver, vm_value target)
{
    struct vm_site_entry *entry;

    if (atomic_fetch_add_explicit(&site->entries, 1, memory_order_relaxed) >= SITE_ENTRIES_MAX) {
        atomic_store_explicit(&site->entries, SITE_ENTRIES_MAX, memory_order_relaxed);
        return;
    }
    entry = nb_alloc(sizeof *entry);
    if (entry == NULL)
        return;
    entry->class_key = vm_class_of(receiver);
    entry->header = vm_is_object(receiver) ? vm_header(receiver) & VM_SITE_HEADER : 0;
    entry->target = target;
    entry->all_next = atomic_load_explicit(&program->site_entries, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&program->site_entries, &entry->all_next, entry,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
    entry->next = atomic_load_explicit(&site->cache, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&site->cache, &entry->next, entry, memory_order_release,
                                                  memory_order_relaxed))
        ;
}

/* Whether each value of the receiver's class gets the same answer: not so where another one may hold a function in a
 * field of that name. (The value of a field differs from record to record and is never remembered.) */
static bool answer_holds_for_class(const struct vm_site *site, vm_value receiver, vm_value target)
{
    if (vm_is_object(receiver) && vm_is_reactive(receiver)) /* the plain variant inside is of the same class */
        return false;
    return target != site->fallback || field_position(site, receiver) < 0;
}

vm_value vm_dispatch(struct vm_program *program, struct vm_site *site, vm_value receiver, bool *ret_field_call)
{
    uint32_t class_key = vm_class_of(receiver);
    vm_value target;

    *ret_field_call = false;
    for (const struct vm_site_entry *e = atomic_load_explicit(&site->cache, memory_order_acquire); e != NULL;
         e = e->next)
        if (e->class_key == class_key)
            return e->target;
    target = resolve(program, site, class_key, receiver, ret_field_call);
    if (target != VM_NONE && !*ret_field_call && answer_holds_for_class(site, receiver, target))
        remember(program, site, receiver, target);
    return target;
}

void vm_dispatch_done(struct vm_program *program)
{
    struct vm_site_entry *entry = atomic_load_explicit(&program->site_entries, memory_order_acquire);

    while (entry != NULL) {
        struct vm_site_entry *next = entry->all_next;

        nb_free(entry);
        entry = next;
    }
}
