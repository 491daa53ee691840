/* The agent's end of the observer, with the real program and with false ones: this program itself,
 * started as `test_remote false KIND`. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/socket.h"
#include "net/hostile.h"
#include "observe/kinds.h"
#include "observe/remote.h"

enum { PROBES = 4, SOCKET = 3 };

/* ---- false observers ---- */

/* What one answers to each look, with its id in place of %lld. */
static const struct nonsense {
    const char *kind, *answer;
} nonsenses[] = {
    {"no-json", "nonsense"},
    {"half", "{\"reading\": %lld"},
    {"array", "[%lld]"},
    {"nothing", "{}"},
    {"unasked", "{\"reading\": 7777, \"verdict\": \"pass\", \"reason\": \"none\", \"facts\": {}}"},
    {"negative", "{\"reading\": -1, \"verdict\": \"pass\", \"reason\": \"none\", \"facts\": {}}"},
    {"id-is-text",
     "{\"reading\": \"%lld\", \"verdict\": \"pass\", \"reason\": \"none\", \"facts\": {}}"},
    {"no-verdict", "{\"reading\": %lld, \"reason\": \"none\", \"facts\": {}}"},
    {"verdict", "{\"reading\": %lld, \"verdict\": \"maybe\", \"reason\": \"none\", \"facts\": {}}"},
    {"verdict-is-number",
     "{\"reading\": %lld, \"verdict\": 1, \"reason\": \"none\", \"facts\": {}}"},
    {"reason",
     "{\"reading\": %lld, \"verdict\": \"fail\", \"reason\": \"because\", \"facts\": {}}"},
    {"no-facts", "{\"reading\": %lld, \"verdict\": \"pass\", \"reason\": \"none\"}"},
    {"facts-are-list",
     "{\"reading\": %lld, \"verdict\": \"pass\", \"reason\": \"none\", \"facts\": []}"},
    {"deep-facts", "{\"reading\": %lld, \"verdict\": \"pass\", \"reason\": \"none\", \"facts\": "
                   "{\"a\": {\"b\": 1}}}"},
    {"real-facts", "{\"reading\": %lld, \"verdict\": \"pass\", \"reason\": \"none\", \"facts\": "
                   "{\"a\": 1.5}}"},
    {"detail-is-list", "{\"reading\": %lld, \"verdict\": \"pass\", \"reason\": \"none\", "
                       "\"facts\": {}, \"detail\": []}"},
    {"pong", "{\"pong\": %lld}"},
    {"look", "{\"look\": %lld}"},
};

static void say(const char *format, long long id)
{
    char text[512];
    /* A table of this file is the format. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int n = snprintf(text, sizeof text, format, id);
#pragma GCC diagnostic pop
    (void)send(SOCKET, text, (size_t)n, MSG_NOSIGNAL);
}

static void say_good(long long id)
{
    say("{\"reading\": %lld, \"verdict\": \"pass\", \"reason\": \"none\", \"facts\": {\"n\": 1}}",
        id);
}

static void say_long(void)
{
    static char text[FRAME_BYTES_MAX + 1];
    memset(text, ' ', sizeof text);
    text[0] = '{';
    text[1] = '}';
    (void)send(SOCKET, text, sizeof text, MSG_NOSIGNAL);
}

/* A right answer with descriptors beside it, which nobody asked for. */
static void say_with_descriptors(long long id)
{
    OWNED(json_decref) json_t *m = json_object();
    const struct frame_fds fds = {.at = {0, 0, 0, 0}, .count = FRAME_FDS_MAX};
    struct err e;
    json_put(m, "reading", json_integer(id));
    json_put(m, "verdict", json_string("pass"));
    json_put(m, "reason", json_string("none"));
    json_put(m, "facts", json_object());
    (void)frame_send(SOCKET, m, &fds, &e);
}

static void say_many_facts(long long id)
{
    OWNED(json_decref) json_t *m = json_object();
    json_t *facts = json_object();
    struct err e;
    for (int i = 0; i < 1000; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "fact%d", i);
        json_put(facts, key, json_integer(i));
    }
    json_put(m, "reading", json_integer(id));
    json_put(m, "verdict", json_string("pass"));
    json_put(m, "reason", json_string("none"));
    json_put(m, "facts", facts);
    (void)frame_send(SOCKET, m, NULL, &e);
}

