/* The observer's end: looks in, readings out, over a socket pair, with a network that is told by
 * the test what to answer. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/socket.h"
#include "net/net.h"
#include "observe/served.h"

enum { ASKED_MAX = 16 };

/* A request that was started on the fake network. */
struct asked {
    char url[128], ca[32];
    uint64_t timeout_usec;
    void (*done)(void *context, const struct http_response *response);
    void *context;
    bool is_over;
};

struct world {
    struct loop *loop;
    struct net net;
    struct view view;
    struct served *served;
    int agent, observer; /* the two ends */
    struct asked asked[ASKED_MAX];
    size_t asked_count, cancelled;
    unsigned ended;
};

static void *fake_start(void *context, const struct http_request *r,
                        void (*done)(void *done_context, const struct http_response *response),
                        void *done_context)
{
    struct world *w = context;
    assert_true(w->asked_count < ASKED_MAX);
    struct asked *a = &w->asked[w->asked_count++];
    *a = (struct asked){.done = done, .context = done_context, .timeout_usec = r->timeout_usec};
    (void)snprintf(a->url, sizeof a->url, "%s", r->url);
    (void)snprintf(a->ca, sizeof a->ca, "%s", r->ca_pem ? r->ca_pem : "(none)");
    return a;
}

static void fake_cancel(void *context, void *started)
{
    struct world *w = context;
    struct asked *a = started;
    assert_false(a->is_over);
    a->is_over = true;
    w->cancelled++;
}

static void fake_answer(struct asked *a, int status, const char *body)
{
    struct http_response r = {.status = status};
    assert_false(a->is_over);
    a->is_over = true;
    buf_text(&r.body, body);
    a->done(a->context, &r);
    buf_fini(&r.body);
}

static void on_ended(void *context)
{
    struct world *w = context;
    w->ended++;
}

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int setup(void **state)
{
    struct world *w = mem_new(struct world);
    struct err e;
    int pair[2];
    json_setup();
    if (loop_new(&w->loop, &e) < 0 || socket_pair(pair, &e) < 0)
        return -1;
    w->agent = pair[0];
    w->observer = pair[1];
    w->net = (struct net){.context = w, .http_start = fake_start, .http_cancel = fake_cancel};
    w->view = (struct view){.loop = w->loop, .net = &w->net};
    *state = w;
    return served_new(&w->view, w->observer, on_ended, w, &w->served, &e);
}

static int teardown(void **state)
{
    struct world *w = *state;
    served_free(w->served);
    if (w->agent >= 0)
        (void)close(w->agent);
    (void)close(w->observer);
    loop_free(w->loop);
    free(w);
    return 0;
}

static void turn(struct world *w)
{
    for (int i = 0; i < 4; i++)
        assert_true(sd_event_run(loop_sd_event(w->loop), 0) >= 0);
}

/* Sends what `json` says (' for "), with `fd_count` descriptors of a file "CA". */
static void send_json(struct world *w, const char *json, size_t fd_count)
{
    OWNED(free) char *text = mem_strdup(json);
    for (char *at = text; *at; at++)
        if (*at == '\'')
            *at = '"';
    struct err e = {0};
    OWNED(json_decref) json_t *m = json_parse(text, strlen(text), &e);
    if (!m)
        fail_msg("%s: %s", json, e.text);
    struct frame_fds fds = {0};
    while (fds.count < fd_count) {
        int fd = memfd_create("ca", MFD_CLOEXEC);
        assert_int_equal(write(fd, "CA", 2), 2);
        fds.at[fds.count++] = fd;
    }
    assert_int_equal(frame_send(w->agent, m, &fds, &e), 0);
    frame_fds_close(&fds);
    turn(w);
}

/* The next answer, in canonical JSON with ' for "; "" when there is none. The caller's. */
static char *answer_of(struct world *w)
{
    struct err e;
    OWNED(json_decref) json_t *m = NULL;
    int r = frame_receive(w->agent, &m, NULL, &e);
    if (r == -EAGAIN)
        return mem_strdup("");
    assert_int_equal(r, 1);
    char *text = json_canonical(m);
    for (char *at = text; *at; at++)
        if (*at == '"')
            *at = '\'';
    return text;
}

