/*
 * type_text.h - types of natives as their tables write them: "Ord a => (list: List[a], n: Int) -> List[a]".
 *
 * In front of `=>` stand traits that variables must implement, separated by commas. Besides the traits of the language
 * there are three of the library's own, for functions that take several unrelated types:
 *     Length    what length() counts: List, String, tuple, Array, typed array, Buffer
 *     Numeric   what converts to a number: the number types, Char
 *     Floating  Float, Float32; a result of that type is a Float as long as it is not known which of them
 * Type names are the built-in ones and those of library modules; others fit everything.
 */
#ifndef LANG_TYPE_TEXT_H
#define LANG_TYPE_TEXT_H

#include "lang/term.h"

/**
 * The scheme that a text denotes, in the checker's arena.
 *
 * ret_error (may be NULL) receives what is wrong with the text, or NULL. Returns NULL on error.
 */
struct ns_term *ns_scheme_of_text(struct ns_check *check, const char *text, const char **ret_error);

#endif
