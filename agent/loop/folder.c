/* Folders: listing, making, removing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "loop/file.h"
#include "loop/path.h"

/* More entries than that is no folder that we have business with. */
enum { NAMES_MAX = 100000, REMOVE_DEPTH_MAX = 16 };

void names_fini(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->at[i]);
    free(n->at);
    *n = (struct names){0};
}

static int names_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes `fd`. */
static int names_read(int fd, const char *path, struct names *ret, struct err *e)
{
    DIR *d = fdopendir(fd);
    if (!d) {
        int errnum = errno;
        (void)close(fd);
        return err_errno(e, errnum, "%s: can't be listed", path);
    }
    OWNED(names_fini) struct names n = {0};
    int errnum;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(d);
        errnum = errno;
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (n.count == NAMES_MAX) {
            errnum = EFBIG;
            break;
        }
        *mem_push(n.at, n.count, n.room) = mem_strdup(entry->d_name);
    }
    (void)closedir(d);
    if (errnum != 0)
        return err_errno(e, errnum, "%s: can't be listed", path);
    if (n.count > 1)
        qsort(n.at, n.count, sizeof *n.at, names_compare);
    *ret = n;
    n = (struct names){0};
    return 0;
}

int folder_list(const struct root *r, const char *path, struct names *ret, struct err *e)
{
    int fd = path_open(r, path, 0, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return err_errno(e, -fd, "%s: can't be listed", path);
    return names_read(fd, path, ret, e);
}

/* One missing folder below an open one; both are durable afterwards. */
static int folder_make_one(const struct root *r, const char *path, mode_t mode, struct err *e)
{
    const char *name;
    OWNED(fd_close) int parent = path_parent(r, path, &name, e);
    if (parent < 0)
        return parent;
    /* With its mode at once: when we end before the fchmod nobody sets it later. */
    if (mkdirat(parent, name, mode) < 0) {
        if (errno == EEXIST)
            return 0;
        return err_errno(e, errno, "%s: can't be made", path);
    }
    OWNED(fd_close)
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    /* fchmod: the umask must not decide. */
    if (fd < 0 || fchmod(fd, mode) < 0)
        return err_errno(e, errno, "%s: its mode can't be set", path);
    int code = path_sync(fd, path, e);
    return code < 0 ? code : path_sync(parent, path, e);
}

int folder_make(const struct root *r, const char *path, mode_t mode, struct err *e)
{
    OWNED(free) char *part = mem_strdup(path);
    for (char *at = part + strspn(part, "/"); *at != '\0';) {
        char *slash = at + strcspn(at, "/");
        char kept = *slash;
        *slash = '\0';
        struct file_status st;
        int code = file_status(r, part, 0, &st, e);
        if (code == 0 && !st.exists)
            code = folder_make_one(r, part, mode, e);
        else if (code == 0 && !st.is_folder)
            code = err_set(e, -ENOTDIR, "%s: is there and not a folder", part);
        if (code < 0)
            return code;
        *slash = kept;
        at = slash + strspn(slash, "/");
    }
    return 0;
}

static int tree_remove(int parent, const char *name, const char *path, unsigned depth,
                       struct err *e)
{
    if (depth > REMOVE_DEPTH_MAX)
        return err_set(e, -ELOOP, "%s: not removed: more than %d folders deep", path,
                       REMOVE_DEPTH_MAX);
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return err_errno(e, errno, "%s: %s can't be removed", path, name);
    OWNED(fd_close)
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return err_errno(e, errno, "%s: %s can't be opened", path, name);
    OWNED(names_fini) struct names n = {0};
    int code = names_read(copy, path, &n, e);
    for (size_t i = 0; code == 0 && i < n.count; i++)
        code = tree_remove(fd, n.at[i], path, depth + 1, e);
    if (code == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        code = err_errno(e, errno, "%s: %s can't be removed", path, name);
    return code;
}

int folder_remove(const struct root *r, const char *path, struct err *e)
{
    struct file_status st;
    int code = file_status(r, path, 0, &st, e);
    if (code < 0 || !st.exists)
        return code;
    if (!st.is_folder)
        return err_set(e, -ENOTDIR, "%s: not removed: not a folder", path);
    const char *name;
    OWNED(fd_close) int parent = path_parent(r, path, &name, e);
    if (parent < 0)
        return parent;
    code = tree_remove(parent, name, path, 0, e);
    return code < 0 ? code : path_sync(parent, path, e);
}
