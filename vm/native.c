/*
 * native.c - the registry of natives: tables handed over at start, found by name and arity.
 *
 * Filled by one thread before anything is compiled and only read afterwards, so reading takes no lock. Several rows may
 * have one name and differ in arity: those are chained in order of registration.
 */
#include "config.h"

#include "vm/native.h"

#include <string.h>

#include "base/assert.h"
#include "base/intern.h"
#include "base/map.h"
#include "base/vec.h"
#include "vm/type.h"

struct row {
    const struct vm_native *native;
    const char **parameters; /* NULL: without names */
    struct row *next;        /* of the same name */
};

static NB_VEC(const struct vm_native *) all;
static NB_VEC(uint32_t) records; /* constructors */
static struct nb_map *rows;       /* name → its first struct row */
static struct nb_map *namespaces; /* "String" → present */

static void note_namespaces(const char *name)
{
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        char *prefix = nb_strndup(name, (size_t)(dot - name));

        if (prefix == NULL)
            nb_out_of_memory((size_t)(dot - name));
        nb_map_set(namespaces, prefix, NULL);
        nb_free(prefix);
    }
}

/* Where the parameter ends that begins at `at`: its comma, or the parenthesis behind the last. */
static const char *parameter_end(const char *at)
{
    unsigned depth = 0;

    for (; *at != '\0'; at++) {
        if (depth == 0 && (*at == ',' || *at == ')'))
            break;
        if (*at == '(' || *at == '[' || *at == '{')
            depth++;
        if (*at == ')' || *at == ']' || *at == '}')
            depth--;
    }
    return at;
}

/* The parameter names in "Ord a => (list: List[a], n: Int) -> List[a]"; NULL unless each parameter has one. */
static const char **names_in(const char *type, unsigned arity)
{
    const char **names = arity > 0 ? nb_xalloc_array(arity, sizeof *names) : NULL;
    const char *demands = strstr(type, "=>");
    const char *at = demands == NULL ? type : demands + 2;

    for (unsigned i = 0; i < arity; i++) {
        at += strspn(at, "(, ");
        size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

        if (at[length] != ':') {
            nb_free(names);
            return NULL;
        }
        names[i] = nb_intern_n(at, length);
        at = parameter_end(at);
    }
    return names;
}

static void add(struct vm_native *native)
{
    struct row *row = nb_xalloc_zero(sizeof *row), *last = nb_map_get(rows, native->name);

    nb_assert(native->name != NULL && native->function != NULL && native->arity <= VM_NATIVE_ARITY_MAX);
    nb_assert(vm_native_find(native->name, native->arity) == NULL);
    native->header =
        VM_HEADER(VM_KIND_NATIVE, VM_FLAG_IMMORTAL, 0, (sizeof *native - sizeof native->header) / sizeof(vm_value));
    row->native = native;
    row->parameters = native->type != NULL ? names_in(native->type, native->arity) : NULL;
    if (last == NULL) {
        nb_map_set(rows, native->name, row);
    } else {
        while (last->next != NULL)
            last = last->next;
        last->next = row;
    }
    note_namespaces(native->name);
    nb_vec_push(&all, native);
}

void vm_native_register(struct vm_native *natives, unsigned count)
{
    if (rows == NULL) {
        rows = nb_map_new();
        namespaces = nb_map_new();
    }
    for (unsigned i = 0; i < count; i++)
        add(&natives[i]);
}

const struct vm_native *vm_native_find(const char *name, int arity)
{
    const struct row *row = rows == NULL ? NULL : nb_map_get(rows, name);

    while (row != NULL && arity >= 0 && row->native->arity != arity)
        row = row->next;
    return row == NULL ? NULL : row->native;
}

const char *const *vm_native_parameters(const struct vm_native *native)
{
    const struct row *row = nb_map_get(rows, native->name);

    while (row->native != native)
        row = row->next;
    return row->parameters;
}

bool vm_native_is_namespace(const char *prefix)
{
    return namespaces != NULL && nb_map_has(namespaces, prefix);
}

void vm_native_record_add(uint32_t constructor)
{
    nb_vec_push(&records, constructor);
}

const struct vm_constructor *vm_native_record(const char *name)
{
    for (size_t i = 0; i < records.count; i++)
        if (strcmp(vm_constructor(records.items[i])->type_name, name) == 0)
            return vm_constructor(records.items[i]);
    return NULL;
}

const struct vm_native *vm_native_at(unsigned index)
{
    return index < all.count ? all.items[index] : NULL;
}
