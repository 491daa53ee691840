#include "cmd/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "engine/engine.h"
#include "loop/socket.h"

enum { ANSWER_TIMEOUT_MSEC = 90 * 1000 };

static int connect_agent(const struct options *o, int *ret_socket)
{
    OWNED(root_free) struct root *root = NULL;
    struct err e = {0};
    if (root_open(o->root, &root, &e) < 0) {
        (void)fprintf(stderr, "planeguard: %s\n", e.text);
        return EXIT_ERROR;
    }
    int r = socket_connect(root, CONTROL_PATH, ret_socket, &e);
    if (r >= 0)
        return 0;
    bool absent = r == -ENOENT || r == -ECONNREFUSED;
    (void)fprintf(stderr,
                  absent ? "planeguard: the agent is not running below %s\n"
                         : "planeguard: the agent below %s can't be asked\n",
                  o->root);
    if (!absent)
        (void)fprintf(stderr, "planeguard: %s\n", e.text);
    return absent ? EXIT_NOT_RUNNING : EXIT_ERROR;
}

static json_t *converse(int socket, const char *question, const char *what, struct err *e)
{
    OWNED(json_decref) json_t *message = json_object();
    json_put(message, "ask", json_string(question));
    if (what)
        json_put(message, "what", json_string_or_null(what));
    if (frame_send(socket, message, NULL, e) < 0)
        return NULL;
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    if (poll(&ready, 1, ANSWER_TIMEOUT_MSEC) <= 0) {
        err_set(e, -ETIMEDOUT, "the agent does not answer");
        return NULL;
    }
    json_t *answer = NULL;
    int r = frame_receive(socket, &answer, NULL, e);
    if (r == 0)
        err_set(e, -EPIPE, "the agent closed the connection");
    return r > 0 ? answer : NULL;
}

json_t *ask_agent(const struct options *o, const char *question, const char *what, int *ret_exit)
{
    OWNED(fd_close) int socket = -1;
    *ret_exit = connect_agent(o, &socket);
    if (*ret_exit)
        return NULL;
    struct err e = {0};
    OWNED(json_decref) json_t *answer = converse(socket, question, what, &e);
    const char *error = json_get_string(answer, "error", answer ? NULL : e.text);
    if (error) {
        (void)fprintf(stderr, "planeguard: %s\n", error);
        *ret_exit = EXIT_ERROR;
        return NULL;
    }
    return TAKE(answer);
}

void say_json(const json_t *value)
{
    OWNED(free) char *text = json_canonical(value);
    (void)puts(text);
}

const char *say_about(const json_t *obj, const char *key, char text[32])
{
    return duration_about((uint64_t)json_get_int(obj, key, 0), text);
}

bool say_is_colored(void)
{
    return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

const char *say_color(const char *word)
{
    static const struct {
        const char *word, *escape;
    } colors[] = {
        {"pass", "\033[32m"},      {"resolved", "\033[32m"}, {"cleared", "\033[32m"},
        {"fail", "\033[31m"},      {"failed", "\033[31m"},   {"escalated", "\033[31;1m"},
        {"unknown", "\033[33m"},   {"held", "\033[33m"},     {"suppressed", "\033[33m"},
        {"rehearsed", "\033[33m"}, {"running", "\033[36m"},  {"verifying", "\033[36m"},
        {"undoing", "\033[35m"},
    };
    for (size_t i = 0; say_is_colored() && i < sizeof colors / sizeof *colors; i++)
        if (!strcmp(colors[i].word, word))
            return colors[i].escape;
    return "";
}

const char *say_plain(void)
{
    return say_is_colored() ? "\033[0m" : "";
}

void say_text(const char *text)
{
    for (; *text; text++)
        (void)putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}
