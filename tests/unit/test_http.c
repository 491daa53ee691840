/* The HTTP client against servers that behave badly and certificates that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "net/hostile.h"
#include "net/http.h"

struct world {
    struct loop *loop;
    struct http *http;
    struct net net;
    struct authority *authority, *other;
    struct identity *good;
    struct http_response response; /* of the last request; the body is ours */
    unsigned responses;
};

static int setup(void **state)
{
    struct world *w = mem_new(struct world);
    struct err e;
    if (loop_new(&w->loop, &e) < 0 || http_new(w->loop, &w->http, &e) < 0)
        return -1;
    w->net = http_net(w->http);
    w->authority = authority_new("cluster");
    w->other = authority_new("other");
    w->good = identity_new(w->authority, "IP:127.0.0.1,DNS:kubernetes", -60, 600);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    http_free(w->http);
    loop_free(w->loop);
    authority_free(w->authority);
    authority_free(w->other);
    identity_free(w->good);
    buf_fini(&w->response.body);
    free(w);
    return 0;
}

static void on_response(void *context, const struct http_response *r)
{
    struct world *w = context;
    buf_fini(&w->response.body);
    w->response = *r;
    w->response.body = (struct buf){0};
    buf_add(&w->response.body, buf_string(&r->body), r->body.length);
    w->responses++;
}

static void turn_for(struct world *w, uint64_t usec)
{
    for (uint64_t end = clock_boot_usec() + usec; clock_boot_usec() < end;)
        assert_true(sd_event_run(loop_sd_event(w->loop), 20 * USEC_PER_MSEC) >= 0);
}

static void ask(struct world *w, const struct http_request *r)
{
    unsigned before = w->responses;
    uint64_t end = clock_boot_usec() + r->timeout_usec + 5 * USEC_PER_SEC;
    assert_non_null(w->net.http_start(w->net.context, r, on_response, w));
    assert_int_equal(w->responses, before); /* later, never at once */
    while (w->responses == before && clock_boot_usec() < end)
        assert_true(sd_event_run(loop_sd_event(w->loop), 20 * USEC_PER_MSEC) >= 0);
    assert_int_equal(w->responses, before + 1);
}

static struct http_request request_of(const char *url, const char *ca)
{
    return (struct http_request){.url = url,
                                 .ca_pem = ca,
                                 .ca_length = ca ? strlen(ca) : 0,
                                 .timeout_usec = 2 * USEC_PER_SEC,
                                 .connection_age_max_usec = USEC_PER_MINUTE,
                                 .body_limit_bytes = 4096};
}

static void expect_reason(const struct world *w, const char *what, enum reason reason)
{
    const char *saw = words_name(&reason_words, (int)w->response.reason);
    const char *expected = words_name(&reason_words, (int)reason);
    if (strcmp(saw, expected) != 0)
        print_error("%s: %s (%s)\n", what, saw, w->response.detail);
    assert_string_equal(saw, expected);
    assert_int_equal(strlen(w->response.detail) > 0, reason != REASON_NONE);
}

/* ---- servers ---- */

static void answer_ok(struct wire *w)
{
    while (wire_read(w))
        if (!wire_text(w, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
            return;
}

static void answer_500(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 12\r\n\r\n"
                       "[-]etcd bad\n");
}

static void answer_redirect(struct wire *w)
{
    while (wire_read(w))
        (void)wire_text(w, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nSet-Cookie: a=b\r\n"
                           "Content-Length: 0\r\n\r\n");
}

static void answer_limit(struct wire *w)
{
    static char body[4096];
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n");
    (void)wire_write(w, body, sizeof body);
}

static void answer_beyond_limit(struct wire *w)
{
    static char body[4097];
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n");
    (void)wire_write(w, body, sizeof body);
}

static void reset_at_once(struct wire *w)
{
    wire_reset(w);
}

static void reset_after_request(struct wire *w)
{
    (void)wire_read(w);
    wire_reset(w);
}

static void reset_in_body(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    (void)wire_sleep(w, 100);
    wire_reset(w);
}

static void answer_nothing(struct wire *w)
{
    (void)wire_read(w);
}

static void answer_half(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
}

static void be_silent(struct wire *w)
{
    (void)wire_sleep(w, 60000);
}

static void body_without_end(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\n\r\n");
    while (wire_text(w, "more and more and more "))
        ;
}

static void drip_body(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    while (wire_sleep(w, 300) && wire_text(w, "."))
        ;
}

static void drip_headers(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\n");
    while (wire_sleep(w, 300) && wire_text(w, "A: b\r\n"))
        ;
}

static void headers_10_mib(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 10 * 1024 * 1024 / 32; i++)
        if (!wire_text(w, "A-Header-Of-32-Bytes: 012345678\r\n"))
            return;
    (void)wire_text(w, "Content-Length: 0\r\n\r\n");
}

