#include "world/world.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "inside.h"

/* ---- clocks and names ---- */

int64_t node_wall_usec(const struct host *n)
{
    return (int64_t)schedule_now() + n->master->wall_usec;
}

uint64_t node_boot_usec(const struct host *n)
{
    return master_boot_usec(n->master);
}

uint64_t node_monotonic_usec(const struct host *n)
{
    return node_boot_usec(n) - n->still_usec;
}

void node_id(struct host *n, char id[ID_TEXT])
{
    uint64_t parts[4] = {++n->serial, n->index + 1, n->world->seed, 0};
    for (size_t i = 0; i < 4; i++) {
        parts[3] = text_hash((const char *)parts, sizeof parts);
        (void)snprintf(id + 16 * i, 17, "%016llx", (unsigned long long)parts[3]);
    }
}

bool nodes_reach(const struct host *a, const struct host *b)
{
    return a == b || (a->is_on && b->is_on && !a->stands_still && !b->stands_still &&
                      a->now.island == b->now.island);
}

/* ---- what follows from what ---- */

static bool is_member(struct host *n)
{
    const struct crate *c = crate_running(n, POD_ETCD);
    return n->is_on && !n->stands_still && c && c->phase == PHASE_SERVES && c->hang != HANG_ALL;
}

static bool has_quorum(struct world *w, const struct host *n)
{
    unsigned members = 0;
    for (unsigned i = 0; i < w->count; i++)
        members += w->nodes[i].is.etcd_member && nodes_reach(n, &w->nodes[i]);
    return members > w->count / 2 && !n->now.no_leader;
}

static bool manifest_is_complete(struct host *n)
{
    const struct text *t = text_of_file(n, APISERVER_MANIFEST);
    return t && t->code == 0 && !strcmp(t->pod.name, "kube-apiserver");
}

static void look_at_manifest(struct host *n)
{
    size_t length = 0;
    const char *bytes = files_get(node_files(n), APISERVER_MANIFEST, &length);
    n->manifest_hash = bytes ? text_hash(bytes, length) : 0;
    n->is.manifest_there = manifest_is_complete(n);
}

static void derive(struct host *n, struct derived *d)
{
    const struct crate *c = crate_running(n, POD_APISERVER);
    d->etcd_ok = d->etcd_member && has_quorum(n->world, n);
    d->listening = n->is_on && c && crate_listens(c);
    d->live = n->is_on && !n->stands_still && c && c->phase == PHASE_SERVES && c->hang == HANG_NONE;
    d->ready = d->live && d->etcd_ok;
    d->containers = 0;
    for (const struct crate *o = n->crates; o; o = o->next)
        d->containers += o->spec.kind == POD_APISERVER && o->state == RUN_RUNNING;
}

static bool reaches_api(struct world *w, const struct host *n)
{
    for (unsigned i = 0; i < w->count; i++)
        if (w->nodes[i].is.ready && nodes_reach(n, &w->nodes[i]))
            return true;
    return false;
}

/* Sooner or later somebody sees that it is down and stays so, puts the manifest right (an undo may
 * have brought back a bad one long after its trouble was over), and restarts the kubelet: the only
 * way out where it waits for an API server before it ends a pod that waits for the kubelet. */
static void on_notice(void *context)
{
    struct host *n = context;
    if (n->is.live)
        return;
    alarm_set(&n->notice, random_between(&n->r, 20, 90) * USEC_PER_MINUTE);
    size_t length = 0;
    const char *there = files_get(node_files(n), APISERVER_MANIFEST, &length);
    if (!there || length != strlen(n->good) || memcmp(there, n->good, length) != 0) {
        world_say(n->index, "a person puts the manifest right");
        people_put(n, APISERVER_MANIFEST, n->good);
    }
    if (!kubelet_works(n) || n->certificate_until_usec < node_wall_usec(n))
        return;
    world_say(n->index, "a person restarts the kubelet");
    unit_stop(n, UNIT_KUBELET);
    unit_start(n, UNIT_KUBELET, false);
}

static void expect_notice(struct host *n)
{
    uint64_t most = n->world->is_calm ? 90 : 600;
    alarm_set_earlier(&n->notice, random_between(&n->r, most / 4, most) * USEC_PER_MINUTE);
}

