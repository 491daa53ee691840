/* loop/proc.h over a folder made like /proc, and over the kernel's own. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "loop/proc.h"

static char proc[64];

static void put(const char *pid, const char *name, const char *bytes, size_t length)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", proc, pid);
    (void)mkdir(path, 0755);
    (void)snprintf(path, sizeof path, "%s/%s/%s", proc, pid, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

static void put_process(const char *pid, const char *argv0, char state, unsigned start)
{
    char text[512];
    int n = snprintf(text, sizeof text,
                     "%s (a) b) (c) %c 1 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %u 100 200\n",
                     pid, state, start);
    put(pid, "stat", text, (size_t)n);
    n = snprintf(text, sizeof text, "%s%c--flag=/x/other%c", argv0, 0, 0);
    put(pid, "cmdline", text, (size_t)n);
}

static int setup(void **state)
{
    (void)state;
    strcpy(proc, "/tmp/planeguard-proc-XXXXXX");
    return mkdtemp(proc) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", proc);
    return system(command);
}

static void test_find(void **state)
{
    (void)state;
    struct process p = {.pid = -7};
    struct err e = {""};
    assert_int_equal(process_find(proc, "etcd", &p, &e), 0);
    assert_int_equal(p.pid, -7);
    put_process("30", "/usr/local/bin/etcd", 'S', 700);
    put_process("20", "etcd", 'R', 800);
    put_process("10", "etcd", 'Z', 1);
    put_process("11", "etcdctl", 'S', 2);
    put_process("12", "/opt/etcd/other", 'S', 3);
    put_process("self", "etcd", 'S', 4);
    put_process("007", "etcd", 'S', 5);
    put_process("99999999999999999999", "etcd", 'S', 6);
    put("13", "cmdline", "", 0);
    put("14", "cmdline", "etcd", 4);
    put("14", "stat", "14 etcd S", 9);
    assert_int_equal(process_find(proc, "etcd", &p, &e), 1);
    assert_int_equal(p.pid, 30);
    assert_int_equal(p.start_ticks, 700);
    assert_int_equal(p.state, 'S');
    assert_int_equal(process_find(proc, "other", &p, &e), 1);
    /* The oldest, in whatever order they are listed. */
    for (int pid = 100; pid < 140; pid++) {
        char entry[16];
        (void)snprintf(entry, sizeof entry, "%d", pid);
        put_process(entry, "many", 'S', 1000 + (unsigned)pid * 7 % 41);
    }
    assert_int_equal(process_find(proc, "many", &p, &e), 1);
    assert_int_equal(p.start_ticks, 1000);
    assert_int_equal(p.pid * 7 % 41, 0);
    assert_int_equal(process_find("/nonexistent/proc", "etcd", &p, &e), -ENOENT);
    assert_string_equal(e.text, "/nonexistent/proc: can't be opened: No such file or directory");
}

static void test_is(void **state)
{
    (void)state;
    struct process p;
    struct err e = {""};
    put_process("30", "etcd", 'S', 700);
    assert_int_equal(process_look(proc, 30, &p, &e), 1);
    assert_true(process_is(proc, &p));
    put_process("30", "etcd", 'S', 701);
    assert_false(process_is(proc, &p));
    for (const char *dead = "ZXx"; *dead; dead++) {
        put_process("30", "etcd", *dead, 700);
        assert_false(process_is(proc, &p));
    }
    assert_int_equal(process_look(proc, 30, &p, &e), 0);
    assert_int_equal(process_look(proc, 31, &p, &e), 0);
    static const char *const odd[] = {"", ")", "30 (x) S", "30 (x) S 1 2 3",
                                      "30 (x) S 1 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 x"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        put("30", "stat", odd[i], strlen(odd[i]));
        assert_int_equal(process_look(proc, 30, &p, &e), -EBADMSG);
        assert_false(process_is(proc, &p));
    }
}

static void test_host(void **state)
{
    (void)state;
    struct process p;
    assert_int_equal(process_look("/proc", getpid(), &p, NULL), 1);
    assert_true(process_is("/proc", &p));
    assert_int_equal(process_find("/proc", "test_proc", &p, NULL), 1);
}

static void on_gone(void *context)
{
    loop_stop(context, 42);
}

static void on_late(void *context)
{
    loop_stop(context, 1);
}

static void test_watch(void **state)
{
    (void)state;
    struct err e = {""};
    OWNED(loop_free) struct loop *l = NULL;
    assert_int_equal(loop_new(&l, &e), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
        _exit(0);
    }
    struct process p;
    assert_int_equal(process_look("/proc", pid, &p, &e), 1);
    OWNED(process_watch_free) struct process_watch *w = NULL;
    OWNED(process_watch_free) struct process_watch *none = NULL;
    OWNED(timer_free) struct timer *t = NULL;
    assert_int_equal(process_watch_new(l, "/proc", &p, on_gone, l, &w, &e), 0);
    struct process made = {.pid = 30, .start_ticks = 700};
    assert_int_equal(process_watch_new(l, proc, &made, on_gone, l, &none, &e), -ESRCH);
    put_process("30", "etcd", 'S', 700);
    assert_int_equal(process_watch_new(l, proc, &made, on_gone, l, &none, &e), -ENOTSUP);
    assert_int_equal(timer_new(l, on_late, l, &t, &e), 0);
    timer_set(t, loop_now_usec(l) + 5000000, 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(loop_run(l, &e), 42);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(process_watch_new(l, "/proc", &p, on_gone, l, &none, &e), -ESRCH);
    struct process other = {.pid = getpid(), .start_ticks = 1};
    assert_int_equal(process_watch_new(l, "/proc", &other, on_gone, l, &none, &e), -ESRCH);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_find, setup, teardown),
        cmocka_unit_test_setup_teardown(test_is, setup, teardown),
        cmocka_unit_test(test_host),
        cmocka_unit_test_setup_teardown(test_watch, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
