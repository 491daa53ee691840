/* Calls about processes, sockets and the event loop that fail when a test says so. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <inotifytools/inotifytools.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>

#include "inside.h"

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
WRAP(pid_t, fork, (void), ())
WRAP(int, pipe2, (int ends[2], int flags), (ends, flags))
WRAP(int, dup2, (int from, int to), (from, to))
WRAP(int, close_range, (unsigned from, unsigned to, int flags), (from, to, flags))
WRAP(int, chdir, (const char *path), (path))
WRAP(pid_t, setsid, (void), ())
WRAP(pid_t, getppid, (void), ())
WRAP(pid_t, waitpid, (pid_t pid, int *status, int flags), (pid, status, flags))
WRAP(int, waitid, (idtype_t type, id_t id, siginfo_t *ret, int flags), (type, id, ret, flags))
WRAP(int, poll, (struct pollfd * fds, nfds_t count, int milliseconds), (fds, count, milliseconds))
WRAP(int, sigprocmask, (int how, const sigset_t *new, sigset_t *old), (how, new, old))
WRAP(int, pidfd_open, (pid_t pid, unsigned flags), (pid, flags))
WRAP(int, statfs, (const char *path, struct statfs *ret), (path, ret))
WRAP(ssize_t, readlink, (const char *path, char *text, size_t room), (path, text, room))
WRAP_NULL(DIR *, opendir, (const char *path), (path))

/* Who we are can't fail: the errno is the user. */
WRAP_AS(uid_t, geteuid, (void), (), (uid_t)errnum)
WRAP_AS(uid_t, getuid, (void), (), (uid_t)errnum)
WRAP(int, setgroups, (size_t count, const gid_t *groups), (count, groups))
WRAP(int, setresgid, (gid_t a, gid_t b, gid_t c), (a, b, c))
WRAP(int, setresuid, (uid_t a, uid_t b, uid_t c), (a, b, c))
WRAP(int, setuid, (uid_t uid), (uid))
WRAP(int, setrlimit, (__rlimit_resource_t what, const struct rlimit *limit), (what, limit))

int __real_prctl(int option, ...);
int __wrap_prctl(int option, ...);
int __wrap_prctl(int option, ...)
{
    va_list args;
    va_start(args, option);
    unsigned long a = va_arg(args, unsigned long);
    va_end(args);
    int errnum = fault("prctl");
    return errnum < 0 ? __real_prctl(option, a, 0, 0, 0) : strike(errnum);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = va_arg(args, mode_t);
    va_end(args);
    int errnum = fault("open");
    return errnum < 0 ? __real_open(path, flags, mode) : strike(errnum);
}
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(int, socketpair, (int domain, int type, int protocol, int ends[2]),
     (domain, type, protocol, ends))
WRAP(int, bind, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length))
WRAP(int, listen, (int fd, int backlog), (fd, backlog))
WRAP(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags),
     (fd, address, length, flags))
WRAP(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *length),
     (fd, level, name, value, length))
WRAP(int, fchmodat, (int at, const char *path, mode_t mode, int flags), (at, path, mode, flags))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))

WRAP_NEGATIVE(int, sd_event_new, (sd_event * *ret), (ret))
WRAP_NEGATIVE(int, sd_event_loop, (sd_event * event), (event))
WRAP_NEGATIVE(int, sd_event_set_watchdog, (sd_event * event, int on), (event, on))
WRAP_NEGATIVE(int, sd_event_add_io,
              (sd_event * event, sd_event_source **ret, int fd, uint32_t events,
               sd_event_io_handler_t handler, void *context),
              (event, ret, fd, events, handler, context))
WRAP_NEGATIVE(int, sd_event_add_time,
              (sd_event * event, sd_event_source **ret, clockid_t clock, uint64_t at,
               uint64_t accuracy, sd_event_time_handler_t handler, void *context),
              (event, ret, clock, at, accuracy, handler, context))
WRAP_NEGATIVE(int, sd_event_add_child,
              (sd_event * event, sd_event_source **ret, pid_t pid, int flags,
               sd_event_child_handler_t handler, void *context),
              (event, ret, pid, flags, handler, context))
WRAP_NEGATIVE(int, sd_event_add_signal,
              (sd_event * event, sd_event_source **ret, int signo,
               sd_event_signal_handler_t handler, void *context),
              (event, ret, signo, handler, context))
WRAP_NEGATIVE(int, sd_notify, (int unset, const char *state), (unset, state))
WRAP_NEGATIVE(int, sd_id128_get_boot, (sd_id128_t * ret), (ret))

/* It returns the errno itself. */
WRAP_AS(int, clock_nanosleep,
        (clockid_t clock, int flags, const struct timespec *until, struct timespec *left),
        (clock, flags, until, left), errnum)
WRAP_NULL(struct tm *, gmtime_r, (const time_t *seconds, struct tm *ret), (seconds, ret))
WRAP_NULL(struct passwd *, getpwnam, (const char *name), (name))

/* The library's are 0 when they fail, and the reason is asked for. */
WRAP_AS(int, inotifytools_initialize, (void), (), 0)
WRAP_AS(int, inotifytools_watch_file, (const char *name, int mask), (name, mask), 0)
WRAP_AS(int, inotifytools_error, (void), (), errnum)
/* NOLINTEND(bugprone-reserved-identifier) */
