#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/duration.h"
#include "loop/clock.h"
#include "loop/loop.h"

struct bench {
    struct loop *loop;
    struct timer *timers[3];
    struct io *io;
    struct reaper *reaper;
    int calls, status, fd;
    uint64_t at_usec;
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct err e;
    if (!b || loop_new(&b->loop, &e) < 0)
        return -1;
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    loop_free(b->loop);
    free(b);
    return 0;
}

static void clocks_agree(void **state)
{
    (void)state;
    uint64_t before = clock_boot_usec();
    clock_sleep(3 * USEC_PER_MSEC);
    assert_true(clock_boot_usec() - before >= 3 * USEC_PER_MSEC);
    assert_true(clock_wall_usec() > INT64_C(1600000000) * 1000000);
    char text[WALL_TEXT];
    assert_int_equal(strlen(clock_wall_text(text)), strlen("2026-11-21T04:31:41.123456789Z"));
    assert_int_equal(text[10], 'T');
    assert_int_equal(text[29], 'Z');
    char id[BOOT_ID_TEXT], again[BOOT_ID_TEXT];
    assert_int_equal(strlen(clock_boot_id(id)), 36);
    assert_string_equal(id, clock_boot_id(again));
    assert_int_equal(id[8], '-');
}

static void stop_later(void *context)
{
    struct bench *b = context;
    b->at_usec = loop_now_usec(b->loop);
    b->calls++;
    loop_stop(b->loop, 7);
}

static void timer_fires_once_in_time(void **state)
{
    struct bench *b = *state;
    struct err e;
    assert_int_equal(timer_new(b->loop, stop_later, b, &b->timers[0], &e), 0);
    uint64_t at = clock_boot_usec() + 5 * USEC_PER_MSEC;
    timer_set(b->timers[0], at, 0);
    assert_int_equal(loop_run(b->loop, &e), 7);
    assert_int_equal(b->calls, 1);
    assert_true(b->at_usec >= at && b->at_usec < at + USEC_PER_SEC);
    timer_free(b->timers[0]);
}

static void never(void *context)
{
    struct bench *b = context;
    b->calls += 100;
}

static void disarmed_timer_stays_silent(void **state)
{
    struct bench *b = *state;
    struct err e;
    assert_int_equal(timer_new(b->loop, never, b, &b->timers[0], &e), 0);
    assert_int_equal(timer_new(b->loop, stop_later, b, &b->timers[1], &e), 0);
    timer_set(b->timers[0], clock_boot_usec(), 0);
    timer_set(b->timers[0], USEC_NEVER, 0);
    timer_set(b->timers[1], clock_boot_usec() + 2 * USEC_PER_MSEC, 0);
    assert_int_equal(loop_run(b->loop, &e), 7);
    assert_int_equal(b->calls, 1);
    timer_free(b->timers[0]);
    timer_free(b->timers[1]);
}

static void timer_of_an_ended_loop(void **state)
{
    struct bench *b = *state;
    struct err e = {0};
    assert_int_equal(timer_new(b->loop, never, b, &b->timers[0], &e), 0);
    assert_int_equal(timer_new(b->loop, stop_later, b, &b->timers[1], &e), 0);
    timer_set(b->timers[1], clock_boot_usec(), 0);
    assert_int_equal(loop_run(b->loop, &e), 7);
    timer_set(b->timers[0], clock_boot_usec(), 0);
    timer_set(b->timers[0], USEC_NEVER, 0);
    timer_free(b->timers[0]);
    timer_free(b->timers[1]);
}

static void free_both(void *context)
{
    struct bench *b = context;
    b->calls++;
    timer_free(TAKE(b->timers[0]));
    timer_free(TAKE(b->timers[1]));
}

/* Two timers due at once: whichever comes first frees itself and the other. */
static void callback_frees_itself_and_others(void **state)
{
    struct bench *b = *state;
    struct err e;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(timer_new(b->loop, free_both, b, &b->timers[i], &e), 0);
        timer_set(b->timers[i], clock_boot_usec(), 0);
    }
    assert_int_equal(timer_new(b->loop, stop_later, b, &b->timers[2], &e), 0);
    timer_set(b->timers[2], clock_boot_usec() + 5 * USEC_PER_MSEC, 0);
    assert_int_equal(loop_run(b->loop, &e), 7);
    assert_int_equal(b->calls, 2);
    timer_free(b->timers[2]);
}

static void slack_coalesces(void **state)
{
    struct bench *b = *state;
    struct err e;
    assert_int_equal(timer_new(b->loop, stop_later, b, &b->timers[0], &e), 0);
    uint64_t at = clock_boot_usec() + USEC_PER_MSEC;
    timer_set(b->timers[0], at, 50 * USEC_PER_MSEC);
    assert_int_equal(loop_run(b->loop, &e), 7);
    assert_true(b->at_usec >= at && b->at_usec < at + USEC_PER_SEC);
    timer_free(b->timers[0]);
}

