/* `planeguard kinds [KIND | reasons]`: what documents may say, from the tables that decode
 * them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/own.h"
#include "cmd/verbs.h"
#include "config/document.h"
#include "config/scalar.h"

struct room {
    const char *what, *title;
    const struct kind *const *kinds;
    size_t count;
};

enum { ROOMS = 3 };

static void rooms_of(const struct catalog *c, struct room ret[ROOMS])
{
    ret[0] = (struct room){"probe", "probes", c->probes, c->probe_count};
    ret[1] = (struct room){"step", "steps", c->steps, c->step_count};
    ret[2] = (struct room){"guard", "guards", c->guards, c->guard_count};
}

/* ---- as JSON ----------------------------------------------------------------------------- */

static json_t *fields_json(const struct field *fields);

/* A bound as it would be written. */
static json_t *bound_json(enum field_type type, int64_t bound)
{
    char text[DURATION_TEXT + SIZE_TEXT];
    if (type == FIELD_DURATION)
        return json_string(duration_format((uint64_t)bound, text));
    if (type == FIELD_SIZE)
        return json_string(size_format((uint64_t)bound, text));
    return json_integer(bound);
}

static json_t *words_json(const struct words *w)
{
    json_t *array = json_array();
    for (size_t i = 0; i < w->count; i++)
        json_push(array, json_string(w->names[i]));
    return array;
}

static json_t *field_json(const struct field *f)
{
    json_t *object = json_object();
    json_put(object, "name", json_string(f->name));
    json_put(object, "type", json_string(words_name(&field_type_words, (int)f->type)));
    json_put(object, "required", json_boolean(f->required));
    if (f->otherwise)
        json_put(object, "default", json_string(f->otherwise));
    if (f->min || f->max) {
        json_put(object, "min", bound_json(f->type, f->min));
        json_put(object, "max", bound_json(f->type, f->max));
    }
    if (f->words)
        json_put(object, "words", words_json(f->words));
    if (f->of)
        json_put(object, "fields", fields_json(f->of));
    json_put(object, "help", json_string_or_null(f->help));
    return object;
}

static json_t *fields_json(const struct field *fields)
{
    json_t *array = json_array();
    for (const struct field *f = fields; f && f->name; f++)
        json_push(array, field_json(f));
    return array;
}

static json_t *kind_json(const struct kind *k, const struct room *room)
{
    json_t *object = json_object();
    json_put(object, "name", json_string(k->name));
    json_put(object, "of", json_string(room->what));
    json_put(object, "summary", json_string(k->summary));
    json_put(object, "fields", fields_json(k->fields));
    return object;
}

static json_t *rooms_json(const struct room rooms[ROOMS])
{
    json_t *object = json_object();
    for (size_t i = 0; i < ROOMS; i++) {
        json_t *array = json_array();
        for (size_t j = 0; j < rooms[i].count; j++)
            json_push(array, kind_json(rooms[i].kinds[j], &rooms[i]));
        json_put(object, rooms[i].title, array);
    }
    return object;
}

static json_t *reasons_json(void)
{
    json_t *array = json_array();
    for (int r = 0; r < REASON_COUNT_; r++) {
        json_t *object = json_object();
        json_put(object, "name", json_string(words_name(&reason_words, r)));
        json_put(object, "sentence", json_string(reason_sentence((enum reason)r)));
        json_push(array, object);
    }
    return array;
}

static void print_json(json_t *value)
{
    OWNED(json_decref) json_t *owned = value;
    OWNED(free) char *text = json_canonical(owned);
    (void)puts(text);
}

/* ---- for people -------------------------------------------------------------------------- */

static void print_rooms(const struct room rooms[ROOMS])
{
    for (size_t i = 0; i < ROOMS; i++) {
        (void)printf("%s%s\n", i ? "\n" : "", rooms[i].title);
        for (size_t j = 0; j < rooms[i].count; j++)
            (void)printf("  %-26s %s\n", rooms[i].kinds[j]->name, rooms[i].kinds[j]->summary);
    }
}

