#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where a call names what it is about: a descriptor, a descriptor and a path below it, a path. */
enum shape { SHAPE_FD, SHAPE_AT, SHAPE_PATH };

static const struct row {
    long number;
    const char *name;
    enum shape shape;
    bool may_be_short; /* its third argument is a count of bytes, and less is an answer */
} rows[] = {
    {SYS_openat, "openat", SHAPE_AT, false},
    {SYS_openat2, "openat2", SHAPE_AT, false},
    {SYS_mkdirat, "mkdirat", SHAPE_AT, false},
    {SYS_mknodat, "mknodat", SHAPE_AT, false},
    {SYS_unlinkat, "unlinkat", SHAPE_AT, false},
    {SYS_renameat, "renameat", SHAPE_AT, false},
    {SYS_renameat2, "renameat2", SHAPE_AT, false},
    {SYS_linkat, "linkat", SHAPE_AT, false},
    {SYS_symlinkat, "symlinkat", SHAPE_PATH, false},
    {SYS_readlinkat, "readlinkat", SHAPE_AT, false},
    {SYS_newfstatat, "newfstatat", SHAPE_AT, false},
    {SYS_statx, "statx", SHAPE_AT, false},
    {SYS_faccessat, "faccessat", SHAPE_AT, false},
    {SYS_faccessat2, "faccessat2", SHAPE_AT, false},
    {SYS_fchmodat, "fchmodat", SHAPE_AT, false},
    {SYS_fchownat, "fchownat", SHAPE_AT, false},
    {SYS_utimensat, "utimensat", SHAPE_AT, false},
    {SYS_fsync, "fsync", SHAPE_FD, false},
    {SYS_fdatasync, "fdatasync", SHAPE_FD, false},
    {SYS_syncfs, "syncfs", SHAPE_FD, false},
    {SYS_sync_file_range, "sync_file_range", SHAPE_FD, false},
    {SYS_write, "write", SHAPE_FD, true},
    {SYS_pwrite64, "pwrite64", SHAPE_FD, true},
    {SYS_writev, "writev", SHAPE_FD, false},
    {SYS_pwritev, "pwritev", SHAPE_FD, false},
    {SYS_pwritev2, "pwritev2", SHAPE_FD, false},
    {SYS_copy_file_range, "copy_file_range", SHAPE_FD, false},
    {SYS_sendfile, "sendfile", SHAPE_FD, false},
    {SYS_ftruncate, "ftruncate", SHAPE_FD, false},
    {SYS_fallocate, "fallocate", SHAPE_FD, false},
    {SYS_fchmod, "fchmod", SHAPE_FD, false},
    {SYS_fchown, "fchown", SHAPE_FD, false},
    {SYS_fsetxattr, "fsetxattr", SHAPE_FD, false},
    {SYS_fgetxattr, "fgetxattr", SHAPE_FD, false},
    {SYS_fremovexattr, "fremovexattr", SHAPE_FD, false},
    {SYS_read, "read", SHAPE_FD, true},
    {SYS_pread64, "pread64", SHAPE_FD, true},
    {SYS_getdents64, "getdents64", SHAPE_FD, false},
    {SYS_lseek, "lseek", SHAPE_FD, false},
    {SYS_fstat, "fstat", SHAPE_FD, false},
    {SYS_fstatfs, "fstatfs", SHAPE_FD, false},
    {SYS_flock, "flock", SHAPE_FD, false},
    {SYS_fadvise64, "fadvise64", SHAPE_FD, false},
    {SYS_close, "close", SHAPE_FD, false},
#ifdef __x86_64__
    {SYS_open, "open", SHAPE_PATH, false},
    {SYS_creat, "creat", SHAPE_PATH, false},
    {SYS_mkdir, "mkdir", SHAPE_PATH, false},
    {SYS_rmdir, "rmdir", SHAPE_PATH, false},
    {SYS_unlink, "unlink", SHAPE_PATH, false},
    {SYS_rename, "rename", SHAPE_PATH, false},
    {SYS_link, "link", SHAPE_PATH, false},
    {SYS_symlink, "symlink", SHAPE_PATH, false},
    {SYS_readlink, "readlink", SHAPE_PATH, false},
    {SYS_stat, "stat", SHAPE_PATH, false},
    {SYS_lstat, "lstat", SHAPE_PATH, false},
    {SYS_access, "access", SHAPE_PATH, false},
    {SYS_chmod, "chmod", SHAPE_PATH, false},
    {SYS_chown, "chown", SHAPE_PATH, false},
    {SYS_truncate, "truncate", SHAPE_PATH, false},
#endif
};
enum { ROWS = sizeof rows / sizeof *rows };

#ifdef __x86_64__

static const struct row *row_of(long number)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].number == number)
            return &rows[i];
    return NULL;
}

static void text_of(pid_t pid, unsigned long address, char *text, size_t room)
{
    struct iovec here = {.iov_base = text, .iov_len = room - 1};
    struct iovec there = {.iov_base = (void *)address, .iov_len = room - 1};
    ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    /* A text shorter than the room may end where the memory does. */
    for (; got < 0 && there.iov_len > 1; there.iov_len /= 2)
        got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    text[got < 0 ? 0 : got] = '\0';
}

