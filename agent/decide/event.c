#include "decide/event.h"

#include <stdlib.h>

#include "base/mem.h"

const struct words event_words =
    WORDS("event", "start", "config", "signal", "wake", "prepared", "looked", "step", "undone",
          "recovered", "kill-switch", "journal");

/* The record's type, and what a `result` is the result of. */
static const struct form {
    const char *record, *of;
} forms[EVENT_COUNT_] = {
    [EVENT_START] = {"event", NULL},           [EVENT_CONFIG] = {"event", NULL},
    [EVENT_SIGNAL] = {"signal", NULL},         [EVENT_WAKE] = {"event", NULL},
    [EVENT_PREPARED] = {"plan", NULL},         [EVENT_LOOKED] = {"event", NULL},
    [EVENT_STEP] = {"result", "step"},         [EVENT_UNDONE] = {"result", "undo"},
    [EVENT_RECOVERED] = {"result", "recover"}, [EVENT_KILL_SWITCH] = {"event", NULL},
    [EVENT_JOURNAL] = {"degraded", NULL},
};

static void put_text(json_t *body, const char *key, const char *text)
{
    if (text)
        json_put(body, key, json_string_or_null(text));
}

static void put_signal(json_t *body, const struct event *e, const char *probe_name)
{
    put_text(body, "signal", probe_name);
    put_text(body, "verdict", words_name(&verdict_words, (int)e->verdict));
    put_text(body, "reason", words_name(&reason_words, (int)e->reason));
    if (e->facts)
        json_put(body, "facts", json_deep_copy(e->facts));
    json_put(body, "heldUsec", json_integer((json_int_t)e->held_usec));
}

const char *event_record(const struct event *e)
{
    if (e->type == EVENT_PREPARED && !e->ok)
        return "result";
    return forms[e->type].record;
}

json_t *event_encode(const struct event *e, const char *probe_name)
{
    json_t *body = e->plan ? json_deep_copy(e->plan) : json_object();
    put_text(body, "event", words_name(&event_words, (int)e->type));
    json_put(body, "atUsec", json_integer((json_int_t)e->now_usec));
    put_text(body, "incident", e->incident);
    put_text(body, "detail", e->detail);
    put_text(body, "digest", e->digest);
    put_text(body, "outcome", e->outcome);
    put_text(body, "run", e->run);
    put_text(body, "of", e->type == EVENT_PREPARED && !e->ok ? "plan" : forms[e->type].of);
    if (e->type == EVENT_SIGNAL)
        put_signal(body, e, probe_name);
    else if (e->type == EVENT_START)
        json_put(body, "bootUsec", json_integer((json_int_t)e->boot_usec));
    else if (e->type != EVENT_CONFIG && e->type != EVENT_WAKE && e->type != EVENT_LOOKED)
        json_put(body, "ok", json_boolean(e->ok));
    if (e->type == EVENT_STEP)
        json_put(body, "index", json_integer(e->step));
    return body;
}

struct effect *effects_add(struct effects *fx, enum effect_type type, const char *incident)
{
    struct effect *f = mem_push(fx->at, fx->count, fx->room);
    f->type = type;
    f->incident = incident ? mem_strdup(incident) : NULL;
    return f;
}

void effects_record(struct effects *fx, const char *record, json_t *body)
{
    struct effect *f = effects_add(fx, EFFECT_RECORD, NULL);
    f->record = record;
    f->body = body;
}

void effects_fini(struct effects *fx)
{
    for (size_t i = 0; i < fx->count; i++) {
        free(fx->at[i].incident);
        json_decref(fx->at[i].body);
        free(fx->at[i].probes);
        free(fx->at[i].digest);
    }
    free(fx->at);
    *fx = (struct effects){0};
}
