#include "decide/event.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/secret.h"
#include "config/generation.h"

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

static void take_texts(struct event *e, const json_t *body)
{
    e->incident = json_get_string(body, "incident", NULL);
    e->detail = json_get_string(body, "detail", NULL);
    e->digest = json_get_string(body, "digest", NULL);
    e->outcome = json_get_string(body, "outcome", NULL);
    e->run = json_get_string(body, "run", NULL);
    e->facts = json_object_get(body, "facts");
}

json_t *event_tell(const struct event *e, const char *probe_name, struct event *ret)
{
    json_t *body = event_encode(e, probe_name);
    secret_redact_json(body);
    *ret = *e;
    take_texts(ret, body);
    return body;
}

/* ---- back from the record ---- */

bool event_is_recorded(const json_t *body)
{
    return json_is_string(json_object_get(body, "event"));
}

/* What is no plan's in the record of one: event_encode's and every record's own. */
static json_t *plan_of(const json_t *body)
{
    static const char *const others[] = {
        "event", "atUsec", "incident", "detail", "digest", "outcome", "run",  "of",
        "ok",    "v",      "type",     "wall",   "usec",   "boot",    "node", "build"};
    json_t *plan = json_copy((json_t *)(uintptr_t)body);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        (void)json_object_del(plan, others[i]);
    return plan;
}

static int decode_signal(const json_t *body, const struct generation *g, struct event *ev,
                         struct err *e)
{
    const char *name = json_get_string(body, "signal", "");
    int verdict = words_find(&verdict_words, json_get_string(body, "verdict", ""));
    int reason = words_find(&reason_words, json_get_string(body, "reason", ""));
    ev->probe = generation_find_probe(g, name);
    if (ev->probe < 0)
        return err_set(e, -EINVAL, "signal \"%s\" is of no probe that is in force", name);
    if (verdict < 0 || reason < 0)
        return err_set(e, -EINVAL, "signal %s has a verdict or a reason that isn't known", name);
    if (ev->facts && !json_is_object(ev->facts))
        return err_set(e, -EINVAL, "signal %s has facts that are no object", name);
    ev->verdict = (enum verdict)verdict;
    ev->reason = (enum reason)reason;
    ev->held_usec = (uint64_t)json_get_int(body, "heldUsec", 0);
    return 0;
}

/* What the core relies on in an event of this type. */
static const char *lacks(const struct event *ev, const json_t *body)
{
    switch (ev->type) {
    case EVENT_START:
        return ev->run ? NULL : "run";
    case EVENT_PREPARED:
        if (ev->ok && !json_is_array(json_object_get(body, "steps")))
            return "steps";
        if (ev->ok && !ev->digest)
            return "digest";
        return ev->incident ? NULL : "incident";
    case EVENT_STEP:
        if (!ev->outcome)
            return "outcome";
        return ev->incident ? NULL : "incident";
    case EVENT_LOOKED:
    case EVENT_UNDONE:
    case EVENT_RECOVERED:
        return ev->incident ? NULL : "incident";
    default:
        return NULL;
    }
}

int event_decode(const json_t *body, const struct generation *g, struct event *ret,
                 json_t **ret_plan, struct err *e)
{
    const char *word = json_get_string(body, "event", "");
    int type = words_find(&event_words, word);
    if (type < 0)
        return err_set(e, -EINVAL, "\"%s\" is no event", word);
    if (json_object_get(body, "withheld"))
        return err_set(e, -ENODATA, "event %s was too long for a record: part of it is withheld",
                       word);
    struct event ev = {.type = (enum event_type)type,
                       .now_usec = (uint64_t)json_get_int(body, "atUsec", 0),
                       .ok = json_get_bool(body, "ok", false),
                       .boot_usec = (uint64_t)json_get_int(body, "bootUsec", 0),
                       .step = (int)json_get_int(body, "index", 0)};
    take_texts(&ev, body);
    const char *missing = lacks(&ev, body);
    if (missing)
        return err_set(e, -EINVAL, "event %s has no %s", word, missing);
    int r = ev.type == EVENT_SIGNAL ? decode_signal(body, g, &ev, e) : 0;
    if (r < 0)
        return r;
    *ret_plan = NULL;
    if (ev.type == EVENT_PREPARED && ev.ok)
        ev.plan = *ret_plan = plan_of(body);
    *ret = ev;
    return 0;
}

/* ---- effects ---- */

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
