/* Reading crictl's JSON strictly: config/cri*.c's own. Each says in `e` which key of which thing is
 * odd, what was found, and what was expected. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

/* A new reference, or NULL: bounded by CRI_OUTPUT_BYTES_MAX. */
json_t *cri_json(const char *json, size_t length, struct err *e);
/* "an object", "a list", ...: what stands there, for messages. NULL is "nothing". */
const char *cri_found(const json_t *value);

/* Is `text` of A-Z, a-z, 0-9 and -._, at most 253, first neither - nor . ? */
bool cri_is_name(const char *text);

/* obj[key] as a name, the caller's to free(). An absent one is "" unless it is needed. */
int cri_name(const json_t *obj, const char *key, bool needed, char **ret, struct err *e);
/* obj[key] as a number of 0 or more: JSON integer, or (64-bit ones in protobuf's JSON) a string of
 * digits. Absent or null is 0. */
int cri_number(const json_t *obj, const char *key, int64_t *ret, struct err *e);