static void note_times(struct host *n, bool was_live)
{
    if (!n->is.live && was_live)
        expect_notice(n);
    if (n->is.live && (!was_live || !n->live_since_usec)) {
        n->live_since_usec = schedule_now() ? schedule_now() : 1;
        n->not_live_since_usec = 0;
    } else if (!n->is.live && (was_live || !n->not_live_since_usec)) {
        n->not_live_since_usec = schedule_now() ? schedule_now() : 1;
        n->live_since_usec = 0;
    }
}

static void tell(struct host *n)
{
    n->epoch++;
    world_changed(n->world, n->index);
}

static bool settle_once(struct world *w, const struct host *touched)
{
    bool changed[NODES_MAX] = {false}, any = false;
    struct derived before[NODES_MAX];
    for (unsigned i = 0; i < w->count; i++) {
        before[i] = w->nodes[i].is;
        w->nodes[i].is.etcd_member = is_member(&w->nodes[i]);
    }
    for (unsigned i = 0; i < w->count; i++)
        derive(&w->nodes[i], &w->nodes[i].is);
    for (unsigned i = 0; i < w->count; i++) {
        struct host *n = &w->nodes[i];
        n->is.api_reachable = reaches_api(w, n);
        note_times(n, before[i].live);
        changed[i] = memcmp(&before[i], &n->is, sizeof n->is) != 0;
        any |= changed[i];
        if (n->is.etcd_ok != before[i].etcd_ok)
            crate_etcd_changed(n, n->is.etcd_ok);
        for (struct crate *c = n->crates; c; c = c->next)
            probe_settle(c, n->is.etcd_ok);
        kubelet_settle(n, n->is.api_reachable);
        troubles_settle(n);
        if (changed[i] || n == touched)
            tell(n);
    }
    return any;
}

void node_touch(struct host *n)
{
    struct world *w = n->world;
    if (!w->is_begun)
        return;
    assert(!w->is_settling); /* what follows only sets alarms */
    w->is_settling = true;
    (void)settle_once(w, n);
    w->is_settling = false;
}

/* ---- the beginning ---- */

static void on_boot(void *context)
{
    struct host *n = context;
    unit_start(n, UNIT_CONTAINERD, false);
    unit_start(n, UNIT_KUBELET, false);
}

/* The certificate's remaining days are a fact of a reading. */
static void on_day(void *context)
{
    struct host *n = context;
    alarm_set(&n->day, USEC_PER_DAY);
    if (n->is_on)
        node_touch(n);
}

static void on_recheck(void *context)
{
    node_touch(context);
}

static void alarm_for_life(struct alarm *a, struct host *n, void (*fire)(void *context))
{
    alarm_init(a, n, fire, n);
    a->for_life = true;
}

static void node_init(struct host *n, struct world *w, unsigned index, struct master *m)
{
    n->world = w;
    n->index = index;
    n->master = m;
    (void)snprintf(n->name, sizeof n->name, "master-%u", index);
    n->r = random_stream(w->seed, "latency", index);
    n->inotify = random_stream(w->seed, "inotify", index);
    alarm_for_life(&n->day, n, on_day);
    alarm_for_life(&n->expiry, n, on_recheck);
    alarm_for_life(&n->notice, n, on_notice);
    alarm_init(&n->boot, n, on_boot, n);
    alarm_init(&n->recheck, n, on_recheck, n);
    units_init(n);
    kubelet_init(n);
    struct stream_random r = random_stream(w->seed, "installation", index);
    n->has_liveness = !random_one_in(&r, 4);
    n->observer_starts = 1;
    install(n);
    look_at_manifest(n);
    alarm_set(&n->day, USEC_PER_DAY);
}

/* As if it had run for long: everything is up. */
static void node_up(struct host *n)
{
    static const char *const files[] = {"etcd", "kube-apiserver", "kube-controller-manager",
                                        "kube-scheduler"};
    n->is_on = true;
    unit_start(n, UNIT_CONTAINERD, false);
    unit_start(n, UNIT_KUBELET, false);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        kubelet_adopt(n, files[i]);
    n->kubelet.sources_ready = true;
}

struct world *world_new(uint64_t seed, unsigned masters, struct master *const *at,
                        const char *without)
{
    struct world *w = mem_new(struct world);
    assert(masters && masters <= NODES_MAX);
    w->seed = seed;
    w->count = masters;
    w->without = without;
    for (unsigned i = 0; i < masters; i++)
        node_init(&w->nodes[i], w, i, at[i]);
    for (unsigned i = 0; i < masters; i++)
        node_up(&w->nodes[i]);
    (void)settle_once(w, NULL);
    w->is_begun = true;
    (void)settle_once(w, NULL);
    troubles_start(w);
    return w;
}

