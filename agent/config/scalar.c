#include "config/scalar.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "config/text.h"

static int expected(const struct yaml *y, struct err *e, const char *what)
{
    char found[YAML_FOUND];
    return yaml_error(y, e, "found %s, expected %s", yaml_found(y, found), what);
}

static int decode_bool(const struct field *f, struct pool *pool, const struct yaml *y, void *target,
                       struct err *e)
{
    (void)f, (void)pool;
    bool yes = !strcmp(y->text, "true");
    if (y->quoted || (!yes && strcmp(y->text, "false") != 0))
        return expected(y, e, "true or false, without quotes");
    *(bool *)target = yes;
    return 0;
}

static bool is_bounded(const struct field *f)
{
    return f->min || f->max;
}

static int decode_int(const struct field *f, struct pool *pool, const struct yaml *y, void *target,
                      struct err *e)
{
    (void)pool;
    if (y->quoted || !text_is_integer(y->text))
        return expected(y, e, "an integer, without quotes");
    errno = 0;
    long long n = strtoll(y->text, NULL, 10);
    if (errno)
        return expected(y, e, "an integer of at most 64 bits");
    if (is_bounded(f) && (n < f->min || n > f->max))
        return yaml_error(y, e, "found %lld, expected an integer from %" PRId64 " to %" PRId64, n,
                          f->min, f->max);
    *(int64_t *)target = n;
    return 0;
}

static int decode_duration(const struct field *f, struct pool *pool, const struct yaml *y,
                           void *target, struct err *e)
{
    (void)pool;
    uint64_t usec;
    int r = duration_parse(y->text, &usec);
    if (r == -ERANGE)
        return expected(y, e, "a duration of at most 3650d");
    if (r < 0)
        return expected(y, e, "a duration with its unit, such as 250ms, 30s, 5m or 1h30m");
    if (is_bounded(f) && (usec < (uint64_t)f->min || usec > (uint64_t)f->max)) {
        char least[DURATION_TEXT], most[DURATION_TEXT];
        return yaml_error(y, e, "found %s, expected a duration from %s to %s", y->text,
                          duration_format((uint64_t)f->min, least),
                          duration_format((uint64_t)f->max, most));
    }
    *(uint64_t *)target = usec;
    return 0;
}

static const struct size_unit {
    const char *name;
    unsigned shift;
} size_units[] = {{"Ti", 40}, {"Gi", 30}, {"Mi", 20}, {"Ki", 10}, {"", 0}};
enum { SIZE_UNITS = sizeof size_units / sizeof *size_units };

static int size_parse(const char *text, uint64_t *ret_bytes)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > 15)
        return digits ? -ERANGE : -EINVAL;
    uint64_t n = strtoull(text, NULL, 10);
    for (size_t i = 0; i < SIZE_UNITS; i++) {
        if (strcmp(text + digits, size_units[i].name) != 0)
            continue;
        if (n > (uint64_t)INT64_MAX >> size_units[i].shift)
            return -ERANGE;
        *ret_bytes = n << size_units[i].shift;
        return 0;
    }
    return -EINVAL;
}

char *size_format(uint64_t bytes, char text[SIZE_TEXT])
{
    size_t i = bytes ? 0 : SIZE_UNITS - 1;
    while (bytes & ((UINT64_C(1) << size_units[i].shift) - 1))
        i++;
    (void)snprintf(text, SIZE_TEXT, "%" PRIu64 "%s", bytes >> size_units[i].shift,
                   size_units[i].name);
    return text;
}

static int decode_size(const struct field *f, struct pool *pool, const struct yaml *y, void *target,
                       struct err *e)
{
    (void)pool;
    uint64_t bytes;
    if (size_parse(y->text, &bytes) < 0)
        return expected(y, e, "a size in bytes, such as 4096, 64Ki, 10Mi or 2Gi");
    if (is_bounded(f) && (bytes < (uint64_t)f->min || bytes > (uint64_t)f->max)) {
        char least[SIZE_TEXT], most[SIZE_TEXT];
        return yaml_error(y, e, "found %s, expected a size from %s to %s", y->text,
                          size_format((uint64_t)f->min, least),
                          size_format((uint64_t)f->max, most));
    }
    *(uint64_t *)target = bytes;
    return 0;
}

