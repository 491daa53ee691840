/* The kubelet's startup and liveness probes: looks each 10 s from 10 s after the start on. They are
 * not made one by one: when a container becomes unwell the time is reckoned at which the last of
 * its failing looks would be, and it is killed then, unless it has become well before. */
#include "inside.h"

static const uint64_t delay_usec = 10 * USEC_PER_SEC, period_usec = 10 * USEC_PER_SEC;
static const uint64_t timeout_usec = 15 * USEC_PER_SEC;
enum { STARTUP_FAILURES = 24 };

/* The first look at or after that time. */
static uint64_t look_after(const struct crate *c, uint64_t usec)
{
    uint64_t first = c->started_usec + delay_usec;
    if (usec <= first)
        return first;
    return first + (usec - first + period_usec - 1) / period_usec * period_usec;
}

static void on_kill(void *context)
{
    struct crate *c = context;
    if (!kubelet_works(c->node) || !runtime_works(c->node)) {
        alarm_set(&c->probe, period_usec);
        return;
    }
    world_say(c->node->index, "the kubelet's probe of %s has failed too often", c->spec.name);
    crate_terminate(c);
}

static bool is_well(const struct crate *c, bool etcd_ok)
{
    if (c->spec.kind == POD_APISERVER)
        return c->phase == PHASE_SERVES && etcd_ok && c->hang != HANG_ALL && c->hang != HANG_CHECK;
    return c->phase == PHASE_SERVES && c->hang != HANG_ALL;
}

static void reckon(struct crate *c)
{
    const struct pod *pod = &c->spec.text->pod;
    if (!pod->liveness.failure_threshold)
        return;
    uint64_t failures =
        c->has_started_up ? (uint64_t)pod->liveness.failure_threshold : STARTUP_FAILURES;
    bool slow = c->hang == HANG_ALL;
    uint64_t each = slow && timeout_usec > period_usec ? timeout_usec : period_usec;
    uint64_t at = look_after(c, schedule_now()) + (failures - 1) * each + (slow ? timeout_usec : 0);
    alarm_set(&c->probe, at - schedule_now());
}

void probe_settle(struct crate *c, bool etcd_ok)
{
    bool well = is_well(c, etcd_ok);
    if (!c->is_probed || well == c->is_well)
        return;
    c->is_well = well;
    if (well) {
        alarm_cancel(&c->probe);
        c->well_since_usec = schedule_now();
        return;
    }
    if (look_after(c, c->well_since_usec) <= schedule_now())
        c->has_started_up = true;
    reckon(c);
}

void probe_begin(struct crate *c)
{
    if (c->is_probed || c->state != RUN_RUNNING || c->grace.is_set || !kubelet_works(c->node))
        return;
    alarm_init(&c->probe, c->node, on_kill, c);
    c->is_probed = true;
    c->is_well = false;
    reckon(c);
    probe_settle(c, c->node->is.etcd_ok);
}

void probe_end(struct crate *c)
{
    if (!c->is_probed)
        return;
    c->is_probed = false;
    alarm_cancel(&c->probe);
}
