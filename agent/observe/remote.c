#include "observe/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/program.h"
#include "loop/socket.h"
#include "loop/worker.h"

enum {
    NONSENSE_MAX = 3, /* frames that are none of what was asked for: then it is ended */
    FACTS_MAX = 64,
    FACT_LENGTH_MAX = 4096,
    FRAMES_A_TURN = 64, /* so that a flood can't keep the loop */
};

static const uint64_t pong_within_usec = 5 * USEC_PER_SEC;
static const uint64_t backoff_first_usec = USEC_PER_SEC;
static const uint64_t backoff_most_usec = 60 * USEC_PER_SEC;
/* One that lived this long is well: its next end is news, not a repetition. */
static const uint64_t well_usec = 60 * USEC_PER_SEC;
/* For one that closed its socket: when its end isn't heard of, we go on without. */
static const uint64_t end_within_usec = USEC_PER_SEC;
/* What was cancelled may still be answered for so long. */
static const uint64_t late_within_usec = 60 * USEC_PER_SEC;

/* A look that was sent and not yet answered. */
struct sent {
    struct sent *next;
    struct probe *probe; /* NULL: it was cancelled */
    uint64_t id, at_usec;
};

struct remote {
    struct loop *loop;
    const struct root *root;
    const char **argv;
    int socket;
    struct io *io;
    struct reaper *reaper;
    struct timer *restart;
    struct timer *silence; /* how long it may owe a pong, or, its socket closed, its end */
    struct sent *sent;
    uint64_t next_id, pings, started_usec, backoff_usec;
    unsigned nonsense_now; /* of this process */
    bool pinged;
    struct remote_health health;
    bool told_alive; /* what `changed` was last called for */
    void (*changed)(void *context);
    void *changed_context;
};

static void start(struct remote *r);

/* ---- health ---- */

static void set_health(struct remote *r, bool alive, const char *why)
{
    r->health.alive = alive;
    r->health.is_starting = false;
    (void)snprintf(r->health.why, sizeof r->health.why, "%s", why);
}

static void tell_health(struct remote *r)
{
    if (r->told_alive == r->health.alive)
        return;
    r->told_alive = r->health.alive;
    if (r->changed)
        r->changed(r->changed_context);
}

struct remote_health remote_health(const struct remote *r)
{
    return r->health;
}

void remote_on_health(struct remote *r, void (*changed)(void *context), void *context)
{
    if (!changed && r->changed_context != context)
        return;
    r->changed = changed;
    r->changed_context = context;
}

/* ---- looks under way ---- */

/* Where the list holds the look of probe `p`, or, with `p` NULL, the one of that id; there is NULL
 * when there is none. */
static struct sent **sent_find(struct remote *r, const struct probe *p, uint64_t id)
{
    struct sent **at = &r->sent;
    while (*at && (p ? (*at)->probe != p : (*at)->id != id))
        at = &(*at)->next;
    return at;
}

static void sent_drop(struct sent **at)
{
    struct sent *s = *at;
    *at = s->next;
    free(s);
}

static void report_down(struct remote *r, struct probe *p)
{
    probe_report(p, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN, NULL, "%s", r->health.why);
}

/* Everything that was asked is answered with "unknown": the list is taken first, since a report may
 * begin another look. */
static void give_up_all(struct remote *r)
{
    struct sent *all = r->sent;
    r->sent = NULL;
    while (all) {
        struct sent *s = all;
        all = s->next;
        if (s->probe)
            report_down(r, s->probe);
        free(s);
    }
}

/* ---- its end ---- */

static void close_socket(struct remote *r)
{
    io_free(r->io);
    r->io = NULL;
    fd_close_owned(&r->socket);
    r->socket = -1;
}

static void forget_process(struct remote *r)
{
    close_socket(r);
    reaper_free(r->reaper); /* the loop reaps it still, though we don't hear of it */
    r->reaper = NULL;
    r->health.pid = 0;
    r->pinged = false;
    r->nonsense_now = 0;
    timer_set(r->silence, USEC_NEVER, 0);
}

/* It is gone: all it owed is unknown, and it is started again after a pause that doubles. */
static void went(struct remote *r, const char *why)
{
    uint64_t now_usec = clock_boot_usec();
    if (now_usec - r->started_usec > well_usec)
        r->backoff_usec = backoff_first_usec;
    forget_process(r);
    timer_set(r->restart, now_usec + r->backoff_usec, 0);
    r->backoff_usec =
        r->backoff_usec * 2 < backoff_most_usec ? r->backoff_usec * 2 : backoff_most_usec;
    set_health(r, false, why);
    tell_health(r);
    give_up_all(r);
}

static void end(struct remote *r, const char *why)
{
    if (r->health.pid)
        program_kill(r->health.pid);
    went(r, why);
}

