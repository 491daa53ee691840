/* The scalars of a field: one value out of one node, or out of a default's text. */
#pragma once

#include "config/field.h"

/* Is `type` one that scalar_decode takes? Else it is a list, an object or custom. */
bool scalar_is(enum field_type type);

/* Decodes `y` (a scalar or not: that is checked) to `target`. 0 or -EINVAL with the place, what
 * was found and what was expected. */
int scalar_decode(const struct field *f, struct pool *pool, const struct yaml *y, void *target,
                  struct err *e);

/* One element of a FIELD_STRINGS, _PATHS or _NAMES, to a const char *. */
int scalar_decode_element(const struct field *f, struct pool *pool, const struct yaml *y,
                          const char **target, struct err *e);
/* One element of a FIELD_WORDS: its bit. */
int scalar_decode_word(const struct field *f, const struct yaml *y, int *ret, struct err *e);

/* The shortest exact text of a size: "64Ki", "10Mi", "1000"; returns `text`. */
enum { SIZE_TEXT = 32 };
char *size_format(uint64_t bytes, char text[SIZE_TEXT]);
