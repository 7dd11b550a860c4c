/*
 * typed.h - typed code: which instructions are replaced by typed ones. Private to lang/; typed.c has the story.
 */
#ifndef LANG_TYPED_H
#define LANG_TYPED_H

#include "lang/lower.h"

/** Before the instruction of a binary operator is emitted: note whether both sides are expected to be Ints. */
void ns_typed_note(struct ns_frame *frame, const struct ns_expr *expr);

/** Choose typed instructions in the finished code of the frame's function. */
void ns_typed_select(struct ns_frame *frame);

#endif
