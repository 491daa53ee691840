/* JSON by jansson, with our one encoding. Canonical JSON is: keys sorted by bytes,
 * no white space, everything outside printable ASCII escaped (which also keeps
 * control and bidirectional characters out of terminals), integers only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/err.h"

/* Makes jansson allocate by base/mem.h; call once, first thing in main. */
void json_setup(void);

/* The canonical text, owned by the caller (free()). */
char *json_canonical(const json_t *value);

/* Parses `length` bytes of foreign JSON: no duplicate keys, depth bounded by
 * jansson. NULL with the reason in `e`. A new reference. */
json_t *json_parse(const char *bytes, size_t length, struct err *e);

/* A string value of foreign bytes: invalid UTF-8 and DEL become U+FFFD. Never NULL. */
json_t *json_text(const char *bytes, size_t length);
json_t *json_string_or_null(const char *text); /* like json_text; NULL gives null */

/* obj[key] = value, taking the reference. `value` must not be NULL. */
void json_put(json_t *obj, const char *key, json_t *value);
void json_push(json_t *array, json_t *value);

/* Reads that never fail: the default where the key is absent or of another type. */
const char *json_get_string(const json_t *obj, const char *key, const char *otherwise);
long long json_get_int(const json_t *obj, const char *key, long long otherwise);
bool json_get_bool(const json_t *obj, const char *key, bool otherwise);

static inline void json_decref_owned(json_t **value)
{
    json_decref(*value);
}
