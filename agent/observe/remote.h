/* The agent's end of the observer: starts it, configures it, sends looks, takes
 * readings, and trusts none of it: frames are bounded and checked, an answer that was not asked
 * for is counted and dropped, silence is `unknown`. Dead, it is started again with backoff. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/own.h"
#include "observe/probe.h"

struct remote;

/* Starts `argv` (planeguard-observer; --user is added where `user` isn't NULL) with one end of a
 * socket pair as its descriptor 3. That it can't be started is its health, not an error. */
int remote_new(struct loop *l, const struct root *root, const char *const *argv, const char *user,
               struct remote **ret, struct err *e);
void remote_free(struct remote *r);

/* Sends a look of a SIDE_NETWORK probe there; reports to `p` like a kind's own look. */
void remote_look(struct remote *r, struct probe *p);
void remote_cancel(struct remote *r, struct probe *p);

/* What the probe kind `observer` reports. */
struct remote_health {
    bool is_starting;  /* the first one has neither answered nor ended yet */
    bool alive;        /* the process runs and answered the last ping in time */
    unsigned starts;   /* how often it was started */
    unsigned nonsense; /* frames that were not what was asked for */
    pid_t pid;
    char why[128]; /* when not alive */
};
struct remote_health remote_health(const struct remote *r);
/* `changed` is called whenever it came alive or no longer is; the latest to ask is told. With
 * `changed` NULL `context` is told no more, if it still was. */
void remote_on_health(struct remote *r, void (*changed)(void *context), void *context);
OWNER(struct remote, remote_free);
