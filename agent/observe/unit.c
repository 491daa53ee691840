/* Kind `unit`: a unit of systemd's, as its manager sees it.
 *
 * A service that its manager restarts again and again is `active` for a moment each time. Such a
 * one passes only when it has been active for `stableAfter`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/bus.h"
#include "loop/clock.h"
#include "observe/kinds.h"

struct unit_args {
    const char *unit;
    uint64_t stable_after_usec;
};

static const struct field fields[] = {
    {.name = "unit",
     .type = FIELD_STRING,
     FIELD_AT(unit_args, unit),
     .required = true,
     .help = "the unit's full name: kubelet.service"},
    {.name = "stableAfter",
     .type = FIELD_DURATION,
     FIELD_AT(unit_args, stable_after_usec),
     .max = (int64_t)USEC_PER_HOUR,
     .otherwise = "15s",
     .help = "one that systemd restarted by itself passes when it has been active for this long"},
    {0},
};

static int check(const void *args, const struct yaml *at, struct err *e)
{
    /* systemd.unit(5), those that can be up or down */
    static const char *const suffixes[] = {".service", ".socket", ".mount",    ".timer",
                                           ".target",  ".path",   ".device",   ".swap",
                                           ".slice",   ".scope",  ".automount"};
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789:-_.\\@";
    const char *unit = ((const struct unit_args *)args)->unit;
    const char *dot = strrchr(unit, '.');
    for (size_t i = 0; dot && dot != unit && i < sizeof suffixes / sizeof *suffixes; i++)
        if (!strcmp(dot, suffixes[i]) && unit[strspn(unit, letters)] == '\0')
            return 0;
    return yaml_error(at, e, "unit: found \"%s\", expected a unit's full name, such as %s%s", unit,
                      dot ? "kubelet" : unit, ".service");
}

/* Lives from the first look or watch to unwatch. */
struct unit_work {
    struct unit_look *look;
    struct unit_watch *watch;
    struct timer *stable; /* when a restarted unit will have been active for long enough */
};

static struct unit_work *work(struct probe *p)
{
    if (!p->state)
        p->state = mem_new(struct unit_work);
    return p->state;
}

struct judgement {
    enum verdict verdict;
    enum reason reason;
};

static struct judgement judge(const struct unit_state *s)
{
    static const struct {
        const char *active_state;
        struct judgement is;
    } states[] = {
        {"active", {SIGNAL_PASS, REASON_NONE}},
        /* On its way is not there: a failure's `for` waits for it. */
        {"activating", {SIGNAL_FAIL, REASON_STARTING}},
        {"reloading", {SIGNAL_FAIL, REASON_STARTING}},
        {"refreshing", {SIGNAL_FAIL, REASON_STARTING}},
        {"deactivating", {SIGNAL_FAIL, REASON_INACTIVE}},
        {"inactive", {SIGNAL_FAIL, REASON_INACTIVE}},
        {"maintenance", {SIGNAL_FAIL, REASON_INACTIVE}},
        {"failed", {SIGNAL_FAIL, REASON_FAILED}},
    };
    /* A process may still run whose unit's file is gone. */
    if (!strcmp(s->load_state, "not-found") && strcmp(s->active_state, "active") != 0)
        return (struct judgement){SIGNAL_FAIL, REASON_NOT_FOUND};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (!strcmp(s->active_state, states[i].active_state))
            return states[i].is;
    return (struct judgement){SIGNAL_UNKNOWN, REASON_TOOL_FAILED};
}

/* How long it still has to be active before it counts; 0: it does. systemd's times are on the
 * monotonic clock, which stands still in suspend: then it counts too early, never too late. */
static uint64_t unstable_usec(const struct probe *p, const struct unit_state *s)
{
    uint64_t stable = ((const struct unit_args *)p->args)->stable_after_usec;
    uint64_t active = clock_boot_usec() - s->active_enter_usec;
    return s->restarts && active < stable ? stable - active : 0;
}

