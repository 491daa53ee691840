/* evidence.collect: keeps what a restart takes away. Logs of a removed pod vanish with it, so a
 * playbook collects them first.
 *
 *   /var/lib/planeguard/evidence/<incident>/
 *       ps.json                         all containers, as crictl shows them
 *       COMPONENT.inspect.json          its newest container, without environments
 *       COMPONENT.yaml                  its manifest
 *       POD.CONTAINER.N.log             the last 256 KiB of each of its logs
 *
 * Secrets are withheld (act/secret.h); keys and pki folders are never read. Best effort and
 * bounded: what could not be had is said and stops nothing. At most 20 incidents' folders stay. */
#include <errno.h>
#include <string.h>

#include "act/effect.h"
#include "act/hand.h"
#include "act/kinds.h"
#include "act/manifest.h"
#include "act/static_pod.h"
#include "base/duration.h"
#include "base/mem.h"
#include "base/secret.h"
#include "loop/clock.h"

#define EVIDENCE_FOLDER "/var/lib/planeguard/evidence"

enum { TAIL_BYTES = 256 * 1024, FOLDERS_MAX = 20, LOGS_MAX = 64 };

static const uint64_t command_usec = 15 * USEC_PER_SEC;

struct args {
    struct strings components;
    uint64_t max_bytes;
};

static const struct field fields[] = {
    {.name = "components",
     .type = FIELD_NAMES,
     FIELD_AT(args, components),
     .required = true,
     .help = "static pods, without the node's name: kube-apiserver, etcd"},
    {.name = "maxBytes",
     .type = FIELD_SIZE,
     FIELD_AT(args, max_bytes),
     .min = 65536,
     .max = 1 << 30,
     .otherwise = "16Mi",
     .help = "how much is kept in all"},
    {0},
};

struct collection {
    struct hand *h;
    const char *folder;
    uint64_t left_bytes;
    size_t files;
    struct buf lacks; /* what could not be had */
};

static void lacks(struct collection *c, const char *what, const char *why)
{
    buf_printf(&c->lacks, "%s%s (%s)", c->lacks.length > 0 ? ", " : "", what, why);
}

static void keep(struct collection *c, const char *name, const char *bytes, size_t length)
{
    struct err e;
    if (length > c->left_bytes) {
        lacks(c, name, "maxBytes is reached");
        return;
    }
    OWNED(free) char *path = mem_printf("%s/%s", c->folder, name);
    if (file_replace(c->h->root, path, c->folder, bytes, length, NULL, &e) < 0) {
        lacks(c, name, e.text);
        return;
    }
    c->left_bytes -= length;
    c->files++;
}

static void keep_text(struct collection *c, const char *name, const struct buf *text)
{
    OWNED(buf_fini) struct buf clean = {0};
    secret_redact(buf_string(text), text->length, &clean);
    keep(c, name, buf_string(&clean), clean.length);
}

/* --- crictl */

static void keep_json(struct collection *c, const char *name, const char *const *arguments)
{
    OWNED(command_result_fini) struct command_result r = {0};
    struct err e;
    int code = cri_run(&c->h->node->crictl, arguments, command_usec, &r, &e);
    if (code == 0)
        code = cri_answer(arguments[0], &r, &e);
    OWNED(json_decref)
    json_t *value = code == 0 ? json_parse(buf_string(&r.out), r.out.length, &e) : NULL;
    if (!value) {
        lacks(c, name, e.text);
        return;
    }
    secret_redact_json(value);
    OWNED(free) char *text = json_canonical(value);
    keep(c, name, text, strlen(text));
}

static void keep_containers(struct collection *c, const struct args *a)
{
    const char *const list[] = {"ps", "-a", "-o", "json", NULL};
    OWNED(containers_fini) struct containers all = {0};
    struct err e;
    keep_json(c, "ps.json", list);
    if (cri_containers(&c->h->node->crictl, command_usec, &all, &e) < 0)
        return; /* ps.json has said why */
    for (size_t i = 0; i < a->components.count; i++) {
        const char *component = a->components.at[i];
        OWNED(free) char *name = mem_printf("%s.inspect.json", component);
        const struct container *newest = containers_newest(&all, component);
        const char *const inspect[] = {"inspect", newest ? newest->id : "", NULL};
        if (newest)
            keep_json(c, name, inspect);
        else
            lacks(c, name, "no container");
    }
}

/* --- files */

static void keep_manifest(struct collection *c, const char *component)
{
    OWNED(free) char *path = mem_printf("%s/%s.yaml", c->h->node->manifests, component);
    OWNED(free) char *name = mem_printf("%s.yaml", component);
    OWNED(buf_fini) struct buf text = {0};
    struct err e;
    if (file_read(c->h->root, path, 0, MANIFEST_BYTES_MAX, &text, &e) < 0)
        lacks(c, name, e.text);
    else
        keep_text(c, name, &text);
}

static bool ends_in(const char *text, const char *tail)
{
    size_t length = strlen(text), tail_length = strlen(tail);
    return length >= tail_length && strcmp(text + length - tail_length, tail) == 0;
}