/* What it was started with: descriptors and environment, as facts. */
static void say_inside(long long id)
{
    extern char **environ;
    OWNED(json_decref) json_t *m = json_object();
    json_t *facts = json_object();
    struct err e;
    struct buf names = {0};
    for (char **at = environ; *at; at++)
        buf_printf(&names, "%s ", *at);
    json_put(facts, "environment", json_text(buf_string(&names), names.length));
    buf_clear(&names);
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            buf_printf(&names, "%d ", fd);
    json_put(facts, "descriptors", json_text(buf_string(&names), names.length));
    buf_fini(&names);
    sigset_t blocked;
    (void)sigprocmask(SIG_SETMASK, NULL, &blocked);
    json_put(facts, "blocked", json_integer(sigismember(&blocked, SIGTERM)));
    json_put(m, "reading", json_integer(id));
    json_put(m, "verdict", json_string("pass"));
    json_put(m, "reason", json_string("none"));
    json_put(m, "facts", facts);
    (void)frame_send(SOCKET, m, NULL, &e);
}

static void answer_falsely(const char *kind, long long id)
{
    static int looks;
    looks++;
    if (!strcmp(kind, "twice-nonsense")) { /* then right */
        say("nonsense", 0);
        say("{}", 0);
        say_good(id);
    } else if (!strcmp(kind, "long")) {
        say_long();
    } else if (!strcmp(kind, "descriptors")) {
        say_with_descriptors(id);
    } else if (!strcmp(kind, "many-facts")) {
        say_many_facts(id);
    } else if (!strcmp(kind, "inside")) {
        say_inside(id);
    } else if (!strcmp(kind, "answers-twice")) {
        say_good(id);
        say_good(id);
    } else if (!strcmp(kind, "one-late") && looks == 1) {
        /* answered with the next */
    } else if (!strcmp(kind, "one-late")) {
        say_good(id - 1);
        say_good(id);
    } else if (!strcmp(kind, "dies-asked")) {
        _exit(1);
    } else if (!strcmp(kind, "closes")) {
        (void)close(SOCKET);
        (void)pause();
    } else if (!strcmp(kind, "flood")) {
        for (;;)
            if (send(SOCKET, "{\"x\":1}", 7, MSG_NOSIGNAL) < 0)
                _exit(0);
    }
    for (size_t i = 0; i < sizeof nonsenses / sizeof *nonsenses; i++)
        if (!strcmp(kind, nonsenses[i].kind))
            say(nonsenses[i].answer, id);
}

static int be_false(const char *kind)
{
    json_setup();
    if (!strcmp(kind, "dead"))
        return 0;
    for (;;) {
        struct pollfd p = {.fd = SOCKET, .events = POLLIN};
        json_t *m = NULL;
        struct err e;
        (void)poll(&p, 1, -1);
        int r = frame_receive(SOCKET, &m, NULL, &e);
        if (r == -EAGAIN)
            continue;
        if (r <= 0)
            return 0;
        long long look = json_get_int(m, "look", 0), number = json_get_int(m, "ping", 0);
        json_decref(m);
        if (look)
            answer_falsely(kind, look);
        else if (!strcmp(kind, "wrong-pong"))
            say("{\"pong\": %lld}", number + 1);
        else if (strcmp(kind, "no-pong") != 0)
            say("{\"pong\": %lld}", number);
    }
}

/* ---- the agent's side ---- */

struct world {
    char path[64];
    struct root *root;
    struct loop *loop;
    struct remote *remote;
    struct view view;
    struct pool *pool;
    struct probe probes[PROBES];
    unsigned readings[PROBES], healths;
    struct reading last[PROBES];
    char details[PROBES][256];
};