static void on_ended(void *context, int status)
{
    struct remote *r = context;
    char how[WORKER_TEXT], why[96];
    (void)snprintf(why, sizeof why, "the observer %s", worker_end_text(status, how));
    went(r, why);
}

/* It has ended, or had better: how, is still to be heard, and only then worth telling. */
static void on_hangup(struct remote *r)
{
    close_socket(r);
    program_kill(r->health.pid);
    timer_set(r->silence, clock_boot_usec() + end_within_usec, 0);
    set_health(r, false, "the observer closed its socket");
    give_up_all(r);
}

static void on_silence(void *context)
{
    struct remote *r = context;
    end(r, r->socket < 0 ? "the observer closed its socket"
                         : "the observer did not answer a ping in time and was ended");
}

/* ---- what it says ---- */

static bool facts_are_flat(const json_t *facts)
{
    const char *key;
    json_t *value;
    if (!json_is_object(facts) || json_object_size(facts) > FACTS_MAX)
        return false;
    json_object_foreach ((json_t *)facts, key, value) {
        if (strlen(key) > 64 || !(json_is_integer(value) || json_is_string(value)) ||
            (json_is_string(value) && json_string_length(value) > FACT_LENGTH_MAX))
            return false;
    }
    return true;
}

/* A reading that was asked for: reported, and true. */
static bool take_reading(struct remote *r, const json_t *m)
{
    int verdict = words_find(&verdict_words, json_get_string(m, "verdict", ""));
    int reason = words_find(&reason_words, json_get_string(m, "reason", ""));
    uint64_t id = (uint64_t)json_get_int(m, "reading", 0); /* 0 is nobody's */
    const json_t *facts = json_object_get(m, "facts"), *detail = json_object_get(m, "detail");
    struct sent **at = sent_find(r, NULL, id);
    if (!*at || verdict < 0 || reason < 0 || !facts_are_flat(facts) ||
        (detail && !json_is_string(detail)))
        return false;
    struct probe *p = (*at)->probe;
    sent_drop(at);
    if (p) /* else it was cancelled meanwhile */
        probe_report(p, (enum verdict)verdict, (enum reason)reason, json_deep_copy(facts), "%s",
                     json_get_string(m, "detail", ""));
    return true;
}

static bool take_pong(struct remote *r, const json_t *m)
{
    if (!r->pinged || json_get_int(m, "pong", -1) != (long long)r->pings)
        return false;
    r->pinged = false;
    timer_set(r->silence, USEC_NEVER, 0);
    set_health(r, true, "");
    tell_health(r);
    return true;
}

static bool take_frame(struct remote *r, const json_t *m)
{
    if (json_object_get(m, "reading"))
        return take_reading(r, m);
    if (json_object_get(m, "pong"))
        return take_pong(r, m);
    return false;
}

/* False when it was one too many and the process is gone. */
static bool count_nonsense(struct remote *r)
{
    r->health.nonsense++;
    if (++r->nonsense_now < NONSENSE_MAX)
        return true;
    end(r, "the observer talked nonsense and was ended");
    return false;
}

static void on_frame(void *context, uint32_t events)
{
    struct remote *r = context;
    (void)events;
    pid_t pid = r->health.pid;
    for (int i = 0; i < FRAMES_A_TURN; i++) {
        json_t *m = NULL;
        struct err e = {0};
        int got = frame_receive(r->socket, &m, NULL, &e);
        if (got == -EAGAIN)
            return;
        if (got == 0 || (got < 0 && got != -EBADMSG)) {
            on_hangup(r);
            return;
        }
        bool sense = got > 0 && take_frame(r, m);
        json_decref(m);
        if (r->health.pid != pid || (!sense && !count_nonsense(r)))
            return;
    }
}

/* ---- its beginning ---- */

static int try_start(struct remote *r, struct err *e)
{
    int pair[2];
    r->started_usec = clock_boot_usec();
    int code = socket_pair(pair, e);
    if (code < 0)
        return code;
    pid_t pid;
    code = program_start(r->argv, pair[1], &pid, e);
    fd_close_owned(&pair[1]);
    if (code < 0) {
        fd_close_owned(&pair[0]);
        return code;
    }
    r->socket = pair[0];
    r->health.pid = pid;
    r->health.starts++;
    code = reaper_new(r->loop, pid, on_ended, r, &r->reaper, e);
    return code < 0 ? code : io_new(r->loop, r->socket, EPOLLIN, on_frame, r, &r->io, e);
}

static void ping(struct remote *r)
{
    OWNED(json_decref) json_t *m = json_object();
    struct err e = {0};
    if (r->pinged || r->socket < 0)
        return;
    json_put(m, "ping", json_integer((json_int_t)++r->pings));
    (void)frame_send(r->socket, m, NULL, &e); /* a full socket is silence, too */
    r->pinged = true;
    timer_set(r->silence, clock_boot_usec() + pong_within_usec, 0);
}

