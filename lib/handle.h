/*
 * handle.h - what natives of open files and of commands share: lines, and what goes wrong with handles.
 */
#ifndef LIB_HANDLE_H
#define LIB_HANDLE_H

#include "io/stream.h"

/** Raise ("io_error", "Invalid handle"). */
enum vm_status lib_invalid_handle(struct vm_ctx *ctx);
/** Raise what a stream operation's error means. A line that is too long is VM_NOMEM. */
enum vm_status lib_stream_error(struct vm_ctx *ctx, int error);

/** The first call of a native that reads a line: begin, or answer at once. Takes over one reference to `handle`. */
enum vm_status lib_begin_line(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream, vm_value *ret);
/** The later ones: the line with its line break, "eof" at the end; or park again. */
enum vm_status lib_end_line(struct vm_ctx *ctx, vm_value *ret);
/** The later calls of a native that writes: the number of bytes; or park again. */
enum vm_status lib_end_write(struct vm_ctx *ctx, vm_value *ret);

#endif
