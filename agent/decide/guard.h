/* Guards: rules that may hold a plan back. A kind is one file in decide/guards/ and one row
 * in decide/guards.c, in the order in which people read them.
 *
 * Fail-closed by construction: zero is DENY in every value here; each turn of the fold starts
 * from deny, a guard must say otherwise in so many words, and no guards at all deny. The strictest
 * verdict of all wins, so no guard can outvote another. Guards are pure: what needs I/O
 * to be known is a signal, or is asked for by GUARD_NEED. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/words.h"
#include "config/document.h"
#include "decide/incident.h"

enum guard_verdict {              /* strictest first */
                     GUARD_DENY,  /* not now */
                     GUARD_SPENT, /* not this playbook any more, in this incident */
                     GUARD_NEED,  /* can't say before the fresh look is done */
                     GUARD_DRY,   /* only to go through it */
                     GUARD_ALLOW,
};
extern const struct words guard_verdict_words;

struct judgement {
    enum guard_verdict verdict;
    char saw[160];       /* the value that it looked at */
    char wants[160];     /* what would let it through */
    uint64_t until_usec; /* when that is at the earliest by the clock alone; 0: not by time */
};

struct core;

/* What a guard may look at. */
struct guard_view {
    const struct core *core;
    const struct incident *incident; /* with its plan */
    const struct playbook_document *playbook;
    uint64_t now_usec;
};

struct guard_kind {
    struct kind kind;
    void (*judge)(const struct guard_view *v, const void *args, struct judgement *ret);
};

extern const struct kind *const guard_kinds[];
extern const size_t guard_kind_count;

struct folded {
    enum guard_verdict verdict;
    uint64_t until_usec; /* the latest `until` of those that deny; 0: not by time */
    char why[400];       /* "guard: saw; wants" of the strictest */
    json_t *guards; /* all, in order: [{guard, verdict, saw, wants, untilUsec}]; the caller's */
};

/* Asks every guard of the catalog with the policy's arguments. */
void guards_fold(const struct guard_view *v, struct folded *ret);
