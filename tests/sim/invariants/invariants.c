/* What must always be true, whatever breaks and whoever is killed:
 *
 *   intent       nothing is changed for a step without its intent being durable before
 *   patience     no step before the failure has lasted its `for`
 *   grace        none right after a start or a boot
 *   cause        none on an API server while etcd or the kubelet is down
 *   seen         none on a failure or a requirement that the last recorded signals don't show
 *   fresh look   none without one
 *   settle       none on what may be the echo of another one
 *   whole        in the manifests folder lies only what people put there, byte for byte
 *   home         no manifest of ours is out longer than its bound
 *   hands off    recovery never takes away what lies in a manifest's place; a step replaces nothing
 *                but what its plan saw; a dead-man waits for its hand
 *   dead-man     nothing is taken out without one that waits
 *   undone       what an undo took back is back
 *   known good   nothing is kept as such while the API server is dead, or before its time
 *   healthy      a healthy API server is never ended by us
 *   dry-run      outside enforce no step is carried out
 *   kill switch  pulled, no step begins
 *   limits       a playbook is not tried more often than its limits say, by true time
 *   cooldown     nor sooner again
 *   one          one plan at a time is carried out on a node
 *   blast radius nothing but the manifests folder and our own folders is written
 *   recovery     after a crash, recovering twice is recovering once
 *   journal      it verifies, after every crash and at the end, and replays to the same decisions
 *   truth        what is recorded as resolved is so
 *   told         what only a person can mend is told to a person
 *   rest         once nothing breaks any more, every incident comes to its end
 */
#include <stdio.h>
#include <string.h>

#include "inside.h"
#include "scratch.h"
#include "tap.h"

/* A look's period and timeout, and the step that keeps the evidence before the one that acts. */
static const uint64_t stale_bound_usec = 45 * USEC_PER_SEC;

static struct watched all[MASTERS_MAX];

struct watched *watched(const struct master *m)
{
    return &all[m->index];
}

/* ---- hands ---- */

struct hand_at_work *hand_of(struct watched *w, const struct task *t)
{
    for (size_t i = 0; t && i < HANDS_MAX; i++)
        if (w->hands[i].task == t)
            return &w->hands[i];
    return NULL;
}

static const char *word_of(enum job_type type)
{
    static const char *const words[] = {"plan", "run", "undo", "recover", "keep"};
    return words[type];
}

static bool works(const struct hand_at_work *h)
{
    return h->task &&
           (h->job->type == JOB_RUN || h->job->type == JOB_UNDO || h->job->type == JOB_RECOVER);
}

void invariants_job(struct master *m, struct task *hand, const struct job *job)
{
    struct watched *w = watched(m);
    struct hand_at_work now = {hand, job}, *room = NULL;
    reach("job", word_of(job->type));
    for (size_t i = 0; i < HANDS_MAX; i++) {
        if (works(&w->hands[i]) && works(&now))
            sim_fail(m, "one", "a hand begins to %s while another one is at work (%s)",
                     word_of(job->type), word_of(w->hands[i].job->type));
        if (!w->hands[i].task)
            room = &w->hands[i];
    }
    if (!room)
        sim_fail(m, "one", "more than %d hands", HANDS_MAX);
    *room = now;
    if (job->type == JOB_RUN)
        check_step(m, job);
    else if (job->type == JOB_KEEP)
        check_keep(m, job);
    else if (job->type == JOB_UNDO)
        stands_undo(m, job);
    if (works(&now))
        faults_tempt(m);
}

void invariants_job_ended(struct master *m, struct task *hand, bool is_done)
{
    struct hand_at_work *h = hand_of(watched(m), hand);
    if (!h)
        return;
    if (h->job->type == JOB_UNDO && is_done)
        manifests_undone(m, h->job);
    *h = (struct hand_at_work){0};
}

/* ---- what is changed ---- */

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (!path[length] || path[length] == '/');
}

static const char manifests[] = "/etc/kubernetes/manifests";

static void check_place(struct master *m, const char *folder, const char *name)
{
    static const char *const ours[] = {manifests, "/etc/kubernetes/.planeguard",
                                       "/var/lib/planeguard", "/var/log/planeguard",
                                       "/run/planeguard"};
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", strcmp(folder, "/") ? folder : "", name);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (is_below(folder, ours[i]) || is_below(ours[i], path))
            return;
    sim_fail(m, "blast radius", "%s is changed", path);
}

void check_intent(struct master *m, const struct task *t, const char *what)
{
    struct watched *w = watched(m);
    const struct hand_at_work *h = hand_of(w, t);
    if (!h || h->job->type != JOB_RUN)
        return;
    if (strcmp(w->intent_incident, h->job->incident) != 0 || w->intent_step != h->job->step)
        sim_fail(m, "intent", "%s is changed without a durable intent", what);
}

void invariants_changed(struct master *m, struct task *t, enum file_change what, const char *folder,
                        const char *name)
{
    bool is_manifest = !strcmp(folder, manifests);
    if (what == CHANGED_SYNCED) {
        tap_synced(m, folder, name);
    } else if (t) {
        check_place(m, folder, name);
        check_intent(m, t, folder);
        if (is_manifest)
            manifests_changed(m, t, what, name);
    } else if (is_manifest && what != CHANGED_REMOVED) {
        manifests_seen(m, name);
    }
    if (is_manifest && what != CHANGED_SYNCED)
        manifests_remember(m, name);
}

void invariants_armed(struct master *m, struct task *deadman)
{
    watched(m)->deadman = deadman;
}

void invariants_acted(struct master *m, const char *what)
{
    struct world_truth truth = world_truth(sim.world, m->index);
    check_intent(m, task_current(), what);
    reach("acted", what);
    if (!task_current() || task_role_of(task_current()) != TASK_HAND)
        sim_fail(m, "intent", "%s was not done by a hand", what);
    if (strstr(what, "kube-apiserver") && truth.apiserver_live &&
        schedule_now() - truth.live_since_usec > stale_bound_usec)
        sim_fail(m, "healthy", "%s: it has been live for %llu s", what,
                 (unsigned long long)((schedule_now() - truth.live_since_usec) / USEC_PER_SEC));
}

/* ---- crashes and the end ---- */

static void ended(struct master *m)
{
    watched(m)->ended_usec = schedule_now();
    stands_ended(m);
}

static void crashed(struct master *m)
{
    manifests_check(m);
    scratch_recover_twice(m);
}

void invariants_power_cut(struct master *m)
{
    ended(m);
    manifests_power_cut(m);
    crashed(m);
}

void invariants_ended(struct master *m, int code)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%d", code);
    reach("agent-ended", code < 0 ? "killed" : text);
    ended(m);
    if (code == 7)
        sim_fail(m, "journal", "the agent found its journal damaged");
    if (code < 0)
        crashed(m);
}

void invariants_finish(void)
{
    for (unsigned i = 0; i < sim.master_count; i++) {
        struct master *m = &sim.masters[i];
        const struct watched *w = watched(m);
        struct world_truth truth = world_truth(sim.world, i);
        for (size_t k = 0; k < w->open_count; k++)
            sim_fail(m, "rest", "incident %s (%s) is still %s though nothing is broken any more",
                     w->open[k].id, w->open[k].failure, w->open[k].state);
        if (!truth.apiserver_live || !truth.manifest_there)
            sim_fail(m, "rest", "the API server is down though nothing is broken any more");
        if (invariants_is_out(m))
            sim_fail(m, "home", "a manifest is out at the end");
        scratch_journal(m);
    }
}