static void take_byte(void *context, uint32_t events)
{
    struct bench *b = context;
    assert_true(events & (EPOLLIN | EPOLLOUT));
    if (events & EPOLLIN) {
        char byte;
        assert_int_equal(read(b->fd, &byte, 1), 1);
        io_free(TAKE(b->io));
        loop_stop(b->loop, b->calls);
        return;
    }
    b->calls++;
    io_set(b->io, EPOLLIN);
}

static void io_follows_its_events(void **state)
{
    struct bench *b = *state;
    struct err e;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    b->fd = pair[0];
    assert_int_equal(io_new(b->loop, pair[0], EPOLLOUT, take_byte, b, &b->io, &e), 0);
    assert_int_equal(write(pair[1], "x", 1), 1);
    /* EPOLLOUT alone comes first, though a byte waits. */
    assert_int_equal(loop_run(b->loop, &e), 1);
    assert_null(b->io);
    assert_int_equal(io_new(b->loop, -1, EPOLLIN, take_byte, b, &b->io, &e), -EBADF);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static void signals_arrive(void **state)
{
    struct bench *b = *state;
    struct err e;
    assert_int_equal(loop_on_signal(b->loop, SIGHUP, stop_later, b, &e), 0);
    assert_int_equal(loop_on_signal(b->loop, SIGUSR1, never, b, &e), 0);
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    assert_int_equal(loop_run(b->loop, &e), 7);
    assert_int_equal(b->calls, 1);
}

static void child_ended(void *context, int status)
{
    struct bench *b = context;
    b->status = status;
    b->calls++;
    reaper_free(TAKE(b->reaper));
    loop_stop(b->loop, 0);
}

static pid_t child_that(int exit_code, int signo)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (signo)
            (void)raise(signo);
        _exit(exit_code);
    }
    return pid;
}

static void children_are_reaped_with_their_status(void **state)
{
    static const struct {
        int exit_code, signo;
    } cases[] = {{0, 0}, {42, 0}, {0, SIGKILL}, {0, SIGUSR2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tear_down(state);
        assert_int_equal(set_up(state), 0);
        struct bench *b = *state;
        struct err e;
        pid_t pid = child_that(cases[i].exit_code, cases[i].signo);
        assert_int_equal(reaper_new(b->loop, pid, child_ended, b, &b->reaper, &e), 0);
        assert_int_equal(loop_run(b->loop, &e), 0);
        assert_int_equal(b->calls, 1);
        if (cases[i].signo)
            assert_true(WIFSIGNALED(b->status) && WTERMSIG(b->status) == cases[i].signo);
        else
            assert_true(WIFEXITED(b->status) && WEXITSTATUS(b->status) == cases[i].exit_code);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), -1); /* no zombie */
    }
}

static void child_of_a_freed_reaper_is_still_reaped(void **state)
{
    struct bench *b = *state;
    struct err e;
    pid_t pid = child_that(0, 0);
    assert_int_equal(reaper_new(b->loop, pid, child_ended, b, &b->reaper, &e), 0);
    reaper_free(b->reaper);
    assert_int_equal(timer_new(b->loop, stop_later, b, &b->timers[0], &e), 0);
    timer_set(b->timers[0], clock_boot_usec() + 100 * USEC_PER_MSEC, 0);
    assert_int_equal(loop_run(b->loop, &e), 7);
    assert_int_equal(b->calls, 1); /* only the timer's */
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
    timer_free(b->timers[0]);
}

static void manager_hears_ready_and_watchdog(void **state)
{
    struct bench *b = *state;
    struct err e;
    char folder[] = "/tmp/planeguard-loop-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", folder);
    int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(manager, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", "40000", 1), 0);
    assert_int_equal(loop_serve_manager(b->loop, &e), 0);
    assert_int_equal(timer_new(b->loop, stop_later, b, &b->timers[0], &e), 0);
    timer_set(b->timers[0], clock_boot_usec() + 150 * USEC_PER_MSEC, 0);
    assert_int_equal(loop_run(b->loop, &e), 7);
    bool ready = false;
    int fed = 0;
    char text[128];
    ssize_t got;
    while ((got = recv(manager, text, sizeof text - 1, MSG_DONTWAIT)) > 0) {
        text[got] = '\0';
        ready |= !strcmp(text, "READY=1");
        fed += !strcmp(text, "WATCHDOG=1");
    }
    assert_true(ready);
    assert_true(fed >= 2);
    timer_free(b->timers[0]);
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)close(manager);
    (void)unlink(address.sun_path);
    (void)rmdir(folder);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(clocks_agree),
        CASE(timer_fires_once_in_time),
        CASE(disarmed_timer_stays_silent),
        CASE(timer_of_an_ended_loop),
        CASE(callback_frees_itself_and_others),
        CASE(slack_coalesces),
        CASE(io_follows_its_events),
        CASE(signals_arrive),
        CASE(children_are_reaped_with_their_status),
        CASE(child_of_a_freed_reaper_is_still_reaped),
        CASE(manager_hears_ready_and_watchdog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
