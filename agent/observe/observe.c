/* The schedule. Each probe has one timer for its next look, on a grid of its own: its period,
 * with a phase that is a hash of its name, so that probes of one period don't all begin at once;
 * the slack lets the kernel's wake-ups coalesce all the same. An event (probe_wake) or a request
 * (observe_look) only brings the next look forward, so a look never begins within another one's
 * callback. A probe looks once at a time; what is wanted meanwhile is done after it.
 *
 * Events are bounded: a look that one brings on begins at least wake_gap_usec after the last. */
#include "observe/observe.h"

#include <assert.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "observe/remote.h"

/* All first looks begin within this. */
static const uint64_t first_usec = 250 * USEC_PER_MSEC;
static const uint64_t wake_gap_usec = 200 * USEC_PER_MSEC;
static const uint64_t slack_most_usec = USEC_PER_SEC;
/* For a probe that has no period and could not set up its events. */
static const uint64_t fallback_every_usec = USEC_PER_MINUTE;

struct slot {
    struct probe probe;
    struct observe *observe;
    const struct probe_document *document;
    int index;
    uint64_t phase_usec; /* of the grid, on the boot clock */
    struct timer *next, *deadline;
    uint64_t began_usec; /* of the look under way, or the last one */
    bool is_watched;
    uint64_t wanted_usec; /* a look that begins then or later is wanted; USEC_NEVER: none */
    struct observed status;
};

struct observe {
    const struct view *view;
    struct generation *generation;
    void (*reading)(void *context, int probe, const struct reading *r);
    void *context;
    struct slot *slots;
    size_t count;
    unsigned busy;        /* how deep we are in calls of kinds and to `reading` */
    struct timer *ending; /* freed while busy: ends from the loop */
    bool is_ending;
};

static uint64_t hash(const char *name)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return h ^ (h >> 32);
}

static uint64_t slack(const struct slot *s)
{
    uint64_t tenth = s->document->every_usec / 10;
    return tenth < slack_most_usec ? tenth : slack_most_usec;
}

/* A kind's own timeout is its to judge (a `fail`, for those that ask over the network); only a
 * look that doesn't even report that is ours. */
static uint64_t deadline(const struct slot *s, uint64_t now_usec)
{
    return now_usec + s->document->timeout_usec + s->document->timeout_usec / 4 +
           250 * USEC_PER_MSEC;
}

/* The grid's next point that isn't nearer to the last look than half a period. */
static uint64_t next_point(const struct slot *s, uint64_t now_usec)
{
    uint64_t every = s->document->every_usec;
    if (!every && s->is_watched)
        return USEC_NEVER;
    if (!every)
        return now_usec + fallback_every_usec;
    uint64_t point = s->began_usec - s->began_usec % every + s->phase_usec;
    while (point < s->began_usec + every / 2 || point < now_usec)
        point += every;
    return point;
}

static void plan_next(struct slot *s)
{
    if (s->probe.looking)
        return; /* when it has reported */
    if (s->wanted_usec != USEC_NEVER)
        timer_set(s->next, s->wanted_usec, 0);
    else
        timer_set(s->next, next_point(s, clock_boot_usec()), slack(s));
}

static void want(struct slot *s, uint64_t at_usec)
{
    if (at_usec >= s->wanted_usec)
        return;
    s->wanted_usec = at_usec;
    plan_next(s);
}

/* --- one look */

static bool is_remote(const struct slot *s)
{
    return s->probe.kind->side == SIDE_NETWORK && s->probe.view->remote;
}

static void cancel(struct slot *s)
{
    if (!s->probe.looking)
        return;
    if (is_remote(s))
        remote_cancel(s->probe.view->remote, &s->probe);
    else
        s->probe.kind->cancel(&s->probe);
    assert(s->probe.looking); /* a cancelled look doesn't report */
}

static void begin_look(struct slot *s)
{
    struct probe *p = &s->probe;
    if (is_remote(s))
        remote_look(p->view->remote, p);
    else if (p->kind->side == SIDE_NETWORK && !p->view->net)
        probe_report(p, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN, NULL,
                     "there is no observer to look over the network");
    else
        p->kind->look(p);
}

static void try_to_watch(struct slot *s)
{
    struct err e;
    if (!s->is_watched && s->probe.kind->watch && !is_remote(s))
        s->is_watched = s->probe.kind->watch(&s->probe, &e) == 0;
    s->status.by_events = s->is_watched;
}

