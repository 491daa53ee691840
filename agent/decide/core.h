/* The core: all of matching, root-cause suppression, planning, guards and the incidents'
 * states. Pure: no system call, no clock, no randomness; the same events in the same order give
 * the same effects, byte for byte.
 *
 *     core_step(core, event, effects)
 *
 * Each step takes the event in (take.c), then lets every open incident go as far as it can
 * (settle.c and its neighbours: moves.h), until none moves any more. What time will change is one
 * question with one answer: the earliest moment at which anything could move by itself, asked for
 * with EFFECT_WAKE. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/duration.h"
#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "config/generation.h"
#include "decide/condition.h"
#include "decide/event.h"
#include "decide/guard.h"
#include "decide/history.h"
#include "decide/incident.h"

struct core {
    struct generation *generation; /* reference; in force */
    struct signal *signals;        /* by probe of the generation in force */
    struct incident **incidents;   /* open ones, in the order they were opened */
    size_t incident_count, incident_room;
    struct history history;
    char run[17];
    uint64_t next_incident;
    uint64_t now_usec, wake_usec;
    uint64_t started_usec, booted_usec;
    bool started;
    bool kill_switch_known, kill_switch;
    bool journal_broken; /* it can't be written just now */
    bool changed;        /* something that must outlive a crash, in this step */
};

struct core *core_new(struct generation *g); /* takes a reference */
void core_free(struct core *c);
void core_step(struct core *c, const struct event *ev, struct effects *fx);

/* Another generation comes into force; signals and incidents are carried over by name. Followed by
 * EVENT_CONFIG. */
void core_set_generation(struct core *c, struct generation *g);

/* The whole state, canonical-ready JSON with a version. A new reference. */
json_t *core_save(const struct core *c);
/* Into a new core. -EPROTO: a version we don't know; -EINVAL: not a state. */
int core_load(struct core *c, const json_t *saved, struct err *e);

/* The same with all that a start forgets, so that a run can go on from it (decide/whole.c). `find`
 * lends the generation of a digest that a plan stands on, or NULL. -EINVAL: no such state. */
json_t *core_save_whole(const struct core *c);
int core_load_whole(struct core *c, const json_t *saved,
                    struct generation *(*find)(void *context, const char *digest), void *context,
                    struct err *e);

/* The signal that an index of `g`'s probes means now, also when `g` is no longer in force. */
const struct signal *core_signal(const struct core *c, const struct generation *g, int probe);
enum truth core_condition(const struct core *c, const struct generation *g,
                          const struct condition *w);
/* The open incident of a failure, or NULL. */
struct incident *core_incident_of(const struct core *c, const char *failure);
struct incident *core_incident(const struct core *c, const char *id);
/* The stricter of the policy's mode and the playbook's own. */
enum mode core_mode(const struct core *c, const struct playbook_document *p);
/* The first playbook that the incident hasn't used up and whose requirements hold, else the first
 * not used up; -1: none. An index in the generation in force. */
int core_choose(const struct core *c, const struct incident *i, const struct failure_document *f);
/* The first open failure that explains this one, or NULL. */
const struct failure_document *core_explained_by(const struct core *c,
                                                 const struct failure_document *f);

OWNER(struct core, core_free);
