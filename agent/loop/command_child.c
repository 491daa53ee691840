#include "loop/command_child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/own.h"
#include "loop/clock.h"

enum { OUTPUT_LIMIT_BYTES = 64 * 1024, READ_BYTES = 16 * 1024, EXIT_NOT_STARTED = 127 };

/* From SIGTERM to SIGKILL; from the child's end to leaving the pipes to whoever holds them. */
static const uint64_t grace_usec = 2 * USEC_PER_SEC, drain_usec = USEC_PER_SEC;

static uint64_t later(uint64_t now_usec, uint64_t usec)
{
    return usec >= USEC_NEVER - now_usec ? USEC_NEVER : now_usec + usec;
}

/* --- what is captured */

static void capture_tail(struct capture *c, const char *bytes, size_t length)
{
    if (!c->tail)
        c->tail = mem_alloc(c->tail_limit);
    for (size_t done = 0; done < length;) {
        size_t at = (size_t)((c->tail_total + done) % c->tail_limit);
        size_t piece = c->tail_limit - at < length - done ? c->tail_limit - at : length - done;
        memcpy(c->tail + at, bytes + done, piece);
        done += piece;
    }
    c->tail_total += length;
}

static void capture_add(struct capture *c, const char *bytes, size_t length)
{
    size_t room = c->head_limit - c->head.length;
    size_t piece = room < length ? room : length;
    if (piece)
        buf_add(&c->head, bytes, piece);
    if (piece < length)
        capture_tail(c, bytes + piece, length - piece);
}

/* Head, a line that says how much is missing, tail. Hands the bytes on. */
static struct buf capture_take(struct capture *c)
{
    struct buf all = c->head;
    c->head = (struct buf){0};
    if (c->tail_total > c->tail_limit) {
        buf_printf(&all, "\n... %" PRIu64 " bytes left out ...\n", c->tail_total - c->tail_limit);
        all.truncated = true;
        size_t at = (size_t)(c->tail_total % c->tail_limit);
        buf_add(&all, c->tail + at, c->tail_limit - at);
        buf_add(&all, c->tail, at);
    } else if (c->tail_total) {
        buf_add(&all, c->tail, (size_t)c->tail_total);
    }
    return all;
}

/* --- the child's own side: between fork and exec, async-signal-safe calls only */

struct start {
    const struct command *command;
    pid_t parent;
    int input, output, errors, status;
};

static bool stand_at(int fd, int at)
{
    return dup2(fd, at) == at;
}

static bool take_streams(struct start *s)
{
    /* Out of the way of 0-2 first, should our own program have been started without these. */
    int *fds[] = {&s->input, &s->output, &s->errors, &s->status};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        *fds[i] = fcntl(*fds[i], F_DUPFD_CLOEXEC, 3);
        if (*fds[i] < 0)
            return false;
    }
    return stand_at(s->input, 0) && stand_at(s->output, 1) && stand_at(s->errors, 2) &&
           close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0;
}

