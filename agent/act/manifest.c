#include "act/manifest.h"

#include <errno.h>
#include <string.h>

#include "act/hand.h"
#include "base/mem.h"
#include "config/pod.h"

#define UNDO_FOLDER "/var/lib/planeguard/undo"

OWNER(struct pool, pool_free);

int manifest_read(const struct root *root, const char *path, struct manifest *ret, struct err *e)
{
    struct file_status st;
    int code = file_status(root, path, 0, &st, e);
    if (code < 0)
        return code;
    if (st.exists && !st.is_regular)
        return err_set(e, -EINVAL, "%s: not a regular file; expected a manifest", path);
    struct manifest m = {.exists = st.exists,
                         .owner = {.mode = st.mode, .uid = st.uid, .gid = st.gid}};
    if (m.exists)
        code = file_read(root, path, 0, MANIFEST_BYTES_MAX, &m.bytes, e);
    if (code < 0)
        return code;
    m.digest = digest_of(buf_string(&m.bytes), m.bytes.length);
    *ret = m;
    return 0;
}

void manifest_fini(struct manifest *m)
{
    buf_fini(&m->bytes);
    *m = (struct manifest){0};
}

int manifest_check(const char *file, const char *bytes, size_t length, const char *pod,
                   struct err *e)
{
    OWNED(pool_free) struct pool *pool = pool_new();
    struct pod parsed = {0};
    int code = pod_parse(pool, file, bytes ? bytes : "", length, &parsed, e);
    if (code < 0)
        return code;
    if (strcmp(parsed.name, pod) != 0)
        return err_set(e, -EINVAL, "%s: is the manifest of pod %s; expected %s", file, parsed.name,
                       pod);
    return 0;
}

char *manifest_backup_path(const struct hand *h, const char *path)
{
    const char *name = strrchr(path, '/');
    return mem_printf(UNDO_FOLDER "/%s-%d/%s", h->incident, h->step, name ? name + 1 : path);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return mem_strndup(path, slash ? (size_t)(slash - path) : 0);
}

int manifest_backup(struct hand *h, const char *backup, const struct manifest *m, struct err *e)
{
    OWNED(free) char *folder = folder_of(backup);
    int code = folder_make(h->root, folder, 0700, e);
    if (code == 0)
        code =
            file_replace(h->root, backup, folder, buf_string(&m->bytes), m->bytes.length, NULL, e);
    OWNED(manifest_fini) struct manifest found = {0};
    if (code == 0)
        code = manifest_read(h->root, backup, &found, e);
    if (code == 0 && (!found.exists || !digest_equal(&found.digest, &m->digest)))
        code = err_set(e, -EIO, "%s: the copy isn't what was copied", backup);
    return code;
}

int manifest_backup_drop(struct hand *h, const char *backup, struct err *e)
{
    OWNED(free) char *folder = folder_of(backup);
    return folder_remove(h->root, folder, e);
}

json_t *manifest_owner_json(const struct file_owner *o)
{
    json_t *value = json_object();
    json_put(value, "mode", json_integer((json_int_t)(o->mode & 07777)));
    json_put(value, "uid", json_integer((json_int_t)o->uid));
    json_put(value, "gid", json_integer((json_int_t)o->gid));
    return value;
}

struct file_owner manifest_owner_of(const json_t *value)
{
    return (struct file_owner){.mode = (mode_t)json_get_int(value, "mode", 0600) & 07777,
                               .uid = (uid_t)json_get_int(value, "uid", 0),
                               .gid = (gid_t)json_get_int(value, "gid", 0)};
}

json_t *manifest_digest_json(bool exists, const struct digest *d)
{
    char hex[DIGEST_HEX + 1];
    return json_string_or_null(exists ? digest_hex(d, hex) : NULL);
}

bool manifest_is(const struct manifest *m, const json_t *digest)
{
    struct digest wanted;
    if (!json_is_string(digest))
        return json_is_null(digest) && !m->exists;
    return m->exists && digest_parse(json_string_value(digest), &wanted) == 0 &&
           digest_equal(&wanted, &m->digest);
}
