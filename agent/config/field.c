#include "config/field.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "config/scalar.h"

const struct words field_type_words =
    WORDS("type", "bool", "integer", "duration", "size", "text", "name", "path", "URL", "word",
          "words", "texts", "paths", "names", "mapping", "mappings", "custom");

enum { FIELDS_MAX = 64, LIST_MAX = 1000 };

static void decode_value(const struct field *f, struct pool *pool, const struct yaml *y,
                         void *target, struct errors *errors);

static void complain(struct errors *errors, int result, const struct err *e)
{
    if (result < 0)
        errors_add(errors, e);
}

/* A list of at most LIST_MAX elements: false, with a complaint, when `y` isn't one. */
static bool is_list(const struct yaml *y, const char *of, struct errors *errors)
{
    struct err e;
    char found[YAML_FOUND];
    if (y->kind != YAML_SEQUENCE_KIND) {
        (void)yaml_error(y, &e, "found %s, expected a list of %s, as in [a, b]",
                         yaml_found(y, found), of);
        errors_add(errors, &e);
        return false;
    }
    if (y->count > LIST_MAX) {
        (void)yaml_error(y, &e, "found a list of %zu, expected at most %d", y->count, LIST_MAX);
        errors_add(errors, &e);
        return false;
    }
    return true;
}

static void decode_words(const struct field *f, const struct yaml *y, uint64_t *target,
                         struct errors *errors)
{
    assert(f->words->count <= 64);
    if (!is_list(y, f->words->what, errors))
        return;
    yaml_each (element, y) {
        struct err e;
        int value;
        int result = scalar_decode_word(f, element, &value, &e);
        complain(errors, result, &e);
        if (result < 0)
            continue;
        if (*target & UINT64_C(1) << value) {
            (void)yaml_error(element, &e, "found \"%s\" again, expected each once", element->text);
            errors_add(errors, &e);
        }
        *target |= UINT64_C(1) << value;
    }
}

static void decode_strings(const struct field *f, struct pool *pool, const struct yaml *y,
                           struct strings *target, struct errors *errors)
{
    if (!is_list(y, words_name(&field_type_words, (int)f->type), errors))
        return;
    target->at = pool_array(pool, const char *, y->count + 1); /* NULL behind the last: an argv */
    yaml_each (element, y) {
        struct err e;
        int result = scalar_decode_element(f, pool, element, &target->at[target->count], &e);
        complain(errors, result, &e);
        target->count += result == 0;
    }
}

static void decode_list(const struct field *f, struct pool *pool, const struct yaml *y,
                        struct list *target, struct errors *errors)
{
    if (!is_list(y, "mappings", errors))
        return;
    target->at = pool_alloc(pool, y->count * f->of_size);
    yaml_each (element, y)
        fields_decode_all(f->of, pool, element, (char *)target->at + target->count++ * f->of_size,
                          NULL, errors);
}

static void decode_value(const struct field *f, struct pool *pool, const struct yaml *y,
                         void *target, struct errors *errors)
{
    struct err e;
    switch (f->type) {
    case FIELD_WORDS:
        decode_words(f, y, target, errors);
        return;
    case FIELD_STRINGS:
    case FIELD_PATHS:
    case FIELD_NAMES:
        decode_strings(f, pool, y, target, errors);
        return;
    case FIELD_OBJECT:
        fields_decode_all(f->of, pool, y, target, NULL, errors);
        return;
    case FIELD_LIST:
        decode_list(f, pool, y, target, errors);
        return;
    case FIELD_CUSTOM:
        complain(errors, f->decode(pool, y, target, &e), &e);
        return;
    default:
        complain(errors, scalar_decode(f, pool, y, target, &e), &e);
    }
}

int field_keep_node(struct pool *pool, const struct yaml *y, void *target, struct err *e)
{
    (void)pool, (void)e;
    *(const struct yaml **)target = y;
    return 0;
}

/* The default's text is a table's: if it doesn't decode, the table is wrong. */
static void decode_otherwise(const struct field *f, struct pool *pool, const struct yaml *parent,
                             void *target)
{
    struct yaml scalar = *parent;
    scalar.kind = YAML_SCALAR_KIND;
    scalar.text = f->otherwise;
    scalar.first = NULL;
    scalar.quoted = !*f->otherwise;
    struct err e;
    struct errors errors = {0};
    if (f->type == FIELD_OBJECT && !strcmp(f->otherwise, "{}")) {
        scalar.quoted = false;
        scalar.text = "";
        fields_decode_all(f->of, pool, &scalar, target, NULL, &errors);
        assert(!errors.count);
        return;
    }
    if (scalar_is(f->type)) {
        int result = scalar_decode(f, pool, &scalar, target, &e);
        assert(result == 0);
        return;
    }
    struct yaml *value = NULL;
    int result = yaml_parse(pool, parent->file ? parent->file : "", f->otherwise,
                            strlen(f->otherwise), &value, &e);
    assert(result == 0 && value);
    decode_value(f, pool, value, target, &errors);
    assert(!errors.count);
}