static void print_bounds(const struct field *f)
{
    char least[DURATION_TEXT + SIZE_TEXT], most[DURATION_TEXT + SIZE_TEXT];
    if (!f->min && !f->max)
        return;
    if (f->type == FIELD_DURATION)
        (void)printf(" from %s to %s", duration_format((uint64_t)f->min, least),
                     duration_format((uint64_t)f->max, most));
    else if (f->type == FIELD_SIZE)
        (void)printf(" from %s to %s", size_format((uint64_t)f->min, least),
                     size_format((uint64_t)f->max, most));
    else
        (void)printf(" from %lld to %lld", (long long)f->min, (long long)f->max);
}

static void print_fields(const struct field *fields, int indent)
{
    for (const struct field *f = fields; f && f->name; f++) {
        (void)printf("%*s%s: %s", indent, "", f->name, words_name(&field_type_words, (int)f->type));
        print_bounds(f);
        for (size_t i = 0; f->words && i < f->words->count; i++)
            (void)printf("%s%s", i ? " | " : " ", f->words->names[i]);
        if (f->required)
            (void)printf(", required");
        else if (f->otherwise)
            (void)printf(", default %s", *f->otherwise ? f->otherwise : "\"\"");
        (void)printf("\n%*s%s\n", indent + 4, "", f->help ? f->help : "");
        print_fields(f->of, indent + 4);
    }
}

static void print_kind(const struct kind *k, const struct room *room)
{
    (void)printf("%s (%s): %s\n", k->name, room->what, k->summary);
    print_fields(k->fields, 2);
}

static void print_reasons(void)
{
    for (int r = 0; r < REASON_COUNT_; r++)
        (void)printf("%-20s %s\n", words_name(&reason_words, r), reason_sentence((enum reason)r));
}

/* ---- the verb ---------------------------------------------------------------------------- */

static int complain_unknown(const struct room rooms[ROOMS], const char *name)
{
    size_t count = 1;
    for (size_t i = 0; i < ROOMS; i++)
        count += rooms[i].count;
    OWNED(free) const char **names = mem_array(const char *, count);
    names[0] = "reasons";
    count = 1;
    for (size_t i = 0; i < ROOMS; i++)
        for (size_t j = 0; j < rooms[i].count; j++)
            names[count++] = rooms[i].kinds[j]->name;
    const char *near = text_nearest(name, names, count);
    (void)fprintf(stderr, "planeguard kinds: no kind is named \"%s\"%s%s%s\n", name,
                  near ? ": did you mean \"" : ": see `planeguard kinds`", near ? near : "",
                  near ? "\"?" : "");
    return EXIT_ERROR;
}

static int say_all(const struct options *o, const struct room rooms[ROOMS])
{
    if (o->json)
        print_json(rooms_json(rooms));
    else
        print_rooms(rooms);
    return EXIT_GOOD;
}

static int say_reasons(const struct options *o)
{
    if (o->json)
        print_json(reasons_json());
    else
        print_reasons();
    return EXIT_GOOD;
}

/* A name may be a probe's and a guard's: both are said. */
static int say_kind(const struct options *o, const struct room rooms[ROOMS], const char *name)
{
    json_t *found = json_array();
    for (size_t i = 0; i < ROOMS; i++) {
        for (size_t j = 0; j < rooms[i].count; j++) {
            const struct kind *k = rooms[i].kinds[j];
            if (strcmp(k->name, name) != 0)
                continue;
            json_push(found, kind_json(k, &rooms[i]));
            if (!o->json)
                print_kind(k, &rooms[i]);
        }
    }
    size_t count = json_array_size(found);
    if (count && o->json)
        print_json(json_incref(found));
    json_decref(found);
    return count ? EXIT_GOOD : complain_unknown(rooms, name);
}

int cmd_kinds(const struct options *o)
{
    struct room rooms[ROOMS];
    rooms_of(o->catalog, rooms);
    if (o->argc > 1) {
        (void)fprintf(stderr, "planeguard kinds: at most one KIND is expected\n");
        return EXIT_USAGE;
    }
    if (!o->argc)
        return say_all(o, rooms);
    if (!strcmp(o->argv[0], "reasons"))
        return say_reasons(o);
    return say_kind(o, rooms, o->argv[0]);
}
