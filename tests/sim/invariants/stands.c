/* What a plan stands on when it begins, by the journal alone: the signals as they were recorded
 * last, a fresh look, a node that has settled. And that a person hears of what only a person can
 * mend. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inside.h"

enum { SIGNALS_MAX = 64, NAME_TEXT = 64 };

/* What shipped policies say; and how late a record may be durable on a slow disk. */
static const uint64_t settle_usec = 5 * USEC_PER_MINUTE;
static const uint64_t start_bound_usec = 60 * USEC_PER_SEC;
static const uint64_t late_usec = 10 * USEC_PER_SEC, look_bound_usec = 40 * USEC_PER_SEC;

struct last {
    char signal[NAME_TEXT], verdict[16];
    uint64_t since_usec; /* of the verdict, by the record */
};

static struct standing {
    struct last signals[SIGNALS_MAX];
    size_t count;
    char looked[NAME_TEXT]; /* whose fresh look was recorded last */
    uint64_t looked_usec;
    char acts[NAME_TEXT]; /* the incident that acted last */
    char mode[16];        /* in force, as recorded */
    struct generation *generation;
    int playbook; /* of the one that acted last */
    uint64_t began_usec, ended_usec;
    char undoes[NAME_TEXT]; /* whose undo was begun last */
    char untold[NAME_TEXT]; /* escalated, and nobody was told yet */
    bool has_ended;         /* the agent; the next one hasn't begun yet */
} all[MASTERS_MAX];

/* ---- what was recorded ---- */

static struct last *last_of(const struct standing *s, const char *signal)
{
    for (size_t i = 0; i < s->count; i++)
        if (!strcmp(s->signals[i].signal, signal))
            return (struct last *)&s->signals[i];
    return NULL;
}

/* The text between `head` and the next quote; false: it isn't there. */
static bool text_after(const char *line, size_t length, const char *head, char *ret, size_t room)
{
    const char *at = memmem(line, length, head, strlen(head));
    if (!at)
        return false;
    at += strlen(head);
    const char *end = memchr(at, '"', length - (size_t)(at - line));
    if (!end || (size_t)(end - at) >= room)
        return false;
    memcpy(ret, at, (size_t)(end - at));
    ret[end - at] = '\0';
    return true;
}

void stands_signal(struct master *m, const char *line, size_t length)
{
    struct standing *s = &all[m->index];
    struct last now;
    char boot[40];
    if (!text_after(line, length, "\"boot\":\"", boot, sizeof boot) ||
        !text_after(line, length, "\"signal\":\"", now.signal, sizeof now.signal) ||
        !text_after(line, length, "\"verdict\":\"", now.verdict, sizeof now.verdict))
        sim_fail(m, "seen", "a signal's record says nothing: %.*s", (int)length, line);
    struct last *old = last_of(s, now.signal);
    const char *usec = memmem(line, length, "\"usec\":", 7);
    now.since_usec = old && !strcmp(old->verdict, now.verdict) ? old->since_usec
                     : usec ? boot_true_usec(boot, strtoull(usec + 7, NULL, 10))
                            : schedule_now();
    if (!old && s->count == SIGNALS_MAX)
        sim_fail(m, "seen", "more than %d signals", SIGNALS_MAX);
    *(old ? old : &s->signals[s->count++]) = now;
}

static bool is_at_work(const char *state)
{
    return !strcmp(state, "running") || !strcmp(state, "verifying") || !strcmp(state, "undoing") ||
           !strcmp(state, "recovering");
}

void stands_batch_ended(struct master *m)
{
    const struct standing *s = &all[m->index];
    if (s->untold[0] && !s->has_ended)
        sim_fail(m, "told", "incident %s is a person's, and no person was told", s->untold);
}

void stands_ended(struct master *m)
{
    all[m->index].has_ended = true;
}

/* An agent begins: it tells again of what is still a person's. */
static void take_start(struct master *m, struct standing *s, const json_t *body)
{
    const json_t *incidents = json_object_get(json_object_get(body, "state"), "incidents"), *one;
    size_t i;
    s->count = 0;
    s->looked[0] = s->untold[0] = '\0';
    s->has_ended = made_usec(body) <= watched(m)->ended_usec; /* it became durable after its time */
    json_array_foreach (incidents, i, one)
        if (!strcmp(json_get_string(one, "state", ""), "escalated"))
            (void)snprintf(s->untold, sizeof s->untold, "%s", json_get_string(one, "id", ""));
    if (invariants_is_out(m) && faults_disk_was_good(m, schedule_now(), start_bound_usec))
        sim_fail(m, "home", "the agent has started, and a manifest is out");
}

