/* The kubelet's file source and its life. Two ways lead in, as in the real one:
 *
 *   an event   only the files that changed are read; what one gives is put into the store, and what
 * a file that went had given is taken out a rescan   each 20 s: all files in the order of their
 * names; what they give replaces the store
 *
 * So of two files with the same pod the last wins at the rescan, and taking the stray one out takes
 * the pod out until then. A file that isn't a pod changes nothing at the event, and its pod goes at
 * the rescan. Rescans are made here only where they can find something: after a change. */
#include <stdio.h>
#include <string.h>

#include "inside.h"

static const uint64_t check_usec = 20 * USEC_PER_SEC, pleg_usec = 180 * USEC_PER_SEC;

bool kubelet_works(const struct host *n)
{
    return unit_is_active(n, UNIT_KUBELET) && n->kubelet.is_up && !n->kubelet.is_hung;
}

bool runtime_works(const struct host *n)
{
    return unit_is_active(n, UNIT_CONTAINERD) && !n->now.read_only;
}

/* ---- files ---- */

static enum pod_kind kind_of(const char *name)
{
    static const char *const names[] = {"", "kube-apiserver", "etcd", "kube-controller-manager",
                                        "kube-scheduler"};
    for (int i = 1; i < (int)(sizeof names / sizeof *names); i++)
        if (!strcmp(names[i], name))
            return (enum pod_kind)i;
    return POD_OTHER;
}

/* The same bytes at the same path are the same UID. */
static void spec_make(struct host *n, const char *file, const struct text *t, struct spec *ret)
{
    *ret = (struct spec){.kind = kind_of(t->pod.container), .text = t};
    (void)snprintf(ret->uid, sizeof ret->uid, "%016llx%016llx", (unsigned long long)t->hash,
                   (unsigned long long)text_hash(file, strlen(file)));
    (void)snprintf(ret->name, sizeof ret->name, "%.60s-%s", t->pod.name, n->name);
}

static struct seen_file *file_named(struct kubelet *k, const char *name)
{
    struct seen_file *room = NULL;
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (k->files[i].is_there && !strcmp(k->files[i].name, name))
            return &k->files[i];
        if (!k->files[i].is_there && !room)
            room = &k->files[i];
    }
    return room;
}

static void store_drop(struct kubelet *k, const char *pod)
{
    for (size_t i = 0; i < k->store_count; i++) {
        if (!strcmp(k->store[i].spec.name, pod)) {
            memmove(&k->store[i], &k->store[i + 1], (k->store_count - i - 1) * sizeof k->store[i]);
            k->store_count--;
            return;
        }
    }
}

static void store_put(struct kubelet *k, const struct spec *s, const char *file)
{
    store_drop(k, s->name);
    if (k->store_count == FILES_MAX)
        return;
    struct desired *d = &k->store[k->store_count++];
    d->spec = *s;
    (void)snprintf(d->file, sizeof d->file, "%s", file);
}

static void file_read_in(struct host *n, struct seen_file *f)
{
    char path[PATH_TEXT_MAX];
    struct spec s;
    (void)snprintf(path, sizeof path, MANIFESTS "/%s", f->name);
    const struct text *t = text_of_file(n, path);
    if (!t || t->code < 0)
        return;
    spec_make(n, path, t, &s);
    store_put(&n->kubelet, &s, f->name);
    (void)snprintf(f->gave, sizeof f->gave, "%s", s.name);
}

struct listing {
    char names[FILES_MAX][FILE_NAME_TEXT];
    uint64_t hashes[FILES_MAX];
    size_t count;
    struct host *node;
};

static void on_name(void *context, const char *name)
{
    struct listing *l = context;
    char path[PATH_TEXT_MAX];
    size_t length = 0;
    (void)snprintf(path, sizeof path, MANIFESTS "/%s", name);
    const char *bytes = name[0] == '.' ? NULL : files_get(node_files(l->node), path, &length);
    if (!bytes || l->count == FILES_MAX)
        return;
    l->hashes[l->count] = text_hash(bytes, length);
    (void)snprintf(l->names[l->count++], FILE_NAME_TEXT, "%s", name);
}

