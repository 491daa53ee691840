/* manifest.restore: puts a static pod's last known good manifest back where the present one is
 * missing, broken, or makes the pod crash.
 *
 * The present bytes are copied to the plan's backup and the copy is verified before anything
 * changes. Undo puts them back only if nobody touched the file since, and only if they are a
 * complete manifest: what is in the folder the kubelet runs. */
#include <errno.h>
#include <string.h>

#include "act/diff.h"
#include "act/effect.h"
#include "act/hand.h"
#include "act/kinds.h"
#include "act/known_good.h"
#include "act/manifest.h"
#include "act/recover.h"
#include "base/mem.h"

struct args {
    const char *pod, *path;
};

static const struct field fields[] = {
    {.name = "pod",
     .type = FIELD_NAME,
     FIELD_AT(args, pod),
     .required = true,
     .help = "the static pod, without the node's name: kube-apiserver"},
    {.name = "path",
     .type = FIELD_PATH,
     FIELD_AT(args, path),
     .help = "its manifest; default: POD.yaml in the kubelet's staticPodPath"},
    {0},
};

/* --- the plan */

static json_t *files_json(const char *path, const struct manifest *now,
                          const struct known_good *good)
{
    OWNED(free)
    char *diff = diff_unified(path, now->exists ? buf_string(&now->bytes) : NULL, now->bytes.length,
                              buf_string(&good->bytes), good->bytes.length);
    json_t *files = json_array(), *file = json_object();
    json_put(file, "path", json_string_or_null(path));
    json_put(file, "before", manifest_digest_json(now->exists, &now->digest));
    json_put(file, "after", manifest_digest_json(true, &good->digest));
    json_put(file, "diff", json_string_or_null(diff));
    json_push(files, file);
    return files;
}

static void plan_write(struct hand *h, const char *pod, const char *path,
                       const struct manifest *now, const struct known_good *good, json_t *plan)
{
    bool already = now->exists && digest_equal(&now->digest, &good->digest);
    OWNED(free) char *backup = manifest_backup_path(h, path);
    OWNED(free)
    char *summary = mem_printf(already       ? "%s is the last known good manifest of %s"
                               : now->exists ? "replaces %s by the last known good manifest of %s"
                                             : "puts %s back: the last known good manifest of %s",
                               path, pod);
    json_put(plan, "summary", json_string_or_null(summary));
    json_put(plan, "already", json_boolean(already));
    json_put(plan, "pod", json_string_or_null(pod));
    json_put(plan, "path", json_string_or_null(path));
    json_put(plan, "before", manifest_digest_json(now->exists, &now->digest));
    json_put(plan, "beforeOwner", now->exists ? manifest_owner_json(&now->owner) : json_null());
    json_put(plan, "after", manifest_digest_json(true, &good->digest));
    json_put(plan, "afterOwner", manifest_owner_json(&good->owner));
    json_put(plan, "backup", now->exists ? json_string_or_null(backup) : json_null());
    json_put(plan, "files", already ? json_array() : files_json(path, now, good));
}

/* The folder itself must be there: making one would not make the kubelet look at it. */
static int folder_check(struct hand *h, const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    OWNED(free) char *folder = mem_strndup(path, slash ? (size_t)(slash - path) : 0);
    struct file_status st;
    int code = file_status(h->root, folder, 0, &st, e);
    if (code == 0 && !st.is_folder)
        code = err_set(e, -ENOTDIR, "%s: no such folder; expected the kubelet's staticPodPath",
                       folder);
    return code;
}

static int plan(struct hand *h, const void *args, json_t *plan, struct err *e)
{
    const struct args *a = args;
    OWNED(free)
    char *path =
        a->path ? mem_strdup(a->path) : mem_printf("%s/%s.yaml", h->node->manifests, a->pod);
    OWNED(manifest_fini) struct manifest now = {0};
    OWNED(known_good_fini) struct known_good good = {0};
    int code = folder_check(h, path, e);
    if (code == 0)
        code = manifest_read(h->root, path, &now, e);
    if (code == 0)
        code = known_good_find(h->root, a->pod, NULL, &good, e);
    if (code == 0)
        code = manifest_check("last known good", good.bytes.bytes, good.bytes.length, a->pod, e);
    if (code < 0)
        return code;
    plan_write(h, a->pod, path, &now, &good, plan);
    return 0;
}

