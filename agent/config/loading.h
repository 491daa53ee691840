/* A generation while it is being loaded: config's own, between generation_load.c (finds
 * and reads files), generation_decode.c (documents to structs) and
 * generation_link.c (names to indices).
 *
 * A document whose name is known but that has a mistake stays as a broken entry, so that others
 * that refer to it aren't complained of, too. Where not even the name could be read, no dangling
 * name is complained of (`incomplete`): it might be that document's. */
#pragma once

#include "base/pool.h"
#include "config/errors.h"
#include "config/generation.h"

enum document_kind {
    DOCUMENT_PROBE,
    DOCUMENT_FAILURE,
    DOCUMENT_PLAYBOOK,
    DOCUMENT_POLICY,
    DOCUMENT_NAMED_, /* those above are what entries are of */
    DOCUMENT_CONFIGURATION = DOCUMENT_NAMED_,
    DOCUMENT_NODE, /* config/node.h reads it */
};
extern const struct words document_kind_words;

/* Whose a document is; the later replaces the earlier of the same kind and name. */
enum origin { ORIGIN_SHIPPED, ORIGIN_OPERATOR, ORIGIN_ASKED };

/* A name that stands in a document, to be made an index. */
struct reference {
    struct reference *next;
    enum document_kind to;
    const char *name;
    struct yaml at;
    int *target;
    struct condition *condition; /* NULL, or whose signal it is */
};

/* A document. */
struct entry {
    enum document_kind kind;
    enum origin origin;
    unsigned order; /* of loading */
    bool broken;
    int index; /* once linked */
    struct metadata meta;
    struct yaml at; /* its name */
    void *document; /* struct probe_document ... by kind; in scratch, what it points to in pool */
    struct reference *first, **tail;
};

struct entries {
    struct entry **at;
    size_t count, room;
};

struct loading {
    const struct catalog *catalog;
    struct complaints *complaints;
    size_t complained;    /* by this load */
    struct pool *pool;    /* of the generation */
    struct pool *scratch; /* until loading ends */
    struct digest_run *digest;
    json_t *documents; /* [{file, origin, text}], of what was read so far */
    const char *file;  /* that is being read, as shown; lives in `pool` */
    struct entries entries;
    bool incomplete;
    const char *policy; /* name of the one in force */
    struct yaml policy_at;
};

void complain(struct loading *l, const char *text);
struct errors errors_of(struct loading *l); /* that go to the complaints */

/* Decodes one document; `base_name` is its file's. */
void document_decode(struct loading *l, const struct yaml *root, enum origin origin,
                     const char *base_name);
/* Links all entries into `g` (zeroed but for pool and catalog). Complaints say whether `g` is any
 * good. */
void generation_link(struct loading *l, struct generation *g);

/* ---- config/condition.c ---- */

/* Decodes a condition; what it refers to goes to `entry`. */
void condition_decode(struct loading *l, struct entry *entry, const struct yaml *y,
                      struct condition *ret, struct errors *errors);
/* A list of expectations; those of `verify` have times. */
void expectations_decode(struct loading *l, struct entry *entry, const struct yaml *list,
                         bool has_times, struct expectation **ret, size_t *ret_count,
                         struct errors *errors);
void reference_add(struct loading *l, struct entry *entry, enum document_kind to, const char *name,
                   const struct yaml *at, int *target, struct condition *condition);

/* ---- config/causes.c ---- */

/* Complains of each cycle in the failures' causedBy, with the whole cycle. `entries` by index. */
void causes_check(struct loading *l, struct entry *const *entries, size_t count);
