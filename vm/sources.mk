noinst_LIBRARIES += libvm.a
libvm_a_SOURCES =
libvm_a_SOURCES += vm/op.c vm/code.h vm/opcodes.def
libvm_a_SOURCES += vm/value.h
libvm_a_SOURCES += vm/kinds.def
libvm_a_SOURCES += vm/object.c vm/object.h
libvm_a_SOURCES += vm/type.c vm/type.h
libvm_a_SOURCES += vm/string.c vm/string.h
