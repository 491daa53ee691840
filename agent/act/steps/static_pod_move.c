#include "act/steps/static_pod_move.h"

#include <errno.h>
#include <string.h>

#include "act/deadman.h"
#include "act/effect.h"
#include "act/manifest.h"
#include "act/recover.h"
#include "act/stash.h"
#include "act/static_pod.h"
#include "base/duration.h"
#include "base/mem.h"
#include "loop/bus.h"
#include "loop/clock.h"

/* What the job must still have for going back when the old one was not gone in time; how long after
 * that the dead-man waits. */
static const uint64_t back_usec = 5 * USEC_PER_SEC, deadman_usec = 20 * USEC_PER_SEC;

/* --- the plan */

static int kubelet_check(const struct hand *h, struct err *e)
{
    struct unit_state s;
    if (!h->node->bus_address)
        return 0;
    int code = unit_state_now(h->node->bus_address, "kubelet.service", &s, e);
    if (code < 0)
        return code;
    if (strcmp(s.active_state, "active") != 0)
        return err_set(e, -EAGAIN,
                       "the kubelet is %s: a manifest that is moved now would not be seen",
                       s.active_state);
    return 0;
}

int static_pod_move_plan(struct hand *h, const char *pod, json_t *plan, struct err *e)
{
    OWNED(free) char *path = mem_printf("%s/%s.yaml", h->node->manifests, pod);
    OWNED(manifest_fini) struct manifest m = {0};
    char name[STASH_NAME];
    int code = kubelet_check(h, e);
    if (code == 0)
        code = manifest_read(h->root, path, &m, e);
    if (code == 0 && !m.exists)
        code = err_set(e, -ENOENT, "%s: not there; expected the manifest to take out", path);
    if (code == 0)
        code = manifest_check(path, m.bytes.bytes, m.bytes.length, pod, e);
    if (code == 0)
        code = stash_name(path, &m.digest, 0, name, e);
    if (code < 0)
        return code;
    json_t *manifest = json_object(), *file = json_object(), *files = json_array();
    json_put(manifest, "path", json_string_or_null(path));
    json_put(manifest, "digest", manifest_digest_json(true, &m.digest));
    json_put(manifest, "owner", manifest_owner_json(&m.owner));
    json_put(plan, "manifest", manifest);
    OWNED(free) char *stash = mem_printf("%s/%s", h->node->stage, name);
    OWNED(free) char *backup = manifest_backup_path(h, path);
    json_put(plan, "stash", json_string_or_null(stash));
    json_put(plan, "backup", json_string_or_null(backup));
    json_put(file, "path", json_string_or_null(path));
    json_put(file, "before", manifest_digest_json(true, &m.digest));
    json_put(file, "after", manifest_digest_json(true, &m.digest));
    json_put(file, "diff", json_string_or_null(""));
    json_push(files, file);
    json_put(plan, "files", files);
    return 0;
}

/* --- what the plan says, as run and undo need it */

struct move {
    struct hand *h;
    const char *path, *stash, *backup;
    const json_t *digest, *owner;
    uint64_t until_usec; /* the old one has to be gone by then */
    struct deadman *deadman;
};

static bool move_of(struct hand *h, const json_t *plan, struct move *ret, struct err *e)
{
    const json_t *manifest = json_object_get(plan, "manifest");
    *ret = (struct move){.h = h,
                         .path = json_get_string(manifest, "path", NULL),
                         .stash = json_get_string(plan, "stash", NULL),
                         .backup = json_get_string(plan, "backup", NULL),
                         .digest = json_object_get(manifest, "digest"),
                         .owner = json_object_get(manifest, "owner")};
    if (ret->path && ret->stash && ret->backup && json_is_string(ret->digest))
        return true;
    (void)err_set(e, -EINVAL, "the plan names no manifest");
    return false;
}

static json_t *digest_copy(const struct move *m)
{
    return json_incref((json_t *)(uintptr_t)m->digest);
}

/* --- back */

