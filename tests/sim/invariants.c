/* What must always be true, whatever breaks and whoever is killed:
 *
 *   intent       nothing is changed for a step without its intent being durable before
 *   whole        in the manifests folder lies only what people put there, byte for byte
 *   home         no manifest of ours is out longer than its bound
 *   healthy      a healthy API server is never ended by us
 *   dry-run      outside enforce no step is carried out
 *   kill switch  pulled, no step begins
 *   limits       a playbook is not tried more often than its limits say, by true time
 *   one          one plan at a time is carried out on a node
 *   blast radius nothing but the manifests folder and our own folders is written
 *   recovery     after a crash, recovering twice is recovering once
 *   journal      it verifies, after every crash and at the end, and replays to the same decisions
 *   truth        what is recorded as resolved is so
 *   rest         once nothing breaks any more, every incident comes to its end
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/hand.h"
#include "act/stash.h"
#include "base/mem.h"
#include "scratch.h"
#include "sim.h"
#include "tap.h"

static const char manifests[] = "/etc/kubernetes/manifests";
static const char stage[] = "/etc/kubernetes/.planeguard";

/* downWithin of the shipped playbook, what the dead-man adds, and room for slow calls. */
static const uint64_t out_bound_usec = 90 * USEC_PER_SEC + 20 * USEC_PER_SEC + 20 * USEC_PER_SEC;
/* A look's period and timeout, and the step that keeps the evidence before the one that acts. */
static const uint64_t stale_bound_usec = 45 * USEC_PER_SEC;
/* The verification's own signals may be as old as that. */
static const uint64_t resolved_bound_usec = 60 * USEC_PER_SEC;

enum { HANDS_MAX = 8, ATTEMPTS_MAX = 512, SEEN_MAX = 4096 };

struct hand_at_work {
    struct task *task;
    const struct job *job;
};

struct attempt {
    char *playbook;
    uint64_t at_usec;
};

struct incident_end {
    char id[40];
    char failure[64], state[24];
};

struct watched {
    struct hand_at_work hands[HANDS_MAX];
    char intent_incident[40]; /* durable and without a result */
    int intent_step;
    struct attempt attempts[ATTEMPTS_MAX];
    size_t attempt_count;
    uint64_t seen[SEEN_MAX]; /* hashes of all that people put into the manifests folder */
    size_t seen_count;
    struct incident_end *open;
    size_t open_count, open_room;
    bool checks_out;
};
static struct watched all[MASTERS_MAX];

static struct watched *watched(const struct master *m)
{
    return &all[m->index];
}

void invariants_start(void)
{
    for (size_t i = 0; i < MASTERS_MAX; i++)
        all[i] = (struct watched){0};
}

/* ---- hands ---- */

static struct hand_at_work *hand_of(struct watched *w, const struct task *t)
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

static void check_limits(struct master *m, const struct job *job)
{
    struct watched *w = watched(m);
    const struct playbook_document *p = &job->generation->playbooks[job->playbook];
    int64_t count = 1;
    for (size_t i = 0; i < w->attempt_count; i++) {
        const struct attempt *a = &w->attempts[i];
        if (!strcmp(a->playbook, p->meta.name) && schedule_now() - a->at_usec < p->limits.per_usec)
            count++;
    }
    if (count > p->limits.attempts)
        sim_fail(m, "limits", "playbook %s begins for the %lld. time within its %llu s",
                 p->meta.name, (long long)count,
                 (unsigned long long)(p->limits.per_usec / USEC_PER_SEC));
    if (w->attempt_count == ATTEMPTS_MAX)
        sim_fail(m, "limits", "more than %d attempts", ATTEMPTS_MAX);
    w->attempts[w->attempt_count++] =
        (struct attempt){.playbook = mem_strdup(p->meta.name), .at_usec = schedule_now()};
}

