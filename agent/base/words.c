#include "base/words.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 64 };

const char *words_name(const struct words *w, int value)
{
    assert(value >= 0 && (size_t)value < w->count);
    return w->names[value];
}

int words_find(const struct words *w, const char *name)
{
    for (size_t i = 0; i < w->count; i++)
        if (!strcmp(w->names[i], name))
            return (int)i;
    return -1;
}

const char *words_nearest(const struct words *w, const char *name)
{
    return text_nearest(name, w->names, w->count);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, three rows. */
size_t text_distance(const char *a, const char *b, size_t limit)
{
    size_t la = strlen(a), lb = strlen(b);
    if (la > NAME_MAX_LENGTH || lb > NAME_MAX_LENGTH || (la > lb ? la - lb : lb - la) > limit)
        return limit + 1;
    size_t rows[3][NAME_MAX_LENGTH + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= lb; j++)
        above[j] = j;
    for (size_t i = 1; i <= la; i++) {
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t swap = a[i - 1] != b[j - 1];
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + swap);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return least(above[lb], limit + 1);
}

const char *text_nearest(const char *name, const char *const *names, size_t count)
{
    size_t limit = strlen(name) / 3 + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t d = text_distance(name, names[i], limit);
        if (d <= limit && (!nearest || d < limit)) {
            nearest = names[i];
            limit = d;
        }
    }
    return nearest;
}
