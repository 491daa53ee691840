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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/duration.h"
#include "loop/clock.h"
#include "loop/command.h"

/* The test's scripts run in a shell; planeguard's own commands never do. */
#define SHELL(script) ((const char *const[]){"/bin/sh", "-c", (script), NULL})

struct waiting {
    struct loop *loop;
    struct running *running;
    int calls;
    struct command_result result; /* a copy, with the bytes taken over */
};

static struct buf copy(const struct buf *b)
{
    struct buf c = {.truncated = b->truncated};
    buf_add(&c, b->bytes, b->length);
    return c;
}

static void on_done(void *context, const struct command_result *r)
{
    struct waiting *w = context;
    w->calls++;
    w->result = *r;
    w->result.out = copy(&r->out);
    w->result.err = copy(&r->err);
    running_free(TAKE(w->running)); /* as owners do */
    loop_stop(w->loop, 0);
}

static int run_in_loop(const struct command *c, struct command_result *ret, struct err *e)
{
    OWNED(loop_free) struct loop *l = NULL;
    assert_int_equal(loop_new(&l, e), 0);
    struct waiting w = {.loop = l};
    int r = command_start(l, c, on_done, &w, &w.running, e);
    if (r < 0)
        return r;
    assert_int_equal(w.calls, 0);
    assert_int_equal(loop_run(l, e), 0);
    assert_int_equal(w.calls, 1);
    *ret = w.result;
    return 0;
}

typedef int run_fn(const struct command *c, struct command_result *ret, struct err *e);
static run_fn *const ways[] = {command_run, run_in_loop};
enum { WAYS = 2 };

static void results_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int exit_code, signal;
        const char *out, *err;
    } cases[] = {
        {"exit 0", 0, 0, "", ""},
        {"echo out; echo err >&2; exit 3", 3, 0, "out\n", "err\n"},
        {"kill -9 $$", -1, SIGKILL, "", ""},
        {"cat; echo end", 0, 0, "end\n", ""}, /* standard input is empty */
        {"pwd", 0, 0, "/\n", ""},
        {"umask", 0, 0, "0022\n", ""},
        {"env | grep -v '^_=\\|^PWD=\\|^SHLVL=\\|^OLDPWD=' | sort", 0, 0,
         "HOME=/\nLANG=C.UTF-8\n"
         "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
         ""},
        /* Only 0-2, and the one that ls opens for the folder. */
        {"exec ls /proc/self/fd", 0, 0, "0\n1\n2\n3\n", ""},
        /* But 32 and 33, which the C library keeps for itself (signal(7)) and lets nobody reset. */
        {"for k in Blk Ign; do v=$(sed -n \"s/^Sig$k:[[:space:]]*//p\" /proc/self/status);"
         " echo $((0x$v & ~0x180000000)); done",
         0, 0, "0\n0\n", ""},
    };
    int stray = open("/dev/null", O_RDONLY); /* not close-on-exec, on purpose */
    assert_true(stray >= 0);
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t way = 0; way < WAYS; way++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct command c = {.argv = SHELL(cases[i].script), .timeout_usec = 10 * USEC_PER_SEC};
            OWNED(command_result_fini) struct command_result r = {0};
            struct err e;
            assert_int_equal(ways[way](&c, &r, &e), 0);
            assert_true(r.started && !r.timed_out);
            assert_int_equal(r.exit_code, cases[i].exit_code);
            assert_int_equal(r.signal, cases[i].signal);
            assert_string_equal(buf_string(&r.out), cases[i].out);
            assert_string_equal(buf_string(&r.err), cases[i].err);
        }
    (void)signal(SIGPIPE, SIG_DFL);
    (void)close(stray);
}

