/* The dead-man: who puts a manifest back when nobody else is left to.
 *
 * Before a manifest goes out a detached process (loop/detached.h) is started: this program again,
 * as `planeguard --root DIR recover --overdue USEC`. It waits until the agent's lock is free (the
 * agent and its hands are dead: kill -9, a crash) or the deadline on the boot clock has passed
 * (they hang, or the lock can't be had), whichever comes first, puts back what is out
 * (act/recover.h), and ends. When the manifest is home it is ended. It lives in a session of its
 * own, but in the agent's control group, so it doesn't heed the signals by which a service manager
 * asks a group to end. What would also bring a manifest home when the whole group is killed, or
 * after a power cut before the agent starts again (the unit's stop hook, a boot-time unit, a
 * transient systemd timer) is not built yet: it comes with the packaged units.
 *
 * With the lock in its hands it is alone and also clears the stage; at the deadline, beside a
 * living agent, it only moves manifests home, by renames of which each succeeds once. It tries
 * again until it succeeds, and ends. One waits at a time (DEADMAN_PATH's lock): while an earlier
 * one does, whose hand died, none can be armed and so nothing goes out that it could put back too
 * early. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "act/recover.h"
#include "base/own.h"

#define LOCK_PATH "/run/planeguard/lock"
#define DEADMAN_PATH "/run/planeguard/deadman"

struct deadman;

/* Starts it, ready, for `deadline_usec` of the boot clock. It fails while an earlier one waits. */
int deadman_arm(const struct root *root, uint64_t deadline_usec, struct deadman **ret,
                struct err *e);
/* Is it still there? Looked at right before a manifest goes out. */
bool deadman_waits(const struct deadman *d);
/* The manifest is home: ends it. NULL is none. */
void deadman_disarm(struct deadman *d);
/* It stays armed (something is still out). */
void deadman_leave(struct deadman *d);
OWNER(struct deadman, deadman_leave);

/* The dead-man's own side: waits as said above, then recovers. `*ret_lock` is the lock's
 * descriptor, or -1 at the deadline. `ret` is always to be finished. */
int deadman_watch(const struct root *root, const struct node *node, uint64_t deadline_usec,
                  struct recovered *ret, int *ret_lock, struct err *e);
