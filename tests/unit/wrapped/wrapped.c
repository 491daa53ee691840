#include "inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

enum { FAULTS_MAX = 4 };

static struct {
    struct wrapped_fault at[FAULTS_MAX];
    size_t count;
    int hits;
    bool busy; /* in a `before`: what it calls goes through */
} wrapped;

void wrapped_set(const struct wrapped_fault *faults, size_t count)
{
    memset(&wrapped, 0, sizeof wrapped);
    for (; wrapped.count < count && wrapped.count < FAULTS_MAX; wrapped.count++)
        wrapped.at[wrapped.count] = faults[wrapped.count];
}

int wrapped_hits(void)
{
    return wrapped.hits;
}

int fault(const char *call)
{
    for (size_t i = 0; i < wrapped.count && !wrapped.busy; i++) {
        struct wrapped_fault *f = &wrapped.at[i];
        if (strcmp(f->call, call) != 0 || f->count == 0)
            continue;
        if (f->after > 0) {
            f->after--;
            continue;
        }
        f->count -= f->count > 0;
        wrapped.hits++;
        if (!f->before)
            return f->errnum;
        wrapped.busy = true;
        f->before(f->context);
        wrapped.busy = false;
    }
    return -1;
}

int strike(int errnum)
{
    errno = errnum;
    return errnum ? -1 : 0;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
WRAP(int, stat, (const char *path, struct stat *st), (path, st))
WRAP(int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, fstatat, (int at, const char *path, struct stat *st, int flags), (at, path, st, flags))
WRAP(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, ftruncate, (int fd, off_t length), (fd, length))
WRAP(int, fallocate, (int fd, int mode, off_t at, off_t length), (fd, mode, at, length))
WRAP(ssize_t, read, (int fd, void *bytes, size_t room), (fd, bytes, room))
WRAP(ssize_t, pread, (int fd, void *bytes, size_t room, off_t at), (fd, bytes, room, at))
WRAP(ssize_t, write, (int fd, const void *bytes, size_t length), (fd, bytes, length))
WRAP(ssize_t, pwrite, (int fd, const void *bytes, size_t length, off_t at), (fd, bytes, length, at))
WRAP(off_t, lseek, (int fd, off_t at, int whence), (fd, at, whence))
WRAP(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
     (a, from, b, to, flags))
WRAP(int, unlinkat, (int at, const char *path, int flags), (at, path, flags))
WRAP(ssize_t, getrandom, (void *bytes, size_t length, unsigned flags), (bytes, length, flags))
WRAP(ssize_t, fgetxattr, (int fd, const char *name, void *value, size_t room),
     (fd, name, value, room))
WRAP(int, fsetxattr, (int fd, const char *name, const void *value, size_t length, int flags),
     (fd, name, value, length, flags))
WRAP(int, flock, (int fd, int how), (fd, how))
WRAP(int, timer_create, (clockid_t clock, struct sigevent *event, timer_t *timer),
     (clock, event, timer))
WRAP(int, timer_settime,
     (timer_t timer, int flags, const struct itimerspec *new, struct itimerspec *old),
     (timer, flags, new, old))
WRAP(int, sigaction, (int signo, const struct sigaction *new, struct sigaction *old),
     (signo, new, old))

/* What OpenSSL says when it can't: 0. */
int __real_EVP_DigestInit_ex2(EVP_MD_CTX *run, const EVP_MD *type, const OSSL_PARAM *how);
int __wrap_EVP_DigestInit_ex2(EVP_MD_CTX *run, const EVP_MD *type, const OSSL_PARAM *how);
int __wrap_EVP_DigestInit_ex2(EVP_MD_CTX *run, const EVP_MD *type, const OSSL_PARAM *how)
{
    return fault("EVP_DigestInit_ex2") < 0 ? __real_EVP_DigestInit_ex2(run, type, how) : 0;
}

/* A close that fails has closed all the same. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    int errnum = fault("close");
    int r = __real_close(fd);
    return errnum < 0 ? r : strike(errnum);
}

DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd)
{
    int errnum = fault("fdopendir");
    if (errnum < 0)
        return __real_fdopendir(fd);
    errno = errnum;
    return NULL;
}

struct dirent *__real_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d);
/* With errnum 0: a folder without end. */
struct dirent *__wrap_readdir(DIR *d)
{
    static struct dirent endless;
    int errnum = fault("readdir");
    if (errnum < 0)
        return __real_readdir(d);
    errno = errnum;
    static unsigned number;
    (void)snprintf(endless.d_name, sizeof endless.d_name, "endless-%u", number++);
    return errnum ? NULL : &endless;
}

int __real_openat(int at, const char *path, int flags, ...);
int __wrap_openat(int at, const char *path, int flags, ...);
int __wrap_openat(int at, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = va_arg(args, mode_t);
    va_end(args);
    int errnum = fault("openat");
    return errnum < 0 ? __real_openat(at, path, flags, mode) : strike(errnum);
}

/* What openat is with flags that the compiler doesn't know, where it is hardened. */
int __wrap___openat_2(int at, const char *path, int flags);
int __wrap___openat_2(int at, const char *path, int flags)
{
    return __wrap_openat(at, path, flags, 0);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    long argument = va_arg(args, long);
    va_end(args);
    int errnum = fault("fcntl");
    return errnum < 0 ? __real_fcntl(fd, command, argument) : strike(errnum);
}

/* Only openat2 comes this way: four arguments. */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    va_list args;
    va_start(args, number);
    long a = va_arg(args, long), b = va_arg(args, long), c = va_arg(args, long),
         d = va_arg(args, long);
    va_end(args);
    int errnum = fault("openat2");
    return errnum < 0 ? __real_syscall(number, a, b, c, d) : strike(errnum);
}
/* NOLINTEND(bugprone-reserved-identifier) */
