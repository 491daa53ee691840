/* A step begins: dry-run, kill switch, intent, limits, cooldown, patience, grace, cause. By true
 * time: the agent's own clock stands still while its node is off, so it never runs ahead of that.
 */
#include <string.h>

#include "base/mem.h"
#include "inside.h"

/* What shipped policies say; a record may be durable a little later than its event. */
static const uint64_t own_grace_usec = 5 * USEC_PER_MINUTE, boot_grace_usec = 10 * USEC_PER_MINUTE;
static const uint64_t late_usec = 10 * USEC_PER_SEC;
/* A period, a timeout, the fresh look, the step before. */
static const uint64_t seen_late_usec = 90 * USEC_PER_SEC;

static const struct playbook_document *playbook_of(const struct job *job)
{
    return &job->generation->playbooks[job->playbook];
}

static void check_limits(struct master *m, const struct job *job)
{
    struct watched *w = watched(m);
    const struct playbook_document *p = playbook_of(job);
    int64_t count = 1;
    uint64_t now = schedule_now();
    for (size_t i = 0; i < w->attempt_count; i++) {
        const struct attempt *a = &w->attempts[i];
        if (strcmp(a->playbook, p->meta.name) != 0)
            continue;
        count += now - a->at_usec < p->limits.per_usec;
        if (now - a->at_usec < p->limits.cooldown_usec)
            sim_fail(m, "cooldown", "playbook %s begins %llu s after it began", p->meta.name,
                     (unsigned long long)((now - a->at_usec) / USEC_PER_SEC));
    }
    if (count > p->limits.attempts)
        sim_fail(m, "limits", "playbook %s begins for the %lld. time within its %llu s",
                 p->meta.name, (long long)count,
                 (unsigned long long)(p->limits.per_usec / USEC_PER_SEC));
    if (w->attempt_count == ATTEMPTS_MAX)
        sim_fail(m, "limits", "more than %d attempts", ATTEMPTS_MAX);
    w->attempts[w->attempt_count++] =
        (struct attempt){.playbook = mem_strdup(p->meta.name), .at_usec = now};
}

static void check_patience(struct master *m, const struct job *job)
{
    struct watched *w = watched(m);
    const struct playbook_document *p = playbook_of(job);
    const struct failure_document *f = &job->generation->failures[p->treats];
    const struct open_incident *i = open_of(w, job->incident);
    uint64_t now = schedule_now();
    if (!i)
        sim_fail(m, "patience", "playbook %s begins for an incident that isn't recorded",
                 p->meta.name);
    if (now - i->opened_usec + late_usec < f->for_usec)
        sim_fail(m, "patience", "playbook %s begins %llu s after %s was first suspected",
                 p->meta.name, (unsigned long long)((now - i->opened_usec) / USEC_PER_SEC),
                 f->meta.name);
    if (now - w->started_usec + late_usec < own_grace_usec)
        sim_fail(m, "grace", "playbook %s begins %llu s after the agent's start", p->meta.name,
                 (unsigned long long)((now - w->started_usec) / USEC_PER_SEC));
    if (now - m->booted_usec + late_usec < boot_grace_usec)
        sim_fail(m, "grace", "playbook %s begins %llu s after the boot", p->meta.name,
                 (unsigned long long)((now - m->booted_usec) / USEC_PER_SEC));
}

/* Restarting an API server helps nobody while what it stands on is down. */
static void check_cause(struct master *m, const struct job *job)
{
    const struct playbook_document *p = playbook_of(job);
    const struct watched *w = watched(m);
    uint64_t now = schedule_now();
    bool restarts = false;
    for (size_t i = 0; i < p->step_count; i++)
        restarts |= !strcmp(p->steps[i].kind->name, "static-pod.restart");
    if (!restarts)
        return;
    if (w->etcd_down_usec && now - w->etcd_down_usec > seen_late_usec)
        sim_fail(m, "cause", "playbook %s begins while etcd is down", p->meta.name);
    if (w->kubelet_down_usec && now - w->kubelet_down_usec > seen_late_usec)
        sim_fail(m, "cause", "playbook %s begins while the kubelet is down", p->meta.name);
}

static void since(uint64_t *at_usec, bool is_so)
{
    *at_usec = !is_so ? 0 : *at_usec ? *at_usec : schedule_now();
}

void invariants_world_changed(struct master *m)
{
    struct watched *w = watched(m);
    struct world_truth t = world_truth(sim.world, m->index);
    since(&w->etcd_down_usec, !t.etcd_running || !t.etcd_quorum);
    since(&w->kubelet_down_usec, !t.kubelet_active);
    if (w->life_count && w->lives[w->life_count - 1].is_live == t.apiserver_live)
        return;
    *mem_push(w->lives, w->life_count, w->life_room) =
        (struct life_change){schedule_now(), t.apiserver_live};
}

void check_step(struct master *m, const struct job *job)
{
    struct watched *w = watched(m);
    const struct playbook_document *p = playbook_of(job);
    enum mode mode = job->generation->policy->mode;
    if (mode != MODE_ENFORCE)
        sim_fail(m, "dry-run", "playbook %s begins a step in mode %s", p->meta.name,
                 words_name(&mode_words, (int)mode));
    if (files_exists(m->files, "/etc/planeguard/kill-switch") ||
        files_exists(m->files, "/run/planeguard/kill-switch"))
        sim_fail(m, "kill switch", "playbook %s begins a step with the kill switch pulled",
                 p->meta.name);
    if (strcmp(w->intent_incident, job->incident) != 0 || w->intent_step != job->step)
        sim_fail(m, "intent", "step %d of %s begins without a durable intent", job->step,
                 p->meta.name);
    stands_step(m, job);
    if (open_of(w, job->incident))
        open_of(w, job->incident)->has_begun = true;
    if (job->step == 0) {
        check_limits(m, job);
        check_patience(m, job);
        check_cause(m, job);
        stands_check(m, job, open_of(w, job->incident)->opened_usec);
    }
    reach("step", p->steps[job->step].kind->name);
    reach("playbook", p->meta.name);
}

void check_keep(struct master *m, const struct job *job)
{
    const struct probe_document *p = &job->generation->probes[job->playbook];
    uint64_t lasted_usec = manifests_lasted(m, job->digest);
    if (lasted_usec < p->good_for_usec)
        sim_fail(m, "known good", "a manifest is kept %llu s after it was first there",
                 (unsigned long long)(lasted_usec / USEC_PER_SEC));
    struct world_truth t = world_truth(sim.world, m->index);
    if (!t.apiserver_ready && t.not_live_since_usec &&
        schedule_now() - t.not_live_since_usec > seen_late_usec)
        sim_fail(m, "known good", "a manifest is kept while the API server is dead");
}
