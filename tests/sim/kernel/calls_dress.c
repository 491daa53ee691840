/* Owner, mode, security label. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "kernel/calls.h"

/* 0 when this descriptor's inode may be dressed anew. */
static int dress_enter(const char *call, int fd, struct inode **ret)
{
    struct description *d;
    int code = call_enter(call, true, fd, &d);
    if (code == 0 && (d->flags & O_PATH))
        code = EBADF;
    if (code == 0 && d->files->read_only)
        code = EROFS;
    if (code == 0)
        *ret = d->inode;
    return code;
}

static void dress_tell(int fd)
{
    const struct description *d = descriptor_find(fd);
    inode_tell(d->files, d->inode, CHANGED_WRITTEN);
}

WRAP(int, fchmod, int fd, mode_t mode)
{
    if (!call_is_simulated(fd))
        return __real_fchmod(fd, mode);
    struct inode *i;
    int code = dress_enter("fchmod", fd, &i);
    if (code != 0)
        return call_end(code);
    i->dress.mode = mode & 07777;
    dress_tell(fd);
    return 0;
}

WRAP(int, fchown, int fd, uid_t uid, gid_t gid)
{
    if (!call_is_simulated(fd))
        return __real_fchown(fd, uid, gid);
    struct inode *i;
    int code = dress_enter("fchown", fd, &i);
    if (code != 0)
        return call_end(code);
    if (uid != (uid_t)-1)
        i->dress.uid = uid;
    if (gid != (gid_t)-1)
        i->dress.gid = gid;
    if (i->kind == INODE_FILE && (i->dress.mode & S_ISUID))
        i->dress.mode &= ~(mode_t)S_ISUID;
    if (i->kind == INODE_FILE && (i->dress.mode & S_IXGRP))
        i->dress.mode &= ~(mode_t)S_ISGID;
    dress_tell(fd);
    return 0;
}

static bool is_label(const char *name)
{
    return strcmp(name, "security.selinux") == 0;
}

WRAP(ssize_t, fgetxattr, int fd, const char *name, void *bytes, size_t room)
{
    if (!call_is_simulated(fd))
        return __real_fgetxattr(fd, name, bytes, room);
    struct description *d;
    int code = call_enter("fgetxattr", false, fd, &d);
    if (code == 0 && (d->flags & O_PATH))
        code = EBADF;
    if (code == 0 && !is_label(name))
        code = ENOTSUP;
    if (code == 0 && !d->inode->dress.label)
        code = ENODATA;
    if (code == 0 && room > 0 && room < d->inode->dress.label_length)
        code = ERANGE;
    if (code != 0)
        return call_end(code);
    if (room > 0)
        memcpy(bytes, d->inode->dress.label, d->inode->dress.label_length);
    return (ssize_t)d->inode->dress.label_length;
}

WRAP(int, fsetxattr, int fd, const char *name, const void *bytes, size_t length, int flags)
{
    if (!call_is_simulated(fd))
        return __real_fsetxattr(fd, name, bytes, length, flags);
    struct inode *i;
    int code = dress_enter("fsetxattr", fd, &i);
    if (code == 0 && !is_label(name))
        code = ENOTSUP;
    if (code == 0 && (flags & XATTR_CREATE) && i->dress.label)
        code = EEXIST;
    if (code == 0 && (flags & XATTR_REPLACE) && !i->dress.label)
        code = ENODATA;
    if (code != 0)
        return call_end(code);
    free(i->dress.label);
    i->dress.label = mem_resize(NULL, length);
    memcpy(i->dress.label, bytes, length);
    i->dress.label_length = length;
    dress_tell(fd);
    return 0;
}
