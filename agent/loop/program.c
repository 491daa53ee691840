#include "loop/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static void reset_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none);
    for (int s = 1; s < NSIG; s++)
        (void)signal(s, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Only async-signal-safe calls: the parent may be anywhere. */
static _Noreturn void become(const char *const *argv, int socket, pid_t parent)
{
    static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                                              "HOME=/", NULL};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(127);
    reset_signals();
    int null = open("/dev/null", O_RDWR);
    /* dup2 onto itself would keep the close-on-exec flag. */
    int moved = fcntl(socket, F_DUPFD, PROGRAM_SOCKET + 1);
    if (null < 0 || moved < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
        dup2(moved, PROGRAM_SOCKET) < 0 || close_range(PROGRAM_SOCKET + 1, ~0u, 0) < 0)
        _exit(127);
    (void)execve(argv[0], (char *const *)argv, (char *const *)environment);
    _exit(127);
}

int program_start(const char *const *argv, int socket, pid_t *ret, struct err *e)
{
    if (!argv[0] || argv[0][0] != '/')
        return err_set(e, -EINVAL, "a program to start needs an absolute path");
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return err_errno(e, errno, "can't start %s", argv[0]);
    if (pid == 0)
        become(argv, socket, parent);
    *ret = pid;
    return 0;
}

void program_kill(pid_t pid)
{
    (void)kill(pid, SIGKILL);
}
