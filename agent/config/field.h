/* Fields: one table describes the keys of a mapping, and that table is all there
 * is: it decodes YAML into a struct, writes the struct back as JSON, is what
 * `lint` checks by, what `planeguard kinds` prints and what the JSON Schema is
 * made from. So these can't drift apart.
 *
 * A table is an array that ends with a row without a name. Each row says where in
 * the struct the value goes, and what may stand there:
 *
 *   type             C type at the offset           YAML
 *   FIELD_BOOL       bool                           true | false
 *   FIELD_INT        int64_t                        integer in [min, max]
 *   FIELD_DURATION   uint64_t (usec)                30s, 1h30m; in [min, max] usec
 *   FIELD_SIZE       uint64_t (bytes)               64Ki, 10Mi, 2Gi; in [min, max]
 *   FIELD_STRING     const char *                   any one-line text
 *   FIELD_NAME       const char *                   DNS label (RFC 1123): a name
 *   FIELD_PATH       const char *                   absolute path, no "..", no "//"
 *   FIELD_URL        const char *                   http(s)://host[:port]/...
 *   FIELD_WORD       int (enum)                     one of `words`
 *   FIELD_WORDS      uint64_t (bit set)             list of `words`
 *   FIELD_STRINGS    struct strings                 list of one-line texts
 *   FIELD_PATHS      struct strings                 list of absolute paths
 *   FIELD_NAMES      struct strings                 list of names
 *   FIELD_OBJECT     the nested struct itself       mapping, by `of`
 *   FIELD_LIST       struct list                    list of mappings, by `of`; each element
 *                                                   is `of_size` bytes
 *   FIELD_CUSTOM     whatever `decode` makes        whatever `decode` takes
 *
 * An optional row that is absent takes its `otherwise` (text as in YAML); without
 * one it stays zero/NULL/empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/words.h"
#include "config/yaml.h"

enum field_type {
    FIELD_BOOL,
    FIELD_INT,
    FIELD_DURATION,
    FIELD_SIZE,
    FIELD_STRING,
    FIELD_NAME,
    FIELD_PATH,
    FIELD_URL,
    FIELD_WORD,
    FIELD_WORDS,
    FIELD_STRINGS,
    FIELD_PATHS,
    FIELD_NAMES,
    FIELD_OBJECT,
    FIELD_LIST,
    FIELD_CUSTOM,
};

struct strings {
    const char **at;
    size_t count;
};

struct list {
    void *at;
    size_t count;
};

struct field {
    const char *name; /* key in YAML, camelCase as Kubernetes has it */
    enum field_type type;
    size_t offset;
    bool required;
    int64_t min, max;      /* FIELD_INT, _DURATION, _SIZE; both 0: any */
    const char *otherwise; /* default, as YAML text */
    const struct words *words;
    const struct field *of; /* FIELD_OBJECT, FIELD_LIST */
    size_t of_size;         /* FIELD_LIST: bytes an element */
    /* FIELD_CUSTOM: decodes `y` to `target` (struct + offset). */
    int (*decode)(struct pool *pool, const struct yaml *y, void *target, struct err *e);
    json_t *(*encode)(const void *target); /* FIELD_CUSTOM */
    const char *help;                      /* one line: what it is; units are in the type */
};

/* What each type is called, by enum field_type: "bool", "integer", "duration", ... */
extern const struct words field_type_words;

#define FIELD_AT(type, member) .offset = offsetof(struct type, member)

/* Fills `target` (zeroed by the caller) from the mapping `y`; a NULL or empty `y`
 * is an empty mapping at `parent`'s place. Unknown keys, missing ones, wrong types
 * and values out of bounds are errors with place, found, expected, nearest name.
 * Strings and lists go to `pool`. */
int fields_decode(const struct field *fields, struct pool *pool, const struct yaml *y, void *target,
                  struct err *e);

/* As fields_decode, but goes on after an error: each goes to `errors`. Keys that `fields`
 * doesn't have go to `others` (then not an error), in order, at most OTHERS_MAX. */
enum { OTHERS_MAX = 8 };
struct others {
    const struct yaml *at[OTHERS_MAX]; /* values; their `key` is the key */
    size_t count;
};
void fields_decode_all(const struct field *fields, struct pool *pool, const struct yaml *y,
                       void *target, struct others *others, struct errors *errors);

/* "unknown key ..." at `value`'s key: with the nearest of the fields' and `more` names, or
 * all the fields' names where none is near. */
void fields_unknown(const struct field *fields, const char *const *more, size_t more_count,
                    const struct yaml *value, struct errors *errors);

/* For FIELD_CUSTOM: leaves the node where it is, as a const struct yaml *. It lives as long as the
 * tree does. */
int field_keep_node(struct pool *pool, const struct yaml *y, void *target, struct err *e);

/* The struct as a JSON object; decoding it again (JSON is YAML) gives the same. */
json_t *fields_encode(const struct field *fields, const void *target);
