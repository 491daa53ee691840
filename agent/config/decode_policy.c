#include "config/decoding.h"

struct policy_spec {
    const char *summary;
    int mode;
    bool scaled;
    const struct yaml *guards;
};

static const struct field policy_fields[] = {
    {.name = "summary",
     .type = FIELD_STRING,
     FIELD_AT(policy_spec, summary),
     .help = "whom it is for"},
    {.name = "mode",
     .type = FIELD_WORD,
     FIELD_AT(policy_spec, mode),
     .required = true,
     .words = &mode_words,
     .help = "how far it may go"},
    {.name = "scaled",
     .type = FIELD_BOOL,
     FIELD_AT(policy_spec, scaled),
     .otherwise = "false",
     .help = "times are scaled for a demo or a test"},
    {.name = "guards",
     .type = FIELD_CUSTOM,
     FIELD_AT(policy_spec, guards),
     .decode = field_keep_node,
     .help = "guards' arguments; those not named have their defaults"},
    {0},
};

static void guards_check_names(struct decoding *d, const struct yaml *guards)
{
    const struct catalog *c = d->l->catalog;
    yaml_each (value, guards)
        if (!kind_find(c->guards, c->guard_count, value->key->text))
            kind_unknown(d, NULL, c->guards, c->guard_count, value);
}

void *policy_decode(struct decoding *d)
{
    struct policy_spec s = {0};
    const struct catalog *c = d->l->catalog;
    struct policy_document *p = pool_new_of(d->l->pool, struct policy_document);
    char found[YAML_FOUND];
    decode_into(d, policy_fields, d->spec, &s, NULL);
    p->summary = s.summary;
    p->mode = (enum mode)s.mode;
    p->scaled = s.scaled;
    p->guard_args = pool_array(d->l->pool, const void *, c->guard_count);
    if (s.guards && s.guards->kind != YAML_MAPPING_KIND && !yaml_is_null(s.guards)) {
        decode_error(d, s.guards, "found %s, expected a mapping of guards",
                     yaml_found(s.guards, found));
        return p;
    }
    if (s.guards)
        guards_check_names(d, s.guards);
    for (size_t i = 0; i < c->guard_count; i++)
        p->guard_args[i] = args_decode(d, c->guards[i], yaml_get(s.guards, c->guards[i]->name),
                                       s.guards ? s.guards : d->spec);
    return p;
}
