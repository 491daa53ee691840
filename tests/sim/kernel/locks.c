/* flock(2), and the timer whose signal ends the wait for it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>

#include "base/mem.h"
#include "kernel/calls.h"
#include "kernel/descriptors.h"

/* Who waits in flock(2). On the task's own stack would be lost memory when it is killed. */
struct waiter {
    struct task *task;
    const struct inode *inode;
    struct entry *alarm; /* NULL: none, or it rang */
    bool rang;
    struct waiter *next;
};

/* timer_create(2): one a task is all that lock.c has. */
struct alarm {
    struct task *task;
    uint64_t at_usec, every_usec; /* boot clock; `at_usec` 0: not set */
    struct alarm *next;
};

static struct waiter *waiters;
static struct alarm *alarms;

static bool lock_is_free(const struct description *d, int kind)
{
    for (const struct description *o = descriptions_first(); o; o = o->next)
        if (o != d && o->inode == d->inode && o->lock != 0 &&
            (kind == LOCK_EX || o->lock == LOCK_EX))
            return false;
    return true;
}

static void waiters_wake(const struct inode *i)
{
    for (struct waiter *w = waiters; w; w = w->next)
        if (w->inode == i)
            task_wake(w->task);
}

void lock_give(struct description *d)
{
    if (d->lock == 0)
        return;
    d->lock = 0;
    if (d->inode)
        waiters_wake(d->inode);
}

static void waiter_free(struct waiter *w)
{
    struct waiter **at = &waiters;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    schedule_cancel(w->alarm);
    free(w);
}

static struct alarm *alarm_find(const struct task *t)
{
    struct alarm *a = alarms;
    while (a && a->task != t)
        a = a->next;
    return a;
}

static void alarm_free(struct alarm *a)
{
    struct alarm **at = &alarms;
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    free(a);
}

void lock_task_ended(struct task *t)
{
    for (struct waiter *w = waiters, *next; w; w = next) {
        next = w->next;
        if (w->task == t)
            waiter_free(w);
    }
    struct alarm *a = alarm_find(t);
    if (a)
        alarm_free(a);
}

static void waiter_ring(void *context)
{
    struct waiter *w = context;
    w->alarm = NULL;
    w->rang = true;
    task_wake(w->task);
}

/* The next time that the task's timer will ring, in true time; 0: never. */
static uint64_t alarm_next(const struct task *t)
{
    const struct alarm *a = alarm_find(t);
    if (!a || a->at_usec == 0)
        return 0;
    uint64_t now = kernel_boot_usec(), at = a->at_usec;
    if (at <= now && a->every_usec == 0)
        return 0;
    if (at <= now)
        at += ((now - at) / a->every_usec + 1) * a->every_usec;
    return schedule_now() + (at - now);
}

static int lock_wait(int fd, int kind)
{
    struct waiter *w = mem_new(struct waiter);
    struct description *d = descriptor_find(fd);
    *w = (struct waiter){.task = task_current(), .inode = d->inode, .next = waiters};
    waiters = w;
    uint64_t ring = alarm_next(w->task);
    if (ring != 0)
        w->alarm = schedule_at(ring, waiter_ring, w);
    int code = 0;
    while (code == 0 && (d = descriptor_find(fd)) && !lock_is_free(d, kind)) {
        task_block();
        if (w->rang)
            code = EINTR;
    }
    waiter_free(w);
    return d ? code : EBADF;
}

int lock_take(int fd, int operation)
{
    struct description *d = descriptor_find(fd);
    int kind = operation & ~LOCK_NB;
    if (kind == LOCK_UN) {
        lock_give(d);
        return 0;
    }
    if (kind != LOCK_SH && kind != LOCK_EX)
        return EINVAL;
    if (!lock_is_free(d, kind)) {
        /* flock(2): a conversion isn't atomic, what was held is gone. */
        lock_give(d);
        if (operation & LOCK_NB)
            return EWOULDBLOCK;
        int code = lock_wait(fd, kind);
        if (code != 0)
            return code;
        d = descriptor_find(fd);
    }
    bool weaker = d->lock == LOCK_EX && kind == LOCK_SH;
    d->lock = kind;
    if (weaker)
        waiters_wake(d->inode);
    return 0;
}

/* ---- the timer ---- */

WRAP(int, timer_create, clockid_t clock, struct sigevent *event, timer_t *ret)
{
    if (!task_current())
        return __real_timer_create(clock, event, ret);
    struct alarm *a = mem_new(struct alarm);
    *a = (struct alarm){.task = task_current(), .next = alarms};
    alarms = a;
    *ret = (timer_t)a;
    return 0;
}

static uint64_t usec_of(const struct timespec *t)
{
    /* Up, as a timer never rings early. */
    return (uint64_t)t->tv_sec * 1000000 + ((uint64_t)t->tv_nsec + 999) / 1000;
}

WRAP(int, timer_settime, timer_t timer, int flags, const struct itimerspec *at,
     struct itimerspec *before)
{
    if (!task_current())
        return __real_timer_settime(timer, flags, at, before);
    struct alarm *a = (struct alarm *)timer;
    a->at_usec = usec_of(&at->it_value);
    if (a->at_usec != 0 && !(flags & TIMER_ABSTIME))
        a->at_usec += kernel_boot_usec();
    a->every_usec = usec_of(&at->it_interval);
    return 0;
}

WRAP(int, timer_delete, timer_t timer)
{
    if (!task_current())
        return __real_timer_delete(timer);
    alarm_free((struct alarm *)timer);
    return 0;
}

/* Simulated signals are those of the timer above, and they have nothing to run. */
WRAP(int, sigaction, int signo, const struct sigaction *action, struct sigaction *before)
{
    if (!task_current())
        return __real_sigaction(signo, action, before);
    if (before)
        *before = (struct sigaction){.sa_handler = SIG_DFL};
    return 0;
}
