#include "loop/watch_folder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>

#include <inotifytools/inotifytools.h>

#include "base/mem.h"
#include "base/own.h"

/* Events a call; the kernel queues as many by default. */
enum { DRAIN_MAX = 16384 };

struct folder {
    struct folder *next;
    dev_t device;
    ino_t inode;
    int wd; /* < 0: the kernel let go of it */
    int mask;
    unsigned references;
};

/* --- the library */

/* The library doesn't tell its descriptor: but a new descriptor takes the lowest free number. */
static int open_library(int *ret_fd, struct err *e)
{
    int fd = open("/", O_PATH | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, errno, "can't open a descriptor for inotify");
    (void)close(fd);
    if (fd >= FD_SETSIZE) /* the library uses select(2) */
        return err_errno(e, EMFILE, "descriptor %d is too high for inotify", fd);
    if (!inotifytools_initialize())
        return err_errno(e, inotifytools_error(), "can't start inotify");
    char link[64], target[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    target[length > 0 ? length : 0] = '\0';
    if (strcmp(target, "anon_inode:inotify") != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        inotifytools_cleanup();
        return err_set(e, -EBADF, "can't find inotify's descriptor: found \"%s\" at %s", target,
                       link);
    }
    *ret_fd = fd;
    return 0;
}

/* Watches the open folder. The library looks watches up by name and keeps the names of those that
 * the kernel has dropped, so each name is a new one: the serial number in "/" and "./". */
static int library_add(struct folders *s, int folder_fd, int mask)
{
    char name[64 + 3 * 64];
    int length = snprintf(name, 64, "/proc/self/fd/%d/", folder_fd);
    size_t at = (size_t)length;
    for (uint64_t bits = ++s->serial; bits; bits >>= 1) {
        if (bits & 1)
            name[at++] = '.';
        name[at++] = '/';
    }
    name[at] = '\0';
    if (!inotifytools_watch_file(name, mask | IN_ONLYDIR)) {
        int errnum = inotifytools_error();
        return errnum ? -errnum : -EIO;
    }
    return inotifytools_wd_from_filename(name);
}

int folders_init(struct folders *s,
                 void (*event)(void *context, const struct folder *f, uint32_t mask,
                               const char *name),
                 void *context, struct err *e)
{
    int fd = -1;
    int r = open_library(&fd, e);
    if (r < 0)
        return r;
    *s = (struct folders){.fd = fd, .event = event, .context = context};
    return 0;
}

void folders_fini(struct folders *s)
{
    assert(!s->first);
    inotifytools_cleanup();
}

/* --- events */

static struct folder *folder_by_wd(const struct folders *s, int wd)
{
    struct folder *f = s->first;
    while (f && f->wd != wd)
        f = f->next;
    return f;
}

static void hand_on(struct folders *s, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        s->event(s->context, NULL, event->mask, "");
        return;
    }
    struct folder *f = folder_by_wd(s, event->wd);
    if (!f)
        return;
    if (event->mask & IN_IGNORED)
        f->wd = -1;
    s->event(s->context, f, event->mask, event->len ? event->name : "");
}

/* The library keeps what it has read to itself, so one must go on to the end. */
bool folders_drain(struct folders *s)
{
    for (size_t i = 0; i < DRAIN_MAX; i++) {
        const struct inotify_event *event = inotifytools_next_events(0, 1);
        if (!event)
            return true;
        hand_on(s, event);
    }
    return false;
}

/* --- folders, counted */

void folder_unref(struct folders *s, struct folder *f)
{
    assert(f->references > 0);
    if (--f->references)
        return;
    /* The library complains to standard error about a watch that the kernel has dropped, so
     * hear that first. */
    (void)folders_drain(s);
    if (f->wd >= 0)
        (void)inotifytools_remove_watch_by_wd(f->wd);
    struct folder **at = &s->first;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    free(f);
}

/* A watch's mask can't be changed through the library. What came just before is lost with the old
 * watch, so whoever looks at this folder looks again. */
static int folder_widen(struct folders *s, struct folder *f, int folder_fd, int mask)
{
    s->event(s->context, f, IN_MOVE_SELF, "");
    (void)inotifytools_remove_watch_by_wd(f->wd);
    f->wd = library_add(s, folder_fd, mask);
    f->mask = mask;
    return f->wd < 0 ? f->wd : 0;
}

int folder_ref(struct folders *s, int folder_fd, int mask, struct folder **ret)
{
    struct stat st;
    if (fstat(folder_fd, &st) < 0)
        return -errno;
    struct folder *f = s->first;
    while (f && (f->wd < 0 || f->device != st.st_dev || f->inode != st.st_ino))
        f = f->next;
    if (f && (mask & ~f->mask)) {
        int r = folder_widen(s, f, folder_fd, mask);
        if (r < 0)
            return r;
    } else if (!f) {
        int wd = library_add(s, folder_fd, mask);
        if (wd < 0)
            return wd;
        f = mem_new(struct folder);
        *f = (struct folder){
            .next = s->first, .device = st.st_dev, .inode = st.st_ino, .wd = wd, .mask = mask};
        s->first = f;
    }
    f->references++;
    *ret = f;
    return 0;
}
