/* Several errors in place of one: what goes wrong in one key doesn't keep us from
 * looking at the next, so that a person who writes a document hears of all mistakes at
 * once. Each is a whole message, place and all. */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct errors {
    void (*each)(void *context, const char *text); /* may be NULL: only counted */
    void *context;
    size_t count;
    struct err first;
};

/* Counts `e` and hands its text to `each`. */
void errors_add(struct errors *es, const struct err *e);
