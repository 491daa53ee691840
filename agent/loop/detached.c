#include "loop/detached.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/clock.h"

struct detached {
    pid_t pid;
    int pidfd;
};

/* What the new process says on the pipe before it is executed: who it is. */
struct hello {
    pid_t pid;
};

static _Noreturn void become(const char *const *argv, int pipe_end)
{
    char *const environment[] = {
        (char[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        (char[]){"LANG=C.UTF-8"},
        (char[]){"HOME=/"},
        NULL,
    };
    struct hello hello = {.pid = getpid()};
    for (int signo = 1; signo < NSIG; signo++)
        (void)signal(signo, SIG_DFL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDWR);
    int out = fcntl(pipe_end, F_DUPFD, 3);
    if (null >= 0 && out >= 0 && write(out, &hello, sizeof hello) == (ssize_t)sizeof hello &&
        dup2(null, 0) == 0 && dup2(out, 1) == 1 && dup2(null, 2) == 2 &&
        close_range(3, UINT_MAX, 0) == 0 && chdir("/") == 0)
        (void)execve("/proc/self/exe", (char *const *)(uintptr_t)argv, environment);
    _exit(EXIT_FAILURE);
}

/* Reads exactly `length` bytes until `until_usec`: 0, -ETIMEDOUT, or -EPIPE at the end. */
static int read_until(int fd, void *bytes, size_t length, uint64_t until_usec)
{
    for (size_t at = 0; at < length;) {
        uint64_t now = clock_boot_usec();
        if (now >= until_usec)
            return -ETIMEDOUT;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, (int)((until_usec - now) / 1000 + 1)) <= 0)
            continue;
        ssize_t got = read(fd, (char *)bytes + at, length - at);
        if (got == 0)
            return -EPIPE;
        if (got < 0 && errno != EINTR)
            return -errno;
        at += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

/* Forks twice, so that the new process is init's. Ours is the pipe's reading end. */
static int launch(const char *const *argv, struct err *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, errno, "can't start a detached process (pipe)");
    pid_t middle = fork();
    if (middle == 0) {
        pid_t last = setsid() < 0 ? -1 : fork();
        if (last == 0)
            become(argv, ends[1]);
        _exit(last < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    int errnum = errno, status = 0;
    (void)close(ends[1]);
    if (middle > 0)
        while (waitpid(middle, &status, 0) < 0 && errno == EINTR)
            ;
    if (middle > 0 && status == 0)
        return ends[0];
    (void)close(ends[0]);
    return err_errno(e, middle < 0 ? errnum : EAGAIN, "can't start a detached process (fork)");
}

int detached_start(const char *const *argv, uint64_t timeout_usec, struct detached **ret,
                   struct err *e)
{
    uint64_t until = clock_boot_usec() + timeout_usec;
    OWNED(fd_close) int fd = launch(argv, e);
    if (fd < 0)
        return fd;
    struct hello hello;
    int code = read_until(fd, &hello, sizeof hello, until);
    if (code < 0)
        return err_errno(e, -code, "the detached process didn't start");
    int pidfd = pidfd_open(hello.pid, 0);
    if (pidfd < 0)
        return err_errno(e, errno, "the detached process %d is gone", hello.pid);
    struct detached *d = mem_new(struct detached);
    *d = (struct detached){.pid = hello.pid, .pidfd = pidfd};
    char ready[sizeof DETACHED_READY - 1];
    code = read_until(fd, ready, sizeof ready, until);
    if (code == 0 && memcmp(ready, DETACHED_READY, sizeof ready) != 0)
        code = -EPROTO;
    if (code < 0) {
        detached_end(d);
        return err_errno(e, -code, "the detached process never got ready");
    }
    *ret = d;
    return 0;
}

pid_t detached_pid(const struct detached *d)
{
    return d->pid;
}

bool detached_is_alive(const struct detached *d)
{
    struct pollfd p = {.fd = d->pidfd, .events = POLLIN}; /* readable when it has ended */
    return poll(&p, 1, 0) == 0;
}

void detached_end(struct detached *d)
{
    if (!d)
        return;
    (void)pidfd_send_signal(d->pidfd, SIGKILL, NULL, 0);
    detached_leave(d);
}

void detached_leave(struct detached *d)
{
    if (!d)
        return;
    (void)close(d->pidfd);
    free(d);
}
