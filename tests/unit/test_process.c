/* test_process.c - what processes promise: small at first, nothing left behind; and mailboxes: order, and no loss. */
#include "config.h"

#include "vm/process.h"

#include <check.h>
#include <pthread.h>

#include "tests/unit/one_process.h"

static struct vm_message *message_to(uint64_t pid, vm_value value)
{
    struct vm_message *message = NULL;

    ck_assert_int_eq(vm_message_new(pid, value, &message), VM_COPY_OK);
    return message;
}

static void send_to(struct vm_process *process, uint64_t pid, vm_value value)
{
    vm_process_deliver(process, message_to(pid, value));
}

static unsigned waiting(const struct vm_process *process) { return atomic_load(&process->inbox_length); }

/* What a receive does, step by step. */
static uint64_t behind; /* the number of the last message that was skipped */

static struct vm_message *peek(struct vm_process *process) { return vm_mailbox_next(process, behind); }
static void rewind_to_oldest(void) { behind = 0; }
static void skip(struct vm_process *process) { behind = peek(process)->number; }
static void accept_it(struct vm_process *process)
{
    vm_mailbox_take(process, peek(process)->number);
    rewind_to_oldest();
}

static void begin(void)
{
    set_up();
    rewind_to_oldest();
}

/* ---- processes ---- */

START_TEST(begins_small)
{
    size_t block = (size_t)(it.process.heap.end - it.process.heap.start) * sizeof(vm_value);

    ck_assert_uint_le(sizeof(struct vm_process) + block, 2560);
    ck_assert_uint_eq(atomic_load(&it.process.pid), 1);
    ck_assert_uint_eq(it.process.depth, 0);
    ck_assert_ptr_null(peek(&it.process));
}
END_TEST

START_TEST(does_not_begin_without_memory)
{
    struct vm_process other = { 0 };
    bool begun;

    nb_alloc_fail_after(0);
    begun = vm_process_init(&other, it.program, 2);
    nb_alloc_fail_after(-1);
    ck_assert(!begun);
    ck_assert_uint_eq(atomic_load(&it.program->references), 2);
}
END_TEST

START_TEST(gets_a_copy_of_its_closure)
{
    struct vm_process child = { 0 };
    vm_value closure;

    set_reg(&it, 0, make_int64(&it, 99));
    closure = make(&it, VM_KIND_CLOSURE, 0, 2);
    vm_object(closure)[1] = vm_from_object(&it.function);
    vm_object(closure)[2] = *reg(&it, 0);
    ck_assert(vm_process_init(&child, it.program, 2));
    ck_assert_int_eq(vm_process_set_entry(&child, closure), VM_COPY_OK);
    ck_assert_ptr_eq(vm_object(child.entry), child.heap.start); /* in its own block: one allocation in all */
    ck_assert_uint_eq(vm_field(child.entry, 0), vm_from_object(&it.function));
    ck_assert_uint_eq(vm_field(vm_field(child.entry, 1), 0), 99);
    vm_process_done(&child);
    vm_heap_done(&child.heap);
}
END_TEST

START_TEST(keeps_a_small_block_for_its_next_tenant)
{
    struct vm_process other = { 0 };
    vm_value *start;

    ck_assert(vm_process_init(&other, it.program, 2));
    start = other.heap.start;
    vm_process_done(&other);
    ck_assert_uint_eq(atomic_load(&it.program->references), 2);
    nb_alloc_fail_after(0); /* the next one needs none */
    ck_assert(vm_process_init(&other, it.program, 3));
    nb_alloc_fail_after(-1);
    ck_assert_ptr_eq(other.heap.start, start);
    ck_assert_uint_eq(atomic_load(&other.pid), 3);
    vm_process_done(&other);
    vm_heap_done(&other.heap);
}
END_TEST

static int cancelled;
static void cancel(struct vm_process *process)
{
    ck_assert_ptr_eq(process->operation, &cancelled);
    cancelled++;
}