/* In neither place: somebody or a crashed file system took it; our copy has the plan's digest. */
static enum outcome restore(struct move *m, struct err *detail)
{
    OWNED(manifest_fini) struct manifest copy = {0};
    int code = manifest_read(m->h->root, m->backup, &copy, detail);
    if (code < 0)
        return OUTCOME_FAILED;
    if (!manifest_is(&copy, m->digest)) {
        (void)err_set(detail, -ENOENT, "%s: not there, not in the stage, and no copy of it is left",
                      m->path);
        return copy.exists ? OUTCOME_FAILED : OUTCOME_ALREADY;
    }
    struct file_owner owner = manifest_owner_of(m->owner);
    code = folder_make(m->h->root, m->h->node->stage, 0700, detail);
    if (code == 0)
        code = file_create(m->h->root, m->path, m->h->node->stage, copy.bytes.bytes,
                           copy.bytes.length, &owner, detail);
    if (code < 0)
        return OUTCOME_FAILED;
    (void)hand_effect(m->h, effect_file("created", m->path, NULL, json_null(), digest_copy(m)),
                      NULL);
    (void)err_set(detail, 0, "%s: restored from its copy", m->path);
    return OUTCOME_DONE;
}

static void report(struct move *m, const struct recovered *r)
{
    size_t i;
    json_t *action;
    /* Recorded or not: putting back doesn't wait for that. */
    json_array_foreach (r->actions, i, action)
        (void)hand_effect(m->h, json_incref(action), NULL);
}

/* DONE: it is home by this. ALREADY: it was home. REFUSED: somebody else's is there, ours set
 * aside. FAILED: it is still out. */
static enum outcome back(struct move *m, struct err *detail)
{
    OWNED(recovered_fini) struct recovered r = {0};
    int code = recover_target(m->h->root, m->h->node, m->path, &r, detail);
    report(m, &r);
    if (code < 0)
        return OUTCOME_FAILED;
    if (r.conflicts > 0) {
        (void)err_set(detail, -EEXIST,
                      "%s: somebody else put a file there; it stays and ours is set aside in %s",
                      m->path, m->h->node->stage);
        return OUTCOME_REFUSED;
    }
    OWNED(manifest_fini) struct manifest now = {0};
    if (manifest_read(m->h->root, m->path, &now, detail) < 0)
        return OUTCOME_FAILED;
    if (!now.exists)
        return restore(m, detail);
    (void)err_set(detail, 0, "%s: is in its place", m->path);
    return r.put_back > 0 ? OUTCOME_DONE : OUTCOME_ALREADY;
}

/* Home, with all that was only for the way disposed of. */
static enum outcome settle(struct move *m, struct err *detail)
{
    enum outcome o = back(m, detail);
    if (o == OUTCOME_FAILED) {
        deadman_leave(TAKE(m->deadman)); /* its turn */
        return o;
    }
    deadman_disarm(TAKE(m->deadman));
    /* After a conflict the copy is of use to whoever looks into it. */
    if (o != OUTCOME_REFUSED)
        (void)manifest_backup_drop(m->h, m->backup, NULL);
    return o;
}

enum outcome static_pod_move_back(struct hand *h, const json_t *plan, struct err *detail)
{
    struct move m;
    if (!move_of(h, plan, &m, detail))
        return OUTCOME_FAILED;
    return settle(&m, detail);
}

/* --- out */

/* Read, compared, copied. */
static enum outcome prepare(struct move *m, const char *pod, struct err *detail)
{
    OWNED(manifest_fini) struct manifest now = {0};
    if (kubelet_check(m->h, detail) < 0)
        return OUTCOME_REFUSED;
    if (recover_check(m->h->root, m->h->node, m->path, detail) < 0)
        return OUTCOME_REFUSED;
    if (manifest_read(m->h->root, m->path, &now, detail) < 0)
        return OUTCOME_FAILED;
    if (!manifest_is(&now, m->digest)) {
        (void)err_set(detail, -ESTALE, "%s: isn't what was planned on any more", m->path);
        return OUTCOME_REFUSED;
    }
    if (manifest_check(m->path, now.bytes.bytes, now.bytes.length, pod, detail) < 0)
        return OUTCOME_REFUSED;
    int code = folder_make(m->h->root, m->h->node->stage, 0700, detail);
    if (code == 0)
        code = manifest_backup(m->h, m->backup, &now, detail);
    return code < 0 ? OUTCOME_FAILED : OUTCOME_DONE;
}

