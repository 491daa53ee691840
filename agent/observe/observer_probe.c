/* The kind `observer`: is planeguard's own observer there and answering? */
#include "observe/kinds.h"
#include "observe/remote.h"

static void look(struct probe *p)
{
    if (!p->view->remote) {
        probe_report(p, SIGNAL_UNKNOWN, REASON_NOT_NAMED, NULL, "there is no observer here");
        return;
    }
    struct remote_health h = remote_health(p->view->remote);
    json_t *facts = json_object();
    json_put(facts, "starts", json_integer(h.starts));
    json_put(facts, "nonsense", json_integer(h.nonsense));
    if (h.alive)
        probe_report(p, SIGNAL_PASS, REASON_NONE, facts, NULL);
    else if (h.is_starting)
        probe_report(p, SIGNAL_UNKNOWN, REASON_STARTING, facts, "%s", h.why);
    else
        probe_report(p, SIGNAL_FAIL, REASON_NOT_RUNNING, facts, "%s", h.why);
}

static void cancel(struct probe *p)
{
    (void)p; /* a look ends at once */
}

static void on_health(void *context)
{
    probe_wake(context);
}

static int watch(struct probe *p, struct err *e)
{
    (void)e;
    if (p->view->remote)
        remote_on_health(p->view->remote, on_health, p);
    return 0;
}

static void unwatch(struct probe *p)
{
    if (p->view->remote)
        remote_on_health(p->view->remote, NULL, p);
}

static const struct field fields[] = {{0}};

const struct probe_kind probe_observer = {
    .kind = {.name = "observer",
             .summary = "planeguard's own observer: whether it runs and answers",
             .fields = fields},
    .side = SIDE_LOCAL,
    .look = look,
    .cancel = cancel,
    .watch = watch,
    .unwatch = unwatch,
};
