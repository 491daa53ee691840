/* Names: looking, listing, making, renaming, removing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "kernel/calls.h"

enum { BLOCK_BYTES = 4096, UMASK = 022, DEVICE = 0x5150 };

/* ---- looking ---- */

static void stat_fill(const struct inode *i, struct stat *ret)
{
    static const mode_t kinds[] = {
        [INODE_FILE] = S_IFREG, [INODE_FOLDER] = S_IFDIR, [INODE_LINK] = S_IFLNK};
    uint64_t size = i->content.length;
    if (i->kind == INODE_LINK)
        size = strlen(i->target);
    else if (i->kind == INODE_FOLDER)
        size = BLOCK_BYTES;
    struct timespec changed = {.tv_sec = (time_t)(i->changed_usec / 1000000),
                               .tv_nsec = (long)(i->changed_usec % 1000000 * 1000)};
    *ret = (struct stat){.st_dev = DEVICE,
                         .st_ino = i->number,
                         .st_mode = kinds[i->kind] | i->dress.mode,
                         .st_nlink = i->parent != 0 || i->number == ROOT_INODE,
                         .st_uid = i->dress.uid,
                         .st_gid = i->dress.gid,
                         .st_size = (off_t)size,
                         .st_blksize = BLOCK_BYTES,
                         .st_blocks = (blkcnt_t)((i->content.allocated + 511) / 512),
                         .st_mtim = changed,
                         .st_ctim = changed,
                         .st_atim = changed};
}

WRAP(int, fstat, int fd, struct stat *ret)
{
    if (!call_is_simulated(fd))
        return __real_fstat(fd, ret);
    struct description *d;
    int code = call_enter("fstat", false, fd, &d);
    if (code != 0)
        return call_end(code);
    stat_fill(d->inode, ret);
    if (d->text)
        ret->st_mode = S_IFREG | 0444;
    return 0;
}

static int stat_at(const char *call, int folder, const char *path, struct stat *ret, int flags)
{
    struct files *f;
    struct inode *start;
    struct place p;
    int code = call_enter_at(call, false, folder, path, &f, &start);
    if (code != 0)
        return call_end(code);
    if (path[0] == '\0' && (flags & AT_EMPTY_PATH)) {
        stat_fill(start, ret);
        return 0;
    }
    code = walk(f, start, path, flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW, &p);
    if (code != 0)
        return call_end(code);
    stat_fill(p.inode, ret);
    return 0;
}

WRAP(int, fstatat, int folder, const char *path, struct stat *ret, int flags)
{
    if (!call_is_simulated_at(folder, path))
        return __real_fstatat(folder, path, ret, flags);
    return stat_at("newfstatat", folder, path, ret, flags);
}

WRAP(int, stat, const char *path, struct stat *ret)
{
    if (!call_is_simulated_at(AT_FDCWD, path))
        return __real_stat(path, ret);
    return stat_at("stat", AT_FDCWD, path, ret, 0);
}

WRAP(int, lstat, const char *path, struct stat *ret)
{
    if (!call_is_simulated_at(AT_FDCWD, path))
        return __real_lstat(path, ret);
    return stat_at("lstat", AT_FDCWD, path, ret, AT_SYMLINK_NOFOLLOW);
}

WRAP(ssize_t, readlinkat, int folder, const char *path, char *text, size_t room)
{
    if (!call_is_simulated_at(folder, path))
        return __real_readlinkat(folder, path, text, room);
    struct files *f;
    struct inode *start;
    struct place p = {0};
    int code = call_enter_at("readlinkat", false, folder, path, &f, &start);
    if (code == 0 && room == 0)
        code = EINVAL;
    if (code == 0 && path[0] == '\0') {
        p.inode = start;
        code = start->kind == INODE_LINK ? 0 : ENOENT;
    } else if (code == 0) {
        code = walk(f, start, path, 0, &p);
    }
    if (code == 0 && p.inode->kind != INODE_LINK)
        code = EINVAL;
    if (code != 0)
        return call_end(code);
    size_t length = strlen(p.inode->target);
    if (length > room)
        length = room;
    memcpy(text, p.inode->target, length);
    return (ssize_t)length;
}

/* ---- listing ---- */

