/* Troubles: when each comes, how long it stays, who ends it. */
#include "inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct trouble_kind *const tables[] = {troubles_manifest, troubles_process,
                                                    troubles_node};
const char *const world_troubles[] = {"good-edit",
                                      "bad-flag",
                                      "bad-value",
                                      "bad-path",
                                      "bad-image",
                                      "bad-command",
                                      "etcd-address",
                                      "manifest-deleted",
                                      "manifest-emptied",
                                      "manifest-half",
                                      "manifest-other-pod",
                                      "manifest-moved",
                                      "stray",
                                      "reference-missing",
                                      "reference-empty",
                                      "hung",
                                      "hung-hidden",
                                      "hung-sandbox",
                                      "unhealthy",
                                      "crash",
                                      "crash-loop",
                                      "slow-start",
                                      "etcd-crash",
                                      "etcd-down",
                                      "etcd-hung",
                                      "etcd-no-leader",
                                      "kubelet-crash",
                                      "kubelet-failed",
                                      "kubelet-broken",
                                      "kubelet-stopped",
                                      "kubelet-hung",
                                      "kubelet-slow",
                                      "kubelet-certificate",
                                      "containerd-failed",
                                      "containerd-broken",
                                      "containerd-stopped",
                                      "crictl-hangs",
                                      "crictl-errs",
                                      "crictl-garbage",
                                      "crictl-slow",
                                      "bus-away",
                                      "partition",
                                      "observer-down",
                                      "observer-crash",
                                      "network-slow",
                                      "network-times-out",
                                      "disk-full",
                                      "read-only",
                                      "strike",
                                      NULL};

static bool is_without(const struct world *w, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = w->without; at && (at = strstr(at, name)); at += length)
        if ((at == w->without || at[-1] == ',') && (!at[length] || at[length] == ','))
            return true;
    return false;
}

bool trouble_is_present(const struct host *n, const char *name)
{
    for (size_t i = 0; i < n->world->trouble_count; i++)
        if (n->troubles[i] && !strcmp(n->troubles[i]->kind->name, name))
            return n->troubles[i]->present;
    return false;
}

/* Short times and long ones alike: evenly on a scale of ratios. */
static uint64_t lasting_usec(struct trouble *t)
{
    double least = t->kind->least_minutes ? t->kind->least_minutes : 0.2;
    double most = t->kind->most_minutes;
    double u = (double)(random_next(&t->r) >> 11) * 0x1p-53;
    return (uint64_t)(least * exp(u * log(most / least)) * 60e6);
}

static void over(struct trouble *t)
{
    t->present = false;
    t->node->world->counts[t->index].mended++;
    alarm_cancel(&t->mend);
    alarm_cancel(&t->flip);
    world_say(t->node->index, "trouble over: %s", t->kind->name);
}

static const uint64_t flip_usec = 7 * USEC_PER_SEC, later_usec = 5 * USEC_PER_MINUTE;

void trouble_begin(struct trouble *t)
{
    struct host *n = t->node;
    if (t->present || n->world->is_calm || !n->is_on || n->stands_still)
        return;
    world_say(n->index, "trouble comes: %s", t->kind->name);
    if (!t->kind->begin(n, &t->r))
        return;
    t->present = true;
    n->world->counts[t->index].happened++;
    alarm_set(&t->mend, lasting_usec(t));
    if (t->kind->flip)
        alarm_set(&t->flip, flip_usec);
    node_touch(n);
}

/* Each kind's mean is that of a master with bad luck; 30 days of this many are enough to find two
 * at a time and one in another's wake. */
static const double luck = 1.5;

static uint64_t wait_usec(struct trouble *t)
{
    return random_wait(&t->r, (uint64_t)(luck * t->kind->mean_hours * (double)USEC_PER_HOUR));
}

static void on_next(void *context)
{
    struct trouble *t = context;
    if (t->node->world->is_calm)
        return;
    alarm_set(&t->next, wait_usec(t));
    trouble_begin(t);
}

static void on_mend(void *context)
{
    struct trouble *t = context;
    struct host *n = t->node;
    if (!n->is_on || n->stands_still) { /* nobody can get at it */
        alarm_set(&t->mend, later_usec);
        return;
    }
    if (!t->present)
        return;
    world_say(n->index, "%s ends %s", t->kind->by_person ? "a person" : "time", t->kind->name);
    if (t->kind->mend)
        t->kind->mend(n);
    if (t->present)
        over(t);
    node_touch(n);
}

