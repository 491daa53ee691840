/* What a text is, for fields: names, paths, URLs, and what YAML would take it for. */
#pragma once

#include <stdbool.h>

/* A decimal integer as JSON has it: no sign but -, no leading zeros. */
bool text_is_integer(const char *text);
/* Without quotes, would YAML (1.2's core schema, and 1.1's words for bool) read it as something
 * else than text: null, bool, a number? */
bool text_is_other_type(const char *text);
/* No control characters, at most 4096 bytes. */
bool text_is_one_line(const char *text);
/* DNS label (RFC 1123). */
bool text_is_name(const char *text);
/* Absolute, no "//", "." or "..", no control characters, below PATH_MAX. */
bool text_is_path(const char *text);
/* http(s)://host[:port][/...] of printable ASCII, without a user (RFC 3986). */
bool text_is_url(const char *text);
