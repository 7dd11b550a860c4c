/*
 * type_test.h - code that looks whether a value is of an annotated type, as far as a value can tell.
 */
#ifndef LANG_TYPE_TEST_H
#define LANG_TYPE_TEST_H

#include "lang/lower.h"

/** Go to `no` unless what is in `reg` may be of a type that a parameter of the group is annotated with. The elements of
 *  tuples and the fields that a type's arguments speak of are looked at, of a list the first element; what is empty
 * fits all. */
void ns_test_type(struct ns_frame *frame, const struct ns_group *group, const struct ns_type *type, unsigned reg,
                  ns_mark no);
/** How much the test sees: 0 for type variables, 2 for types, 3 if it looks inside as well. */
unsigned ns_type_exactness(struct ns_unit *unit, const struct ns_group *group, const struct ns_type *type);

#endif
