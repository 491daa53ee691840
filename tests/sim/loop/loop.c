/* loop.h's loop, timers and signals over the schedule. */
#include "loop/loop.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "post.h"
#include "sim.h"

enum { SIGNALS = 3 };

struct loop {
    struct master *master;
    struct task *task;
    struct post *first, **last;
    struct post signals[SIGNALS];
    int signos[SIGNALS];
    size_t signal_count;
    bool is_stopped;
    int code;
};

struct timer {
    struct post post;
};

/* A timer that may be this late is as good as idle: on a master where nothing changes it needn't
 * fire each minute of a simulated month. What is looked at meanwhile shows nothing new
 * (observe.c), and is dated before the timer's call as if it had been looked at all the time. */
static const uint64_t idle_slack_usec = 5 * USEC_PER_SEC, idle_usec = 30 * USEC_PER_MINUTE;

/* ---- posts ---- */

void post_init(struct post *p, struct loop *l, void (*fire)(void *context), void *context)
{
    *p = (struct post){.loop = l, .fire = fire, .context = context};
}

static void dequeue(struct post *p)
{
    if (!p->at)
        return;
    *p->at = p->next;
    if (p->next)
        p->next->at = p->at;
    else
        p->loop->last = p->at;
    p->at = NULL;
    p->next = NULL;
}

void post_cancel(struct post *p)
{
    schedule_cancel(p->entry);
    p->entry = NULL;
    dequeue(p);
}

static void on_due(void *context)
{
    struct post *p = context;
    struct master *m = p->loop->master;
    p->entry = NULL;
    if (!task_is_alive(p->loop->task))
        return;
    if (m->life == LIFE_SUSPENDED) {
        p->entry = schedule_at(m->resumes_usec, on_due, p);
        return;
    }
    p->at = p->loop->last;
    *p->at = p;
    p->loop->last = &p->next;
    task_wake(p->loop->task);
}

void post_at(struct post *p, uint64_t true_usec)
{
    post_cancel(p);
    p->entry = schedule_at(true_usec, on_due, p);
}

void post_now(struct post *p)
{
    post_at(p, schedule_now());
}

/* ---- the loop ---- */

int loop_new(struct loop **ret, struct err *e)
{
    (void)e;
    struct loop *l = mem_new(struct loop);
    l->task = task_current();
    l->master = task_master(l->task);
    l->last = &l->first;
    l->master->loop = l;
    *ret = l;
    return 0;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->signal_count; i++)
        post_cancel(&l->signals[i]);
    l->master->loop = NULL;
    free(l);
}

struct master *loop_master(const struct loop *l)
{
    return l->master;
}

int loop_run(struct loop *l, struct err *e)
{
    (void)e;
    while (!l->is_stopped) {
        struct post *p = l->first;
        if (!p) {
            task_block();
            continue;
        }
        dequeue(p);
        observe_refresh(l->master);
        p->fire(p->context);
    }
    return l->code;
}

void loop_stop(struct loop *l, int code)
{
    if (!l->is_stopped)
        l->code = code;
    l->is_stopped = true;
    task_wake(l->task);
}

uint64_t loop_now_usec(const struct loop *l)
{
    return master_boot_usec(l->master);
}

int loop_serve_manager(struct loop *l, struct err *e)
{
    (void)l;
    (void)e;
    return 0;
}

int loop_on_signal(struct loop *l, int signo, void (*fire)(void *context), void *context,
                   struct err *e)
{
    (void)e;
    assert(l->signal_count < SIGNALS);
    l->signos[l->signal_count] = signo;
    post_init(&l->signals[l->signal_count++], l, fire, context);
    return 0;
}

void loop_send_signal(struct loop *l, int signo)
{
    for (size_t i = 0; l && i < l->signal_count; i++)
        if (l->signos[i] == signo)
            post_now(&l->signals[i]);
}

struct sd_event *loop_sd_event(struct loop *l)
{
    (void)l;
    abort(); /* only loop's own files and net use it, and they are not in here */
}

/* ---- timers ---- */

int timer_new(struct loop *l, void (*fire)(void *context), void *context, struct timer **ret,
              struct err *e)
{
    (void)e;
    struct timer *t = mem_new(struct timer);
    post_init(&t->post, l, fire, context);
    *ret = t;
    return 0;
}

void timer_set(struct timer *t, uint64_t at_usec, uint64_t slack_usec)
{
    if (at_usec == USEC_NEVER) {
        post_cancel(&t->post);
        return;
    }
    const struct master *m = t->post.loop->master;
    uint64_t at = boot_true_usec(m->boot_id, at_usec);
    if (slack_usec >= idle_slack_usec)
        at = at > schedule_now() + idle_usec ? at : schedule_now() + idle_usec;
    post_at(&t->post, at);
}

void timer_free(struct timer *t)
{
    if (!t)
        return;
    post_cancel(&t->post);
    free(t);
}