/* ---- what holds, by that ---- */

struct view_of {
    const struct standing *standing;
    const struct generation *generation;
};

static const char *verdict_of(const struct view_of *v, int probe)
{
    const struct last *l = last_of(v->standing, v->generation->probes[probe].meta.name);
    return l ? l->verdict : "unknown";
}

/* Could it hold, by the verdicts alone? What isn't known never does. */
static bool may_hold(const struct view_of *v, const struct condition *w)
{
    bool any = false, every = true;
    if (w->type == CONDITION_SIGNAL) {
        const char *verdict = verdict_of(v, w->signal);
        return w->passed_since >= 0 ? strcmp(verdict_of(v, w->passed_since), "pass") == 0
                                    : !strcmp(verdict, words_name(&verdict_words, (int)w->is));
    }
    for (size_t i = 0; i < w->count; i++) {
        bool is_known = w->at[i].type != CONDITION_SIGNAL ||
                        strcmp(verdict_of(v, w->at[i].signal), "unknown") != 0;
        bool holds = w->type == CONDITION_NOT ? is_known : may_hold(v, &w->at[i]);
        any |= holds;
        every &= holds;
    }
    return w->type == CONDITION_ANY ? any : every;
}

/* ---- what was recorded, on ---- */

/* A remedy is proven by what was seen for long enough since the look after its last step. */
static void check_proven(struct master *m, const struct standing *s, const json_t *body)
{
    const struct view_of v = {s, s->generation};
    uint64_t now_usec = made_usec(body);
    if (!s->generation || strcmp(json_get_string(body, "incident", ""), s->acts) != 0)
        return;
    const struct playbook_document *p = &s->generation->playbooks[s->playbook];
    for (size_t i = 0; i < p->verify_count; i++) {
        const struct condition *w = &p->verify[i].condition;
        if (!may_hold(&v, w))
            sim_fail(m, "truth", "playbook %s is proven, and expectation %zu isn't seen",
                     p->meta.name, i + 1);
        const struct last *l = w->type == CONDITION_SIGNAL
                                   ? last_of(s, s->generation->probes[w->signal].meta.name)
                                   : NULL;
        uint64_t since_usec = l && l->since_usec > s->looked_usec ? l->since_usec : s->looked_usec;
        if (now_usec < since_usec + p->verify[i].hold_usec)
            sim_fail(m, "truth", "playbook %s is proven, and expectation %zu has not held for long",
                     p->meta.name, i + 1);
    }
}

static void take_incident(struct master *m, struct standing *s, const json_t *body)
{
    const char *incident = json_get_string(body, "incident", "");
    const char *from = json_get_string(body, "from", ""), *to = json_get_string(body, "to", "");
    if (!strcmp(to, "escalated") && strcmp(from, to) != 0) {
        stands_batch_ended(m);
        (void)snprintf(s->untold, sizeof s->untold, "%s", incident);
    }
    if (!strcmp(from, "undoing") && strcmp(to, from) != 0 && strcmp(incident, s->undoes) != 0)
        sim_fail(m, "undone", "incident %s is %s, and its undo was never begun", incident, to);
    if (!strcmp(incident, s->acts) && !s->ended_usec && is_at_work(from) && !is_at_work(to))
        s->ended_usec = made_usec(body);
}

void stands_record(struct master *m, const char *type, const json_t *body)
{
    struct standing *s = &all[m->index];
    const char *incident = json_get_string(body, "incident", "");
    const char *mode = json_get_string(body, "mode", NULL);
    if (!strcmp(type, "start")) {
        take_start(m, s, body);
    } else if (!strcmp(type, "event")) {
        (void)snprintf(s->looked, sizeof s->looked, "%s", incident);
        s->looked_usec = made_usec(body);
    } else if (!strcmp(type, "incident")) {
        take_incident(m, s, body);
    } else if (!strcmp(type, "escalate") && !strcmp(incident, s->untold)) {
        s->untold[0] = '\0';
    } else if (!strcmp(type, "result") && !strcmp(json_get_string(body, "of", ""), "verify") &&
               !strcmp(json_get_string(body, "outcome", ""), "proven")) {
        check_proven(m, s, body);
    }
    if (mode && (!strcmp(type, "start") || !strcmp(type, "config")))
        (void)snprintf(s->mode, sizeof s->mode, "%s", mode);
}

