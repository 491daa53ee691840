/* Probe kind `container`, over a crictl that says what files say, and observe/attempts.h. */
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

#include "base/buf.h"
#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "observe/attempts.h"
#include "observe/kinds.h"
#include "probe_case.h"

static const char *prefix[1];
static char tool[128];

/* It notes its calls and answers from /run below the root. */
static int setup(void **state)
{
    int code = probe_case_setup(state);
    struct probe_case *c = *state;
    OWNED(buf_fini) struct buf script = {0};
    buf_printf(&script,
               "#!/bin/sh\necho \"$*\" >>%s/run/calls\n"
               "case $1 in\nps) cat %s/run/ps;;\ninspect) cat %s/run/inspect-$4;;\nesac\n",
               c->path, c->path, c->path);
    probe_case_put(c, "/usr/bin/crictl", script.bytes, script.length);
    probe_case_put_text(c, "/run/calls", "");
    (void)snprintf(tool, sizeof tool, "%s", probe_case_host(c, "/usr/bin/crictl"));
    prefix[0] = tool;
    c->node.crictl = (struct strings){prefix, 1};
    return code < 0 ? code : chmod(tool, 0755);
}

static unsigned calls(struct probe_case *c)
{
    unsigned n = 0;
    FILE *f = fopen(probe_case_host(c, "/run/calls"), "r");
    assert_non_null(f);
    for (int ch; (ch = getc(f)) != EOF;)
        n += ch == '\n';
    (void)fclose(f);
    return n;
}

static void start(struct probe_case *c, const char *yaml)
{
    struct err e = {""};
    int code = probe_case_start(c, &probe_container, yaml, &e);
    assert_string_equal(e.text, "");
    assert_int_equal(code, 0);
}

struct fake {
    const char *id, *state, *uid;
    int attempt;
    int64_t age_sec;
};

static void put_list(struct probe_case *c, const struct fake *at, size_t count)
{
    OWNED(buf_fini) struct buf b = {0};
    buf_text(&b, "{\"containers\": [");
    for (size_t i = 0; i < count; i++)
        buf_printf(&b,
                   "%s{\"id\": \"%s\", \"metadata\": {\"name\": \"etcd\", \"attempt\": %d}, "
                   "\"state\": \"CONTAINER_%s\", \"createdAt\": \"%lld\", \"labels\": "
                   "{\"io.kubernetes.pod.name\": \"etcd-m1\", \"io.kubernetes.pod.namespace\": "
                   "\"kube-system\", \"io.kubernetes.pod.uid\": \"%s\"}}",
                   i ? "," : "", at[i].id, at[i].attempt, at[i].state,
                   (long long)((clock_wall_usec() - at[i].age_sec * 1000000) * 1000),
                   at[i].uid ? at[i].uid : "u1");
    buf_text(&b, "]}\n");
    probe_case_put(c, "/run/ps", b.bytes, b.length);
}

#define LIST(c, ...)                                                                               \
    put_list(c, (const struct fake[]){__VA_ARGS__},                                                \
             sizeof((const struct fake[]){__VA_ARGS__}) / sizeof(struct fake))

static void put_detail(struct probe_case *c, const char *id, int code, const char *reason,
                       const char *log, const char *message, int pid)
{
    OWNED(buf_fini) struct buf b = {0};
    OWNED(free) char *path = mem_printf("/run/inspect-%s", id);
    buf_printf(&b,
               "{\"status\": {\"exitCode\": %d, \"reason\": \"%s\", \"logPath\": \"%s\", "
               "\"message\": \"%s\"}, \"info\": {\"pid\": %d}}",
               code, reason, log, message, pid);
    probe_case_put(c, path, b.bytes, b.length);
}

static long long number(struct probe_case *c, const char *key)
{
    return json_get_int(c->facts, key, -999);
}

#define LOGS "/var/log/pods/kube-system_etcd-m1_u1/etcd"
#define LINE(text) "2026-11-21T04:31:41.1Z stderr F " text "\n"

