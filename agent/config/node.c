#include "config/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/pool.h"
#include "config/text.h"
#include "config/yaml.h"
#include "loop/file.h"

#define DESCRIPTION "/etc/planeguard/node.yaml"
#define KUBELET_CONFIGURATION "/var/lib/kubelet/config.yaml"

OWNER(struct node, node_free);

void node_free(struct node *n)
{
    if (!n)
        return;
    pool_free(n->pool);
    free(n);
}

/* ---- what holds below every root --------------------------------------------------------- */

/* The kubelet's own defaults stand where its configuration is absent or says nothing usable: with
 * a broken one it doesn't run, and that is for probes to see. */
static void read_kubelet(const struct root *root, struct node *n)
{
    OWNED(buf_fini) struct buf bytes = {0};
    struct yaml *y = NULL;
    if (file_read(root, KUBELET_CONFIGURATION, FILE_FOLLOW, YAML_FILE_BYTES_MAX, &bytes, NULL) < 0)
        return;
    if (yaml_parse_foreign(n->pool, KUBELET_CONFIGURATION, buf_string(&bytes), bytes.length, &y,
                           NULL) < 0)
        return;
    const char *path = yaml_text(y, "staticPodPath", "");
    if (text_is_path(path))
        n->manifests = pool_strdup(n->pool, path);
    uint64_t usec;
    const char *check = yaml_text(y, "fileCheckFrequency", "");
    if (duration_parse(check, &usec) == 0 && usec)
        n->kubelet_check_usec = usec;
}

/* The dot folder beside the manifests' folder: on its file system, out of the kubelet's sight. */
static const char *stage_beside(struct pool *pool, const char *manifests)
{
    size_t length = strlen(manifests);
    while (length > 1 && manifests[length - 1] == '/')
        length--;
    while (length && manifests[length - 1] != '/')
        length--;
    OWNED(free) char *stage = mem_printf("%.*s.planeguard", (int)length, manifests);
    return pool_strdup(pool, stage);
}

/* ---- the host ---------------------------------------------------------------------------- */

static bool is_there(const struct root *root, const char *path)
{
    struct file_status st;
    return file_status(root, path, FILE_FOLLOW, &st, NULL) == 0 && st.exists && !st.is_folder;
}

static const char *find_tool(const struct root *root, struct pool *pool, const char *name)
{
    static const char *const folders[] = {"/usr/bin", "/usr/local/bin", "/opt/bin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        OWNED(free) char *path = mem_printf("%s/%s", folders[i], name);
        if (is_there(root, path))
            return pool_strdup(pool, path);
    }
    return NULL;
}

static void find_crictl(const struct root *root, struct node *n)
{
    const char *path = find_tool(root, n->pool, "crictl");
    if (!path)
        return;
    bool crio =
        is_there(root, "/run/crio/crio.sock") && !is_there(root, "/run/containerd/containerd.sock");
    const char *argv[] = {path, "--runtime-endpoint",
                          crio ? "unix:///run/crio/crio.sock"
                               : "unix:///run/containerd/containerd.sock",
                          "--timeout", "10s"};
    n->crictl.count = sizeof argv / sizeof *argv;
    n->crictl.at = pool_array(n->pool, const char *, n->crictl.count + 1);
    memcpy(n->crictl.at, argv, sizeof argv);
}

static void find_kubeadm(const struct root *root, struct node *n)
{
    const char *path = find_tool(root, n->pool, "kubeadm");
    if (!path)
        return;
    n->kubeadm.count = 1;
    n->kubeadm.at = pool_array(n->pool, const char *, 2);
    n->kubeadm.at[0] = path;
}

/* Local users only: this must not wait for a directory in the network. */
static bool has_user(const struct root *root, const char *line_start)
{
    OWNED(buf_fini) struct buf passwd = {0};
    if (file_read(root, "/etc/passwd", FILE_FOLLOW, YAML_FILE_BYTES_MAX, &passwd, NULL) < 0)
        return false;
    const char *at = buf_string(&passwd);
    while (at && strncmp(at, line_start, strlen(line_start)) != 0) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return at != NULL;
}

static void describe_host(const struct root *root, struct node *n)
{
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) == 0 && *name)
        n->name = pool_strdup(n->pool, name);
    n->bus_address = "unix:path=/run/dbus/system_bus_socket";
    n->proc = "/proc";
    if (has_user(root, "planeguard-observer:"))
        n->observer_user = "planeguard-observer";
    find_crictl(root, n);
    find_kubeadm(root, n);
}

/* ---- another root ------------------------------------------------------------------------ */

struct description {
    const char *api_version, *kind;
    const struct yaml *metadata, *spec;
};

static const struct field description_fields[] = {
    {.name = "apiVersion",
     .type = FIELD_STRING,
     FIELD_AT(description, api_version),
     .required = true,
     .help = "planeguard/v1"},
    {.name = "kind",
     .type = FIELD_STRING,
     FIELD_AT(description, kind),
     .required = true,
     .help = "Node"},
    {.name = "metadata",
     .type = FIELD_CUSTOM,
     FIELD_AT(description, metadata),
     .decode = field_keep_node,
     .help = "not looked at"},
    {.name = "spec",
     .type = FIELD_CUSTOM,
     FIELD_AT(description, spec),
     .required = true,
     .decode = field_keep_node,
     .help = "where the node's parts are"},
    {0},
};