static void list(struct host *n, struct listing *ret)
{
    ret->count = 0;
    ret->node = n;
    files_list(node_files(n), MANIFESTS, on_name, ret);
}

static void rescan(struct host *n)
{
    struct kubelet *k = &n->kubelet;
    struct listing now;
    list(n, &now);
    k->store_count = 0;
    memset(k->files, 0, sizeof k->files);
    for (size_t i = 0; i < now.count; i++) {
        struct seen_file *f = &k->files[i];
        f->is_there = true;
        f->hash = now.hashes[i];
        (void)snprintf(f->name, sizeof f->name, "%s", now.names[i]);
        file_read_in(n, f);
    }
    workers_follow(n);
}

static bool is_listed(const struct listing *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->names[i], name))
            return true;
    return false;
}

/* An event was heard of: only what differs from what was seen is looked at. */
static void look_at_changes(struct host *n)
{
    struct kubelet *k = &n->kubelet;
    struct listing now;
    list(n, &now);
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct seen_file *f = &k->files[i];
        if (!f->is_there || is_listed(&now, f->name))
            continue;
        if (f->gave[0])
            store_drop(k, f->gave);
        *f = (struct seen_file){0};
    }
    for (size_t i = 0; i < now.count; i++) {
        struct seen_file *f = file_named(k, now.names[i]);
        if (!f || (f->is_there && f->hash == now.hashes[i]))
            continue;
        f->is_there = true;
        f->hash = now.hashes[i];
        (void)snprintf(f->name, sizeof f->name, "%s", now.names[i]);
        file_read_in(n, f);
    }
    workers_follow(n);
}

static uint64_t lateness_usec(struct host *n)
{
    return n->kubelet.is_slow ? random_between(&n->inotify, 5, 60) * USEC_PER_SEC : 0;
}

/* Its own grid of 20 s since its start. */
static void rescan_next(struct host *n)
{
    struct kubelet *k = &n->kubelet;
    uint64_t since = schedule_now() - k->started_usec;
    alarm_set_earlier(&k->rescan, check_usec - since % check_usec + lateness_usec(n));
}

static void on_look(void *context)
{
    struct host *n = context;
    if (!kubelet_works(n))
        return;
    look_at_changes(n);
    rescan_next(n);
}

static void on_rescan(void *context)
{
    struct host *n = context;
    if (!unit_is_active(n, UNIT_KUBELET) || n->kubelet.is_hung)
        return;
    n->kubelet.is_up = true;
    rescan(n);
    node_touch(n);
}

void kubelet_file_changed(struct host *n)
{
    if (!kubelet_works(n))
        return;
    rescan_next(n);
    /* Now and then an event is lost: then only the rescan finds it. */
    bool lost = random_one_in(&n->inotify, 40);
    if (n->loses_all_events || (lost && !n->loses_no_events))
        return;
    alarm_set_earlier(&n->kubelet.look,
                      random_between(&n->inotify, 20, 500) * USEC_PER_MSEC + lateness_usec(n));
}

/* ---- its life ---- */

/* It has reached an API server once since its start. */
static void on_reached(void *context)
{
    struct host *n = context;
    struct kubelet *k = &n->kubelet;
    if (!kubelet_works(n) || k->sources_ready || !n->is.api_reachable)
        return;
    k->sources_ready = true;
    workers_follow(n);
    node_touch(n);
}

static void on_pleg(void *context)
{
    node_touch(context);
}

static bool certificate_is_expired(struct host *n)
{
    return n->certificate_until_usec < node_wall_usec(n);
}

