/* The kubelet's workers, one a pod UID: each makes the runtime show what its manifest says, until
 * told to end it. Another UID of the same pod waits for the old one's end. A start after an exited
 * container is counted and held back: 10 s, doubling to 300 s, forgotten after 10 minutes
 * (client-go's flowcontrol.Backoff). */
#include <stdio.h>
#include <string.h>

#include "inside.h"

static const uint64_t first_usec = 10 * USEC_PER_SEC, most_usec = 300 * USEC_PER_SEC;
static const uint64_t forget_usec = 600 * USEC_PER_SEC, collect_usec = 60 * USEC_PER_SEC;

static uint64_t some_msec(struct host *n, uint64_t least, uint64_t most)
{
    return random_between(&n->r, least, most) * USEC_PER_MSEC;
}

static struct worker *worker_of(struct host *n, const char *uid)
{
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *w = &n->kubelet.workers[i];
        if (w->is_used && !w->is_done && !strcmp(w->spec.uid, uid))
            return w;
    }
    return NULL;
}

static bool is_desired(const struct host *n, const char *uid)
{
    for (size_t i = 0; i < n->kubelet.store_count; i++)
        if (!strcmp(n->kubelet.store[i].spec.uid, uid))
            return true;
    return false;
}

static bool old_one_is_left(struct host *n, const struct spec *s)
{
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        const struct worker *w = &n->kubelet.workers[i];
        if (w->is_used && !w->is_done && !strcmp(w->spec.name, s->name) &&
            strcmp(w->spec.uid, s->uid) != 0)
            return true;
    }
    return false;
}

static void worker_new(struct host *n, const struct spec *s, bool is_ending)
{
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *w = &n->kubelet.workers[i];
        if (w->is_used && !w->is_done)
            continue;
        w->is_used = true;
        w->is_done = false;
        w->is_ending = is_ending;
        w->doing = DOING_NOTHING;
        w->spec = *s;
        alarm_set(&w->act, some_msec(n, 5, 60));
        return;
    }
}

/* Pods that run and that neither a manifest nor a worker knows: from before the kubelet's start. */
static void end_orphans(struct host *n)
{
    for (const struct box *b = n->boxes; b; b = b->next) {
        if (!b->ready || is_desired(n, b->uid) || worker_of(n, b->uid))
            continue;
        struct spec s = {.kind = POD_OTHER};
        (void)snprintf(s.uid, sizeof s.uid, "%s", b->uid);
        (void)snprintf(s.name, sizeof s.name, "%s", b->name);
        worker_new(n, &s, true);
    }
}

void workers_follow(struct host *n)
{
    struct kubelet *k = &n->kubelet;
    if (!kubelet_works(n))
        return;
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *w = &k->workers[i];
        if (!w->is_used || w->is_done || w->is_ending || is_desired(n, w->spec.uid))
            continue;
        /* "skipping delete because sources aren't ready yet" */
        if (!k->sources_ready)
            continue;
        w->is_ending = true;
        alarm_set(&w->act, some_msec(n, 5, 60));
    }
    if (k->sources_ready)
        end_orphans(n);
    for (size_t i = 0; i < k->store_count; i++) {
        const struct spec *s = &k->store[i].spec;
        if (!worker_of(n, s->uid) && !old_one_is_left(n, s))
            worker_new(n, s, false);
    }
}

void workers_forget(struct host *n)
{
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *w = &n->kubelet.workers[i];
        alarm_cancel(&w->act);
        w->is_used = false;
    }
}

void workers_wake(struct host *n, uint64_t in_usec)
{
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *w = &n->kubelet.workers[i];
        if (w->is_used && !w->is_done)
            alarm_set_earlier(&w->act, in_usec);
    }
}

void kubelet_crate_gone(struct host *n, const struct spec *s)
{
    struct worker *w = worker_of(n, s->uid);
    if (!w || !kubelet_works(n))
        return;
    /* It waits no longer for a backoff that was the removed one's. */
    if (w->doing == DOING_NOTHING)
        alarm_cancel(&w->act);
    alarm_set_earlier(&w->act, some_msec(n, 50, 1000)); /* its next relist */
}

void kubelet_crate_ended(struct crate *c)
{
    kubelet_crate_gone(c->node, &c->spec);
}

/* ---- backoff ---- */

static struct backoff *backoff_of(struct kubelet *k, const char *uid)
{
    struct backoff *oldest = &k->backoffs[0];
    for (size_t i = 0; i < BACKOFFS_MAX; i++) {
        if (!strcmp(k->backoffs[i].uid, uid))
            return &k->backoffs[i];
        if (k->backoffs[i].counted_usec < oldest->counted_usec)
            oldest = &k->backoffs[i];
    }
    *oldest = (struct backoff){0};
    (void)snprintf(oldest->uid, sizeof oldest->uid, "%s", uid);
    return oldest;
}

/* How long to wait yet after that end; 0: start, which is counted. */
static uint64_t held_back_usec(struct host *n, const struct crate *ended)
{
    struct backoff *b = backoff_of(&n->kubelet, ended->spec.uid);
    uint64_t now = schedule_now(), since = now - ended->finished_usec;
    if (b->pause_usec && ended->finished_usec > b->counted_usec &&
        ended->finished_usec - b->counted_usec > forget_usec)
        b->pause_usec = 0;
    if (b->pause_usec && since < b->pause_usec)
        return b->pause_usec - since;
    b->pause_usec = !b->pause_usec                  ? first_usec
                    : b->pause_usec * 2 < most_usec ? b->pause_usec * 2
                                                    : most_usec;
    b->counted_usec = now;
    return 0;
}

