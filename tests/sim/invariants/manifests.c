/* The manifests folder: what lies there is whole and people's, what we took out comes home. */
#include <stdio.h>
#include <string.h>

#include "act/stash.h"
#include "base/digest.h"
#include "base/mem.h"
#include "inside.h"

static const char folder[] = "/etc/kubernetes/manifests";
static const char stage[] = "/etc/kubernetes/.planeguard";

/* downWithin of the shipped playbook, what the dead-man adds, and room for slow calls. */
static const uint64_t out_bound_usec = 90 * USEC_PER_SEC + 20 * USEC_PER_SEC + 20 * USEC_PER_SEC;

/* ---- whole ---- */

static uint64_t hash_more(uint64_t h, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211); /* FNV-1a */
    return h;
}

static uint64_t file_hash(const struct master *m, const char *name)
{
    char path[512];
    size_t length;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const char *bytes = files_get(m->files, path, &length);
    uint64_t h = hash_more(UINT64_C(14695981039346656037), name, strlen(name) + 1);
    return bytes ? hash_more(h, bytes, length) : 0;
}

static bool was_seen(const struct watched *w, uint64_t hash)
{
    for (size_t i = w->seen_count; i-- > 0;)
        if (w->seen[i] == hash)
            return true;
    return false;
}

void manifests_seen(struct master *m, const char *name)
{
    struct watched *w = watched(m);
    uint64_t hash = file_hash(m, name);
    if (was_seen(w, hash))
        return;
    if (w->seen_count == SEEN_MAX)
        sim_fail(m, "whole", "more than %d manifests", SEEN_MAX);
    w->seen[w->seen_count++] = hash;
}

static void check_whole(void *context, const char *name)
{
    struct master *m = context;
    if (!was_seen(watched(m), file_hash(m, name)))
        sim_fail(m, "whole", "%s/%s holds what nobody put there", folder, name);
}

void manifests_check(struct master *m)
{
    files_list(m->files, folder, check_whole, m);
}

/* ---- what lies there ---- */

static void digest_at(const struct master *m, const char *name, char hex[DIGEST_HEX + 1])
{
    char path[512];
    size_t length;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const char *bytes = files_get(m->files, path, &length);
    hex[0] = '\0';
    if (bytes) {
        struct digest d = digest_of(bytes, length);
        (void)digest_hex(&d, hex);
    }
}

static struct lying *lying_of(struct master *m, const char *name)
{
    struct watched *w = watched(m);
    for (size_t i = 0; i < LYING_MAX; i++) {
        struct lying *l = &w->lying[i];
        if (!l->name[0])
            (void)snprintf(l->name, sizeof l->name, "%s", name);
        if (!strcmp(l->name, name))
            return l;
    }
    sim_fail(m, "whole", "more than %d names of manifests", LYING_MAX);
}

static struct first *first_of(const struct watched *w, const char *digest)
{
    for (size_t i = w->first_count; i-- > 0;)
        if (!strcmp(w->firsts[i].digest, digest))
            return &w->firsts[i];
    return NULL;
}

uint64_t manifests_lasted(const struct master *m, const char *digest)
{
    const struct first *f = first_of(watched(m), digest);
    return f ? schedule_now() - f->at_usec : 0;
}

void manifests_remember(struct master *m, const char *name)
{
    struct watched *w = watched(m);
    struct lying *l = lying_of(m, name);
    digest_at(m, name, l->digest);
    if (!l->digest[0] || first_of(w, l->digest))
        return;
    struct first *f = mem_push(w->firsts, w->first_count, w->first_room);
    f->at_usec = schedule_now();
    memcpy(f->digest, l->digest, sizeof f->digest);
}

void manifests_power_cut(struct master *m)
{
    struct watched *w = watched(m);
    for (size_t i = 0; i < LYING_MAX && w->lying[i].name[0]; i++)
        manifests_remember(m, w->lying[i].name);
}