/* --- what the plan says */

struct change {
    const char *path, *backup; /* backup NULL: there was no file */
    const json_t *before, *after;
    struct file_owner before_owner, after_owner;
};

static bool change_of(const json_t *plan, struct change *ret, struct err *e)
{
    *ret = (struct change){
        .path = json_get_string(plan, "path", NULL),
        .backup = json_get_string(plan, "backup", NULL),
        .before = json_object_get(plan, "before"),
        .after = json_object_get(plan, "after"),
        .before_owner = manifest_owner_of(json_object_get(plan, "beforeOwner")),
        .after_owner = manifest_owner_of(json_object_get(plan, "afterOwner")),
    };
    if (ret->path && json_is_string(ret->after) &&
        (json_is_null(ret->before) || (json_is_string(ret->before) && ret->backup)))
        return true;
    (void)err_set(e, -EINVAL, "the plan names no manifest");
    return false;
}

static json_t *copy_of(const json_t *value)
{
    return json_incref((json_t *)(uintptr_t)value);
}

/* Complete bytes into the manifests folder, by one rename, in place of `there` (NULL: of none). */
static enum outcome write_manifest(struct hand *h, const struct change *c,
                                   const struct digest *there, const struct buf *bytes,
                                   const struct file_owner *owner, struct err *e)
{
    const char *stage = h->node->stage;
    int code = folder_make(h->root, stage, 0700, e);
    if (code == 0 && there)
        code = file_replace_same(h->root, c->path, stage, bytes->bytes, bytes->length, owner, there,
                                 e);
    else if (code == 0)
        code = file_create(h->root, c->path, stage, bytes->bytes, bytes->length, owner, e);
    return code == 0 ? OUTCOME_DONE : code == -ESTALE ? OUTCOME_REFUSED : OUTCOME_FAILED;
}

/* --- run */

static int good_read(struct hand *h, const char *pod, const struct change *c,
                     struct known_good *ret, struct err *e)
{
    struct digest wanted;
    int code = digest_parse(json_string_value(c->after), &wanted);
    if (code < 0)
        return err_set(e, code, "the plan's digest isn't one");
    code = known_good_get(h->root, pod, &wanted, ret, e);
    if (code == 0)
        code = manifest_check("last known good", ret->bytes.bytes, ret->bytes.length, pod, e);
    return code;
}

static enum outcome replace(struct hand *h, const char *pod, const struct change *c,
                            const struct manifest *now, struct err *detail)
{
    OWNED(known_good_fini) struct known_good good = {0};
    if (good_read(h, pod, c, &good, detail) < 0)
        return OUTCOME_REFUSED;
    if (now->exists && manifest_backup(h, c->backup, now, detail) < 0)
        return OUTCOME_FAILED;
    hand_phase(h, "saved");
    enum outcome o = write_manifest(h, c, now->exists ? &now->digest : NULL, &good.bytes,
                                    &c->after_owner, detail);
    if (o != OUTCOME_DONE)
        return o;
    hand_phase(h, "replaced");
    const char *what = now->exists ? "replaced" : "created";
    json_t *effect = effect_file(what, c->path, NULL, copy_of(c->before), copy_of(c->after));
    return hand_effect(h, effect, detail) < 0 ? OUTCOME_FAILED : OUTCOME_DONE;
}

static enum outcome run(struct hand *h, const void *args, const json_t *plan, struct err *detail)
{
    const struct args *a = args;
    struct change c;
    OWNED(manifest_fini) struct manifest now = {0}, after = {0};
    if (!change_of(plan, &c, detail) || manifest_read(h->root, c.path, &now, detail) < 0)
        return OUTCOME_FAILED;
    if (manifest_is(&now, c.after)) {
        (void)err_set(detail, 0, "%s: is the last known good manifest", c.path);
        return OUTCOME_ALREADY;
    }
    if (recover_check(h->root, h->node, c.path, detail) < 0)
        return OUTCOME_REFUSED;
    if (!manifest_is(&now, c.before)) {
        (void)err_set(detail, -ESTALE, "%s: isn't what was planned on any more", c.path);
        return OUTCOME_REFUSED;
    }
    enum outcome o = replace(h, a->pod, &c, &now, detail);
    if (o != OUTCOME_DONE)
        return o;
    if (manifest_read(h->root, c.path, &after, detail) < 0)
        return OUTCOME_FAILED;
    if (!manifest_is(&after, c.after)) {
        (void)err_set(detail, -ESTALE, "%s: was changed again right after it was restored", c.path);
        return OUTCOME_FAILED;
    }
    (void)err_set(detail, 0, "%s: is the last known good manifest now", c.path);
    return OUTCOME_DONE;
}