/* ---- what a worker does next ---- */

static void collect_later(struct host *n)
{
    alarm_set_earlier(&n->kubelet.garbage, collect_usec);
}

static void end_pod(struct worker *w)
{
    struct host *n = w->node;
    bool runs = false;
    for (struct crate *c = n->crates; c; c = c->next) {
        if (strcmp(c->spec.uid, w->spec.uid) != 0 || c->state != RUN_RUNNING)
            continue;
        crate_terminate(c);
        runs = true;
    }
    if (runs)
        return; /* its end wakes us */
    for (struct box *b = n->boxes; b; b = b->next)
        if (!strcmp(b->uid, w->spec.uid))
            b->ready = false;
    w->is_done = true;
    collect_later(n);
    node_touch(n);
    workers_follow(n);
}

static struct box *ready_box(struct host *n, const char *uid)
{
    for (struct box *b = n->boxes; b; b = b->next)
        if (b->ready && !strcmp(b->uid, uid))
            return b;
    return NULL;
}

/* The newest ended one; what ended before it is removed: one dead container is kept. */
static struct crate *newest_ended(struct host *n, const char *uid)
{
    struct crate *newest = NULL;
    for (struct crate *c = n->crates, *next; c; c = next) {
        next = c->next;
        if (strcmp(c->spec.uid, uid) != 0 || c->state != RUN_EXITED)
            continue;
        if (newest)
            crate_remove(n, c);
        else
            newest = c;
    }
    return newest;
}

static bool is_running(struct host *n, const char *uid, const struct box *b)
{
    bool found = false;
    for (struct crate *c = n->crates; c; c = c->next) {
        if (strcmp(c->spec.uid, uid) != 0 || c->state != RUN_RUNNING)
            continue;
        if (b && !strcmp(c->box, b->id)) {
            probe_begin(c);
            found = true;
        }
    }
    return found;
}

static bool can_be_pulled(const struct spec *s)
{
    return strstr(s->text->pod.image, "nonexistent") == NULL;
}

static void start_crate(struct worker *w, struct box *b)
{
    struct host *n = w->node;
    struct crate *ended = newest_ended(n, w->spec.uid);
    uint64_t wait = ended ? held_back_usec(n, ended) : 0;
    if (wait) {
        alarm_set(&w->act, wait);
        return;
    }
    if (!can_be_pulled(&w->spec)) /* ErrImagePull, until the manifest changes */
        return;
    (void)b;
    w->doing = DOING_CRATE;
    alarm_set(&w->act, some_msec(n, 150, 450));
}

static void sync_pod(struct worker *w)
{
    struct host *n = w->node;
    struct box *b = ready_box(n, w->spec.uid);
    if (!b) {
        w->doing = DOING_BOX;
        alarm_set(&w->act, some_msec(n, 300, 800));
        return;
    }
    if (!is_running(n, w->spec.uid, b))
        start_crate(w, b);
}

void worker_act(void *context)
{
    struct worker *w = context;
    struct host *n = w->node;
    enum doing doing = w->doing;
    if (!w->is_used || w->is_done || !kubelet_works(n) || !runtime_works(n))
        return; /* woken again when they work */
    w->doing = DOING_NOTHING;
    if (w->is_ending) {
        end_pod(w);
        return;
    }
    if (!is_desired(n, w->spec.uid)) /* gone, but not to be ended yet */
        return;
    struct box *b = ready_box(n, w->spec.uid);
    if (doing == DOING_BOX && !b)
        (void)box_new(n, &w->spec);
    if (doing == DOING_CRATE && b && !is_running(n, w->spec.uid, b)) {
        (void)crate_start(n, &w->spec, b);
        return;
    }
    sync_pod(w);
}

void worker_adopt(struct host *n, const struct spec *s)
{
    struct worker *w = worker_of(n, s->uid);
    struct crate *c = crate_start(n, s, box_new(n, s));
    alarm_cancel(&w->act);
    alarm_cancel(&c->grow);
    c->phase = PHASE_SERVES;
    c->awaits_etcd = false;
    c->doom_reason = NULL;
    c->doom_words[0] = '\0';
    c->has_started_up = true;
    probe_begin(c);
}

/* ---- what ended pods left, with their logs ---- */

static void remove_logs(struct host *n, const struct box *b)
{
    char path[PATH_TEXT_MAX];
    (void)snprintf(path, sizeof path, POD_LOGS "/kube-system_%s_%s", b->name, b->uid);
    files_remove(node_files(n), path);
}

void kubelet_collect(void *context)
{
    struct host *n = context;
    bool changed = false;
    if (!kubelet_works(n) || !runtime_works(n)) {
        if (unit_is_active(n, UNIT_KUBELET))
            alarm_set(&n->kubelet.garbage, 10 * collect_usec);
        return;
    }
    for (struct box *b = n->boxes, *next; b; b = next) {
        next = b->next;
        if (b->ready || is_desired(n, b->uid) || worker_of(n, b->uid))
            continue;
        remove_logs(n, b);
        box_remove(n, b);
        changed = true;
    }
    if (changed)
        node_touch(n);
}
