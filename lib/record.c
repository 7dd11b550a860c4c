/*
 * record.c - registers the record types that natives make.
 */
#include "config.h"

#include "lib/record.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/intern.h"
#include "vm/native.h"
#include "vm/type.h"

enum { FIELDS_MAX = 8 };

/* Names and types of fields in turn. */
static const struct { const char *name, *fields[2 * FIELDS_MAX + 1]; } records[] = {
#define RECORD(id, name, ...) [LIB_RECORD_##id] = { name, { __VA_ARGS__, NULL } },
#include "lib/records.def"
#undef RECORD
};

static uint32_t constructors[LIB_RECORD_COUNT];

static uint32_t add(const char *name, const char *const *fields)
{
    const char *names[FIELDS_MAX], *types[FIELDS_MAX];
    uint32_t ids[FIELDS_MAX], number;
    uint16_t count = 0;

    for (; fields[2 * count] != NULL; count++) {
        names[count] = nb_intern(fields[2 * count]);
        ids[count] = nb_intern_id(fields[2 * count]);
        types[count] = fields[2 * count + 1];
    }
    number = vm_constructor_register(&(struct vm_constructor){
        .type_id = nb_intern_id(name), .type_name = nb_intern(name), .name = nb_intern(name),
        .name_id = nb_intern_id(name), .form = VM_TYPE_RECORD, .named = true, .arity = count, .siblings = 1,
        .fields = names, .field_ids = ids, .field_types = types });
    nb_assert(number != 0);
    vm_native_record_add(number);
    return number;
}

void lib_register_records(void)
{
    for (enum lib_record i = 0; i < LIB_RECORD_COUNT; i++)
        constructors[i] = add(records[i].name, records[i].fields);
}

uint32_t lib_record(enum lib_record record)
{
    return constructors[record];
}
