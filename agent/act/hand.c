#include "act/hand.h"

#include <errno.h>
#include <string.h>

#include "act/deadman.h"
#include "act/job.h"
#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/socket.h"
#include "loop/worker.h"

/* From the job's own deadline, which the hand keeps by itself, to its being killed. */
static const uint64_t grace_usec = 2 * USEC_PER_SEC, slack_usec = USEC_PER_SEC / 10;

/* The agent's side. The job itself is only the child's, which has all our memory as it was at the
 * fork. */
struct hand_work {
    struct generation *generation;
    const struct hand_calls *calls;
    void *context;
    pid_t pid;
    int socket;
    struct io *io;
    struct reaper *reaper;
    struct timer *timer;
    bool overran;
    bool broken;  /* it sent what is no message of a hand */
    json_t *done; /* its last message */
};

/* --- in the child */

struct start {
    const struct root *root;
    const struct node *node;
    const struct job *job;
    int socket;
};

static int hand_main(void *context)
{
    const struct start *s = context;
    struct hand h = {
        .root = s->root,
        .node = s->node,
        .socket = s->socket,
        .deadline_usec = clock_boot_usec() + s->job->timeout_usec,
    };
    return job_serve(&h, s->job);
}

/* --- in the agent */

static void answer(struct hand_work *w, bool durable)
{
    OWNED(json_decref) json_t *message = json_object();
    json_put(message, "durable", json_boolean(durable));
    /* It waits for nothing else, so there is room; if it died meanwhile nobody needs it. */
    (void)frame_send(w->socket, message, NULL, NULL);
}

/* What comes from the hand is ours, but checked: a wrong word must not end the agent. */
static void message_take(struct hand_work *w, const json_t *message)
{
    const char *what = json_get_string(message, "say", "");
    const json_t *effect = json_object_get(message, "effect");
    if (strcmp(what, "effect") == 0 && json_is_object(effect))
        answer(w, w->calls->effect(w->context, effect) == 0);
    else if (strcmp(what, "phase") == 0 && w->calls->phase)
        w->calls->phase(w->context, json_get_string(message, "phase", ""));
    else if (strcmp(what, "done") == 0 && !w->done)
        w->done = json_incref((json_t *)(uintptr_t)message);
    else if (strcmp(what, "phase") != 0)
        w->broken = true;
}

/* Takes all frames that are there. False at the end of them for ever. */
static bool messages_take(struct hand_work *w)
{
    for (;;) {
        OWNED(json_decref) json_t *message = NULL;
        int code = frame_receive(w->socket, &message, NULL, NULL);
        if (code == -EAGAIN)
            return true;
        if (code != 1) {
            w->broken |= code < 0 && code != -ECONNRESET;
            return false;
        }
        message_take(w, message);
    }
}

static void socket_ready(void *context, uint32_t events)
{
    struct hand_work *w = context;
    (void)events;
    if (!messages_take(w)) {
        io_free(w->io);
        w->io = NULL;
        if (w->broken)
            worker_kill(w->pid);
    }
}

static void over(void *context)
{
    struct hand_work *w = context;
    w->overran = true;
    worker_kill(w->pid);
}

static struct job_result result_of(const struct hand_work *w, int status, struct err *detail)
{
    struct job_result r = {.outcome = OUTCOME_FAILED, .detail = detail->text};
    int outcome =
        w->done ? words_find(&outcome_words, json_get_string(w->done, "outcome", "")) : -1;
    if (w->broken) {
        (void)err_set(detail, 0, "the hand sent what is no message of a hand");
    } else if (outcome >= 0) {
        const json_t *plan = json_object_get(w->done, "plan");
        r.outcome = (enum outcome)outcome;
        r.detail = json_get_string(w->done, "detail", "");
        r.plan = json_is_object(plan) ? plan : NULL;
    } else if (w->overran) {
        (void)err_set(detail, 0, "the hand was killed: its time was over");
    } else {
        char text[WORKER_TEXT];
        (void)err_set(detail, 0, "the hand %s without a result", worker_end_text(status, text));
    }
    return r;
}

static void ended(void *context, int status)
{
    struct hand_work *w = context;
    struct err detail = {0};
    w->pid = 0;
    /* What it said last may still be there; an effect's record counts though nobody waits. */
    if (w->io)
        (void)messages_take(w);
    struct job_result r = result_of(w, status, &detail);
    const struct hand_calls *calls = w->calls;
    void *calls_context = w->context;
    json_t *done = json_incref(w->done); /* what the result points into */
    timer_set(w->timer, USEC_NEVER, 0);
    io_free(w->io);
    w->io = NULL;
    /* Last: it may free us. */
    calls->done(calls_context, &r);
    json_decref(done);
}

static int fork_hand(struct hand_work *w, const struct start *s, struct err *e)
{
    int keep[] = {s->socket, s->root->fd};
    const struct worker_keeps keeps = {
        .fds = keep, .count = sizeof keep / sizeof *keep, .root = s->root, .path = LOCK_PATH};
    return worker_fork(&keeps, hand_main, (void *)(uintptr_t)s, &w->pid, e);
}

static int watch_hand(struct loop *l, struct hand_work *w, uint64_t timeout_usec, struct err *e)
{
    int code = io_new(l, w->socket, EPOLLIN, socket_ready, w, &w->io, e);
    if (code == 0)
        code = reaper_new(l, w->pid, ended, w, &w->reaper, e);
    if (code == 0)
        code = timer_new(l, over, w, &w->timer, e);
    if (code == 0)
        timer_set(w->timer, clock_boot_usec() + timeout_usec + grace_usec, slack_usec);
    return code;
}

int hand_start(struct loop *l, const struct root *root, const struct node *node,
               const struct job *job, const struct hand_calls *calls, void *context,
               struct hand_work **ret, struct err *e)
{
    int sockets[2];
    int code = socket_pair(sockets, e);
    if (code < 0)
        return code;
    OWNED(fd_close) int theirs = sockets[1];
    OWNED(hand_free) struct hand_work *w = mem_new(struct hand_work);
    *w = (struct hand_work){.calls = calls, .context = context, .socket = sockets[0]};
    w->generation = generation_ref(job->generation);
    code = fork_hand(w, &(struct start){root, node, job, theirs}, e);
    if (code == 0)
        code = watch_hand(l, w, job->timeout_usec, e);
    if (code < 0)
        return code;
    *ret = TAKE(w);
    return 0;
}

void hand_free(struct hand_work *w)
{
    if (!w)
        return;
    io_free(w->io);
    timer_free(w->timer);
    if (w->pid > 0 && w->reaper)
        worker_kill(w->pid); /* the loop reaps it still, though we don't hear of it */
    else if (w->pid > 0)
        worker_end(w->pid);
    reaper_free(w->reaper);
    (void)close(w->socket);
    generation_unref(w->generation);
    json_decref(w->done);
    free(w);
}

void hand_end(struct hand_work *w)
{
    if (w && w->pid > 0) {
        worker_end(w->pid);
        w->pid = 0;
    }
    hand_free(w);
}
