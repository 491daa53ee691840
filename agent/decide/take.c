#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "decide/moves.h"

/* ---- signals ---- */

static void signal_forget(struct signal *s, uint64_t now_usec)
{
    json_decref(s->facts);
    s->facts = NULL;
    s->verdict = SIGNAL_UNKNOWN;
    s->reason = REASON_NOT_LOOKED_YET;
    s->since_usec = now_usec;
    s->changed_usec = now_usec;
    s->good_since_usec = s->passed_usec = 0;
    s->kept[0] = '\0'; /* asked for again: whether the copy is there is known only on the disk */
}

static void take_signal(struct core *c, const struct event *ev)
{
    struct signal *s = &c->signals[ev->probe];
    if (s->verdict == SIGNAL_PASS)
        s->passed_usec = ev->held_usec;
    s->changed_usec = c->now_usec;
    if (s->verdict != ev->verdict || s->reason != ev->reason)
        s->since_usec = c->now_usec;
    /* Whatever changed, a manifest has to prove itself anew. */
    s->good_since_usec = 0;
    s->verdict = ev->verdict;
    s->reason = ev->reason;
    json_decref(s->facts);
    s->facts = ev->facts ? json_deep_copy(ev->facts) : NULL;
}

/* Opens an incident where a failure's condition holds and none is open. Only failures that
 * mention the changed signal are looked at: the others can't have changed. */
static void open_incident(struct core *c, const struct failure_document *f, struct effects *fx)
{
    if (core_incident_of(c, f->meta.name) ||
        core_condition(c, c->generation, &f->when) != TRUTH_TRUE)
        return;
    char id[48];
    (void)snprintf(id, sizeof id, "%s-%llu", c->run, (unsigned long long)++c->next_incident);
    struct incident *i = incident_new(id, f->meta.name, f->summary, c->now_usec);
    *mem_push(c->incidents, c->incident_count, c->incident_room) = i;
    c->changed = true;
    json_t *body = json_object();
    json_put(body, "incident", json_string(i->id));
    json_put(body, "failure", json_string(i->failure));
    json_put(body, "from", json_string(words_name(&state_words, STATE_NONE)));
    json_put(body, "to", json_string(words_name(&state_words, STATE_SUSPECTED)));
    json_put(body, "why", json_string_or_null(f->summary));
    effects_record(fx, "incident", body);
}

static void open_where_due(struct core *c, const struct probe_use *use, struct effects *fx)
{
    for (size_t i = 0; i < use->failure_count; i++)
        open_incident(c, &c->generation->failures[use->failures[i]], fx);
}

/* ---- what was asked for has ended ---- */

static void take_prepared(struct core *c, struct incident *i, const struct event *ev,
                          struct effects *fx)
{
    if (!ev->ok) {
        incident_mark_tried(i, incident_playbook(i)->meta.name);
        incident_move(i, CHANGE_UNPLANNABLE, c->now_usec, fx, "%s", ev->detail);
        return;
    }
    i->plan = json_deep_copy(ev->plan);
    free(i->digest);
    i->digest = mem_strdup(ev->digest);
    incident_move(i, CHANGE_PREPARED, c->now_usec, fx, "plan %.12s is made", i->digest);
}

static bool changes_at(const struct incident *i, int step)
{
    const json_t *steps = json_object_get(i->plan, "steps");
    return json_get_bool(json_array_get(steps, (size_t)step), "changes", true);
}

/* Why the next step must not begin, or NULL. A playbook runs on what the guards allowed at its
 * beginning; collecting evidence may have taken minutes since. So before the first step that
 * changes something what it relied on must still be seen; and the mode may have got stricter. */
static const char *why_stop(const struct core *c, const struct incident *i)
{
    const struct playbook_document *p = incident_playbook(i);
    const struct generation *g = i->generation;
    if (c->kill_switch)
        return "the kill switch was pulled";
    if (core_mode(c, p) != MODE_ENFORCE)
        return "the mode got stricter";
    for (int k = 0; k <= i->step; k++)
        if (changes_at(i, k))
            return NULL;
    if (core_condition(c, g, &g->failures[p->treats].when) != TRUTH_TRUE)
        return "the failure was not seen for certain any more";
    for (size_t k = 0; k < p->requires_count; k++)
        if (core_condition(c, g, &p->requires[k].condition) != TRUTH_TRUE)
            return "what the playbook requires did not hold any more";
    return NULL;
}

