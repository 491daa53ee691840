/* Processes that we start, when a system call fails: each of them in turn, in us and in the child.
 * What can't be started is told, or ends as what never began; no child and no descriptor is left
 * behind. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/command.h"
#include "loop/detached.h"
#include "loop/file.h"
#include "loop/proc.h"
#include "loop/program.h"
#include "loop/worker.h"
#include "wrapped/wrapped.h"

enum { STRIKES_MAX = 50 };
static const uint64_t long_usec = 60 * USEC_PER_SEC;
static const char *const say[] = {"/bin/echo", "said", NULL};

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int setup(void **state)
{
    *state = mem_printf("%d", open_descriptors());
    return 0;
}

static int teardown(void **state)
{
    wrapped_set(NULL, 0);
    int before = atoi(*state), after = open_descriptors();
    free(*state);
    bool has_child = waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD;
    if (before != after || has_child)
        (void)fprintf(stderr, "%d descriptors became %d; a child is left: %d\n", before, after,
                      (int)has_child);
    return before != after || has_child;
}

static void strike(const char *call, int after, int count, int errnum)
{
    wrapped_set(&(struct wrapped_fault){call, after, count, errnum, NULL, NULL}, 1);
}

/* ---- commands ---- */

static void run_must_say(const struct command *c)
{
    struct err e;
    OWNED(command_result_fini) struct command_result r = {0};
    assert_int_equal(command_run(c, &r, &e), 0);
    assert_true(r.started && !r.timed_out);
    assert_int_equal(r.exit_code, 0);
    assert_string_equal(buf_string(&r.out), "said\n");
}

static void test_command_each_call_fails(void **state)
{
    (void)state;
    static const char *const calls[] = {"open",        "pipe2", "fcntl",       "fork", "dup2",
                                        "close_range", "prctl", "sigprocmask", "chdir"};
    const struct command c = {.argv = say, .timeout_usec = long_usec};
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        int n = 0;
        for (;; n++) {
            struct err e = {0};
            OWNED(command_result_fini) struct command_result r = {0};
            strike(calls[k], n, 1, EIO);
            int code = command_run(&c, &r, &e);
            if (code == 0)
                break; /* so many of them there are not */
            assert_int_equal(code, -EIO);
            assert_string_equal(e.text, "can't start /bin/echo: Input/output error");
            assert_false(r.started);
            assert_true(n < STRIKES_MAX);
        }
        assert_true(n > 0);
    }
    wrapped_set(NULL, 0);
    run_must_say(&c);
}

static void test_command_goes_on(void **state)
{
    (void)state;
    static const struct wrapped_fault harmless[] = {
        {"read", 0, 1, EINTR, NULL, NULL}, {"read", 0, 1, EIO, NULL, NULL},
        {"read", 1, 1, EINTR, NULL, NULL}, {"read", 1, 1, EAGAIN, NULL, NULL},
        {"poll", 0, 2, EINTR, NULL, NULL}, {"waitid", 0, 1, EIO, NULL, NULL},
        {"waitid", 0, 1, 0, NULL, NULL},   {"pidfd_open", 0, 1, ENOSYS, NULL, NULL},
    };
    struct command c = {.argv = say, .timeout_usec = long_usec};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        wrapped_set(&harmless[i], 1);
        run_must_say(&c);
        assert_true(wrapped_hits() > 0);
    }
    wrapped_set(NULL, 0);
    c.timeout_usec = USEC_NEVER;
    run_must_say(&c);
}

/* Output that can't be read is lost, not waited for. */
static void test_command_output_is_lost(void **state)
{
    (void)state;
    struct err e;
    OWNED(command_result_fini) struct command_result r = {0};
    const struct command c = {.argv = say, .timeout_usec = long_usec};
    strike("read", 1, -1, EIO);
    assert_int_equal(command_run(&c, &r, &e), 0);
    assert_true(r.started && !r.timed_out);
    assert_string_equal(buf_string(&r.out), "");
}

/* Its parent had died before it asked to die with it: then it must not begin; and there may be
 * nobody to tell why not. */
static void test_command_ends_before_it_begins(void **state)
{
    (void)state;
    const struct command c = {.argv = say, .timeout_usec = long_usec};
    const struct wrapped_fault mute[] = {{"dup2", 0, 1, EIO, NULL, NULL},
                                         {"write", 0, 1, EIO, NULL, NULL}};
    struct err e;
    OWNED(command_result_fini) struct command_result orphan = {0}, dumb = {0};
    strike("getppid", 0, 1, EIO);
    assert_int_equal(command_run(&c, &orphan, &e), 0);
    assert_int_equal(orphan.exit_code, 127);
    assert_string_equal(buf_string(&orphan.out), "");
    wrapped_set(mute, 2);
    assert_int_equal(command_run(&c, &dumb, &e), 0);
    assert_int_equal(dumb.exit_code, 128);
}

