#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/bus_inside.h"
#include "loop/bus_unit.h"
#include "loop/clock.h"

struct unit_look {
    struct bus *bus; /* NULL: it has reported, or the bus was freed */
    struct unit_look *next;
    char *unit;
    sd_bus_slot *slot;
    struct timer *timer;
    bool is_lost;
    uint64_t timeout_usec;
    void (*done)(void *context, const struct unit_state *s, const struct err *e);
    void *context;
};

static void leave(struct unit_look *u)
{
    struct unit_look **at = &u->bus->looks;
    while (*at != u)
        at = &(*at)->next;
    *at = u->next;
    u->bus = NULL;
    u->slot = sd_bus_slot_unref(u->slot);
    timer_set(u->timer, USEC_NEVER, 0);
}

static void finish(struct unit_look *u, const struct unit_state *s, const struct err *e)
{
    struct bus *b = u->bus;
    leave(u);
    bus_was_looked(b, u->unit);
    u->done(u->context, s, e); /* may free u, and the bus */
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    (void)ret_error;
    struct unit_look *u = userdata;
    struct err e;
    struct unit_state s;
    const sd_bus_error *error = sd_bus_message_get_error(m);
    if (error) {
        (void)err_set(&e, -EIO, "can't look at unit %s: %s", u->unit,
                      error->message ? error->message : error->name);
        finish(u, NULL, &e);
    } else if (unit_state_read(m, u->unit, &s, &e) < 0) {
        finish(u, NULL, &e);
    } else {
        finish(u, &s, NULL);
    }
    return 0;
}

static void on_time(void *context)
{
    struct unit_look *u = context;
    struct err e;
    char text[DURATION_TEXT];
    if (u->is_lost)
        e = u->bus->why;
    else
        (void)err_set(&e, -ETIMEDOUT, "no answer about unit %s from systemd within %s", u->unit,
                      duration_about(u->timeout_usec, text));
    finish(u, NULL, &e);
}

/* systemd makes an object of any unit's name, and loads the unit, when its path is asked for: no
 * LoadUnit is needed before. The empty interface name means all of them: a unit's own and its
 * type's. */
static int ask(struct unit_look *u, struct err *e)
{
    OWNED(free) char *path = NULL;
    int r = unit_path(u->unit, &path, e);
    if (r < 0)
        return r;
    OWNED(sd_bus_message_unref) sd_bus_message *m = NULL;
    r = sd_bus_message_new_method_call(u->bus->connection, &m, SYSTEMD, path, DBUS_PROPERTIES,
                                       "GetAll");
    if (r >= 0)
        r = sd_bus_message_append(m, "s", "");
    if (r >= 0) /* the time is ours to keep: sd-bus begins to count only once it is connected */
        r = sd_bus_call_async(u->bus->connection, &u->slot, m, on_answer, u, USEC_NEVER);
    return r < 0 ? err_errno(e, -r, "can't ask systemd about unit %s", u->unit) : 0;
}

int unit_look_start(struct bus *b, const char *unit, uint64_t timeout_usec,
                    void (*done)(void *context, const struct unit_state *s, const struct err *e),
                    void *context, struct unit_look **ret, struct err *e)
{
    if (b->is_lost)
        return err_set(e, -ENOTCONN, "%s", b->why.text);
    struct timer *timer;
    struct unit_look *u = mem_new(struct unit_look);
    int r = timer_new(b->loop, on_time, u, &timer, e);
    if (r < 0) {
        free(u);
        return r;
    }
    *u = (struct unit_look){.bus = b,
                            .next = b->looks,
                            .unit = mem_strdup(unit),
                            .timer = timer,
                            .timeout_usec = timeout_usec,
                            .done = done,
                            .context = context};
    b->looks = u;
    r = ask(u, e);
    if (r < 0) {
        unit_look_free(u);
        return r;
    }
    timer_set(timer, clock_boot_usec() + timeout_usec, 0);
    *ret = u;
    return 0;
}

void unit_look_free(struct unit_look *u)
{
    if (!u)
        return;
    if (u->bus)
        leave(u);
    sd_bus_slot_unref(u->slot);
    timer_free(u->timer);
    free(u->unit);
    free(u);
}

/* Reports from the loop, later: who lost the connection may be in the middle of something. */
void looks_lost(struct bus *b)
{
    for (struct unit_look *u = b->looks; u; u = u->next) {
        u->is_lost = true;
        u->slot = sd_bus_slot_unref(u->slot);
        timer_set(u->timer, clock_boot_usec(), 0);
    }
}

void looks_orphan(struct bus *b)
{
    while (b->looks)
        leave(b->looks);
}

bool looks_at(const struct bus *b, const char *unit)
{
    for (const struct unit_look *u = b->looks; u; u = u->next)
        if (!strcmp(u->unit, unit))
            return true;
    return false;
}
