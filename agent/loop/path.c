#include "loop/path.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/mem.h"

enum { LINKS_MAX = 40, WALK_DEPTH_MAX = 64, RACES_MAX = 16 };

/* What a walk has left to do and where it stands: fds[0] is the root. */
struct walk {
    int fds[WALK_DEPTH_MAX];
    size_t depth;
    char *rest;
    int links;
};

static void walk_fini(struct walk *w)
{
    while (w->depth > 0)
        (void)close(w->fds[--w->depth]);
    free(w->rest);
}

/* Cuts the next component off; NULL at the end. `*ret_last`: nothing follows it. `*ret_folder`: a
 * slash does, so it must be a folder. */
static char *walk_next(char **at, bool *ret_last, bool *ret_folder)
{
    char *from = *at + strspn(*at, "/");
    size_t length = strcspn(from, "/");
    if (length == 0)
        return NULL;
    char *behind = from + length;
    *ret_last = behind[strspn(behind, "/")] == '\0';
    *ret_folder = *behind == '/';
    *at = *behind != '\0' ? behind + 1 : behind;
    *behind = '\0';
    return from;
}

/* Puts a link's text before what is left. */
static int walk_splice(struct walk *w, const char *link, bool folder, char **at)
{
    if (++w->links > LINKS_MAX)
        return -ELOOP;
    char *rest = mem_printf("%s%s%s", link, folder ? "/" : "", *at);
    if (strlen(rest) >= PATH_MAX) {
        free(rest);
        return -ENAMETOOLONG;
    }
    if (link[0] == '/')
        while (w->depth > 1)
            (void)close(w->fds[--w->depth]);
    free(w->rest);
    w->rest = rest;
    *at = rest;
    return 0;
}

static bool open_wants_link(int open_flags)
{
    return (open_flags & (O_PATH | O_NOFOLLOW)) == (O_PATH | O_NOFOLLOW);
}

/* Why opening `name` failed, < 0. A link that was put there since it was looked at is refused as a
 * folder would be that is none; it is told as what it is, also when it has been swapped back. */
static int why_not(int here, const char *name, int errnum)
{
    struct stat s;
    if (errnum == ENOTDIR && fstatat(here, name, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
        (S_ISLNK(s.st_mode) || S_ISDIR(s.st_mode)))
        return -ELOOP;
    return -errnum;
}

/* One component, not "..": descends into it, or splices the link that it is. */
static int walk_into(struct walk *w, const char *name, int flags, char **at)
{
    int here = w->fds[w->depth - 1];
    char link[PATH_MAX];
    ssize_t length = readlinkat(here, name, link, sizeof link - 1);
    if (length >= 0) {
        if (!(flags & FILE_FOLLOW))
            return -ELOOP;
        link[length] = '\0';
        return walk_splice(w, link, true, at);
    }
    if (w->depth == WALK_DEPTH_MAX)
        return -ENAMETOOLONG;
    int fd = openat(here, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return why_not(here, name, errno);
    w->fds[w->depth++] = fd;
    return 0;
}

/* The last component: opened as asked for, a link that may be followed spliced before.
 * A descriptor, -EAGAIN when the walk goes on, or another errno. */
static int walk_end(struct walk *w, const char *name, bool folder, int flags, int open_flags,
                    char **at)
{
    int here = w->fds[w->depth - 1];
    if (folder || !open_wants_link(open_flags)) {
        char link[PATH_MAX];
        ssize_t length = readlinkat(here, name, link, sizeof link - 1);
        if (length >= 0 && !(flags & FILE_FOLLOW))
            return -ELOOP;
        if (length >= 0) {
            link[length] = '\0';
            int r = walk_splice(w, link, folder, at);
            return r < 0 ? r : -EAGAIN;
        }
    }
    int fd = openat(here, name, open_flags | O_NOFOLLOW | O_CLOEXEC | (folder ? O_DIRECTORY : 0));
    return fd < 0 ? why_not(here, name, errno) : fd;
}

int path_walk(const struct root *r, const char *path, int flags, int open_flags)
{
    if (!*path)
        return -ENOENT; /* as the kernel has it: no path is no way to the root */
    struct walk w = {.rest = mem_strdup(path)};
    int fd = openat(r->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        free(w.rest);
        return -errno;
    }
    w.fds[w.depth++] = fd;
    char *at = w.rest;
    for (;;) {
        bool last = false, folder = false;
        char *name = walk_next(&at, &last, &folder);
        if (!name) {
            fd = openat(w.fds[w.depth - 1], ".", open_flags | O_CLOEXEC);
            fd = fd < 0 ? -errno : fd;
            break;
        }
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            if (w.depth > 1)
                (void)close(w.fds[--w.depth]);
            continue;
        }
        fd = last ? walk_end(&w, name, folder, flags, open_flags, &at)
                  : walk_into(&w, name, flags, &at);
        if (last ? fd != -EAGAIN : fd < 0)
            break;
    }
    walk_fini(&w);
    return fd;
}

int path_open(const struct root *r, const char *path, int flags, int open_flags)
{
    assert(!(open_flags & O_CREAT));
    struct open_how how = {.flags = (uint64_t)(unsigned)(open_flags | O_CLOEXEC),
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    if (!(flags & FILE_FOLLOW))
        how.resolve |= RESOLVE_NO_SYMLINKS;
    /* EAGAIN: something was renamed meanwhile and ".." could not be proven safe. */
    for (int race = 0;; race++) {
        long fd = syscall(SYS_openat2, r->fd, path, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno == ENOSYS)
            return path_walk(r, path, flags, open_flags);
        if (errno != EAGAIN || race == RACES_MAX)
            return -errno;
    }
}

int path_parent(const struct root *r, const char *path, const char **ret_name, struct err *e)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return err_set(e, -EINVAL, "%s: this path doesn't end in a name", path);
    OWNED(free)
    char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup("/");
    int fd = path_open(r, folder, 0, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return err_errno(e, -fd, "%s: the folder can't be opened", folder);
    *ret_name = name;
    return fd;
}

int path_sync(int fd, const char *path, struct err *e)
{
    if (fsync(fd) < 0)
        return err_errno(e, errno, "%s: can't be made durable (fsync)", path);
    return 0;
}