static void on_stable(void *context)
{
    probe_wake(context);
}

static void look_when_stable(struct probe *p, uint64_t in_usec)
{
    struct unit_work *w = work(p);
    struct err e;
    if (w->stable || timer_new(p->view->loop, on_stable, p, &w->stable, &e) >= 0)
        timer_set(w->stable, clock_boot_usec() + in_usec, USEC_PER_MSEC);
}

static json_t *facts(const struct unit_state *s)
{
    json_t *f = mem_must(json_object());
    json_put(f, "active", json_text(s->active_state, strlen(s->active_state)));
    json_put(f, "sub", json_text(s->sub_state, strlen(s->sub_state)));
    json_put(f, "result", json_text(s->result, strlen(s->result)));
    json_put(f, "mainPid", json_integer(s->main_pid));
    json_put(f, "restarts", json_integer(s->restarts));
    json_put(f, "activeEnterUsec", json_integer((json_int_t)s->active_enter_usec));
    json_put(f, "invocation", json_text(s->invocation_id, strlen(s->invocation_id)));
    return f;
}

static void done(void *context, const struct unit_state *s, const struct err *e)
{
    struct probe *p = context;
    unit_look_free(TAKE(work(p)->look));
    if (!s) {
        probe_report(p, SIGNAL_UNKNOWN, REASON_TOOL_FAILED, NULL, "%s", e->text);
        return;
    }
    struct judgement j = judge(s);
    uint64_t unstable = j.verdict == SIGNAL_PASS ? unstable_usec(p, s) : 0;
    if (unstable) {
        j = (struct judgement){SIGNAL_FAIL, REASON_STARTING};
        look_when_stable(p, unstable);
    }
    const char *unit = ((const struct unit_args *)p->args)->unit;
    bool fine = j.verdict == SIGNAL_PASS;
    probe_report(p, j.verdict, j.reason, facts(s), "%s is %s%s%s (%s)%s%s", unit,
                 strcmp(s->load_state, "loaded") != 0 ? s->load_state : "",
                 strcmp(s->load_state, "loaded") != 0 ? ", " : "", s->active_state, s->sub_state,
                 fine ? "" : ", result ", fine ? "" : s->result);
}

static void look(struct probe *p)
{
    const char *unit = ((const struct unit_args *)p->args)->unit;
    struct err e;
    if (!p->view->bus)
        probe_report(p, SIGNAL_UNKNOWN, REASON_NOT_NAMED, NULL,
                     "this node's description names no D-Bus");
    else if (unit_look_start(p->view->bus, unit, p->timeout_usec, done, p, &work(p)->look, &e) < 0)
        probe_report(p, SIGNAL_UNKNOWN, REASON_TOOL_FAILED, NULL, "%s", e.text);
}

static void cancel(struct probe *p)
{
    unit_look_free(TAKE(work(p)->look));
}

static void changed(void *context)
{
    probe_wake(context);
}

static int watch(struct probe *p, struct err *e)
{
    const char *unit = ((const struct unit_args *)p->args)->unit;
    if (!p->view->bus)
        return err_set(e, -ENOTCONN, "this node's description names no D-Bus");
    return unit_watch_new(p->view->bus, unit, changed, p, &work(p)->watch, e);
}

static void unwatch(struct probe *p)
{
    unit_look_free(TAKE(work(p)->look));
    unit_watch_free(TAKE(work(p)->watch));
    timer_free(TAKE(work(p)->stable));
    free(p->state);
    p->state = NULL;
}

const struct probe_kind probe_unit = {
    .kind = {.name = "unit",
             .summary = "a unit of systemd's: whether it is active",
             .fields = fields,
             .args_size = sizeof(struct unit_args),
             .check = check},
    .side = SIDE_LOCAL,
    .look = look,
    .cancel = cancel,
    .watch = watch,
    .unwatch = unwatch,
};
