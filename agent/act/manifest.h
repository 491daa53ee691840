/* A manifest as steps handle it: its bytes with their digest and owner, whether these are a
 * complete manifest of that pod, and a backup of them at a place that a plan can name. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/json.h"
#include "config/yaml.h"
#include "loop/file.h"

struct hand;

enum { MANIFEST_BYTES_MAX = YAML_FILE_BYTES_MAX };

struct manifest {
    bool exists;
    struct buf bytes;
    struct digest digest;
    struct file_owner owner;
};

/* Absent is a status. What is there and not a regular file of at most MANIFEST_BYTES_MAX is an
 * error. */
int manifest_read(const struct root *root, const char *path, struct manifest *ret, struct err *e);
void manifest_fini(struct manifest *m);

/* Are these bytes a complete manifest (config/pod.h) of the pod `pod`? 0, or -EINVAL with what is
 * wrong. `file` is its name in messages. */
int manifest_check(const char *file, const char *bytes, size_t length, const char *pod,
                   struct err *e);

/* Where the hand's step keeps what it may have to put back:
 * /var/lib/planeguard/undo/<incident>-<step>/<last part of `path`>. The caller's to free(). */
char *manifest_backup_path(const struct hand *h, const char *path);
/* Writes the copy (0600), reads it again and compares. An older one there is replaced. */
int manifest_backup(struct hand *h, const char *backup, const struct manifest *m, struct err *e);
/* Removes the copy's folder. */
int manifest_backup_drop(struct hand *h, const char *backup, struct err *e);

/* {"mode": 384, "uid": 0, "gid": 0} and back. */
json_t *manifest_owner_json(const struct file_owner *o);
struct file_owner manifest_owner_of(const json_t *value);

/* Text for a digest in plans: hex, or null when `exists` is false. */
json_t *manifest_digest_json(bool exists, const struct digest *d);
/* Is the manifest as the digest in a plan says? null: absent. */
bool manifest_is(const struct manifest *m, const json_t *digest);

static inline void manifest_fini_owned(struct manifest *m)
{
    manifest_fini(m);
}
