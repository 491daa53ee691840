/* The agent's end of the observer with the real program at the other end. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "net/hostile.h"
#include "net/remote_case.h"

static void answer_ok(struct wire *w)
{
    while (wire_read(w))
        if (!wire_text(w, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
            return;
}

static void answer_failing(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n"
                       "[+]ping ok\n[-]etcd failed: reason withheld\n"
                       "[-]a/b failed: reason withheld\nlivez check failed\n");
}

static void be_silent(struct wire *w)
{
    (void)wire_sleep(w, 60000);
}

static void put(struct remote_case *w, const char *name, const char *text)
{
    OWNED(free) char *path = mem_printf("%s/%s", w->path, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void set_probe_at(struct remote_case *w, size_t i, const struct hostile *h, const char *more)
{
    OWNED(free)
    char *yaml =
        mem_printf("{url: \"http%s://127.0.0.1:%d/\"%s}", *more ? "s" : "", hostile_port(h), more);
    remote_case_probe(w, i, yaml);
}

static void test_real_looks(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_real(w);
    struct authority *a = authority_new("cluster"), *other = authority_new("other");
    struct identity *id = identity_new(a, "IP:127.0.0.1", -60, 600);
    struct hostile *plain = hostile_start(answer_failing, NULL),
                   *tls = hostile_start(answer_ok, id);
    put(w, "ca.crt", a->pem);
    put(w, "other.crt", other->pem);
    put(w, "empty.crt", "");
    OWNED(free) char *link = mem_printf("%s/link.crt", w->path);
    assert_int_equal(symlink("/ca.crt", link), 0); /* below the root */

    set_probe_at(w, 0, plain, "");
    remote_case_look_and_expect(w, 0, SIGNAL_FAIL, REASON_CHECK_FAILED);
    assert_int_equal(json_get_int(w->last[0].facts, "status", 0), 500);
    assert_string_equal(json_get_string(w->last[0].facts, "checks", ""), "a/b etcd");
    assert_int_equal(json_object_size(w->last[0].facts), 2);

    set_probe_at(w, 1, tls, ", ca: /ca.crt");
    for (int i = 0; i < 5; i++)
        remote_case_look_and_expect(w, 1, SIGNAL_PASS, REASON_NONE);
    set_probe_at(w, 2, tls, ", ca: /link.crt"); /* the same authority: the same connection */
    remote_case_look_and_expect(w, 2, SIGNAL_PASS, REASON_NONE);
    assert_int_equal(hostile_connections(tls), 1);
    assert_int_equal(hostile_requests(tls), 6);

    /* Another argument, another authority, none. */
    set_probe_at(w, 1, tls, ", ca: /ca.crt, okStatus: 204");
    remote_case_look_and_expect(w, 1, SIGNAL_FAIL, REASON_HTTP_ERROR);
    set_probe_at(w, 1, tls, ", ca: /other.crt");
    remote_case_look_and_expect(w, 1, SIGNAL_FAIL, REASON_TLS_UNTRUSTED);
    set_probe_at(w, 1, tls, ", ca: /empty.crt");
    remote_case_look_and_expect(w, 1, SIGNAL_UNKNOWN, REASON_UNREADABLE);
    set_probe_at(w, 1, tls, ", ca: /absent.crt");
    remote_case_look_and_expect(w, 1, SIGNAL_UNKNOWN, REASON_UNREADABLE);
    put(w, "ca.crt", other->pem); /* a rotated bundle is seen at the next look */
    set_probe_at(w, 1, tls, ", ca: /ca.crt");
    remote_case_look_and_expect(w, 1, SIGNAL_FAIL, REASON_TLS_UNTRUSTED);
    remote_case_probe(w, 3, "{url: \"http://127.0.0.1:1/\"}");
    remote_case_look_and_expect(w, 3, SIGNAL_FAIL, REASON_REFUSED);
    assert_int_equal(remote_health(w->remote).nonsense, 0);
    assert_int_equal(remote_health(w->remote).starts, 1);
    hostile_stop(plain);
    hostile_stop(tls);
    identity_free(id);
    authority_free(a);
    authority_free(other);
}

/* A server's silence is the server's, told by the observer within its timeout. */
static void test_real_timeout(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_real(w);
    struct hostile *h = hostile_start(be_silent, NULL);
    set_probe_at(w, 0, h, "");
    uint64_t began = clock_boot_usec();
    remote_case_look(w, 0);
    remote_case_wait_reading(w, 0, 1, 2500 * USEC_PER_MSEC);
    remote_case_expect_reading(w, 0, SIGNAL_FAIL, REASON_TIMEOUT);
    assert_true(clock_boot_usec() - began >= 2 * USEC_PER_SEC);
    hostile_stop(h);
}

