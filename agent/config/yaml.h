/* YAML documents as trees of nodes that know their line and column.
 *
 * Built from libyaml's events, bounded before anything is built: 1 MiB a file,
 * depth 32, 10,000 nodes a file. Anchors, aliases, tags and merge keys are
 * refused, and so are duplicate keys: there is one way to write a document. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/pool.h"
#include "config/errors.h"

enum yaml_kind { YAML_SCALAR_KIND, YAML_MAPPING_KIND, YAML_SEQUENCE_KIND };

struct yaml {
    enum yaml_kind kind;
    const char *file;          /* as shown in messages; lives as long as the pool */
    unsigned line, column;     /* from 1 */
    const char *text;          /* scalar; NUL-terminated, no NUL inside */
    bool quoted;               /* scalar: was in quotes or a block, so is a string */
    bool odd;                  /* document's root, foreign: has anchors, aliases, tags, directives
                                  or duplicate keys, so must not be spliced */
    size_t offset, end_offset; /* bytes in the file: [offset, end_offset) */
    struct yaml *key;          /* in a mapping: this value's key */
    struct yaml *first, *next; /* children of a mapping (values) or sequence; siblings */
    size_t count;
};

enum { YAML_FILE_BYTES_MAX = 1 << 20, YAML_DEPTH_MAX = 32, YAML_NODES_MAX = 10000 };

/* Parses all documents of `bytes`; appends them to a list linked by `next` in
 * order. Empty documents are skipped. Nodes live in `pool`. 0 or a negative errno
 * with "file:line:column: what was found, what was expected" in `e`. */
int yaml_parse(struct pool *pool, const char *file, const char *bytes, size_t length,
               struct yaml **ret_documents, struct err *e);

/* As yaml_parse, but goes on after what it refuses: every error goes to `errors`, and
 * *ret_documents gets the documents that have none. Only what leaves nothing to go on
 * with (a syntax error, a bound) ends the file: -EINVAL or -EFBIG then, else 0. */
int yaml_parse_all(struct pool *pool, const char *file, const char *bytes, size_t length,
                   struct yaml **ret_documents, struct errors *errors);

/* As yaml_parse, for other people's YAML (a static pod's manifest, a kubeconfig,
 * the kubelet's configuration): anchors, aliases, tags and duplicate keys are not
 * refused but make the document one that we don't splice; aliases are not
 * expanded (they read as empty scalars). The same bounds hold. */
int yaml_parse_foreign(struct pool *pool, const char *file, const char *bytes, size_t length,
                       struct yaml **ret_documents, struct err *e);

/* The value under `key` of a mapping, or NULL (also when `y` is NULL or no mapping). */
const struct yaml *yaml_get(const struct yaml *y, const char *key);
/* A dotted path of keys: "spec.containers". */
const struct yaml *yaml_path(const struct yaml *y, const char *path);
/* The scalar's text under `path`, or `otherwise`. */
const char *yaml_text(const struct yaml *y, const char *path, const char *otherwise);

/* What stands there, for messages: `"text"` (shortened, without control characters),
 * "a list", "a mapping", "nothing". Returns `text`. */
enum { YAML_FOUND = 80 };
char *yaml_found(const struct yaml *y, char text[YAML_FOUND]);
/* Is it nothing: an empty, unquoted scalar, `~` or `null`? */
bool yaml_is_null(const struct yaml *y);

/* err_set with "file:line:column: " of the node in front. Returns -EINVAL. */
int yaml_error(const struct yaml *at, struct err *e, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

#define yaml_each(child, parent)                                                                   \
    for (const struct yaml *child = (parent)->first; child; child = child->next)