void kubelet_settle(struct host *n, bool api_reachable)
{
    struct kubelet *k = &n->kubelet;
    if (!unit_is_active(n, UNIT_KUBELET) || !k->is_up)
        return;
    if (api_reachable && certificate_is_expired(n)) {
        /* "... has expired and the server is responsive, exiting." */
        alarm_set_earlier(&k->exit, USEC_PER_SEC);
        return;
    }
    if (api_reachable && !k->sources_ready && !k->reach.is_set)
        alarm_set(&k->reach, random_between(&n->r, 100, 1100) * USEC_PER_MSEC);
    const struct unit *runtime = &n->units[UNIT_CONTAINERD];
    if (runtime->down_since_usec && !k->pleg.is_set &&
        schedule_now() - runtime->down_since_usec < pleg_usec)
        alarm_set(&k->pleg, runtime->down_since_usec + pleg_usec - schedule_now());
}

/* An expired client certificate: one that runs ends, one that was started with it doesn't come up,
 * even if it is renewed meanwhile. */
static void on_expired(void *context)
{
    struct host *n = context;
    if (unit_is_active(n, UNIT_KUBELET) && (!n->kubelet.is_up || certificate_is_expired(n)))
        unit_crash(n, UNIT_KUBELET, "exit-code", true);
}

void kubelet_init(struct host *n)
{
    struct kubelet *k = &n->kubelet;
    *k = (struct kubelet){0};
    alarm_init(&k->look, n, on_look, n);
    alarm_init(&k->rescan, n, on_rescan, n);
    alarm_init(&k->reach, n, on_reached, n);
    alarm_init(&k->garbage, n, kubelet_collect, n);
    alarm_init(&k->pleg, n, on_pleg, n);
    alarm_init(&k->exit, n, on_expired, n);
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        k->workers[i].node = n;
        alarm_init(&k->workers[i].act, n, worker_act, &k->workers[i]);
    }
}

void kubelet_started(struct host *n)
{
    struct kubelet *k = &n->kubelet;
    kubelet_ended(n);
    k->started_usec = schedule_now();
    if (certificate_is_expired(n)) {
        alarm_set(&k->exit, 500 * USEC_PER_MSEC);
        return;
    }
    alarm_set(&k->rescan, random_between(&n->r, 400, 2500) * USEC_PER_MSEC + lateness_usec(n));
    alarm_set(&k->garbage, 60 * USEC_PER_SEC);
}

/* What it held in memory goes: what it knew of files, its backoffs, whether it had reached an API
 * server. */
void kubelet_ended(struct host *n)
{
    struct kubelet *k = &n->kubelet;
    alarm_cancel(&k->look);
    alarm_cancel(&k->rescan);
    alarm_cancel(&k->reach);
    alarm_cancel(&k->garbage);
    alarm_cancel(&k->exit);
    workers_forget(n);
    memset(k->files, 0, sizeof k->files);
    memset(k->backoffs, 0, sizeof k->backoffs);
    k->store_count = 0;
    k->is_up = k->sources_ready = k->is_hung = false;
    for (struct crate *c = n->crates; c; c = c->next)
        probe_end(c);
}

void kubelet_adopt(struct host *n, const char *pod)
{
    struct kubelet *k = &n->kubelet;
    char path[PATH_TEXT_MAX];
    struct spec s;
    (void)snprintf(path, sizeof path, MANIFESTS "/%s.yaml", pod);
    const struct text *t = text_of_file(n, path);
    alarm_cancel(&k->rescan);
    if (!k->is_up) {
        k->is_up = true;
        rescan(n);
    }
    spec_make(n, path, t, &s);
    worker_adopt(n, &s);
}

void kubelet_wake(struct host *n)
{
    if (!unit_is_active(n, UNIT_KUBELET) || n->kubelet.is_hung)
        return;
    rescan_next(n);
    workers_wake(n, random_between(&n->r, 100, 1100) * USEC_PER_MSEC);
}