static int setup(void **state)
{
    struct world *w = mem_new(struct world);
    struct err e;
    json_setup();
    strcpy(w->path, "/tmp/planeguard-remote-XXXXXX");
    if (!mkdtemp(w->path) || root_open(w->path, &w->root, &e) < 0 || loop_new(&w->loop, &e) < 0)
        return -1;
    w->pool = pool_new();
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    remote_free(w->remote);
    (void)sd_event_run(loop_sd_event(w->loop), 100 * USEC_PER_MSEC); /* reaps it */
    loop_free(w->loop);
    root_free(w->root);
    pool_free(w->pool);
    for (size_t i = 0; i < PROBES; i++)
        json_decref(w->last[i].facts);
    OWNED(free) char *removal = mem_printf("rm -rf %s", w->path);
    free(w);
    return system(removal);
}

static void on_report(struct probe *p, const struct reading *r)
{
    struct world *w = p->owner;
    size_t i = (size_t)(p - w->probes);
    json_decref(w->last[i].facts);
    w->last[i] = *r;
    w->last[i].facts = json_incref(r->facts);
    (void)snprintf(w->details[i], sizeof w->details[i], "%s", r->detail ? r->detail : "");
    w->readings[i]++;
}

static void on_wake(struct probe *p)
{
    (void)p;
}

static void on_health(void *context)
{
    struct world *w = context;
    w->healths++;
}

static void turn_for(struct world *w, uint64_t usec)
{
    for (uint64_t end = clock_boot_usec() + usec; clock_boot_usec() < end;)
        assert_true(sd_event_run(loop_sd_event(w->loop), 10 * USEC_PER_MSEC) >= 0);
}

static void set_probe(struct world *w, size_t i, const char *yaml)
{
    static const char *const names[PROBES] = {"zero", "one", "two", "three"};
    struct yaml *y = NULL;
    struct err e;
    void *args = pool_alloc(w->pool, probe_https.kind.args_size);
    if (yaml_parse(w->pool, "args", yaml, strlen(yaml), &y, &e) < 0 ||
        fields_decode(probe_https.kind.fields, w->pool, y, args, &e) < 0)
        fail_msg("%s", e.text);
    w->probes[i] = (struct probe){.view = &w->view,
                                  .name = names[i],
                                  .kind = &probe_https,
                                  .args = args,
                                  .timeout_usec = 2 * USEC_PER_SEC,
                                  .report = on_report,
                                  .wake = on_wake,
                                  .owner = w};
}

static void begin(struct world *w, const char *const *argv, const char *user)
{
    struct err e;
    assert_int_equal(remote_new(w->loop, w->root, argv, user, &w->remote, &e), 0);
    w->view = (struct view){.loop = w->loop, .root = w->root, .remote = w->remote};
    remote_on_health(w->remote, on_health, w);
    for (size_t i = 0; i < PROBES; i++)
        set_probe(w, i, "{url: \"http://127.0.0.1:1/\"}");
}

static void begin_false(struct world *w, const char *kind)
{
    static char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    const char *const argv[] = {self, "false", kind, NULL};
    begin(w, argv, NULL);
}

static void wait_alive(struct world *w, bool alive, uint64_t usec)
{
    uint64_t end = clock_boot_usec() + usec;
    while (remote_health(w->remote).alive != alive && clock_boot_usec() < end)
        turn_for(w, 10 * USEC_PER_MSEC);
    assert_int_equal(remote_health(w->remote).alive, alive);
}

static void begin_real(struct world *w)
{
    const char *observer = getenv("PLANEGUARD_OBSERVER");
    if (!observer)
        skip();
    OWNED(free) char *path = mem_must(realpath(observer, NULL));
    const char *const argv[] = {path, NULL};
    begin(w, argv, geteuid() == 0 ? "nobody" : NULL);
    wait_alive(w, true, 5 * USEC_PER_SEC);
}

static void look(struct world *w, size_t i)
{
    w->probes[i].looking = true;
    remote_look(w->remote, &w->probes[i]);
}

static void wait_reading(struct world *w, size_t i, unsigned count, uint64_t usec)
{
    uint64_t end = clock_boot_usec() + usec;
    while (w->readings[i] < count && clock_boot_usec() < end)
        assert_true(sd_event_run(loop_sd_event(w->loop), 10 * USEC_PER_MSEC) >= 0);
    assert_int_equal(w->readings[i], count);
}

