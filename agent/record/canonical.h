/* Canonical JSON: the one way in which a value can be written, so that bytes can be hashed as
 * they are stored and nobody has to write a value again to check it.
 *
 *   objects   keys unique, in the order of their code points; no white space anywhere
 *   strings   printable ASCII as it is; `"` and `\` behind a backslash; \b \t \n \f \r; all else
 *             as \uXXXX with upper-case digits, beyond U+FFFF as a surrogate pair.
 *             Never \u0000, never a lone surrogate, never an escape for what needs none
 *   numbers   integers, |n| < 2^53, no leading zero, no -0, no fraction, no exponent
 *   depth     at most CANONICAL_DEPTH arrays and objects inside each other
 *
 * These are base/json.h's bytes, but for DEL, which is escaped here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

enum { CANONICAL_DEPTH = 64 };

/* The value as canonical text; free() it. That it really is canonical (depth, size of integers, no
 * reals) is for canonical_check to say: a value can hold what has no canonical form. */
char *canonical_text(const json_t *value);

/* What a check came across on its way: where the top object's member "v" has its value. */
struct canonical_seen {
    const char *version; /* into the bytes; NULL: no such member */
    size_t version_length;
};

/* One pass, no allocation, constant stack: exactly one canonical object fills the bytes. `ret`
 * may be NULL. */
bool canonical_check(const char *bytes, size_t length, struct canonical_seen *ret);