static void fd_path(pid_t pid, int fd, char *path, size_t room)
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/%d/fd/%d", pid, fd);
    ssize_t length = readlink(link, path, room - 1);
    path[length < 0 ? 0 : length] = '\0';
}

static void call_path(pid_t pid, const struct row *row, const struct user_regs_struct *r,
                      char path[600])
{
    char text[256];
    *path = '\0';
    if (row->shape == SHAPE_FD) {
        fd_path(pid, (int)r->rdi, path, 600);
        return;
    }
    text_of(pid, row->shape == SHAPE_AT ? r->rsi : r->rdi, text, sizeof text);
    /* openat2 resolves in the root that its descriptor is, also what begins with '/'. */
    bool is_whole = text[0] == '/' && row->number != SYS_openat2;
    if (row->shape == SHAPE_AT && !is_whole && (int)r->rdi != AT_FDCWD)
        fd_path(pid, (int)r->rdi, path, 300);
    size_t length = strlen(path);
    (void)snprintf(path + length, 600 - length, "%s%s",
                   length > 0 && text[0] != '/' && text[0] != '\0' ? "/" : "", text);
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

struct running {
    const struct trace *t;
    pid_t pid;
    unsigned counts[ROWS];
    bool is_taken; /* the call was taken away, and gives this: */
    int errnum;
};

static void set_number(pid_t pid, struct user_regs_struct *r, long number)
{
    r->orig_rax = (unsigned long)number;
    (void)ptrace(PTRACE_SETREGS, pid, 0, r);
}

/* At a call's entry: false when the child is gone. */
static bool enter(struct running *w)
{
    struct user_regs_struct r;
    if (ptrace(PTRACE_GETREGS, w->pid, 0, &r) < 0)
        return false;
    const struct row *row = row_of((long)r.orig_rax);
    struct call c = {.name = row ? row->name : ""};
    if (!row)
        return true;
    call_path(w->pid, row, &r, c.path);
    if (!is_below(c.path, w->t->folder))
        return true;
    c.number = ++w->counts[row - rows];
    c.may_be_short = row->may_be_short && r.rdx > 1;
    switch (w->t->at(w->t->context, &c, &w->errnum)) {
    case ORDER_GO:
        break;
    case ORDER_KILL:
        set_number(w->pid, &r, -1);
        (void)kill(w->pid, SIGKILL);
        return false;
    case ORDER_SKIP:
        w->errnum = 0;
        w->is_taken = true;
        set_number(w->pid, &r, -1);
        break;
    case ORDER_FAIL:
        w->is_taken = true;
        set_number(w->pid, &r, -1);
        break;
    case ORDER_SHORT:
        r.rdx /= 2;
        (void)ptrace(PTRACE_SETREGS, w->pid, 0, &r);
        break;
    }
    return true;
}

static void leave(struct running *w)
{
    struct user_regs_struct r;
    if (!w->is_taken || ptrace(PTRACE_GETREGS, w->pid, 0, &r) < 0)
        return;
    r.rax = (unsigned long)-(long)w->errnum;
    (void)ptrace(PTRACE_SETREGS, w->pid, 0, &r);
    w->is_taken = false;
}

static _Noreturn void child(const struct trace *t)
{
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 || raise(SIGSTOP) != 0)
        _exit(125);
    t->work(t->context);
    _exit(0);
}

int trace_run(const struct trace *t)
{
    struct running w = {.t = t, .pid = fork()};
    int status;
    if (w.pid == 0)
        child(t);
    if (w.pid < 0 || waitpid(w.pid, &status, 0) != w.pid)
        return -1;
    if (!WIFSTOPPED(status))
        return errno = EPERM, -1;
    if (ptrace(PTRACE_SETOPTIONS, w.pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
        return -1;
    int signo = 0;
    for (bool is_inside = false;;) {
        (void)ptrace(PTRACE_SYSCALL, w.pid, 0, signo);
        signo = 0;
        if (waitpid(w.pid, &status, 0) != w.pid)
            return -1;
        if (!WIFSTOPPED(status))
            return status;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            signo = WSTOPSIG(status);
            continue;
        }
        if (is_inside) {
            leave(&w);
        } else if (!enter(&w)) {
            (void)waitpid(w.pid, &status, 0);
            return status;
        }
        is_inside = !is_inside;
    }
}

static enum order go(void *context, const struct call *c, int *ret_errnum)
{
    (void)context, (void)c, (void)ret_errnum;
    return ORDER_GO;
}

static void nothing(void *context)
{
    (void)context;
}

const char *trace_is_possible(void)
{
    const struct trace t = {.folder = "/nowhere", .at = go, .work = nothing};
    return trace_run(&t) == 0 ? NULL : "a child can't be traced here (ptrace)";
}

#else

int trace_run(const struct trace *t)
{
    (void)t, (void)rows;
    return errno = ENOSYS, -1;
}

const char *trace_is_possible(void)
{
    return "only x86-64's registers are known";
}

#endif