static const struct field node_fields[] = {
    {.name = "name",
     .type = FIELD_STRING,
     FIELD_AT(node, name),
     .otherwise = "node",
     .help = "the node's name in records"},
    {.name = "bus",
     .type = FIELD_STRING,
     FIELD_AT(node, bus_address),
     .help = "D-Bus address of its service manager"},
    {.name = "crictl",
     .type = FIELD_STRINGS,
     FIELD_AT(node, crictl),
     .help = "argv before crictl's own arguments, absolute"},
    {.name = "kubeadm",
     .type = FIELD_STRINGS,
     FIELD_AT(node, kubeadm),
     .help = "argv before kubeadm's own arguments, absolute"},
    {.name = "observer",
     .type = FIELD_STRINGS,
     FIELD_AT(node, observer),
     .help = "argv of planeguard-observer, absolute"},
    {.name = "observerUser",
     .type = FIELD_STRING,
     FIELD_AT(node, observer_user),
     .otherwise = "nobody",
     .help = "who the observer becomes when it is started as root"},
    {.name = "proc",
     .type = FIELD_PATH,
     FIELD_AT(node, proc),
     .help = "a folder as /proc, path of the host"},
    {.name = "manifests",
     .type = FIELD_PATH,
     FIELD_AT(node, manifests),
     .help = "in place of the kubelet's staticPodPath"},
    {.name = "stage",
     .type = FIELD_PATH,
     FIELD_AT(node, stage),
     .help = "in place of the dot folder beside the manifests"},
    {.name = "podLogs",
     .type = FIELD_PATH,
     FIELD_AT(node, pod_logs),
     .help = "in place of /var/log/pods"},
    {.name = "kubeletCheck",
     .type = FIELD_DURATION,
     FIELD_AT(node, kubelet_check_usec),
     .min = (int64_t)USEC_PER_MSEC,
     .max = (int64_t)USEC_PER_DAY,
     .help = "in place of the kubelet's fileCheckFrequency"},
    {0},
};

static int check_argv(const struct strings *argv, const struct yaml *spec, const char *key,
                      struct err *e)
{
    const struct yaml *at = yaml_get(spec, key);
    char found[YAML_FOUND];
    if (!argv->count || text_is_path(argv->at[0]))
        return 0;
    return yaml_error(at->first, e, "found %s, expected a program's absolute path",
                      yaml_found(at->first, found));
}

static int check_description(const struct yaml *root, const struct description *d, struct err *e)
{
    if (strcmp(d->api_version, "planeguard/v1") != 0)
        return yaml_error(yaml_get(root, "apiVersion"), e, "found \"%s\", expected planeguard/v1",
                          d->api_version);
    if (strcmp(d->kind, "Node") != 0)
        return yaml_error(yaml_get(root, "kind"), e, "found \"%s\", expected Node", d->kind);
    if (root->next)
        return yaml_error(root->next, e, "a second document, expected one Node");
    return 0;
}

/* What is prepared in the stage must not lie where the kubelet looks. */
static int check_stage(const struct node *n, const struct yaml *spec, struct err *e)
{
    if (!n->stage || strcmp(n->stage, n->manifests) != 0)
        return 0;
    return yaml_error(yaml_get(spec, "stage"), e,
                      "found the manifests' folder, expected another one on its file system");
}

static int decode_description(const struct yaml *root, struct node *n, struct err *e)
{
    struct description d = {0};
    int r = fields_decode(description_fields, n->pool, root, &d, e);
    if (r == 0)
        r = check_description(root, &d, e);
    if (r == 0)
        r = fields_decode(node_fields, n->pool, d.spec, n, e);
    if (r == 0)
        r = check_argv(&n->crictl, d.spec, "crictl", e);
    if (r == 0)
        r = check_argv(&n->kubeadm, d.spec, "kubeadm", e);
    if (r == 0)
        r = check_argv(&n->observer, d.spec, "observer", e);
    if (r == 0)
        r = check_stage(n, d.spec, e);
    return r;
}

static int read_description(const struct root *root, struct node *n, struct err *e)
{
    struct file_status st;
    OWNED(buf_fini) struct buf bytes = {0};
    struct yaml *y = NULL;
    int r = file_status(root, DESCRIPTION, FILE_FOLLOW, &st, e);
    if (r < 0 || !st.exists)
        return r;
    OWNED(free) char *shown = mem_printf("%s" DESCRIPTION, root->path);
    r = file_read(root, DESCRIPTION, FILE_FOLLOW, YAML_FILE_BYTES_MAX, &bytes, e);
    if (r < 0)
        return r;
    r = yaml_parse(n->pool, shown, buf_string(&bytes), bytes.length, &y, e);
    if (r < 0)
        return r;
    return y ? decode_description(y, n, e) : 0;
}

int node_load(const struct root *root, struct node **ret, struct err *e)
{
    OWNED(node_free) struct node *n = mem_new(struct node);
    *n = (struct node){.pool = pool_new(),
                       .name = "node",
                       .manifests = "/etc/kubernetes/manifests",
                       .pod_logs = "/var/log/pods",
                       .kubelet_check_usec = 20 * USEC_PER_SEC,
                       .observer_user = "nobody"};
    read_kubelet(root, n);
    if (root->is_host) {
        describe_host(root, n);
    } else {
        int r = read_description(root, n, e);
        if (r < 0)
            return r;
    }
    if (!n->stage)
        n->stage = stage_beside(n->pool, n->manifests);
    *ret = TAKE(n);
    return 0;
}
