/* A plan before the guards: held, let through, or gone through dry. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "decide/moves.h"

static struct folded judge(struct core *c, struct incident *i)
{
    const struct guard_view v = {c, i, incident_playbook(i), c->now_usec};
    struct folded f;
    guards_fold(&v, &f);
    json_decref(i->guards);
    i->guards = json_incref(f.guards);
    return f;
}

static void record_guards(const struct incident *i, const struct folded *f, struct effects *fx)
{
    json_t *body = json_object();
    json_put(body, "incident", json_string(i->id));
    json_put(body, "playbook", json_string(incident_playbook(i)->meta.name));
    json_put(body, "plan", json_string(i->digest));
    json_put(body, "verdict", json_string(words_name(&guard_verdict_words, (int)f->verdict)));
    json_put(body, "guards", json_incref(f->guards));
    effects_record(fx, "guard", body);
}

static void begin(struct core *c, struct incident *i, struct effects *fx)
{
    i->step = 0;
    i->acted_usec = i->acted_usec ? i->acted_usec : c->now_usec;
    history_begin(&c->history, incident_playbook(i)->meta.name, i->id, c->now_usec);
    c->changed = true;
    incident_move(i, CHANGE_ALLOWED, c->now_usec, fx, "every guard allows it");
    moves_run_step(c, i, fx);
}

/* Dry-run: each step's record says what would have been done. */
static void rehearse(struct core *c, struct incident *i, const struct folded *f, struct effects *fx)
{
    const struct playbook_document *p = incident_playbook(i);
    i->dry = true;
    incident_move(i, CHANGE_ALLOWED_DRY, c->now_usec, fx, "%s", f->why);
    for (size_t k = 0; k < p->step_count; k++) {
        json_t *body = moves_step_record(c, i, (int)k);
        const json_t *step = json_array_get(json_object_get(i->plan, "steps"), k);
        json_put(body, "of", json_string("step"));
        json_put(body, "would", json_true());
        json_put(body, "detail", json_string_or_null(json_get_string(step, "summary", "")));
        effects_record(fx, "result", body);
    }
}

bool moves_settle_planned(struct core *c, struct incident *i, struct effects *fx)
{
    struct folded f = judge(c, i);
    switch (f.verdict) {
    case GUARD_NEED:
        incident_move(i, CHANGE_NEEDED, c->now_usec, fx, "%s", f.why);
        moves_look(c, i, fx);
        break;
    case GUARD_DENY:
        record_guards(i, &f, fx);
        incident_move(i, CHANGE_DENIED, c->now_usec, fx, "%s", f.why);
        break;
    case GUARD_SPENT:
        record_guards(i, &f, fx);
        incident_mark_tried(i, incident_playbook(i)->meta.name);
        incident_move(i, CHANGE_SPENT, c->now_usec, fx, "%s", f.why);
        break;
    case GUARD_DRY:
        record_guards(i, &f, fx);
        rehearse(c, i, &f, fx);
        break;
    case GUARD_ALLOW:
        record_guards(i, &f, fx);
        begin(c, i, fx);
        break;
    }
    json_decref(f.guards);
    return true;
}

static void release(struct core *c, struct incident *i, struct effects *fx, const char *why)
{
    incident_move(i, CHANGE_RELEASED, c->now_usec, fx, "%s", why);
    incident_drop_plan(i);
}

/* Held: asked again whenever anything changed. What may go on is planned anew. */
bool moves_settle_held(struct core *c, struct incident *i, const struct failure_document *f,
                       struct effects *fx)
{
    struct folded now = judge(c, i);
    json_decref(now.guards);
    if (now.verdict == GUARD_SPENT) {
        incident_mark_tried(i, incident_playbook(i)->meta.name);
        incident_move(i, CHANGE_SPENT, c->now_usec, fx, "%s", now.why);
        return true;
    }
    if (now.verdict > GUARD_DENY) {
        release(c, i, fx, "nothing holds it back any more");
        return true;
    }
    int playbook = core_choose(c, i, f);
    if (playbook < 0) {
        moves_give_up(c, i, f, "", fx);
        return true;
    }
    if (playbook == i->playbook) /* of the documents in force: a reload releases what is held */
        return false;
    release(c, i, fx, "another playbook fits now");
    return true;
}
