noinst_LIBRARIES += libvm.a
libvm_a_SOURCES =
libvm_a_SOURCES += vm/op.c vm/code.h vm/opcodes.def
