#include "base/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct unit {
    const char *name;
    uint64_t usec;
} units[] = {
    {"d", USEC_PER_DAY}, {"h", USEC_PER_HOUR},  {"m", USEC_PER_MINUTE},
    {"s", USEC_PER_SEC}, {"ms", USEC_PER_MSEC}, {"us", 1},
};

enum { UNITS = sizeof units / sizeof *units, DAYS_MAX = 3650 };

static size_t unit_at(const char *text, size_t from)
{
    size_t length = strspn(text, "dhmsu");
    for (size_t i = from; i < UNITS; i++)
        if (strlen(units[i].name) == length && !strncmp(text, units[i].name, length))
            return i;
    return UNITS;
}

/* Digits at *text into *ret; moves *text behind them. */
static int number_at(const char **text, uint64_t *ret)
{
    uint64_t n = 0;
    size_t digits = strspn(*text, "0123456789");
    if (!digits)
        return -EINVAL;
    if (digits > 15)
        return -ERANGE;
    for (size_t i = 0; i < digits; i++)
        n = n * 10 + (uint64_t)((*text)[i] - '0');
    *text += digits;
    *ret = n;
    return 0;
}

int duration_parse(const char *text, uint64_t *ret_usec)
{
    if (!strcmp(text, "0")) {
        *ret_usec = 0;
        return 0;
    }
    uint64_t total = 0;
    size_t next_unit = 0;
    do {
        uint64_t n, part;
        int r = number_at(&text, &n);
        if (r < 0)
            return r;
        size_t u = unit_at(text, next_unit);
        if (u == UNITS)
            return -EINVAL;
        if (__builtin_mul_overflow(n, units[u].usec, &part) ||
            __builtin_add_overflow(total, part, &total) || total > DAYS_MAX * USEC_PER_DAY)
            return -ERANGE;
        text += strlen(units[u].name);
        next_unit = u + 1;
    } while (*text);
    *ret_usec = total;
    return 0;
}

static char *format_units(uint64_t usec, size_t most, char text[DURATION_TEXT])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < UNITS && most; i++) {
        uint64_t n = usec / units[i].usec;
        if (!n && !used)
            continue;
        most--;
        if (!n)
            continue;
        usec %= units[i].usec;
        int length = snprintf(text + used, DURATION_TEXT - used, "%" PRIu64 "%s", n, units[i].name);
        used += length > 0 ? (size_t)length : 0;
    }
    return used ? text : strcpy(text, "0s");
}

char *duration_format(uint64_t usec, char text[DURATION_TEXT])
{
    if (usec == USEC_NEVER)
        return strcpy(text, "never");
    return format_units(usec, UNITS, text);
}

char *duration_about(uint64_t usec, char text[DURATION_TEXT])
{
    if (usec == USEC_NEVER)
        return strcpy(text, "never");
    if (usec < USEC_PER_SEC)
        return format_units(usec, 1, text);
    return format_units(usec - usec % USEC_PER_SEC, 2, text);
}
