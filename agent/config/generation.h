/* A generation: all documents, loaded together, immutable, counted. A reload makes
 * a new one; a running plan keeps a reference to the one that it was planned on.
 * A configuration with an error is never half loaded. */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "config/document.h"
#include "config/node.h"

/* A comparison of a probe's fact that some condition makes: what decides whether a
 * reading changes anything. */
struct threshold {
    const char *fact;
    enum compare compare;
    int64_t number;
    const char *text;
};

struct probe_use {
    struct threshold *thresholds;
    size_t threshold_count;
    int *failures; /* indices of failures whose `when` mentions this probe */
    size_t failure_count;
};

struct generation {
    unsigned references;
    struct pool *pool;
    const struct catalog *catalog;
    struct digest digest; /* over the documents' bytes in load order */
    struct probe_document *probes;
    struct probe_use *uses; /* by probe */
    size_t probe_count;
    struct failure_document *failures;
    size_t failure_count;
    struct playbook_document *playbooks;
    size_t playbook_count;
    struct policy_document *policy; /* exactly one is in force */
    json_t *documents;              /* for generation_documents; NULL once forgotten */
};

/* One message of `lint`: where, and what. */
struct complaint {
    char *text; /* file:line:column: ... */
};

struct complaints {
    struct complaint *at;
    size_t count, room;
};

void complaints_fini(struct complaints *c);

/* Loads, below `root` (loop/file.h):
 *   /usr/share/planeguard/{playbooks,policy}, *.yaml, all folders deep   shipped
 *   /etc/planeguard/{playbooks.d,policy.d}, *.yaml, one folder     the operator's own:
 *       replaces a shipped document of the same kind and name
 *   /etc/planeguard/planeguard.yaml                              names the policy in force:
 *       `policy: NAME` (default: default)
 * Where `paths` is not NULL (lint PATH...), these files and folders are loaded in
 * place of the operator's own. `shipped` (may be NULL) replaces
 * /usr/share/planeguard, as a host path: for running from the source tree.
 * All complaints are gathered, each with its place; 0 with a new reference in
 * *ret, or -EINVAL when there is any complaint. */
int generation_load(const struct root *root, const char *shipped, const char *const *paths,
                    const struct catalog *catalog, struct generation **ret,
                    struct complaints *complaints);

/* All of its documents as one text, from which generation_load_stored makes the very same
 * generation: names, whose they are, and bytes, in the order of loading. free() it. NULL once
 * they are forgotten, which frees their memory. */
char *generation_documents(const struct generation *g);
void generation_forget_documents(struct generation *g);

/* Other documents on top of the stored ones. */
struct generation_asked {
    const char *policy;    /* a name, or a file of the host that holds a policy; NULL */
    const char *playbooks; /* a file or folder of the host, whose documents replace those of the
                            * same kind and name; NULL */
};
/* From a file that holds generation_documents' text. Without `asked` (NULL) the digest must come
 * out as `digest`. 0 with a new reference in *ret, or < 0 with the reason in `e`: -EBADMSG not
 * these documents (any more), -EINVAL they don't load (with every complaint in `complaints`). */
int generation_load_stored(const struct root *root, const char *path, const struct digest *digest,
                           const struct generation_asked *asked, const struct catalog *catalog,
                           struct generation **ret, struct complaints *complaints, struct err *e);

struct generation *generation_ref(struct generation *g);
void generation_unref(struct generation *g);

int generation_find_probe(const struct generation *g, const char *name); /* index or -1 */
int generation_find_failure(const struct generation *g, const char *name);
int generation_find_playbook(const struct generation *g, const char *name);

/* Which thresholds of probe `probe` hold for these facts, as a bit set (at most
 * 64 a probe; the loader refuses more). */
uint64_t generation_thresholds_met(const struct generation *g, int probe, const json_t *facts);
bool threshold_met(const struct threshold *t, const json_t *facts);
