/* Opening and closing. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "kernel/calls.h"

enum { UMASK = 022 };

static bool wants_write(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

/* What may not be opened so; 0 or an errno. */
static int open_refusal(const struct files *f, const struct inode *i, int flags)
{
    if ((flags & O_DIRECTORY) && i->kind != INODE_FOLDER)
        return ENOTDIR;
    if (flags & O_PATH)
        return 0;
    if (i->kind == INODE_LINK)
        return ELOOP;
    if (i->kind == INODE_FOLDER && wants_write(flags))
        return EISDIR;
    return wants_write(flags) && f->read_only ? EROFS : 0;
}

static struct inode *file_new(struct files *f, struct inode *folder, const char *name, mode_t mode)
{
    struct inode *i = inode_new(f, INODE_FILE, mode & 07777 & ~(mode_t)UMASK);
    step_add(f, folder, name, i);
    return i;
}

/* No file can be made where a folder's name is told. */
static int slash_refusal(const struct files *f, struct inode *start, const char *path, unsigned how)
{
    struct place p;
    int code = walk(f, start, path, (how & ~(unsigned)WALK_FOLLOW) | WALK_PARENT, &p);
    return code == 0 && p.has_slash ? EISDIR : 0;
}

/* Creates, or opens what is there. `*ret_is_new`. */
static int open_create(struct files *f, const struct place *p, int code, int flags, mode_t mode,
                       struct inode **ret, bool *ret_is_new)
{
    if (code == ENOENT && p->folder) {
        if (p->folder->parent == 0 && p->folder->number != ROOT_INODE)
            return ENOENT;
        if (f->read_only)
            return EROFS;
        *ret = file_new(f, p->folder, p->name, mode);
        *ret_is_new = true;
        return 0;
    }
    if (code != 0)
        return code;
    if (flags & O_EXCL)
        return EEXIST;
    *ret = p->inode;
    return p->inode->kind == INODE_FOLDER ? EISDIR : 0;
}

static void truncate_opened(struct files *f, struct inode *i)
{
    content_set_length(&i->content, 0);
    space_trim(f, i, 0);
    inode_touch(f, i);
    inode_tell(f, i, CHANGED_WRITTEN);
}

static bool is_boot_id(const struct inode *start, const char *path)
{
    path += strspn(path, "/");
    return start->number == ROOT_INODE && strcmp(path, "proc/sys/kernel/random/boot_id") == 0;
}

/* A descriptor, or an errno as negative number. */
static int open_below(struct files *f, struct inode *start, const char *path, int flags,
                      mode_t mode, unsigned how)
{
    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
        return -EINVAL;
    if (is_boot_id(start, path))
        return descriptor_open(f, start, flags, mem_printf("%s\n", kernel_boot_id()));
    bool creates = flags & O_CREAT;
    if (!(flags & O_NOFOLLOW) && !(creates && (flags & O_EXCL)))
        how |= WALK_FOLLOW;
    struct place p;
    int code = creates ? slash_refusal(f, start, path, how) : 0;
    if (code != 0)
        return -code;
    code = walk(f, start, path, how, &p);
    struct inode *i = p.inode;
    bool is_new = false;
    if (creates)
        code = open_create(f, &p, code, flags, mode, &i, &is_new);
    if (code == 0 && !is_new)
        code = open_refusal(f, i, flags);
    if (code != 0)
        return -code;
    /* First the descriptor: whoever hears of the change may change more. */
    int fd = descriptor_open(f, i, flags, NULL);
    if (is_new)
        folder_tell(f, p.folder, p.name, CHANGED_CREATED);
    else if ((flags & O_TRUNC) && i->kind == INODE_FILE)
        truncate_opened(f, i);
    return fd;
}

static int fd_end(int fd)
{
    if (fd >= 0)
        return fd;
    errno = -fd;
    return -1;
}

static int open_at(const char *call, int folder, const char *path, int flags, mode_t mode)
{
    struct files *f;
    struct inode *start;
    bool changes = !(flags & O_PATH) && (flags & (O_CREAT | O_TRUNC));
    int code = call_enter_at(call, changes, folder, path, &f, &start);
    return fd_end(code ? -code : open_below(f, start, path, flags, mode, 0));
}

