/*
 * lib.h - the standard library: natives in C and modules in Nostos.
 *
 * Each area is a table NAME.def (names, types, one sentence of documentation each), its functions in NAME.c, and where
 * functions call back into programs, a module NAME.nos. The texts of the modules are part of the executable.
 */
#ifndef LIB_LIB_H
#define LIB_LIB_H

/**
 * Register all natives (vm/native.h), the record types they make, and the sources of stdlib.* (lang/compile.h).
 * Called once at start, after vm_type_init() and before any program is compiled. Threads: one.
 */
void lib_register(void);

#endif
