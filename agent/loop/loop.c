#include "loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/mem.h"
#include "loop/source.h"

struct signal_source {
    sd_event_source *source;
    void (*fire)(void *context);
    void *context;
    struct signal_source *next;
};

struct loop {
    sd_event *event;
    struct signal_source *signals;
};

int source_keep(sd_event_source *s, int added, const char *what, struct err *e)
{
    if (added < 0)
        return err_errno(e, -added, "can't wait for %s", what);
    int r = sd_event_source_set_exit_on_failure(s, 1);
    assert(r >= 0);
    return 0;
}

static int block_signal(int signo, struct err *e)
{
    sigset_t set;
    (void)sigemptyset(&set);
    if (sigaddset(&set, signo) < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return err_errno(e, errno, "can't block signal %d", signo);
    return 0;
}

int loop_new(struct loop **ret, struct err *e)
{
    /* sd-event takes signals from a signalfd and children by waitid: both only when blocked. */
    static const int blocked[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++) {
        int r = block_signal(blocked[i], e);
        if (r < 0)
            return r;
    }
    OWNED(loop_free) struct loop *l = mem_new(struct loop);
    int r = sd_event_new(&l->event);
    if (r < 0)
        return err_errno(e, -r, "can't make an event loop");
    *ret = TAKE(l);
    return 0;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    while (l->signals) {
        struct signal_source *s = l->signals;
        l->signals = s->next;
        sd_event_source_disable_unref(s->source);
        free(s);
    }
    sd_event_unref(l->event);
    free(l);
}

int loop_run(struct loop *l, struct err *e)
{
    int r = sd_event_loop(l->event);
    if (r < 0)
        return err_errno(e, -r, "the event loop broke");
    return r;
}

void loop_stop(struct loop *l, int code)
{
    int r = sd_event_exit(l->event, code);
    assert(r >= 0 || r == -ESTALE);
}

uint64_t loop_now_usec(const struct loop *l)
{
    uint64_t now;
    int r = sd_event_now(l->event, CLOCK_BOOTTIME, &now);
    assert(r >= 0);
    return now;
}

int loop_serve_manager(struct loop *l, struct err *e)
{
    int r = sd_event_set_watchdog(l->event, 1);
    if (r < 0)
        return err_errno(e, -r, "can't serve the service manager's watchdog");
    r = sd_notify(0, "READY=1");
    if (r < 0)
        return err_errno(e, -r, "can't tell the service manager that we are ready");
    return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    struct signal_source *s = userdata;
    s->fire(s->context);
    return 0;
}

int loop_on_signal(struct loop *l, int signo, void (*fire)(void *context), void *context,
                   struct err *e)
{
    int r = block_signal(signo, e);
    if (r < 0)
        return r;
    struct signal_source *s = mem_new(struct signal_source);
    s->fire = fire;
    s->context = context;
    r = sd_event_add_signal(l->event, &s->source, signo, on_signal, s);
    r = source_keep(s->source, r, "a signal", e);
    if (r < 0) {
        free(s);
        return r;
    }
    s->next = l->signals;
    l->signals = s;
    return 0;
}

struct sd_event *loop_sd_event(struct loop *l)
{
    return l->event;
}