static mode_t mode_argument(int flags, va_list *more)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(*more, mode_t) : 0;
}

WRAP(int, openat, int folder, const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_argument(flags, &more);
    va_end(more);
    if (!call_is_simulated_at(folder, path))
        return __real_openat(folder, path, flags, mode);
    return open_at("openat", folder, path, flags, mode);
}

WRAP(int, open, const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_argument(flags, &more);
    va_end(more);
    if (!call_is_simulated_at(AT_FDCWD, path))
        return __real_open(path, flags, mode);
    return open_at("open", AT_FDCWD, path, flags, mode);
}

static int how_refusal(const struct open_how *how, size_t size)
{
    const uint64_t known = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const uint64_t with_path = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (size != sizeof *how || (how->resolve & ~known) || (how->mode & ~(uint64_t)07777))
        return EINVAL;
    if (how->mode != 0 && !(how->flags & O_CREAT))
        return EINVAL;
    return (how->flags & O_PATH) && (how->flags & ~with_path) ? EINVAL : 0;
}

static int open_how(int folder, const char *path, const struct open_how *how, size_t size)
{
    struct files *f;
    struct inode *start;
    bool changes = how->flags & (O_CREAT | O_TRUNC);
    int code = call_enter_at("openat2", changes, folder, path, &f, &start);
    if (code == 0)
        code = how_refusal(how, size);
    if (code == 0 && (how->resolve & RESOLVE_IN_ROOT) && !descriptor_find(folder))
        code = EBADF;
    if (code != 0)
        return fd_end(-code);
    unsigned flags = 0;
    if (how->resolve & RESOLVE_IN_ROOT)
        flags |= WALK_IN_ROOT;
    if (how->resolve & RESOLVE_NO_SYMLINKS)
        flags |= WALK_NO_LINKS;
    return fd_end(open_below(f, start, path, (int)how->flags, (mode_t)how->mode, flags));
}

WRAP(long, syscall, long number, ...)
{
    va_list more;
    va_start(more, number);
    long a[6];
    for (size_t i = 0; i < 6; i++)
        a[i] = va_arg(more, long);
    va_end(more);
    if (number == SYS_openat2 && call_is_simulated_at((int)a[0], (const char *)a[1]))
        return open_how((int)a[0], (const char *)a[1], (const struct open_how *)a[2], (size_t)a[3]);
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

WRAP(int, close, int fd)
{
    if (!call_is_simulated(fd))
        return __real_close(fd);
    struct description *d;
    int code = call_enter("close", false, fd, &d);
    /* Closed also when that failed (close(2)). */
    return descriptor_close(fd) ? call_end(code) : call_end(EBADF);
}

WRAP(int, dup, int fd)
{
    if (!call_is_simulated(fd))
        return __real_dup(fd);
    struct description *d;
    int code = call_enter("dup", false, fd, &d);
    return fd_end(code ? -code : descriptor_dup(d));
}

WRAP(int, fcntl, int fd, int command, ...)
{
    va_list more;
    va_start(more, command);
    long argument = va_arg(more, long);
    va_end(more);
    if (!call_is_simulated(fd))
        return __real_fcntl(fd, command, argument);
    struct description *d;
    int code = call_enter("fcntl", false, fd, &d);
    if (code != 0)
        return call_end(code);
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return descriptor_dup(d);
    case F_GETFD:
        return FD_CLOEXEC;
    case F_SETFD:
        return 0;
    case F_GETFL:
        return d->flags & ~(O_CLOEXEC | O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY);
    default:
        return call_end(EINVAL);
    }
}

WRAP(int, flock, int fd, int operation)
{
    if (!call_is_simulated(fd))
        return __real_flock(fd, operation);
    struct description *d;
    int code = call_enter("flock", false, fd, &d);
    if (code == 0 && (d->flags & O_PATH))
        code = EBADF;
    return call_end(code ? code : lock_take(fd, operation));
}