/* --- undo */

static enum outcome put_back(struct hand *h, const char *pod, const struct change *c,
                             const struct digest *there, struct err *detail)
{
    OWNED(manifest_fini) struct manifest copy = {0};
    if (manifest_read(h->root, c->backup, &copy, detail) < 0)
        return OUTCOME_FAILED;
    if (!manifest_is(&copy, c->before)) {
        (void)err_set(detail, -ENOENT, "%s: no copy of what was there before", c->backup);
        return OUTCOME_FAILED;
    }
    struct err why = {0};
    if (manifest_check(c->backup, copy.bytes.bytes, copy.bytes.length, pod, &why) < 0) {
        (void)err_set(detail, -EINVAL,
                      "%s: left as it is: what was there before isn't a complete manifest (%.400s)",
                      c->path, why.text);
        return OUTCOME_REFUSED;
    }
    return write_manifest(h, c, there, &copy.bytes, &c->before_owner, detail);
}

static enum outcome remove_again(struct hand *h, const struct change *c, struct err *detail)
{
    return file_remove(h->root, c->path, detail) < 0 ? OUTCOME_FAILED : OUTCOME_DONE;
}

static enum outcome undo(struct hand *h, const void *args, const json_t *plan, struct err *detail)
{
    const struct args *a = args;
    struct change c;
    OWNED(manifest_fini) struct manifest now = {0};
    if (!change_of(plan, &c, detail) || manifest_read(h->root, c.path, &now, detail) < 0)
        return OUTCOME_FAILED;
    if (manifest_is(&now, c.before)) {
        (void)err_set(detail, 0, "%s: is as it was", c.path);
        return OUTCOME_ALREADY;
    }
    if (!manifest_is(&now, c.after)) {
        (void)err_set(detail, -ESTALE, "%s: somebody else changed it since: left as it is", c.path);
        return OUTCOME_REFUSED;
    }
    enum outcome o =
        c.backup ? put_back(h, a->pod, &c, &now.digest, detail) : remove_again(h, &c, detail);
    if (o != OUTCOME_DONE)
        return o;
    const char *what = c.backup ? "replaced" : "removed";
    (void)hand_effect(h, effect_file(what, c.path, NULL, copy_of(c.after), copy_of(c.before)),
                      NULL);
    (void)err_set(detail, 0, "%s: is as it was before", c.path);
    return OUTCOME_DONE;
}

/* One rename can't be half done: either is as it was or as it was meant to be. */
static enum outcome recover(struct hand *h, const void *args, const json_t *plan,
                            struct err *detail)
{
    (void)args;
    struct change c;
    OWNED(manifest_fini) struct manifest now = {0};
    if (!change_of(plan, &c, detail) || manifest_read(h->root, c.path, &now, detail) < 0)
        return OUTCOME_FAILED;
    bool before = manifest_is(&now, c.before), after = manifest_is(&now, c.after);
    (void)err_set(detail, 0, "%s: %s", c.path,
                  before  ? "is as it was"
                  : after ? "is the last known good manifest"
                          : "somebody else changed it: left as it is");
    return before || after ? OUTCOME_ALREADY : OUTCOME_REFUSED;
}

const struct step_kind manifest_restore = {
    .kind = {.name = "manifest.restore",
             .summary = "puts a static pod's last known good manifest back",
             .fields = fields,
             .args_size = sizeof(struct args)},
    .risk = RISK_MEDIUM,
    .reversal = REVERSAL_UNDO,
    .changes = true,
    .plan = plan,
    .run = run,
    .undo = undo,
    .recover = recover,
};
