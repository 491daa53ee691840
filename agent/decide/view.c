#include "decide/view.h"

#include <string.h>

#include "decide/moves.h"

static json_t *usec_since(const struct core *c, uint64_t then_usec)
{
    return json_integer((json_int_t)(c->now_usec - then_usec));
}

static void put_plan(const struct incident *i, json_t *one)
{
    const struct playbook_document *p = incident_playbook(i);
    json_put(one, "playbook", json_string(p->meta.name));
    json_put(one, "risk", json_string(words_name(&risk_words, (int)p->risk)));
    json_put(one, "step", json_integer(i->step));
    json_put(one, "dry", json_boolean(i->dry));
    if (i->digest)
        json_put(one, "digest", json_string(i->digest));
    if (i->plan)
        json_put(one, "steps", json_deep_copy(json_object_get(i->plan, "steps")));
    if (i->guards)
        json_put(one, "guards", json_deep_copy(i->guards));
}

json_t *view_incident(const struct core *c, const struct incident *i)
{
    const struct failure_document *f = moves_failure(c, i);
    json_t *one = json_object();
    json_put(one, "id", json_string(i->id));
    json_put(one, "failure", json_string(i->failure));
    json_put(one, "state", json_string(words_name(&state_words, (int)i->state)));
    json_put(one, "why", json_string_or_null(i->why));
    json_put(one, "openUsec", usec_since(c, i->opened_usec));
    json_put(one, "inStateUsec", usec_since(c, i->entered_usec));
    if (f) {
        json_put(one, "summary", json_string_or_null(f->summary));
        json_put(one, "severity", json_string(words_name(&severity_words, (int)f->severity)));
        json_put(one, "impact", json_string_or_null(f->impact));
        json_put(one, "advice", json_string_or_null(f->advice));
    }
    if (i->generation)
        put_plan(i, one);
    return one;
}

json_t *view_incidents(const struct core *c)
{
    json_t *all = json_array();
    for (size_t i = 0; i < c->incident_count; i++)
        json_push(all, view_incident(c, c->incidents[i]));
    return all;
}

json_t *view_signal(const struct core *c, int probe)
{
    const struct signal *s = &c->signals[probe];
    const struct probe_document *p = &c->generation->probes[probe];
    json_t *one = json_object();
    json_put(one, "signal", json_string(p->meta.name));
    json_put(one, "kind", json_string(p->kind->name));
    json_put(one, "verdict", json_string(words_name(&verdict_words, (int)s->verdict)));
    json_put(one, "reason", json_string(words_name(&reason_words, (int)s->reason)));
    json_put(one, "sentence", json_string(reason_sentence(s->reason)));
    json_put(one, "facts", s->facts ? json_deep_copy(s->facts) : json_object());
    json_put(one, "sinceUsec", usec_since(c, s->since_usec));
    return one;
}

static json_t *view_condition(const struct core *c, const struct condition *w)
{
    static const char *const types[] = {"signal", "all", "any", "not"};
    json_t *one = json_object();
    enum truth t = core_condition(c, c->generation, w);
    json_put(one, "type", json_string(types[w->type]));
    json_put(one, "truth", json_string(words_name(&truth_words, (int)t)));
    if (w->type == CONDITION_SIGNAL) {
        json_put(one, "wanted", json_string(words_name(&verdict_words, (int)w->is)));
        json_t *reasons = json_array();
        for (int r = 0; r < REASON_COUNT_; r++)
            if (w->reasons & (UINT64_C(1) << r))
                json_push(reasons, json_string(words_name(&reason_words, r)));
        json_put(one, "reasons", reasons);
        if (w->fact)
            json_put(one, "fact", json_string(w->fact));
        json_put(one, "seen", view_signal(c, w->signal));
        return one;
    }
    json_t *of = json_array();
    for (size_t i = 0; i < w->count; i++)
        json_push(of, view_condition(c, &w->at[i]));
    json_put(one, "of", of);
    return one;
}

static json_t *view_requires(const struct core *c, const struct playbook_document *p)
{
    json_t *all = json_array();
    for (size_t i = 0; i < p->requires_count; i++)
        json_push(all, view_condition(c, &p->requires[i].condition));
    return all;
}

static json_t *view_playbooks(const struct core *c, const struct failure_document *f)
{
    json_t *all = json_array();
    const struct incident *open = core_incident_of(c, f->meta.name);
    for (size_t i = 0; i < f->playbook_count; i++) {
        const struct playbook_document *p = &c->generation->playbooks[f->playbooks[i]];
        json_t *one = json_object();
        json_put(one, "playbook", json_string(p->meta.name));
        json_put(one, "summary", json_string_or_null(p->summary));
        json_put(one, "risk", json_string(words_name(&risk_words, (int)p->risk)));
        json_put(one, "mode", json_string(words_name(&mode_words, (int)core_mode(c, p))));
        json_put(one, "requires", view_requires(c, p));
        json_put(one, "tried", json_boolean(open && incident_tried(open, p->meta.name)));
        json_push(all, one);
    }
    return all;
}

/* Documents have no cycles in causedBy: the loader refuses them. */
static json_t *view_tree(const struct core *c, int failure, bool with_playbooks)
{
    const struct failure_document *f = &c->generation->failures[failure];
    const struct incident *open = core_incident_of(c, f->meta.name);
    json_t *one = json_object();
    json_put(one, "failure", json_string(f->meta.name));
    json_put(one, "summary", json_string_or_null(f->summary));
    json_put(one, "advice", json_string_or_null(f->advice));
    json_put(one, "severity", json_string(words_name(&severity_words, (int)f->severity)));
    json_put(one, "when", view_condition(c, &f->when));
    json_t *causes = json_array();
    for (size_t i = 0; i < f->caused_by_count; i++)
        json_push(causes, view_tree(c, f->caused_by[i], false));
    json_put(one, "causedBy", causes);
    if (open)
        json_put(one, "incident", view_incident(c, open));
    if (with_playbooks)
        json_put(one, "playbooks", view_playbooks(c, f));
    return one;
}

json_t *view_failure(const struct core *c, int failure)
{
    return view_tree(c, failure, true);
}
