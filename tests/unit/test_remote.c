/* The agent's end of the observer with false observers at the other end: this program itself,
 * started as `test_remote false KIND`. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/duration.h"
#include "loop/clock.h"
#include "net/false_observer.h"
#include "net/remote_case.h"
#include "observe/kinds.h"

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void expect_nonsense(const char *kind)
{
    void *state = NULL;
    assert_int_equal(remote_case_setup(&state), 0);
    struct remote_case *w = state;
    remote_case_begin_false(w, kind);
    remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
    pid_t pid = remote_health(w->remote).pid;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(remote_health(w->remote).pid, pid);
        remote_case_look(w, i);
        uint64_t end = clock_boot_usec() + 2 * USEC_PER_SEC;
        while (remote_health(w->remote).nonsense < i + 1 && clock_boot_usec() < end)
            remote_case_turn(w, 5 * USEC_PER_MSEC);
        if (remote_health(w->remote).nonsense != i + 1)
            print_error("%s\n", kind);
        assert_int_equal(remote_health(w->remote).nonsense, i + 1);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(w->readings[i], 1);
        remote_case_expect_reading(w, i, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    }
    assert_false(remote_health(w->remote).alive);
    assert_int_equal(remote_health(w->remote).pid, 0);
    assert_non_null(strstr(remote_health(w->remote).why, "nonsense"));
    assert_int_equal(remote_case_teardown(&state), 0);
}

static void test_nonsense(void **state)
{
    (void)state;
    for (size_t i = 0; i < nonsense_count; i++)
        expect_nonsense(nonsenses[i].kind);
    expect_nonsense("long");
    expect_nonsense("many-facts");
}

static void test_nonsense_among_sense(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_false(w, "twice-nonsense");
    remote_case_look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    assert_int_equal(json_get_int(w->last[0].facts, "n", 0), 1);
    assert_int_equal(remote_health(w->remote).nonsense, 2);
    assert_true(remote_health(w->remote).alive);
    remote_case_look(w, 0); /* once more, and that was it */
    remote_case_wait_reading(w, 0, 2, 2 * USEC_PER_SEC);
    remote_case_expect_reading(w, 0, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    assert_int_equal(remote_health(w->remote).nonsense, 3);
    /* The next one begins from nothing. */
    remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
    remote_case_look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    assert_true(remote_health(w->remote).alive);
}

static void test_second_answer_is_nonsense(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_false(w, "answers-twice");
    remote_case_look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    remote_case_turn(w, 100 * USEC_PER_MSEC);
    assert_int_equal(w->readings[0], 1);
    assert_int_equal(remote_health(w->remote).nonsense, 1);
}

static void test_late_answer_is_none(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_false(w, "one-late");
    remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
    remote_case_look(w, 0);
    remote_case_turn(w, 50 * USEC_PER_MSEC);
    remote_case_cancel(w, 0);
    remote_case_look_and_expect(w, 1, SIGNAL_PASS, REASON_NONE);
    assert_int_equal(w->readings[0], 0);
    assert_int_equal(remote_health(w->remote).nonsense, 0);
}

static void test_descriptors_are_closed(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_false(w, "descriptors");
    remote_case_look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    int before = open_descriptors();
    for (int i = 0; i < 20; i++)
        remote_case_look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    assert_int_equal(open_descriptors(), before);
}