static void bad_commands_are_refused(void **state)
{
    (void)state;
    static const char *const none[] = {NULL}, *const relative[] = {"true", NULL},
                             *const absent[] = {"/nonexistent/tool", NULL},
                             *const folder[] = {"/tmp", NULL};
    static const struct {
        const char *const *argv;
        uint64_t timeout_usec;
        int code;
    } cases[] = {
        {none, USEC_PER_SEC, -EINVAL},   {relative, USEC_PER_SEC, -EINVAL},
        {NULL, USEC_PER_SEC, -EINVAL},   {absent, 0, -EINVAL},
        {absent, USEC_PER_SEC, -ENOENT}, {folder, USEC_PER_SEC, -EACCES},
    };
    for (size_t way = 0; way < WAYS; way++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct command c = {.argv = cases[i].argv, .timeout_usec = cases[i].timeout_usec};
            struct command_result r = {0};
            struct err e = {0};
            assert_int_equal(ways[way](&c, &r, &e), cases[i].code);
            assert_false(r.started);
            assert_true(strlen(e.text) > 0);
        }
}

static void output_is_bounded(void **state)
{
    (void)state;
    static const struct {
        size_t limit;
        const char *script, *out;
        bool truncated;
    } cases[] = {
        {10, "printf 0123456789", "0123456789", false},
        {10, "printf 0123456789abcdef", "01234\n... 6 bytes left out ...\nbcdef", true},
        {9, "printf 0123456789", "0123\n... 1 bytes left out ...\n56789", true},
        {4, "for i in 1 2 3 4 5; do printf $i; sleep 0.01; done",
         "12\n... 1 bytes left out ...\n45", true},
    };
    for (size_t way = 0; way < WAYS; way++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct command c = {.argv = SHELL(cases[i].script),
                                .timeout_usec = 10 * USEC_PER_SEC,
                                .output_limit_bytes = cases[i].limit};
            OWNED(command_result_fini) struct command_result r = {0};
            struct err e;
            assert_int_equal(ways[way](&c, &r, &e), 0);
            assert_string_equal(buf_string(&r.out), cases[i].out);
            assert_int_equal(r.out.truncated, cases[i].truncated);
        }
}

/* 4 MB through the default bound, on both streams at once. */
static void much_output_is_no_trouble(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        struct command c = {
            .argv = SHELL("head -c 4000000 /dev/zero >&2 & head -c 4000000 /dev/zero; wait"),
            .timeout_usec = 30 * USEC_PER_SEC};
        OWNED(command_result_fini) struct command_result r = {0};
        struct err e;
        assert_int_equal(ways[way](&c, &r, &e), 0);
        assert_int_equal(r.exit_code, 0);
        assert_true(r.out.length < 64 * 1024 + 64 && r.out.truncated);
        assert_true(r.err.length < 64 * 1024 + 64 && r.err.truncated);
        assert_non_null(memmem(r.out.bytes, r.out.length, "3934464 bytes left out", 22));
    }
}

static void overdue_commands_end(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int exit_code, signal;
        uint64_t least_usec, most_usec;
    } cases[] = {
        {"exec sleep 60", -1, SIGTERM, 100000, 1500000},
        {"trap 'exit 5' TERM; sleep 60 & wait", 5, 0, 100000, 1500000},
        {"trap '' TERM; while :; do sleep 0.1; done", -1, SIGKILL, 2100000, 3500000},
    };
    for (size_t way = 0; way < WAYS; way++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct command c = {.argv = SHELL(cases[i].script),
                                .timeout_usec = 100 * USEC_PER_MSEC};
            OWNED(command_result_fini) struct command_result r = {0};
            struct err e;
            uint64_t began = clock_boot_usec();
            assert_int_equal(ways[way](&c, &r, &e), 0);
            uint64_t took = clock_boot_usec() - began;
            assert_true(r.started && r.timed_out);
            assert_int_equal(r.exit_code, cases[i].exit_code);
            assert_int_equal(r.signal, cases[i].signal);
            assert_true(took >= cases[i].least_usec && took < cases[i].most_usec);
        }
}