static void check_step(struct master *m, const struct job *job)
{
    struct watched *w = watched(m);
    const struct playbook_document *p = &job->generation->playbooks[job->playbook];
    if (job->generation->policy->mode != MODE_ENFORCE)
        sim_fail(m, "dry-run", "playbook %s begins a step in mode %s", p->meta.name,
                 words_name(&mode_words, (int)job->generation->policy->mode));
    if (files_exists(m->files, "/etc/planeguard/kill-switch") ||
        files_exists(m->files, "/run/planeguard/kill-switch"))
        sim_fail(m, "kill switch", "playbook %s begins a step with the kill switch pulled",
                 p->meta.name);
    if (strcmp(w->intent_incident, job->incident) != 0 || w->intent_step != job->step)
        sim_fail(m, "intent", "step %d of %s begins without a durable intent", job->step,
                 p->meta.name);
    if (job->step == 0)
        check_limits(m, job);
    reach("step", p->steps[job->step].kind->name);
    reach("playbook", p->meta.name);
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
    if (works(&now))
        faults_tempt(m);
}

void invariants_job_ended(struct master *m, struct task *hand)
{
    struct hand_at_work *h = hand_of(watched(m), hand);
    if (h)
        *h = (struct hand_at_work){0};
}

/* ---- what is changed ---- */

static uint64_t hash_bytes(const char *bytes, size_t length)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return h;
}

static uint64_t file_hash(const struct master *m, const char *folder, const char *name)
{
    char path[512];
    size_t length;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const char *bytes = files_get(m->files, path, &length);
    return bytes ? hash_bytes(bytes, length) ^ hash_bytes(name, strlen(name)) : 0;
}

static bool was_seen(const struct watched *w, uint64_t hash)
{
    for (size_t i = w->seen_count; i-- > 0;)
        if (w->seen[i] == hash)
            return true;
    return false;
}

static void see(struct master *m, const char *name)
{
    struct watched *w = watched(m);
    uint64_t hash = file_hash(m, manifests, name);
    if (was_seen(w, hash))
        return;
    if (w->seen_count == SEEN_MAX)
        sim_fail(m, "whole", "more than %d manifests", SEEN_MAX);
    w->seen[w->seen_count++] = hash;
}

static void check_whole(void *context, const char *name)
{
    struct master *m = context;
    if (!was_seen(watched(m), file_hash(m, manifests, name)))
        sim_fail(m, "whole", "%s/%s holds what nobody put there", manifests, name);
}

/* Is one of ours still in the stage? */
static void look_out(void *context, const char *name)
{
    struct stash s;
    if (stash_parse(name, &s) == 0 && s.state == STASH_OUT)
        *(bool *)context = true;
}

bool invariants_is_out(const struct master *m)
{
    bool out = false;
    files_list(m->files, stage, look_out, &out);
    return out;
}

static void check_home(void *context)
{
    struct master *m = context;
    struct watched *w = watched(m);
    w->checks_out = false;
    if (!invariants_is_out(m))
        return;
    /* Switched off or asleep nobody can put back, and nobody misses it. */
    if (m->life != LIFE_UP || schedule_now() - m->awake_usec < out_bound_usec) {
        w->checks_out = true;
        (void)schedule_at(schedule_now() + out_bound_usec, check_home, m);
        return;
    }
    sim_fail(m, "home", "a manifest is still out after %llu s",
             (unsigned long long)(out_bound_usec / USEC_PER_SEC));
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (!path[length] || path[length] == '/');
}

static void check_place(struct master *m, const char *folder, const char *name)
{
    static const char *const ours[] = {manifests, stage, "/var/lib/planeguard",
                                       "/var/log/planeguard", "/run/planeguard"};
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (is_below(folder, ours[i]) || is_below(ours[i], path))
            return;
    sim_fail(m, "blast radius", "%s is changed", path);
}

static const char *role_of_change(const struct task *t, enum file_change what)
{
    static const char *const words[][4] = {
        [TASK_AGENT] = {"agent creates", "agent replaces", "agent removes", "agent writes"},
        [TASK_HAND] = {"hand creates", "hand replaces", "hand removes", "hand writes"},
        [TASK_DEADMAN] = {"dead-man creates", "dead-man replaces", "dead-man removes",
                          "dead-man writes"},
        [TASK_RECOVER] = {"recover creates", "recover replaces", "recover removes",
                          "recover writes"},
    };
    return words[task_role_of(t)][what];
}