static void take_step(struct core *c, struct incident *i, const struct event *ev,
                      struct effects *fx)
{
    const struct playbook_document *p = incident_playbook(i);
    const char *name = p->steps[i->step].name;
    /* A step that changes nothing (evidence, a wait) never stops a remedy. */
    bool is_good = ev->ok || !changes_at(i, i->step),
         is_last = (size_t)i->step + 1 == p->step_count;
    const char *stop = is_last ? NULL : why_stop(c, i);
    if (!is_good || stop) {
        char why[300];
        (void)snprintf(why, sizeof why, "step \"%s\" %s: %s%s", name, ev->outcome,
                       is_good ? "then " : "", is_good ? stop : ev->detail);
        i->is_void = is_good || !strcmp(ev->outcome, "refused");
        if (p->on_failure == ON_FAILURE_LEAVE) {
            moves_end_attempt(c, i);
            incident_move(i, CHANGE_STEP_LEFT, c->now_usec, fx, "%s", why);
        } else {
            incident_move(i, CHANGE_STEP_FAILED, c->now_usec, fx, "%s", why);
            moves_undo(c, i, fx);
        }
        return;
    }
    if (!is_last) {
        i->step++;
        incident_move(i, CHANGE_STEP_DONE, c->now_usec, fx, "step \"%s\" %s", name, ev->outcome);
        moves_run_step(c, i, fx);
        return;
    }
    incident_move(i, CHANGE_STEPS_DONE, c->now_usec, fx, "all %zu steps are done", p->step_count);
    i->verify_usec = 0;
    moves_look(c, i, fx);
}

static void mark_all_tried(const struct core *c, struct incident *i)
{
    const struct failure_document *f = moves_failure(c, i);
    for (size_t k = 0; f && k < f->playbook_count; k++)
        incident_mark_tried(i, c->generation->playbooks[f->playbooks[k]].meta.name);
}

/* What could not be brought home is a person's: no other playbook is tried on top of it. */
static void stop_trying(struct core *c, struct incident *i, struct effects *fx)
{
    mark_all_tried(c, i);
    moves_escalate(c, i, fx);
}

static void take_undone(struct core *c, struct incident *i, const struct event *ev,
                        struct effects *fx)
{
    moves_end_attempt(c, i);
    incident_move(i, ev->ok ? CHANGE_UNDONE : CHANGE_UNDO_FAILED, c->now_usec, fx, "undo: %s",
                  ev->detail);
    if (!ev->ok)
        stop_trying(c, i, fx);
}

static void take_recovered(struct core *c, struct incident *i, const struct event *ev,
                           struct effects *fx)
{
    /* An attempt that our own end cut short proves nothing against its playbook. */
    i->is_void = ev->ok;
    if (!ev->ok)
        moves_end_attempt(c, i);
    incident_move(i, ev->ok ? CHANGE_RECOVERED : CHANGE_RECOVER_FAILED, c->now_usec, fx,
                  "recovery after the agent's end: %s", ev->detail);
    if (ev->ok)
        moves_look(c, i, fx);
    else
        stop_trying(c, i, fx);
}

static void take_looked(struct core *c, struct incident *i, struct effects *fx)
{
    i->looked_usec = c->now_usec;
    if (i->state == STATE_LOOKING)
        incident_move(i, CHANGE_LOOKED, c->now_usec, fx,
                      "what the plan relies on was looked at anew");
    else if (i->state == STATE_VERIFYING && !i->verify_usec)
        i->verify_usec = c->now_usec;
}

/* An answer for an incident that is closed or has gone on is dropped: nobody waits for it. */
static void take_answer(struct core *c, const struct event *ev, struct effects *fx)
{
    struct incident *i = core_incident(c, ev->incident);
    if (!i)
        return;
    c->changed = true;
    if (ev->type == EVENT_LOOKED)
        take_looked(c, i, fx);
    else if (ev->type == EVENT_PREPARED && i->state == STATE_PREPARING)
        take_prepared(c, i, ev, fx);
    else if (ev->type == EVENT_STEP && i->state == STATE_RUNNING && ev->step == i->step)
        take_step(c, i, ev, fx);
    else if (ev->type == EVENT_UNDONE && i->state == STATE_UNDOING)
        take_undone(c, i, ev, fx);
    else if (ev->type == EVENT_RECOVERED && i->state == STATE_RECOVERING)
        take_recovered(c, i, ev, fx);
}

