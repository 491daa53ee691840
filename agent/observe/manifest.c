/* Kind `manifest`: a static pod's manifest, its neighbours in the folder and the host files that it
 * names. Read as the kubelet reads them (pkg/kubelet/config/file.go): links followed, whatever the
 * extension, dot files and folders passed over, 10 MiB at most. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/pod.h"
#include "loop/file.h"
#include "loop/watch.h"
#include "observe/kinds.h"
#include "observe/line.h"
#include "observe/neighbour.h"

enum {
    MANIFEST_BYTES_MAX = 10 << 20,
    LIVENESS_MARGIN_SEC = 30, /* what the kubelet's kill and new start need */
};

struct manifest_args {
    const char *pod, *path;
};

static const struct field fields[] = {
    {.name = "pod",
     .type = FIELD_NAME,
     FIELD_AT(manifest_args, pod),
     .required = true,
     .help = "name of the static pod, without the node's name"},
    {.name = "path",
     .type = FIELD_PATH,
     FIELD_AT(manifest_args, path),
     .help = "its manifest; default: POD.yaml in the kubelet's folder"},
    {0},
};

struct manifest_state {
    struct watch *folder, *file;
    struct neighbours neighbours;
};

/* One look. Troubles are found in the order of their weight: the first is the verdict, but what we
 * know goes before what we couldn't look at. */
struct manifest_look {
    struct probe *p;
    const char *path;
    struct pool *pool;
    struct pod pod;
    enum verdict verdict;
    enum reason reason;
    struct err detail;
    json_t *facts;
};

OWNER(struct pool, pool_free);

static void trouble(struct manifest_look *l, enum verdict v, enum reason r, const char *detail)
{
    bool known_at_last = l->verdict == SIGNAL_UNKNOWN && v == SIGNAL_FAIL;
    if (l->reason != REASON_NONE && !known_at_last)
        return;
    l->verdict = v;
    l->reason = r;
    err_set(&l->detail, 0, "%s", detail);
}

static void put_text(json_t *facts, const char *key, const char *text)
{
    json_put(facts, key, json_text(text, strlen(text)));
}

static char *path_of(const struct probe *p)
{
    const struct manifest_args *a = p->args;
    return a->path ? mem_strdup(a->path)
                   : mem_printf("%s/%s.yaml", p->view->node->manifests, a->pod);
}

/* Its bytes, or the trouble with them. */
static bool read_manifest(struct manifest_look *l, struct buf *ret)
{
    const struct root *root = l->p->view->root;
    struct file_status s;
    struct err e = {""};
    int code = file_status(root, l->path, FILE_FOLLOW, &s, &e);
    if (code == 0 && !s.exists) {
        err_set(&e, 0, "%s: not there", l->path);
        trouble(l, SIGNAL_FAIL, REASON_MISSING, e.text);
        return false;
    }
    if (code == 0)
        code = file_read(root, l->path, FILE_FOLLOW, MANIFEST_BYTES_MAX, ret, &e);
    if (code == -EFBIG)
        trouble(l, SIGNAL_FAIL, REASON_UNPARSABLE, e.text);
    else if (code == -EACCES || code == -EPERM) /* says something of us, nothing of the file */
        trouble(l, SIGNAL_UNKNOWN, REASON_UNREADABLE, e.text);
    else if (code < 0)
        trouble(l, SIGNAL_FAIL, REASON_UNREADABLE, e.text);
    return code == 0;
}

static void put_pod_facts(json_t *facts, const struct pod *pod)
{
    char image[LINE_TEXT];
    int64_t period = pod->liveness.period_sec, timeout = pod->liveness.timeout_sec;
    put_text(facts, "image", line_clean(pod->image, strlen(pod->image), image));
    if (!pod->liveness.failure_threshold)
        return;
    int64_t budget = pod->liveness.failure_threshold * (period > timeout ? period : timeout);
    json_put(facts, "livenessBudgetSec", mem_must(json_integer(budget + LIVENESS_MARGIN_SEC)));
}

