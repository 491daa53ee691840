/* Being told by the kernel that a process, not our child, has ended. */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/vfs.h>

#include "base/mem.h"
#include "loop/proc.h"

struct process_watch {
    int fd;
    struct io *io;
    void (*gone)(void *context);
    void *context;
};

void process_watch_free(struct process_watch *w)
{
    if (!w)
        return;
    io_free(w->io);
    if (w->fd >= 0)
        (void)close(w->fd);
    free(w);
}

static void on_ready(void *context, uint32_t events)
{
    (void)events;
    struct process_watch *w = context;
    /* The descriptor stays readable for ever. */
    io_free(TAKE(w->io));
    w->gone(w->context);
}

int process_watch_new(struct loop *l, const char *proc, const struct process *p,
                      void (*gone)(void *context), void *context, struct process_watch **ret,
                      struct err *e)
{
    struct statfs fs;
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%d", proc, (int)p->pid);
    if (statfs(path, &fs) < 0)
        return errno == ENOENT ? err_set(e, -ESRCH, "process %d: gone", (int)p->pid)
                               : err_errno(e, errno, "%s: can't be looked at", path);
    if (fs.f_type != PROC_SUPER_MAGIC)
        return err_set(e, -ENOTSUP, "%s: not the kernel's own", path);
    OWNED(process_watch_free) struct process_watch *w = mem_new(struct process_watch);
    w->gone = gone;
    w->context = context;
    w->fd = pidfd_open(p->pid, 0);
    if (w->fd < 0)
        return err_errno(e, errno, "process %d: can't be watched", (int)p->pid);
    /* The number may have been given to another process before we held the descriptor. */
    if (!process_is(proc, p))
        return err_set(e, -ESRCH, "process %d: gone", (int)p->pid);
    int code = io_new(l, w->fd, EPOLLIN, on_ready, w, &w->io, e);
    if (code < 0)
        return code;
    *ret = TAKE(w);
    return 0;
}