static int arm(struct move *m, struct err *detail)
{
    uint64_t deadline = m->until_usec + deadman_usec;
    int code = deadman_arm(m->h->root, deadline, &m->deadman, detail);
    if (code < 0)
        return code;
    json_t *effect = effect_file("armed", m->stash, NULL, json_null(), json_null());
    json_put(effect, "until", json_integer((json_int_t)deadline));
    code = hand_effect(m->h, effect, detail);
    hand_phase(m->h, "arm");
    return code;
}

/* The manifest is out: DONE when it also is what was planned on, and recorded. */
static enum outcome out(struct move *m, struct err *detail)
{
    if (!deadman_waits(m->deadman)) {
        (void)err_set(detail, -ESRCH, "the dead-man that was armed is gone: nothing is taken out");
        return OUTCOME_FAILED;
    }
    if (clock_boot_usec() >= m->until_usec) {
        (void)err_set(detail, -ETIME, "its time was over before the manifest was taken out");
        return OUTCOME_FAILED;
    }
    if (file_move(m->h->root, m->path, m->stash, detail) < 0)
        return OUTCOME_FAILED;
    hand_phase(m->h, "out");
    OWNED(manifest_fini) struct manifest moved = {0};
    if (manifest_read(m->h->root, m->stash, &moved, detail) < 0)
        return OUTCOME_FAILED;
    if (!manifest_is(&moved, m->digest)) {
        (void)err_set(detail, -ESTALE, "%s: %s", m->path,
                      moved.exists ? "was changed in the instant before it was taken out"
                                   : "was put back by somebody as soon as it was out");
        return OUTCOME_REFUSED;
    }
    json_t *effect = effect_file("moved", m->path, m->stash, digest_copy(m), digest_copy(m));
    return hand_effect(m->h, effect, detail) < 0 ? OUTCOME_FAILED : OUTCOME_DONE;
}

/* Why it failed, and that nothing is out any more (or that it is). */
static enum outcome give_up(struct move *m, enum outcome why, struct err *detail)
{
    struct err e = {0};
    enum outcome home = settle(m, &e);
    hand_phase(m->h, "back");
    struct err first = *detail;
    (void)err_set(detail, 0, "%.300s; %.300s", first.text, e.text);
    return home == OUTCOME_FAILED || home == OUTCOME_REFUSED ? home : why;
}

/* The dead-man was quicker. Or it is nowhere, or what is there is somebody else's: not done. */
static enum outcome was_quicker(const struct move *m, struct err *detail)
{
    OWNED(manifest_fini) struct manifest now = {0};
    if (manifest_read(m->h->root, m->path, &now, detail) < 0)
        return OUTCOME_FAILED;
    if (manifest_is(&now, m->digest))
        return OUTCOME_DONE;
    if (now.exists)
        (void)err_set(detail, -ESTALE, "%s: what is there isn't what was taken out", m->path);
    return OUTCOME_FAILED;
}

enum outcome static_pod_move(struct hand *h, const char *pod, const json_t *plan,
                             uint64_t down_within_usec, struct err *detail)
{
    struct move m;
    if (!move_of(h, plan, &m, detail))
        return OUTCOME_FAILED;
    uint64_t now = clock_boot_usec(), until = now + down_within_usec;
    if (until + back_usec > h->deadline_usec)
        until = h->deadline_usec > now + back_usec ? h->deadline_usec - back_usec : now;
    m.until_usec = until;
    if (until == now) {
        (void)err_set(detail, -ETIME, "the step's timeout leaves no time to put the manifest back");
        return OUTCOME_FAILED;
    }
    enum outcome o = prepare(&m, pod, detail);
    if (o != OUTCOME_DONE)
        return o;
    if (arm(&m, detail) < 0) {
        deadman_disarm(TAKE(m.deadman));
        (void)manifest_backup_drop(h, m.backup, NULL);
        return OUTCOME_FAILED;
    }
    o = out(&m, detail);
    if (o != OUTCOME_DONE)
        return give_up(&m, o, detail);
    const char *full_name = json_get_string(plan, "podName", pod);
    if (!static_pod_wait_gone(h, pod, full_name, until, detail))
        return give_up(&m, OUTCOME_FAILED, detail);
    hand_phase(h, "gone");
    o = settle(&m, detail);
    hand_phase(h, "back");
    return o == OUTCOME_ALREADY ? was_quicker(&m, detail) : o;
}