static void expect_answer(struct world *w, const char *expected)
{
    OWNED(free) char *text = answer_of(w);
    assert_string_equal(text, expected);
}

#define LOOK(id, name, args)                                                                       \
    "{'look':" id ",'name':'" name "','kind':'https','args':" args ",'timeoutUsec':3000000}"
#define PLAIN "{'url':'http://127.0.0.1:6443/livez'}"

static void test_look_and_reading(void **state)
{
    struct world *w = *state;
    send_json(w, LOOK("1", "a", PLAIN), 0);
    assert_int_equal(w->asked_count, 1);
    assert_string_equal(w->asked[0].url, "http://127.0.0.1:6443/livez");
    assert_string_equal(w->asked[0].ca, "(none)");
    assert_int_equal(w->asked[0].timeout_usec, 3 * USEC_PER_SEC);
    expect_answer(w, "");
    fake_answer(&w->asked[0], 200, "ok");
    expect_answer(w, "{'detail':'HTTP 200','facts':{'status':200},'reading':1,'reason':'none',"
                     "'verdict':'pass'}");
    /* Bytes of the world's in a reading stay one well-formed frame. */
    send_json(w, LOOK("2", "a", PLAIN), 0);
    fake_answer(&w->asked[1], 500, "[-]etcd failed: \xff\"\\\n");
    expect_answer(w, "{'detail':'HTTP 500; failing: etcd','facts':{'checks':'etcd','status':500},"
                     "'reading':2,'reason':'check-failed','verdict':'fail'}");
    expect_answer(w, "");
}

static void test_ping(void **state)
{
    struct world *w = *state;
    send_json(w, "{'ping':7}", 0);
    expect_answer(w, "{'pong':7}");
    send_json(w, "{'ping':9223372036854775807}", 4); /* whose descriptors nobody wants */
    expect_answer(w, "{'pong':9223372036854775807}");
}

/* Two probes at once, answered in the other order; each with the authorities that came with it. */
static void test_two_at_once(void **state)
{
    struct world *w = *state;
    int before = open_descriptors();
    send_json(w, LOOK("1", "a", PLAIN), 0);
    send_json(w, LOOK("2", "b", "{'url':'https://[::1]/','ca':'/ca','serverName':'x'}"), 1);
    assert_int_equal(open_descriptors(), before);
    assert_string_equal(w->asked[1].ca, "CA");
    fake_answer(&w->asked[1], 200, "");
    fake_answer(&w->asked[0], 200, "");
    OWNED(free) char *first = answer_of(w), *second = answer_of(w);
    assert_non_null(strstr(first, "'reading':2,"));
    assert_non_null(strstr(second, "'reading':1,"));
}

/* A new look of the same name ends the old one, which is never answered. */
static void test_look_again(void **state)
{
    struct world *w = *state;
    send_json(w, LOOK("1", "a", PLAIN), 0);
    send_json(w, LOOK("2", "a", "{'url':'http://127.0.0.1/other'}"), 0);
    assert_int_equal(w->cancelled, 1);
    assert_string_equal(w->asked[1].url, "http://127.0.0.1/other");
    fake_answer(&w->asked[1], 200, "");
    OWNED(free) char *answer = answer_of(w);
    assert_non_null(strstr(answer, "'reading':2,"));
    expect_answer(w, "");
    /* Even when the new one can't begin. */
    send_json(w, LOOK("3", "a", PLAIN), 0);
    send_json(w, LOOK("4", "a", "{'url':7}"), 0);
    assert_int_equal(w->cancelled, 2);
    OWNED(free) char *refusal = answer_of(w);
    assert_non_null(strstr(refusal, "'reading':4,'reason':'tool-failed','verdict':'unknown'"));
    expect_answer(w, "");
}

