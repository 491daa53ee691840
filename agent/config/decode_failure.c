#include <string.h>

#include "config/decoding.h"

struct failure_spec {
    const char *summary, *impact, *advice;
    int severity;
    int64_t layer;
    uint64_t for_usec;
    const struct yaml *when;
    struct strings caused_by;
};

static const struct field failure_fields[] = {
    {.name = "summary",
     .type = FIELD_STRING,
     FIELD_AT(failure_spec, summary),
     .required = true,
     .help = "what is the matter, for a tired person"},
    {.name = "impact",
     .type = FIELD_STRING,
     FIELD_AT(failure_spec, impact),
     .help = "what users of the cluster feel"},
    {.name = "advice",
     .type = FIELD_STRING,
     FIELD_AT(failure_spec, advice),
     .help = "what a person does where no playbook may"},
    {.name = "severity",
     .type = FIELD_WORD,
     FIELD_AT(failure_spec, severity),
     .required = true,
     .words = &severity_words,
     .help = "how bad it is"},
    {.name = "layer",
     .type = FIELD_INT,
     FIELD_AT(failure_spec, layer),
     .required = true,
     .min = 0,
     .max = 20,
     .help = "order of repair, lower first"},
    {.name = "for",
     .type = FIELD_DURATION,
     FIELD_AT(failure_spec, for_usec),
     .required = true,
     .max = DAYS(30),
     .min = 0,
     .help = "the condition has to hold for this long"},
    {.name = "when",
     .type = FIELD_CUSTOM,
     FIELD_AT(failure_spec, when),
     .required = true,
     .decode = field_keep_node,
     .help = "the condition over signals"},
    {.name = "causedBy",
     .type = FIELD_NAMES,
     FIELD_AT(failure_spec, caused_by),
     .help = "failures that would explain this one"},
    {0},
};

static void causes_decode(struct decoding *d, const struct strings *names,
                          struct failure_document *f)
{
    const struct yaml *list = yaml_get(d->spec, "causedBy");
    f->caused_by = pool_array(d->l->pool, int, names->count);
    if (!list || list->count != names->count)
        return; /* not all are names: complained of already */
    yaml_each (one, list) {
        for (const struct yaml *before = list->first; before != one; before = before->next)
            if (!strcmp(before->text, one->text))
                decode_error(d, one, "found \"%s\" again, expected each once", one->text);
        int *target = &f->caused_by[f->caused_by_count];
        const char *name = names->at[f->caused_by_count++];
        reference_add(d->l, d->entry, DOCUMENT_FAILURE, name, one, target, NULL);
    }
}

void *failure_decode(struct decoding *d)
{
    struct failure_spec s = {0};
    struct failure_document *f = pool_new_of(d->l->scratch, struct failure_document);
    decode_into(d, failure_fields, d->spec, &s, NULL);
    f->summary = s.summary;
    f->impact = s.impact;
    f->advice = s.advice;
    f->severity = (enum severity)s.severity;
    f->layer = (int)s.layer;
    f->for_usec = s.for_usec;
    if (s.when)
        condition_decode(d->l, d->entry, s.when, &f->when, &d->errors);
    causes_decode(d, &s.caused_by, f);
    return f;
}
