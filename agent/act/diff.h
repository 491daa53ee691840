/* The difference of two texts as a unified diff, for plans and people: bounded in size and
 * work, secrets withheld (act/secret.h). */
#pragma once

#include <stddef.h>

enum { DIFF_BYTES_MAX = 16 * 1024, DIFF_CONTEXT = 3 };

/* From `before` (NULL: there is none) to `after`, with `path` in its head; "" when they are
 * equal. What goes beyond DIFF_BYTES_MAX is cut, with a line that says so. Where the changed middle
 * is too large for an exact comparison, it is shown as removed and added whole. The caller's
 * to free(). */
char *diff_unified(const char *path, const char *before, size_t before_length, const char *after,
                   size_t after_length);
