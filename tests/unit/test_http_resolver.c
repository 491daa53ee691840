/* A name server that is silent: the look's end comes in time all the same, and nothing else waits.
 * This program's getaddrinfo(3) stands before the C library's. */
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "net/hostile.h"
#include "net/http.h"

enum { SILENCE_SEC = 4 };

static _Atomic int asked;

/* Answers no name, after a long while. Numbers never come here: libcurl reads them itself. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    (void)name, (void)service, (void)hints, (void)ret;
    asked++;
    (void)sleep(SILENCE_SEC);
    return EAI_AGAIN;
}

static void on_response(void *context, const struct http_response *r)
{
    *(enum reason *)context = r->reason;
}

static void turn_until(struct loop *l, const enum reason *r, uint64_t usec)
{
    for (uint64_t end = clock_boot_usec() + usec; clock_boot_usec() < end && *r == REASON_COUNT_;)
        assert_true(sd_event_run(loop_sd_event(l), 10 * USEC_PER_MSEC) >= 0);
}

static void answer_ok(struct wire *w)
{
    (void)wire_read(w);
    (void)wire_text(w, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void test_silent_name_server(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    struct http *http = NULL;
    struct err e;
    assert_int_equal(loop_new(&loop, &e), 0);
    assert_int_equal(http_new(loop, &http, &e), 0);
    struct net net = http_net(http);
    struct hostile *h = hostile_start(answer_ok, NULL);
    OWNED(free) char *url = mem_printf("http://127.0.0.1:%d/", hostile_port(h));
    const struct http_request named = {
        .url = "http://api.example/", .timeout_usec = USEC_PER_SEC, .body_limit_bytes = 1024};
    struct http_request numbered = named;
    numbered.url = url;
    enum reason reasons[4] = {REASON_COUNT_, REASON_COUNT_, REASON_COUNT_, REASON_COUNT_};

    uint64_t began_usec = clock_boot_usec();
    (void)net.http_start(net.context, &named, on_response, &reasons[0]);
    (void)net.http_start(net.context, &numbered, on_response, &reasons[1]);
    turn_until(loop, &reasons[1], USEC_PER_SEC);
    assert_int_equal(reasons[1], REASON_NONE);
    turn_until(loop, &reasons[0], 2 * USEC_PER_SEC);
    assert_int_equal(reasons[0], REASON_TIMEOUT);
    void *started = net.http_start(net.context, &named, on_response, &reasons[2]);
    turn_until(loop, &reasons[2], 100 * USEC_PER_MSEC);
    net.http_cancel(net.context, started);
    (void)net.http_start(net.context, &named, on_response, &reasons[3]);
    turn_until(loop, &reasons[3], 100 * USEC_PER_MSEC);
    http_free(http);
    assert_int_equal(reasons[2], REASON_COUNT_);
    assert_int_equal(reasons[3], REASON_COUNT_);
    assert_int_equal(asked, 3);
    assert_true(clock_boot_usec() - began_usec < (SILENCE_SEC - 1) * USEC_PER_SEC);
    (void)sleep(SILENCE_SEC + 1); /* the resolver's threads come home to nobody */
    loop_free(loop);
    hostile_stop(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_silent_name_server)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