static void test_command_late(void **state)
{
    (void)state;
    struct err e;
    OWNED(command_result_fini) struct command_result r = {0};
    const char *const sleeper[] = {"/bin/sleep", "600", NULL};
    const struct command c = {.argv = sleeper, .timeout_usec = 1};
    assert_int_equal(command_run(&c, &r, &e), 0);
    assert_true(r.timed_out);
    assert_int_equal(r.signal, SIGTERM);
}

static void not_called(void *context, const struct command_result *r)
{
    (void)context;
    (void)r;
    fail();
}

static void test_command_in_a_loop_fails(void **state)
{
    (void)state;
    static const struct {
        const char *call;
        int after;
    } cases[] = {{"sd_event_add_child", 0},
                 {"sd_event_add_time", 0},
                 {"sd_event_add_io", 0},
                 {"sd_event_add_io", 1},
                 {"pipe2", 0}};
    const char *const sleeper[] = {"/bin/sleep", "600", NULL};
    const struct command c = {.argv = sleeper, .timeout_usec = long_usec};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e;
        OWNED(loop_free) struct loop *l = NULL;
        assert_int_equal(loop_new(&l, &e), 0);
        struct running *r = NULL;
        strike(cases[i].call, cases[i].after, 1, EIO);
        assert_int_equal(command_start(l, &c, not_called, NULL, &r, &e), -EIO);
        assert_null(r);
        if (waitpid(-1, NULL, 0) < 0) /* the loop would have reaped what it was told of */
            assert_int_equal(errno, ECHILD);
    }
}

/* ---- programs and workers ---- */

static int end_of(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_program_each_call_fails(void **state)
{
    (void)state;
    static const char *const calls[] = {"prctl", "getppid", "open", "fcntl", "dup2", "close_range"};
    const char *const argv[] = {"/bin/true", NULL}, *const none[] = {NULL},
                      *const near[] = {"true", NULL};
    struct err e;
    pid_t pid = -1;
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        int n = 0;
        for (int code = 127; code != 0; n++) {
            strike(calls[k], n, 1, EIO);
            assert_int_equal(program_start(argv, 0, &pid, &e), 0);
            code = end_of(pid);
            assert_true(code == 127 || code == 0);
            assert_true(n < STRIKES_MAX);
        }
        assert_true(n > 1);
    }
    strike("fork", 0, 1, EAGAIN);
    assert_int_equal(program_start(argv, 0, &pid, &e), -EAGAIN);
    assert_int_equal(program_start(none, 0, &pid, &e), -EINVAL);
    assert_int_equal(program_start(near, 0, &pid, &e), -EINVAL);
}

/* How many descriptors above 2 the worker has. */
static int count_descriptors(void *context)
{
    (void)context;
    return open_descriptors() - 3;
}

static int worker_must_end(const struct worker_keeps *keeps)
{
    struct err e;
    pid_t pid = -1;
    assert_int_equal(worker_fork(keeps, count_descriptors, NULL, &pid, &e), 0);
    return end_of(pid);
}

static void test_worker_each_call_fails(void **state)
{
    (void)state;
    static const char *const calls[] = {"prctl", "getppid", "setsid"};
    struct worker_keeps keeps = {0};
    struct err e;
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        strike(calls[k], 0, 1, EPERM);
        assert_int_equal(worker_must_end(&keeps), EXIT_FAILURE);
    }
    strike("fork", 0, 1, EAGAIN);
    pid_t pid = -1;
    assert_int_equal(worker_fork(&keeps, count_descriptors, NULL, &pid, &e), -EAGAIN);
}

