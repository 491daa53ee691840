#include "config/decoding.h"

struct limits_spec {
    int64_t attempts;
    uint64_t per_usec, cooldown_usec;
};

struct playbook_spec {
    const char *summary, *treats;
    int64_t order;
    int risk, mode, on_failure;
    const struct yaml *requires, *steps, *verify;
    struct limits_spec limits;
};

struct step_spec {
    const char *name;
    uint64_t timeout_usec;
};

static const struct field limits_fields[] = {
    {.name = "attempts",
     .type = FIELD_INT,
     FIELD_AT(limits_spec, attempts),
     .otherwise = "2",
     .min = 1,
     .max = 16, /* the core remembers so many */
     .help = "at most so many runs"},
    {.name = "per",
     .type = FIELD_DURATION,
     FIELD_AT(limits_spec, per_usec),
     .otherwise = "1h",
     .min = MSEC(1),
     .max = DAYS(365),
     .help = "in this time"},
    {.name = "cooldown",
     .type = FIELD_DURATION,
     FIELD_AT(limits_spec, cooldown_usec),
     .otherwise = "5m",
     .max = DAYS(365),
     .help = "from one run's end to the next one's start"},
    {0},
};

static const struct field playbook_fields[] = {
    {.name = "summary",
     .type = FIELD_STRING,
     FIELD_AT(playbook_spec, summary),
     .help = "what it does"},
    {.name = "treats",
     .type = FIELD_NAME,
     FIELD_AT(playbook_spec, treats),
     .required = true,
     .help = "the failure"},
    {.name = "order",
     .type = FIELD_INT,
     FIELD_AT(playbook_spec, order),
     .otherwise = "100",
     .min = 0,
     .max = 1000000,
     .help = "lower is tried first"},
    {.name = "risk",
     .type = FIELD_WORD,
     FIELD_AT(playbook_spec, risk),
     .required = true,
     .words = &risk_words,
     .help = "what it might cost"},
    {.name = "mode",
     .type = FIELD_WORD,
     FIELD_AT(playbook_spec, mode),
     .words = &mode_words,
     .otherwise = "enforce",
     .help = "the stricter of this and the policy's wins"},
    {.name = "requires",
     .type = FIELD_CUSTOM,
     FIELD_AT(playbook_spec, requires),
     .decode = field_keep_node,
     .help = "signals' conditions that have to hold before"},
    {.name = "steps",
     .type = FIELD_CUSTOM,
     FIELD_AT(playbook_spec, steps),
     .required = true,
     .decode = field_keep_node,
     .help = "what is done, in order, 1 to 32 steps"},
    {.name = "verify",
     .type = FIELD_CUSTOM,
     FIELD_AT(playbook_spec, verify),
     .decode = field_keep_node,
     .help = "signals' conditions that have to hold afterwards"},
    {.name = "limits",
     .type = FIELD_OBJECT,
     FIELD_AT(playbook_spec, limits),
     .of = limits_fields,
     .otherwise = "{}",
     .help = "how often it may run"},
    {.name = "onFailure",
     .type = FIELD_WORD,
     FIELD_AT(playbook_spec, on_failure),
     .words = &on_failure_words,
     .otherwise = "undo",
     .help = "what happens when a step fails"},
    {0},
};

static const struct field step_fields[] = {
    {.name = "name", .type = FIELD_STRING, FIELD_AT(step_spec, name), .help = "for people"},
    {.name = "timeout",
     .type = FIELD_DURATION,
     FIELD_AT(step_spec, timeout_usec),
     .otherwise = "5m",
     .min = MSEC(1),
     .max = DAYS(1),
     .help = "it takes at most this long"},
    {0},
};

enum { STEPS_MAX = 32 };

static void step_decode(struct decoding *d, const struct yaml *y, struct step_document *ret)
{
    const struct catalog *c = d->l->catalog;
    struct step_spec s = {0};
    struct others others = {0};
    decode_into(d, step_fields, y, &s, &others);
    ret->kind =
        kind_decode(d, step_fields, y, &others, c->steps, c->step_count, "step", &ret->args);
    ret->name = s.name ? s.name : ret->kind ? ret->kind->name : NULL;
    ret->timeout_usec = s.timeout_usec;
}

static void steps_decode(struct decoding *d, const struct yaml *list, struct playbook_document *p)
{
    char found[YAML_FOUND];
    if (!list)
        return;
    if (list->kind != YAML_SEQUENCE_KIND || !list->count) {
        decode_error(d, list, "found %s, expected a list of 1 to %d steps",
                     list->kind == YAML_SEQUENCE_KIND ? "an empty list" : yaml_found(list, found),
                     STEPS_MAX);
        return;
    }
    if (list->count > STEPS_MAX) {
        decode_error(d, list, "found a list of %zu, expected 1 to %d steps", list->count,
                     STEPS_MAX);
        return;
    }
    p->steps = pool_array(d->l->pool, struct step_document, list->count);
    yaml_each (one, list)
        step_decode(d, one, &p->steps[p->step_count++]);
}

void *playbook_decode(struct decoding *d)
{
    struct playbook_spec s = {0};
    struct playbook_document *p = pool_new_of(d->l->scratch, struct playbook_document);
    decode_into(d, playbook_fields, d->spec, &s, NULL);
    p->summary = s.summary;
    p->treats = -1;
    p->order = (int)s.order;
    p->risk = (enum risk)s.risk;
    p->mode = (enum mode)s.mode;
    p->on_failure = (enum on_failure)s.on_failure;
    p->limits.attempts = s.limits.attempts;
    p->limits.per_usec = s.limits.per_usec;
    p->limits.cooldown_usec = s.limits.cooldown_usec;
    if (s.treats)
        reference_add(d->l, d->entry, DOCUMENT_FAILURE, s.treats, yaml_get(d->spec, "treats"),
                      &p->treats, NULL);
    expectations_decode(d->l, d->entry, s.requires, false, &p->requires, &p->requires_count,
                        &d->errors);
    steps_decode(d, s.steps, p);
    expectations_decode(d->l, d->entry, s.verify, true, &p->verify, &p->verify_count, &d->errors);
    return p;
}
