/*
 * mapkey.h - hashes of keys, for those who build tries (map.h says what hashes and may be a key).
 */
#ifndef VM_MAPKEY_H
#define VM_MAPKEY_H

#include "vm/process.h"

/** Equal for equal keys, and the same in every run. The key must be hashable. */
uint64_t vm_key_hash(vm_value key);
bool vm_key_same(vm_value left, vm_value right);

#endif
