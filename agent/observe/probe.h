/* Probes: the world turned into readings. A kind is one file and one row in
 * observe/kinds.c. A probe decides nothing.
 *
 * Periodic and event-driven are one thing: an event only means "look now"
 * (probe_wake), so that what a look sees never depends on which events came. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "config/document.h"
#include "config/node.h"
#include "loop/file.h"
#include "loop/loop.h"

struct bus;
struct net;
struct probe;
struct remote;

/* What probes look through; built once by the engine (or the observer, or a test). */
struct view {
    struct loop *loop;
    const struct root *root;
    const struct node *node;
    struct bus *bus;       /* NULL: no D-Bus here */
    const struct net *net; /* NULL in the agent */
    struct remote *remote; /* agent's end of the observer; NULL in the observer itself */
};

struct reading {
    enum verdict verdict;
    enum reason reason;
    json_t *facts;      /* object; values are strings and integers only. Strings must be stable: a
                           changed      string is news (no times, no counters in them) */
    const char *detail; /* one line for people, may vary from look to look; may be NULL */
};

enum side { SIDE_LOCAL, SIDE_NETWORK };

struct probe_kind {
    struct kind kind;
    enum side side;
    /* Begins a look; the kind reports exactly once by probe_report, now or later. A look
     * that can't begin reports unknown. */
    void (*look)(struct probe *p);
    /* Ends a look that has not reported; it must not report any more. */
    void (*cancel)(struct probe *p);
    /* Sets up what wakes it between periods; optional. Undone by `unwatch`, which is called once,
     * at the probe's end, whether or not `watch` was called or succeeded. When it failed it is
     * called again before the next look. */
    int (*watch)(struct probe *p, struct err *e);
    void (*unwatch)(struct probe *p);
    /* SIDE_NETWORK: the paths (below the root, world-readable: CA bundles) that the agent opens and
     * hands to the observer with each look, in order; at most FRAME_FDS_MAX. NULL: none. */
    size_t (*files)(const void *args, const char *ret[4]);
};

extern const struct kind *const probe_kinds[];
extern const size_t probe_kind_count;

static inline const struct probe_kind *probe_kind_of(const struct kind *k)
{
    return (const struct probe_kind *)k;
}

/* One probe at work. Kinds read `view`, `name`, `args`, `timeout_usec`, keep what they need in
 * `state`. */
struct probe {
    const struct view *view;
    const char *name;
    const struct probe_kind *kind;
    const void *args;
    uint64_t timeout_usec;
    int files[4]; /* in the observer: the descriptors that came with this look; -1 */
    size_t file_count;
    void *state; /* the kind's own; freed by unwatch/cancel as the kind needs */
    bool looking;
    void (*report)(struct probe *p, const struct reading *r); /* set by the owner */
    void (*wake)(struct probe *p);                            /* set by the owner */
    void *owner;
};

/* For kinds: the look's result. Takes the facts' reference. */
void probe_report(struct probe *p, enum verdict v, enum reason r, json_t *facts,
                  const char *detail_format, ...) __attribute__((format(printf, 5, 6)));
/* For kinds: something happened, look now. */
void probe_wake(struct probe *p);
