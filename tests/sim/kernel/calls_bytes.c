/* Reading, writing, making durable. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "kernel/calls.h"

/* ext4's, with blocks of 4 KiB. */
static const uint64_t FILE_LENGTH_MAX = (1ULL << 44) - 4096;

static ssize_t read_at(const struct description *d, void *bytes, size_t length, uint64_t offset)
{
    const char *from = d->text;
    uint64_t end = from ? strlen(from) : d->inode->content.length;
    if (!from)
        from = content_at(&d->inode->content);
    if (offset >= end)
        return 0;
    if (length > end - offset)
        length = (size_t)(end - offset);
    memcpy(bytes, from + offset, length);
    return (ssize_t)length;
}

static int read_refusal(const struct description *d)
{
    if ((d->flags & O_PATH) || (d->flags & O_ACCMODE) == O_WRONLY)
        return EBADF;
    return d->inode->kind == INODE_FOLDER && !d->text ? EISDIR : 0;
}

WRAP(ssize_t, read, int fd, void *bytes, size_t length)
{
    if (!call_is_simulated(fd))
        return __real_read(fd, bytes, length);
    struct description *d;
    int code = call_enter("read", false, fd, &d);
    if (code == 0)
        code = read_refusal(d);
    if (code != 0)
        return call_end(code);
    ssize_t got = read_at(d, bytes, length, d->position);
    d->position += (uint64_t)got;
    return got;
}

WRAP(ssize_t, pread, int fd, void *bytes, size_t length, off_t offset)
{
    if (!call_is_simulated(fd))
        return __real_pread(fd, bytes, length, offset);
    struct description *d;
    int code = call_enter("pread", false, fd, &d);
    if (code == 0)
        code = offset < 0 ? EINVAL : read_refusal(d);
    return code ? call_end(code) : read_at(d, bytes, length, (uint64_t)offset);
}

static int write_refusal(const struct description *d)
{
    if ((d->flags & O_PATH) || (d->flags & O_ACCMODE) == O_RDONLY)
        return EBADF;
    return 0;
}

/* A regular file's room from its beginning to `end`: how far there is some. */
static uint64_t room_until(struct files *f, struct inode *i, uint64_t end)
{
    if (end > i->content.allocated)
        i->content.allocated += space_take(f, end - i->content.allocated);
    return end < i->content.allocated ? end : i->content.allocated;
}

static ssize_t write_at(const struct description *d, const void *bytes, size_t length,
                        uint64_t offset)
{
    struct inode *i = d->inode;
    struct files *f = d->files;
    if (length == 0)
        return 0;
    if (f->read_only)
        return call_end(EROFS);
    if (offset >= FILE_LENGTH_MAX)
        return call_end(EFBIG);
    if (length > FILE_LENGTH_MAX - offset)
        length = (size_t)(FILE_LENGTH_MAX - offset);
    size_t taken = kernel_write_length(length);
    uint64_t until = room_until(f, i, offset + taken);
    if (until <= offset)
        return call_end(ENOSPC);
    taken = (size_t)(until - offset);
    content_write(&i->content, offset, bytes, taken);
    inode_touch(f, i);
    inode_tell(f, i, CHANGED_WRITTEN);
    return (ssize_t)taken;
}

WRAP(ssize_t, write, int fd, const void *bytes, size_t length)
{
    if (!call_is_simulated(fd))
        return __real_write(fd, bytes, length);
    struct description *d;
    int code = call_enter("write", true, fd, &d);
    if (code == 0)
        code = write_refusal(d);
    if (code != 0)
        return call_end(code);
    uint64_t offset = d->flags & O_APPEND ? d->inode->content.length : d->position;
    ssize_t put = write_at(d, bytes, length, offset);
    if (put > 0)
        d->position = offset + (uint64_t)put;
    return put;
}

WRAP(ssize_t, pwrite, int fd, const void *bytes, size_t length, off_t offset)
{
    if (!call_is_simulated(fd))
        return __real_pwrite(fd, bytes, length, offset);
    struct description *d;
    int code = call_enter("pwrite", true, fd, &d);
    if (code == 0)
        code = offset < 0 ? EINVAL : write_refusal(d);
    if (code != 0)
        return call_end(code);
    /* pwrite(2), BUGS: with O_APPEND it appends. */
    uint64_t at = d->flags & O_APPEND ? d->inode->content.length : (uint64_t)offset;
    return write_at(d, bytes, length, at);
}

