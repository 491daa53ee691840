/* How the observer's end is told, to whom, and what its cancelled looks allow. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/duration.h"
#include "net/false_observer.h"
#include "net/remote_case.h"

static void wait_why(struct remote_case *w, const char *why)
{
    for (int i = 0; i < 1000 && strcmp(remote_health(w->remote).why, why) != 0; i++)
        remote_case_turn(w, 10 * USEC_PER_MSEC);
    assert_string_equal(remote_health(w->remote).why, why);
    assert_false(remote_health(w->remote).alive);
    assert_false(remote_health(w->remote).is_starting);
}

static void test_how_it_ended(void **state)
{
    (void)state;
    static const struct {
        const char *program, *argument;
        int signo; /* sent to it; 0: it ends by itself */
        const char *why;
    } cases[] = {
        {"/bin/true", NULL, 0, "the observer ended with 0"},
        {"/bin/false", NULL, 0, "the observer ended with 1"},
        {"/no/such/program", NULL, 0, "the observer ended with 127"},
        {"/bin/sleep", "100", SIGKILL, "the observer died of signal 9 (Killed)"},
        {"/bin/sleep", "100", SIGSEGV, "the observer died of signal 11 (Segmentation fault)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *own = NULL;
        assert_int_equal(remote_case_setup(&own), 0);
        struct remote_case *w = own;
        const char *const argv[] = {cases[i].program, cases[i].argument, NULL};
        remote_case_begin(w, argv, NULL);
        assert_true(remote_health(w->remote).is_starting);
        remote_case_look(w, 0);
        remote_case_turn(w, 100 * USEC_PER_MSEC);
        if (cases[i].signo)
            assert_int_equal(kill(remote_health(w->remote).pid, cases[i].signo), 0);
        wait_why(w, cases[i].why);
        assert_int_equal(w->readings[0], 1);
        remote_case_expect_reading(w, 0, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
        assert_int_equal(remote_case_teardown(&own), 0);
    }
}

/* That a look was cancelled excuses its own late answer, and no other. */
static void test_cancelled_looks_excuse_nothing_else(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_false(w, "unasked");
    remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
    for (size_t i = 0; i < 3; i++) {
        remote_case_look(w, i);
        remote_case_cancel(w, i);
    }
    remote_case_wait_alive(w, false, 2 * USEC_PER_SEC);
    assert_int_equal(remote_health(w->remote).nonsense, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(w->readings[i], 0);
}

static void test_late_answer_only_once(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_false(w, "answers-twice");
    remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
    remote_case_look(w, 0);
    remote_case_cancel(w, 0);
    for (int i = 0; i < 500 && !remote_health(w->remote).nonsense; i++)
        remote_case_turn(w, 10 * USEC_PER_MSEC);
    assert_int_equal(remote_health(w->remote).nonsense, 1);
    assert_int_equal(w->readings[0], 0);
}

static void count(void *context)
{
    ++*(unsigned *)context;
}

/* Who no longer listens silences nobody who came after. */
static void test_listeners(void **state)
{
    struct remote_case *w = *state;
    unsigned old = 0, new = 0;
    remote_case_begin_false(w, "dies-asked");
    remote_on_health(w->remote, count, &old);
    remote_on_health(w->remote, count, &new);
    remote_on_health(w->remote, NULL, &old);
    remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
    assert_int_equal(old, 0);
    assert_int_equal(new, 1);
    remote_on_health(w->remote, NULL, &new);
    remote_case_look(w, 0);
    remote_case_wait_reading(w, 0, 1, 2 * USEC_PER_SEC);
    wait_why(w, "the observer ended with 1");
    assert_int_equal(new, 1);
}

/* Freed while it is starting, alive, down, with looks under way: nothing is reported, no process
 * is left. */
static void test_freed_at_any_time(void **state)
{
    (void)state;
    for (int when = 0; when < 4; when++) {
        void *own = NULL;
        assert_int_equal(remote_case_setup(&own), 0);
        struct remote_case *w = own;
        remote_case_begin_false(w, when == 2 ? "dead" : "silent");
        if (when == 1 || when == 3)
            remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
        if (when == 2)
            wait_why(w, "the observer ended with 0");
        if (when == 3)
            remote_case_look(w, 0);
        pid_t pid = remote_health(w->remote).pid;
        remote_free(TAKE(w->remote));
        for (int i = 0; pid && i < 500 && !remote_case_is_gone(pid); i++)
            remote_case_turn(w, 10 * USEC_PER_MSEC);
        assert_true(!pid || remote_case_is_gone(pid));
        assert_int_equal(w->readings[0], 0);
        assert_int_equal(remote_case_teardown(&own), 0);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, remote_case_setup, remote_case_teardown)

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "false"))
        return be_false(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_it_ended),      CASE(test_cancelled_looks_excuse_nothing_else),
        CASE(test_late_answer_only_once),         CASE(test_listeners),
        cmocka_unit_test(test_freed_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
