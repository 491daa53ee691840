/* systemd, as far as the kubelet's and the runtime's units go. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inside.h"

static const char *const names[UNITS] = {"kubelet.service", "containerd.service"};
static const uint64_t restart_usec = 10 * USEC_PER_SEC; /* kubeadm's RestartSec */
/* One that can't come up is tried less often here than there: nobody can tell the tries apart. */
static const uint64_t retry_usec = 120 * USEC_PER_SEC;

static void put(char *to, size_t room, const char *text)
{
    (void)snprintf(to, room, "%s", text);
}

static void became(struct unit *u, const char *active, const char *sub, const char *result)
{
    bool was = !strcmp(u->active, "active"), is = !strcmp(active, "active");
    put(u->active, sizeof u->active, active);
    put(u->sub, sizeof u->sub, sub);
    put(u->result, sizeof u->result, result);
    if (is)
        u->down_since_usec = 0;
    else if (was || !u->down_since_usec)
        u->down_since_usec = schedule_now();
    if (!is)
        u->pid = 0;
}

struct unit *unit_named(struct host *n, const char *name)
{
    for (size_t i = 0; i < UNITS; i++)
        if (!strcmp(names[i], name))
            return &n->units[i];
    return NULL;
}

bool unit_is_active(const struct host *n, enum unit_name u)
{
    return n->is_on && !strcmp(n->units[u].active, "active");
}

/* Its process is gone, in whatever way. */
static void ended(struct unit *u)
{
    if (u->which == UNIT_KUBELET)
        kubelet_ended(u->node);
    world_say(u->node->index, "%s is %s (%s)", names[u->which], u->active, u->result);
    node_touch(u->node);
}

void unit_crash(struct host *n, enum unit_name which, const char *result, bool again)
{
    struct unit *u = &n->units[which];
    alarm_cancel(&u->alarm);
    u->exit_status = 1;
    if (again) {
        became(u, "activating", "auto-restart", result);
        alarm_set(&u->alarm, u->restarts < 6 ? restart_usec : retry_usec);
    } else {
        became(u, "failed", "failed", result);
        u->is_limited = !strcmp(result, "start-limit-hit");
    }
    ended(u);
}

void unit_stop(struct host *n, enum unit_name which)
{
    struct unit *u = &n->units[which];
    alarm_cancel(&u->alarm);
    u->restarts = 0;
    became(u, "inactive", "dead", "success");
    ended(u);
}

void unit_start(struct host *n, enum unit_name which, bool by_itself)
{
    struct unit *u = &n->units[which];
    char id[ID_TEXT];
    alarm_cancel(&u->alarm);
    if (unit_is_active(n, which))
        return;
    u->restarts = by_itself ? u->restarts + 1 : 0;
    u->is_limited = false;
    u->exit_status = 0;
    became(u, "active", "running", "success");
    u->active_enter_usec = node_monotonic_usec(n);
    u->pid = (int64_t)(1000 + n->serial % 60000);
    node_id(n, id);
    (void)snprintf(u->invocation, sizeof u->invocation, "%.32s", id);
    world_say(n->index, "%s starts", names[which]);
    if (which == UNIT_KUBELET)
        kubelet_started(n);
    else
        kubelet_wake(n);
    if (u->is_broken)
        alarm_set(&u->alarm, random_between(&n->r, 300, 2500) * USEC_PER_MSEC);
    node_touch(n);
}

/* Due: a restart by itself, or the end of one that can't come up. */
static void on_alarm(void *context)
{
    struct unit *u = context;
    if (unit_is_active(u->node, u->which)) {
        if (u->is_broken)
            unit_crash(u->node, u->which, "exit-code", u->restarts > 0);
    } else {
        unit_start(u->node, u->which, true);
    }
}

void units_init(struct host *n)
{
    for (size_t i = 0; i < UNITS; i++) {
        struct unit *u = &n->units[i];
        *u = (struct unit){.node = n, .which = (enum unit_name)i};
        alarm_init(&u->alarm, n, on_alarm, u);
        became(u, "inactive", "dead", "success");
    }
}