/* ---- what a plan begins on ---- */

static void check_seen(struct master *m, const struct job *job)
{
    const struct view_of v = {&all[m->index], job->generation};
    const struct playbook_document *p = &job->generation->playbooks[job->playbook];
    const struct failure_document *f = &job->generation->failures[p->treats];
    if (!may_hold(&v, &f->when))
        sim_fail(m, "seen", "playbook %s begins, and %s isn't seen", p->meta.name, f->meta.name);
    for (size_t i = 0; i < p->requires_count; i++)
        if (!may_hold(&v, &p->requires[i].condition))
            sim_fail(m, "seen", "playbook %s begins without requirement %zu", p->meta.name, i + 1);
}

/* Nothing else is at work, and what explains the failure isn't open. */
static void check_alone(struct master *m, const struct job *job)
{
    const struct watched *w = watched(m);
    const struct generation *g = job->generation;
    const struct playbook_document *p = &g->playbooks[job->playbook];
    const struct failure_document *f = &g->failures[p->treats];
    for (size_t i = 0; i < w->open_count; i++) {
        const struct open_incident *other = &w->open[i];
        if (!strcmp(other->id, job->incident))
            continue;
        if (is_at_work(other->state))
            sim_fail(m, "one", "playbook %s begins while incident %s is %s", p->meta.name,
                     other->id, other->state);
        for (size_t k = 0; k < f->caused_by_count; k++)
            if (!strcmp(g->failures[f->caused_by[k]].meta.name, other->failure))
                sim_fail(m, "cause", "playbook %s begins while %s is open", p->meta.name,
                         other->failure);
    }
}

/* What a crash now would leave knows of the step. */
static void check_saved(struct master *m, const struct job *job)
{
    size_t length = 0, i;
    const char *text = files_get_durable(m->files, "/var/lib/planeguard/state.json", &length);
    OWNED(json_decref) json_t *saved = text ? json_loadb(text, length, 0, NULL) : NULL;
    const json_t *one;
    json_array_foreach (json_object_get(json_object_get(saved, "core"), "incidents"), i, one)
        if (!strcmp(json_get_string(one, "id", ""), job->incident) &&
            !strcmp(json_get_string(one, "state", ""), "running") &&
            json_get_int(one, "step", -1) == job->step)
            return;
    sim_fail(m, "intent", "step %d of incident %s begins, and the saved state doesn't know it",
             job->step, job->incident);
}

void stands_undo(struct master *m, const struct job *job)
{
    (void)snprintf(all[m->index].undoes, NAME_TEXT, "%s", job->incident);
}

void stands_step(struct master *m, const struct job *job)
{
    const struct standing *s = &all[m->index];
    const json_t *steps = json_object_get(job->plan, "steps");
    if (strcmp(s->mode, "enforce") != 0)
        sim_fail(m, "dry-run", "a step begins, and the mode in force is %s", s->mode);
    check_saved(m, job);
    for (int i = 0; i < job->step; i++)
        if (json_get_bool(json_array_get(steps, (size_t)i), "changes", true))
            return;
    check_seen(m, job);
}

void stands_check(struct master *m, const struct job *job, uint64_t opened_usec)
{
    struct standing *s = &all[m->index];
    const char *name = job->generation->playbooks[job->playbook].meta.name;
    uint64_t now = schedule_now();
    check_alone(m, job);
    if (strcmp(s->looked, job->incident) != 0 || now - s->looked_usec > look_bound_usec)
        sim_fail(m, "fresh look", "playbook %s begins without one", name);
    if (strcmp(s->acts, job->incident) != 0 && s->acts[0] && opened_usec > s->began_usec &&
        s->ended_usec && now + late_usec < s->ended_usec + settle_usec)
        sim_fail(m, "settle", "playbook %s begins on what may be the echo of incident %s", name,
                 s->acts);
    (void)snprintf(s->acts, sizeof s->acts, "%s", job->incident);
    generation_unref(s->generation);
    s->generation = generation_ref(job->generation);
    s->playbook = job->playbook;
    s->began_usec = now;
    s->ended_usec = 0;
}
