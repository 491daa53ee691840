/* How the core moves; core.c strings the parts together.
 *
 *   take.c    one event in: signals, outcomes, restarts
 *   settle.c  every open incident as far as it can go, with
 *   choose.c  which playbook, and whose turn it is
 *   allow.c   a plan before the guards
 *   steps.c   what others are asked to do
 *   verify.c  whether a remedy is proven
 *   good.c    whether a manifest has proven itself */
#pragma once

#include "decide/core.h"

void moves_take(struct core *c, const struct event *ev, struct effects *fx);
void moves_settle(struct core *c, struct effects *fx);
/* The earliest time at which something could move by itself; USEC_NEVER: none. */
uint64_t moves_next_wake(const struct core *c);

/* The failure of an incident in the generation in force, or NULL when a reload removed it. */
const struct failure_document *moves_failure(const struct core *c, const struct incident *i);

/* Asks for a fresh look at what the incident's plan relies on, or is verified by. */
void moves_look(struct core *c, const struct incident *i, struct effects *fx);

/* RUNNING's step `i->step`: its intent, then the step. */
void moves_run_step(struct core *c, struct incident *i, struct effects *fx);
/* UNDOING: what was done, up to the step that was under way, is undone. */
void moves_undo(struct core *c, struct incident *i, struct effects *fx);
/* ESCALATED: a person is told, with the reason. */
void moves_escalate(struct core *c, const struct incident *i, struct effects *fx);
/* To ESCALATED by CHANGE_NONE_LEFT: `before` (may be "") and why no playbook is left. */
void moves_give_up(struct core *c, struct incident *i, const struct failure_document *f,
                   const char *before, struct effects *fx);
/* The fields that the records of a step share. A new reference. */
json_t *moves_step_record(const struct core *c, const struct incident *i, int step);

/* Why core_choose found none, in one line. */
void moves_why_none(const struct core *c, const struct incident *i,
                    const struct failure_document *f, char *why, size_t why_size);
/* Nothing is at work on this node, and no other incident goes first: the lower layer, then the more
 * severe, then the older. */
bool moves_place_is_free(const struct core *c, const struct incident *i,
                         const struct failure_document *f);

/* PLANNED and HELD: true when the incident moved. What was rehearsed waits for its end or for
 * a reload: the mode is the documents'. */
bool moves_settle_planned(struct core *c, struct incident *i, struct effects *fx);
bool moves_settle_held(struct core *c, struct incident *i, const struct failure_document *f,
                       struct effects *fx);

/* The attempt is over, however it ended; unless its plan was void, the incident has used the
 * playbook up. */
void moves_end_attempt(struct core *c, struct incident *i);

/* Whether a remedy is proven: not yet, yes, no, or its time is over and nobody could see. */
enum proof { PROOF_WAITING, PROOF_PROVEN, PROOF_FAILED, PROOF_UNSEEN };
extern const struct words proof_words;
/* Updates since when each expectation holds and says how it stands. `ret_next` gets the time at
 * which that could change by itself; `why` what is missing. */
enum proof verify_judge(const struct core *c, struct incident *i, uint64_t *ret_next, char *why,
                        size_t why_size);

/* Manifests that have proven themselves: asks to keep them. Gives the next time to look. */
void good_settle(struct core *c, struct effects *fx);
uint64_t good_next(const struct core *c);
