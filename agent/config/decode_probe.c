#include "config/decoding.h"

struct known_good_spec {
    const char *when;
    uint64_t for_usec;
};

struct probe_spec {
    uint64_t every_usec, timeout_usec, valid_usec;
    int64_t fail_after, pass_after;
    struct known_good_spec known_good;
};

static const struct field known_good_fields[] = {
    {.name = "when",
     .type = FIELD_NAME,
     FIELD_AT(known_good_spec, when),
     .required = true,
     .help = "the probe whose signal has to pass"},
    {.name = "for",
     .type = FIELD_DURATION,
     FIELD_AT(known_good_spec, for_usec),
     .required = true,
     .help = "for this long, the manifest unchanged"},
    {0},
};

static const struct field probe_fields[] = {
    {.name = "every",
     .type = FIELD_DURATION,
     FIELD_AT(probe_spec, every_usec),
     .otherwise = "0",
     .max = DAYS(30),
     .help = "the time between two looks; 0: only when something happens"},
    {.name = "timeout",
     .type = FIELD_DURATION,
     FIELD_AT(probe_spec, timeout_usec),
     .otherwise = "5s",
     .min = MSEC(1),
     .max = DAYS(1),
     .help = "a look takes at most this long"},
    {.name = "valid",
     .type = FIELD_DURATION,
     FIELD_AT(probe_spec, valid_usec),
     .min = MSEC(1),
     .max = DAYS(3650),
     .help = "a reading counts for this long; by default 2 x every + timeout, or for ever"},
    {.name = "failAfter",
     .type = FIELD_INT,
     FIELD_AT(probe_spec, fail_after),
     .otherwise = "1",
     .min = 1,
     .max = 1000,
     .help = "so many failing looks in a row make the signal fail"},
    {.name = "passAfter",
     .type = FIELD_INT,
     FIELD_AT(probe_spec, pass_after),
     .otherwise = "1",
     .min = 1,
     .max = 1000,
     .help = "so many passing looks in a row make the signal pass"},
    {.name = "knownGood",
     .type = FIELD_OBJECT,
     FIELD_AT(probe_spec, known_good),
     .of = known_good_fields,
     .help = "when the manifest is kept as the last known good one"},
    {0},
};

static uint64_t probe_valid(struct decoding *d, const struct probe_spec *s)
{
    if (!s->valid_usec)
        return s->every_usec ? 2 * s->every_usec + s->timeout_usec : USEC_NEVER;
    if (s->valid_usec < s->every_usec)
        decode_error(d, yaml_get(d->spec, "valid"),
                     "shorter than the time between two looks (every): the signal would always go "
                     "stale");
    return s->valid_usec;
}

void *probe_decode(struct decoding *d)
{
    struct probe_spec s = {0};
    struct others others = {0};
    struct probe_document *p = pool_new_of(d->l->scratch, struct probe_document);
    const struct catalog *c = d->l->catalog;
    decode_into(d, probe_fields, d->spec, &s, &others);
    p->kind = kind_decode(d, probe_fields, d->spec, &others, c->probes, c->probe_count, "probe",
                          &p->args);
    p->every_usec = s.every_usec;
    p->timeout_usec = s.timeout_usec;
    p->valid_usec = probe_valid(d, &s);
    p->fail_after = (unsigned)s.fail_after;
    p->pass_after = (unsigned)s.pass_after;
    p->good_signal = -1;
    p->good_for_usec = s.known_good.for_usec;
    if (s.known_good.when)
        reference_add(d->l, d->entry, DOCUMENT_PROBE, s.known_good.when,
                      yaml_path(d->spec, "knownGood.when"), &p->good_signal, NULL);
    return p;
}