WRAP(DIR *, fdopendir, int fd)
{
    if (!call_is_simulated(fd))
        return __real_fdopendir(fd);
    struct description *d;
    int code = call_enter("fdopendir", false, fd, &d);
    if (code == 0 && d->inode->kind != INODE_FOLDER)
        code = ENOTDIR;
    else if (code == 0 && (d->flags & O_PATH))
        code = EBADF;
    if (code != 0) {
        errno = code;
        return NULL;
    }
    return (DIR *)reader_open(fd);
}

/* The next of a folder's entries, "." and ".." being the first; false at the end. */
static bool reader_next(struct folder_reader *r, struct description *d)
{
    static const unsigned char types[] = {
        [INODE_FILE] = DT_REG, [INODE_FOLDER] = DT_DIR, [INODE_LINK] = DT_LNK};
    size_t at = d->position++;
    if (at == 0) {
        table_unref(d->listed);
        d->listed = table_ref(d->inode->seen);
    }
    r->entry = (struct dirent){.d_ino = d->inode->number, .d_type = DT_DIR};
    if (at < 2) {
        (void)strcpy(r->entry.d_name, at == 0 ? "." : "..");
        return true;
    }
    if (at - 2 >= table_count(d->listed))
        return false;
    const struct item *item = &d->listed->at[at - 2];
    const struct inode *i = inode_at(d->files, item->inode);
    r->entry.d_ino = item->inode;
    r->entry.d_type = i ? types[i->kind] : DT_UNKNOWN;
    memcpy(r->entry.d_name, item->name->text, item->name->length + 1);
    return true;
}

WRAP(struct dirent *, readdir, DIR *folder)
{
    struct folder_reader *r = reader_find(folder);
    if (!r)
        return __real_readdir(folder);
    struct description *d = descriptor_find(r->fd);
    int code = d ? 0 : EBADF;
    /* One call gets many: at the beginning and where it finds no more. */
    if (d && (d->position == 0 || d->position >= 2 + table_count(d->listed)))
        code = call_enter("getdents64", false, r->fd, &d);
    if (code != 0) {
        errno = code;
        return NULL;
    }
    return reader_next(r, d) ? &r->entry : NULL;
}

int __wrap_close(int fd);

WRAP(int, closedir, DIR *folder)
{
    struct folder_reader *r = reader_find(folder);
    if (!r)
        return __real_closedir(folder);
    int fd = r->fd;
    reader_close(r);
    return __wrap_close(fd);
}

/* ---- changing ---- */

/* A folder that was removed takes no names. */
static bool is_gone(const struct inode *folder)
{
    return folder->parent == 0 && folder->number != ROOT_INODE;
}

WRAP(int, mkdirat, int folder, const char *path, mode_t mode)
{
    if (!call_is_simulated_at(folder, path))
        return __real_mkdirat(folder, path, mode);
    struct files *f;
    struct inode *start;
    struct place p;
    int code = call_enter_at("mkdirat", true, folder, path, &f, &start);
    if (code == 0)
        code = walk(f, start, path, WALK_PARENT, &p);
    if (code != 0)
        return call_end(code);
    if (p.inode || !p.folder)
        return call_end(EEXIST);
    if (is_gone(p.folder))
        return call_end(ENOENT);
    if (p.is_long)
        return call_end(ENAMETOOLONG);
    if (f->read_only)
        return call_end(EROFS);
    struct inode *i = inode_new(f, INODE_FOLDER, mode & 01777 & ~(mode_t)UMASK);
    step_add(f, p.folder, p.name, i);
    folder_tell(f, p.folder, p.name, CHANGED_CREATED);
    return 0;
}

static int unlink_refusal(const struct files *f, const struct place *p)
{
    if (p->last != LAST_NAME)
        return EISDIR;
    if (f->read_only)
        return EROFS;
    if (!p->inode)
        return p->is_long ? ENAMETOOLONG : ENOENT;
    if (p->inode->kind == INODE_FOLDER)
        return EISDIR;
    return p->has_slash ? ENOTDIR : 0;
}

static int rmdir_refusal(const struct files *f, const struct place *p)
{
    static const int of_last[] = {
        [LAST_DOT] = EINVAL, [LAST_DOTDOT] = ENOTEMPTY, [LAST_ROOT] = EBUSY};
    if (p->last != LAST_NAME)
        return of_last[p->last];
    if (f->read_only)
        return EROFS;
    if (!p->inode)
        return p->is_long ? ENAMETOOLONG : ENOENT;
    if (p->inode->kind != INODE_FOLDER)
        return ENOTDIR;
    return table_count(p->inode->seen) > 0 ? ENOTEMPTY : 0;
}

