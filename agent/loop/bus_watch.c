/* Watching units: which signals of systemd's are news of a unit. Callbacks of sd-bus only note
 * which watches are to be told; these are called from the loop afterwards, one by one, and each
 * call may free any watch, and the bus. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/bus_inside.h"
#include "loop/bus_unit.h"
#include "loop/clock.h"
#include "loop/source.h"

/* How long systemd may take to drop a unit again that a look of ours made it load. */
static const uint64_t quiet_usec = USEC_PER_SEC;

struct unit_watch {
    struct bus *bus; /* NULL: it was freed */
    struct unit_watch *next;
    char *unit, *path;
    void (*changed)(void *context);
    void *context;
    sd_bus_slot *properties, *comings;
    uint64_t quiet_until_usec;
    bool pending;
};

/* --- telling */

static struct unit_watch *next_pending(const struct bus *b)
{
    struct unit_watch *w = b->watches;
    while (w && !w->pending)
        w = w->next;
    return w;
}

static int on_tell(sd_event_source *source, void *userdata)
{
    (void)source;
    struct bus *b = userdata;
    struct unit_watch *w;
    b->is_telling = true;
    while (!b->is_freed && (w = next_pending(b))) {
        w->pending = false;
        w->changed(w->context); /* may free any watch, and the bus */
    }
    b->is_telling = false;
    if (b->is_freed)
        free(b);
    return 0;
}

static void tell(struct unit_watch *w)
{
    w->pending = true;
    int r = sd_event_source_set_enabled(w->bus->teller, SD_EVENT_ONESHOT);
    assert(r >= 0);
}

void watches_tell(struct bus *b)
{
    for (struct unit_watch *w = b->watches; w; w = w->next)
        tell(w);
}

int watches_init(struct bus *b, struct err *e)
{
    int r = sd_event_add_defer(loop_sd_event(b->loop), &b->teller, on_tell, b);
    r = source_keep(b->teller, r, "D-Bus", e);
    if (r < 0)
        return r;
    r = sd_event_source_set_enabled(b->teller, SD_EVENT_OFF);
    assert(r >= 0);
    return 0;
}

void watches_fini(struct bus *b)
{
    sd_event_source_disable_unref(b->teller);
}

/* --- what the manager announces */

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    (void)m;
    (void)ret_error;
    tell(userdata);
    return 0;
}

/* UnitNew or UnitRemoved of this unit. */
static int on_coming(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    (void)m;
    (void)ret_error;
    struct unit_watch *w = userdata;
    /* To look at a unit makes systemd load it, and drop it again: were that news, each look would
     * bring on the next. */
    if (!looks_at(w->bus, w->unit) && clock_boot_usec() >= w->quiet_until_usec)
        tell(w);
    return 0;
}

static int on_watch_added(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    struct unit_watch *w = userdata;
    return bus_on_match_added(m, w->bus, ret_error);
}

static int watch_attach(struct unit_watch *w)
{
    sd_bus *c = w->bus->connection;
    int r = sd_bus_match_signal_async(c, &w->properties, SYSTEMD, w->path, DBUS_PROPERTIES,
                                      "PropertiesChanged", on_properties, on_watch_added, w);
    if (r < 0)
        return r;
    /* The name's letters are known to need no quoting (unit_path). JobNew's first argument is a
     * number: it doesn't match. */
    OWNED(free)
    char *match = mem_printf("type='signal',sender='" SYSTEMD "',path='" SYSTEMD_PATH
                             "',interface='" SYSTEMD_MANAGER "',arg0='%s'",
                             w->unit);
    return sd_bus_add_match_async(c, &w->comings, match, on_coming, on_watch_added, w);
}

static void watch_detach(struct unit_watch *w)
{
    w->properties = sd_bus_slot_unref(w->properties);
    w->comings = sd_bus_slot_unref(w->comings);
}

int watches_attach(struct bus *b)
{
    int r = 0;
    for (struct unit_watch *w = b->watches; w && r >= 0; w = w->next)
        r = watch_attach(w);
    return r;
}

void watches_detach(struct bus *b)
{
    for (struct unit_watch *w = b->watches; w; w = w->next)
        watch_detach(w);
}

void watches_orphan(struct bus *b)
{
    while (b->watches) {
        struct unit_watch *w = b->watches;
        b->watches = w->next;
        w->bus = NULL;
    }
}

/* --- watches */

int unit_watch_new(struct bus *b, const char *unit, void (*changed)(void *context), void *context,
                   struct unit_watch **ret, struct err *e)
{
    char *path;
    int r = unit_path(unit, &path, e);
    if (r < 0)
        return r;
    struct unit_watch *w = mem_new(struct unit_watch);
    *w = (struct unit_watch){.bus = b,
                             .next = b->watches,
                             .unit = mem_strdup(unit),
                             .path = path,
                             .changed = changed,
                             .context = context};
    b->watches = w;
    /* A connection that breaks just now is made anew, and the watch attached to it. */
    if (b->connection && watch_attach(w) < 0)
        watch_detach(w);
    *ret = w;
    return 0;
}

void unit_watch_free(struct unit_watch *w)
{
    if (!w)
        return;
    watch_detach(w);
    if (w->bus) {
        struct unit_watch **at = &w->bus->watches;
        while (*at != w)
            at = &(*at)->next;
        *at = w->next;
    }
    free(w->unit);
    free(w->path);
    free(w);
}

void bus_was_looked(struct bus *b, const char *unit)
{
    for (struct unit_watch *w = b->watches; w; w = w->next)
        if (!strcmp(w->unit, unit))
            w->quiet_until_usec = clock_boot_usec() + quiet_usec;
}