/* The logs in NS_POD_UID/CONTAINER/. They are links in some runtimes: followed below the root. */
static size_t keep_logs_of(struct collection *c, const char *pod_folder, const char *container)
{
    OWNED(free) char *folder = mem_printf("%s/%s/%s", c->h->node->pod_logs, pod_folder, container);
    OWNED(names_fini) struct names logs = {0};
    size_t kept = 0;
    if (folder_list(c->h->root, folder, &logs, NULL) < 0)
        return 0;
    /* The newest last: from the end. */
    for (size_t i = logs.count; i-- > 0 && kept < LOGS_MAX;) {
        if (!ends_in(logs.at[i], ".log"))
            continue;
        OWNED(free) char *path = mem_printf("%s/%s", folder, logs.at[i]);
        OWNED(free)
        char *name = mem_printf("%.100s.%.60s.%.40s", pod_folder, container, logs.at[i]);
        OWNED(buf_fini) struct buf text = {0};
        struct err e;
        if (file_tail(c->h->root, path, FILE_FOLLOW, TAIL_BYTES, &text, &e) < 0)
            lacks(c, name, e.text);
        else
            keep_text(c, name, &text);
        kept++;
    }
    return kept;
}

/* kube-system_<component>-<node>_<uid> */
static bool is_pods_folder(const char *name, const char *component)
{
    OWNED(free) char *head = mem_printf("kube-system_%s-", component);
    return strncmp(name, head, strlen(head)) == 0;
}

static void keep_logs(struct collection *c, const char *component)
{
    OWNED(names_fini) struct names pods = {0};
    struct err e;
    if (folder_list(c->h->root, c->h->node->pod_logs, &pods, &e) < 0) {
        lacks(c, component, e.text);
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < pods.count; i++)
        if (is_pods_folder(pods.at[i], component))
            kept += keep_logs_of(c, pods.at[i], component);
    if (kept == 0) {
        OWNED(free) char *what = mem_printf("logs of %s", component);
        lacks(c, what, "none in the pods' logs");
    }
}

/* --- the oldest folders make room */

static int oldest_of(const struct root *root, const struct names *names, const char *own,
                     size_t *ret)
{
    int64_t oldest = INT64_MAX;
    for (size_t i = 0; i < names->count; i++) {
        struct file_status st;
        OWNED(free) char *path = mem_printf(EVIDENCE_FOLDER "/%s", names->at[i]);
        if (names->at[i][0] == '\0' || strcmp(path, own) == 0 ||
            file_status(root, path, 0, &st, NULL) < 0 || !st.is_folder || st.changed_usec >= oldest)
            continue;
        oldest = st.changed_usec;
        *ret = i;
    }
    return oldest == INT64_MAX ? -ENOENT : 0;
}

static void make_room(struct hand *h, const char *own)
{
    OWNED(names_fini) struct names names = {0};
    if (folder_list(h->root, EVIDENCE_FOLDER, &names, NULL) < 0)
        return;
    for (size_t count = names.count; count > FOLDERS_MAX; count--) {
        size_t oldest = 0;
        if (oldest_of(h->root, &names, own, &oldest) < 0)
            return;
        OWNED(free) char *path = mem_printf(EVIDENCE_FOLDER "/%s", names.at[oldest]);
        if (folder_remove(h->root, path, NULL) < 0)
            return;
        names.at[oldest][0] = '\0'; /* gone */
    }
}

/* --- the kind */

static char *folder_of(const struct hand *h)
{
    return mem_printf(EVIDENCE_FOLDER "/%s", h->incident);
}

static int plan(struct hand *h, const void *args, json_t *plan, struct err *e)
{
    const struct args *a = args;
    (void)e;
    OWNED(buf_fini) struct buf components = {0};
    for (size_t i = 0; i < a->components.count; i++)
        buf_printf(&components, "%s%s", i > 0 ? ", " : "", a->components.at[i]);
    OWNED(free) char *folder = folder_of(h);
    OWNED(free)
    char *summary = mem_printf("keeps logs, containers and manifests of %s in %s",
                               buf_string(&components), folder);
    json_put(plan, "summary", json_string_or_null(summary));
    json_put(plan, "folder", json_string_or_null(folder));
    return 0;
}

static enum outcome run(struct hand *h, const void *args, const json_t *plan, struct err *detail)
{
    const struct args *a = args;
    const char *folder = json_get_string(plan, "folder", NULL);
    if (!folder) {
        (void)err_set(detail, -EINVAL, "the plan names no folder");
        return OUTCOME_FAILED;
    }
    if (folder_make(h->root, folder, 0700, detail) < 0)
        return OUTCOME_FAILED;
    make_room(h, folder);
    struct collection c = {.h = h, .folder = folder, .left_bytes = a->max_bytes};
    for (size_t i = 0; i < a->components.count; i++)
        keep_manifest(&c, a->components.at[i]);
    keep_containers(&c, a);
    for (size_t i = 0; i < a->components.count; i++)
        keep_logs(&c, a->components.at[i]);
    (void)err_set(detail, 0, "%zu files in %s%s%.500s", c.files, folder,
                  c.lacks.length > 0 ? "; could not have " : "", buf_string(&c.lacks));
    buf_fini(&c.lacks);
    return c.files > 0 ? OUTCOME_DONE : OUTCOME_FAILED;
}

const struct step_kind evidence_collect = {
    .kind = {.name = "evidence.collect",
             .summary = "keeps logs, containers and manifests before a restart takes them away",
             .fields = fields,
             .args_size = sizeof(struct args)},
    .risk = RISK_LOW,
    .reversal = REVERSAL_NONE,
    .changes = false,
    .plan = plan,
    .run = run,
};
