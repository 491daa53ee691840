#include "decide/incident.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decide/event.h"

enum { WHY_BYTES = 400 };

struct incident *incident_new(const char *id, const char *failure, const char *why,
                              uint64_t now_usec)
{
    struct incident *i = mem_new(struct incident);
    i->id = mem_strdup(id);
    i->failure = mem_strdup(failure);
    i->state = STATE_SUSPECTED;
    i->opened_usec = i->entered_usec = i->holds_since_usec = now_usec;
    i->why = mem_strdup(why);
    return i;
}

void incident_drop_plan(struct incident *i)
{
    json_decref(i->plan);
    i->plan = NULL;
    free(i->digest);
    i->digest = NULL;
    free(i->met_usec);
    i->met_usec = NULL;
    json_decref(i->guards);
    i->guards = NULL;
    generation_unref(i->generation);
    i->generation = NULL;
    i->step = 0;
    i->dry = i->is_void = false;
    i->looked_usec = i->verify_usec = 0;
}

void incident_free(struct incident *i)
{
    if (!i)
        return;
    incident_drop_plan(i);
    for (size_t k = 0; k < i->tried_count; k++)
        free(i->tried[k]);
    free(i->tried);
    free(i->id);
    free(i->failure);
    free(i->why);
    free(i);
}

const struct playbook_document *incident_playbook(const struct incident *i)
{
    return i->generation ? &i->generation->playbooks[i->playbook] : NULL;
}

bool incident_tried(const struct incident *i, const char *playbook)
{
    for (size_t k = 0; k < i->tried_count; k++)
        if (!strcmp(i->tried[k], playbook))
            return true;
    return false;
}

void incident_mark_tried(struct incident *i, const char *playbook)
{
    if (!incident_tried(i, playbook))
        *mem_push(i->tried, i->tried_count, i->tried_room) = mem_strdup(playbook);
}

static void record_move(const struct incident *i, enum state from, struct effects *fx)
{
    json_t *body = json_object();
    json_put(body, "incident", json_string(i->id));
    json_put(body, "failure", json_string(i->failure));
    json_put(body, "from", json_string(words_name(&state_words, (int)from)));
    json_put(body, "to", json_string(words_name(&state_words, (int)i->state)));
    json_put(body, "why", json_string_or_null(i->why));
    if (i->generation)
        json_put(body, "playbook", json_string(incident_playbook(i)->meta.name));
    effects_record(fx, "incident", body);
}

void incident_move(struct incident *i, enum change change, uint64_t now_usec, struct effects *fx,
                   const char *why_format, ...)
{
    enum state from = i->state;
    enum state to = states_next(from, change);
    assert(to != STATE_NONE);
    char why[WHY_BYTES];
    va_list args;
    va_start(args, why_format);
    (void)vsnprintf(why, sizeof why, why_format, args);
    va_end(args);
    free(i->why);
    i->why = mem_strdup(why);
    i->state = to;
    if (to != from)
        i->entered_usec = now_usec;
    if (to != from || change == CHANGE_RESTARTED)
        record_move(i, from, fx);
}

static void save_tried(const struct incident *i, json_t *saved)
{
    json_t *tried = json_array();
    for (size_t k = 0; k < i->tried_count; k++)
        json_push(tried, json_string(i->tried[k]));
    json_put(saved, "tried", tried);
}

static void save_plan(const struct incident *i, json_t *saved)
{
    json_put(saved, "playbook", json_string(incident_playbook(i)->meta.name));
    json_put(saved, "step", json_integer(i->step));
    json_put(saved, "dry", json_boolean(i->dry));
    json_put(saved, "looked", json_integer((json_int_t)i->looked_usec));
    if (i->plan)
        json_put(saved, "plan", json_incref(i->plan));
    if (i->digest)
        json_put(saved, "digest", json_string(i->digest));
}

json_t *incident_save(const struct incident *i)
{
    json_t *saved = json_object();
    json_put(saved, "id", json_string(i->id));
    json_put(saved, "failure", json_string(i->failure));
    json_put(saved, "state", json_string(words_name(&state_words, (int)i->state)));
    json_put(saved, "why", json_string_or_null(i->why));
    json_put(saved, "opened", json_integer((json_int_t)i->opened_usec));
    json_put(saved, "entered", json_integer((json_int_t)i->entered_usec));
    json_put(saved, "holdsSince", json_integer((json_int_t)i->holds_since_usec));
    json_put(saved, "explained", json_integer((json_int_t)i->explained_usec));
    json_put(saved, "acted", json_integer((json_int_t)i->acted_usec));
    save_tried(i, saved);
    if (i->generation)
        save_plan(i, saved);
    return saved;
}

/* The documents may have changed since: a plan whose steps aren't this playbook's is no plan of it.
 */
static bool plan_fits(const json_t *plan, const struct playbook_document *p, long long step)
{
    const json_t *steps = json_object_get(plan, "steps");
    if (json_array_size(steps) != p->step_count || step < 0 || (size_t)step >= p->step_count)
        return false;
    for (size_t k = 0; k < p->step_count; k++)
        if (strcmp(json_get_string(json_array_get(steps, k), "kind", ""), p->steps[k].kind->name) !=
            0)
            return false;
    return true;
}

/* A plan and its digest come together: every record of a step names the plan by it. */
static void load_plan(struct incident *i, const json_t *saved, struct generation *g)
{
    int playbook = generation_find_playbook(g, json_get_string(saved, "playbook", ""));
    json_t *plan = json_object_get(saved, "plan");
    const char *digest = json_get_string(saved, "digest", NULL);
    long long step = json_get_int(saved, "step", 0);
    if (playbook < 0 || !plan != !digest ||
        (plan && !plan_fits(plan, &g->playbooks[playbook], step)))
        return;
    i->generation = generation_ref(g);
    i->playbook = playbook;
    i->step = plan ? (int)step : 0;
    i->dry = json_get_bool(saved, "dry", false);
    i->looked_usec = (uint64_t)json_get_int(saved, "looked", 0);
    i->plan = json_incref(plan);
    i->digest = digest ? mem_strdup(digest) : NULL;
}

static bool load_tried(struct incident *i, const json_t *tried)
{
    for (size_t k = 0; k < json_array_size(tried); k++) {
        const char *playbook = json_string_value(json_array_get(tried, k));
        if (!playbook)
            return false;
        *mem_push(i->tried, i->tried_count, i->tried_room) = mem_strdup(playbook);
    }
    return true;
}

struct incident *incident_load(const json_t *saved, struct generation *g)
{
    const char *id = json_get_string(saved, "id", NULL);
    const char *failure = json_get_string(saved, "failure", NULL);
    int state = words_find(&state_words, json_get_string(saved, "state", ""));
    if (!id || !failure || state <= STATE_NONE || state_is_closed((enum state)state))
        return NULL;
    struct incident *i = incident_new(id, failure, json_get_string(saved, "why", ""), 0);
    i->state = (enum state)state;
    i->opened_usec = (uint64_t)json_get_int(saved, "opened", 0);
    i->entered_usec = (uint64_t)json_get_int(saved, "entered", 0);
    i->holds_since_usec = (uint64_t)json_get_int(saved, "holdsSince", 0);
    i->explained_usec = (uint64_t)json_get_int(saved, "explained", 0);
    i->acted_usec = (uint64_t)json_get_int(saved, "acted", 0);
    if (!load_tried(i, json_object_get(saved, "tried"))) {
        incident_free(i);
        return NULL;
    }
    load_plan(i, saved, g);
    return i;
}