/* Fills l->pod. What we can't follow, though the kubelet may, is no fault of the manifest's. */
static bool parse_manifest(struct manifest_look *l, const struct buf *bytes)
{
    const struct manifest_args *a = l->p->args;
    struct err e = {""};
    if (!bytes->length) {
        err_set(&e, 0, "%s: empty", l->path);
        trouble(l, SIGNAL_FAIL, REASON_EMPTY, e.text);
        return false;
    }
    int code = pod_parse(l->pool, l->path, bytes->bytes, bytes->length, &l->pod, &e);
    if (code == -EINVAL)
        trouble(l, SIGNAL_FAIL, REASON_UNPARSABLE, e.text);
    else if (code < 0)
        trouble(l, SIGNAL_UNKNOWN, REASON_TOOL_FAILED, e.text);
    if (code < 0)
        return false;
    put_pod_facts(l->facts, &l->pod);
    if (!strcmp(l->pod.name, a->pod))
        return true;
    err_set(&e, 0, "%s: describes the pod %s, expected %s", l->path, l->pod.name, a->pod);
    trouble(l, SIGNAL_FAIL, REASON_NOT_THAT_POD, e.text);
    return false;
}

/* The manifest's name in the kubelet's folder, or NULL when it lies elsewhere. */
static const char *own_name(const struct manifest_look *l)
{
    const char *folder = l->p->view->node->manifests;
    size_t length = strlen(folder);
    bool inside = !strncmp(l->path, folder, length) && l->path[length] == '/';
    return inside ? l->path + length + 1 : NULL;
}

/* Names in the folder that declare the same pod, in whatever namespace: two of them want the same
 * ports and files. */
static void judge_neighbours(struct manifest_look *l)
{
    const struct manifest_args *a = l->p->args;
    struct manifest_state *state = l->p->state;
    struct neighbours fresh = {0}, *all = state ? &state->neighbours : &fresh;
    const char *own = own_name(l);
    OWNED(buf_fini) struct buf strays = {0};
    OWNED(buf_fini) struct buf junk = {0};
    size_t stray_count = 0, junk_count = 0;
    struct err e = {""};
    int code = neighbours_look(all, l->p->view->root, l->p->view->node->manifests, &e);
    for (size_t i = 0; code == 0 && i < all->count; i++) {
        const struct neighbour *n = &all->at[i];
        if (own && !strcmp(n->name, own))
            continue;
        if (!n->pod)
            line_add_word(&junk, &junk_count, n->name);
        else if (!strcmp(n->pod, a->pod))
            line_add_word(&strays, &stray_count, n->name);
    }
    if (junk_count)
        put_text(l->facts, "junk", junk.bytes);
    if (stray_count) {
        put_text(l->facts, "stray", strays.bytes);
        err_set(&e, 0, "%s declares the pod %s too", strays.bytes, a->pod);
        trouble(l, SIGNAL_FAIL, REASON_STRAY, e.text);
    } else if (code < 0 && code != -ENOENT) {
        trouble(l, SIGNAL_UNKNOWN, REASON_TOOL_FAILED, e.text);
    }
    neighbours_fini(&fresh);
}

/* Is what the reference needs not there? What the kubelet makes itself (...OrCreate) is no reason
 * to worry, unless a flag names it: then an empty one is as bad as none. */
static bool is_missing(const struct root *root, const struct pod_reference *r)
{
    bool file = !strcmp(r->type, "File") || !strcmp(r->type, "flag");
    bool folder = !strcmp(r->type, "Directory");
    struct file_status s;
    if (!file && !folder && strcmp(r->type, "Socket") != 0)
        return false;
    if (file_status(root, r->path, FILE_FOLLOW, &s, NULL) < 0)
        return false;
    return !s.exists || (folder && !s.is_folder) || (file && s.is_regular && !s.size_bytes);
}