static void one_header_10_mib(struct wire *w)
{
    static char part[65536];
    memset(part, 'x', sizeof part);
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nA: ");
    for (int i = 0; i < 160; i++)
        if (!wire_write(w, part, sizeof part))
            return;
    (void)wire_text(w, "\r\nContent-Length: 0\r\n\r\n");
}

static void continue_for_ever(struct wire *w)
{
    (void)wire_read(w);
    while (wire_text(w, "HTTP/1.1 100 Continue\r\n\r\n"))
        ;
}

/* Trailers are headers, too. */
static void trailers_without_end(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n");
    while (wire_text(w, "A: b\r\n"))
        ;
}

static void answer_gzip(struct wire *w)
{
    static const char bomb[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x01\x0d";
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\ncontent-ENCODING: gzip\r\nContent-Length: 14\r\n\r\n");
    (void)wire_write(w, bomb, sizeof bomb - 1);
}

static void answer_transfer_gzip(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
                       "4\r\n\x1f\x8b\x08\x01\r\n0\r\n\r\n");
}

static void bad_chunks(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "zz\r\nok\r\n0\r\n\r\n");
}

static void huge_chunk_size(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "ffffffffffffffffffffff\r\nok\r\n0\r\n\r\n");
}

static void two_lengths(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nok");
}

static void not_http(struct wire *w)
{
    (void)wire_text(w, "SSH-2.0-OpenSSH_9.2p1\r\n");
    (void)wire_sleep(w, 60000);
}

static void answer_400_unasked(struct wire *w)
{
    (void)wire_text(w, "HTTP/1.1 400 Bad Request\r\n\r\n");
    (void)wire_sleep(w, 60000);
}

static void http_09(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "<html>welcome</html>\r\n");
}

static void ask_to_upgrade(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n"
                       "Connection: Upgrade\r\n\r\nPRI * ");
    (void)wire_sleep(w, 60000);
}

/* ---- what they make of it ---- */

static void test_servers(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *what;
        void (*serve)(struct wire *w);
        enum reason reason;
        int status; /* 0: whatever */
    } cases[] = {
        {"ok", answer_ok, REASON_NONE, 200},
        {"500", answer_500, REASON_NONE, 500},
        {"redirect", answer_redirect, REASON_NONE, 302},
        {"a body of the limit", answer_limit, REASON_NONE, 200},
        {"a body of one byte more", answer_beyond_limit, REASON_PROTOCOL, 0},
        {"reset at once", reset_at_once, REASON_RESET, 0},
        {"reset after the request", reset_after_request, REASON_RESET, 0},
        {"reset in the body", reset_in_body, REASON_RESET, 0},
        {"closed without an answer", answer_nothing, REASON_RESET, 0},
        {"closed in the body", answer_half, REASON_RESET, 0},
        {"silent", be_silent, REASON_TIMEOUT, 0},
        {"body without end", body_without_end, REASON_PROTOCOL, 0},
        {"body drips", drip_body, REASON_TIMEOUT, 0},
        {"headers drip", drip_headers, REASON_TIMEOUT, 0},
        {"10 MiB of headers", headers_10_mib, REASON_PROTOCOL, 0},
        {"a header of 10 MiB", one_header_10_mib, REASON_PROTOCOL, 0},
        {"continue for ever", continue_for_ever, REASON_PROTOCOL, 0},
        {"trailers without end", trailers_without_end, REASON_PROTOCOL, 0},
        {"gzip", answer_gzip, REASON_PROTOCOL, 0},
        {"gzip as transfer encoding", answer_transfer_gzip, REASON_PROTOCOL, 0},
        {"bad chunks", bad_chunks, REASON_PROTOCOL, 0},
        {"a chunk beyond all sizes", huge_chunk_size, REASON_PROTOCOL, 0},
        {"a negative length", two_lengths, REASON_PROTOCOL, 0},
        {"another protocol", not_http, REASON_PROTOCOL, 0},
        {"HTTP/0.9", http_09, REASON_PROTOCOL, 0},
        {"upgrade", ask_to_upgrade, REASON_TIMEOUT, 0},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        bool tls = i % 2;
        struct hostile *h = hostile_start(cases[i / 2].serve, tls ? w->good : NULL);
        OWNED(free)
        char *url =
            mem_printf("http%s://127.0.0.1:%d/livez?verbose", tls ? "s" : "", hostile_port(h));
        OWNED(free) char *what = mem_printf("%s, %s", cases[i / 2].what, tls ? "TLS" : "plain");
        struct http_request r = request_of(url, w->authority->pem);
        ask(w, &r);
        hostile_stop(h);
        expect_reason(w, what, cases[i / 2].reason);
        if (cases[i / 2].status)
            assert_int_equal(w->response.status, cases[i / 2].status);
        assert_true(w->response.took_usec < r.timeout_usec + USEC_PER_SEC);
        assert_true(w->response.body.length <= r.body_limit_bytes);
    }
}