START_TEST(cancels_its_operation_at_the_end)
{
    struct vm_process other = { 0 };

    cancelled = 0;
    ck_assert(vm_process_init(&other, it.program, 2));
    other.operation = &cancelled;
    other.operation_cancel = cancel;
    vm_process_done(&other);
    ck_assert_int_eq(cancelled, 1);
    vm_heap_done(&other.heap);
}
END_TEST

/* ---- mailbox ---- */

START_TEST(receives_in_the_order_sent)
{
    for (int i = 0; i < 10; i++)
        send_to(&it.process, 1, vm_from_small(i));
    for (int i = 0; i < 10; i++) {
        rewind_to_oldest();
        ck_assert_uint_eq(peek(&it.process)->value, vm_from_small(i));
        accept_it(&it.process);
        if (i == 4)
            send_to(&it.process, 1, vm_from_small(10));
    }
    ck_assert_uint_eq(waiting(&it.process), 1);
    ck_assert_uint_eq(peek(&it.process)->value, vm_from_small(10));
    accept_it(&it.process);
    ck_assert_ptr_null(peek(&it.process));
    ck_assert_uint_eq(waiting(&it.process), 0);
}
END_TEST

START_TEST(leaves_skipped_messages_for_the_next_receive)
{
    for (int i = 0; i < 4; i++)
        send_to(&it.process, 1, vm_from_small(i));
    rewind_to_oldest();
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(peek(&it.process)->value, vm_from_small(i));
        skip(&it.process);
    }
    ck_assert_uint_eq(peek(&it.process)->value, vm_from_small(3));
    accept_it(&it.process); /* the last: the end of the queue moves back */
    send_to(&it.process, 1, vm_from_small(4));
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(peek(&it.process)->value, vm_from_small(i < 3 ? i : 4));
        skip(&it.process);
    }
    ck_assert_ptr_null(peek(&it.process));
    send_to(&it.process, 1, vm_from_small(5)); /* arrives while it waits: only this one is new */
    ck_assert_uint_eq(peek(&it.process)->value, vm_from_small(5));
    ck_assert_uint_eq(it.process.queue_length, 5);
}
END_TEST

START_TEST(drops_messages_meant_for_a_former_tenant)
{
    vm_value shared = vm_shared_new(VM_KIND_STRING, 0, 0, 100);

    send_to(&it.process, 77, vm_from_small(1));
    send_to(&it.process, 1, vm_from_small(2));
    send_to(&it.process, 77, shared);
    vm_shared_unref(shared);
    ck_assert_uint_eq(peek(&it.process)->value, vm_from_small(2));
    ck_assert_uint_eq(waiting(&it.process), 1);
    ck_assert_uint_eq(vm_shared_bytes_total(), shared_before);
}
END_TEST

START_TEST(keeps_what_messages_bring_along)
{
    vm_value shared = vm_shared_new(VM_KIND_TUPLE, 0, 0, 1);
    struct vm_message *message;

    vm_object(shared)[1] = VM_UNIT;
    set_reg(&it, 0, make_cells(&it, 0, 100, VM_NIL));
    send_to(&it.process, 1, *reg(&it, 0));
    send_to(&it.process, 1, shared);
    vm_shared_unref(shared);
    set_reg(&it, 0, VM_UNIT);
    rewind_to_oldest();
    ck_assert(is_list_of(peek(&it.process)->value, 0, 100));
    skip(&it.process);
    ck_assert(vm_heap_collect(&it.ctx, 0)); /* adopted and skipped: a root; the other one not looked at yet */
    ck_assert_ptr_null(it.process.heap.fragments);
    message = peek(&it.process);
    ck_assert_uint_eq(message->value, shared);
    set_reg(&it, 1, message->value);
    accept_it(&it.process);
    ck_assert(is_list_of(peek(&it.process)->value, 0, 100));
    set_reg(&it, 0, peek(&it.process)->value);
    accept_it(&it.process);
    ck_assert(vm_heap_collect(&it.ctx, 0));
    ck_assert(is_list_of(*reg(&it, 0), 0, 100));
    ck_assert_uint_eq(vm_field(*reg(&it, 1), 0), VM_UNIT);
}
END_TEST

