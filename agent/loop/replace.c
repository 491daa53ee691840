/* Replacing and creating files so that a crash can't hurt: the whole new file is made and made
 * durable in the stage under a temporary name, and only then is it renamed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/mem.h"
#include "loop/file.h"
#include "loop/path.h"

enum { TEMPORARY_NAME = 32, LABEL_BYTES = 1024, PART_BYTES = 64 * 1024 };

/* What is being written. */
struct draft {
    int stage, folder; /* descriptors */
    const char *name;  /* in the folder */
    const char *path;  /* for messages */
    char temporary[TEMPORARY_NAME];
    const void *bytes;
    size_t length;
};

static int draft_open(struct draft *d, struct err *e)
{
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return err_errno(e, errno, "%s: no random name", d->path);
    (void)snprintf(d->temporary, sizeof d->temporary, FILE_TEMPORARY "%016llx",
                   (unsigned long long)number);
    int fd =
        openat(d->stage, d->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, errno, "%s: can't be written in the stage", d->path);
    return fd;
}

static int draft_write(const struct draft *d, int fd, struct err *e)
{
    for (size_t at = 0; at < d->length;) {
        ssize_t put = write(fd, (const char *)d->bytes + at, d->length - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_errno(e, errno, "%s: can't be written", d->path);
        at += (size_t)put;
    }
    return 0;
}

/* The file that is replaced hands its SELinux label on; elsewhere there is none. */
static int draft_label(const struct draft *d, int fd, struct err *e)
{
    OWNED(fd_close)
    int old = openat(d->folder, d->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (old < 0)
        return 0;
    char label[LABEL_BYTES];
    ssize_t length = fgetxattr(old, "security.selinux", label, sizeof label);
    if (length <= 0)
        return 0;
    if (fsetxattr(fd, "security.selinux", label, (size_t)length, 0) < 0 && errno != ENOTSUP)
        return err_errno(e, errno, "%s: the security label can't be set", d->path);
    return 0;
}

static int draft_dress(const struct draft *d, int fd, const struct file_owner *like, struct err *e)
{
    if (like && fchown(fd, like->uid, like->gid) < 0)
        return err_errno(e, errno, "%s: owner %u:%u can't be set", d->path, like->uid, like->gid);
    if (like && fchmod(fd, like->mode & 07777) < 0)
        return err_errno(e, errno, "%s: mode %04o can't be set", d->path, like->mode & 07777);
    return draft_label(d, fd, e);
}

/* Reads back what the file holds now. */
static int draft_verify(const struct draft *d, int fd, struct err *e)
{
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    struct digest_run *run = digest_begin();
    OWNED(free) char *part = mem_alloc(PART_BYTES);
    off_t at = 0;
    ssize_t got;
    while ((got = pread(fd, part, PART_BYTES, at)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        digest_add(run, part, (size_t)got);
        at += got;
    }
    int errnum = errno;
    struct digest found = digest_end(run), wanted = digest_of(d->bytes, d->length);
    if (got < 0)
        return err_errno(e, errnum, "%s: can't be read back", d->path);
    if (!digest_equal(&found, &wanted))
        return err_set(e, -EIO, "%s: read back other bytes than were written", d->path);
    return 0;
}

/* The whole file under its temporary name, durable. */
static int draft_make(struct draft *d, const struct file_owner *like, struct err *e)
{
    int fd = draft_open(d, e);
    if (fd < 0)
        return fd;
    int code = draft_write(d, fd, e);
    if (code == 0)
        code = draft_dress(d, fd, like, e);
    if (code == 0)
        code = path_sync(fd, d->path, e);
    if (code == 0)
        code = draft_verify(d, fd, e);
    if (close(fd) < 0 && code == 0)
        code = err_errno(e, errno, "%s: can't be closed", d->path);
    return code;
}

/* What is there right before the rename: making the draft took its time. */
static int draft_check(const struct root *r, const struct draft *d, const struct digest *expected,
                       struct err *e)
{
    struct stat st;
    struct digest found;
    if (fstatat(d->folder, d->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
        return err_set(e, -ELOOP, "%s: not replaced: it is not a regular file", d->path);
    int code = expected ? file_digest(r, d->path, 0, &found, e) : 0;
    if (code == 0 && expected && !digest_equal(&found, expected))
        return err_set(e, -ESTALE, "%s: not replaced: somebody changed it meanwhile", d->path);
    return code;
}

static int draft_publish(const struct draft *d, unsigned flags, struct err *e)
{
    if (renameat2(d->stage, d->temporary, d->folder, d->name, flags) < 0)
        return err_errno(e, errno, "%s: can't be renamed to from the stage", d->path);
    int code = path_sync(d->folder, d->path, e);
    return code < 0 ? code : path_sync(d->stage, d->path, e);
}

static int file_write(const struct root *r, const char *path, const char *stage, const void *bytes,
                      size_t length, const struct file_owner *like, const struct digest *expected,
                      unsigned flags, struct err *e)
{
    const char *name;
    OWNED(fd_close) int folder = path_parent(r, path, &name, e);
    if (folder < 0)
        return folder;
    OWNED(fd_close) int stage_fd = path_open(r, stage, 0, O_RDONLY | O_DIRECTORY);
    if (stage_fd < 0)
        return err_errno(e, -stage_fd, "%s: the stage can't be opened", stage);
    struct draft d = {.stage = stage_fd,
                      .folder = folder,
                      .name = name,
                      .path = path,
                      .bytes = bytes,
                      .length = length};
    int code = draft_make(&d, like, e);
    if (code == 0)
        code = draft_check(r, &d, expected, e);
    if (code == 0)
        code = draft_publish(&d, flags, e);
    /* After the rename nothing is there to unlink any more. */
    if (code < 0 && d.temporary[0] != '\0')
        (void)unlinkat(stage_fd, d.temporary, 0);
    return code;
}

int file_replace(const struct root *r, const char *path, const char *stage, const void *bytes,
                 size_t length, const struct file_owner *like, struct err *e)
{
    return file_write(r, path, stage, bytes, length, like, NULL, 0, e);
}

int file_replace_same(const struct root *r, const char *path, const char *stage, const void *bytes,
                      size_t length, const struct file_owner *like, const struct digest *expected,
                      struct err *e)
{
    return file_write(r, path, stage, bytes, length, like, expected, 0, e);
}

int file_create(const struct root *r, const char *path, const char *stage, const void *bytes,
                size_t length, const struct file_owner *like, struct err *e)
{
    return file_write(r, path, stage, bytes, length, like, NULL, RENAME_NOREPLACE, e);
}