static void on_next(void *context)
{
    struct slot *s = context;
    struct observe *o = s->observe;
    if (o->is_ending || s->probe.looking)
        return;
    s->wanted_usec = USEC_NEVER;
    o->busy++;
    try_to_watch(s); /* before looking: nothing can come between unseen */
    s->probe.looking = true;
    s->began_usec = clock_boot_usec();
    timer_set(s->deadline, deadline(s, s->began_usec), 0);
    begin_look(s);
    o->busy--;
}

static void on_report(struct probe *p, const struct reading *r)
{
    struct slot *s = p->owner;
    struct observe *o = s->observe;
    timer_set(s->deadline, USEC_NEVER, 0);
    if (o->is_ending)
        return;
    s->status.looked_usec = s->began_usec;
    s->status.took_usec = clock_boot_usec() - s->began_usec;
    plan_next(s);
    o->busy++;
    o->reading(o->context, s->index, r);
    o->busy--;
}

static void on_deadline(void *context)
{
    struct slot *s = context;
    char text[DURATION_TEXT];
    if (!s->probe.looking || s->observe->is_ending)
        return;
    cancel(s);
    probe_report(&s->probe, SIGNAL_UNKNOWN, REASON_TIMEOUT, NULL, "no result within %s",
                 duration_about(clock_boot_usec() - s->began_usec, text));
}

static void on_wake(struct probe *p)
{
    struct slot *s = p->owner;
    uint64_t now = clock_boot_usec();
    uint64_t soonest = s->began_usec ? s->began_usec + wake_gap_usec : 0;
    if (!s->observe->is_ending)
        want(s, soonest > now ? soonest : now);
}

void observe_look(struct observe *o, int probe)
{
    assert(probe >= 0 && (size_t)probe < o->count);
    want(&o->slots[probe], clock_boot_usec());
}

struct observed observe_status(const struct observe *o, int probe)
{
    assert(probe >= 0 && (size_t)probe < o->count);
    return o->slots[probe].status;
}

/* --- the room */

static void destroy(struct observe *o)
{
    for (size_t i = 0; i < o->count; i++) {
        struct slot *s = &o->slots[i];
        if (!s->observe)
            continue;
        cancel(s);
        if (s->probe.kind->unwatch)
            s->probe.kind->unwatch(&s->probe);
        timer_free(s->next);
        timer_free(s->deadline);
    }
    timer_free(o->ending);
    generation_unref(o->generation);
    free(o->slots);
    free(o);
}

static void on_ending(void *context)
{
    destroy(context);
}

void observe_free(struct observe *o)
{
    if (!o)
        return;
    if (!o->busy) {
        destroy(o);
        return;
    }
    o->is_ending = true;
    timer_set(o->ending, clock_boot_usec(), 0);
}

static int slot_init(struct slot *s, struct observe *o, size_t index, struct err *e)
{
    const struct probe_document *d = &o->generation->probes[index];
    *s = (struct slot){
        .probe = {.view = o->view,
                  .name = d->meta.name,
                  .kind = probe_kind_of(d->kind),
                  .args = d->args,
                  .timeout_usec = d->timeout_usec,
                  .files = {-1, -1, -1, -1},
                  .report = on_report,
                  .wake = on_wake,
                  .owner = s},
        .observe = o,
        .document = d,
        .index = (int)index,
        .wanted_usec = USEC_NEVER,
        .phase_usec = d->every_usec ? hash(d->meta.name) % d->every_usec : 0,
    };
    int r = timer_new(o->view->loop, on_next, s, &s->next, e);
    if (r >= 0)
        r = timer_new(o->view->loop, on_deadline, s, &s->deadline, e);
    if (r < 0)
        return r;
    timer_set(s->next, clock_boot_usec() + hash(d->meta.name) % first_usec, first_usec / 10);
    return 0;
}

int observe_new(const struct view *view, struct generation *g,
                void (*reading)(void *context, int probe, const struct reading *r), void *context,
                struct observe **ret, struct err *e)
{
    struct observe *o = mem_new(struct observe);
    o->view = view;
    o->generation = generation_ref(g);
    o->reading = reading;
    o->context = context;
    o->count = g->probe_count;
    o->slots = mem_array(struct slot, g->probe_count);
    int r = timer_new(view->loop, on_ending, o, &o->ending, e);
    for (size_t i = 0; r >= 0 && i < o->count; i++)
        r = slot_init(&o->slots[i], o, i, e);
    if (r < 0) {
        destroy(o);
        return r;
    }
    *ret = o;
    return 0;
}