static void test_looks_that_cannot_begin(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *look, *reason;
        size_t fds;
    } cases[] = {
        {"{'look':1}", "tool-failed", 0},
        {"{'look':1,'name':'a'}", "tool-failed", 0},
        {"{'look':1,'name':'a','kind':'https'}", "tool-failed", 0},
        {"{'look':1,'name':'a','kind':'nothing','args':{}}", "tool-failed", 0},
        {"{'look':1,'name':'a','kind':'manifest','args':{}}", "tool-failed", 0}, /* a local one */
        {"{'look':1,'name':'a','kind':'https','args':[]}", "tool-failed", 0},
        {"{'look':1,'name':'a','kind':'https','args':{}}", "tool-failed", 0},
        {"{'look':1,'name':'a','kind':'https','args':{'url':'http://a/','more':1}}", "tool-failed",
         0},
        {"{'look':1,'name':'a','kind':'https','args':{'url':'file:///etc/passwd'}}", "tool-failed",
         0},
        {"{'look':1,'name':5,'kind':6,'args':7}", "tool-failed", 4},
        /* The authorities were not handed over. */
        {"{'look':1,'name':'a','kind':'https','args':{'url':'https://a/','ca':'/ca'}}",
         "unreadable", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int before = open_descriptors();
        send_json(w, cases[i].look, cases[i].fds);
        OWNED(free) char *answer = answer_of(w);
        OWNED(free)
        char *expected =
            mem_printf("'reading':1,'reason':'%s','verdict':'unknown'}", cases[i].reason);
        if (!strstr(answer, expected))
            fail_msg("%s: %s", cases[i].look, answer);
        assert_int_equal(open_descriptors(), before);
    }
    assert_int_equal(w->asked_count, 0);
    send_json(w, LOOK("2", "a", PLAIN), 0); /* and goes on */
    assert_int_equal(w->asked_count, 1);
    assert_int_equal(w->ended, 0);
}

static void test_what_is_neither(void **state)
{
    struct world *w = *state;
    send_json(w, "{}", 4);
    send_json(w, "{'pong':1}", 0);
    send_json(w, "{'reading':1,'verdict':'pass'}", 0);
    expect_answer(w, "");
    assert_int_equal(w->ended, 0);
}

static void test_agent_gone(void **state)
{
    struct world *w = *state;
    send_json(w, LOOK("1", "a", PLAIN), 0);
    assert_int_equal(close(w->agent), 0);
    w->agent = -1;
    assert_true(sd_event_run(loop_sd_event(w->loop), 0) >= 0);
    assert_int_equal(w->ended, 1);
    fake_answer(&w->asked[0], 200, "ok"); /* to nobody: no signal ends us */
    served_free(TAKE(w->served));
    assert_int_equal(w->cancelled, 0);
}

/* A frame that is none comes from no agent of ours: that is the end, too. */
static void test_agent_talks_nonsense(void **state)
{
    struct world *w = *state;
    assert_int_equal(send(w->agent, "nonsense", 8, MSG_NOSIGNAL), 8);
    assert_true(sd_event_run(loop_sd_event(w->loop), 0) >= 0);
    assert_int_equal(w->ended, 1);
}

/* An agent that doesn't read: answers are dropped, nothing waits. */
static void test_agent_does_not_read(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 2000; i++)
        send_json(w, "{'ping':1}", 0);
    assert_int_equal(w->ended, 0);
    expect_answer(w, "{'pong':1}");
}

/* Freed with looks under way: they are cancelled. */
static void test_free_cancels(void **state)
{
    struct world *w = *state;
    send_json(w, LOOK("1", "a", PLAIN), 0);
    send_json(w, LOOK("2", "b", PLAIN), 0);
    served_free(TAKE(w->served));
    assert_int_equal(w->cancelled, 2);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_look_and_reading),
        CASE(test_ping),
        CASE(test_two_at_once),
        CASE(test_look_again),
        CASE(test_looks_that_cannot_begin),
        CASE(test_what_is_neither),
        CASE(test_agent_gone),
        CASE(test_agent_talks_nonsense),
        CASE(test_agent_does_not_read),
        CASE(test_free_cancels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
