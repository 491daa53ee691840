#include "loop/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "loop/path.h"

enum { READ_BYTES = 64 * 1024 };

int root_open(const char *path, struct root **ret, struct err *e)
{
    if (path[0] != '/')
        return err_set(e, -EINVAL, "root %s: not an absolute path", path);
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, errno, "root %s: can't be opened", path);
    struct stat here, host;
    if (fstat(fd, &here) < 0 || stat("/", &host) < 0) {
        int errnum = errno;
        (void)close(fd);
        return err_errno(e, errnum, "root %s: can't be looked at", path);
    }
    struct root *r = mem_new(struct root);
    *r = (struct root){.fd = fd,
                       .path = mem_strdup(path),
                       .is_host = here.st_dev == host.st_dev && here.st_ino == host.st_ino};
    *ret = r;
    return 0;
}

void root_free(struct root *r)
{
    if (!r)
        return;
    (void)close(r->fd);
    free(r->path);
    free(r);
}

static struct file_status status_of(const struct stat *st)
{
    return (struct file_status){
        .exists = true,
        .is_regular = S_ISREG(st->st_mode),
        .is_folder = S_ISDIR(st->st_mode),
        .is_link = S_ISLNK(st->st_mode),
        .size_bytes = (uint64_t)st->st_size,
        .mode = st->st_mode & 07777,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .device = st->st_dev,
        .inode = st->st_ino,
        .changed_usec = (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000,
    };
}

int file_status(const struct root *r, const char *path, int flags, struct file_status *ret,
                struct err *e)
{
    OWNED(fd_close)
    int fd = path_open(r, path, flags, flags & FILE_FOLLOW ? O_PATH : O_PATH | O_NOFOLLOW);
    if (fd == -ENOENT || fd == -ENOTDIR) {
        *ret = (struct file_status){0};
        return 0;
    }
    struct stat st;
    if (fd < 0)
        return err_errno(e, -fd, "%s: can't be looked at", path);
    if (fstat(fd, &st) < 0)
        return err_errno(e, errno, "%s: can't be looked at", path);
    *ret = status_of(&st);
    return 0;
}

int file_open(const struct root *r, const char *path, int flags, struct err *e)
{
    /* O_NONBLOCK: a FIFO that somebody put there must not hang us. */
    OWNED(fd_close) int fd = path_open(r, path, flags, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0)
        return err_errno(e, -fd, "%s: can't be opened", path);
    if (fstat(fd, &st) < 0)
        return err_errno(e, errno, "%s: can't be looked at", path);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return err_set(e, -EINVAL, "%s: neither a regular file nor a folder", path);
    return TAKE_FD(fd);
}

static int regular_open(const struct root *r, const char *path, int flags, struct stat *ret_st,
                        struct err *e)
{
    OWNED(fd_close) int fd = file_open(r, path, flags, e);
    if (fd < 0)
        return fd;
    if (fstat(fd, ret_st) < 0)
        return err_errno(e, errno, "%s: can't be looked at", path);
    if (!S_ISREG(ret_st->st_mode))
        return err_set(e, -EISDIR, "%s: not a regular file", path);
    return TAKE_FD(fd);
}

/* Hands on what `fd` holds from where it stands; stops when `each` says < 0. */
static int bytes_each(int fd, const char *path, int (*each)(void *context, const void *, size_t),
                      void *context, struct err *e)
{
    OWNED(free) char *bytes = mem_alloc(READ_BYTES);
    for (;;) {
        ssize_t got = read(fd, bytes, READ_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(e, errno, "%s: can't be read", path);
        if (got == 0)
            return 0;
        int code = each(context, bytes, (size_t)got);
        if (code < 0)
            return code;
    }
}

struct bounded {
    struct buf *buf;
    size_t limit;
};

static int bounded_add(void *context, const void *bytes, size_t length)
{
    struct bounded *b = context;
    if (length > b->limit - b->buf->length)
        return -EFBIG;
    buf_add(b->buf, bytes, length);
    return 0;
}

int file_read(const struct root *r, const char *path, int flags, size_t limit_bytes,
              struct buf *ret, struct err *e)
{
    struct stat st;
    OWNED(fd_close) int fd = regular_open(r, path, flags, &st, e);
    if (fd < 0)
        return fd;
    OWNED(buf_fini) struct buf bytes = {0};
    int code = bytes_each(fd, path, bounded_add, &(struct bounded){&bytes, limit_bytes}, e);
    if (code == -EFBIG)
        return err_set(e, code, "%s: larger than %zu bytes", path, limit_bytes);
    if (code < 0)
        return code;
    *ret = bytes;
    bytes = (struct buf){0};
    return 0;
}

int file_tail(const struct root *r, const char *path, int flags, size_t limit_bytes,
              struct buf *ret, struct err *e)
{
    struct stat st;
    OWNED(fd_close) int fd = regular_open(r, path, flags, &st, e);
    if (fd < 0)
        return fd;
    if ((uint64_t)st.st_size > limit_bytes &&
        lseek(fd, st.st_size - (off_t)limit_bytes, SEEK_SET) < 0)
        return err_errno(e, errno, "%s: can't be read", path);
    OWNED(buf_fini) struct buf bytes = {0};
    int code = bytes_each(fd, path, bounded_add, &(struct bounded){&bytes, limit_bytes}, e);
    /* -EFBIG: it grew while we read; we have what was its end. */
    if (code < 0 && code != -EFBIG)
        return code;
    *ret = bytes;
    bytes = (struct buf){0};
    return 0;
}

static int digest_take(void *context, const void *bytes, size_t length)
{
    digest_add(context, bytes, length);
    return 0;
}

int file_digest(const struct root *r, const char *path, int flags, struct digest *ret,
                struct err *e)
{
    struct stat st;
    OWNED(fd_close) int fd = regular_open(r, path, flags, &st, e);
    if (fd < 0)
        return fd;
    struct digest_run *run = digest_begin();
    int code = bytes_each(fd, path, digest_take, run, e);
    struct digest d = digest_end(run);
    if (code < 0)
        return code;
    *ret = d;
    return 0;
}

static int folders_sync(int a, const char *a_path, int b, const char *b_path, struct err *e)
{
    int code = path_sync(a, a_path, e);
    return code < 0 ? code : path_sync(b, b_path, e);
}

int file_move(const struct root *r, const char *from, const char *to, struct err *e)
{
    const char *from_name, *to_name;
    OWNED(fd_close) int from_fd = path_parent(r, from, &from_name, e);
    if (from_fd < 0)
        return from_fd;
    OWNED(fd_close) int to_fd = path_parent(r, to, &to_name, e);
    if (to_fd < 0)
        return to_fd;
    struct stat st;
    if (fstatat(from_fd, from_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(e, errno, "%s: can't be moved", from);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return err_set(e, -ELOOP, "%s: not moved: neither a regular file nor a folder", from);
    if (renameat2(from_fd, from_name, to_fd, to_name, RENAME_NOREPLACE) < 0)
        return err_errno(e, errno, "%s: can't be moved to %s", from, to);
    return folders_sync(to_fd, to, from_fd, from, e);
}

int file_remove(const struct root *r, const char *path, struct err *e)
{
    const char *name;
    struct file_status st;
    int code = file_status(r, path, 0, &st, e);
    if (code < 0 || !st.exists)
        return code;
    OWNED(fd_close) int fd = path_parent(r, path, &name, e);
    if (fd < 0)
        return fd;
    if (unlinkat(fd, name, 0) < 0 && errno != ENOENT)
        return err_errno(e, errno, "%s: can't be removed", path);
    return path_sync(fd, path, e);
}
