/* What happens to the API server's and etcd's processes. */
#include <stdio.h>
#include <string.h>

#include "inside.h"

static struct crate *hanging(const struct host *n, enum pod_kind kind, enum hang hang)
{
    for (struct crate *c = n->crates; c; c = c->next)
        if (c->spec.kind == kind && c->state == RUN_RUNNING && c->hang == hang)
            return c;
    return NULL;
}

static bool hang(struct host *n, enum pod_kind kind, enum hang how)
{
    struct crate *c = crate_running(n, kind);
    if (!c || c->phase != PHASE_SERVES || c->hang != HANG_NONE)
        return false;
    c->hang = how;
    return true;
}

/* By `crictl rm -f`, as a person would. */
static void restart(struct host *n, struct crate *c)
{
    if (!c)
        return;
    struct spec spec = c->spec;
    crate_remove(n, c);
    kubelet_crate_gone(n, &spec);
}

static bool hung(struct host *n, struct stream_random *r)
{
    (void)r;
    return hang(n, POD_APISERVER, HANG_ALL);
}

static void unhang(struct host *n)
{
    restart(n, hanging(n, POD_APISERVER, HANG_ALL));
}

static bool hung_is_gone(const struct host *n)
{
    return !hanging(n, POD_APISERVER, HANG_ALL);
}

static bool hung_hidden(struct host *n, struct stream_random *r)
{
    (void)r;
    return hang(n, POD_APISERVER, HANG_HIDDEN);
}

static void unhang_hidden(struct host *n)
{
    restart(n, hanging(n, POD_APISERVER, HANG_HIDDEN));
}

static bool hidden_is_gone(const struct host *n)
{
    return !hanging(n, POD_APISERVER, HANG_HIDDEN);
}

/* What is wrong is its sandbox's: a new container in it hangs, too. */
static bool hung_sandbox(struct host *n, struct stream_random *r)
{
    (void)r;
    if (!hang(n, POD_APISERVER, HANG_HIDDEN))
        return false;
    (void)snprintf(n->now.sick_box, sizeof n->now.sick_box, "%s",
                   hanging(n, POD_APISERVER, HANG_HIDDEN)->box);
    return true;
}

static bool sandbox_is_gone(const struct host *n)
{
    for (const struct box *b = n->boxes; b; b = b->next)
        if (b->ready && !strcmp(b->id, n->now.sick_box))
            return false;
    return true;
}

static void mend_sandbox(struct host *n)
{
    n->now.sick_box[0] = '\0';
    restart(n, hanging(n, POD_APISERVER, HANG_HIDDEN));
}

static bool unhealthy(struct host *n, struct stream_random *r)
{
    (void)r;
    return hang(n, POD_APISERVER, HANG_CHECK);
}

static void make_healthy(struct host *n)
{
    restart(n, hanging(n, POD_APISERVER, HANG_CHECK));
}

static bool unhealthy_is_gone(const struct host *n)
{
    return !hanging(n, POD_APISERVER, HANG_CHECK);
}

static bool crash(struct host *n, struct stream_random *r)
{
    struct crate *c = crate_running(n, POD_APISERVER);
    if (!c)
        return false;
    if (random_one_in(r, 3)) {
        crate_exit(c, 137, "OOMKilled");
    } else {
        crate_log(c, "panic: runtime error: invalid memory address or nil pointer dereference");
        crate_exit(c, 2, "Error");
    }
    return true;
}

static bool is_live(const struct host *n)
{
    return n->is.live;
}

static bool crash_loop(struct host *n, struct stream_random *r)
{
    static const char *const words[] = {
        "panic: runtime error: index out of range",
        "E0101 00:00:00.000000       1 run.go:72] \"command failed\" err=\"failed to create "
        "listener: "
        "failed to listen on 0.0.0.0:6443: listen tcp 0.0.0.0:6443: bind: address already in use\"",
        "E0101 00:00:00.000000       1 run.go:72] \"command failed\" err=\"tls: private key does "
        "not "
        "match public key\"",
    };
    n->now.crashes = true;
    n->now.crash_words = words[random_below(r, sizeof words / sizeof *words)];
    struct crate *c = crate_running(n, POD_APISERVER);
    if (c)
        crate_exit(c, 2, "Error");
    return true;
}

