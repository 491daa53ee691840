/* The blocking way to systemd's manager, on a connection of its own each time: for hands. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/bus_unit.h"
#include "loop/clock.h"

static const uint64_t call_usec = 10 * USEC_PER_SEC;

static uint64_t remaining(uint64_t until_usec)
{
    uint64_t now = clock_boot_usec();
    return until_usec > now ? until_usec - now : 0;
}

/* One turn of the connection: 0, or < 0 when it broke or the time is over. */
static int turn(sd_bus *bus, uint64_t until_usec)
{
    int r = sd_bus_process(bus, NULL);
    if (r != 0)
        return r < 0 ? r : 0;
    uint64_t left = remaining(until_usec);
    if (!left)
        return -ETIMEDOUT;
    r = sd_bus_wait(bus, left);
    return r < 0 ? r : 0;
}

static int connect_now(const char *address, uint64_t until_usec, sd_bus **ret, struct err *e)
{
    OWNED(sd_bus_close_unref) sd_bus *bus = NULL;
    int r = bus_begin(address, &bus, e);
    if (r < 0)
        return r;
    while ((r = sd_bus_is_ready(bus)) == 0)
        if ((r = turn(bus, until_usec)) < 0)
            break;
    if (r < 0)
        return err_errno(e, -r, "can't connect to D-Bus at %s", address);
    *ret = TAKE(bus);
    return 0;
}

/* Calls what `m` says, by the deadline; its errors end here. */
static int call(sd_bus *bus, sd_bus_message *m, uint64_t until_usec, const char *unit,
                sd_bus_message **ret, struct err *e)
{
    uint64_t left = remaining(until_usec);
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = left ? sd_bus_call(bus, m, left, &error, ret) : -ETIMEDOUT;
    if (r < 0 && error.message)
        (void)err_set(e, r, "systemd refused %s for %s: %s", sd_bus_message_get_member(m), unit,
                      error.message);
    else if (r < 0)
        (void)err_errno(e, -r, "no answer from systemd to %s for %s", sd_bus_message_get_member(m),
                        unit);
    sd_bus_error_free(&error);
    return r < 0 ? r : 0;
}

/* As call(), of the manager, with arguments of `types`. */
static int call_manager(sd_bus *bus, uint64_t until_usec, const char *member, const char *unit,
                        const char *mode, sd_bus_message **ret, struct err *e)
{
    OWNED(sd_bus_message_unref) sd_bus_message *m = NULL;
    int r = sd_bus_message_new_method_call(bus, &m, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, member);
    if (r >= 0 && unit)
        r = sd_bus_message_append(m, "s", unit);
    if (r >= 0 && mode)
        r = sd_bus_message_append(m, "s", mode);
    if (r < 0)
        return err_errno(e, -r, "can't call %s", member);
    return call(bus, m, until_usec, unit ? unit : "the manager", ret, e);
}

int unit_state_now(const char *address, const char *unit, struct unit_state *ret, struct err *e)
{
    uint64_t until = clock_boot_usec() + call_usec;
    OWNED(free) char *path = NULL;
    int r = unit_path(unit, &path, e);
    if (r < 0)
        return r;
    OWNED(sd_bus_close_unref) sd_bus *bus = NULL;
    if ((r = connect_now(address, until, &bus, e)) < 0)
        return r;
    OWNED(sd_bus_message_unref) sd_bus_message *m = NULL, *answer = NULL;
    r = sd_bus_message_new_method_call(bus, &m, SYSTEMD, path, DBUS_PROPERTIES, "GetAll");
    if (r >= 0)
        r = sd_bus_message_append(m, "s", "");
    if (r < 0)
        return err_errno(e, -r, "can't ask systemd about unit %s", unit);
    if ((r = call(bus, m, until, unit, &answer, e)) < 0)
        return r;
    return unit_state_read(answer, unit, ret, e);
}

int unit_reset_failed(const char *address, const char *unit, struct err *e)
{
    uint64_t until = clock_boot_usec() + call_usec;
    OWNED(sd_bus_close_unref) sd_bus *bus = NULL;
    int r = connect_now(address, until, &bus, e);
    if (r < 0)
        return r;
    return call_manager(bus, until, "ResetFailedUnit", unit, NULL, NULL, e);
}

/* --- jobs */

struct job_wait {
    const char *path; /* NULL: not known yet */
    char result[UNIT_WORD];
};

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    (void)ret_error;
    struct job_wait *w = userdata;
    uint32_t id;
    const char *path, *unit, *result;
    if (w->path && sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) >= 0 &&
        !strcmp(path, w->path))
        (void)snprintf(w->result, sizeof w->result, "%s", result);
    return 0;
}

static int wait_for_job(sd_bus *bus, struct job_wait *w, uint64_t until_usec, const char *verb,
                        const char *unit, struct err *e)
{
    while (!w->result[0]) {
        int r = turn(bus, until_usec);
        if (r == -ETIMEDOUT)
            return err_set(e, r, "%s of %s: the job has not ended in time", verb, unit);
        if (r < 0)
            return err_errno(e, -r,
                             "%s of %s: the connection to systemd broke before the job ended", verb,
                             unit);
    }
    if (!strcmp(w->result, "done"))
        return 0;
    return err_set(e, -EIO, "%s of %s: the job's result is \"%s\", expected \"done\"", verb, unit,
                   w->result);
}

/* The order binds: the job may be over before the answer that names it is read. So first listen,
 * then ask; and what came in between waits in sd-bus's queue until the path is known, as a
 * blocking call calls no handlers. */
int unit_job(const char *address, const char *verb, const char *unit, uint64_t timeout_usec,
             struct err *e)
{
    assert(!strcmp(verb, "StartUnit") || !strcmp(verb, "RestartUnit") || !strcmp(verb, "StopUnit"));
    uint64_t until = clock_boot_usec() + timeout_usec;
    OWNED(free) char *path = NULL;
    int r = unit_path(unit, &path, e);
    if (r < 0)
        return r;
    OWNED(sd_bus_close_unref) sd_bus *bus = NULL;
    if ((r = connect_now(address, until, &bus, e)) < 0)
        return r;
    struct job_wait w = {0};
    (void)sd_bus_set_method_call_timeout(bus, remaining(until));
    r = sd_bus_match_signal(bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
                            on_removed, &w);
    if (r < 0)
        return err_errno(e, -r, "%s of %s: can't listen for the job's end", verb, unit);
    OWNED(sd_bus_message_unref) sd_bus_message *answer = NULL;
    if ((r = call_manager(bus, until, "Subscribe", NULL, NULL, NULL, e)) < 0 ||
        (r = call_manager(bus, until, verb, unit, "replace", &answer, e)) < 0)
        return r;
    r = sd_bus_message_read(answer, "o", &w.path);
    if (r < 0)
        return err_errno(e, -r, "%s of %s: systemd named no job", verb, unit);
    return wait_for_job(bus, &w, until, verb, unit, e);
}
