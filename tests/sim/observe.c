/* observe.h over the world. A look finds what the world says; it is made on the probe's grid, at an
 * event, or when it is asked for, as observe/observe.c does it.
 *
 * Only looks that can find something new are made: after the world changed a probe looks until what
 * it found has been told often enough to count (failAfter, passAfter). A probe that rests would
 * find the same at every period: that is told, dated now, before anything else runs in the agent.
 * So the core, the sieve and the times of readings are as if all had been made, and a healthy month
 * takes a fraction of a second. */
#include "observe/observe.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "loop/post.h"
#include "sim.h"

static const uint64_t first_usec = 250 * USEC_PER_MSEC;
static const uint64_t fallback_every_usec = USEC_PER_MINUTE;

struct slot {
    struct observe *observe;
    const struct probe_document *document;
    int index;
    uint64_t every_usec, phase_usec;
    struct post next, report;
    bool looking, again;  /* once more, after the one under way */
    uint64_t began_usec;  /* true time of the look under way, or the last one */
    uint64_t told_usec;   /* true time of the last reading; 0: none yet */
    uint64_t epoch;       /* of the world, when the look began */
    unsigned same;        /* readings in a row that were like the last */
    bool is_resting;      /* nothing new is to be found until the world changes */
    uint64_t rested_usec; /* ... and it did, then; what was due before is still to be told. 0: no */
    struct world_reading found, last;
    uint64_t took_usec;
};

struct observe {
    struct master *master;
    struct generation *generation;
    void (*reading)(void *context, int probe, const struct reading *r);
    void *context;
    struct slot *slots;
    size_t count;
    bool is_telling;
    bool is_over;
};

static struct observe *present[MASTERS_MAX];

/* By the moment and the probe, not by how often the world changed before: so what changes nothing
 * that a probe sees changes no later look either. */
static struct stream_random chance(const struct slot *s)
{
    uint64_t moment = schedule_now() * MASTERS_MAX + s->observe->master->index;
    return random_stream(sim.seed, s->document->meta.name, moment);
}

static bool is_local(const struct slot *s)
{
    return strcmp(s->document->kind->name, "https") != 0;
}

static uint64_t grid_after(const struct slot *s, uint64_t usec)
{
    uint64_t point = usec - usec % s->every_usec + s->phase_usec;
    return point > usec ? point : point + s->every_usec;
}

static void tell(struct slot *s)
{
    struct observe *o = s->observe;
    const struct reading r = {.verdict = s->last.verdict,
                              .reason = s->last.reason,
                              .facts = s->last.facts,
                              .detail = s->last.detail[0] ? s->last.detail : NULL};
    s->told_usec = schedule_now();
    bool nested = o->is_telling;
    o->is_telling = true;
    o->reading(o->context, s->index, &r);
    o->is_telling = nested;
}

/* What it found was told so often that telling it again changes nothing. */
static bool is_at_rest(const struct slot *s)
{
    const struct probe_document *p = s->document;
    unsigned enough = p->fail_after > p->pass_after ? p->fail_after : p->pass_after;
    return s->epoch == world_epoch(sim.world, s->observe->master->index) && s->same > enough;
}

static void plan_next(struct slot *s)
{
    if (s->looking || s->observe->is_over)
        return;
    if (s->again) {
        s->again = false;
        post_now(&s->next);
    } else if (is_at_rest(s)) {
        s->is_resting = true;
    } else {
        post_at(&s->next, grid_after(s, s->began_usec + s->every_usec / 2));
    }
}

static bool same_reading(const struct world_reading *a, const struct world_reading *b)
{
    return a->verdict == b->verdict && a->reason == b->reason &&
           (a->facts == b->facts || (a->facts && b->facts && json_equal(a->facts, b->facts)));
}

static void on_report(void *context)
{
    struct slot *s = context;
    bool same = s->told_usec && same_reading(&s->found, &s->last);
    json_decref(s->last.facts);
    s->last = s->found;
    s->found.facts = NULL;
    s->same = same ? s->same + 1 : 1;
    s->looking = false;
    plan_next(s);
    tell(s);
}