/* ---- starts and reloads ---- */

static void restart_incident(struct core *c, struct incident *i, struct effects *fx)
{
    i->looked_usec = i->verify_usec = 0;
    enum state was = i->state;
    if (was == STATE_ESCALATED) {
        /* The crash may have taken along the record that somebody was told: told again, for the
         * same reason. */
        incident_move(i, CHANGE_RESTARTED, c->now_usec, fx, "%s", i->why);
        moves_escalate(c, i, fx);
        return;
    }
    bool lost = was >= STATE_RUNNING && was <= STATE_RECOVERING && (!i->generation || !i->plan);
    if (lost) {
        /* The plan is gone with its playbook: its files are home (recovery runs before this), the
         * rest is a person's. */
        i->state = STATE_FAILED;
        history_end_action(&c->history, i->id, c->now_usec);
        mark_all_tried(c, i);
    }
    incident_move(i, CHANGE_RESTARTED, c->now_usec, fx, "the agent started anew (it was %s%s)",
                  words_name(&state_words, (int)was),
                  lost ? ", by a plan that the documents don't know any more" : "");
    if (i->state == STATE_CONFIRMED)
        incident_drop_plan(i);
    else if (i->state == STATE_UNDOING)
        moves_undo(c, i, fx);
    else if (i->state == STATE_VERIFYING)
        moves_look(c, i, fx);
    else if (i->state == STATE_RECOVERING) {
        struct effect *f = effects_add(fx, EFFECT_RECOVER, i->id);
        f->generation = i->generation;
        f->playbook = i->playbook;
        f->step = i->step;
        f->body = json_incref(i->plan);
    }
}

static void take_start(struct core *c, const struct event *ev, struct effects *fx)
{
    (void)utf8_cut(c->run, sizeof c->run, ev->run);
    c->started = true;
    c->started_usec = c->now_usec;
    c->booted_usec = ev->boot_usec;
    c->kill_switch_known = false;
    c->changed = true;
    history_started(&c->history, c->now_usec);
    for (size_t i = 0; i < c->generation->probe_count; i++)
        signal_forget(&c->signals[i], c->now_usec);
    for (size_t i = 0; i < c->incident_count; i++)
        restart_incident(c, c->incidents[i], fx);
}

/* A plan that has not begun is made anew from the new documents; one that has goes on with its own.
 */
static void reload_incident(struct core *c, struct incident *i, struct effects *fx)
{
    if (states_next(i->state, CHANGE_RESTARTED) == STATE_CONFIRMED) {
        effects_add(fx, EFFECT_CANCEL, i->id);
        incident_move(i, CHANGE_RESTARTED, c->now_usec, fx, "the documents changed");
        incident_drop_plan(i);
    } else if (i->state == STATE_VERIFYING && !i->verify_usec) {
        moves_look(c, i, fx); /* the look that was under way ended with the old documents */
    }
}

static void take_config(struct core *c, struct effects *fx)
{
    c->changed = true;
    for (size_t i = 0; i < c->incident_count; i++)
        reload_incident(c, c->incidents[i], fx);
    for (size_t i = 0; i < c->generation->failure_count; i++)
        open_incident(c, &c->generation->failures[i], fx);
}

void moves_take(struct core *c, const struct event *ev, struct effects *fx)
{
    switch (ev->type) {
    case EVENT_START:
        take_start(c, ev, fx);
        return;
    case EVENT_CONFIG:
        take_config(c, fx);
        return;
    case EVENT_SIGNAL:
        take_signal(c, ev);
        open_where_due(c, &c->generation->uses[ev->probe], fx);
        return;
    case EVENT_KILL_SWITCH:
        c->kill_switch_known = true;
        c->kill_switch = ev->ok;
        return;
    case EVENT_JOURNAL:
        c->journal_broken = !ev->ok;
        return;
    case EVENT_PREPARED:
    case EVENT_LOOKED:
    case EVENT_STEP:
    case EVENT_UNDONE:
    case EVENT_RECOVERED:
        take_answer(c, ev, fx);
        return;
    case EVENT_WAKE:
    case EVENT_COUNT_:
        return;
    }
}