static size_t find(const struct field *fields, const char *name)
{
    size_t i = 0;
    while (fields[i].name && strcmp(fields[i].name, name) != 0)
        i++;
    return i;
}

static size_t names_of(const struct field *fields, const char *names[FIELDS_MAX])
{
    size_t n = 0;
    for (; fields[n].name; n++) {
        assert(n < FIELDS_MAX);
        names[n] = fields[n].name;
    }
    return n;
}

static void list_names(const char *const *names, size_t count, char *text, size_t room)
{
    size_t used = 0;
    (void)snprintf(text, room, "none");
    for (size_t i = 0; i < count && used < room; i++) {
        int n = snprintf(text + used, room - used, "%s%s", i ? ", " : "", names[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    if (used >= room)
        (void)strcpy(text + room - sizeof "...", "...");
}

/* Says "unknown key" and returns the nearest of the fields, or NULL. */
static const struct field *unknown(const struct field *fields, const char *const *more,
                                   size_t more_count, const struct yaml *value,
                                   struct errors *errors)
{
    const char *names[FIELDS_MAX + 256];
    size_t own = names_of(fields, names), count = own;
    for (size_t i = 0; i < more_count && i < 256; i++)
        names[count++] = more[i];
    struct err e;
    char found[YAML_FOUND], all[384];
    (void)yaml_found(value->key, found);
    const char *near = text_nearest(value->key->text, names, count);
    if (near) {
        (void)yaml_error(value->key, &e, "unknown key %s: did you mean \"%s\"?", found, near);
    } else {
        list_names(names, count, all, sizeof all);
        (void)yaml_error(value->key, &e, "unknown key %s, expected one of: %s", found, all);
    }
    errors_add(errors, &e);
    size_t i = near ? find(fields, near) : own;
    return i < own ? &fields[i] : NULL;
}

void fields_unknown(const struct field *fields, const char *const *more, size_t more_count,
                    const struct yaml *value, struct errors *errors)
{
    (void)unknown(fields, more, more_count, value, errors);
}

/* Walks the keys that are there; returns which fields they name (or were meant to name: a key
 * that is only misspelled isn't complained of once more as missing). */
static uint64_t decode_present(const struct field *fields, struct pool *pool, const struct yaml *y,
                               void *target, struct others *others, struct errors *errors)
{
    uint64_t seen = 0;
    yaml_each (value, y) {
        size_t i = find(fields, value->key->text);
        if (fields[i].name) {
            assert(i < FIELDS_MAX);
            seen |= UINT64_C(1) << i;
            decode_value(&fields[i], pool, value, (char *)target + fields[i].offset, errors);
        } else if (others && others->count < OTHERS_MAX) {
            others->at[others->count++] = value;
        } else {
            const struct field *near = unknown(fields, NULL, 0, value, errors);
            seen |= near ? UINT64_C(1) << (near - fields) : 0;
        }
    }
    return seen;
}

static void decode_absent(const struct field *fields, struct pool *pool, const struct yaml *y,
                          uint64_t seen, void *target, struct errors *errors)
{
    for (size_t i = 0; fields[i].name; i++) {
        const struct field *f = &fields[i];
        assert(i < FIELDS_MAX);
        if (seen & UINT64_C(1) << i)
            continue;
        if (f->required) {
            struct err e;
            (void)yaml_error(y, &e, "the key \"%s\" is missing%s%s", f->name, f->help ? ": " : "",
                             f->help ? f->help : "");
            errors_add(errors, &e);
        } else if (f->otherwise) {
            decode_otherwise(f, pool, y, (char *)target + f->offset);
        }
    }
}

void fields_decode_all(const struct field *fields, struct pool *pool, const struct yaml *y,
                       void *target, struct others *others, struct errors *errors)
{
    static const struct yaml nothing = {.kind = YAML_MAPPING_KIND, .line = 1, .column = 1};
    if (!y)
        y = &nothing;
    if (y->kind != YAML_MAPPING_KIND && !yaml_is_null(y)) {
        struct err e;
        char found[YAML_FOUND];
        (void)yaml_error(y, &e, "found %s, expected a mapping (key: value)", yaml_found(y, found));
        errors_add(errors, &e);
        return;
    }
    uint64_t seen = decode_present(fields, pool, y, target, others, errors);
    decode_absent(fields, pool, y, seen, target, errors);
}

int fields_decode(const struct field *fields, struct pool *pool, const struct yaml *y, void *target,
                  struct err *e)
{
    struct errors errors = {0};
    fields_decode_all(fields, pool, y, target, NULL, &errors);
    if (!errors.count)
        return 0;
    return err_set(e, -EINVAL, "%s", errors.first.text);
}
