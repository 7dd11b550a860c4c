/*
 * record.h - the record types that natives of the library make, from one table (records.def). The checker knows them
 * from there, too (vm_native_record()).
 */
#ifndef LIB_RECORD_H
#define LIB_RECORD_H

#include <stdint.h>

enum lib_record {
#define RECORD(id, ...) LIB_RECORD_##id,
#include "lib/records.def"
#undef RECORD
    LIB_RECORD_COUNT
};

/** Register all of them. Once, at start. */
void lib_register_records(void);
/** The constructor's number. Threads: any after start. */
uint32_t lib_record(enum lib_record record);

#endif
