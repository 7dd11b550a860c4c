/* one_process.h - set_up() and tear_down() for suites whose tests need one process and must leave nothing shared. */
#ifndef TESTS_UNIT_ONE_PROCESS_H
#define TESTS_UNIT_ONE_PROCESS_H

#include <check.h>

#include "tests/unit/vm_fixture.h"

static struct fixture it;
static uint64_t shared_before;

static void set_up(void)
{
    shared_before = vm_shared_bytes_total();
    ck_assert(fixture_begin(&it, 1));
}

static void tear_down(void)
{
    fixture_end(&it);
    ck_assert_uint_eq(vm_shared_bytes_total(), shared_before);
}

#endif
