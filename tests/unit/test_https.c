/* The kind `https`: what it makes of a server's answers, by the real client against a real server,
 * and of the file of authorities that was handed over. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "net/hostile.h"
#include "net/http.h"
#include "observe/kinds.h"
#include "probe_case.h"

struct world {
    struct probe_case *c;
    struct http *http;
    struct net net;
    struct authority *authority;
    struct identity *identity;
};

static int setup(void **state)
{
    struct world *w = mem_new(struct world);
    void *c = NULL;
    struct err e;
    if (probe_case_setup(&c) < 0)
        return -1;
    w->c = c;
    if (http_new(w->c->loop, &w->http, &e) < 0)
        return -1;
    w->net = http_net(w->http);
    w->c->view.net = &w->net;
    w->authority = authority_new("cluster");
    w->identity = identity_new(w->authority, "IP:127.0.0.1", -60, 600);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    void *c = w->c;
    probe_case_stop(w->c);
    http_free(w->http);
    authority_free(w->authority);
    identity_free(w->identity);
    free(w);
    return probe_case_teardown(&c);
}

static void start(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void start(struct world *w, const char *format, ...)
{
    char yaml[512];
    struct err e;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(yaml, sizeof yaml, format, args);
    va_end(args);
    assert_int_equal(probe_case_start(w->c, &probe_https, yaml, &e), 0);
}

/* A file of `length` bytes, of nobody's folder. */
static int file_of(const char *bytes, size_t length)
{
    int fd = memfd_create("ca", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    return fd;
}

static void hand_over(struct world *w, int fd)
{
    w->c->probe.files[0] = fd;
    w->c->probe.file_count = 1;
}

/* With time enough on the slowest machine. */
static void look(struct world *w)
{
    struct probe *p = &w->c->probe;
    unsigned before = w->c->readings;
    p->timeout_usec = USEC_PER_MINUTE;
    p->looking = true;
    p->kind->look(p);
    while (w->c->readings == before)
        assert_true(sd_event_run(loop_sd_event(w->c->loop), USEC_PER_SEC) >= 0);
    assert_int_equal(w->c->readings, before + 1);
}

static void expect(struct world *w, const char *what, enum verdict v, const char *reason)
{
    look(w);
    const char *saw = words_name(&reason_words, (int)w->c->reason);
    if (w->c->verdict != v || strcmp(saw, reason) != 0)
        print_error("%s: %s (%s)\n", what, saw, w->c->detail);
    assert_string_equal(saw, reason);
    assert_int_equal(w->c->verdict, v);
}

/* ---- statuses and bodies ---- */

static const struct answer {
    const char *what, *status_line, *body;
    const char *expected; /* the reason's word; "none" passes */
    const char *checks;
} answers[] = {
    {"well", "200 OK", "ok", "none", ""},
    {"well, verbosely", "200 OK", "[+]ping ok\n[+]etcd ok\nreadyz check passed\n", "none", ""},
    {"well, whatever it says", "200 OK", "[-]etcd\n", "none", ""},
    {"another success", "204 No Content", NULL, "http-error", ""},
    {"moved", "302 Found", "", "protocol", ""},
    {"who asks", "401 Unauthorized", "{\"kind\":\"Status\",\"code\":401}", "unauthorized", ""},
    {"not you", "403 Forbidden", "{\"kind\":\"Status\",\"code\":403}", "forbidden", ""},
    {"not you, with a check", "403 Forbidden", "[-]etcd failed: x\n", "forbidden", ""},
    {"nothing of that name", "404 Not Found", "404 page not found\n", "http-error", ""},
    {"too many", "429 Too Many Requests", "Too many requests, please try again later.\n",
     "throttled", ""},
    {"etcd is away", "500 Internal Server Error",
     "[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\n"
     "[-]etcd-readiness failed: reason withheld\nreadyz check failed\n",
     "check-failed", "etcd etcd-readiness"},
    {"it says no more", "500 Internal Server Error", "", "http-error", ""},
    {"hostile names", "500 Internal Server Error", "[-]\033[2J failed\n[-]a;b failed\n",
     "http-error", ""},
    {"etcd's own", "503 Service Unavailable", "{\"health\":\"false\",\"reason\":\"ALARM NOSPACE\"}",
     "http-error", ""},
    {"shutting down", "503 Service Unavailable", "[-]shutdown failed: reason withheld\n",
     "check-failed", "shutdown"},
    {"no such status", "999 Whatever", "", "http-error", ""},
};

static _Atomic size_t served; /* which of them */

static void serve_answer(struct wire *wire)
{
    while (wire_read(wire)) {
        const struct answer *a = &answers[served];
        OWNED(free)
        char *text = a->body ? mem_printf("HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
                                          a->status_line, strlen(a->body), a->body)
                             : mem_printf("HTTP/1.1 %s\r\n\r\n", a->status_line);
        if (!wire_text(wire, text))
            return;
    }
}

static void test_answers(void **state)
{
    struct world *w = *state;
    struct hostile *h = hostile_start(serve_answer, w->identity);
    OWNED(fd_close) int ca = file_of(w->authority->pem, strlen(w->authority->pem));
    size_t count = sizeof answers / sizeof *answers;
    for (size_t i = 0; i < count; i++) {
        const struct answer *a = &answers[i];
        bool passes = !strcmp(a->expected, "none");
        served = i;
        start(w, "{url: 'https://127.0.0.1:%d/readyz?verbose', ca: /ca.crt}", hostile_port(h));
        hand_over(w, ca);
        expect(w, a->what, passes ? SIGNAL_PASS : SIGNAL_FAIL, a->expected);
        assert_string_equal(probe_case_fact(w->c, "checks"), a->checks);
        assert_int_equal(json_get_int(w->c->facts, "status", 0), strtol(a->status_line, NULL, 10));
        assert_int_equal(json_object_size(w->c->facts), *a->checks ? 2 : 1);
        assert_null(strchr(w->c->detail, '\033'));
    }
    /* One kept connection for all of them. */
    assert_int_equal(http_connections(w->http), 1);
    assert_int_equal(hostile_requests(h), count);
    hostile_stop(h);
}

static void test_status_that_passes(void **state)
{
    struct world *w = *state;
    struct hostile *h = hostile_start(serve_answer, NULL);
    start(w, "{url: 'http://127.0.0.1:%d/', okStatus: 401}", hostile_port(h));
    for (served = 0; strncmp(answers[served].status_line, "401", 3) != 0; served++)
        expect(w, answers[served].what, SIGNAL_FAIL,
               answers[served].status_line[0] == '3' ? "protocol" : "http-error");
    expect(w, "the status that passes", SIGNAL_PASS, "none");
    hostile_stop(h);
}

/* ---- the authorities' file ---- */

static void test_authorities(void **state)
{
    struct world *w = *state;
    served = 0;
    struct hostile *h = hostile_start(serve_answer, w->identity);
    const char *pem = w->authority->pem;
    static char long_file[256 * 1024 + 1];
    memset(long_file, '\n', sizeof long_file);
    memcpy(long_file, pem, strlen(pem));
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    OWNED(fd_close)
    int good = file_of(pem, strlen(pem)), empty = file_of("", 0), garbage = file_of("garbage", 7),
        longest = file_of(long_file, sizeof long_file - 1),
        too_long = file_of(long_file, sizeof long_file),
        folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        path = open("/etc/passwd", O_PATH | O_CLOEXEC), pipe_end = ends[0];
    OWNED(fd_close) int other_end = ends[1];
    const struct {
        const char *what;
        int fd; /* -1: none is handed over */
        enum verdict verdict;
        const char *reason;
    } cases[] = {
        {"good", good, SIGNAL_PASS, "none"},
        {"of the greatest length", longest, SIGNAL_PASS, "none"},
        {"too long", too_long, SIGNAL_UNKNOWN, "unreadable"},
        {"empty", empty, SIGNAL_UNKNOWN, "unreadable"},
        {"garbage", garbage, SIGNAL_UNKNOWN, "unreadable"},
        {"none", -1, SIGNAL_UNKNOWN, "unreadable"},
        {"a folder", folder, SIGNAL_UNKNOWN, "unreadable"},
        {"a pipe, which never ends", pipe_end, SIGNAL_UNKNOWN, "unreadable"},
        {"a descriptor that can't be read", path, SIGNAL_UNKNOWN, "unreadable"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        start(w, "{url: 'https://127.0.0.1:%d/0', ca: /ca.crt}", hostile_port(h));
        if (cases[i].fd >= 0)
            hand_over(w, cases[i].fd);
        expect(w, cases[i].what, cases[i].verdict, cases[i].reason);
        assert_int_equal(strlen(w->c->detail) > 0, 1);
    }
    (void)other_end;
    hostile_stop(h);
}

/* ---- what can't be asked ---- */

static void test_nobody_may_ask(void **state)
{
    struct world *w = *state;
    w->c->view.net = NULL;
    start(w, "{url: 'http://127.0.0.1:1/'}");
    expect(w, "in the agent", SIGNAL_UNKNOWN, "observer-down");
}

/* That we have no descriptor left says nothing about the server. */
static void test_no_descriptor_left(void **state)
{
    struct world *w = *state;
    served = 0;
    struct hostile *h = hostile_start(serve_answer, NULL);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    start(w, "{url: 'http://127.0.0.1:%d/0'}", hostile_port(h));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    look(w);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(w->c->verdict, SIGNAL_UNKNOWN);
    assert_int_equal(w->c->reason, REASON_TOOL_FAILED);
    expect(w, "with descriptors again", SIGNAL_PASS, "none");
    hostile_stop(h);
}

static void be_silent(struct wire *wire)
{
    (void)wire_sleep(wire, 60000);
}

static void test_cancel(void **state)
{
    struct world *w = *state;
    struct hostile *h = hostile_start(be_silent, NULL);
    for (uint64_t usec = 0; usec < 100 * USEC_PER_MSEC; usec += 20 * USEC_PER_MSEC) {
        start(w, "{url: 'http://127.0.0.1:%d/0'}", hostile_port(h));
        w->c->probe.looking = true;
        probe_https.look(&w->c->probe);
        for (uint64_t end = clock_boot_usec() + usec; clock_boot_usec() < end;)
            assert_true(sd_event_run(loop_sd_event(w->c->loop), 5 * USEC_PER_MSEC) >= 0);
        probe_https.cancel(&w->c->probe);
        assert_null(w->c->probe.state);
        w->c->probe.looking = false;
    }
    assert_int_equal(w->c->readings, 0);
    hostile_stop(h);
}

/* ---- many at once ---- */

enum { MANY = 50 };

struct crowd {
    struct probe probes[MANY];
    unsigned passed, timed_out;
};

static void on_crowd_report(struct probe *p, const struct reading *r)
{
    struct crowd *crowd = p->owner;
    crowd->passed += r->verdict == SIGNAL_PASS;
    crowd->timed_out += r->reason == REASON_TIMEOUT;
}

static void serve_slowly(struct wire *wire)
{
    if (wire_read(wire) && wire_sleep(wire, 200))
        (void)wire_text(wire, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

/* Fifty probes at once of a server that takes its time, every fifth of one that never answers. */
static void test_many_at_once(void **state)
{
    struct world *w = *state;
    served = 0;
    struct crowd crowd = {0};
    struct hostile *slow = hostile_start(serve_slowly, w->identity);
    struct hostile *silent = hostile_start(be_silent, NULL);
    OWNED(fd_close) int ca = file_of(w->authority->pem, strlen(w->authority->pem));
    uint64_t began_usec = clock_boot_usec();
    start(w, "{url: 'https://127.0.0.1:%d/0', ca: /ca.crt}", hostile_port(slow));
    hand_over(w, ca);
    struct pool *pool = TAKE(w->c->pool);
    struct probe to_slow = w->c->probe;
    start(w, "{url: 'https://127.0.0.1:%d/0', ca: /ca.crt}", hostile_port(silent));
    hand_over(w, ca);
    for (int i = 0; i < MANY; i++) {
        struct probe *p = &crowd.probes[i];
        *p = i % 5 ? to_slow : w->c->probe;
        p->timeout_usec = i % 5 ? USEC_PER_MINUTE : USEC_PER_SEC;
        p->report = on_crowd_report;
        p->owner = &crowd;
        p->looking = true;
        p->kind->look(p);
    }
    while (crowd.passed + crowd.timed_out < MANY &&
           clock_boot_usec() < began_usec + USEC_PER_MINUTE)
        assert_true(sd_event_run(loop_sd_event(w->c->loop), 50 * USEC_PER_MSEC) >= 0);
    assert_int_equal(crowd.passed, MANY - MANY / 5);
    assert_int_equal(crowd.timed_out, MANY / 5);
    pool_free(pool);
    hostile_stop(slow);
    hostile_stop(silent);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_answers),        CASE(test_status_that_passes), CASE(test_authorities),
        CASE(test_nobody_may_ask), CASE(test_no_descriptor_left), CASE(test_cancel),
        CASE(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