WRAP(off_t, lseek, int fd, off_t offset, int whence)
{
    if (!call_is_simulated(fd))
        return __real_lseek(fd, offset, whence);
    struct description *d;
    int code = call_enter("lseek", false, fd, &d);
    if (code == 0 && (d->flags & O_PATH))
        code = EBADF;
    if (code != 0)
        return call_end(code);
    off_t base = 0;
    if (whence == SEEK_CUR)
        base = (off_t)d->position;
    else if (whence == SEEK_END)
        base = (off_t)d->inode->content.length;
    else if (whence != SEEK_SET)
        return call_end(EINVAL);
    if (base + offset < 0)
        return call_end(EINVAL);
    d->position = (uint64_t)(base + offset);
    return base + offset;
}

static int sync_inode(struct files *f, struct inode *i, bool is_whole)
{
    if (i->kind == INODE_FOLDER)
        steps_sync_folder(f, i);
    bool some = content_sync(&i->content);
    if (is_whole && !dress_equal(&i->dress, &i->kept_dress)) {
        dress_copy(&i->kept_dress, &i->dress);
        some = true;
    }
    if (some && i->kind == INODE_FILE)
        inode_tell(f, i, CHANGED_SYNCED);
    return 0;
}

static int sync_call(const char *call, int fd, bool is_whole)
{
    struct description *d;
    int code = call_enter(call, true, fd, &d);
    if (d && (d->flags & O_PATH))
        return call_end(EBADF);
    if (d && (code == EIO || code == ENOSPC || code == EDQUOT))
        content_sync_failed(&d->inode->content);
    if (code == 0 && d->files->read_only)
        code = d->inode->content.pending.count > 0 ? EROFS : 0;
    else if (code == 0)
        code = sync_inode(d->files, d->inode, is_whole);
    return call_end(code);
}

WRAP(int, fsync, int fd)
{
    return call_is_simulated(fd) ? sync_call("fsync", fd, true) : __real_fsync(fd);
}

WRAP(int, fdatasync, int fd)
{
    return call_is_simulated(fd) ? sync_call("fdatasync", fd, false) : __real_fdatasync(fd);
}

WRAP(int, ftruncate, int fd, off_t length)
{
    if (!call_is_simulated(fd))
        return __real_ftruncate(fd, length);
    struct description *d;
    int code = call_enter("ftruncate", true, fd, &d);
    if (code != 0)
        return call_end(code);
    if (length < 0)
        return call_end(EINVAL);
    if (d->flags & O_PATH)
        return call_end(EBADF);
    if (d->inode->kind != INODE_FILE || (d->flags & O_ACCMODE) == O_RDONLY)
        return call_end(EINVAL);
    if (d->files->read_only)
        return call_end(EROFS);
    if ((uint64_t)length > FILE_LENGTH_MAX)
        return call_end(EFBIG);
    content_set_length(&d->inode->content, (uint64_t)length);
    space_trim(d->files, d->inode, (uint64_t)length);
    inode_touch(d->files, d->inode);
    inode_tell(d->files, d->inode, CHANGED_WRITTEN);
    return 0;
}

static int fallocate_below(const struct description *d, int mode, off_t offset, off_t length)
{
    if (d->flags & O_PATH)
        return EBADF;
    if (offset < 0 || length <= 0)
        return EINVAL;
    if (mode & ~FALLOC_FL_KEEP_SIZE)
        return EOPNOTSUPP;
    int code = write_refusal(d);
    if (code != 0)
        return code;
    if (d->files->read_only)
        return EROFS;
    struct inode *i = d->inode;
    uint64_t end = (uint64_t)offset + (uint64_t)length, before = i->content.allocated;
    if (end > FILE_LENGTH_MAX)
        return EFBIG;
    if (room_until(d->files, i, end) < end) {
        space_trim(d->files, i, before);
        return ENOSPC;
    }
    if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i->content.length)
        content_set_length(&i->content, end);
    return 0;
}

WRAP(int, fallocate, int fd, int mode, off_t offset, off_t length)
{
    if (!call_is_simulated(fd))
        return __real_fallocate(fd, mode, offset, length);
    struct description *d;
    int code = call_enter("fallocate", true, fd, &d);
    return call_end(code ? code : fallocate_below(d, mode, offset, length));
}

WRAP(int, posix_fadvise, int fd, off_t offset, off_t length, int advice)
{
    if (!call_is_simulated(fd))
        return __real_posix_fadvise(fd, offset, length, advice);
    struct description *d;
    int code = call_enter("fadvise64", false, fd, &d);
    return code == 0 && (d->flags & O_PATH) ? EBADF : code;
}