static void test_processes(void **state)
{
    struct probe_case *c = *state;
    c->node.crictl.count = 0;
    start(c, "{name: etcd}");
    probe_case_expect(c, SIGNAL_UNKNOWN, "not-named");
    probe_case_put_text(c, "/proc/version", "");
    c->node.proc = probe_case_host(c, "/proc");
    probe_case_expect(c, SIGNAL_FAIL, "absent");
    probe_case_put_text(c, "/proc/9/stat",
                        "9 (etcd) S 1 2 3 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 77 1\n");
    probe_case_put(c, "/proc/9/cmdline", "/usr/bin/etcd\0-x", 16);
    c->node.proc = probe_case_host(c, "/proc");
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_string_equal(probe_case_fact(c, "by"), "proc");
    c->node.proc = "/nonexistent";
    probe_case_expect(c, SIGNAL_UNKNOWN, "tool-failed");
}

static void test_states(void **state)
{
    struct probe_case *c = *state;
    start(c, "{name: etcd}");
    probe_case_put_text(c, "/run/ps", "{\"containers\": []}");
    probe_case_expect(c, SIGNAL_FAIL, "absent");
    LIST(c, {"aa", "CREATED", NULL, 0, 0});
    probe_case_expect(c, SIGNAL_FAIL, "starting");
    LIST(c, {"aa", "UNKNOWN", NULL, 0, 0});
    probe_case_expect(c, SIGNAL_UNKNOWN, "tool-failed");
    LIST(c, {"aa", "RUNNING", NULL, 0, 0});
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_string_equal(probe_case_fact(c, "id"), "aa");
    assert_string_equal(probe_case_fact(c, "by"), "cri");
    assert_string_equal(probe_case_fact(c, "state"), "running");
    assert_int_equal(number(c, "attempt"), 0);
    /* No process source: nobody asks for the pid. */
    assert_int_equal(calls(c), 4);
}

static void test_tool(void **state)
{
    struct probe_case *c = *state;
    start(c, "{name: etcd}");
    probe_case_expect(c, SIGNAL_UNKNOWN, "tool-failed"); /* cat finds no file */
    assert_non_null(strstr(c->detail, "crictl ps"));
    probe_case_put_text(c, "/run/ps", "time=now level=fatal\n");
    probe_case_expect(c, SIGNAL_UNKNOWN, "tool-failed");
    probe_case_put_text(c, "/usr/bin/crictl", "#!/bin/sh\nexec sleep 60\n");
    c->probe.timeout_usec = 200000;
    probe_case_expect(c, SIGNAL_UNKNOWN, "tool-failed");
    assert_non_null(strstr(c->detail, "did not end in time"));
    prefix[0] = "/nonexistent/crictl";
    probe_case_expect(c, SIGNAL_UNKNOWN, "tool-failed");
    /* A look that is cancelled reports nothing. */
    prefix[0] = tool;
    unsigned before = c->readings;
    c->probe.looking = true;
    probe_container.look(&c->probe);
    probe_container.cancel(&c->probe);
    c->probe.looking = false;
    probe_case_wait_wake(c, 300000);
    assert_int_equal(c->readings, before);
}

static void test_exited(void **state)
{
    struct probe_case *c = *state;
    start(c, "{name: etcd}");
    LIST(c, {"aa", "EXITED", NULL, 0, 5});
    probe_case_expect(c, SIGNAL_FAIL, "exited"); /* nobody knows how */
    assert_int_equal(number(c, "exitCode"), -999);
    assert_string_equal(probe_case_fact(c, "lastWords"), "none");
    put_detail(c, "aa", 1, "Error", LOGS "/0.log", "", 0);
    probe_case_put_text(c, LOGS "/0.log", LINE("Error: unknown flag: --x\x1b[0m"));
    probe_case_expect(c, SIGNAL_FAIL, "exited");
    assert_int_equal(number(c, "exitCode"), 1);
    assert_string_equal(probe_case_fact(c, "exitReason"), "Error");
    assert_string_equal(probe_case_fact(c, "lastWords"), "bad-flag");
    assert_string_equal(c->detail, "etcd, attempt 0, is exited; last words: Error: unknown flag: "
                                   "--x?[0m");
    /* Its end is known: only the list is asked for. */
    unsigned before = calls(c);
    probe_case_expect(c, SIGNAL_FAIL, "exited");
    assert_int_equal(calls(c), before + 1);
    assert_int_equal(number(c, "exitCode"), 1);
    /* An old container's count of attempts is no crash loop. */
    start(c, "{name: etcd}");
    LIST(c, {"aa", "EXITED", NULL, 7, 86400});
    probe_case_expect(c, SIGNAL_FAIL, "exited");
}