/* ---- home ---- */

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
    bool was_frozen = w->was_frozen;
    w->checks_out = false;
    w->was_frozen = strstr(world_present(sim.world, m->index), "read-only") != NULL;
    if (!invariants_is_out(m))
        return;
    /* Switched off or asleep nobody can put back, and nobody misses it; nor on a disk that can't be
     * written. */
    if (m->life != LIFE_UP || schedule_now() - m->awake_usec < out_bound_usec || was_frozen ||
        w->was_frozen) {
        w->checks_out = true;
        (void)schedule_at(schedule_now() + out_bound_usec, check_home, m);
        return;
    }
    sim_fail(m, "home", "a manifest is still out after %llu s",
             (unsigned long long)(out_bound_usec / USEC_PER_SEC));
}

/* ---- hands off ---- */

static void tell_change(const struct task *t, enum file_change what)
{
    static const char *const roles[] = {"agent", "hand", "dead-man", "recover"};
    static const char *const changes[] = {"creates", "replaces", "removes", "writes"};
    char which[32];
    (void)snprintf(which, sizeof which, "%s %s", roles[task_role_of(t)], changes[what]);
    reach("manifests", which);
}

/* A step takes away only what its plan was made on. */
static void check_planned(struct master *m, const struct job *job, const char *name)
{
    char path[512];
    size_t k;
    const json_t *file,
        *step = json_array_get(json_object_get(job->plan, "steps"), (size_t)job->step);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    json_array_foreach (json_object_get(step, "files"), k, file)
        if (!strcmp(json_get_string(file, "path", ""), path) &&
            strcmp(json_get_string(file, "before", ""), lying_of(m, name)->digest) != 0)
            sim_fail(m, "hands off", "%s isn't what the plan was made on", path);
}

static void check_takers(struct master *m, const struct task *t, enum file_change what,
                         const char *name)
{
    struct watched *w = watched(m);
    const struct hand_at_work *h = hand_of(w, t);
    if (h && h->job->type == JOB_RUN && what != CHANGED_CREATED)
        check_planned(m, h->job, name);
    if (h && h->job->type == JOB_RUN && what == CHANGED_REMOVED &&
        (!w->deadman || !task_is_alive(w->deadman)))
        sim_fail(m, "dead-man", "%s/%s is taken out, and no dead-man waits", folder, name);
    for (size_t i = 0; task_role_of(t) == TASK_DEADMAN && i < HANDS_MAX; i++)
        if (w->hands[i].task && w->hands[i].job->type == JOB_RUN && task_is_alive(w->hands[i].task))
            sim_fail(m, "hands off", "the dead-man puts %s back while its hand is at work", name);
}

void manifests_changed(struct master *m, const struct task *t, enum file_change what,
                       const char *name)
{
    struct watched *w = watched(m);
    tell_change(t, what);
    if (what == CHANGED_WRITTEN)
        sim_fail(m, "whole", "%s/%s is written in place", folder, name);
    check_takers(m, t, what, name);
    /* Recovery, whoever does it, only brings home. */
    if (task_role_of(t) != TASK_HAND && what != CHANGED_CREATED)
        sim_fail(m, "hands off", "recovery takes away what lies at %s/%s", folder, name);
    if (what != CHANGED_REMOVED) {
        check_whole(m, name);
    } else if (!w->checks_out) {
        w->checks_out = true;
        (void)schedule_at(schedule_now() + out_bound_usec, check_home, m);
    }
}

/* ---- undone ---- */

static bool file_is(const struct master *m, const char *path, const char *hex)
{
    size_t length;
    char found[DIGEST_HEX + 1] = "";
    const char *bytes = files_get(m->files, path, &length);
    if (bytes) {
        struct digest d = digest_of(bytes, length);
        (void)digest_hex(&d, found);
    }
    return !strcmp(found, hex);
}

void manifests_undone(struct master *m, const struct job *job)
{
    const json_t *steps = json_object_get(job->plan, "steps");
    for (int i = 0; i <= job->step; i++) {
        size_t k;
        const json_t *file;
        json_array_foreach (json_object_get(json_array_get(steps, (size_t)i), "files"), k, file) {
            const char *path = json_get_string(file, "path", "");
            const char *before = json_get_string(file, "before", "");
            const char *after = json_get_string(file, "after", "");
            if (strcmp(before, after) != 0 && file_is(m, path, after))
                sim_fail(m, "undone", "%s is what the step made of it, after its undo", path);
        }
    }
}
