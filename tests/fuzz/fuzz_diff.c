/* The difference of two texts, which a byte 0x01 parts: applied to the first it gives the second.
 * Only where all of it is shown: nothing cut, nothing withheld. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/diff.h"
#include "base/secret.h"
#include "fuzz.h"

enum { LONGEST_LINE = 1000 };

struct lines {
    const char *at[4096];
    size_t length[4096], count;
};

static void split(const char *text, size_t length, struct lines *l)
{
    l->count = 0;
    for (size_t from = 0; from < length && l->count < 4096; l->count++) {
        const char *end = memchr(text + from, '\n', length - from);
        l->at[l->count] = text + from;
        l->length[l->count] = (end ? (size_t)(end - text) : length) - from;
        from += l->length[l->count] + 1;
    }
}

/* Is each byte shown as it is? */
static bool is_shown(const char *text, size_t length, const struct lines *l)
{
    struct buf b = {0};
    secret_redact(text, length, &b);
    bool is_same = b.length == length && !memcmp(buf_string(&b), text, length);
    buf_fini(&b);
    for (size_t i = 0; i < l->count; i++)
        is_same = is_same && l->length[i] < LONGEST_LINE;
    return is_same && l->count < 4096;
}

static void put(struct buf *out, const char *line, size_t length)
{
    buf_add(out, line, length);
    buf_text(out, "\n");
}

/* The diff's hunks over the first text's lines, as patch(1) has them, but exact. */
static void apply(const struct lines *a, const struct lines *d, struct buf *out)
{
    size_t at = 0;
    for (size_t i = 2; i < d->count; i++) {
        const char *line = d->at[i];
        size_t length = d->length[i], from, removed;
        if (*line == '\\')
            continue;
        if (*line == '@') {
            fuzz_must(sscanf(line, "@@ -%zu,%zu ", &from, &removed) == 2);
            from -= removed > 0;
            fuzz_must(from >= at && from <= a->count);
            for (; at < from; at++)
                put(out, a->at[at], a->length[at]);
        } else if (*line == '+') {
            put(out, line + 1, length - 1);
        } else {
            fuzz_must(*line == ' ' || *line == '-');
            fuzz_must(at < a->count && a->length[at] == length - 1 &&
                      !memcmp(a->at[at], line + 1, length - 1));
            if (*line == ' ')
                put(out, a->at[at], a->length[at]);
            at++;
        }
    }
    for (; at < a->count; at++)
        put(out, a->at[at], a->length[at]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct lines a, b, d;
    char *text = fuzz_text(bytes, length);
    char *second = memchr(text, 1, length);
    size_t a_length = second ? (size_t)(second - text) : length;
    second = second ? second + 1 : text + length;
    size_t b_length = length - (size_t)(second - text);
    char *diff = diff_unified("/f", text, a_length, second, b_length);
    split(text, a_length, &a);
    split(second, b_length, &b);
    split(diff, strlen(diff), &d);
    fuzz_must(strlen(diff) < DIFF_BYTES_MAX + 100);
    bool is_equal = a_length == b_length && !memcmp(text, second, a_length);
    fuzz_must(is_equal == !*diff);
    if (*diff && is_shown(text, a_length, &a) && is_shown(second, b_length, &b) &&
        strlen(diff) < DIFF_BYTES_MAX) {
        struct buf out = {0}, wanted = {0};
        apply(&a, &d, &out);
        for (size_t i = 0; i < b.count; i++)
            put(&wanted, b.at[i], b.length[i]);
        fuzz_must(out.length == wanted.length &&
                  !memcmp(buf_string(&out), buf_string(&wanted), out.length));
        buf_fini(&out);
        buf_fini(&wanted);
    }
    free(diff);
    free(text);
    return 0;
}