START_TEST(frees_all_messages_at_the_end) /* looked at, in the queue, in the inbox: each with memory */
{
    vm_value shared = vm_shared_new(VM_KIND_TUPLE, 0, 0, 1);

    vm_object(shared)[1] = VM_UNIT;
    set_reg(&it, 0, make_pair(&it, shared, vm_from_small(1)));
    for (int i = 0; i < 3; i++) {
        send_to(&it.process, 1, *reg(&it, 0));
        send_to(&it.process, 1, shared);
    }
    peek(&it.process);
    send_to(&it.process, 1, *reg(&it, 0));
    vm_mailbox_clear(&it.process);
    ck_assert_uint_eq(waiting(&it.process), 0);
    ck_assert_ptr_null(peek(&it.process));
    vm_shared_unref(shared);
}
END_TEST

START_TEST(refuses_messages_that_cannot_be_copied)
{
    struct vm_message *message = NULL;

    ck_assert_int_eq(vm_message_new(1, make(&it, VM_KIND_BUFFER, 0, 1), &message), VM_COPY_REFUSED);
    nb_alloc_fail_after(0);
    ck_assert_int_eq(vm_message_new(1, VM_UNIT, &message), VM_COPY_NOMEM);
    nb_alloc_fail_after(-1);
    ck_assert_ptr_null(message);
}
END_TEST

/* ---- threads ---- */

enum { SENDERS = 3, MESSAGES = 20000 };

/* Sends 0, 1, 2 … tagged with its number. */
static void *send_many(void *argument)
{
    intptr_t sender = (intptr_t)argument;

    for (int i = 0; i < MESSAGES; i++) {
        struct vm_message *message;

        if (vm_message_new(1, vm_from_small(sender * MESSAGES + i), &message) != VM_COPY_OK)
            return argument;
        vm_process_deliver(&it.process, message);
    }
    return NULL;
}

START_TEST(loses_nothing_and_keeps_each_senders_order)
{
    pthread_t threads[SENDERS];
    int next[SENDERS] = { 0 };

    for (intptr_t i = 0; i < SENDERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, send_many, (void *)i), 0);
    for (int received = 0; received < SENDERS * MESSAGES;) {
        struct vm_message *message = peek(&it.process);
        int64_t number;

        if (message == NULL)
            continue;
        number = vm_small(message->value);
        ck_assert_int_eq(number % MESSAGES, next[number / MESSAGES]++);
        accept_it(&it.process);
        received++;
    }
    for (int i = 0; i < SENDERS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_ptr_null(peek(&it.process));
    ck_assert_uint_eq(waiting(&it.process), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm/process");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, begin, tear_down);
    tcase_set_timeout(all, 30);
    tcase_add_test(all, begins_small);
    tcase_add_test(all, does_not_begin_without_memory);
    tcase_add_test(all, gets_a_copy_of_its_closure);
    tcase_add_test(all, keeps_a_small_block_for_its_next_tenant);
    tcase_add_test(all, cancels_its_operation_at_the_end);
    tcase_add_test(all, receives_in_the_order_sent);
    tcase_add_test(all, leaves_skipped_messages_for_the_next_receive);
    tcase_add_test(all, drops_messages_meant_for_a_former_tenant);
    tcase_add_test(all, keeps_what_messages_bring_along);
    tcase_add_test(all, frees_all_messages_at_the_end);
    tcase_add_test(all, refuses_messages_that_cannot_be_copied);
    tcase_add_test(all, loses_nothing_and_keeps_each_senders_order);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
