#include "loop/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "loop/clock.h"
#include "loop/file.h"

static bool is_kept(int fd, const struct worker_keeps *keeps, const struct file_status *file)
{
    for (size_t i = 0; i < keeps->count; i++)
        if (keeps->fds[i] == fd)
            return true;
    struct stat st;
    return file->exists && fstat(fd, &st) == 0 && st.st_dev == file->device &&
           st.st_ino == file->inode;
}

static void close_others(const struct worker_keeps *keeps)
{
    struct file_status file = {0};
    if (keeps->path && file_status(keeps->root, keeps->path, 0, &file, NULL) < 0)
        file.exists = false;
    /* Numbers first, closing after: the listing's own descriptor is one of them. */
    long most = sysconf(_SC_OPEN_MAX);
    DIR *d = opendir("/proc/self/fd");
    if (d) {
        most = 0;
        for (const struct dirent *entry; (entry = readdir(d));) {
            long fd = strtol(entry->d_name, NULL, 10);
            most = fd >= most ? fd + 1 : most;
        }
        (void)closedir(d);
    }
    for (int fd = 3; fd < most; fd++)
        if (!is_kept(fd, keeps, &file))
            (void)close(fd);
}

static void signals_reset(void)
{
    for (int signo = 1; signo < NSIG; signo++)
        (void)signal(signo, SIG_DFL);
    /* A socket whose other end is gone is an error to handle, not an end. */
    (void)signal(SIGPIPE, SIG_IGN);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int worker_fork(const struct worker_keeps *keeps, int (*work)(void *context), void *context,
                pid_t *ret, struct err *e)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(e, errno, "can't start a worker (fork)");
    if (pid > 0) {
        *ret = pid;
        return 0;
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || setsid() < 0)
        _exit(EXIT_FAILURE);
    signals_reset();
    close_others(keeps);
    _exit(work(context));
}

void worker_kill(pid_t pid)
{
    /* The group once it is one; the process itself in the instant before. */
    (void)kill(-pid, SIGKILL);
    (void)kill(pid, SIGKILL);
}

void worker_end(pid_t pid)
{
    worker_kill(pid);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

char *worker_end_text(int status, char text[WORKER_TEXT])
{
    if (WIFSIGNALED(status))
        (void)snprintf(text, WORKER_TEXT, "died of signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    else
        (void)snprintf(text, WORKER_TEXT, "ended with %d", WEXITSTATUS(status));
    return text;
}

void worker_crash(void)
{
    (void)kill(getppid(), SIGKILL);
    (void)kill(getpid(), SIGKILL);
}

bool worker_wait(int socket, bool write, uint64_t until_usec)
{
    for (;;) {
        uint64_t now = clock_boot_usec();
        if (now >= until_usec)
            return false;
        uint64_t milliseconds = (until_usec - now) / 1000 + 1;
        struct pollfd p = {.fd = socket, .events = write ? POLLOUT : POLLIN};
        int r = poll(&p, 1, milliseconds > INT_MAX ? INT_MAX : (int)milliseconds);
        if (r > 0)
            return true;
        if (r < 0 && errno != EINTR)
            return false;
    }
}
