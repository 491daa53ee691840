/* Documents to structs: the envelope that all have. Everything that a table can say
 * stands in a table. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config/decoding.h"

const struct words document_kind_words =
    WORDS("kind", "Probe", "Failure", "Playbook", "Policy", "Configuration", "Node");

void decode_error(struct decoding *d, const struct yaml *at, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct err e;
    (void)yaml_error(at, &e, "%s", text);
    errors_add(&d->errors, &e);
}

void decode_into(struct decoding *d, const struct field *fields, const struct yaml *y, void *target,
                 struct others *others)
{
    fields_decode_all(fields, d->l->pool, y, target, others, &d->errors);
}

struct configuration_spec {
    const char *policy;
};

static const struct field configuration_fields[] = {
    {.name = "policy",
     .type = FIELD_NAME,
     FIELD_AT(configuration_spec, policy),
     .otherwise = "default",
     .help = "the policy in force"},
    {0},
};

static void configuration_decode(struct decoding *d, const struct yaml *root)
{
    struct configuration_spec s = {0};
    if (d->l->policy_at.file)
        decode_error(d, root, "a second Configuration, the first is in %s:%u", d->l->policy_at.file,
                     d->l->policy_at.line);
    decode_into(d, configuration_fields, d->spec, &s, NULL);
    const struct yaml *at = yaml_get(d->spec, "policy");
    if (s.policy)
        d->l->policy = s.policy;
    d->l->policy_at = at ? *at : *root;
    d->l->policy_at.file = d->l->file;
}

#define API_VERSION "planeguard/v1"

struct envelope {
    const struct yaml *api_version, *metadata, *spec;
    int kind;
};

static const struct field envelope_fields[] = {
    {.name = "apiVersion",
     .type = FIELD_CUSTOM,
     FIELD_AT(envelope, api_version),
     .required = true,
     .decode = field_keep_node,
     .help = API_VERSION},
    {.name = "kind",
     .type = FIELD_WORD,
     FIELD_AT(envelope, kind),
     .required = true,
     .words = &document_kind_words,
     .help = "what the document is"},
    {.name = "metadata",
     .type = FIELD_CUSTOM,
     FIELD_AT(envelope, metadata),
     .decode = field_keep_node,
     .help = "name and component"},
    {.name = "spec",
     .type = FIELD_CUSTOM,
     FIELD_AT(envelope, spec),
     .required = true,
     .decode = field_keep_node,
     .help = "what it says"},
    {0},
};

static const struct field metadata_fields[] = {
    {.name = "name",
     .type = FIELD_NAME,
     FIELD_AT(metadata, name),
     .required = true,
     .help = "by which others refer to it"},
    {.name = "component",
     .type = FIELD_NAME,
     FIELD_AT(metadata, component),
     .help = "the part of the control plane, such as kube-apiserver"},
    {0},
};

static bool version_is_ours(struct decoding *d, const struct yaml *at)
{
    char found[YAML_FOUND];
    if (at && at->kind == YAML_SCALAR_KIND && !strcmp(at->text, API_VERSION))
        return true;
    if (at)
        decode_error(d, at, "found %s, expected " API_VERSION, yaml_found(at, found));
    return false;
}

/* The entry; among the others only if it has a name. */
static struct entry *entry_new(struct decoding *d, const struct yaml *root,
                               const struct envelope *v, enum origin origin)
{
    struct metadata meta = {.file = d->l->file, .line = root->line};
    if (!v->metadata)
        decode_error(d, root, "the key \"metadata\" is missing: name and component");
    else
        decode_into(d, metadata_fields, v->metadata, &meta, NULL);
    struct entry *entry = pool_new_of(d->l->scratch, struct entry);
    entry->kind = (enum document_kind)v->kind;
    entry->origin = origin;
    entry->order = (unsigned)d->l->entries.count;
    entry->meta = meta;
    entry->tail = &entry->first;
    if (!meta.name)
        return entry;
    entry->at = *yaml_get(v->metadata, "name");
    entry->at.file = meta.file;
    *mem_push(d->l->entries.at, d->l->entries.count, d->l->entries.room) = entry;
    return entry;
}

static void spec_decode(struct decoding *d)
{
    static void *(*const decode[DOCUMENT_NAMED_])(struct decoding *) = {
        [DOCUMENT_PROBE] = probe_decode,
        [DOCUMENT_FAILURE] = failure_decode,
        [DOCUMENT_PLAYBOOK] = playbook_decode,
        [DOCUMENT_POLICY] = policy_decode,
    };
    d->entry->document = decode[d->entry->kind](d);
}

/* Documents that belong in one file only: true when this is one of them. */
static bool decode_unnamed(struct decoding *d, const struct yaml *root, const struct envelope *v,
                           const char *base_name)
{
    static const char *const files[] = {
        [DOCUMENT_CONFIGURATION] = "planeguard.yaml", [DOCUMENT_NODE] = "node.yaml"};
    if (v->kind < DOCUMENT_NAMED_)
        return false;
    const char *file = files[v->kind];
    if (strcmp(base_name, file) != 0)
        decode_error(d, yaml_get(root, "kind"),
                     "found \"%s\", which belongs in /etc/planeguard/%s only",
                     words_name(&document_kind_words, v->kind), file);
    else if (v->kind == DOCUMENT_CONFIGURATION)
        configuration_decode(d, root);
    return true;
}

void document_decode(struct loading *l, const struct yaml *root, enum origin origin,
                     const char *base_name)
{
    struct decoding d = {.l = l, .errors = errors_of(l)};
    struct envelope v = {.kind = -1};
    decode_into(&d, envelope_fields, root, &v, NULL);
    bool ours = version_is_ours(&d, v.api_version);
    d.spec = v.spec;
    if (v.kind < 0) {
        l->incomplete = true;
        return;
    }
    if (decode_unnamed(&d, root, &v, base_name))
        return;
    d.entry = entry_new(&d, root, &v, origin);
    l->incomplete |= !d.entry->meta.name;
    /* Another version's spec may have other keys: one complaint says it. */
    if (ours && d.spec)
        spec_decode(&d);
    d.entry->broken = d.errors.count > 0;
}
