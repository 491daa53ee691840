#include "decide/core.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "decide/moves.h"

enum { STATE_VERSION = 1 };

struct core *core_new(struct generation *g)
{
    struct core *c = mem_new(struct core);
    c->generation = generation_ref(g);
    c->signals = mem_array(struct signal, g->probe_count);
    c->wake_usec = USEC_NEVER;
    return c;
}

static void signals_free(struct signal *signals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_decref(signals[i].facts);
    free(signals);
}

void core_free(struct core *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->incident_count; i++)
        incident_free(c->incidents[i]);
    free(c->incidents);
    signals_free(c->signals, c->generation->probe_count);
    history_fini(&c->history);
    generation_unref(c->generation);
    free(c);
}

void core_set_generation(struct core *c, struct generation *g)
{
    struct signal *signals = mem_array(struct signal, g->probe_count);
    for (size_t i = 0; i < g->probe_count; i++) {
        int old = generation_find_probe(c->generation, g->probes[i].meta.name);
        if (old < 0)
            continue;
        signals[i] = c->signals[old];
        c->signals[old].facts = NULL;
    }
    signals_free(c->signals, c->generation->probe_count);
    c->signals = signals;
    generation_ref(g);
    generation_unref(c->generation);
    c->generation = g;
}

const struct signal *core_signal(const struct core *c, const struct generation *g, int probe)
{
    static const struct signal unknown = {.reason = REASON_NOT_LOOKED_YET};
    if (g != c->generation)
        probe = generation_find_probe(c->generation, g->probes[probe].meta.name);
    return probe < 0 ? &unknown : &c->signals[probe];
}

struct scope {
    const struct core *core;
    const struct generation *generation;
};

static const struct signal *signal_in(const void *context, int probe)
{
    const struct scope *s = context;
    return core_signal(s->core, s->generation, probe);
}

enum truth core_condition(const struct core *c, const struct generation *g,
                          const struct condition *w)
{
    const struct scope s = {c, g};
    return condition_truth(w, signal_in, &s);
}

enum mode core_mode(const struct core *c, const struct playbook_document *p)
{
    enum mode policy = c->generation->policy->mode;
    return p->mode < policy ? p->mode : policy;
}

struct incident *core_incident_of(const struct core *c, const char *failure)
{
    for (size_t i = 0; i < c->incident_count; i++)
        if (!strcmp(c->incidents[i]->failure, failure))
            return c->incidents[i];
    return NULL;
}

struct incident *core_incident(const struct core *c, const char *id)
{
    for (size_t i = 0; i < c->incident_count; i++)
        if (!strcmp(c->incidents[i]->id, id))
            return c->incidents[i];
    return NULL;
}

const struct failure_document *core_explained_by(const struct core *c,
                                                 const struct failure_document *f)
{
    for (size_t i = 0; i < f->caused_by_count; i++) {
        const struct failure_document *cause = &c->generation->failures[f->caused_by[i]];
        if (core_incident_of(c, cause->meta.name))
            return cause;
    }
    return NULL;
}

void core_step(struct core *c, const struct event *ev, struct effects *fx)
{
    c->changed = false;
    if (ev->now_usec > c->now_usec)
        c->now_usec = ev->now_usec;
    moves_take(c, ev, fx);
    moves_settle(c, fx);
    uint64_t wake_usec = moves_next_wake(c);
    if (wake_usec != c->wake_usec || ev->type == EVENT_WAKE) {
        c->wake_usec = wake_usec;
        effects_add(fx, EFFECT_WAKE, NULL)->at_usec = wake_usec;
    }
    if (c->changed)
        effects_add(fx, EFFECT_SAVE, NULL);
}

static json_t *signals_save(const struct core *c)
{
    json_t *all = json_object();
    for (size_t i = 0; i < c->generation->probe_count; i++) {
        const struct signal *s = &c->signals[i];
        json_t *one = json_object();
        json_put(one, "verdict", json_string(words_name(&verdict_words, (int)s->verdict)));
        json_put(one, "reason", json_string(words_name(&reason_words, (int)s->reason)));
        json_put(one, "since", json_integer((json_int_t)s->since_usec));
        json_put(one, "changed", json_integer((json_int_t)s->changed_usec));
        json_put(one, "passed", json_integer((json_int_t)s->passed_usec));
        json_put(one, "facts", s->facts ? json_deep_copy(s->facts) : json_object());
        json_put(one, "kept", json_string(s->kept));
        json_put(all, c->generation->probes[i].meta.name, one);
    }
    return all;
}

json_t *core_save(const struct core *c)
{
    json_t *incidents = json_array();
    for (size_t i = 0; i < c->incident_count; i++)
        json_push(incidents, incident_save(c->incidents[i]));
    json_t *saved = json_object();
    json_put(saved, "version", json_integer(STATE_VERSION));
    json_put(saved, "clock", json_integer((json_int_t)c->now_usec));
    json_put(saved, "booted", json_integer((json_int_t)c->booted_usec));
    json_put(saved, "started", json_integer((json_int_t)c->started_usec));
    json_put(saved, "run", json_string(c->run));
    json_put(saved, "nextIncident", json_integer((json_int_t)c->next_incident));
    json_put(saved, "incidents", incidents);
    json_put(saved, "history", history_save(&c->history));
    json_put(saved, "signals", signals_save(c));
    return saved;
}

static void signals_load(struct core *c, const json_t *all)
{
    for (size_t i = 0; i < c->generation->probe_count; i++) {
        struct signal *s = &c->signals[i];
        const json_t *one = json_object_get(all, c->generation->probes[i].meta.name);
        int verdict = words_find(&verdict_words, json_get_string(one, "verdict", ""));
        int reason = words_find(&reason_words, json_get_string(one, "reason", ""));
        if (verdict < 0 || reason < 0)
            continue;
        s->verdict = (enum verdict)verdict;
        s->reason = (enum reason)reason;
        s->since_usec = (uint64_t)json_get_int(one, "since", 0);
        s->changed_usec = (uint64_t)json_get_int(one, "changed", 0);
        s->passed_usec = (uint64_t)json_get_int(one, "passed", 0);
        s->facts = json_deep_copy(json_object_get(one, "facts"));
        (void)utf8_cut(s->kept, sizeof s->kept, json_get_string(one, "kept", ""));
    }
}

int core_load(struct core *c, const json_t *saved, struct err *e)
{
    long long version = json_get_int(saved, "version", -1);
    if (!json_is_object(saved) || version < 0)
        return err_set(e, -EINVAL, "not a saved state: an object with a version was expected");
    if (version != STATE_VERSION)
        return err_set(e, -EPROTO, "the saved state has version %lld, this program knows %d",
                       version, STATE_VERSION);
    c->now_usec = (uint64_t)json_get_int(saved, "clock", 0);
    c->booted_usec = (uint64_t)json_get_int(saved, "booted", 0);
    c->started_usec = (uint64_t)json_get_int(saved, "started", 0);
    (void)utf8_cut(c->run, sizeof c->run, json_get_string(saved, "run", ""));
    c->next_incident = (uint64_t)json_get_int(saved, "nextIncident", 0);
    history_load(&c->history, json_object_get(saved, "history"));
    signals_load(c, json_object_get(saved, "signals"));
    const json_t *incidents = json_object_get(saved, "incidents");
    for (size_t i = 0; i < json_array_size(incidents); i++) {
        struct incident *one = incident_load(json_array_get(incidents, i), c->generation);
        if (!one)
            return err_set(e, -EINVAL, "incident %zu of the saved state can't be read", i);
        *mem_push(c->incidents, c->incident_count, c->incident_room) = one;
    }
    return 0;
}
