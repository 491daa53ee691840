/* The kind `https`: what it takes, what it asks, how it judges; and libcurl's results as reasons.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/duration.h"
#include "base/mem.h"
#include "net/net.h"
#include "observe/kinds.h"
#include "probe_case.h"

/* Answers each request from the loop with `response`, or never. */
struct fake_net {
    struct probe_case *c;
    struct net net;
    struct http_request request; /* the last; its strings as they were */
    char *ca;
    struct http_response response;
    struct timer *timer;
    void (*done)(void *context, const struct http_response *r);
    void *done_context;
};

static void on_timer(void *context)
{
    struct fake_net *n = context;
    n->done(n->done_context, &n->response);
}

static void *fake_start(void *context, const struct http_request *r,
                        void (*done)(void *context, const struct http_response *r),
                        void *done_context)
{
    struct fake_net *n = context;
    n->request = *r;
    free(n->ca);
    n->ca = r->ca_pem ? mem_strndup(r->ca_pem, r->ca_length) : NULL;
    n->done = done;
    n->done_context = done_context;
    timer_set(n->timer, 0, 0);
    return n;
}

static void fake_cancel(void *context, void *started)
{
    struct fake_net *n = context;
    assert_ptr_equal(started, n);
    timer_set(n->timer, USEC_NEVER, 0);
}

static int setup(void **state)
{
    void *c = NULL;
    struct err e;
    if (probe_case_setup(&c) != 0)
        return -1;
    struct fake_net *n = mem_new(struct fake_net);
    n->c = c;
    n->net = (struct net){.context = n, .http_start = fake_start, .http_cancel = fake_cancel};
    n->c->view.net = &n->net;
    *state = n;
    return timer_new(n->c->loop, on_timer, n, &n->timer, &e);
}

static int teardown(void **state)
{
    struct fake_net *n = *state;
    void *c = n->c;
    probe_case_stop(n->c);
    timer_free(n->timer);
    buf_fini(&n->response.body);
    free(n->ca);
    free(n);
    return probe_case_teardown(&c);
}

static void test_arguments(void **state)
{
    struct fake_net *n = *state;
    static const struct {
        const char *yaml, *complaint; /* NULL: taken */
    } cases[] = {
        {"{url: 'http://127.0.0.1:2381/health'}", NULL},
        {"{url: 'https://127.0.0.1:6443/livez?verbose&exclude=etcd', ca: /a.crt}", NULL},
        {"{url: 'https://x/', ca: /a.crt, serverName: kubernetes, okStatus: 204, "
         "connectionAge: 0s, bodyLimit: 4Mi}",
         NULL},
        {"{}", "url"},
        {"{url: 'https://127.0.0.1:6443/livez'}", "ca"},
        {"{url: 'https://127.0.0.1:6443/livez', insecure: true}", "insecure"},
        {"{url: 'ftp://127.0.0.1/'}", "ftp"},
        {"{url: 'file:///etc/passwd'}", "file"},
        {"{url: 'http://x/', ca: a.crt}", "a.crt"},
        {"{url: 'http://x/', ca: /../a.crt}", ".."},
        {"{url: 'http://x/', okStatus: 99}", "99"},
        {"{url: 'http://x/', bodyLimit: 5Mi}", "5Mi"},
        {"{url: 'http://x/', bodyLimit: 1}", "1"},
        {"{url: 'http://x/', connectionAge: 2h}", "2h"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        int code = probe_case_start(n->c, &probe_https, cases[i].yaml, &e);
        if ((code < 0) != (cases[i].complaint != NULL))
            fail_msg("%s: %s", cases[i].yaml, e.text);
        if (cases[i].complaint && !strstr(e.text, cases[i].complaint))
            fail_msg("%s: %s", cases[i].yaml, e.text);
    }
}

static void start(struct fake_net *n, const char *yaml)
{
    struct err e = {0};
    if (probe_case_start(n->c, &probe_https, yaml, &e) < 0)
        fail_msg("%s", e.text);
}

static void test_no_answer(void **state)
{
    struct fake_net *n = *state;
    start(n, "{url: 'http://x/'}");
    for (int r = REASON_REFUSED; r <= REASON_TLS_ERROR; r++) {
        n->response = (struct http_response){.reason = (enum reason)r, .detail = "in its words"};
        probe_case_expect(n->c, SIGNAL_FAIL, words_name(&reason_words, r));
        assert_int_equal(json_object_size(n->c->facts), 0);
        assert_string_equal(n->c->detail, "in its words");
    }
    /* Our own failure is no verdict on the server. */
    n->response.reason = REASON_UNREADABLE;
    probe_case_expect(n->c, SIGNAL_UNKNOWN, "unreadable");
    n->response.reason = REASON_TOOL_FAILED;
    probe_case_expect(n->c, SIGNAL_UNKNOWN, "tool-failed");
}

static void test_request(void **state)
{
    struct fake_net *n = *state;
    n->response.status = 200;
    start(n, "{url: 'http://x/health'}");
    probe_case_look(n->c);
    assert_string_equal(n->request.url, "http://x/health");
    assert_null(n->ca);
    assert_null(n->request.server_name);
    assert_int_equal(n->request.connection_age_max_usec, USEC_PER_MINUTE);
    assert_int_equal(n->request.body_limit_bytes, 64 * 1024);
    assert_int_equal(n->request.timeout_usec, n->c->probe.timeout_usec);
    start(n, "{url: 'https://x/', ca: /ca.crt, serverName: kubernetes, connectionAge: 5s, "
             "bodyLimit: 1Mi}");
    probe_case_put_text(n->c, "/ca.crt", "a bundle");
    n->c->probe.files[0] = open(probe_case_host(n->c, "/ca.crt"), O_RDONLY);
    n->c->probe.file_count = 1;
    for (int i = 0; i < 2; i++) { /* the descriptor's place doesn't matter */
        probe_case_look(n->c);
        assert_string_equal(n->ca, "a bundle");
    }
    assert_string_equal(n->request.server_name, "kubernetes");
    assert_int_equal(n->request.connection_age_max_usec, 5 * USEC_PER_SEC);
    assert_int_equal(n->request.body_limit_bytes, 1024 * 1024);
    (void)close(n->c->probe.files[0]);
    const char *files[4] = {0};
    assert_int_equal(probe_https.files(n->c->probe.args, files), 1);
    assert_string_equal(files[0], "/ca.crt");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_arguments),
        CASE(test_no_answer),
        CASE(test_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
