/* Inside loop/bus*.c only: the connection that watches and looks share. */
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "loop/bus.h"

struct bus {
    struct loop *loop;
    char *address;
    sd_bus *connection; /* NULL: none */
    struct err why;     /* why there is none */
    struct timer *retry;
    uint64_t backoff_usec;
    sd_bus_slot *slots[4]; /* what the connection itself listens to */
    size_t slot_count;
    sd_event_source *teller; /* tells the watches that are pending */
    struct unit_watch *watches;
    struct unit_look *looks;
    bool is_lost; /* `retry` will make the connection anew */
    bool is_telling, is_freed;
};

/* bus_watch.c */
int watches_init(struct bus *b, struct err *e);
void watches_fini(struct bus *b);
int watches_attach(struct bus *b); /* to a new connection */
void watches_detach(struct bus *b);
void watches_orphan(struct bus *b); /* the bus is freed: those that are left stay silent */
void watches_tell(struct bus *b);   /* all of them, soon */

/* The answer to AddMatch: an error of it loses the connection. `userdata` is the bus. */
int bus_on_match_added(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);

/* A look at `unit` has ended: what the manager announces about it in the next moment may be
 * what the look itself brought about (loading the unit and dropping it again). */
void bus_was_looked(struct bus *b, const char *unit);

/* bus_look.c. The connection broke: ends what waits for it. */
void looks_lost(struct bus *b);
/* The bus is freed: looks that are left never report. */
void looks_orphan(struct bus *b);
bool looks_at(const struct bus *b, const char *unit);
