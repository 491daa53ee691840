/* bus.h: systemd is the world's. */
#include "loop/bus.h"

#include <errno.h>
#include <stdlib.h>

#include "sim.h"

struct bus {
    char unused;
};

int bus_new(struct loop *l, const char *address, struct bus **ret, struct err *e)
{
    static struct bus one;
    (void)l;
    (void)address;
    (void)e;
    *ret = &one;
    return 0;
}

void bus_free(struct bus *b)
{
    (void)b;
}

static const uint64_t call_usec = 2 * USEC_PER_MSEC;

int unit_state_now(const char *address, const char *unit, struct unit_state *ret, struct err *e)
{
    (void)address;
    struct master *m = task_master(task_current());
    task_sleep_until(schedule_now() + call_usec);
    return world_unit_state(sim.world, m->index, unit, ret, e);
}

int unit_job(const char *address, const char *verb, const char *unit, uint64_t timeout_usec,
             struct err *e)
{
    (void)address;
    struct master *m = task_master(task_current());
    uint64_t took_usec = 0;
    int errnum = kernel_point("sendmsg", true, unit);
    if (errnum)
        return err_errno(e, errnum, "unit %s: D-Bus can't be asked", unit);
    int code = world_unit_job(sim.world, m->index, verb, unit, &took_usec, e);
    task_sleep_until(schedule_now() + (took_usec < timeout_usec ? took_usec : timeout_usec));
    if (took_usec > timeout_usec)
        return err_set(e, -ETIMEDOUT, "%s of %s: no result in time", verb, unit);
    return code;
}

int unit_reset_failed(const char *address, const char *unit, struct err *e)
{
    (void)address;
    struct master *m = task_master(task_current());
    int errnum = kernel_point("sendmsg", true, unit);
    if (errnum)
        return err_errno(e, errnum, "unit %s: D-Bus can't be asked", unit);
    task_sleep_until(schedule_now() + call_usec);
    return world_unit_reset_failed(sim.world, m->index, unit, e);
}

/* Only probes use these, and looks are observe.c's in here. */

int unit_watch_new(struct bus *b, const char *unit, void (*changed)(void *context), void *context,
                   struct unit_watch **ret, struct err *e)
{
    (void)b;
    (void)unit;
    (void)changed;
    (void)context;
    (void)ret;
    (void)e;
    abort();
}

void unit_watch_free(struct unit_watch *w)
{
    (void)w;
}

int unit_look_start(struct bus *b, const char *unit, uint64_t timeout_usec,
                    void (*done)(void *context, const struct unit_state *s, const struct err *e),
                    void *context, struct unit_look **ret, struct err *e)
{
    (void)b;
    (void)unit;
    (void)timeout_usec;
    (void)done;
    (void)context;
    (void)ret;
    (void)e;
    abort();
}

void unit_look_free(struct unit_look *u)
{
    (void)u;
}
