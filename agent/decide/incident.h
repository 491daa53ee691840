/* An incident: one occurrence of a failure on this node, from suspicion to close.
 *
 *   suspected ──▶ confirmed ──▶ preparing ──▶ planned ──▶ running ──▶ verifying ──▶ resolved
 *       │            │  ▲           │          │   ▲         │            │
 *       ▼            ▼  │           │          ▼   │         ▼            ▼
 *    cleared     suppressed         │         held         undoing ◀──────┘
 *                    ▲              ▼          │             │
 *                    └──────────  failed ◀─────┼─────────────┤
 *                                   │          ▼             ▼
 *                                   ├────▶ confirmed     escalated
 *                                   └────▶ escalated
 *
 * looking: between planned and planned again, while what the plan relies on is looked at anew.
 * rehearsed: in dry-run the steps were gone through and none was carried out.
 * recovering: the agent died while running; what was half done is brought home first.
 * cleared: the signals passed without our doing. withdrawn: a reload removed the failure.
 *
 * What may follow what is a table (decide/states.c), and incident_move is the state's one setter.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/own.h"
#include "base/words.h"
#include "config/generation.h"

enum state {
    STATE_NONE, /* not a state: what an empty row of the table says */
    STATE_SUSPECTED,
    STATE_CONFIRMED,
    STATE_SUPPRESSED,
    STATE_PREPARING,
    STATE_PLANNED,
    STATE_LOOKING,
    STATE_HELD,
    STATE_REHEARSED,
    STATE_RUNNING,
    STATE_VERIFYING,
    STATE_UNDOING,
    STATE_RECOVERING,
    STATE_FAILED,
    STATE_ESCALATED,
    STATE_RESOLVED,
    STATE_CLEARED,
    STATE_WITHDRAWN,
    STATE_COUNT_,
};
extern const struct words state_words;

enum change {
    CHANGE_GONE,        /* the failure's condition no longer holds */
    CHANGE_DUE,         /* it has held for its `for` */
    CHANGE_EXPLAINED,   /* a failure that explains this one is open */
    CHANGE_UNEXPLAINED, /* none is any more, for this one's own `for` */
    CHANGE_CHOSEN,      /* a playbook was chosen, and nothing else is at work on this node */
    CHANGE_NONE_LEFT,   /* no playbook is left, or there never was one */
    CHANGE_PREPARED,    /* the plan is made */
    CHANGE_UNPLANNABLE, /* it can't be, or it would change nothing */
    CHANGE_NEEDED,      /* a guard wants a fresh look first */
    CHANGE_LOOKED,
    CHANGE_DENIED,   /* a guard says not now */
    CHANGE_SPENT,    /* a guard says not this playbook any more */
    CHANGE_RELEASED, /* what held it back doesn't any more: plan anew */
    CHANGE_ALLOWED,
    CHANGE_ALLOWED_DRY, /* only to go through it */
    CHANGE_STEP_DONE,   /* and there is another */
    CHANGE_STEPS_DONE,
    CHANGE_STEP_FAILED, /* and what was done is to be undone */
    CHANGE_STEP_LEFT,   /* it failed and what was done stays, as the playbook says */
    CHANGE_VERIFIED,
    CHANGE_UNVERIFIED,
    CHANGE_UNVERIFIED_LEFT,
    CHANGE_UNDONE,
    CHANGE_UNDO_FAILED,
    CHANGE_RECOVERED,
    CHANGE_RECOVER_FAILED,
    CHANGE_NEXT, /* another playbook is left */
    CHANGE_WITHDRAWN,
    CHANGE_RESTARTED, /* the agent started anew */
    CHANGE_COUNT_,
};
extern const struct words change_words;

/* What follows; STATE_NONE: can't happen (a bug if it does). */
enum state states_next(enum state from, enum change change);
bool state_is_closed(enum state s);
/* Holds the node's one place for a plan. */
bool state_is_at_work(enum state s);

struct incident {
    char *id;
    char *failure; /* by name: outlives generations */
    enum state state;
    uint64_t opened_usec, entered_usec; /* agent's clock: suspected; in the present state */
    uint64_t holds_since_usec;          /* since when the condition has held (for `for`) */
    uint64_t explained_usec;            /* when a cause was last open; 0: never */
    char *why;                          /* one line: why it is where it is */
    char **tried;                       /* playbooks that this incident has used up */
    size_t tried_count, tried_room;

    /* The plan that it is at, from PREPARING on. */
    struct generation *generation; /* reference: the one it was planned on; NULL: no plan */
    int playbook;                  /* index there */
    json_t *plan;                  /* act's: {"playbook", "steps": [...]} */
    char *digest;
    int step;     /* the one that is under way */
    bool dry;     /* going through it only */
    bool is_void; /* the world wasn't what the plan relied on, or the agent died meanwhile: the
                   * playbook may be tried again */
    uint64_t looked_usec; /* the last fresh look ended; 0: none yet */
    uint64_t acted_usec;  /* the first step began; 0: none */
    uint64_t verify_usec; /* verification began (after its fresh look); 0: waits for that look */
    uint64_t *met_usec;   /* by verify's expectations: since when each holds; 0: doesn't */
    json_t *guards;       /* what each guard said last */
};

struct effects;

/* The one setter: takes the change's row, records the transition, remembers why.
 * Asserts that the row exists. */
void incident_move(struct incident *i, enum change change, uint64_t now_usec, struct effects *fx,
                   const char *why_format, ...) __attribute__((format(printf, 5, 6)));

struct incident *incident_new(const char *id, const char *failure, const char *why,
                              uint64_t now_usec);
void incident_free(struct incident *i);
/* Lets go of the plan and the generation that it stands on. */
void incident_drop_plan(struct incident *i);
bool incident_tried(const struct incident *i, const char *playbook);
void incident_mark_tried(struct incident *i, const char *playbook);
const struct playbook_document *incident_playbook(const struct incident *i);

json_t *incident_save(const struct incident *i);
/* NULL when the saved form isn't one. The plan's generation is `g` if the playbook is
 * there with the same steps; else the plan is lost. */
struct incident *incident_load(const json_t *saved, struct generation *g);

OWNER(struct incident, incident_free);