static void test_logs(void **state)
{
    struct probe_case *c = *state;
    static const char bad[] = LINE("Error: unknown flag: --x");
    static const struct {
        const char *hint, *path, *word;
    } cases[] = {
        {LOGS "/0.log", LOGS "/0.log", "bad-flag"},
        {"", LOGS "/0.log", "bad-flag"},
        {"", LOGS "/3.log", "none"},
        {"/etc/shadow", "/etc/shadow", "none"},
        {"/var/log/pods/../../../etc/shadow", "/etc/shadow", "none"},
        {"/var/log/podsx/0.log", "/var/log/podsx/0.log", "none"},
        {"/var/log/pods/elsewhere/0.log", "/var/log/pods/elsewhere/0.log", "bad-flag"},
        {"", LOGS "/x.log", "none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        start(c, "{name: etcd}");
        LIST(c, {"aa", "EXITED", NULL, 0, 5});
        put_detail(c, "aa", 1, "Error", cases[i].hint, "", 0);
        probe_case_put_text(c, cases[i].path, bad);
        probe_case_expect(c, SIGNAL_FAIL, "exited");
        assert_string_equal(probe_case_fact(c, "lastWords"), cases[i].word);
        probe_case_remove(c, cases[i].path);
    }
    /* Who may write the folder can't have us read what lies elsewhere. */
    probe_case_put_text(c, "/etc/shadow", bad);
    assert_int_equal(symlink("/etc/shadow", probe_case_host(c, LOGS "/0.log")), 0);
    start(c, "{name: etcd}");
    put_detail(c, "aa", 1, "Error", LOGS "/0.log", "", 0);
    probe_case_expect(c, SIGNAL_FAIL, "exited");
    assert_string_equal(probe_case_fact(c, "lastWords"), "none");
    assert_null(strstr(c->detail, "unknown flag"));
    probe_case_remove(c, LOGS "/0.log");
    /* Only the end of a long one. */
    OWNED(buf_fini) struct buf b = {0};
    while (b.length < 1 << 20)
        buf_text(&b, LINE("I1121 nothing of interest"));
    buf_text(&b, LINE("listen tcp :2380: bind: address already in use"));
    probe_case_put(c, LOGS "/0.log", b.bytes, b.length);
    start(c, "{name: etcd}");
    probe_case_expect(c, SIGNAL_FAIL, "exited");
    assert_string_equal(probe_case_fact(c, "lastWords"), "address-in-use");
}

static void test_loop(void **state)
{
    struct probe_case *c = *state;
    start(c, "{name: etcd, stableAfter: 400ms}");
    put_detail(c, "a0", 1, "Error", "", "", 0);
    put_detail(c, "a1", 1, "Error", "", "", 0);
    put_detail(c, "a2", 2, "Error", "", "", 0);
    LIST(c, {"a0", "EXITED", NULL, 0, 5});
    probe_case_expect(c, SIGNAL_FAIL, "exited");
    LIST(c, {"a1", "RUNNING", NULL, 1, 0}, {"a0", "EXITED", NULL, 0, 5});
    probe_case_expect(c, SIGNAL_PASS, "none");
    LIST(c, {"a1", "EXITED", NULL, 1, 1}, {"a0", "EXITED", NULL, 0, 6});
    probe_case_expect(c, SIGNAL_FAIL, "crash-loop");
    assert_string_equal(probe_case_fact(c, "id"), "a1");
    /* Running again is not well yet; what the last one died of is told. */
    probe_case_put_text(c, LOGS "/2.log", LINE("invalid value \"x\" for flag -y: z"));
    LIST(c, {"a3", "RUNNING", NULL, 3, 0}, {"a2", "EXITED", NULL, 2, 1});
    probe_case_expect(c, SIGNAL_FAIL, "bad-manifest");
    assert_string_equal(probe_case_fact(c, "id"), "a3");
    assert_string_equal(probe_case_fact(c, "state"), "running");
    assert_int_equal(number(c, "exitCode"), 2);
    assert_string_equal(probe_case_fact(c, "lastWords"), "bad-value");
    usleep(450000);
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_string_equal(probe_case_fact(c, "lastWords"), "");
    LIST(c, {"a3", "EXITED", NULL, 3, 1});
    probe_case_expect(c, SIGNAL_FAIL, "crash-loop");
    assert_string_equal(probe_case_fact(c, "lastWords"), "none"); /* it has no log of its own */
    probe_case_remove(c, LOGS "/2.log");
    /* Another spec begins anew, and nothing of the old one's end is said of it. */
    LIST(c, {"b0", "RUNNING", "u2", 0, 0}, {"a3", "EXITED", NULL, 3, 5});
    probe_case_expect(c, SIGNAL_PASS, "none");
    LIST(c, {"b0", "EXITED", "u2", 0, 0}, {"a3", "EXITED", NULL, 3, 5});
    probe_case_expect(c, SIGNAL_FAIL, "exited");
    assert_int_equal(number(c, "exitCode"), -999);
}

static void test_first_look(void **state)
{
    struct probe_case *c = *state;
    LIST(c, {"a4", "EXITED", NULL, 4, 60});
    put_detail(c, "a4", 128, "StartError", "",
               "runc create failed: exec: \\\"nope\\\": executable file not found in $PATH", 0);
    start(c, "{name: etcd}");
    probe_case_expect(c, SIGNAL_FAIL, "bad-manifest");
    assert_string_equal(probe_case_fact(c, "lastWords"), "bad-command");
    assert_string_equal(probe_case_fact(c, "exitReason"), "StartError");
    start(c, "{name: etcd, recent: 30s}");
    probe_case_expect(c, SIGNAL_FAIL, "exited");
    start(c, "{name: etcd, crashAfter: 3}");
    probe_case_expect(c, SIGNAL_FAIL, "exited");
    /* The wall clock was set: the age is unknown. */
    LIST(c, {"a4", "EXITED", NULL, 4, -86400});
    start(c, "{name: etcd}");
    probe_case_expect(c, SIGNAL_FAIL, "exited");
    LIST(c, {"a4", "RUNNING", NULL, 900, 86400 * 300});
    start(c, "{name: etcd}");
    probe_case_expect(c, SIGNAL_PASS, "none");
}

static pid_t sleeper(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
        _exit(0);
    }
    return pid;
}

