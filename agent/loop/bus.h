/* systemd's manager over D-Bus (org.freedesktop.systemd1(5)), at the address that the
 * node names. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "loop/loop.h"

enum { UNIT_WORD = 32 };

struct unit_state {
    char load_state[UNIT_WORD];   /* "loaded", "not-found", ... */
    char active_state[UNIT_WORD]; /* "active", "activating", "failed", ... */
    char sub_state[UNIT_WORD];
    char result[UNIT_WORD]; /* "success", "start-limit-hit", ... */
    uint32_t main_pid;
    int32_t exec_main_status;
    uint32_t restarts;
    uint64_t active_enter_usec; /* ActiveEnterTimestampMonotonic */
    char invocation_id[33];
};

/* In the loop: one connection, subscribed to the manager's signals, connected anew with
 * backoff when it breaks. */
struct bus;
int bus_new(struct loop *l, const char *address, struct bus **ret, struct err *e);
void bus_free(struct bus *b);

/* Watches a unit: `changed` is called when the manager announces that something of it
 * changed (also when the bus went away or came back). */
struct unit_watch;
int unit_watch_new(struct bus *b, const char *unit, void (*changed)(void *context), void *context,
                   struct unit_watch **ret, struct err *e);
void unit_watch_free(struct unit_watch *w);

/* Asks for the unit's properties; `done` is called exactly once, later, with the state
 * or with NULL and the reason, unless the look is freed before. */
struct unit_look;
int unit_look_start(struct bus *b, const char *unit, uint64_t timeout_usec,
                    void (*done)(void *context, const struct unit_state *s, const struct err *e),
                    void *context, struct unit_look **ret, struct err *e);
void unit_look_free(struct unit_look *u);

/* Blocking, on a connection of its own: for hands. */
int unit_state_now(const char *address, const char *unit, struct unit_state *ret, struct err *e);
/* `verb` is "StartUnit", "RestartUnit" or "StopUnit", mode "replace"; waits for the job's
 * JobRemoved; 0 when its result is "done", else -EIO with the result in `e`. */
int unit_job(const char *address, const char *verb, const char *unit, uint64_t timeout_usec,
             struct err *e);
int unit_reset_failed(const char *address, const char *unit, struct err *e);

OWNER(struct bus, bus_free);
OWNER(struct unit_watch, unit_watch_free);
OWNER(struct unit_look, unit_look_free);
