/* The keys that name a kind of probe, step or guard, and their arguments. */
#include <stdio.h>
#include <string.h>

#include "config/decoding.h"

const void *args_decode(struct decoding *d, const struct kind *kind, const struct yaml *y,
                        const struct yaml *at)
{
    static const struct field none[] = {{0}};
    void *args = pool_alloc(d->l->pool, kind->args_size);
    struct yaml nothing = *at;
    nothing.kind = YAML_MAPPING_KIND;
    nothing.first = NULL;
    nothing.count = 0;
    if (!y)
        y = &nothing;
    size_t before = d->errors.count;
    decode_into(d, kind->fields ? kind->fields : none, y, args, NULL);
    struct err e;
    if (d->errors.count == before && kind->check && kind->check(args, y, &e) < 0)
        errors_add(&d->errors, &e);
    return args;
}

const struct kind *kind_find(const struct kind *const *kinds, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

enum { KINDS_MAX = 256 };

void kind_unknown(struct decoding *d, const struct field *fields, const struct kind *const *kinds,
                  size_t count, const struct yaml *value)
{
    static const struct field none[] = {{0}};
    const char *names[KINDS_MAX];
    size_t n = 0;
    for (; n < count && n < KINDS_MAX; n++)
        names[n] = kinds[n]->name;
    fields_unknown(fields ? fields : none, names, n, value, &d->errors);
}

const struct kind *kind_decode(struct decoding *d, const struct field *fields, const struct yaml *y,
                               const struct others *others, const struct kind *const *kinds,
                               size_t count, const char *what, const void **ret_args)
{
    const struct kind *chosen = NULL;
    size_t before = d->errors.count;
    for (size_t i = 0; i < others->count; i++) {
        const struct yaml *value = others->at[i];
        const struct kind *kind = kind_find(kinds, count, value->key->text);
        if (!kind) {
            kind_unknown(d, fields, kinds, count, value);
        } else if (chosen) {
            decode_error(d, value->key, "a second kind, \"%s\" beside \"%s\": a %s has exactly one",
                         kind->name, chosen->name, what);
        } else {
            chosen = kind;
            *ret_args = args_decode(d, kind, value, value);
        }
    }
    if (!chosen && d->errors.count == before && (y->kind == YAML_MAPPING_KIND || yaml_is_null(y)))
        decode_error(d, y, "no kind of %s: expected exactly one, see `planeguard kinds`", what);
    return chosen;
}
