/* What happens to units, tools, disks and the network. */
#include <string.h>

#include "inside.h"

/* ---- units ---- */

static bool unit_fails(struct host *n, struct stream_random *r, enum unit_name u)
{
    static const char *const results[] = {"exit-code", "start-limit-hit", "oom-kill", "core-dump"};
    if (!unit_is_active(n, u))
        return false;
    unit_crash(n, u, results[random_below(r, sizeof results / sizeof *results)], false);
    return true;
}

static bool unit_breaks(struct host *n, struct stream_random *r, enum unit_name u)
{
    if (!unit_is_active(n, u) || n->units[u].is_broken)
        return false;
    n->units[u].is_broken = true;
    return unit_fails(n, r, u);
}

static bool unit_is_stopped(struct host *n, enum unit_name u)
{
    if (!unit_is_active(n, u))
        return false;
    unit_stop(n, u);
    return true;
}

static void unit_mend(struct host *n, enum unit_name u)
{
    n->units[u].is_broken = false;
    alarm_cancel(&n->units[u].alarm);
    unit_start(n, u, false);
}

#define UNIT_TROUBLES(name, u)                                                                     \
    static bool name##_fails(struct host *n, struct stream_random *r)                              \
    {                                                                                              \
        return unit_fails(n, r, u);                                                                \
    }                                                                                              \
    static bool name##_breaks(struct host *n, struct stream_random *r)                             \
    {                                                                                              \
        return unit_breaks(n, r, u);                                                               \
    }                                                                                              \
    static bool name##_stops(struct host *n, struct stream_random *r)                              \
    {                                                                                              \
        (void)r;                                                                                   \
        return unit_is_stopped(n, u);                                                              \
    }                                                                                              \
    static void name##_mend(struct host *n)                                                        \
    {                                                                                              \
        unit_mend(n, u);                                                                           \
    }                                                                                              \
    static bool name##_is_active(const struct host *n)                                             \
    {                                                                                              \
        return unit_is_active(n, u);                                                               \
    }                                                                                              \
    struct trouble_semicolon_

UNIT_TROUBLES(kubelet, UNIT_KUBELET);
UNIT_TROUBLES(containerd, UNIT_CONTAINERD);

static bool kubelet_crashes(struct host *n, struct stream_random *r)
{
    (void)r;
    if (!unit_is_active(n, UNIT_KUBELET))
        return false;
    unit_crash(n, UNIT_KUBELET, "signal", true);
    return true;
}

static bool kubelet_hangs(struct host *n, struct stream_random *r)
{
    (void)r;
    if (!kubelet_works(n))
        return false;
    n->kubelet.is_hung = true;
    return true;
}

static void kubelet_unhangs(struct host *n)
{
    n->kubelet.is_hung = false;
    kubelet_wake(n);
}

static bool kubelet_hangs_not(const struct host *n)
{
    return !n->kubelet.is_hung;
}

static bool kubelet_slows(struct host *n, struct stream_random *r)
{
    (void)r;
    n->kubelet.is_slow = true;
    return true;
}

static void kubelet_speeds(struct host *n)
{
    n->kubelet.is_slow = false;
}

static bool certificate_ages(struct host *n, struct stream_random *r)
{
    uint64_t left = random_between(r, 20, 6 * 24 * 60) * USEC_PER_MINUTE;
    install_kubelet_certificate(n, (int64_t)left);
    return true;
}

static void certificate_renewed(struct host *n)
{
    install_kubelet_certificate(n, CERTIFICATE_VALID_USEC);
}

/* ---- tools ---- */

static bool crictl_gets(struct host *n, enum cri_trouble how)
{
    if (n->now.cri != CRI_FINE)
        return false;
    n->now.cri = how;
    return true;
}

static bool crictl_hangs(struct host *n, struct stream_random *r)
{
    (void)r;
    return crictl_gets(n, CRI_HANGS);
}

static bool crictl_errs(struct host *n, struct stream_random *r)
{
    (void)r;
    return crictl_gets(n, CRI_ERRS);
}

static bool crictl_garbles(struct host *n, struct stream_random *r)
{
    (void)r;
    return crictl_gets(n, CRI_GARBAGE);
}

static bool crictl_slows(struct host *n, struct stream_random *r)
{
    (void)r;
    return crictl_gets(n, CRI_SLOW);
}

static void crictl_fine(struct host *n)
{
    n->now.cri = CRI_FINE;
}

static bool bus_goes(struct host *n, struct stream_random *r)
{
    (void)r;
    n->now.bus_away = true;
    return true;
}

static void bus_comes(struct host *n)
{
    n->now.bus_away = false;
}

static bool bus_is_there(const struct host *n)
{
    return !n->now.bus_away;
}

/* ---- network ---- */

static bool cut_off(struct host *n, struct stream_random *r)
{
    (void)r;
    if (n->world->count < 2)
        return false;
    n->now.island = n->index + 1;
    return true;
}

static void connected(struct host *n)
{
    n->now.island = 0;
}

static bool observer_ends(struct host *n, struct stream_random *r)
{
    (void)r;
    if (n->now.observer_down)
        return false;
    n->now.observer_down = true;
    return true;
}

static void observer_starts(struct host *n)
{
    n->now.observer_down = false;
    n->observer_starts++;
}

static bool slow_flip(struct host *n, struct stream_random *r)
{
    n->now.net_slow_usec = random_one_in(r, 3) ? 0 : random_between(r, 200, 9000) * USEC_PER_MSEC;
    return true;
}

static void network_quick(struct host *n)
{
    n->now.net_slow_usec = 0;
}

static bool times_out_flip(struct host *n, struct stream_random *r)
{
    n->now.net_times_out = !random_one_in(r, 3);
    return true;
}