static void on_flip(void *context)
{
    struct trouble *t = context;
    if (!t->present)
        return;
    alarm_set(&t->flip, random_between(&t->r, 2, 12) * USEC_PER_SEC);
    if (t->node->is_on && t->kind->flip(t->node, &t->r))
        node_touch(t->node);
}

void troubles_settle(struct host *n)
{
    for (size_t i = 0; i < n->world->trouble_count; i++) {
        struct trouble *t = n->troubles[i];
        if (t && t->present && t->kind->is_gone && t->kind->is_gone(n))
            over(t);
    }
}

/* ---- bad moments ---- */

static void on_strike(void *context)
{
    struct host *n = context;
    struct trouble *able[TROUBLES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n->world->trouble_count; i++)
        if (n->troubles[i] && n->troubles[i]->kind->strikes)
            able[count++] = n->troubles[i];
    struct trouble *t = count ? able[random_below(&n->strikes, count)] : NULL;
    if (t && !is_without(n->world, t->kind->name))
        trouble_begin(t);
}

void troubles_tempt(struct host *n)
{
    struct world *w = n->world;
    if (w->is_calm || is_without(w, "strike") || n->strike.is_set || !random_one_in(&n->strikes, 4))
        return;
    w->counts[w->trouble_count - 1].happened++;
    w->counts[w->trouble_count - 1].mended++;
    /* Often at once, for a remedy is short. */
    uint64_t most = random_one_in(&n->strikes, 2) ? 4 : 120;
    alarm_set(&n->strike, random_between(&n->strikes, 0, most * 1000) * USEC_PER_MSEC);
}

/* ---- the beginning and the end ---- */

static void trouble_new(struct host *n, const struct trouble_kind *kind, unsigned index)
{
    struct trouble *t = mem_new(struct trouble);
    t->kind = kind;
    t->node = n;
    t->index = index;
    t->r = random_stream(n->world->seed, kind->name, n->index);
    alarm_init(&t->next, n, on_next, t);
    alarm_init(&t->mend, n, on_mend, t);
    alarm_init(&t->flip, n, on_flip, t);
    t->next.for_life = t->mend.for_life = t->flip.for_life = true;
    n->troubles[index] = t;
    if (kind->mean_hours && !is_without(n->world, kind->name))
        alarm_set(&t->next, wait_usec(t));
}

static void node_start(struct host *n)
{
    unsigned index = 0;
    n->strikes = random_stream(n->world->seed, "strike", n->index);
    alarm_init(&n->strike, n, on_strike, n);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct trouble_kind *k = tables[i]; k->name; k++)
            trouble_new(n, k, index++);
}

void troubles_start(struct world *w)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct trouble_kind *k = tables[i]; k->name; k++)
            w->counts[w->trouble_count++] = (struct world_count){.name = k->name};
    for (unsigned i = 0; i < w->count; i++)
        node_start(&w->nodes[i]);
    w->counts[w->trouble_count++] = (struct world_count){.name = "strike"};
}

/* What is there now is mended within hours; what passes by itself, within minutes. */
void troubles_calm(struct world *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        struct host *n = &w->nodes[i];
        alarm_cancel(&n->strike);
        for (size_t k = 0; k < w->trouble_count; k++) {
            struct trouble *t = n->troubles[k];
            if (!t)
                continue;
            alarm_cancel(&t->next);
            if (t->present)
                alarm_set_earlier(&t->mend, t->kind->by_person
                                                ? random_between(&t->r, 5, 120) * USEC_PER_MINUTE
                                                : random_between(&t->r, 1, 600) * USEC_PER_SEC);
        }
    }
}

const char *world_present(const struct world *w, unsigned master)
{
    struct host *n = (struct host *)(uintptr_t)&w->nodes[master];
    size_t length = 0;
    n->present[0] = '\0';
    for (size_t i = 0; i < w->trouble_count; i++) {
        const struct trouble *t = n->troubles[i];
        if (t && t->present && length < sizeof n->present)
            length += (size_t)snprintf(n->present + length, sizeof n->present - length, "%s%s",
                                       length ? "," : "", t->kind->name);
    }
    return n->present;
}
