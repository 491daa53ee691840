/* The observer, as a hostile agent and a hostile network see it. Lines of the input: `{...}` is a
 * frame from the agent, with a descriptor if `+` stands before it; `<CODE BODY` is the network's
 * answer to the oldest request. Readings are well-formed, and no descriptor stays open. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/mem.h"
#include "fuzz.h"
#include "loop/socket.h"
#include "net/net.h"
#include "observe/served.h"

enum { ASKED_MAX = 16 };

struct asked {
    void (*done)(void *context, const struct http_response *response);
    void *context;
};

struct world {
    struct asked *asked[ASKED_MAX];
    size_t count, readings;
    unsigned ended;
    int pair[2];
};

static void *ask(void *context, const struct http_request *r,
                 void (*done)(void *done_context, const struct http_response *response),
                 void *done_context)
{
    struct world *w = context;
    fuzz_must(r->url && fuzz_is_printable(r->url) && (!r->ca_pem || r->ca_length));
    struct asked *a = mem_new(struct asked);
    *a = (struct asked){done, done_context};
    if (w->count == ASKED_MAX)
        abort();
    w->asked[w->count++] = a;
    return a;
}

static void forget(struct world *w, const struct asked *a)
{
    size_t i = 0;
    while (i < w->count && w->asked[i] != a)
        i++;
    fuzz_must(i < w->count);
    memmove(w->asked + i, w->asked + i + 1, (--w->count - i) * sizeof *w->asked);
}

static void cancel(void *context, void *started)
{
    forget(context, started);
    free(started);
}

static void answer(struct world *w, const char *line)
{
    struct http_response r = {.status = atoi(line)};
    if (!w->count)
        return;
    OWNED(free) struct asked *a = w->asked[0];
    forget(w, a);
    for (const char *body = strchr(line, ' '); body && *body; body++)
        buf_add(&r.body, *body == '\t' ? "\n" : body, 1);
    a->done(a->context, &r);
    buf_fini(&r.body);
}

static void on_ended(void *context)
{
    struct world *w = context;
    w->ended++;
}

static void send_frame(struct world *w, const char *line, size_t length)
{
    bool has_file = *line == '+';
    struct err e = {0};
    json_t *m = json_parse(line + has_file, length - has_file, NULL);
    struct frame_fds fds = {0};
    if (has_file) {
        fds.at[fds.count++] = memfd_create("ca", MFD_CLOEXEC);
        fuzz_must(write(fds.at[0], "CA", 2) == 2);
    }
    if (m)
        (void)frame_send(w->pair[0], m, &fds, &e);
    frame_fds_close(&fds);
    json_decref(m);
}

/* What the agent would get. */
static void take_answers(struct world *w)
{
    json_t *m = NULL;
    struct err e = {0};
    while (frame_receive(w->pair[0], &m, NULL, &e) == 1) {
        if (json_object_get(m, "reading")) {
            const char *key;
            json_t *fact;
            fuzz_must(words_find(&verdict_words, json_get_string(m, "verdict", "")) >= 0);
            fuzz_must(words_find(&reason_words, json_get_string(m, "reason", "")) >= 0);
            fuzz_must(json_is_object(json_object_get(m, "facts")));
            json_object_foreach (json_object_get(m, "facts"), key, fact)
                fuzz_must(json_is_integer(fact) || fuzz_is_printable(json_string_value(fact)));
            w->readings++;
        } else {
            fuzz_must(json_is_integer(json_object_get(m, "pong")));
        }
        json_decref(m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct loop *loop;
    struct fuzz_input in = {bytes, length};
    struct world w = {0};
    struct err e = {0};
    if (!loop)
        fuzz_must(loop_new(&loop, &e) == 0);
    int before = fuzz_next_descriptor();
    fuzz_must(socket_pair(w.pair, &e) == 0);
    struct net net = {.context = &w, .http_start = ask, .http_cancel = cancel};
    struct view view = {.loop = loop, .net = &net};
    struct served *s = NULL;
    fuzz_must(served_new(&view, w.pair[1], on_ended, &w, &s, &e) == 0);
    size_t n, lines = 0;
    for (char *line; lines < 32 && (line = fuzz_line(&in, &n)); free(line), lines++) {
        if (*line == '<')
            answer(&w, line + 1);
        else if (w.count < ASKED_MAX)
            send_frame(&w, line, n);
        (void)sd_event_run(loop_sd_event(loop), 0);
        take_answers(&w);
        fuzz_must(w.ended == 0 && w.readings <= lines + 1);
    }
    served_free(s);
    fuzz_must(w.count == 0);
    (void)close(w.pair[0]);
    (void)close(w.pair[1]);
    fuzz_must(fuzz_next_descriptor() == before);
    return 0;
}