static void test_known_process(void **state)
{
    struct probe_case *c = *state;
    c->node.proc = "/proc";
    pid_t pid = sleeper();
    put_detail(c, "aa", 0, "", "", "", pid);
    LIST(c, {"aa", "RUNNING", NULL, 0, 60});
    start(c, "{name: etcd}");
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_int_equal(calls(c), 2);
    OWNED(json_decref) json_t *facts = json_deep_copy(c->facts);
    for (int i = 0; i < 3; i++) {
        probe_case_expect(c, SIGNAL_PASS, "none");
        assert_true(json_equal(facts, c->facts));
    }
    assert_int_equal(calls(c), 2);
    /* The kernel tells of its end, before the runtime does. */
    unsigned wakes = c->wakes;
    assert_int_equal(kill(pid, SIGKILL), 0);
    probe_case_wait_wake(c, 5000000);
    assert_int_equal(c->wakes, wakes + 1);
    probe_case_expect(c, SIGNAL_FAIL, "exited");
    assert_string_equal(probe_case_fact(c, "by"), "proc");
    assert_string_equal(probe_case_fact(c, "id"), "aa");
    assert_int_equal(calls(c), 2);
    assert_int_equal(c->wakes, wakes + 2);
    probe_case_expect(c, SIGNAL_FAIL, "exited"); /* though CRI still has it running */
    assert_string_equal(probe_case_fact(c, "by"), "cri");
    LIST(c, {"aa", "EXITED", NULL, 0, 60});
    put_detail(c, "aa", 137, "Error", "", "", 0);
    probe_case_expect(c, SIGNAL_FAIL, "exited");
    assert_int_equal(number(c, "exitCode"), 137);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    /* And the next one. */
    pid = sleeper();
    put_detail(c, "bb", 0, "", "", "", pid);
    LIST(c, {"bb", "RUNNING", NULL, 1, 0}, {"aa", "EXITED", NULL, 0, 60});
    probe_case_expect(c, SIGNAL_PASS, "none");
    unsigned before = calls(c);
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_int_equal(calls(c), before);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    probe_case_expect(c, SIGNAL_FAIL, "crash-loop");
    assert_string_equal(probe_case_fact(c, "by"), "proc");
}

