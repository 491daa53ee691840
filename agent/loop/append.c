#include "loop/append.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "loop/path.h"

struct append {
    int fd;
    char *path;
    uint64_t length, reserved_to; /* offsets */
    bool lost;
};

static struct append *append_new(int fd, const char *path, uint64_t length)
{
    struct append *a = mem_new(struct append);
    *a = (struct append){.fd = fd, .path = mem_strdup(path), .length = length};
    return a;
}

void append_close(struct append *a)
{
    if (!a)
        return;
    (void)close(a->fd);
    free(a->path);
    free(a);
}

int append_create(const struct root *r, const char *path, struct append **ret, struct err *e)
{
    const char *name;
    OWNED(fd_close) int folder = path_parent(r, path, &name, e);
    if (folder < 0)
        return folder;
    OWNED(fd_close)
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, errno, "%s: can't be created", path);
    int code = path_sync(folder, path, e);
    if (code < 0) {
        (void)unlinkat(folder, name, 0);
        return code;
    }
    *ret = append_new(TAKE_FD(fd), path, 0);
    return 0;
}

int append_open(const struct root *r, const char *path, struct append **ret, struct err *e)
{
    OWNED(fd_close) int fd = path_open(r, path, 0, O_RDWR | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0)
        return err_errno(e, -fd, "%s: can't be opened for appending", path);
    if (fstat(fd, &st) < 0)
        return err_errno(e, errno, "%s: can't be looked at", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, -EINVAL, "%s: not a regular file", path);
    *ret = append_new(TAKE_FD(fd), path, (uint64_t)st.st_size);
    return 0;
}

uint64_t append_length(const struct append *a)
{
    return a->length;
}

bool append_is_lost(const struct append *a)
{
    return a->lost;
}

static int full_or(int errnum)
{
    return errnum == EDQUOT || errnum == EFBIG ? ENOSPC : errnum;
}

static int refuse_lost(const struct append *a, struct err *e)
{
    return err_set(e, -EIO, "%s: an earlier write could not be made durable, this file is given up",
                   a->path);
}

/* 0 or an errno. */
static int reserve(struct append *a, uint64_t bytes)
{
    int r;
    do
        r = fallocate(a->fd, FALLOC_FL_KEEP_SIZE, (off_t)a->length, (off_t)bytes);
    while (r < 0 && errno == EINTR);
    if (r < 0 && errno != EOPNOTSUPP && errno != ENOSYS)
        return full_or(errno);
    a->reserved_to = a->length + bytes;
    return 0;
}

int append_reserve(struct append *a, uint64_t least, uint64_t ahead, struct err *e)
{
    assert(least <= ahead);
    if (a->lost)
        return refuse_lost(a, e);
    if (a->length + least <= a->reserved_to || reserve(a, ahead) == 0)
        return 0;
    int errnum = reserve(a, least);
    if (errnum == 0)
        return 0;
    return err_errno(e, errnum, "%s: no space for %llu bytes more", a->path,
                     (unsigned long long)least);
}

int append_write(struct append *a, const void *bytes, size_t length, struct err *e)
{
    if (a->lost)
        return refuse_lost(a, e);
    for (size_t done = 0; done < length;) {
        ssize_t n =
            pwrite(a->fd, (const char *)bytes + done, length - done, (off_t)(a->length + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        int errnum = n < 0 ? full_or(errno) : ENOSPC;
        if (ftruncate(a->fd, (off_t)a->length) < 0)
            a->lost = true;
        return err_errno(e, errnum, "%s: can't be written to", a->path);
    }
    a->length += length;
    return 0;
}

int append_sync(struct append *a, struct err *e)
{
    if (a->lost)
        return refuse_lost(a, e);
    /* EINTR too: nobody says what has reached the disk then. */
    if (fdatasync(a->fd) == 0)
        return 0;
    a->lost = true;
    return err_errno(e, errno, "%s: can't be made durable (fdatasync)", a->path);
}

static ssize_t write_at(int fd, const char *bytes, size_t length, uint64_t at)
{
    ssize_t n;
    do
        n = pwrite(fd, bytes, length, (off_t)at);
    while (n < 0 && errno == EINTR);
    return n;
}

static ssize_t read_at(int fd, char *bytes, size_t length, uint64_t at)
{
    ssize_t n;
    do
        n = pread(fd, bytes, length, (off_t)at);
    while (n < 0 && errno == EINTR);
    return n;
}

int append_again(struct append *a, uint64_t from, struct err *e)
{
    char bytes[8192];
    assert(from <= a->length);
    while (from < a->length) {
        uint64_t left = a->length - from;
        ssize_t n = read_at(a->fd, bytes, left < sizeof bytes ? (size_t)left : sizeof bytes, from);
        if (n > 0)
            n = write_at(a->fd, bytes, (size_t)n, from);
        if (n <= 0)
            return err_errno(e, n < 0 ? errno : EIO, "%s: can't be written again", a->path);
        from += (uint64_t)n;
    }
    return append_sync(a, e);
}

int append_cut(struct append *a, uint64_t length, struct err *e)
{
    assert(length <= a->length);
    if (a->lost)
        return refuse_lost(a, e);
    if (ftruncate(a->fd, (off_t)length) < 0)
        return err_errno(e, errno, "%s: can't be cut to %llu bytes", a->path,
                         (unsigned long long)length);
    a->length = a->reserved_to = length; /* what lay beyond is given back */
    if (fsync(a->fd) == 0)
        return 0;
    a->lost = true;
    return err_errno(e, errno, "%s: can't be made durable (fsync)", a->path);
}

void append_trim(struct append *a)
{
    /* Cutting to the same length frees what lies beyond; where it doesn't, nothing is hurt. */
    if (!a->lost && ftruncate(a->fd, (off_t)a->length) < 0)
        a->lost = true;
}
