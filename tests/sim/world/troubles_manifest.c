/* What people do to manifests and to what these name. */
#include <stdio.h>
#include <string.h>

#include "inside.h"

#define MOVED "/root/moved.yaml"

static uint64_t hash_now(const struct host *n)
{
    return n->manifest_hash;
}

static void put_good(struct host *n)
{
    people_put(n, APISERVER_MANIFEST, n->good);
}

/* ---- edits ---- */

static bool edit_good(struct host *n, struct stream_random *r)
{
    (void)r;
    free(n->good);
    n->good = install_apiserver(n, EDIT_GOOD, ++n->edits);
    put_good(n);
    return true;
}

void world_edit(struct world *w, unsigned master)
{
    (void)edit_good(&w->nodes[master], NULL);
}

static bool edit_bad(struct host *n, enum edit edit)
{
    OWNED(free) char *text = install_apiserver(n, edit, ++n->edits);
    n->bad[edit] = text_hash(text, strlen(text));
    people_put(n, APISERVER_MANIFEST, text);
    return true;
}

static void mend_edit(struct host *n, enum edit edit)
{
    uint64_t now = hash_now(n);
    if (!now || now == n->bad[edit])
        put_good(n);
}

/* While it is out nobody knows. */
static bool edit_is_gone(const struct host *n, enum edit edit)
{
    uint64_t now = hash_now(n);
    return now && now != n->bad[edit];
}

#define BAD_EDIT(name, edit)                                                                       \
    static bool name##_begin(struct host *n, struct stream_random *r)                              \
    {                                                                                              \
        (void)r;                                                                                   \
        return edit_bad(n, edit);                                                                  \
    }                                                                                              \
    static void name##_mend(struct host *n)                                                        \
    {                                                                                              \
        mend_edit(n, edit);                                                                        \
    }                                                                                              \
    static bool name##_is_gone(const struct host *n)                                               \
    {                                                                                              \
        return edit_is_gone(n, edit);                                                              \
    }                                                                                              \
    struct trouble_semicolon_

BAD_EDIT(flag, EDIT_BAD_FLAG);
BAD_EDIT(value, EDIT_BAD_VALUE);
BAD_EDIT(path, EDIT_BAD_PATH);
BAD_EDIT(image, EDIT_BAD_IMAGE);
BAD_EDIT(command, EDIT_BAD_COMMAND);
BAD_EDIT(etcd_address, EDIT_ETCD_ADDRESS);
BAD_EDIT(other_pod, EDIT_OTHER_POD);

/* ---- accidents ---- */

static bool delete (struct host *n, struct stream_random *r)
{
    (void)r;
    if (!hash_now(n))
        return false;
    files_remove(node_files(n), APISERVER_MANIFEST);
    return true;
}

static void undelete(struct host *n)
{
    if (!hash_now(n))
        put_good(n);
}

static bool is_there(const struct host *n)
{
    return hash_now(n) != 0;
}

/* As an editor or a shell leaves it that was interrupted: in place. */
static bool cut(struct host *n, size_t length)
{
    if (!n->is.manifest_there)
        return false;
    OWNED(free) char *half = mem_strndup(n->good, length);
    files_put(node_files(n), APISERVER_MANIFEST, half, length);
    return true;
}

static bool empty(struct host *n, struct stream_random *r)
{
    (void)r;
    return cut(n, 0);
}

static bool half(struct host *n, struct stream_random *r)
{
    return cut(n, random_between(r, 40, strlen(n->good) / 2));
}

static void uncut(struct host *n)
{
    if (!n->is.manifest_there)
        put_good(n);
}

static bool is_complete(const struct host *n)
{
    return n->is.manifest_there;
}

static bool move_out(struct host *n, struct stream_random *r)
{
    (void)r;
    return n->is.manifest_there && files_move(node_files(n), APISERVER_MANIFEST, MOVED);
}

/* `mv` overwrites what somebody else put there meanwhile; a careful person sees it and doesn't. */
static void move_back(struct host *n)
{
    if (hash_now(n) && n->edits % 2)
        files_remove(node_files(n), MOVED);
    else
        (void)files_move(node_files(n), MOVED, APISERVER_MANIFEST);
}

static const char *const stray_names[] = {"kube-apiserver.yaml.bak", "kube-apiserver.yaml~",
                                          "kube-apiserver-old.yaml", "a-kube-apiserver.yaml"};
enum { STRAYS = sizeof stray_names / sizeof *stray_names };

static bool stray(struct host *n, struct stream_random *r)
{
    OWNED(free)
    char *path = mem_printf(MANIFESTS "/%s", stray_names[random_below(r, STRAYS)]);
    size_t length = 0;
    const char *bytes = files_get(node_files(n), APISERVER_MANIFEST, &length);
    if (!n->is.manifest_there)
        return false;
    OWNED(free) char *text = mem_strndup(bytes, length);
    people_put(n, path, text);
    return true;
}

