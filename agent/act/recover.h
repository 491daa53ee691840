/* Recovery: putting back what is out. Needs neither network nor the agent's configuration
 * nor /var (but where the kubelet's configuration there names another manifests folder): a manifest
 * that was taken out carries its own name, digest and target in the name of the file that it is in
 * the stage (act/stash.h).
 *
 * For each stashed manifest: not in the manifests folder: moved back; there too: the live one stays
 * and the stashed one is set aside as a conflict. Own temporary files in the stage are removed.
 * What a move does is in its action: {"what": "moved" | "set-aside", "path", "to", "before": digest
 * by its name, "after": digest found}; a temporary file's is {"what": "removed", "path"}.
 * Idempotent. What was done is added to `ret`, which begins as {0}; it is always to be finished
 * with recovered_fini, also after an error. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "config/node.h"
#include "loop/file.h"

struct recovered {
    json_t *actions; /* array of effects, as hand_effect has them */
    size_t put_back, conflicts, removed;
};

/* Everything that can be put back is, whatever else fails; the first failure is in `e`. */
int recover_stage(const struct root *root, const struct node *node, struct recovered *ret,
                  struct err *e);
/* The same without the temporary files, for who acts beside a living agent (act/deadman.h): one
 * of them may be in use. */
int recover_stashed(const struct root *root, const struct node *node, struct recovered *ret,
                    struct err *e);
/* The same for one target only: what a step took out itself. */
int recover_target(const struct root *root, const struct node *node, const char *target,
                   struct recovered *ret, struct err *e);
/* Nothing that was taken out from there is in the stage: 0. -EBUSY: something is, and nothing may
 * be written there or taken out meanwhile, or the older one would win. */
int recover_check(const struct root *root, const struct node *node, const char *target,
                  struct err *e);
/* Removes own temporary files from one of the agent's own folders and two levels below it. Only for
 * who is alone (the lock), and after another of these. */
int recover_unfinished(const struct root *root, const char *folder, struct recovered *ret,
                       struct err *e);
void recovered_fini(struct recovered *r);

static inline void recovered_fini_owned(struct recovered *r)
{
    recovered_fini(r);
}