/* It is alive once it has answered: one that can't even begin never was. Looks needn't wait for
 * that. */
static void start(struct remote *r)
{
    struct err e = {0};
    if (try_start(r, &e) < 0)
        end(r, e.text);
    else
        ping(r);
}

static void on_restart(void *context)
{
    start(context);
}

/* argv, and whom to become when it is started as root. */
static const char **argv_of(const char *const *argv, const char *user)
{
    size_t count = 0;
    while (argv[count])
        count++;
    const char **copy = mem_array(const char *, count + 3);
    for (size_t i = 0; i < count; i++)
        copy[i] = mem_strdup(argv[i]);
    if (user) {
        copy[count] = mem_strdup("--user");
        copy[count + 1] = mem_strdup(user);
    }
    return copy;
}

int remote_new(struct loop *l, const struct root *root, const char *const *argv, const char *user,
               struct remote **ret, struct err *e)
{
    OWNED(remote_free) struct remote *r = mem_new(struct remote);
    r->loop = l;
    r->root = root;
    r->socket = -1;
    r->backoff_usec = backoff_first_usec;
    r->argv = argv_of(argv, user);
    r->health.is_starting = true;
    (void)snprintf(r->health.why, sizeof r->health.why, "the observer is starting");
    int code = timer_new(l, on_restart, r, &r->restart, e);
    if (code >= 0)
        code = timer_new(l, on_silence, r, &r->silence, e);
    if (code < 0)
        return code;
    start(r);
    *ret = TAKE(r);
    return 0;
}

void remote_free(struct remote *r)
{
    if (!r)
        return;
    if (r->health.pid)
        program_kill(r->health.pid);
    if (r->silence) /* else nothing was started */
        forget_process(r);
    while (r->sent) {
        struct sent *s = r->sent;
        r->sent = s->next;
        free(s);
    }
    timer_free(r->restart);
    timer_free(r->silence);
    for (size_t i = 0; r->argv && r->argv[i]; i++)
        free((char *)r->argv[i]);
    free(r->argv);
    free(r);
}

/* ---- looks ---- */

static int open_files(struct remote *r, const struct probe *p, struct frame_fds *ret, struct err *e)
{
    const char *paths[FRAME_FDS_MAX];
    size_t count = p->kind->files ? p->kind->files(p->args, paths) : 0;
    for (size_t i = 0; i < count; i++) {
        int fd = file_open(r->root, paths[i], FILE_FOLLOW, e);
        if (fd < 0)
            return fd;
        ret->at[ret->count++] = fd;
    }
    return 0;
}

static int send_look(struct remote *r, const struct probe *p, const struct frame_fds *fds,
                     struct err *e)
{
    OWNED(json_decref) json_t *m = json_object();
    json_put(m, "look", json_integer((json_int_t)r->next_id));
    json_put(m, "name", json_string(p->name));
    json_put(m, "kind", json_string(p->kind->kind.name));
    json_put(m, "args", fields_encode(p->kind->kind.fields, p->args));
    json_put(m, "timeoutUsec", json_integer((json_int_t)p->timeout_usec));
    return frame_send(r->socket, m, fds, e);
}

void remote_look(struct remote *r, struct probe *p)
{
    if (r->socket < 0) {
        report_down(r, p);
        return;
    }
    struct frame_fds fds = {0};
    struct err e = {0};
    if (open_files(r, p, &fds, &e) < 0) {
        frame_fds_close(&fds);
        probe_report(p, SIGNAL_UNKNOWN, REASON_UNREADABLE, NULL, "%s", e.text);
        return;
    }
    r->next_id++;
    int code = send_look(r, p, &fds, &e);
    frame_fds_close(&fds);
    if (code < 0) {
        probe_report(p, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN, NULL, "%s", e.text);
        return;
    }
    struct sent *s = mem_new(struct sent);
    *s = (struct sent){.next = r->sent, .probe = p, .id = r->next_id, .at_usec = clock_boot_usec()};
    r->sent = s;
}

static void forget_late(struct remote *r, uint64_t now_usec)
{
    for (struct sent **at = &r->sent; *at;) {
        if (!(*at)->probe && now_usec - (*at)->at_usec > late_within_usec)
            sent_drop(at);
        else
            at = &(*at)->next;
    }
}

void remote_cancel(struct remote *r, struct probe *p)
{
    uint64_t now_usec = clock_boot_usec();
    struct sent *s = *sent_find(r, p, 0);
    forget_late(r, now_usec);
    if (!s)
        return;
    s->probe = NULL;
    /* An overdue look is how a hung one is noticed: that costs nothing while all is well. */
    if (now_usec - s->at_usec >= p->timeout_usec)
        ping(r);
}