static void test_unknown_process(void **state)
{
    struct probe_case *c = *state;
    c->node.proc = "/proc";
    LIST(c, {"aa", "RUNNING", NULL, 0, 60});
    start(c, "{name: etcd}");
    probe_case_expect(c, SIGNAL_PASS, "none"); /* nothing to inspect: asked again */
    put_detail(c, "aa", 0, "", "", "", 999999999);
    probe_case_expect(c, SIGNAL_PASS, "none");
    put_detail(c, "aa", 0, "", "", "", 0);
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_int_equal(calls(c), 6);
    probe_case_expect(c, SIGNAL_PASS, "none"); /* the runtime has no pid to tell */
    assert_int_equal(calls(c), 7);
}

static void test_arguments(void **state)
{
    static const char *const odd[] = {"{}", "{name: -f}", "{name: etcd, crashAfter: 0}",
                                      "{name: etcd, recent: 0}", "{name: etcd, x: y}"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct err e;
        assert_true(probe_case_start(*state, &probe_container, odd[i], &e) < 0);
    }
}

/* --- attempts */

static void see(struct attempts *a, const char *id, int64_t attempt, enum container_state state,
                uint64_t now_sec)
{
    struct container c = {
        .id = (char *)(uintptr_t)id, .pod_uid = (char *)(uintptr_t) "u", .attempt = attempt};
    attempts_see(a, &c, state, now_sec * USEC_PER_SEC, USEC_NEVER);
}

static bool is_loop(const struct attempts *a, uint64_t now_sec)
{
    return attempts_is_loop(a, now_sec * USEC_PER_SEC, 600 * USEC_PER_SEC, 2, 20 * USEC_PER_SEC);
}

static void test_attempts(void **state)
{
    (void)state;
    struct attempts a = {0};
    see(&a, "a", 5, CONTAINER_RUNNING, 1000);
    assert_false(is_loop(&a, 1000));
    see(&a, "a", 5, CONTAINER_EXITED, 1010);
    see(&a, "a", 5, CONTAINER_EXITED, 1020);
    assert_int_equal(a.end_count, 1);
    see(&a, "b", 6, CONTAINER_RUNNING, 1030);
    assert_int_equal(a.end_count, 1);
    assert_false(is_loop(&a, 1030));
    /* One between was missed: its end and that of `b`. */
    see(&a, "d", 8, CONTAINER_RUNNING, 1100);
    assert_int_equal(a.end_count, 3);
    assert_true(is_loop(&a, 1119));
    assert_false(is_loop(&a, 1120));
    see(&a, "d", 8, CONTAINER_EXITED, 1130);
    assert_true(is_loop(&a, 1130));
    assert_true(is_loop(&a, 1699));
    assert_false(is_loop(&a, 1730));
    /* The runtime counts anew: one end. */
    see(&a, "e", 0, CONTAINER_CREATED, 2000);
    assert_int_equal(a.end_count, 4);
    see(&a, "f", INT64_MAX, CONTAINER_RUNNING, 2001);
    assert_int_equal(a.end_count, ATTEMPTS_ENDS_MAX);
    assert_true(is_loop(&a, 2002));
    attempts_ended(&a, 2003 * USEC_PER_SEC);
    attempts_ended(&a, 2004 * USEC_PER_SEC);
    assert_true(a.ends_usec[ATTEMPTS_ENDS_MAX - 1] == 2003 * USEC_PER_SEC);
    attempts_fini(&a);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, probe_case_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_processes),
        CASE(test_states),
        CASE(test_tool),
        CASE(test_exited),
        CASE(test_logs),
        CASE(test_loop),
        CASE(test_first_look),
        CASE(test_known_process),
        CASE(test_unknown_process),
        CASE(test_arguments),
        cmocka_unit_test(test_attempts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