static int text_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void judge_references(struct manifest_look *l)
{
    const char *missing[POD_REFERENCES_MAX];
    size_t count = 0, listed = 0;
    OWNED(buf_fini) struct buf list = {0};
    for (size_t i = 0; i < l->pod.reference_count; i++)
        if (is_missing(l->p->view->root, &l->pod.references[i]))
            missing[count++] = l->pod.references[i].path;
    if (!count)
        return;
    qsort(missing, count, sizeof *missing, text_compare);
    for (size_t i = 0; i < count; i++)
        if (!i || strcmp(missing[i], missing[i - 1]) != 0)
            line_add_word(&list, &listed, missing[i]);
    put_text(l->facts, "missing", list.bytes);
    struct err e;
    err_set(&e, 0, "%s names what is missing or empty: %s", l->path, list.bytes);
    trouble(l, SIGNAL_FAIL, REASON_REFERENCE_MISSING, e.text);
}

static void judge(struct manifest_look *l)
{
    OWNED(buf_fini) struct buf bytes = {0};
    char hex[DIGEST_HEX + 1];
    put_text(l->facts, "path", l->path);
    bool good = read_manifest(l, &bytes);
    if (good) {
        struct digest d = digest_of(buf_string(&bytes), bytes.length);
        put_text(l->facts, "digest", digest_hex(&d, hex));
        good = parse_manifest(l, &bytes);
    }
    judge_neighbours(l);
    if (good)
        judge_references(l);
}

static void look(struct probe *p)
{
    const struct manifest_args *a = p->args;
    if (!p->view->node->manifests) {
        probe_report(p, SIGNAL_UNKNOWN, REASON_NOT_NAMED, mem_must(json_object()),
                     "this node's description names no manifests folder for %s", a->pod);
        return;
    }
    OWNED(pool_free) struct pool *pool = pool_new();
    OWNED(free) char *path = path_of(p);
    struct manifest_look l = {.p = p,
                              .path = path,
                              .pool = pool,
                              .verdict = SIGNAL_PASS,
                              .facts = mem_must(json_object())};
    judge(&l);
    char detail[LINE_TEXT];
    probe_report(p, l.verdict, l.reason, l.facts, "%s",
                 line_clean(l.detail.text, strlen(l.detail.text), detail));
}

/* Looks end where they begin. */
static void cancel(struct probe *p)
{
    (void)p;
}

/* Dot files are not the kubelet's: editors and our own stage write them. */
static void changed(void *context, const char *name)
{
    if (!name || name[0] != '.')
        probe_wake(context);
}

static void unwatch(struct probe *p)
{
    struct manifest_state *s = p->state;
    if (!s)
        return;
    watch_free(s->folder);
    watch_free(s->file);
    neighbours_fini(&s->neighbours);
    free(s);
    p->state = NULL;
}

static int watch(struct probe *p, struct err *e)
{
    const struct view *v = p->view;
    if (!v->node->manifests)
        return 0;
    OWNED(free) char *path = path_of(p);
    struct manifest_state *s = mem_new(struct manifest_state);
    struct manifest_look place = {.p = p, .path = path};
    p->state = s;
    int code = watch_new(v->loop, v->root, v->node->manifests, changed, p, &s->folder, e);
    if (code == 0 && !own_name(&place))
        code = watch_new(v->loop, v->root, path, changed, p, &s->file, e);
    if (code < 0)
        unwatch(p);
    return code;
}

const struct probe_kind probe_manifest = {
    .kind = {.name = "manifest",
             .summary = "a static pod's manifest, its neighbours, and the host files it names",
             .fields = fields,
             .args_size = sizeof(struct manifest_args)},
    .side = SIDE_LOCAL,
    .look = look,
    .cancel = cancel,
    .watch = watch,
    .unwatch = unwatch,
};