static void network_answers(struct host *n)
{
    n->now.net_times_out = false;
}

/* ---- disks ---- */

static bool disk_fills(struct host *n, struct stream_random *r)
{
    files_set_room(node_files(n), random_one_in(r, 2) ? 0 : random_below(r, 40000));
    return true;
}

static void disk_empties(struct host *n)
{
    files_set_room(node_files(n), UINT64_MAX);
}

static bool disk_freezes(struct host *n, struct stream_random *r)
{
    (void)r;
    files_set_read_only(node_files(n), true);
    n->now.read_only = true;
    return true;
}

static void disk_thaws(struct host *n)
{
    files_set_read_only(node_files(n), false);
    n->now.read_only = false;
    kubelet_wake(n);
}

const struct trouble_kind troubles_node[] = {
    {.name = "kubelet-crash",
     .mean_hours = 500,
     .least_minutes = 1,
     .most_minutes = 60,
     .strikes = true,
     .begin = kubelet_crashes,
     .is_gone = kubelet_is_active},
    {.name = "kubelet-failed",
     .mean_hours = 300,
     .least_minutes = 20,
     .most_minutes = 720,
     .by_person = true,
     .strikes = true,
     .begin = kubelet_fails,
     .mend = kubelet_mend,
     .is_gone = kubelet_is_active},
    {.name = "kubelet-broken",
     .mean_hours = 600,
     .least_minutes = 20,
     .most_minutes = 600,
     .by_person = true,
     .begin = kubelet_breaks,
     .mend = kubelet_mend},
    {.name = "kubelet-stopped",
     .mean_hours = 400,
     .least_minutes = 1,
     .most_minutes = 360,
     .by_person = true,
     .strikes = true,
     .begin = kubelet_stops,
     .mend = kubelet_mend,
     .is_gone = kubelet_is_active},
    {.name = "kubelet-hung",
     .mean_hours = 500,
     .least_minutes = 1,
     .most_minutes = 240,
     .by_person = true,
     .strikes = true,
     .begin = kubelet_hangs,
     .mend = kubelet_unhangs,
     .is_gone = kubelet_hangs_not},
    {.name = "kubelet-slow",
     .mean_hours = 500,
     .least_minutes = 5,
     .most_minutes = 360,
     .strikes = true,
     .begin = kubelet_slows,
     .mend = kubelet_speeds},
    {.name = "kubelet-certificate",
     .mean_hours = 800,
     .least_minutes = 60,
     .most_minutes = 4320,
     .by_person = true,
     .begin = certificate_ages,
     .mend = certificate_renewed},
    {.name = "containerd-failed",
     .mean_hours = 400,
     .least_minutes = 10,
     .most_minutes = 600,
     .by_person = true,
     .strikes = true,
     .begin = containerd_fails,
     .mend = containerd_mend,
     .is_gone = containerd_is_active},
    {.name = "containerd-broken",
     .mean_hours = 800,
     .least_minutes = 10,
     .most_minutes = 480,
     .by_person = true,
     .begin = containerd_breaks,
     .mend = containerd_mend},
    {.name = "containerd-stopped",
     .mean_hours = 700,
     .least_minutes = 1,
     .most_minutes = 240,
     .by_person = true,
     .strikes = true,
     .begin = containerd_stops,
     .mend = containerd_mend,
     .is_gone = containerd_is_active},
    {.name = "crictl-hangs",
     .mean_hours = 500,
     .most_minutes = 60,
     .strikes = true,
     .begin = crictl_hangs,
     .mend = crictl_fine},
    {.name = "crictl-errs",
     .mean_hours = 600,
     .most_minutes = 60,
     .strikes = true,
     .begin = crictl_errs,
     .mend = crictl_fine},
    {.name = "crictl-garbage",
     .mean_hours = 700,
     .most_minutes = 30,
     .strikes = true,
     .begin = crictl_garbles,
     .mend = crictl_fine},
    {.name = "crictl-slow",
     .mean_hours = 500,
     .most_minutes = 120,
     .strikes = true,
     .begin = crictl_slows,
     .mend = crictl_fine},
    {.name = "bus-away",
     .mean_hours = 500,
     .most_minutes = 60,
     .strikes = true,
     .begin = bus_goes,
     .mend = bus_comes,
     .is_gone = bus_is_there},
    {.name = "partition",
     .mean_hours = 400,
     .most_minutes = 120,
     .strikes = true,
     .begin = cut_off,
     .mend = connected},
    {.name = "observer-down",
     .mean_hours = 500,
     .least_minutes = 1,
     .most_minutes = 240,
     .strikes = true,
     .begin = observer_ends,
     .mend = observer_starts},
    {.name = "observer-crash",
     .mean_hours = 500,
     .most_minutes = 1,
     .strikes = true,
     .begin = observer_ends,
     .mend = observer_starts},
    {.name = "network-slow",
     .mean_hours = 500,
     .most_minutes = 20,
     .strikes = true,
     .begin = slow_flip,
     .mend = network_quick,
     .flip = slow_flip},
    {.name = "network-times-out",
     .mean_hours = 500,
     .most_minutes = 12,
     .strikes = true,
     .begin = times_out_flip,
     .mend = network_answers,
     .flip = times_out_flip},
    {.name = "disk-full",
     .mean_hours = 500,
     .most_minutes = 120,
     .strikes = true,
     .begin = disk_fills,
     .mend = disk_empties},
    {.name = "read-only",
     .mean_hours = 700,
     .most_minutes = 60,
     .strikes = true,
     .begin = disk_freezes,
     .mend = disk_thaws},
    {0},
};
