#include "loop/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STAT_BYTES = 1024 };

static int folder_open(const char *proc, struct err *e)
{
    int fd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? err_errno(e, errno, "%s: can't be opened", proc) : fd;
}

/* At most `room` - 1 bytes of PID/name, NUL-terminated: their number, or a negative errno. */
static ssize_t small_read(int folder, pid_t pid, const char *name, char *text, size_t room)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%d/%s", (int)pid, name);
    OWNED(fd_close) int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    size_t used = 0;
    while (used < room - 1) {
        ssize_t got = read(fd, text + used, room - 1 - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    text[used] = '\0';
    return (ssize_t)used;
}

/* proc_pid_stat(5): "pid (comm) state ...", start time in field 22. The name may have anything in
 * it, so what counts begins behind the last parenthesis. */
static int stat_read(int folder, pid_t pid, struct process *ret)
{
    char text[STAT_BYTES];
    ssize_t got = small_read(folder, pid, "stat", text, sizeof text);
    if (got < 0)
        return (int)got;
    const char *rest = strrchr(text, ')');
    struct process p = {.pid = pid};
    if (!rest || sscanf(rest,
                        ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
                        "%*d %" SCNu64,
                        &p.state, &p.start_ticks) != 2)
        return -EBADMSG;
    *ret = p;
    return 0;
}

/* Is the last part of argv[0] `name`? Zombies and the kernel's own threads have no argv. */
static bool is_named(int folder, pid_t pid, const char *name)
{
    char text[PATH_MAX];
    if (small_read(folder, pid, "cmdline", text, sizeof text) <= 0)
        return false;
    const char *slash = strrchr(text, '/');
    return !strcmp(slash ? slash + 1 : text, name);
}

static bool is_alive(const struct process *p)
{
    return p->state != 'Z' && p->state != 'X' && p->state != 'x';
}

static pid_t pid_of(const char *entry)
{
    size_t length = strlen(entry);
    if (length > 9 || entry[0] == '0' || strspn(entry, "0123456789") != length)
        return 0;
    return (pid_t)strtol(entry, NULL, 10);
}

int process_find(const char *proc, const char *name, struct process *ret, struct err *e)
{
    int fd = folder_open(proc, e);
    if (fd < 0)
        return fd;
    DIR *d = fdopendir(fd);
    if (!d) {
        int errnum = errno;
        (void)close(fd);
        return err_errno(e, errnum, "%s: can't be listed", proc);
    }
    struct process best = {0}, one;
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(d)); errno = 0) {
        pid_t pid = pid_of(entry->d_name);
        /* One that went away meanwhile is none. */
        if (pid && is_named(fd, pid, name) && stat_read(fd, pid, &one) == 0 && is_alive(&one) &&
            (!best.pid || one.start_ticks < best.start_ticks))
            best = one;
    }
    int errnum = errno;
    (void)closedir(d);
    if (errnum)
        return err_errno(e, errnum, "%s: can't be listed", proc);
    if (best.pid)
        *ret = best;
    return best.pid != 0;
}

int process_look(const char *proc, pid_t pid, struct process *ret, struct err *e)
{
    OWNED(fd_close) int fd = folder_open(proc, e);
    if (fd < 0)
        return fd;
    struct process p;
    int code = stat_read(fd, pid, &p);
    if (code == -ENOENT || code == -ESRCH)
        return 0;
    if (code < 0)
        return err_errno(e, -code, "%s/%d/stat: can't be read", proc, (int)pid);
    if (!is_alive(&p))
        return 0;
    *ret = p;
    return 1;
}

bool process_is(const char *proc, const struct process *p)
{
    struct process now;
    return process_look(proc, p->pid, &now, NULL) == 1 && now.start_ticks == p->start_ticks;
}