/* "Name:\tvalue" of /proc/PID/status. */
static void expect_status(pid_t pid, const char *name, const char *expected)
{
    char path[64], line[256], value[256] = "absent";
    (void)snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, name, strlen(name)) != 0)
            continue;
        (void)snprintf(value, sizeof value, "%s", line + strlen(name));
        value[strcspn(value, "\n")] = '\0';
    }
    (void)fclose(f);
    assert_string_equal(value, expected);
}

static void test_real_has_no_privileges(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_real(w);
    pid_t pid = remote_health(w->remote).pid;
    expect_status(pid, "NoNewPrivs:\t", "1");
    if (geteuid() != 0)
        skip();
    expect_status(pid, "Uid:\t", "65534\t65534\t65534\t65534");
    expect_status(pid, "Gid:\t", "65534\t65534\t65534\t65534");
    expect_status(pid, "Groups:\t", " ");
    expect_status(pid, "CapEff:\t", "0000000000000000");
    expect_status(pid, "CapPrm:\t", "0000000000000000");
    char path[64];
    struct stat s;
    (void)snprintf(path, sizeof path, "/proc/%d/environ", pid);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_uid, 0); /* not dumpable: proc(5) */
}

static void test_real_killed(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_real(w);
    struct hostile *silent = hostile_start(be_silent, NULL), *well = hostile_start(answer_ok, NULL);
    set_probe_at(w, 0, silent, "");
    set_probe_at(w, 1, silent, "");
    set_probe_at(w, 2, well, "");
    remote_case_look(w, 0);
    remote_case_look(w, 1);
    remote_case_turn(w, 50 * USEC_PER_MSEC);
    pid_t pid = remote_health(w->remote).pid;
    assert_int_equal(kill(pid, SIGKILL), 0);
    remote_case_wait_reading(w, 0, 1, USEC_PER_SEC);
    remote_case_wait_reading(w, 1, 1, USEC_PER_SEC);
    remote_case_expect_reading(w, 0, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    remote_case_expect_reading(w, 1, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    assert_false(remote_health(w->remote).alive);
    remote_case_look(w, 2); /* at once, while it is down */
    assert_int_equal(w->readings[2], 1);
    remote_case_expect_reading(w, 2, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
    assert_int_equal(remote_health(w->remote).starts, 2);
    assert_true(remote_health(w->remote).pid != pid);
    assert_int_equal(w->healths, 3); /* alive, dead, alive */
    remote_case_look_and_expect(w, 2, SIGNAL_PASS, REASON_NONE);
    hostile_stop(silent);
    hostile_stop(well);
}

/* Stopped it looks alive; its silence at an overdue look and then at a ping is its end. */
static void test_real_stopped(void **state)
{
    struct remote_case *w = *state;
    remote_case_begin_real(w);
    struct hostile *h = hostile_start(answer_ok, NULL);
    set_probe_at(w, 0, h, "");
    set_probe_at(w, 1, h, "");
    pid_t pid = remote_health(w->remote).pid;
    assert_int_equal(kill(pid, SIGSTOP), 0);
    remote_case_look(w, 0);
    remote_case_turn(w, w->probes[0].timeout_usec + 50 * USEC_PER_MSEC);
    assert_int_equal(w->readings[0], 0);
    assert_true(remote_health(w->remote).alive);
    remote_case_cancel(w, 0);
    remote_case_look(w, 1);
    remote_case_wait_reading(w, 1, 1, 6 * USEC_PER_SEC);
    remote_case_expect_reading(w, 1, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    assert_int_equal(w->readings[0], 0); /* cancelled: never reported */
    remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
    assert_int_equal(kill(pid, 0), -1);
    remote_case_look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    hostile_stop(h);
}

static void test_real_ends_with_the_agent(void **state)
{
    struct remote_case *w = *state;
    int pipe_fds[2];
    pid_t observer = 0;
    if (!getenv("PLANEGUARD_OBSERVER"))
        skip();
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t agent = fork();
    assert_true(agent >= 0);
    if (agent == 0) {
        struct remote_case own = {0};
        struct err e;
        if (loop_new(&own.loop, &e) < 0)
            _exit(1);
        own.root = w->root;
        own.pool = w->pool;
        remote_case_begin_real(&own);
        observer = remote_health(own.remote).pid;
        (void)!write(pipe_fds[1], &observer, sizeof observer);
        (void)raise(SIGKILL);
    }
    assert_int_equal(read(pipe_fds[0], &observer, sizeof observer), sizeof observer);
    assert_int_equal(waitpid(agent, NULL, 0), agent);
    for (int i = 0; i < 200 && !remote_case_is_gone(observer); i++)
        (void)usleep(10000);
    assert_true(remote_case_is_gone(observer));
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, remote_case_setup, remote_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_real_looks),  CASE(test_real_timeout), CASE(test_real_has_no_privileges),
        CASE(test_real_killed), CASE(test_real_stopped), CASE(test_real_ends_with_the_agent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