static void test_nobody_there(void **state)
{
    struct world *w = *state;
    struct hostile *h = hostile_start(answer_ok, NULL);
    int port = hostile_port(h);
    hostile_stop(h);
    OWNED(free) char *refused = mem_printf("http://127.0.0.1:%d/", port);
    /* A label of 64 characters is none: no name server is asked. */
    static const char unresolved[] =
        "http://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.invalid/";
    const struct {
        const char *url;
        enum reason reason;
    } cases[] = {
        {refused, REASON_REFUSED},
        {unresolved, REASON_NAME_UNRESOLVED},
        {"file:///etc/passwd", REASON_PROTOCOL},
        {"ftp://127.0.0.1/", REASON_PROTOCOL},
        {"gopher://127.0.0.1/", REASON_PROTOCOL},
        {"http://127.0.0.1:99999/", REASON_TOOL_FAILED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request r = request_of(cases[i].url, NULL);
        ask(w, &r);
        expect_reason(w, cases[i].url, cases[i].reason);
    }
}

/* ---- what is asked ---- */

static void test_request(void **state)
{
    struct world *w = *state;
    static const char *const never[] = {"Accept-Encoding", "Cookie", "Authorization",
                                        "Upgrade",         "Proxy",  "TE:"};
    struct hostile *h = hostile_start(answer_redirect, NULL);
    OWNED(free) char *proxy = mem_printf("http://127.0.0.1:%d", hostile_port(h));
    OWNED(free) char *url = mem_printf("%s/livez?verbose&exclude=etcd", proxy);
    struct http_request r = request_of(url, NULL);
    ask(w, &r);
    ask(w, &r); /* the cookie that came isn't sent */
    const char *request = hostile_request(h);
    assert_memory_equal(request, "GET /livez?verbose&exclude=etcd HTTP/1.1\r\n", 42);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        assert_null(strcasestr(request, never[i]));
    assert_int_equal(hostile_requests(h), 2); /* no redirect followed */
    hostile_stop(h);

    /* No proxy of the environment's is asked. */
    struct hostile *trap = hostile_start(answer_ok, NULL);
    OWNED(free) char *at = mem_printf("http://127.0.0.1:%d", hostile_port(trap));
    assert_int_equal(setenv("http_proxy", at, 1) + setenv("ALL_PROXY", at, 1), 0);
    struct http_request closed = request_of(url, NULL);
    ask(w, &closed);
    assert_int_equal(unsetenv("http_proxy") + unsetenv("ALL_PROXY"), 0);
    expect_reason(w, "a proxy in the environment", REASON_REFUSED);
    assert_int_equal(hostile_connections(trap), 0);
    hostile_stop(trap);
}

/* ---- certificates ---- */

static void test_certificates(void **state)
{
    struct world *w = *state;
    static const char ours[] = "IP:127.0.0.1,DNS:kubernetes";
    const char *ca = w->authority->pem, *garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    struct identity *expired = identity_new(w->authority, ours, -7200, -5);
    struct identity *early = identity_new(w->authority, ours, 3600, 7200);
    struct identity *self = identity_new(NULL, ours, -60, 600);
    struct identity *named = identity_new(w->authority, "DNS:etcd", -60, 600);
    struct identity *wild = identity_new(w->authority, "DNS:*.example.com", -60, 600);
    struct identity *expired_foreign = identity_new(w->other, ours, -7200, -5);
    OWNED(free) char *both = mem_printf("%s%s", w->other->pem, ca);
    const struct {
        const char *what, *ca, *server_name;
        const struct identity *identity;
        enum reason reason;
    } cases[] = {
        {"good", ca, NULL, w->good, REASON_NONE},
        {"good, by name", ca, "kubernetes", w->good, REASON_NONE},
        {"good, one of two authorities", both, NULL, w->good, REASON_NONE},
        {"expired", ca, NULL, expired, REASON_TLS_EXPIRED},
        {"not yet valid", ca, NULL, early, REASON_TLS_NOT_YET_VALID},
        {"wrong authority", w->other->pem, NULL, w->good, REASON_TLS_UNTRUSTED},
        {"wrong authority, expired, too", ca, NULL, expired_foreign, REASON_TLS_UNTRUSTED},
        {"self-signed", ca, NULL, self, REASON_TLS_UNTRUSTED},
        {"no authority at all", NULL, NULL, w->good, REASON_TLS_UNTRUSTED},
        {"garbage for an authority", garbage, NULL, w->good, REASON_UNREADABLE},
        {"not for this address", ca, NULL, named, REASON_TLS_NAME},
        {"not for this name", ca, "kubernetes", named, REASON_TLS_NAME},
        {"for the name asked", ca, "etcd", named, REASON_NONE},
        {"wildcard", ca, "a.example.com", wild, REASON_NONE},
        {"wildcard for two labels", ca, "a.b.example.com", wild, REASON_TLS_NAME},
        {"a name that is none", ca, "a b/c", w->good, REASON_TOOL_FAILED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hostile *h = hostile_start(answer_ok, cases[i].identity);
        OWNED(free) char *url = mem_printf("https://127.0.0.1:%d/", hostile_port(h));
        struct http_request r = request_of(url, cases[i].ca);
        r.server_name = cases[i].server_name;
        ask(w, &r);
        expect_reason(w, cases[i].what, cases[i].reason);
        assert_int_equal(hostile_requests(h), cases[i].reason == REASON_NONE);
        hostile_stop(h);
    }
    identity_free(expired);
    identity_free(early);
    identity_free(self);
    identity_free(named);
    identity_free(wild);
    identity_free(expired_foreign);
}

static void test_handshakes(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *what;
        void (*serve)(struct wire *w);
        enum reason reason;
    } cases[] = {
        {"reset", reset_at_once, REASON_RESET},
        {"silence", be_silent, REASON_TIMEOUT},
        {"plain HTTP", answer_400_unasked, REASON_TLS_ERROR},
        {"another protocol", not_http, REASON_TLS_ERROR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hostile *h = hostile_start(cases[i].serve, NULL);
        OWNED(free) char *url = mem_printf("https://127.0.0.1:%d/", hostile_port(h));
        struct http_request r = request_of(url, w->authority->pem);
        ask(w, &r);
        expect_reason(w, cases[i].what, cases[i].reason);
        hostile_stop(h);
    }
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct hostile *h = hostile_start_tls_at_most(answer_ok, w->good, versions[i]);
        OWNED(free) char *url = mem_printf("https://127.0.0.1:%d/", hostile_port(h));
        struct http_request r = request_of(url, w->authority->pem);
        ask(w, &r);
        expect_reason(w, "an old TLS",
                      versions[i] < TLS1_2_VERSION ? REASON_TLS_ERROR : REASON_NONE);
        hostile_stop(h);
    }
}

/* ---- connections ---- */

static void test_connection_is_kept(void **state)
{
    struct world *w = *state;
    struct hostile *h = hostile_start(answer_ok, w->good);
    OWNED(free) char *url = mem_printf("https://127.0.0.1:%d/", hostile_port(h));
    struct http_request r = request_of(url, w->authority->pem);
    r.server_name = "kubernetes";
    for (int i = 0; i < 10; i++) {
        ask(w, &r);
        expect_reason(w, "kept", REASON_NONE);
    }
    assert_int_equal(hostile_connections(h), 1);
    assert_int_equal(http_connections(w->http), 1);
    /* Another authority vouches for nothing that was shaken hands on before. */
    struct http_request stranger = request_of(url, w->other->pem);
    stranger.server_name = "kubernetes";
    ask(w, &stranger);
    expect_reason(w, "another authority", REASON_TLS_UNTRUSTED);
    struct http_request named = request_of(url, w->authority->pem);
    named.server_name = "etcd";
    ask(w, &named);
    expect_reason(w, "another name", REASON_TLS_NAME);
    assert_int_equal(hostile_requests(h), 10);
    hostile_stop(h);
}

/* A certificate that has expired is masked by a kept connection, and seen at its age's end. */
static void test_age_unmasks(void **state)
{
    struct world *w = *state;
    struct identity *expired = identity_new(w->authority, "IP:127.0.0.1,DNS:kubernetes", -7200, -5);
    struct hostile *h = hostile_start(answer_ok, w->good);
    OWNED(free) char *url = mem_printf("https://127.0.0.1:%d/", hostile_port(h));
    struct http_request r = request_of(url, w->authority->pem);
    r.connection_age_max_usec = 3 * USEC_PER_SEC;
    uint64_t opened_usec = clock_boot_usec();
    ask(w, &r);
    hostile_become(h, expired);
    ask(w, &r);
    expect_reason(w, "the old connection", REASON_NONE);
    assert_int_equal(hostile_connections(h), 1);
    turn_for(w, opened_usec + r.connection_age_max_usec - clock_boot_usec());
    ask(w, &r);
    expect_reason(w, "past its age", REASON_TLS_EXPIRED);
    hostile_stop(h);
    identity_free(expired);
}

static void test_short_ages_keep_nothing(void **state)
{
    struct world *w = *state;
    static const uint64_t ages[] = {0, 1, 500 * USEC_PER_MSEC, USEC_PER_SEC};
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        struct hostile *h = hostile_start(answer_ok, NULL);
        OWNED(free) char *url = mem_printf("http://127.0.0.1:%d/", hostile_port(h));
        struct http_request r = request_of(url, NULL);
        r.connection_age_max_usec = ages[i];
        for (int k = 0; k < 3; k++) {
            ask(w, &r);
            expect_reason(w, "a short age", REASON_NONE);
        }
        assert_int_equal(hostile_connections(h), 3);
        hostile_stop(h);
    }
}