static void expect_reading(struct world *w, size_t i, enum verdict v, enum reason r)
{
    if (w->last[i].verdict != v || w->last[i].reason != r)
        print_error("%s\n", w->details[i]);
    assert_string_equal(words_name(&reason_words, (int)w->last[i].reason),
                        words_name(&reason_words, (int)r));
    assert_int_equal(w->last[i].verdict, v);
}

static void look_and_expect(struct world *w, size_t i, enum verdict v, enum reason r)
{
    unsigned before = w->readings[i];
    look(w, i);
    wait_reading(w, i, before + 1, 8 * USEC_PER_SEC);
    expect_reading(w, i, v, r);
}

/* As the schedule does it when its deadline is over. */
static void cancel(struct world *w, size_t i)
{
    remote_cancel(w->remote, &w->probes[i]);
    assert_true(w->probes[i].looking);
    w->probes[i].looking = false;
}

/* ---- the real one ---- */

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

static void put(struct world *w, const char *name, const char *text)
{
    OWNED(free) char *path = mem_printf("%s/%s", w->path, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void set_probe_at(struct world *w, size_t i, const struct hostile *h, const char *more)
{
    OWNED(free)
    char *yaml =
        mem_printf("{url: \"http%s://127.0.0.1:%d/\"%s}", *more ? "s" : "", hostile_port(h), more);
    set_probe(w, i, yaml);
}

static void test_real_looks(void **state)
{
    struct world *w = *state;
    begin_real(w);
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
    look_and_expect(w, 0, SIGNAL_FAIL, REASON_CHECK_FAILED);
    assert_int_equal(json_get_int(w->last[0].facts, "status", 0), 500);
    assert_string_equal(json_get_string(w->last[0].facts, "checks", ""), "a/b etcd");
    assert_int_equal(json_object_size(w->last[0].facts), 2);

    set_probe_at(w, 1, tls, ", ca: /ca.crt");
    for (int i = 0; i < 5; i++)
        look_and_expect(w, 1, SIGNAL_PASS, REASON_NONE);
    set_probe_at(w, 2, tls, ", ca: /link.crt"); /* the same authority: the same connection */
    look_and_expect(w, 2, SIGNAL_PASS, REASON_NONE);
    assert_int_equal(hostile_connections(tls), 1);
    assert_int_equal(hostile_requests(tls), 6);

    /* Another argument, another authority, none. */
    set_probe_at(w, 1, tls, ", ca: /ca.crt, okStatus: 204");
    look_and_expect(w, 1, SIGNAL_FAIL, REASON_HTTP_ERROR);
    set_probe_at(w, 1, tls, ", ca: /other.crt");
    look_and_expect(w, 1, SIGNAL_FAIL, REASON_TLS_UNTRUSTED);
    set_probe_at(w, 1, tls, ", ca: /empty.crt");
    look_and_expect(w, 1, SIGNAL_UNKNOWN, REASON_UNREADABLE);
    set_probe_at(w, 1, tls, ", ca: /absent.crt");
    look_and_expect(w, 1, SIGNAL_UNKNOWN, REASON_UNREADABLE);
    put(w, "ca.crt", other->pem); /* a rotated bundle is seen at the next look */
    set_probe_at(w, 1, tls, ", ca: /ca.crt");
    look_and_expect(w, 1, SIGNAL_FAIL, REASON_TLS_UNTRUSTED);
    set_probe(w, 3, "{url: \"http://127.0.0.1:1/\"}");
    look_and_expect(w, 3, SIGNAL_FAIL, REASON_REFUSED);
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
    struct world *w = *state;
    begin_real(w);
    struct hostile *h = hostile_start(be_silent, NULL);
    set_probe_at(w, 0, h, "");
    uint64_t began = clock_boot_usec();
    look(w, 0);
    wait_reading(w, 0, 1, 2500 * USEC_PER_MSEC);
    expect_reading(w, 0, SIGNAL_FAIL, REASON_TIMEOUT);
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
    struct world *w = *state;
    begin_real(w);
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
    struct world *w = *state;
    begin_real(w);
    struct hostile *silent = hostile_start(be_silent, NULL), *well = hostile_start(answer_ok, NULL);
    set_probe_at(w, 0, silent, "");
    set_probe_at(w, 1, silent, "");
    set_probe_at(w, 2, well, "");
    look(w, 0);
    look(w, 1);
    turn_for(w, 50 * USEC_PER_MSEC);
    pid_t pid = remote_health(w->remote).pid;
    assert_int_equal(kill(pid, SIGKILL), 0);
    wait_reading(w, 0, 1, USEC_PER_SEC);
    wait_reading(w, 1, 1, USEC_PER_SEC);
    expect_reading(w, 0, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    expect_reading(w, 1, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    assert_false(remote_health(w->remote).alive);
    look(w, 2); /* at once, while it is down */
    assert_int_equal(w->readings[2], 1);
    expect_reading(w, 2, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    wait_alive(w, true, 5 * USEC_PER_SEC);
    assert_int_equal(remote_health(w->remote).starts, 2);
    assert_true(remote_health(w->remote).pid != pid);
    assert_int_equal(w->healths, 3); /* alive, dead, alive */
    look_and_expect(w, 2, SIGNAL_PASS, REASON_NONE);
    hostile_stop(silent);
    hostile_stop(well);
}

/* Stopped it looks alive; its silence at an overdue look and then at a ping is its end. */
static void test_real_stopped(void **state)
{
    struct world *w = *state;
    begin_real(w);
    struct hostile *h = hostile_start(answer_ok, NULL);
    set_probe_at(w, 0, h, "");
    set_probe_at(w, 1, h, "");
    pid_t pid = remote_health(w->remote).pid;
    assert_int_equal(kill(pid, SIGSTOP), 0);
    look(w, 0);
    turn_for(w, w->probes[0].timeout_usec + 50 * USEC_PER_MSEC);
    assert_int_equal(w->readings[0], 0);
    assert_true(remote_health(w->remote).alive);
    cancel(w, 0);
    look(w, 1);
    wait_reading(w, 1, 1, 6 * USEC_PER_SEC);
    expect_reading(w, 1, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    assert_int_equal(w->readings[0], 0); /* cancelled: never reported */
    wait_alive(w, true, 5 * USEC_PER_SEC);
    assert_int_equal(kill(pid, 0), -1);
    look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    hostile_stop(h);
}

static bool is_gone(pid_t pid)
{
    char path[64], text[512] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return true;
    (void)!fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    const char *end = strrchr(text, ')');
    return !end || end[2] == 'Z'; /* whose parent doesn't care */
}

static void test_real_ends_with_the_agent(void **state)
{
    struct world *w = *state;
    int pipe_fds[2];
    pid_t observer = 0;
    if (!getenv("PLANEGUARD_OBSERVER"))
        skip();
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t agent = fork();
    assert_true(agent >= 0);
    if (agent == 0) {
        struct world own = {0};
        struct err e;
        if (loop_new(&own.loop, &e) < 0)
            _exit(1);
        own.root = w->root;
        own.pool = w->pool;
        begin_real(&own);
        observer = remote_health(own.remote).pid;
        (void)!write(pipe_fds[1], &observer, sizeof observer);
        (void)raise(SIGKILL);
    }
    assert_int_equal(read(pipe_fds[0], &observer, sizeof observer), sizeof observer);
    assert_int_equal(waitpid(agent, NULL, 0), agent);
    for (int i = 0; i < 200 && !is_gone(observer); i++)
        (void)usleep(10000);
    assert_true(is_gone(observer));
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
}

/* ---- false ones ---- */

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void expect_nonsense(const char *kind)
{
    void *state = NULL;
    assert_int_equal(setup(&state), 0);
    struct world *w = state;
    begin_false(w, kind);
    wait_alive(w, true, 5 * USEC_PER_SEC);
    pid_t pid = remote_health(w->remote).pid;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(remote_health(w->remote).pid, pid);
        look(w, i);
        uint64_t end = clock_boot_usec() + 2 * USEC_PER_SEC;
        while (remote_health(w->remote).nonsense < i + 1 && clock_boot_usec() < end)
            turn_for(w, 5 * USEC_PER_MSEC);
        if (remote_health(w->remote).nonsense != i + 1)
            print_error("%s\n", kind);
        assert_int_equal(remote_health(w->remote).nonsense, i + 1);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(w->readings[i], 1);
        expect_reading(w, i, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    }
    assert_false(remote_health(w->remote).alive);
    assert_int_equal(remote_health(w->remote).pid, 0);
    assert_non_null(strstr(remote_health(w->remote).why, "nonsense"));
    assert_int_equal(teardown(&state), 0);
}

static void test_nonsense(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nonsenses / sizeof *nonsenses; i++)
        expect_nonsense(nonsenses[i].kind);
    expect_nonsense("long");
    expect_nonsense("many-facts");
}

static void test_nonsense_among_sense(void **state)
{
    struct world *w = *state;
    begin_false(w, "twice-nonsense");
    look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    assert_int_equal(json_get_int(w->last[0].facts, "n", 0), 1);
    assert_int_equal(remote_health(w->remote).nonsense, 2);
    assert_true(remote_health(w->remote).alive);
    look(w, 0); /* once more, and that was it */
    wait_reading(w, 0, 2, 2 * USEC_PER_SEC);
    expect_reading(w, 0, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    assert_int_equal(remote_health(w->remote).nonsense, 3);
    /* The next one begins from nothing. */
    wait_alive(w, true, 5 * USEC_PER_SEC);
    look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    assert_true(remote_health(w->remote).alive);
}

static void test_second_answer_is_nonsense(void **state)
{
    struct world *w = *state;
    begin_false(w, "answers-twice");
    look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    turn_for(w, 100 * USEC_PER_MSEC);
    assert_int_equal(w->readings[0], 1);
    assert_int_equal(remote_health(w->remote).nonsense, 1);
}

static void test_late_answer_is_none(void **state)
{
    struct world *w = *state;
    begin_false(w, "one-late");
    wait_alive(w, true, 5 * USEC_PER_SEC);
    look(w, 0);
    turn_for(w, 50 * USEC_PER_MSEC);
    cancel(w, 0);
    look_and_expect(w, 1, SIGNAL_PASS, REASON_NONE);
    assert_int_equal(w->readings[0], 0);
    assert_int_equal(remote_health(w->remote).nonsense, 0);
}

static void test_descriptors_are_closed(void **state)
{
    struct world *w = *state;
    begin_false(w, "descriptors");
    look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    int before = open_descriptors();
    for (int i = 0; i < 20; i++)
        look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    assert_int_equal(open_descriptors(), before);
}

static void test_flood(void **state)
{
    struct world *w = *state;
    begin_false(w, "flood");
    wait_alive(w, true, 5 * USEC_PER_SEC);
    look(w, 0);
    wait_reading(w, 0, 1, 2 * USEC_PER_SEC);
    expect_reading(w, 0, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
    assert_int_equal(remote_health(w->remote).nonsense, 3);
}

static void test_what_it_is_started_with(void **state)
{
    struct world *w = *state;
    assert_int_equal(setenv("LD_PRELOAD_OF_A_TEST", "secret", 1), 0);
    begin_false(w, "inside");
    assert_int_equal(unsetenv("LD_PRELOAD_OF_A_TEST"), 0);
    look_and_expect(w, 0, SIGNAL_PASS, REASON_NONE);
    const json_t *facts = w->last[0].facts;
    assert_string_equal(json_get_string(facts, "environment", ""),
                        "PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/ ");
    assert_string_equal(json_get_string(facts, "descriptors", ""), "0 1 2 3 ");
    assert_int_equal(json_get_int(facts, "blocked", -1), 0);
}

/* Ends in each way with looks under way: each is answered once. */
static void test_ends_when_asked(void **state)
{
    (void)state;
    static const char *const kinds[] = {"dies-asked", "closes"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        void *own = NULL;
        assert_int_equal(setup(&own), 0);
        struct world *w = own;
        begin_false(w, kinds[i]);
        wait_alive(w, true, 5 * USEC_PER_SEC);
        for (size_t k = 0; k < PROBES; k++)
            look(w, k);
        for (size_t k = 0; k < PROBES; k++) {
            wait_reading(w, k, 1, 2 * USEC_PER_SEC);
            expect_reading(w, k, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
        }
        assert_false(remote_health(w->remote).alive);
        assert_int_equal(teardown(&own), 0);
    }
}

/* Started again after 1 s, 2 s, 4 s: never alive meanwhile. */
static void test_pauses_double(void **state)
{
    (void)state;
    static const char *const absent[] = {"/no/such/program", NULL}, *const relative[] = {"x", NULL};
    for (int i = 0; i < 3; i++) {
        void *own = NULL;
        assert_int_equal(setup(&own), 0);
        struct world *w = own;
        if (i == 0)
            begin_false(w, "dead");
        else
            begin(w, i == 1 ? absent : relative, NULL);
        turn_for(w, 3600 * USEC_PER_MSEC);
        struct remote_health h = remote_health(w->remote);
        assert_false(h.alive);
        assert_true(strlen(h.why) > 0);
        assert_int_equal(h.starts, i == 2 ? 0 : 3); /* at 0, 1 and 3 s */
        assert_int_equal(w->healths, 0);
        look(w, 0);
        assert_int_equal(w->readings[0], 1);
        expect_reading(w, 0, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN);
        assert_int_equal(teardown(&own), 0);
    }
}

/* One that never answers a ping never was alive, and doesn't live long. */
static void test_no_pong(void **state)
{
    (void)state;
    static const char *const kinds[] = {"no-pong", "wrong-pong"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        void *own = NULL;
        assert_int_equal(setup(&own), 0);
        struct world *w = own;
        begin_false(w, kinds[i]);
        turn_for(w, 4 * USEC_PER_SEC);
        pid_t pid = remote_health(w->remote).pid;
        assert_true(pid > 0);
        assert_false(remote_health(w->remote).alive);
        turn_for(w, 1500 * USEC_PER_MSEC);
        assert_true(is_gone(pid));
        assert_int_equal(w->healths, 0);
        assert_int_equal(remote_health(w->remote).nonsense, i);
        assert_int_equal(teardown(&own), 0);
    }
}

/* The probe kind `observer`, which looks at that health. */
static void test_observer_probe(void **state)
{
    struct world *w = *state;
    begin_false(w, "dies-asked");
    struct probe p = {.view = &w->view,
                      .name = "observer",
                      .kind = &probe_observer,
                      .report = on_report,
                      .wake = on_wake,
                      .owner = w};
    w->probes[3] = p;
    struct probe *at = &w->probes[3];
    at->looking = true;
    at->kind->look(at);
    expect_reading(w, 3, SIGNAL_UNKNOWN, REASON_STARTING);
    wait_alive(w, true, 5 * USEC_PER_SEC);
    at->looking = true;
    at->kind->look(at);
    expect_reading(w, 3, SIGNAL_PASS, REASON_NONE);
    look(w, 0);
    wait_reading(w, 0, 1, 2 * USEC_PER_SEC);
    at->looking = true;
    at->kind->look(at);
    expect_reading(w, 3, SIGNAL_FAIL, REASON_NOT_RUNNING);
    assert_int_equal(json_get_int(w->last[3].facts, "starts", 0), 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "false"))
        return be_false(argv[2]);
    const struct CMUnitTest tests[] = {
        CASE(test_real_looks),
        CASE(test_real_timeout),
        CASE(test_real_has_no_privileges),
        CASE(test_real_killed),
        CASE(test_real_stopped),
        CASE(test_real_ends_with_the_agent),
        cmocka_unit_test(test_nonsense),
        CASE(test_nonsense_among_sense),
        CASE(test_second_answer_is_nonsense),
        CASE(test_late_answer_is_none),
        CASE(test_descriptors_are_closed),
        CASE(test_flood),
        CASE(test_what_it_is_started_with),
        cmocka_unit_test(test_ends_when_asked),
        cmocka_unit_test(test_pauses_double),
        cmocka_unit_test(test_no_pong),
        CASE(test_observer_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