static int decode_text(enum field_type type, struct pool *pool, const struct yaml *y,
                       const char **target, struct err *e)
{
    /* As YAML reads it, 1.30 is a number and true is no word: what a person means by them is
     * only sure in quotes. */
    if (!y->quoted && text_is_other_type(y->text))
        return expected(y, e, "text: put it in quotes");
    if (type == FIELD_STRING && !text_is_one_line(y->text))
        return expected(y, e, "one line of text (a block as >- becomes one) of at most 4096 bytes");
    if (type == FIELD_NAME && !text_is_name(y->text))
        return expected(y, e, "a name: at most 63 of a-z, 0-9 and - inside");
    if (type == FIELD_PATH && !text_is_path(y->text))
        return expected(y, e, "an absolute path without //, . and ..");
    if (type == FIELD_URL && !text_is_url(y->text))
        return expected(y, e, "a URL such as https://127.0.0.1:6443/livez");
    *target = pool_strdup(pool, y->text);
    return 0;
}

static int decode_text_field(const struct field *f, struct pool *pool, const struct yaml *y,
                             void *target, struct err *e)
{
    return decode_text(f->type, pool, y, target, e);
}

/* "info, warning, critical" */
static void list_words(const struct words *w, char *text, size_t room)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < w->count && used < room; i++) {
        int n = snprintf(text + used, room - used, "%s%s", i ? ", " : "", w->names[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    if (used >= room)
        (void)strcpy(text + room - sizeof "...", "...");
}

static int word_expected(const struct words *w, const struct yaml *y, struct err *e)
{
    char found[YAML_FOUND], all[256];
    (void)yaml_found(y, found);
    const char *article = strchr("aeiou", w->what[0]) ? "an" : "a";
    const char *near = y->kind == YAML_SCALAR_KIND ? words_nearest(w, y->text) : NULL;
    if (near)
        return yaml_error(y, e, "found %s, expected %s %s: did you mean \"%s\"?", found, article,
                          w->what, near);
    list_words(w, all, sizeof all);
    return yaml_error(y, e, "found %s, expected %s %s: one of %s", found, article, w->what, all);
}

int scalar_decode_word(const struct field *f, const struct yaml *y, int *ret, struct err *e)
{
    int value = y->kind == YAML_SCALAR_KIND ? words_find(f->words, y->text) : -1;
    if (value < 0)
        return word_expected(f->words, y, e);
    *ret = value;
    return 0;
}

static int decode_word(const struct field *f, struct pool *pool, const struct yaml *y, void *target,
                       struct err *e)
{
    (void)pool;
    return scalar_decode_word(f, y, target, e);
}

static const struct decoder {
    int (*decode)(const struct field *f, struct pool *pool, const struct yaml *y, void *target,
                  struct err *e);
    const char *what;
} decoders[] = {
    [FIELD_BOOL] = {decode_bool, "true or false"},
    [FIELD_INT] = {decode_int, "an integer"},
    [FIELD_DURATION] = {decode_duration, "a duration such as 30s"},
    [FIELD_SIZE] = {decode_size, "a size such as 64Ki"},
    [FIELD_STRING] = {decode_text_field, "text"},
    [FIELD_NAME] = {decode_text_field, "a name"},
    [FIELD_PATH] = {decode_text_field, "an absolute path"},
    [FIELD_URL] = {decode_text_field, "a URL"},
    [FIELD_WORD] = {decode_word, "a word"},
};
enum { DECODERS = sizeof decoders / sizeof *decoders };

bool scalar_is(enum field_type type)
{
    return (size_t)type < DECODERS;
}

int scalar_decode(const struct field *f, struct pool *pool, const struct yaml *y, void *target,
                  struct err *e)
{
    assert(scalar_is(f->type));
    const struct decoder *d = &decoders[f->type];
    if (f->type == FIELD_WORD && (y->kind != YAML_SCALAR_KIND || yaml_is_null(y)))
        return word_expected(f->words, y, e);
    if (y->kind != YAML_SCALAR_KIND || yaml_is_null(y))
        return expected(y, e, d->what);
    return d->decode(f, pool, y, target, e);
}

int scalar_decode_element(const struct field *f, struct pool *pool, const struct yaml *y,
                          const char **target, struct err *e)
{
    enum field_type type = f->type == FIELD_PATHS   ? FIELD_PATH
                           : f->type == FIELD_NAMES ? FIELD_NAME
                                                    : FIELD_STRING;
    if (y->kind != YAML_SCALAR_KIND || yaml_is_null(y))
        return expected(y, e, decoders[type].what);
    return decode_text(type, pool, y, target, e);
}
