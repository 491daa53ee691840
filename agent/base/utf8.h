/* UTF-8 (RFC 3629), as foreign texts have it or don't. */
#pragma once

#include <stddef.h>

/* Length of the valid sequence at `at`, 0 when there is none. `left` is at least 1. */
size_t utf8_length(const char *at, size_t left);

/* As much of a text as there is room for, never half a character. Returns `to`. */
char *utf8_cut(char *to, size_t room, const char *text);

/* In place, never longer: control characters (also a newline, also C1's), what turns the direction
 * of text or begins a line, and what isn't UTF-8 become '?'. So it is one line that does nothing
 * to a terminal. Returns `text`. */
char *utf8_calm(char *text);
