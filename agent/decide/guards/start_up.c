/* Start-up grace: right after the node's boot everything looks broken, and right after our own
 * start we know little. An agent that keeps restarting is itself not well: it only observes. */
#include "base/duration.h"
#include "decide/core.h"
#include "decide/guards/rows.h"

struct args {
    uint64_t own_usec, boot_usec, within_usec;
    int64_t restarts;
};

static const struct field fields[] = {
    {.name = "own",
     .type = FIELD_DURATION,
     FIELD_AT(args, own_usec),
     .otherwise = "5m",
     .help = "nothing is begun for this long after the agent's own start"},
    {.name = "boot",
     .type = FIELD_DURATION,
     FIELD_AT(args, boot_usec),
     .otherwise = "10m",
     .help = "nothing is begun for this long after the node's boot"},
    {.name = "restarts",
     .type = FIELD_INT,
     FIELD_AT(args, restarts),
     .min = 1,
     .max = 8,
     .otherwise = "3",
     .help = "this many own starts within `within`: observe only"},
    {.name = "within",
     .type = FIELD_DURATION,
     FIELD_AT(args, within_usec),
     .otherwise = "10m",
     .help = "the time in which own starts are counted"},
    {0},
};

/* Until when the newest `restarts` starts are too close together; 0: they aren't. */
static uint64_t restless_until(const struct history *h, const struct args *a)
{
    size_t many = (size_t)a->restarts;
    if (h->start_count < many)
        return 0;
    uint64_t first = h->starts[h->start_count - many], last = h->starts[h->start_count - 1];
    return last - first < a->within_usec ? first + a->within_usec : 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void judge(const struct guard_view *v, const void *arguments, struct judgement *ret)
{
    const struct args *a = arguments;
    const struct core *c = v->core;
    uint64_t own = c->started_usec + a->own_usec, boot = c->booted_usec + a->boot_usec;
    uint64_t restless = restless_until(&c->history, a);
    uint64_t until_usec = later(later(own, boot), restless);
    if (v->now_usec >= until_usec) {
        judgement_set(ret, GUARD_ALLOW, NULL, "over");
        return;
    }
    const char *what = until_usec == restless ? "the agent restarted too often"
                       : until_usec == boot   ? "the node booted just now"
                                              : "the agent started just now";
    char left[DURATION_TEXT];
    ret->until_usec = until_usec;
    judgement_set(ret, GUARD_DENY, "the grace to be over", "%s: %s left", what,
                  duration_about(until_usec - v->now_usec, left));
}

const struct guard_kind guard_start_up = {
    .kind = {.name = "start-up",
             .summary = "no disruption right after boot, own start, or too many own starts",
             .fields = fields,
             .args_size = sizeof(struct args)},
    .judge = judge,
};