/* What it keeps and what not, also when it can't look. */
static void test_worker_descriptors(void **state)
{
    (void)state;
    char folder[] = "/tmp/planeguard-worker-XXXXXX";
    struct err e;
    OWNED(root_free) struct root *root = NULL;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(root_open(folder, &root, &e), 0);
    OWNED(free) char *path = mem_printf("%s/lock", folder);
    const int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const int fds[] = {open("/dev/null", O_RDWR | O_CLOEXEC)};
    const struct worker_keeps all = {fds, 1, root, "/lock"}, none = {0};
    assert_int_equal(worker_must_end(&none), 0);
    assert_int_equal(worker_must_end(&all), 2);
    strike("openat2", 0, -1, EIO);
    assert_int_equal(worker_must_end(&all), 1); /* a lock that can't be found isn't kept */
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 256;
    wrapped_set(NULL, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    strike("opendir", 0, 1, EMFILE);
    int kept = worker_must_end(&all);
    wrapped_set(NULL, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(kept, 2);
    assert_int_equal(close(lock), 0);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static int wait_for_ever(void *context)
{
    (void)context;
    for (;;)
        (void)pause();
    return 0;
}

static void test_worker_end(void **state)
{
    (void)state;
    const struct worker_keeps keeps = {0};
    struct err e;
    pid_t pid = -1;
    assert_int_equal(worker_fork(&keeps, wait_for_ever, NULL, &pid, &e), 0);
    strike("waitpid", 0, 1, EINTR);
    worker_end(pid);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(worker_fork(&keeps, wait_for_ever, NULL, &pid, &e), 0);
    strike("waitpid", 0, 1, ECHILD);
    worker_end(pid); /* somebody else has reaped it, as it seems: not waited for again */
    assert_int_equal(wrapped_hits(), 1);
    assert_int_equal(end_of(pid), -1);
}

static void test_worker_wait(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    uint64_t now = clock_boot_usec();
    assert_false(worker_wait(ends[0], false, now));
    assert_false(worker_wait(ends[0], false, now + USEC_PER_MSEC));
    assert_true(worker_wait(ends[1], true, now + long_usec));
    assert_true(worker_wait(ends[1], true, USEC_NEVER));
    strike("poll", 0, 1, EINTR);
    assert_true(worker_wait(ends[1], true, now + long_usec));
    strike("poll", 0, 1, EIO);
    assert_false(worker_wait(ends[1], true, now + long_usec));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* ---- detached processes: this program itself, started with a word ---- */

static int be_detached(const char *word)
{
    (void)alarm(600);
    if (!strcmp(word, "ends"))
        return 0;
    const char *says = !strcmp(word, "ready") ? DETACHED_READY : "not so\n";
    if (strcmp(word, "silent") != 0 && write(STDOUT_FILENO, says, strlen(says)) < 0)
        return 1;
    for (;;)
        (void)pause();
}

static int start(const char *word, uint64_t timeout_usec, struct detached **ret, struct err *e)
{
    const char *const argv[] = {"test", word, NULL};
    return detached_start(argv, timeout_usec, ret, e);
}

static void test_detached_each_call_fails(void **state)
{
    (void)state;
    static const char *const calls[] = {"pipe2", "fork",        "setsid", "open",
                                        "fcntl", "close_range", "dup2",   "chdir"};
    struct err e;
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        int n = 0;
        for (;; n++) {
            OWNED(detached_leave) struct detached *d = NULL;
            strike(calls[k], n, 1, EIO);
            int code = start("ready", long_usec, &d, &e);
            if (code == 0) {
                detached_end(TAKE(d));
                break;
            }
            /* ESRCH: it had said who it is, and init was quicker than we. */
            assert_true(code == -EIO || code == -EAGAIN || code == -EPIPE || code == -ESRCH);
            assert_null(d);
            assert_true(n < STRIKES_MAX);
        }
        assert_true(n > 0);
    }
    struct detached *d = NULL;
    strike("write", 0, 1, EIO);
    assert_int_equal(start("ready", long_usec, &d, &e), -EPIPE);
    assert_string_equal(e.text, "the detached process didn't start: Broken pipe");
    strike("read", 0, 1, EIO);
    assert_int_equal(start("ends", long_usec, &d, &e), -EIO);
    strike("pidfd_open", 0, 1, ESRCH);
    assert_int_equal(start("ends", long_usec, &d, &e), -ESRCH);
    assert_non_null(strstr(e.text, "is gone"));
    assert_null(d);
    detached_end(NULL);
    detached_leave(NULL);
}

static void test_detached_waits_on(void **state)
{
    (void)state;
    static const struct wrapped_fault harmless[] = {
        {"waitpid", 0, 1, EINTR, NULL, NULL},
        {"poll", 0, 3, EINTR, NULL, NULL},
        {"read", 0, 2, EINTR, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        struct err e;
        struct detached *d = NULL;
        wrapped_set(&harmless[i], 1);
        assert_int_equal(start("ready", long_usec, &d, &e), 0);
        assert_int_equal(wrapped_hits(), harmless[i].count);
        pid_t pid = detached_pid(d);
        assert_true(detached_is_alive(d));
        assert_int_equal(getpgid(pid) == getpgid(0), 0);
        detached_end(d);
        while (kill(pid, 0) == 0) /* until init has reaped it */
            clock_sleep(USEC_PER_MSEC);
    }
}

static void test_detached_is_not_ready(void **state)
{
    (void)state;
    struct err e;
    struct detached *d = NULL;
    assert_int_equal(start("ends", long_usec, &d, &e), -EPIPE);
    assert_int_equal(start("other", long_usec, &d, &e), -EPROTO);
    assert_string_equal(e.text, "the detached process never got ready: Protocol error");
    assert_int_equal(start("silent", 300 * USEC_PER_MSEC, &d, &e), -ETIMEDOUT);
    assert_null(d);
}

/* ---- the loop, the clock, /proc ---- */

static void no_signal(void *context)
{
    (void)context;
}

static void test_loop_each_call_fails(void **state)
{
    (void)state;
    struct err e;
    OWNED(loop_free) struct loop *l = NULL;
    for (int n = 0; n < 4; n++) {
        strike("sigprocmask", n, 1, EPERM);
        assert_int_equal(loop_new(&l, &e), -EPERM);
    }
    strike("sd_event_new", 0, 1, EMFILE);
    assert_int_equal(loop_new(&l, &e), -EMFILE);
    assert_null(l);
    assert_int_equal(loop_new(&l, &e), 0);
    assert_int_equal(loop_on_signal(l, 4711, no_signal, NULL, &e), -EINVAL);
    strike("sigprocmask", 0, 1, EPERM);
    assert_int_equal(loop_on_signal(l, SIGHUP, no_signal, NULL, &e), -EPERM);
    strike("sd_event_add_signal", 0, 1, EIO);
    assert_int_equal(loop_on_signal(l, SIGHUP, no_signal, NULL, &e), -EIO);
    assert_string_equal(e.text, "can't wait for a signal: Input/output error");
    strike("sd_event_set_watchdog", 0, 1, EIO);
    assert_int_equal(loop_serve_manager(l, &e), -EIO);
    strike("sd_notify", 0, 1, EIO);
    assert_int_equal(loop_serve_manager(l, &e), -EIO);
    strike("sd_event_loop", 0, 1, EIO);
    assert_int_equal(loop_run(l, &e), -EIO);
}

static void test_clock_each_call_fails(void **state)
{
    (void)state;
    char wall[WALL_TEXT], id[BOOT_ID_TEXT];
    strike("gmtime_r", 0, 1, EOVERFLOW);
    assert_memory_equal(clock_wall_text(wall), "1970-01-01T00:00:00.", 20);
    strike("sd_id128_get_boot", 0, 1, ENOENT);
    assert_string_equal(clock_boot_id(id), "00000000-0000-0000-0000-000000000000");
    uint64_t until = clock_boot_usec() + USEC_PER_MSEC;
    strike("clock_nanosleep", 0, 1, EINTR);
    clock_sleep(USEC_PER_MSEC);
    assert_true(clock_boot_usec() >= until);
    assert_int_equal(wrapped_hits(), 1);
}

static void test_proc_each_call_fails(void **state)
{
    (void)state;
    struct process p = {0};
    struct err e;
    struct process_watch *w = NULL;
    OWNED(loop_free) struct loop *l = NULL;
    assert_int_equal(loop_new(&l, &e), 0);
    const char *name = "test_wrapped_process";
    assert_int_equal(process_look("/proc", getpid(), &p, &e), 1);
    strike("fdopendir", 0, 1, EMFILE);
    assert_int_equal(process_find("/proc", name, &p, &e), -EMFILE);
    strike("readdir", 0, 1, EIO);
    assert_int_equal(process_find("/proc", name, &p, &e), -EIO);
    strike("read", 0, 1, EINTR);
    assert_int_equal(process_look("/proc", getpid(), &p, &e), 1);
    strike("read", 0, 1, EIO);
    assert_int_equal(process_look("/proc", getpid(), &p, &e), -EIO);
    strike("read", 0, 1, ESRCH); /* it ended after it was opened */
    assert_int_equal(process_look("/proc", getpid(), &p, &e), 0);
    strike("open", 0, 1, EMFILE);
    assert_int_equal(process_look("/proc", getpid(), &p, &e), -EMFILE);
    static const char *const calls[] = {"statfs", "pidfd_open", "sd_event_add_io"};
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        strike(calls[k], 0, 1, EIO);
        assert_int_equal(process_watch_new(l, "/proc", &p, no_signal, NULL, &w, &e), -EIO);
        assert_null(w);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return be_detached(argv[1]);
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        A_TEST(test_command_each_call_fails),
        A_TEST(test_command_goes_on),
        A_TEST(test_command_output_is_lost),
        A_TEST(test_command_ends_before_it_begins),
        A_TEST(test_command_late),
        A_TEST(test_command_in_a_loop_fails),
        A_TEST(test_program_each_call_fails),
        A_TEST(test_worker_each_call_fails),
        A_TEST(test_worker_descriptors),
        A_TEST(test_worker_end),
        A_TEST(test_worker_wait),
        A_TEST(test_detached_each_call_fails),
        A_TEST(test_detached_waits_on),
        A_TEST(test_detached_is_not_ready),
        A_TEST(test_loop_each_call_fails),
        A_TEST(test_clock_each_call_fails),
        A_TEST(test_proc_each_call_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
