/* One connection to systemd's manager.
 *
 *   lost --retry--> connecting: matches and Subscribe() are on their way --answer--> subscribed
 *    ^                  |                                                                 |
 *    +---------- an error, or the bus went away; backoff, doubled each time --------------+
 *
 * Each change of that wakes all watches, since nothing is known of the time between. */
#include "loop/bus.h"

#include <errno.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/bus_inside.h"
#include "loop/bus_unit.h"
#include "loop/clock.h"

static const uint64_t backoff_least_usec = 250 * USEC_PER_MSEC;
static const uint64_t backoff_most_usec = 30 * USEC_PER_SEC;
static const uint64_t subscribe_usec = 10 * USEC_PER_SEC;

/* --- the connection's life */

static void lost(struct bus *b, const char *why)
{
    if (b->is_lost) /* what follows from the first reason isn't one */
        return;
    b->is_lost = true;
    (void)err_set(&b->why, -ENOTCONN, "no connection to systemd by D-Bus at %s: %s", b->address,
                  why);
    /* The connection is put away later: sd-bus is in the middle of calling us, perhaps. */
    timer_set(b->retry, clock_boot_usec() + b->backoff_usec, b->backoff_usec / 4);
    b->backoff_usec *= 2;
    if (b->backoff_usec > backoff_most_usec)
        b->backoff_usec = backoff_most_usec;
    looks_lost(b);
    watches_tell(b);
}

static const char *error_text(sd_bus_message *m)
{
    const sd_bus_error *error = sd_bus_message_get_error(m);
    return error && error->message ? error->message : error && error->name ? error->name : "";
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    (void)m;
    (void)ret_error;
    lost(userdata, "the bus went away");
    return 0;
}

int bus_on_match_added(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    (void)ret_error;
    if (sd_bus_message_is_method_error(m, NULL))
        lost(userdata, error_text(m));
    return 0;
}

static int on_subscribed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    (void)ret_error;
    struct bus *b = userdata;
    if (sd_bus_message_is_method_error(m, NULL) &&
        !sd_bus_message_is_method_error(m, SYSTEMD ".AlreadySubscribed")) {
        lost(b, error_text(m));
        return 0;
    }
    b->backoff_usec = backoff_least_usec;
    watches_tell(b);
    return 0;
}

static int subscribe(struct bus *b, sd_bus_slot **slot)
{
    OWNED(sd_bus_message_unref) sd_bus_message *m = NULL;
    int r = sd_bus_message_new_method_call(b->connection, &m, SYSTEMD, SYSTEMD_PATH,
                                           SYSTEMD_MANAGER, "Subscribe");
    if (r < 0)
        return r;
    return sd_bus_call_async(b->connection, slot, m, on_subscribed, b, subscribe_usec);
}

/* systemd left or came (a reexec of it is both). */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    (void)ret_error;
    struct bus *b = userdata;
    const char *name, *before, *after;
    if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0)
        return 0;
    watches_tell(b);
    if (*after) {
        int r = subscribe(b, NULL);
        if (r < 0)
            lost(b, "can't subscribe");
    }
    return 0;
}

static int on_reloading(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    (void)ret_error;
    int begins;
    if (sd_bus_message_read(m, "b", &begins) >= 0 && !begins)
        watches_tell(userdata);
    return 0;
}

static int attach_all(struct bus *b)
{
    static const char owner[] = "type='signal',sender='org.freedesktop.DBus',path='/org/"
                                "freedesktop/DBus',interface='org.freedesktop.DBus',member='"
                                "NameOwnerChanged',arg0='" SYSTEMD "'";
    static const char local[] = "org.freedesktop.DBus.Local";
    static const char local_path[] = "/org/freedesktop/DBus/Local";
    sd_bus *c = b->connection;
    sd_bus_slot **slots = b->slots;
    int r = sd_bus_attach_event(c, loop_sd_event(b->loop), SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_match_signal_async(c, &slots[0], local, local_path, local, "Disconnected",
                                      on_disconnected, NULL, b);
    if (r >= 0)
        r = sd_bus_add_match_async(c, &slots[1], owner, on_owner, bus_on_match_added, b);
    if (r >= 0)
        r = sd_bus_match_signal_async(c, &slots[2], SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                      "Reloading", on_reloading, bus_on_match_added, b);
    if (r >= 0)
        r = watches_attach(b);
    return r < 0 ? r : subscribe(b, &slots[3]);
}

static void drop_connection(struct bus *b)
{
    watches_detach(b);
    for (size_t i = 0; i < sizeof b->slots / sizeof *b->slots; i++)
        b->slots[i] = sd_bus_slot_unref(b->slots[i]);
    looks_lost(b);
    b->connection = sd_bus_close_unref(b->connection);
}

static int begin(struct bus *b, struct err *e)
{
    int r = bus_begin(b->address, &b->connection, e);
    if (r < 0)
        return r;
    r = attach_all(b);
    if (r < 0) {
        drop_connection(b);
        return err_errno(e, -r, "can't listen to systemd");
    }
    return 0;
}

static void on_retry(void *context)
{
    struct bus *b = context;
    drop_connection(b);
    b->is_lost = false;
    struct err e;
    if (begin(b, &e) < 0)
        lost(b, e.text);
}

int bus_new(struct loop *l, const char *address, struct bus **ret, struct err *e)
{
    OWNED(bus_free) struct bus *b = mem_new(struct bus);
    b->loop = l;
    b->address = mem_strdup(address);
    b->backoff_usec = backoff_least_usec;
    int r = timer_new(l, on_retry, b, &b->retry, e);
    if (r < 0)
        return r;
    if ((r = watches_init(b, e)) < 0)
        return r;
    struct err why;
    r = begin(b, &why);
    if (r == -EINVAL) /* no address: that nobody answers there is another matter */
        return err_set(e, r, "%s", why.text);
    if (r < 0)
        lost(b, why.text);
    *ret = TAKE(b);
    return 0;
}

void bus_free(struct bus *b)
{
    if (!b)
        return;
    looks_orphan(b);
    drop_connection(b);
    watches_orphan(b);
    timer_free(b->retry);
    watches_fini(b);
    free(b->address);
    if (b->is_telling)
        b->is_freed = true; /* the teller frees what is left */
    else
        free(b);
}
