/* A saved state of any JSON, then events in any order. The first line of the input is the state,
 * each two bytes of the rest an event. What the core is then in can be saved, loaded and saved
 * again to the same; every record that it asks for has a canonical form. */
#include <stdlib.h>
#include <string.h>

#include "act/step.h"
#include "base/mem.h"
#include "decide/core.h"
#include "fuzz.h"
#include "record/journal.h"

enum { EVENTS_MAX = 64 };

static void take_effects(const struct effects *fx)
{
    for (size_t i = 0; i < fx->count; i++) {
        const struct effect *f = &fx->at[i];
        fuzz_must(f->type != EFFECT_RECORD || words_find(&record_words, f->record) >= 0);
        if (f->type == EFFECT_RUN || f->type == EFFECT_UNDO || f->type == EFFECT_RECOVER) {
            fuzz_must(f->generation && f->playbook >= 0 &&
                      (size_t)f->playbook < f->generation->playbook_count);
            fuzz_must(f->step >= 0 &&
                      (size_t)f->step < f->generation->playbooks[f->playbook].step_count);
        }
        for (size_t k = 0; f->type == EFFECT_LOOK && k < f->probe_count; k++)
            fuzz_must(f->probes[k] >= 0);
    }
}

static json_t *plan_of(const struct incident *i)
{
    const struct playbook_document *p = incident_playbook(i);
    json_t *plan = json_object(), *steps = json_array();
    for (size_t k = 0; k < p->step_count; k++) {
        json_t *one = json_object();
        json_put(one, "name", json_string(p->steps[k].name));
        json_put(one, "kind", json_string(p->steps[k].kind->name));
        json_put(one, "changes", json_boolean(step_kind_of(p->steps[k].kind)->changes));
        json_push(steps, one);
    }
    json_put(plan, "playbook", json_string(p->meta.name));
    json_put(plan, "steps", steps);
    return plan;
}

static void feed(struct core *c, uint8_t what, uint8_t which)
{
    static const uint64_t steps_usec[] = {0, USEC_PER_SEC, 30 * USEC_PER_SEC, USEC_PER_HOUR};
    const struct generation *g = c->generation;
    const struct incident *i = c->incident_count ? c->incidents[which % c->incident_count] : NULL;
    OWNED(json_decref) json_t *facts = json_object(), *plan = NULL;
    OWNED(free) char *id = mem_strdup(i ? i->id : "nobody-1");
    json_put(facts, "sha256", json_string(which & 1 ? "aa" : "bb"));
    struct event ev = {.type = (enum event_type)(what % EVENT_COUNT_),
                       .now_usec = c->now_usec + steps_usec[what >> 6],
                       .incident = id,
                       .ok = which & 0x80,
                       .outcome = which & 0x80 ? "done" : "failed",
                       .detail = "x",
                       .run = "f",
                       .step = i ? i->step : 0,
                       .probe = which % (int)g->probe_count,
                       .verdict = (enum verdict)((what >> 4) % 3),
                       .reason = (enum reason)(which % REASON_COUNT_),
                       .facts = facts,
                       .digest = "0123456789abcdef"};
    if (ev.type == EVENT_PREPARED && i && i->generation && i->state == STATE_PREPARING)
        ev.plan = plan = plan_of(i);
    if (ev.type == EVENT_PREPARED && !plan)
        ev.ok = false;
    struct effects fx = {0};
    core_step(c, &ev, &fx);
    take_effects(&fx);
    effects_fini(&fx);
}

static void round_trip(const struct core *c)
{
    struct err e = {0};
    OWNED(core_free) struct core *other = core_new(c->generation);
    OWNED(json_decref) json_t *saved = core_save(c);
    fuzz_must(core_load(other, saved, &e) == 0);
    OWNED(json_decref) json_t *again = core_save(other);
    fuzz_must(json_equal(saved, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input in = {bytes, length};
    struct err e = {0};
    size_t n = 0;
    OWNED(free) char *line = fuzz_line(&in, &n);
    OWNED(json_decref) json_t *state = line ? json_parse(line, n, NULL) : NULL;
    OWNED(core_free) struct core *c = core_new(fuzz_generation());
    if (state && core_load(c, state, &e) < 0) {
        fuzz_must(*e.text && fuzz_is_harmless(e.text));
        return 0;
    }
    round_trip(c);
    struct effects fx = {0};
    struct event ev = {.type = EVENT_START, .run = "f", .now_usec = c->now_usec};
    core_step(c, &ev, &fx);
    take_effects(&fx);
    effects_fini(&fx);
    for (int i = 0; in.left && i < EVENTS_MAX; i++) {
        uint8_t what = fuzz_byte(&in);
        feed(c, what, fuzz_byte(&in));
    }
    round_trip(c);
    return 0;
}
