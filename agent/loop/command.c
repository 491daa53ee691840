#include "loop/command.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/command_child.h"

void command_result_fini(struct command_result *r)
{
    buf_fini(&r->out);
    buf_fini(&r->err);
}

/* --- in the loop */

struct running {
    struct child child;
    struct io *pipes[2];
    struct reaper *reaper;
    struct timer *timer;
    void (*done)(void *context, const struct command_result *r);
    void *context;
};

/* After each event: tell the end, or wait for the next. */
static void go_on(struct running *r)
{
    for (size_t i = 0; i < 2; i++)
        if (r->child.captures[i].at_end && r->pipes[i])
            io_free(TAKE(r->pipes[i]));
    if (!child_finished(&r->child, clock_boot_usec())) {
        timer_set(r->timer, r->child.deadline_usec, 0);
        return;
    }
    timer_set(r->timer, USEC_NEVER, 0);
    for (size_t i = 0; i < 2; i++)
        io_free(TAKE(r->pipes[i]));
    OWNED(command_result_fini) struct command_result result = child_result(&r->child);
    r->done(r->context, &result); /* may free r */
}

static void read_pipe(struct running *r, size_t i)
{
    child_read(&r->child, i);
    go_on(r);
}

static void on_output(void *context, uint32_t events)
{
    (void)events;
    read_pipe(context, 0);
}

static void on_errors(void *context, uint32_t events)
{
    (void)events;
    read_pipe(context, 1);
}

static void on_ended(void *context, int status)
{
    struct running *r = context;
    child_ended(&r->child, status);
    go_on(r);
}

static void on_deadline(void *context)
{
    struct running *r = context;
    child_deadline(&r->child, clock_boot_usec());
    go_on(r);
}

int command_start(struct loop *l, const struct command *c,
                  void (*done)(void *context, const struct command_result *r), void *context,
                  struct running **ret, struct err *e)
{
    struct running *r = mem_new(struct running);
    int code = child_start(&r->child, c, e);
    if (code < 0) {
        free(r);
        return code;
    }
    r->done = done;
    r->context = context;
    code = reaper_new(l, r->child.pid, on_ended, r, &r->reaper, e);
    if (code < 0) {
        child_kill(&r->child);
        (void)waitpid(r->child.pid, NULL, 0);
        r->child.phase = CHILD_ENDED;
        running_free(r);
        return code;
    }
    if ((code = timer_new(l, on_deadline, r, &r->timer, e)) < 0 ||
        (code = io_new(l, r->child.captures[0].fd, EPOLLIN, on_output, r, &r->pipes[0], e)) < 0 ||
        (code = io_new(l, r->child.captures[1].fd, EPOLLIN, on_errors, r, &r->pipes[1], e)) < 0) {
        running_free(r);
        return code;
    }
    timer_set(r->timer, r->child.deadline_usec, 0);
    *ret = r;
    return 0;
}

void running_free(struct running *r)
{
    if (!r)
        return;
    child_kill(&r->child);
    reaper_free(r->reaper); /* the loop still reaps it */
    timer_free(r->timer);
    io_free(r->pipes[0]);
    io_free(r->pipes[1]);
    child_fini(&r->child);
    free(r);
}

/* --- blocking */

/* Where there is no pidfd (pidfd_open(2) is newer than some that run us, such as valgrind), the
 * child's end is looked for at times. */
enum { POLL_MSEC_MAX = 60 * 1000, POLL_MSEC_WITHOUT_PIDFD = 20 };

static int poll_timeout_msec(uint64_t until_usec, int most_msec)
{
    uint64_t now = clock_boot_usec();
    if (until_usec <= now)
        return 0;
    uint64_t msec = (until_usec - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    return msec < (uint64_t)most_msec ? (int)msec : most_msec;
}

/* The status is read without reaping first, so that the group's id can't be anybody else's
 * while child_ended() uses it. */
static void reap(struct child *ch)
{
    siginfo_t si = {0};
    if (waitid(P_PID, (id_t)ch->pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0 || !si.si_pid)
        return;
    int status =
        si.si_code == CLD_EXITED ? W_EXITCODE(si.si_status, 0) : W_EXITCODE(0, si.si_status);
    child_ended(ch, status);
    (void)waitpid(ch->pid, NULL, 0);
}

static void wait_for_event(struct child *ch, int pidfd)
{
    struct pollfd fds[3] = {
        {.fd = ch->captures[0].at_end ? -1 : ch->captures[0].fd, .events = POLLIN},
        {.fd = ch->captures[1].at_end ? -1 : ch->captures[1].fd, .events = POLLIN},
        {.fd = ch->phase == CHILD_ENDED ? -1 : pidfd, .events = POLLIN},
    };
    bool is_told = pidfd >= 0 || ch->phase == CHILD_ENDED;
    int ready = poll(
        fds, 3,
        poll_timeout_msec(ch->deadline_usec, is_told ? POLL_MSEC_MAX : POLL_MSEC_WITHOUT_PIDFD));
    for (size_t i = 0; ready > 0 && i < 2; i++)
        if (fds[i].revents)
            child_read(ch, i);
    if (!is_told || (ready > 0 && fds[2].revents))
        reap(ch);
    child_deadline(ch, clock_boot_usec());
}

int command_run(const struct command *c, struct command_result *ret, struct err *e)
{
    struct child ch;
    int r = child_start(&ch, c, e);
    if (r < 0) {
        *ret = (struct command_result){.exit_code = -1};
        return r;
    }
    OWNED(fd_close) int pidfd = pidfd_open(ch.pid, 0);
    while (!child_finished(&ch, clock_boot_usec()))
        wait_for_event(&ch, pidfd);
    *ret = child_result(&ch);
    child_fini(&ch);
    return 0;
}
