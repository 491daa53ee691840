#include "observe/neighbour.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/pod.h"

OWNER(struct pool, pool_free);

static void neighbour_fini(struct neighbour *n)
{
    free(n->name);
    free(n->pod);
}

void neighbours_fini(struct neighbours *n)
{
    for (size_t i = 0; i < n->count; i++)
        neighbour_fini(&n->at[i]);
    free(n->at);
    *n = (struct neighbours){0};
}

static inline void neighbours_fini_owned(struct neighbours *n)
{
    neighbours_fini(n);
}

/* The name of the pod that the file declares, or NULL. Longer than what config/yaml.h reads is no
 * manifest that we know of. */
static char *declared_pod(const struct root *root, const char *path)
{
    OWNED(pool_free) struct pool *pool = pool_new();
    OWNED(buf_fini) struct buf bytes = {0};
    struct pod pod;
    if (file_read(root, path, FILE_FOLLOW, YAML_FILE_BYTES_MAX, &bytes, NULL) < 0 ||
        pod_parse(pool, path, buf_string(&bytes), bytes.length, &pod, NULL) < 0)
        return NULL;
    return mem_strdup(pod.name);
}

static const struct neighbour *find(const struct neighbours *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++)
        if (!strcmp(n->at[i].name, name))
            return &n->at[i];
    return NULL;
}

static bool is_same(const struct file_status *a, const struct file_status *b)
{
    return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
           a->changed_usec == b->changed_usec;
}

static int look_at(struct neighbours *now, const struct neighbours *before, const struct root *root,
                   const char *folder, const char *name, struct err *e)
{
    OWNED(free) char *path = mem_printf("%s/%s", folder, name);
    struct file_status s;
    if (file_status(root, path, FILE_FOLLOW, &s, NULL) < 0 || !s.is_regular)
        return 0;
    if (now->count == NEIGHBOURS_MAX)
        return err_set(e, -EFBIG, "%s: more than %d files", folder, NEIGHBOURS_MAX);
    const struct neighbour *old = find(before, name);
    struct neighbour *n = mem_push(now->at, now->count, now->room);
    n->name = mem_strdup(name);
    n->status = s;
    if (!old || !is_same(&old->status, &s))
        n->pod = declared_pod(root, path);
    else if (old->pod)
        n->pod = mem_strdup(old->pod);
    return 0;
}

int neighbours_look(struct neighbours *n, const struct root *root, const char *folder,
                    struct err *e)
{
    OWNED(names_fini) struct names names = {0};
    OWNED(neighbours_fini) struct neighbours now = {0};
    int code = folder_list(root, folder, &names, e);
    for (size_t i = 0; code == 0 && i < names.count; i++)
        if (names.at[i][0] != '.')
            code = look_at(&now, n, root, folder, names.at[i], e);
    if (code < 0)
        return code;
    neighbours_fini(n);
    *n = now;
    now = (struct neighbours){0};
    return 0;
}