/* ---- what happens to the node ---- */

static bool starts_with(const char *text, const char *head)
{
    return !strncmp(text, head, strlen(head));
}

void world_file_changed(struct world *w, unsigned master, const char *folder, const char *name)
{
    struct host *n = &w->nodes[master];
    if (!w->is_begun)
        return;
    if (!strcmp(folder, MANIFESTS)) {
        if (name[0] == '.')
            return;
        look_at_manifest(n);
        if (n->is_on)
            kubelet_file_changed(n);
        if (n->is_on && task_current())
            troubles_tempt(n);
        node_touch(n);
    } else if (starts_with(folder, "/etc/kubernetes/pki") ||
               starts_with(folder, "/var/lib/kubelet")) {
        node_touch(n);
    }
}

void world_power_cut(struct world *w, unsigned master)
{
    struct host *n = &w->nodes[master];
    n->is_on = false;
    if (n->stands_still) {
        n->stands_still = false;
        alarms_go_on(n);
    }
    alarms_power_cut(n);
    look_at_manifest(n); /* the disk may have lost what was done last */
    for (struct crate *c = n->crates; c; c = c->next)
        if (c->state == RUN_RUNNING)
            crate_lose_power(c);
    for (struct box *b = n->boxes; b; b = b->next)
        b->ready = false;
    units_power_cut(n);
    n->still_usec = 0;
    n->now.bus_away = false;
    node_touch(n);
}

void world_boot(struct world *w, unsigned master)
{
    struct host *n = &w->nodes[master];
    if (n->is_on)
        return;
    n->is_on = true;
    look_forget(n);
    alarm_set(&n->boot, random_between(&n->r, 500, 4000) * USEC_PER_MSEC);
    node_touch(n);
}

void world_suspend(struct world *w, unsigned master)
{
    struct host *n = &w->nodes[master];
    if (n->stands_still)
        return;
    n->stands_still = true;
    n->still_since_usec = schedule_now();
    alarms_hold(n);
    node_touch(n);
}

void world_resume(struct world *w, unsigned master)
{
    struct host *n = &w->nodes[master];
    if (!n->stands_still)
        return;
    n->stands_still = false;
    n->still_usec += schedule_now() - n->still_since_usec;
    alarms_go_on(n);
    node_touch(n);
}

void world_wall_set(struct world *w, unsigned master)
{
    node_touch(&w->nodes[master]);
}

void world_agent_began(struct world *w, unsigned master)
{
    look_forget(&w->nodes[master]);
}

/* ---- what is true ---- */

uint64_t world_epoch(const struct world *w, unsigned master)
{
    return w->nodes[master].epoch;
}

struct world_truth world_truth(const struct world *w, unsigned master)
{
    const struct host *n = &w->nodes[master];
    const struct derived *d = &n->is;
    return (struct world_truth){
        .node_up = n->is_on && !n->stands_still,
        .kubelet_active = unit_is_active(n, UNIT_KUBELET),
        .runtime_active = unit_is_active(n, UNIT_CONTAINERD),
        .network_up = n->is_on && n->now.island == 0,
        .apiserver_running = d->containers > 0,
        .apiserver_live = d->live,
        .apiserver_ready = d->ready,
        .etcd_running = d->etcd_member,
        .etcd_quorum = d->etcd_ok,
        .manifest_there = d->manifest_there,
        .containers = d->containers,
        .live_since_usec = n->live_since_usec,
        .not_live_since_usec = n->not_live_since_usec,
    };
}

bool world_knows_manifest(const struct world *w, unsigned master, const char *bytes, size_t length)
{
    const struct host *n = &w->nodes[master];
    uint64_t hash = text_hash(bytes, length);
    for (size_t i = 0; i < n->known_count; i++)
        if (n->known[i] == hash)
            return true;
    return false;
}

const struct world_count *world_counts(const struct world *w, unsigned *ret_count)
{
    *ret_count = w->trouble_count;
    return w->counts;
}

void world_calm(struct world *w)
{
    w->is_calm = true;
    for (unsigned i = 0; i < w->count; i++)
        if (!w->nodes[i].is.live)
            expect_notice(&w->nodes[i]);
    troubles_calm(w);
}
