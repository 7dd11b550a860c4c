noinst_LIBRARIES += libvm.a
libvm_a_SOURCES =
libvm_a_SOURCES += vm/op.c vm/code.h vm/opcodes.def vm/pairs.def
libvm_a_SOURCES += vm/value.h
libvm_a_SOURCES += vm/kinds.def
libvm_a_SOURCES += vm/object.c vm/object.h
libvm_a_SOURCES += vm/type.c vm/type.h
libvm_a_SOURCES += vm/types.c vm/types.h
libvm_a_SOURCES += vm/string.c vm/string.h
libvm_a_SOURCES += vm/native.c vm/native.h
libvm_a_SOURCES += vm/program.c vm/program.h
libvm_a_SOURCES += vm/host.h
libvm_a_SOURCES += vm/interp.c vm/interp_values.h vm/interp_numbers.h vm/interp_control.h vm/interp_calls.h
libvm_a_SOURCES += vm/interp_processes.h vm/interp_typed.h
libvm_a_SOURCES += vm/call.c vm/call.h
libvm_a_SOURCES += vm/operate.c vm/operate.h
libvm_a_SOURCES += vm/except.c vm/except.h
libvm_a_SOURCES += vm/dispatch.c vm/dispatch.h
libvm_a_SOURCES += vm/process.h vm/host.h
libvm_a_SOURCES += vm/init.c vm/init.h
libvm_a_SOURCES += vm/list.c vm/list.h
libvm_a_SOURCES += vm/heap.c vm/gc.c vm/heap.h
libvm_a_SOURCES += vm/references.c vm/references.h
libvm_a_SOURCES += vm/shared.c vm/shared.h
libvm_a_SOURCES += vm/process.c vm/mailbox.c vm/process.h
libvm_a_SOURCES += vm/number.c vm/number.h
libvm_a_SOURCES += vm/numtext.c
libvm_a_SOURCES += vm/bignum.c vm/bignum.h
libvm_a_SOURCES += vm/copy.c vm/copy_find.c vm/copy_private.h vm/copy_write.c
libvm_a_SOURCES += vm/smallcopy.c vm/smallcopy.h
libvm_a_SOURCES += vm/mvar.c vm/mvar.h
libvm_a_SOURCES += vm/reactive.c vm/reactive.h vm/reactive_cell.c vm/reactive_private.h
check_PROGRAMS += tests/unit/test_interp
tests_unit_test_interp_SOURCES = tests/unit/test_interp.c
tests_unit_test_interp_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_interp_LDADD = $(FLOOR_VM) $(CHECK_LIBS)
libvm_a_SOURCES += vm/cursor.c vm/cursor.h
libvm_a_SOURCES += vm/seen.c vm/seen.h
libvm_a_SOURCES += vm/map.c vm/map.h vm/mapbuild.c vm/mapkey.c vm/mapkey.h vm/mapnode.h
libvm_a_SOURCES += vm/compare.c vm/compare.h
libvm_a_SOURCES += vm/print.c vm/print.h

check_PROGRAMS += tests/unit/test_heap
tests_unit_test_heap_SOURCES = tests/unit/test_heap.c tests/unit/one_process.h tests/unit/vm_fixture.h
tests_unit_test_heap_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_heap_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_copy
tests_unit_test_copy_SOURCES = tests/unit/test_copy.c tests/unit/one_process.h tests/unit/vm_fixture.h
tests_unit_test_copy_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_copy_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_shared
tests_unit_test_shared_SOURCES = tests/unit/test_shared.c tests/unit/one_process.h tests/unit/vm_fixture.h
tests_unit_test_shared_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_shared_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_process
tests_unit_test_process_SOURCES = tests/unit/test_process.c tests/unit/one_process.h tests/unit/vm_fixture.h
tests_unit_test_process_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_process_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_native
tests_unit_test_native_SOURCES = tests/unit/test_native.c
tests_unit_test_native_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_native_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_program
tests_unit_test_program_SOURCES = tests/unit/test_program.c
tests_unit_test_program_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_program_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_type
tests_unit_test_type_SOURCES = tests/unit/test_type.c tests/unit/data.h
tests_unit_test_type_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_type_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_types
tests_unit_test_types_SOURCES = tests/unit/test_types.c
tests_unit_test_types_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_types_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_string
tests_unit_test_string_SOURCES = tests/unit/test_string.c tests/unit/data.h
tests_unit_test_string_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_string_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_list
tests_unit_test_list_SOURCES = tests/unit/test_list.c tests/unit/data.h
tests_unit_test_list_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_list_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_map
tests_unit_test_map_SOURCES = tests/unit/test_map.c tests/unit/data.h
tests_unit_test_map_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_map_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_number
tests_unit_test_number_SOURCES = tests/unit/test_number.c tests/unit/data.h
tests_unit_test_number_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_number_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_compare
tests_unit_test_compare_SOURCES = tests/unit/test_compare.c tests/unit/data.h
tests_unit_test_compare_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_compare_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_print
tests_unit_test_print_SOURCES = tests/unit/test_print.c tests/unit/data.h
tests_unit_test_print_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_print_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_mvar
tests_unit_test_mvar_SOURCES = tests/unit/test_mvar.c tests/unit/vm_fixture.h
tests_unit_test_mvar_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mvar_LDADD = $(FLOOR_VM) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_op
tests_unit_test_op_SOURCES = tests/unit/test_op.c
tests_unit_test_op_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_op_LDADD = $(FLOOR_VM) $(CHECK_LIBS)
