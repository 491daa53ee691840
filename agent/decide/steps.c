/* What the core asks others to do for an incident's plan, and the records that go with it. */
#include <string.h>

#include "base/mem.h"
#include "decide/moves.h"

/* ---- the fresh look ---- */

struct gather {
    const struct core *core;
    const struct generation *generation;
    struct effect *effect;
};

static void gather_probe(void *context, int probe)
{
    struct gather *g = context;
    if (g->generation != g->core->generation)
        probe = generation_find_probe(g->core->generation, g->generation->probes[probe].meta.name);
    for (size_t i = 0; i < g->effect->probe_count; i++)
        if (g->effect->probes[i] == probe)
            return;
    if (probe >= 0)
        g->effect->probes[g->effect->probe_count++] = probe;
}

static void gather_expectations(struct gather *g, const struct expectation *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        condition_probes(&at[i].condition, gather_probe, g);
}

void moves_look(struct core *c, const struct incident *i, struct effects *fx)
{
    const struct playbook_document *p = incident_playbook(i);
    struct gather g = {c, i->generation, effects_add(fx, EFFECT_LOOK, i->id)};
    g.effect->probes = mem_array(int, c->generation->probe_count);
    if (i->state == STATE_VERIFYING) {
        gather_expectations(&g, p->verify, p->verify_count);
        return;
    }
    const struct failure_document *failures = i->generation->failures;
    const struct failure_document *f = &failures[p->treats];
    condition_probes(&f->when, gather_probe, &g);
    gather_expectations(&g, p->requires, p->requires_count);
    for (size_t k = 0; k < f->caused_by_count; k++)
        condition_probes(&failures[f->caused_by[k]].when, gather_probe, &g);
}

/* ---- steps ---- */

static struct effect *step_effect(const struct incident *i, enum effect_type type,
                                  struct effects *fx)
{
    struct effect *f = effects_add(fx, type, i->id);
    f->generation = i->generation;
    f->playbook = i->playbook;
    f->step = i->step;
    f->body = json_incref(i->plan);
    return f;
}

json_t *moves_step_record(const struct core *c, const struct incident *i, int step)
{
    const struct playbook_document *p = incident_playbook(i);
    const struct attempts *a = history_attempts(&c->history, p->meta.name);
    json_t *body = json_object();
    json_put(body, "incident", json_string(i->id));
    json_put(body, "playbook", json_string(p->meta.name));
    json_put(body, "step", json_string_or_null(p->steps[step].name));
    json_put(body, "index", json_integer(step));
    json_put(body, "kind", json_string(p->steps[step].kind->name));
    json_put(body, "attempt", json_integer(a ? (json_int_t)a->count : 0));
    json_put(body, "plan", json_string(i->digest));
    json_put(body, "dry", json_boolean(i->dry));
    return body;
}

void moves_run_step(struct core *c, struct incident *i, struct effects *fx)
{
    effects_record(fx, "intent", moves_step_record(c, i, i->step));
    step_effect(i, EFFECT_RUN, fx);
}

void moves_undo(struct core *c, struct incident *i, struct effects *fx)
{
    json_t *body = moves_step_record(c, i, i->step);
    json_put(body, "why", json_string_or_null(i->why));
    effects_record(fx, "undo", body);
    step_effect(i, EFFECT_UNDO, fx);
}

void moves_end_attempt(struct core *c, struct incident *i)
{
    history_end(&c->history, incident_playbook(i)->meta.name, c->now_usec);
    if (!i->is_void)
        incident_mark_tried(i, incident_playbook(i)->meta.name);
    c->changed = true;
}

void moves_escalate(struct core *c, const struct incident *i, struct effects *fx)
{
    const struct failure_document *f = moves_failure(c, i);
    json_t *body = json_object();
    json_put(body, "incident", json_string(i->id));
    json_put(body, "failure", json_string(i->failure));
    json_put(body, "why", json_string_or_null(i->why));
    json_put(body, "summary", json_string_or_null(f ? f->summary : NULL));
    json_put(body, "advice", json_string_or_null(f ? f->advice : NULL));
    effects_record(fx, "escalate", json_incref(body));
    effects_add(fx, EFFECT_TELL, i->id)->body = body;
    c->changed = true;
}

void moves_give_up(struct core *c, struct incident *i, const struct failure_document *f,
                   const char *before, struct effects *fx)
{
    char why[300];
    moves_why_none(c, i, f, why, sizeof why);
    incident_move(i, CHANGE_NONE_LEFT, c->now_usec, fx, "%s%s%s: a person is needed", before,
                  *before ? "; " : "", why);
    incident_drop_plan(i);
    moves_escalate(c, i, fx);
}