static bool clear_signals(void)
{
    for (int signo = 1; signo < NSIG; signo++)
        (void)signal(signo, SIG_DFL); /* KILL, STOP and libc's own refuse: they need none */
    sigset_t none;
    (void)sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static _Noreturn void become(struct start *s)
{
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char language[] = "LANG=C.UTF-8", home[] = "HOME=/";
    char *const environment[] = {path, language, home, NULL};
    (void)setpgid(0, 0);
    if (take_streams(s) && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && clear_signals() &&
        chdir("/") == 0) {
        (void)umask(022);
        if (getppid() != s->parent) /* it died before we asked to die with it */
            _exit(EXIT_NOT_STARTED);
        (void)execve(s->command->argv[0], (char *const *)(uintptr_t)s->command->argv, environment);
    }
    int code = errno;
    ssize_t written = write(s->status, &code, sizeof code);
    _exit(written < 0 ? EXIT_NOT_STARTED + 1 : EXIT_NOT_STARTED);
}

/* --- our side */

static int check(const struct command *c, struct err *e)
{
    if (!c->argv || !c->argv[0])
        return err_set(e, -EINVAL, "an empty command; expected a program's absolute path");
    if (c->argv[0][0] != '/')
        return err_set(e, -EINVAL, "command \"%s\" is not an absolute path", c->argv[0]);
    if (!c->timeout_usec)
        return err_set(e, -EINVAL, "command %s has no timeout", c->argv[0]);
    return 0;
}

/* 0 when the exec happened: its close-on-exec end is closed then, without a word. */
static int exec_status(int status_fd)
{
    int code = 0;
    ssize_t got;
    do {
        got = read(status_fd, &code, sizeof code);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof code ? code : 0;
}

static void capture_begin(struct capture *c, int fd, size_t limit_bytes)
{
    size_t limit = limit_bytes ? limit_bytes : OUTPUT_LIMIT_BYTES;
    *c = (struct capture){.fd = fd, .head_limit = limit / 2, .tail_limit = limit - limit / 2};
}

static int make_pipe(int *ret_read, int *ret_write)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    *ret_read = ends[0];
    *ret_write = ends[1];
    return 0;
}

static int start_error(const struct command *c, int errnum, struct err *e)
{
    return err_errno(e, errnum, "can't start %s", c->argv[0]);
}

int child_start(struct child *ch, const struct command *c, struct err *e)
{
    *ch = (struct child){.captures = {{.fd = -1}, {.fd = -1}}};
    int r = check(c, e);
    if (r < 0)
        return r;
    OWNED(fd_close) int output = -1, output_end = -1, errors = -1, errors_end = -1;
    OWNED(fd_close) int status = -1, status_end = -1;
    OWNED(fd_close) int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0)
        return start_error(c, errno, e);
    if ((r = make_pipe(&output, &output_end)) < 0 || (r = make_pipe(&errors, &errors_end)) < 0 ||
        (r = make_pipe(&status, &status_end)) < 0)
        return start_error(c, -r, e);
    if (fcntl(output, F_SETFL, O_NONBLOCK) < 0 || fcntl(errors, F_SETFL, O_NONBLOCK) < 0)
        return start_error(c, errno, e);
    struct start s = {.command = c,
                      .parent = getpid(),
                      .input = input,
                      .output = output_end,
                      .errors = errors_end,
                      .status = status_end};
    uint64_t now = clock_boot_usec();
    pid_t pid = fork();
    if (pid < 0)
        return start_error(c, errno, e);
    if (pid == 0)
        become(&s);
    (void)setpgid(pid, pid); /* whoever is first; so that kill(-pid) is good from here on */
    (void)close(TAKE_FD(status_end));
    int failed = exec_status(status);
    if (failed) {
        (void)waitpid(pid, NULL, 0);
        return start_error(c, failed, e);
    }
    *ch =
        (struct child){.pid = pid, .began_usec = now, .deadline_usec = later(now, c->timeout_usec)};
    capture_begin(&ch->captures[0], TAKE_FD(output), c->output_limit_bytes);
    capture_begin(&ch->captures[1], TAKE_FD(errors), c->output_limit_bytes);
    return 0;
}

void child_fini(struct child *ch)
{
    for (size_t i = 0; i < 2; i++) {
        (void)close(TAKE_FD(ch->captures[i].fd));
        buf_fini(&ch->captures[i].head);
        free(ch->captures[i].tail);
        ch->captures[i].tail = NULL;
    }
}

void child_read(struct child *ch, size_t capture)
{
    struct capture *c = &ch->captures[capture];
    char bytes[READ_BYTES];
    /* One piece a turn: who writes without end must not keep us from the deadline. */
    ssize_t got = read(c->fd, bytes, sizeof bytes);
    if (got > 0)
        capture_add(c, bytes, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        c->at_end = true;
}

void child_ended(struct child *ch, int status)
{
    assert(ch->phase != CHILD_ENDED);
    if (ch->timed_out)
        (void)kill(-ch->pid, SIGKILL); /* what it left behind of its group */
    ch->phase = CHILD_ENDED;
    ch->status = status;
    ch->ended_usec = clock_boot_usec();
    ch->deadline_usec = later(ch->ended_usec, drain_usec);
}

void child_deadline(struct child *ch, uint64_t now_usec)
{
    if (now_usec < ch->deadline_usec)
        return;
    if (ch->phase == CHILD_RUNNING) {
        ch->timed_out = true;
        ch->phase = CHILD_ASKED;
        ch->deadline_usec = later(now_usec, grace_usec);
        (void)kill(-ch->pid, SIGTERM);
    } else if (ch->phase == CHILD_ASKED) {
        ch->phase = CHILD_KILLED;
        ch->deadline_usec = USEC_NEVER;
        (void)kill(-ch->pid, SIGKILL);
    }
}

bool child_finished(const struct child *ch, uint64_t now_usec)
{
    return ch->phase == CHILD_ENDED &&
           ((ch->captures[0].at_end && ch->captures[1].at_end) || now_usec >= ch->deadline_usec);
}

void child_kill(struct child *ch)
{
    if (ch->phase != CHILD_ENDED)
        (void)kill(-ch->pid, SIGKILL);
}

struct command_result child_result(struct child *ch)
{
    assert(ch->phase == CHILD_ENDED);
    return (struct command_result){
        .started = true,
        .timed_out = ch->timed_out,
        .exit_code = WIFEXITED(ch->status) ? WEXITSTATUS(ch->status) : -1,
        .signal = WIFSIGNALED(ch->status) ? WTERMSIG(ch->status) : 0,
        .out = capture_take(&ch->captures[0]),
        .err = capture_take(&ch->captures[1]),
        .took_usec = ch->ended_usec - ch->began_usec,
    };
}