static void cause_gone(struct host *n)
{
    n->now.crashes = false;
}

static bool slow_start(struct host *n, struct stream_random *r)
{
    n->now.slow_start = true;
    struct crate *c = crate_running(n, POD_APISERVER);
    if (c && random_one_in(r, 2))
        crate_exit(c, 2, "Error");
    return true;
}

static void quick_start(struct host *n)
{
    n->now.slow_start = false;
}

/* ---- etcd ---- */

static bool etcd_crash(struct host *n, struct stream_random *r)
{
    struct crate *c = crate_running(n, POD_ETCD);
    (void)r;
    if (c)
        crate_exit(c, 2, "Error");
    return c != NULL;
}

static bool etcd_is_member(const struct host *n)
{
    return n->is.etcd_member;
}

static bool etcd_down(struct host *n, struct stream_random *r)
{
    n->now.etcd_broken = true;
    (void)etcd_crash(n, r);
    return true;
}

static void etcd_mended(struct host *n)
{
    n->now.etcd_broken = false;
}

static bool etcd_hung(struct host *n, struct stream_random *r)
{
    (void)r;
    return hang(n, POD_ETCD, HANG_ALL);
}

static void etcd_unhang(struct host *n)
{
    restart(n, hanging(n, POD_ETCD, HANG_ALL));
}

static bool etcd_hung_is_gone(const struct host *n)
{
    return !hanging(n, POD_ETCD, HANG_ALL);
}

static bool no_leader(struct host *n, struct stream_random *r)
{
    (void)r;
    n->now.no_leader = true;
    return true;
}

static void leader(struct host *n)
{
    n->now.no_leader = false;
}

const struct trouble_kind troubles_process[] = {
    {.name = "hung",
     .mean_hours = 250,
     .least_minutes = 60,
     .most_minutes = 720,
     .by_person = true,
     .strikes = true,
     .begin = hung,
     .mend = unhang,
     .is_gone = hung_is_gone},
    {.name = "hung-hidden",
     .mean_hours = 350,
     .least_minutes = 60,
     .most_minutes = 720,
     .by_person = true,
     .strikes = true,
     .begin = hung_hidden,
     .mend = unhang_hidden,
     .is_gone = hidden_is_gone},
    {.name = "hung-sandbox",
     .mean_hours = 300,
     .least_minutes = 60,
     .most_minutes = 720,
     .by_person = true,
     .begin = hung_sandbox,
     .mend = mend_sandbox,
     .is_gone = sandbox_is_gone},
    {.name = "unhealthy",
     .mean_hours = 600,
     .least_minutes = 60,
     .most_minutes = 720,
     .by_person = true,
     .begin = unhealthy,
     .mend = make_healthy,
     .is_gone = unhealthy_is_gone},
    {.name = "crash",
     .mean_hours = 300,
     .least_minutes = 60,
     .most_minutes = 600,
     .strikes = true,
     .begin = crash,
     .is_gone = is_live},
    {.name = "crash-loop",
     .mean_hours = 300,
     .least_minutes = 1,
     .most_minutes = 240,
     .strikes = true,
     .begin = crash_loop,
     .mend = cause_gone},
    {.name = "slow-start",
     .mean_hours = 500,
     .least_minutes = 30,
     .most_minutes = 480,
     .strikes = true,
     .begin = slow_start,
     .mend = quick_start},
    {.name = "etcd-crash",
     .mean_hours = 600,
     .least_minutes = 60,
     .most_minutes = 600,
     .strikes = true,
     .begin = etcd_crash,
     .is_gone = etcd_is_member},
    {.name = "etcd-down",
     .mean_hours = 400,
     .least_minutes = 1,
     .most_minutes = 240,
     .by_person = true,
     .strikes = true,
     .begin = etcd_down,
     .mend = etcd_mended},
    {.name = "etcd-hung",
     .mean_hours = 700,
     .least_minutes = 30,
     .most_minutes = 240,
     .by_person = true,
     .strikes = true,
     .begin = etcd_hung,
     .mend = etcd_unhang,
     .is_gone = etcd_hung_is_gone},
    {.name = "etcd-no-leader",
     .mean_hours = 500,
     .most_minutes = 60,
     .strikes = true,
     .begin = no_leader,
     .mend = leader},
    {0},
};
