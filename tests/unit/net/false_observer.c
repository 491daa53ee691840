#include "false_observer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"
#include "loop/socket.h"

enum { SOCKET = 3 };

/* What one answers to each look, with its id in place of %lld. */
const struct nonsense nonsenses[] = {
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

const size_t nonsense_count = sizeof nonsenses / sizeof *nonsenses;

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
    /* In the coverage build the compiler's own runtime puts a variable there before main. */
    for (char **at = environ; *at; at++)
        if (strncmp(*at, "__LLVM_PROFILE_RT_INIT_ONCE=", 28) != 0)
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
    for (size_t i = 0; i < nonsense_count; i++)
        if (!strcmp(kind, nonsenses[i].kind))
            say(nonsenses[i].answer, id);
}

int be_false(const char *kind)
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
