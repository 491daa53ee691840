/* Files below a root, safely: every path is resolved below the root's descriptor by
 * openat2(2) (RESOLVE_IN_ROOT, no magic links; no symbolic links at all where
 * something is changed), and every change is durable when the function returns.
 *
 *   replace   written to a temporary name in `stage` (same file system), all bytes,
 *             owner, mode, security label; fsync, close checked, digest read back,
 *             renamed over the target; both folders fsynced. A crash leaves the old file
 *             or the new one, and at most a temporary file in the stage.
 *   move      renameat2(RENAME_NOREPLACE), both folders fsynced. EXDEV is an error.
 *
 * Without the fsync of the folder a rename can be undone by a power cut. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/own.h"

struct root {
    int fd;
    char *path;   /* as given, absolute */
    bool is_host; /* it is "/" */
};

int root_open(const char *path, struct root **ret, struct err *e);
void root_free(struct root *r);
OWNER(struct root, root_free);

enum file_flags {
    FILE_FOLLOW = 1, /* symbolic links below the root may be followed (reading only) */
};

struct file_status {
    bool exists, is_regular, is_folder, is_link;
    uint64_t size_bytes;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    uint64_t device, inode;
    int64_t changed_usec; /* wall clock mtime */
};

/* Absent is a status, not an error. */
int file_status(const struct root *r, const char *path, int flags, struct file_status *ret,
                struct err *e);

/* Reads a regular file of at most `limit_bytes` (more: -EFBIG). Errors name the path. */
int file_read(const struct root *r, const char *path, int flags, size_t limit_bytes,
              struct buf *ret, struct err *e);
int file_digest(const struct root *r, const char *path, int flags, struct digest *ret,
                struct err *e);
/* The last `limit_bytes` of a regular file, or all of it when it is shorter (logs). */
int file_tail(const struct root *r, const char *path, int flags, size_t limit_bytes,
              struct buf *ret, struct err *e);
/* An open, read-only descriptor (close-on-exec) of a regular file or folder, for handing on. */
int file_open(const struct root *r, const char *path, int flags, struct err *e);

/* Sorted names of a folder's entries, without "." and "..". */
struct names {
    char **at;
    size_t count, room;
};
void names_fini(struct names *n);
int folder_list(const struct root *r, const char *path, struct names *ret, struct err *e);

/* Makes the folder and its missing parents (mode for the new ones), durably. */
int folder_make(const struct root *r, const char *path, mode_t mode, struct err *e);
/* Removes a folder of our own and all in it, durably; absent is success. Links are removed, never
 * followed; deeper than 16 folders is -ELOOP. */
int folder_remove(const struct root *r, const char *path, struct err *e);

struct file_owner {
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

/* What the names of unfinished files in a stage begin with. A leftover of a crash is
 * never needed: act/recover.h removes it. */
#define FILE_TEMPORARY ".new-"

/* `like` NULL: mode 0600, our own ids. `stage` is a folder on the same file system. */
int file_replace(const struct root *r, const char *path, const char *stage, const void *bytes,
                 size_t length, const struct file_owner *like, struct err *e);
/* As file_replace, but -ESTALE when what is there right before the rename isn't `expected`: an edit
 * that somebody makes meanwhile isn't lost, but for the instant between that look and the rename.
 */
int file_replace_same(const struct root *r, const char *path, const char *stage, const void *bytes,
                      size_t length, const struct file_owner *like, const struct digest *expected,
                      struct err *e);
/* As file_replace, but -EEXIST when the target is there. */
int file_create(const struct root *r, const char *path, const char *stage, const void *bytes,
                size_t length, const struct file_owner *like, struct err *e);
int file_move(const struct root *r, const char *from, const char *to, struct err *e);
/* Unlinks durably; absent is success. */
int file_remove(const struct root *r, const char *path, struct err *e);

/* Takes the one lock at `path` (flock, created 0600): 0, or -EBUSY when another
 * process has it. The descriptor holds it; children of a fork share it. */
int file_lock(const struct root *r, const char *path, int *ret_fd, struct err *e);
/* As file_lock, but waits for it, until `until_usec` of the boot clock: -ETIMEDOUT then. Not
 * in the loop: it blocks. */
int file_lock_wait(const struct root *r, const char *path, uint64_t until_usec, int *ret_fd,
                   struct err *e);

static inline void names_fini_owned(struct names *n)
{
    names_fini(n);
}