static void unstray(struct host *n)
{
    for (size_t i = 0; i < STRAYS; i++) {
        OWNED(free) char *path = mem_printf(MANIFESTS "/%s", stray_names[i]);
        if (files_exists(node_files(n), path))
            files_remove(node_files(n), path);
    }
}

static bool has_no_stray(const struct host *n)
{
    for (size_t i = 0; i < STRAYS; i++) {
        OWNED(free) char *path = mem_printf(MANIFESTS "/%s", stray_names[i]);
        if (files_exists(node_files(n), path))
            return false;
    }
    return true;
}

/* ---- what manifests name ---- */

static const char *const references[] = {"ca.crt", "sa.key", "front-proxy-client.crt",
                                         "apiserver.key", "apiserver-etcd-client.crt"};

static bool spoil_reference(struct host *n, struct stream_random *r, bool remove)
{
    OWNED(free)
    char *path = mem_printf("/etc/kubernetes/pki/%s",
                            references[random_below(r, sizeof references / sizeof *references)]);
    if (remove)
        files_remove(node_files(n), path);
    else
        files_put(node_files(n), path, "", 0);
    struct crate *c = crate_running(n, POD_APISERVER);
    /* One that runs doesn't mind. */
    if (c && random_one_in(r, 2))
        crate_exit(c, 2, "Error");
    return true;
}

static bool remove_reference(struct host *n, struct stream_random *r)
{
    return spoil_reference(n, r, true);
}

static bool empty_reference(struct host *n, struct stream_random *r)
{
    return spoil_reference(n, r, false);
}

const struct trouble_kind troubles_manifest[] = {
    {.name = "good-edit",
     .mean_hours = 250,
     .least_minutes = 1,
     .most_minutes = 2,
     .by_person = true,
     .strikes = true,
     .begin = edit_good},
    {.name = "bad-flag",
     .mean_hours = 300,
     .least_minutes = 30,
     .most_minutes = 720,
     .by_person = true,
     .strikes = true,
     .begin = flag_begin,
     .mend = flag_mend,
     .is_gone = flag_is_gone},
    {.name = "bad-value",
     .mean_hours = 800,
     .least_minutes = 5,
     .most_minutes = 720,
     .by_person = true,
     .begin = value_begin,
     .mend = value_mend,
     .is_gone = value_is_gone},
    {.name = "bad-path",
     .mean_hours = 800,
     .least_minutes = 5,
     .most_minutes = 720,
     .by_person = true,
     .begin = path_begin,
     .mend = path_mend,
     .is_gone = path_is_gone},
    {.name = "bad-image",
     .mean_hours = 1000,
     .least_minutes = 5,
     .most_minutes = 600,
     .by_person = true,
     .begin = image_begin,
     .mend = image_mend,
     .is_gone = image_is_gone},
    {.name = "bad-command",
     .mean_hours = 1000,
     .least_minutes = 5,
     .most_minutes = 600,
     .by_person = true,
     .begin = command_begin,
     .mend = command_mend,
     .is_gone = command_is_gone},
    {.name = "etcd-address",
     .mean_hours = 1000,
     .least_minutes = 5,
     .most_minutes = 600,
     .by_person = true,
     .begin = etcd_address_begin,
     .mend = etcd_address_mend,
     .is_gone = etcd_address_is_gone},
    {.name = "manifest-deleted",
     .mean_hours = 350,
     .least_minutes = 10,
     .most_minutes = 720,
     .by_person = true,
     .strikes = true,
     .begin = delete,
     .mend = undelete,
     .is_gone = is_there},
    {.name = "manifest-emptied",
     .mean_hours = 600,
     .least_minutes = 2,
     .most_minutes = 480,
     .by_person = true,
     .strikes = true,
     .begin = empty,
     .mend = uncut,
     .is_gone = is_complete},
    {.name = "manifest-half",
     .mean_hours = 600,
     .least_minutes = 2,
     .most_minutes = 480,
     .by_person = true,
     .begin = half,
     .mend = uncut,
     .is_gone = is_complete},
    {.name = "manifest-other-pod",
     .mean_hours = 900,
     .least_minutes = 5,
     .most_minutes = 480,
     .by_person = true,
     .begin = other_pod_begin,
     .mend = other_pod_mend,
     .is_gone = other_pod_is_gone},
    {.name = "manifest-moved",
     .mean_hours = 450,
     .most_minutes = 20,
     .by_person = true,
     .strikes = true,
     .begin = move_out,
     .mend = move_back},
    {.name = "stray",
     .mean_hours = 500,
     .least_minutes = 5,
     .most_minutes = 1440,
     .by_person = true,
     .strikes = true,
     .begin = stray,
     .mend = unstray,
     .is_gone = has_no_stray},
    {.name = "reference-missing",
     .mean_hours = 450,
     .least_minutes = 10,
     .most_minutes = 720,
     .by_person = true,
     .strikes = true,
     .begin = remove_reference,
     .mend = install_missing},
    {.name = "reference-empty",
     .mean_hours = 900,
     .least_minutes = 10,
     .most_minutes = 720,
     .by_person = true,
     .begin = empty_reference,
     .mend = install_missing},
    {0},
};
