/* The one lock: flock(2) on a file below the root. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <time.h>

#include "base/duration.h"
#include "loop/clock.h"
#include "loop/file.h"
#include "loop/path.h"

static int lock_open(const struct root *r, const char *path, struct err *e)
{
    const char *name;
    OWNED(fd_close) int folder = path_parent(r, path, &name, e);
    if (folder < 0)
        return folder;
    int fd = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    return fd < 0 ? err_errno(e, errno, "%s: the lock can't be opened", path) : fd;
}

int file_lock(const struct root *r, const char *path, int *ret_fd, struct err *e)
{
    OWNED(fd_close) int fd = lock_open(r, path, e);
    if (fd < 0)
        return fd;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return err_set(e, -EBUSY, "%s: another process holds the lock", path);
        return err_errno(e, errno, "%s: can't be locked", path);
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static void interrupt(int signo)
{
    (void)signo; /* that flock(2) returns EINTR is all that is wanted */
}

/* flock(2) until the timer's signal comes after `until_usec`. */
static int lock_with(timer_t timer, const struct itimerspec *at, int fd, uint64_t until_usec)
{
    if (timer_settime(timer, TIMER_ABSTIME, at, NULL) < 0)
        return -errno;
    while (flock(fd, LOCK_EX) < 0) {
        if (errno != EINTR)
            return -errno;
        if (clock_boot_usec() >= until_usec)
            return -ETIMEDOUT;
    }
    return 0;
}

/* flock(2) with an end: a signal at `until_usec`, and again every 100 ms after it in case the
 * first came just before the call began to wait. */
static int lock_until(int fd, uint64_t until_usec)
{
    struct sigaction action = {.sa_handler = interrupt}, before;
    struct sigevent by_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct itimerspec at = {.it_value = {.tv_sec = (time_t)(until_usec / USEC_PER_SEC),
                                         .tv_nsec = (long)(until_usec % USEC_PER_SEC * 1000) + 1},
                            .it_interval = {.tv_nsec = 100 * 1000 * 1000}};
    timer_t timer;
    if (timer_create(CLOCK_BOOTTIME, &by_signal, &timer) < 0)
        return -errno;
    bool is_set = sigaction(SIGALRM, &action, &before) == 0;
    int code = is_set ? lock_with(timer, &at, fd, until_usec) : -errno;
    /* The timer goes first: nothing may come when the signal kills again. */
    (void)timer_delete(timer);
    if (is_set)
        (void)sigaction(SIGALRM, &before, NULL);
    return code;
}

int file_lock_wait(const struct root *r, const char *path, uint64_t until_usec, int *ret_fd,
                   struct err *e)
{
    OWNED(fd_close) int fd = lock_open(r, path, e);
    if (fd < 0)
        return fd;
    int code = lock_until(fd, until_usec);
    if (code < 0)
        return err_errno(e, -code, "%s: can't be locked", path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}