static void answer_once(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void answer_once_then_reset(struct wire *w)
{
    answer_once(w);
    (void)wire_read(w);
    wire_reset(w);
}

/* A server that restarted between two looks is well: the old connection's end is no news. */
static void test_kept_connection_that_ended(void **state)
{
    struct world *w = *state;
    static void (*const serves[])(struct wire *) = {answer_once, answer_once_then_reset};
    for (size_t i = 0; i < sizeof serves / sizeof *serves; i++) {
        struct hostile *h = hostile_start(serves[i], w->good);
        OWNED(free) char *url = mem_printf("https://127.0.0.1:%d/", hostile_port(h));
        struct http_request r = request_of(url, w->authority->pem);
        for (int k = 0; k < 3; k++) {
            ask(w, &r);
            expect_reason(w, "a connection that ended", REASON_NONE);
            turn_for(w, 20 * USEC_PER_MSEC);
        }
        assert_int_equal(hostile_connections(h), 3);
        hostile_stop(h);
    }
}

static void test_many_at_once(void **state)
{
    struct world *w = *state;
    struct hostile *slow = hostile_start(be_silent, NULL), *fast = hostile_start(answer_ok, NULL);
    OWNED(free) char *slow_url = mem_printf("http://127.0.0.1:%d/", hostile_port(slow));
    OWNED(free) char *fast_url = mem_printf("http://127.0.0.1:%d/", hostile_port(fast));
    struct http_request stuck = request_of(slow_url, NULL), r = request_of(fast_url, NULL);
    void *started[8];
    for (size_t i = 0; i < 8; i++)
        started[i] = w->net.http_start(w->net.context, &stuck, on_response, w);
    turn_for(w, 50 * USEC_PER_MSEC);
    ask(w, &r);
    expect_reason(w, "beside silent ones", REASON_NONE);
    assert_true(w->response.took_usec < USEC_PER_SEC);
    for (size_t i = 0; i < 4; i++)
        w->net.http_cancel(w->net.context, started[i]);
    turn_for(w, 3 * USEC_PER_SEC);
    assert_int_equal(w->responses, 1 + 4); /* the cancelled ones never report */
    expect_reason(w, "the others", REASON_TIMEOUT);
    /* Cancelled before it ever turned, and left to http_free. */
    w->net.http_cancel(w->net.context, w->net.http_start(w->net.context, &r, on_response, w));
    (void)w->net.http_start(w->net.context, &stuck, on_response, w);
    turn_for(w, 50 * USEC_PER_MSEC);
    assert_int_equal(w->responses, 5);
    hostile_stop(slow);
    hostile_stop(fast);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_servers),
        CASE(test_nobody_there),
        CASE(test_request),
        CASE(test_certificates),
        CASE(test_handshakes),
        CASE(test_connection_is_kept),
        CASE(test_age_unmasks),
        CASE(test_short_ages_keep_nothing),
        CASE(test_kept_connection_that_ended),
        CASE(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