void units_power_cut(struct host *n)
{
    for (size_t i = 0; i < UNITS; i++) {
        struct unit *u = &n->units[i];
        became(u, "inactive", "dead", "success");
        u->restarts = 0;
        u->is_limited = false;
    }
    kubelet_ended(n);
}

/* ---- D-Bus ---- */

static int away(const struct host *n, struct err *e)
{
    if (!n->now.bus_away && n->is_on)
        return 0;
    return err_errno(e, ECONNREFUSED, "can't connect to D-Bus at %s",
                     "unix:path=/run/dbus/system_bus_socket");
}

int world_unit_state(struct world *w, unsigned master, const char *unit, struct unit_state *ret,
                     struct err *e)
{
    struct host *n = &w->nodes[master];
    const struct unit *u = unit_named(n, unit);
    if (away(n, e) < 0)
        return -ECONNREFUSED;
    *ret = (struct unit_state){.load_state = "not-found",
                               .active_state = "inactive",
                               .sub_state = "dead",
                               .result = "success"};
    if (!u)
        return 0;
    put(ret->load_state, sizeof ret->load_state, "loaded");
    put(ret->active_state, sizeof ret->active_state, u->active);
    put(ret->sub_state, sizeof ret->sub_state, u->sub);
    put(ret->result, sizeof ret->result, u->result);
    put(ret->invocation_id, sizeof ret->invocation_id, u->invocation);
    ret->main_pid = (uint32_t)u->pid;
    ret->exec_main_status = u->exit_status;
    ret->restarts = u->restarts;
    ret->active_enter_usec = u->active_enter_usec;
    return 0;
}

static int job_result(const char *verb, const char *unit, const char *result, struct err *e)
{
    if (!strcmp(result, "done"))
        return 0;
    return err_set(e, -EIO, "%s of %s: the job's result is \"%s\", expected \"done\"", verb, unit,
                   result);
}

int world_unit_job(struct world *w, unsigned master, const char *verb, const char *unit,
                   uint64_t *ret_took_usec, struct err *e)
{
    struct host *n = &w->nodes[master];
    struct unit *u = unit_named(n, unit);
    char what[96];
    *ret_took_usec = 2 * USEC_PER_MSEC;
    if (away(n, e) < 0)
        return -ECONNREFUSED;
    if (!u)
        return err_set(e, -ENOENT, "systemd refused %s for %s: Unit %s not found.", verb, unit,
                       unit);
    (void)snprintf(what, sizeof what, "%s %s", verb, unit);
    world_acted(master, what);
    troubles_tempt(n);
    *ret_took_usec = random_between(&n->r, 80, 1500) * USEC_PER_MSEC;
    if (!strcmp(verb, "StopUnit")) {
        unit_stop(n, u->which);
        return 0;
    }
    if (u->is_limited)
        return job_result(verb, unit, "failed", e);
    if (!strcmp(verb, "RestartUnit") && unit_is_active(n, u->which))
        unit_stop(n, u->which);
    unit_start(n, u->which, false);
    if (u->which == UNIT_CONTAINERD && u->is_broken) { /* Type=notify: the job waits for it */
        unit_crash(n, u->which, "exit-code", false);
        return job_result(verb, unit, "failed", e);
    }
    return 0;
}

int world_unit_reset_failed(struct world *w, unsigned master, const char *unit, struct err *e)
{
    struct host *n = &w->nodes[master];
    struct unit *u = unit_named(n, unit);
    if (away(n, e) < 0)
        return -ECONNREFUSED;
    if (!u)
        return err_set(e, -ENOENT, "systemd refused ResetFailedUnit for %s: Unit %s not loaded.",
                       unit, unit);
    char what[96];
    (void)snprintf(what, sizeof what, "ResetFailedUnit %s", unit);
    world_acted(master, what);
    u->is_limited = false;
    u->restarts = 0;
    if (!strcmp(u->active, "failed")) {
        became(u, "inactive", "dead", "success");
        node_touch(n);
    }
    return 0;
}