WRAP(int, unlinkat, int folder, const char *path, int flags)
{
    if (!call_is_simulated_at(folder, path))
        return __real_unlinkat(folder, path, flags);
    struct files *f;
    struct inode *start;
    struct place p;
    int code = call_enter_at("unlinkat", true, folder, path, &f, &start);
    if (code == 0 && (flags & ~AT_REMOVEDIR))
        code = EINVAL;
    if (code == 0)
        code = walk(f, start, path, WALK_PARENT, &p);
    if (code == 0)
        code = flags ? rmdir_refusal(f, &p) : unlink_refusal(f, &p);
    if (code != 0)
        return call_end(code);
    step_remove(f, p.folder, p.name);
    folder_tell(f, p.folder, p.name, CHANGED_REMOVED);
    return 0;
}

/* `inner` lies somewhere in `outer`, or is it. */
static bool is_inside(const struct files *f, const struct inode *inner, const struct inode *outer)
{
    while (inner && inner != outer)
        inner = inode_at(f, inner->parent);
    return inner != NULL;
}

static int rename_over(const struct place *from, const struct place *to)
{
    if (from->inode->kind == INODE_FOLDER) {
        if (to->inode->kind != INODE_FOLDER)
            return ENOTDIR;
        return table_count(to->inode->seen) > 0 ? ENOTEMPTY : 0;
    }
    return to->inode->kind == INODE_FOLDER ? EISDIR : 0;
}

static int rename_refusal(const struct files *f, const struct place *from, const struct place *to,
                          unsigned flags)
{
    if (from->last != LAST_NAME)
        return EBUSY;
    if (to->last != LAST_NAME)
        return flags & RENAME_NOREPLACE ? EEXIST : EBUSY;
    if (f->read_only)
        return EROFS;
    if (from->is_long)
        return ENAMETOOLONG;
    if (!from->inode)
        return ENOENT;
    if (is_gone(to->folder))
        return ENOENT;
    if (to->is_long)
        return ENAMETOOLONG;
    if ((flags & RENAME_NOREPLACE) && to->inode)
        return EEXIST;
    if (from->inode->kind != INODE_FOLDER && (from->has_slash || to->has_slash))
        return ENOTDIR;
    if (is_inside(f, to->folder, from->inode))
        return EINVAL;
    if (to->inode && is_inside(f, from->folder, to->inode))
        return ENOTEMPTY;
    return !to->inode || from->inode == to->inode ? 0 : rename_over(from, to);
}

static int rename_parents(int from_folder, const char *from, int to_folder, const char *to,
                          struct place *ret_from, struct place *ret_to, struct files **ret_files)
{
    struct inode *start;
    int code = call_start(from_folder, from, ret_files, &start);
    if (code == 0)
        code = walk(*ret_files, start, from, WALK_PARENT, ret_from);
    if (code == 0)
        code = call_start(to_folder, to, ret_files, &start);
    return code ? code : walk(*ret_files, start, to, WALK_PARENT, ret_to);
}

WRAP(int, renameat2, int from_folder, const char *from, int to_folder, const char *to,
     unsigned flags)
{
    if (!call_is_simulated_at(from_folder, from))
        return __real_renameat2(from_folder, from, to_folder, to, flags);
    struct files *f;
    struct inode *start;
    struct place a, b;
    int code = call_enter_at("renameat2", true, to_folder, to, &f, &start);
    if (code == EBADF || code == ENOENT)
        code = 0; /* told in its turn */
    if (code == 0 && (flags & ~(unsigned)RENAME_NOREPLACE))
        code = EINVAL;
    if (code == 0)
        code = rename_parents(from_folder, from, to_folder, to, &a, &b, &f);
    if (code == 0)
        code = rename_refusal(f, &a, &b, flags);
    if (code != 0 || a.inode == b.inode)
        return call_end(code);
    bool is_over = b.inode != NULL;
    step_rename(f, a.folder, a.name, b.folder, b.name);
    folder_tell(f, a.folder, a.name, CHANGED_REMOVED);
    folder_tell(f, b.folder, b.name, is_over ? CHANGED_REPLACED : CHANGED_CREATED);
    return 0;
}