static void on_next(void *context)
{
    struct slot *s = context;
    if (s->looking) {
        s->again = true;
        return;
    }
    s->looking = true;
    s->began_usec = schedule_now();
    s->epoch = world_epoch(sim.world, s->observe->master->index);
    world_look(sim.world, s->observe->master->index, s->document, &s->found, &s->took_usec);
    post_at(&s->report, schedule_now() + s->took_usec);
}

void observe_look(struct observe *o, int probe)
{
    struct slot *s = &o->slots[probe];
    if (s->looking)
        s->again = true;
    else
        post_now(&s->next);
}

struct observed observe_status(const struct observe *o, int probe)
{
    const struct slot *s = &o->slots[probe];
    uint64_t ago_usec = schedule_now() - s->began_usec;
    return (struct observed){.looked_usec =
                                 s->told_usec ? master_boot_usec(o->master) - ago_usec : 0,
                             .took_usec = s->took_usec,
                             .by_events = is_local(s)};
}

/* --- the world moves on */

void observe_world_changed(struct master *m)
{
    struct observe *o = present[m->index];
    if (!o || o->is_over)
        return;
    for (size_t i = 0; i < o->count; i++) {
        struct slot *s = &o->slots[i];
        if (s->is_resting)
            s->rested_usec = schedule_now();
        s->is_resting = false;
        if (s->looking)
            continue;
        uint64_t at = grid_after(s, schedule_now());
        /* Most local kinds are told by the kernel, systemd or the runtime; sometimes it is lost. */
        struct stream_random r = chance(s);
        if (is_local(s) && !random_one_in(&r, 10))
            at = schedule_now() + random_between(&r, 2, 300) * USEC_PER_MSEC;
        if (s->next.entry || s->next.at)
            continue;
        post_at(&s->next, at);
    }
}

void observe_refresh(struct master *m)
{
    struct observe *o = present[m->index];
    if (!o || o->is_over || o->is_telling)
        return;
    for (size_t i = 0; !o->is_over && i < o->count; i++) {
        struct slot *s = &o->slots[i];
        uint64_t since = s->told_usec > m->awake_usec ? s->told_usec : m->awake_usec;
        uint64_t until = s->is_resting ? schedule_now() : s->rested_usec;
        s->rested_usec = 0;
        if (!s->told_usec || !until || grid_after(s, since) > until)
            continue;
        if (!s->looking)
            s->began_usec = until - (until - s->phase_usec) % s->every_usec;
        tell(s);
    }
}

/* --- the room */

static uint64_t hash(const char *name)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return h ^ (h >> 32);
}

static void slot_init(struct slot *s, struct observe *o, size_t index, struct loop *l)
{
    const struct probe_document *d = &o->generation->probes[index];
    *s = (struct slot){.observe = o,
                       .document = d,
                       .index = (int)index,
                       .every_usec = d->every_usec ? d->every_usec : fallback_every_usec};
    s->phase_usec = hash(d->meta.name) % s->every_usec;
    post_init(&s->next, l, on_next, s);
    post_init(&s->report, l, on_report, s);
    post_at(&s->next, schedule_now() + hash(d->meta.name) % first_usec);
}

int observe_new(const struct view *view, struct generation *g,
                void (*reading)(void *context, int probe, const struct reading *r), void *context,
                struct observe **ret, struct err *e)
{
    (void)e;
    struct observe *o = mem_new(struct observe);
    *o = (struct observe){.master = loop_master(view->loop),
                          .generation = generation_ref(g),
                          .reading = reading,
                          .context = context,
                          .count = g->probe_count,
                          .slots = mem_array(struct slot, g->probe_count)};
    for (size_t i = 0; i < o->count; i++)
        slot_init(&o->slots[i], o, i, view->loop);
    present[o->master->index] = o;
    *ret = o;
    return 0;
}

/* It may be freed while it tells: what still looks at it then sees that it is over. Its memory is
 * given back with the process. */
void observe_free(struct observe *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->count; i++) {
        post_cancel(&o->slots[i].next);
        post_cancel(&o->slots[i].report);
    }
    o->is_over = true;
    if (present[o->master->index] == o)
        present[o->master->index] = NULL;
}

void observe_forget(struct master *m)
{
    present[m->index] = NULL;
}