static void check_intent(struct master *m, struct task *t, const char *what)
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
    struct watched *w = watched(m);
    if (what == CHANGED_SYNCED) {
        tap_synced(m, folder, name);
        return;
    }
    if (!t) {
        if (!strcmp(folder, manifests) && what != CHANGED_REMOVED)
            see(m, name);
        return;
    }
    check_place(m, folder, name);
    check_intent(m, t, folder);
    if (strcmp(folder, manifests) != 0)
        return;
    reach("manifests", role_of_change(t, what));
    if (what != CHANGED_REMOVED)
        check_whole(m, name);
    else if (!w->checks_out) {
        w->checks_out = true;
        (void)schedule_at(schedule_now() + out_bound_usec, check_home, m);
    }
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

/* ---- what is recorded ---- */

static struct incident_end *open_of(struct watched *w, const char *id)
{
    for (size_t i = 0; i < w->open_count; i++)
        if (!strcmp(w->open[i].id, id))
            return &w->open[i];
    return NULL;
}

static void take_incident(struct master *m, const json_t *body)
{
    struct watched *w = watched(m);
    const char *id = json_get_string(body, "incident", ""), *to = json_get_string(body, "to", "");
    const char *failure = json_get_string(body, "failure", "");
    char row[80];
    (void)snprintf(row, sizeof row, "%s>%s", json_get_string(body, "from", ""), to);
    reach("state", row);
    if (sim.transitions)
        json_push(sim.transitions,
                  json_pack("[IIsss]", (json_int_t)schedule_now(), (json_int_t)m->index, id,
                            json_get_string(body, "from", ""), to));
    struct incident_end *one = open_of(w, id);
    if (!one) {
        one = mem_push(w->open, w->open_count, w->open_room);
        (void)snprintf(one->id, sizeof one->id, "%s", id);
    }
    (void)snprintf(one->failure, sizeof one->failure, "%s", failure);
    (void)snprintf(one->state, sizeof one->state, "%s", to);
    bool closed = !strcmp(to, "resolved") || !strcmp(to, "cleared") || !strcmp(to, "withdrawn");
    if (closed)
        *one = w->open[--w->open_count];
    struct world_truth truth = world_truth(sim.world, m->index);
    if (!strcmp(to, "resolved")) {
        reach("resolved", failure);
        if (!strncmp(failure, "apiserver-", 10) && !truth.apiserver_live &&
            schedule_now() - truth.not_live_since_usec > resolved_bound_usec)
            sim_fail(m, "truth", "%s is recorded as resolved, and the API server is dead", failure);
    }
}

static void take_guards(const json_t *body)
{
    size_t i;
    const json_t *one;
    json_array_foreach (json_object_get(body, "guards"), i, one) {
        char which[64];
        (void)snprintf(which, sizeof which, "%s:%s", json_get_string(one, "guard", ""),
                       json_get_string(one, "verdict", ""));
        reach("guard", which);
    }
}

void tap_record(struct master *m, const char *type, const json_t *body)
{
    struct watched *w = watched(m);
    if (!strcmp(type, "incident")) {
        take_incident(m, body);
    } else if (!strcmp(type, "guard")) {
        take_guards(body);
    } else if (!strcmp(type, "intent")) {
        (void)snprintf(w->intent_incident, sizeof w->intent_incident, "%s",
                       json_get_string(body, "incident", ""));
        w->intent_step = (int)json_get_int(body, "index", -1);
    } else if (!strcmp(type, "result") && !strcmp(json_get_string(body, "of", ""), "step")) {
        w->intent_incident[0] = '\0';
        char which[64];
        (void)snprintf(which, sizeof which, "step:%s", json_get_string(body, "outcome", "would"));
        reach("result", which);
    } else if (!strcmp(type, "result")) {
        char which[64];
        (void)snprintf(which, sizeof which, "%s:%s", json_get_string(body, "of", ""),
                       json_get_string(body, "outcome", ""));
        reach("result", which);
    } else if (!strcmp(type, "start")) {
        w->intent_incident[0] = '\0';
    } else {
        reach("told", "a person");
    }
}

/* ---- crashes and the end ---- */

void invariants_crashed(struct master *m)
{
    files_list(m->files, manifests, check_whole, m);
    scratch_recover_twice(m);
}

void invariants_ended(struct master *m, int code)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%d", code);
    reach("agent-ended", code < 0 ? "killed" : text);
    if (code == 7)
        sim_fail(m, "journal", "the agent found its journal damaged");
    if (code < 0)
        invariants_crashed(m);
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
