/* Steps: the only code that changes the node. A kind is one file in act/steps/ and one
 * row in act/kinds.c. A step decides nothing: it is told what to do, does it, and
 * proves it.
 *
 * A kind's functions run in a *hand* (act/hand.h): a child process of the agent, so
 * they are written straight down and may block; the agent's loop goes on turning.
 * Everything of the node is reached through loop/'s headers, never by system calls here.
 *
 * What plan() wrote is all that run(), undo() and recover() get: after a crash nothing else is
 * left. So a plan names every byte that will change (digests before and after, the argv,
 * container ids), and undo() finds what it needs in the plan and in files at places that the
 * plan names. */
#pragma once

#include <stdbool.h>

#include "base/json.h"
#include "config/document.h"
#include "config/node.h"
#include "loop/file.h"

struct hand;

enum outcome {
    OUTCOME_FAILED, /* the safe zero */
    OUTCOME_DONE,
    OUTCOME_ALREADY, /* it was so: nothing done */
    OUTCOME_REFUSED, /* the world isn't what the plan relied on: nothing done */
};
extern const struct words outcome_words; /* failed, done, already, refused */

enum reversal {
    REVERSAL_NONE,    /* can't be taken back, and needn't be (a restart) */
    REVERSAL_UNDO,    /* undo() leads back to what was */
    REVERSAL_FORWARD, /* what is half done is finished, never taken back */
};

struct step_kind {
    struct kind kind;
    enum risk risk; /* a playbook's risk must be at least this */
    enum reversal reversal;
    bool changes; /* false: changes nothing outside the agent's own folders */

    /* Looks (read-only) and says in `plan` what would be done:
     *   "summary"  one line for people                      (required)
     *   "already"  true when there is nothing to do
     *   "argv"     [[...], ...] commands that would be started
     *   "files"    [{"path", "before": digest|null, "after": digest|null, "diff": unified diff}]
     *   and whatever run() needs. 0; < 0 with the reason when it can't be planned here. */
    int (*plan)(struct hand *h, const void *args, json_t *plan, struct err *e);
    /* Does it and proves it. Reports each change through hand_effect() after making it; first
     * looks whether the world is still what the plan relied on (else OUTCOME_REFUSED). Says in
     * `detail` what was seen. */
    enum outcome (*run)(struct hand *h, const void *args, const json_t *plan, struct err *detail);
    /* Takes back what run() did or half did; idempotent; ALREADY when there is nothing. NULL for
     * REVERSAL_NONE. */
    enum outcome (*undo)(struct hand *h, const void *args, const json_t *plan, struct err *detail);
    /* After a crash in the middle of run() or undo(): leaves each file as it was or as it was meant
     * to be; idempotent. NULL: nothing can be half done. */
    enum outcome (*recover)(struct hand *h, const void *args, const json_t *plan,
                            struct err *detail);
};

extern const struct kind *const step_kinds[];
extern const size_t step_kind_count;

static inline const struct step_kind *step_kind_of(const struct kind *k)
{
    return (const struct step_kind *)k;
}
