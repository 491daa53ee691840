#include "observe/served.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/socket.h"

/* One probe that was asked for: its arguments stay decoded, since they rarely change. */
struct entry {
    struct entry *next;
    struct served *served;
    char *name, *args_text;
    struct pool *pool;
    struct probe probe;
    uint64_t id;
};

struct served {
    const struct view *view;
    int socket;
    struct io *io;
    struct entry *entries;
    void (*ended)(void *context);
    void *context;
};

static void answer(struct served *s, json_t *message)
{
    struct err e;
    /* A socket that can't take it is the agent's to notice: the look is overdue there. */
    (void)frame_send(s->socket, message, NULL, &e);
    json_decref(message);
}

static void answer_reading(struct served *s, uint64_t id, const struct reading *r)
{
    json_t *m = json_object();
    json_put(m, "reading", json_integer((json_int_t)id));
    json_put(m, "verdict", json_string(words_name(&verdict_words, (int)r->verdict)));
    json_put(m, "reason", json_string(words_name(&reason_words, (int)r->reason)));
    json_put(m, "facts", r->facts ? json_incref(r->facts) : json_object());
    json_put(m, "detail", json_string_or_null(r->detail ? r->detail : ""));
    answer(s, m);
}

static void on_report(struct probe *p, const struct reading *r)
{
    struct entry *en = p->owner;
    answer_reading(en->served, en->id, r);
}

/* ---- entries ---- */

static struct entry *entry_of(struct served *s, const char *name)
{
    for (struct entry *en = s->entries; en; en = en->next)
        if (!strcmp(en->name, name))
            return en;
    struct entry *en = mem_new(struct entry);
    en->served = s;
    en->name = mem_strdup(name);
    en->next = s->entries;
    s->entries = en;
    return en;
}

static void entry_stop(struct entry *en)
{
    if (!en->probe.looking)
        return;
    en->probe.kind->cancel(&en->probe);
    en->probe.looking = false;
}

static void entry_free(struct entry *en)
{
    entry_stop(en);
    pool_free(en->pool);
    free(en->args_text);
    free(en->name);
    free(en);
}

static const struct probe_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < probe_kind_count; i++) {
        const struct probe_kind *k = probe_kind_of(probe_kinds[i]);
        if (k->side == SIDE_NETWORK && !strcmp(k->kind.name, name))
            return k;
    }
    return NULL;
}

/* The arguments decoded by the kind's own table: JSON is YAML. */
static int decode(struct entry *en, const struct probe_kind *k, const char *text, struct err *e)
{
    struct pool *pool = pool_new();
    struct yaml *y = NULL;
    void *args = pool_alloc(pool, k->kind.args_size);
    int r = yaml_parse(pool, en->name, text, strlen(text), &y, e);
    if (r >= 0)
        r = fields_decode(k->kind.fields, pool, y, args, e);
    if (r < 0) {
        pool_free(pool);
        return r;
    }
    pool_free(en->pool);
    free(en->args_text);
    en->pool = pool;
    en->args_text = mem_strdup(text);
    en->probe.args = args;
    en->probe.kind = k;
    return 0;
}

/* ---- frames ---- */

static int prepare(struct entry *en, const json_t *m, struct err *e)
{
    const struct probe_kind *k = find_kind(json_get_string(m, "kind", ""));
    const json_t *args = json_object_get(m, "args");
    if (!k || !json_is_object(args))
        return err_set(e, -EINVAL, "no network kind of that name, or no arguments");
    OWNED(free) char *text = json_canonical(args);
    if (en->args_text && en->probe.kind == k && !strcmp(en->args_text, text))
        return 0;
    return decode(en, k, text, e);
}

static void take_look(struct served *s, const json_t *m, const struct frame_fds *fds)
{
    struct entry *en = entry_of(s, json_get_string(m, "name", ""));
    struct err e = {0};
    entry_stop(en);
    en->id = (uint64_t)json_get_int(m, "look", 0);
    if (prepare(en, m, &e) < 0) {
        const struct reading r = {
            .verdict = SIGNAL_UNKNOWN, .reason = REASON_TOOL_FAILED, .detail = e.text};
        answer_reading(s, en->id, &r);
        return;
    }
    struct probe *p = &en->probe;
    p->view = s->view;
    p->name = en->name;
    p->timeout_usec = (uint64_t)json_get_int(m, "timeoutUsec", 0);
    p->report = on_report;
    p->owner = en;
    p->file_count = fds->count;
    memcpy(p->files, fds->at, sizeof p->files);
    p->looking = true;
    p->kind->look(p); /* takes what it needs of the descriptors at once */
    p->file_count = 0;
}

static void take_frame(struct served *s, const json_t *m, const struct frame_fds *fds)
{
    if (json_object_get(m, "look")) {
        take_look(s, m, fds);
    } else if (json_object_get(m, "ping")) {
        json_t *pong = json_object();
        json_put(pong, "pong", json_integer(json_get_int(m, "ping", 0)));
        answer(s, pong);
    }
}

static void on_frame(void *context, uint32_t events)
{
    struct served *s = context;
    (void)events;
    for (;;) {
        json_t *m = NULL;
        struct frame_fds fds = {0};
        struct err e = {0};
        int r = frame_receive(s->socket, &m, &fds, &e);
        if (r == -EAGAIN)
            return;
        if (r <= 0) {
            s->ended(s->context);
            return;
        }
        take_frame(s, m, &fds);
        frame_fds_close(&fds);
        json_decref(m);
    }
}

int served_new(const struct view *view, int socket, void (*ended)(void *context), void *context,
               struct served **ret, struct err *e)
{
    OWNED(served_free) struct served *s = mem_new(struct served);
    s->view = view;
    s->socket = socket;
    s->ended = ended;
    s->context = context;
    int r = io_new(view->loop, socket, EPOLLIN, on_frame, s, &s->io, e);
    if (r < 0)
        return r;
    *ret = TAKE(s);
    return 0;
}

void served_free(struct served *s)
{
    if (!s)
        return;
    io_free(s->io);
    while (s->entries) {
        struct entry *en = s->entries;
        s->entries = en->next;
        entry_free(en);
    }
    free(s);
}
