#include "observe/health.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct name {
    char text[HEALTH_NAME_MAX];
};

static bool is_name_character(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("._/-", c));
}

/* "[-]name failed..." at `line`; the name into `ret`. */
static bool take_failing(const char *line, size_t length, struct name *ret)
{
    if (length < 4 || memcmp(line, "[-]", 3) != 0)
        return false;
    size_t n = 0;
    while (3 + n < length && is_name_character(line[3 + n]))
        n++;
    if (!n || n >= HEALTH_NAME_MAX || 3 + n >= length || line[3 + n] != ' ')
        return false;
    memcpy(ret->text, line + 3, n);
    ret->text[n] = '\0';
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

size_t health_failing(const char *body, size_t length, struct buf *ret)
{
    struct name names[HEALTH_CHECKS_MAX];
    size_t count = 0;
    const char *end = body + length;
    while (body < end && count < HEALTH_CHECKS_MAX) {
        const char *newline = memchr(body, '\n', (size_t)(end - body));
        const char *stop = newline ? newline : end;
        count += take_failing(body, (size_t)(stop - body), &names[count]);
        body = newline ? newline + 1 : end;
    }
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++) {
        buf_text(ret, i ? " " : "");
        buf_text(ret, names[i].text);
    }
    return count;
}