static void test_flood(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_false(w, "flood");
    remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
    remote_case_look(w, 0);
    remote_case_wait_reading(w, 0, 1, 2 * USEC_PER_SEC);
    remote_case_expect_reading(w, 0, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    assert_int_equal(remote_health(w->remote).nonsense, 3);
}

static void test_what_it_is_started_with(void **state)
{
    struct remote_case *w = *state;
    assert_int_equal(setenv("LD_PRELOAD_OF_A_TEST", "secret", 1), 0);
    remote_case_begin_false(w, "inside");
    assert_int_equal(unsetenv("LD_PRELOAD_OF_A_TEST"), 0);
    remote_case_look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    const json_t *facts = w->last[0].facts;
    assert_string_equal(json_get_string(facts, "environment", ""),
                        "PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/ ");
    assert_string_equal(json_get_string(facts, "descriptors", ""), "0 1 2 3 ");
    assert_int_equal(json_get_int(facts, "blocked", -1), 0);
}

/* Ends in each way with looks under way: each is answered once. */
static void test_ends_when_asked(void **state)
{
    (void)state;
    static const char *const kinds[] = {"dies-asked", "closes"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        void *own = NULL;
        assert_int_equal(remote_case_setup(&own), 0);
        struct remote_case *w = own;
        remote_case_begin_false(w, kinds[i]);
        remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
        for (size_t k = 0; k < PROBES; k++)
            remote_case_look(w, k);
        for (size_t k = 0; k < PROBES; k++) {
            remote_case_wait_reading(w, k, 1, 2 * USEC_PER_SEC);
            remote_case_expect_reading(w, k, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
        }
        assert_false(remote_health(w->remote).alive);
        assert_int_equal(remote_case_teardown(&own), 0);
    }
}

/* Started again after 1 s, 2 s, 4 s: never alive meanwhile. */
static void test_pauses_double(void **state)
{
    (void)state;
    static const char *const absent[] = {"/no/such/program", NULL}, *const relative[] = {"x", NULL};
    for (int i = 0; i < 3; i++) {
        void *own = NULL;
        assert_int_equal(remote_case_setup(&own), 0);
        struct remote_case *w = own;
        if (i == 0)
            remote_case_begin_false(w, "dead");
        else
            remote_case_begin(w, i == 1 ? absent : relative, NULL);
        remote_case_turn(w, 3600 * USEC_PER_MSEC);
        struct remote_health h = remote_health(w->remote);
        assert_false(h.alive);
        assert_true(strlen(h.why) > 0);
        assert_int_equal(h.starts, i == 2 ? 0 : 3); /* at 0, 1 and 3 s */
        assert_int_equal(w->healths, 0);
        remote_case_look(w, 0);
        assert_int_equal(w->readings[0], 1);
        remote_case_expect_reading(w, 0, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
        assert_int_equal(remote_case_teardown(&own), 0);
    }
}

/* One that never answers a ping never was alive, and doesn't live long. */
static void test_no_pong(void **state)
{
    (void)state;
    static const char *const kinds[] = {"no-pong", "wrong-pong"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        void *own = NULL;
        assert_int_equal(remote_case_setup(&own), 0);
        struct remote_case *w = own;
        remote_case_begin_false(w, kinds[i]);
        remote_case_turn(w, 4 * USEC_PER_SEC);
        pid_t pid = remote_health(w->remote).pid;
        assert_true(pid > 0);
        assert_false(remote_health(w->remote).alive);
        remote_case_turn(w, 1500 * USEC_PER_MSEC);
        assert_true(remote_case_is_gone(pid));
        assert_int_equal(w->healths, 0);
        assert_int_equal(remote_health(w->remote).nonsense, i);
        assert_int_equal(remote_case_teardown(&own), 0);
    }
}

/* The probe kind `observer`, which looks at that health. */
static void test_observer_probe(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_false(w, "dies-asked");
    struct probe p = {.view = &w->view,
                      .name = "observer",
                      .kind = &probe_observer,
                      .report = remote_case_on_report,
                      .wake = remote_case_on_wake,
                      .owner = w};
    w->probes[3] = p;
    struct probe *at = &w->probes[3];
    at->looking = true;
    at->kind->look(at);
    remote_case_expect_reading(w, 3, SIGNAL_UNKNOWN, REASON_STARTING);
    remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
    at->looking = true;
    at->kind->look(at);
    remote_case_expect_reading(w, 3, SIGNAL_PASS, REASON_NONE);
    remote_case_look(w, 0);
    remote_case_wait_reading(w, 0, 1, 2 * USEC_PER_SEC);
    at->looking = true;
    at->kind->look(at);
    remote_case_expect_reading(w, 3, SIGNAL_FAIL, REASON_NOT_RUNNING);
    assert_int_equal(json_get_int(w->last[3].facts, "starts", 0), 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, remote_case_setup, remote_case_teardown)

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "false"))
        return be_false(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nonsense),
        CASE(test_nonsense_among_sense),
        CASE(test_second_answer_is_nonsense),
        CASE(test_late_answer_is_none),
        CASE(test_descriptors_are_closed),
        CASE(test_flood),
        CASE(test_what_it_is_started_with),
        cmocka_unit_test(test_ends_when_asked),
        cmocka_unit_test(test_pauses_double),
        cmocka_unit_test(test_no_pong),
        CASE(test_observer_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