/* The processes that a command left behind after its time are killed with it. */
static void whole_group_is_killed(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        struct command c = {.argv = SHELL("trap 'exit 0' TERM; (trap '' TERM; echo $(exec sh -c "
                                          "'echo $PPID'); exec >&- 2>&-; sleep 60) & wait"),
                            .timeout_usec = 200 * USEC_PER_MSEC};
        OWNED(command_result_fini) struct command_result r = {0};
        struct err e;
        assert_int_equal(ways[way](&c, &r, &e), 0);
        pid_t left = (pid_t)atoi(buf_string(&r.out));
        assert_true(left > 1);
        bool gone = false;
        for (int i = 0; i < 200 && !gone; i++) {
            char path[64], text[256] = "";
            (void)snprintf(path, sizeof path, "/proc/%d/stat", left);
            FILE *f = fopen(path, "re");
            gone = !f || !fgets(text, sizeof text, f) || strstr(text, ") Z ");
            if (f)
                (void)fclose(f);
            clock_sleep(5 * USEC_PER_MSEC);
        }
        assert_true(gone);
    }
}

static void held_pipes_are_not_waited_for(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAYS; way++) {
        struct command c = {.argv = SHELL("echo early; sleep 4 & exit 0"),
                            .timeout_usec = 20 * USEC_PER_SEC};
        OWNED(command_result_fini) struct command_result r = {0};
        struct err e;
        uint64_t began = clock_boot_usec();
        assert_int_equal(ways[way](&c, &r, &e), 0);
        uint64_t took = clock_boot_usec() - began;
        assert_true(took >= 900 * USEC_PER_MSEC && took < 2 * USEC_PER_SEC);
        assert_true(r.took_usec < 900 * USEC_PER_MSEC); /* the command's own time */
        assert_false(r.timed_out);
        assert_string_equal(buf_string(&r.out), "early\n");
    }
}

static void stop(void *context)
{
    loop_stop(context, 0);
}

static void freeing_kills_and_reaps(void **state)
{
    (void)state;
    OWNED(loop_free) struct loop *l = NULL;
    OWNED(timer_free) struct timer *t = NULL;
    struct err e;
    assert_int_equal(loop_new(&l, &e), 0);
    struct waiting w = {.loop = l};
    struct command c = {.argv = SHELL("exec sleep 60"), .timeout_usec = 30 * USEC_PER_SEC};
    assert_int_equal(command_start(l, &c, on_done, &w, &w.running, &e), 0);
    running_free(w.running);
    assert_int_equal(timer_new(l, stop, l, &t, &e), 0);
    timer_set(t, clock_boot_usec() + 100 * USEC_PER_MSEC, 0);
    assert_int_equal(loop_run(l, &e), 0);
    assert_int_equal(w.calls, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing left, no zombie */
    assert_int_equal(errno, ECHILD);
}

/* A process of ours that is killed takes its command with it. */
static void command_dies_with_us(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork();
    if (parent == 0) {
        char script[64];
        (void)snprintf(script, sizeof script, "exec sleep 60 >/proc/%d/fd/%d", getpid(), ends[1]);
        struct command c = {.argv = SHELL(script), .timeout_usec = 60 * USEC_PER_SEC};
        struct command_result r;
        struct err e;
        (void)command_run(&c, &r, &e);
        _exit(0);
    }
    (void)close(ends[1]);
    clock_sleep(200 * USEC_PER_MSEC);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    char byte;
    (void)alarm(10);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* its last writer, the sleep, is gone */
    (void)alarm(0);
    (void)close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_told),
        cmocka_unit_test(bad_commands_are_refused),
        cmocka_unit_test(output_is_bounded),
        cmocka_unit_test(much_output_is_no_trouble),
        cmocka_unit_test(overdue_commands_end),
        cmocka_unit_test(whole_group_is_killed),
        cmocka_unit_test(held_pipes_are_not_waited_for),
        cmocka_unit_test(freeing_kills_and_reaps),
        cmocka_unit_test(command_dies_with_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
