/* The room's door: runs all probes of a generation, at their periods (spread and
 * coalesced) and at their events, with a deadline on every look, and hands each
 * reading on. A look that doesn't report within its timeout is `unknown, timeout`... of
 * the agent's own making: the kind's cancel is called. */
#pragma once

#include "config/generation.h"
#include "observe/probe.h"

struct observe;

/* `reading` gets every look's result, changed or not; `probe` is the index in `g`.
 * `view` and `g` must live longer (a reference to `g` is taken). */
int observe_new(const struct view *view, struct generation *g,
                void (*reading)(void *context, int probe, const struct reading *r), void *context,
                struct observe **ret, struct err *e);
void observe_free(struct observe *o);

/* Looks now, whatever the period; if a look is under way, once more after it: the reading
 * that follows began after this call. */
void observe_look(struct observe *o, int probe);

/* How and when a probe was last looked at, for `signals`. */
struct observed {
    uint64_t looked_usec; /* boot clock; 0: never */
    uint64_t took_usec;
    bool by_events;
};
struct observed observe_status(const struct observe *o, int probe);

OWNER(struct observe, observe_free);
