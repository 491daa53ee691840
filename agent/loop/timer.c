#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include <systemd/sd-event.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/source.h"

struct timer {
    sd_event_source *source;
    void (*fire)(void *context);
    void *context;
};

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    struct timer *t = userdata;
    t->fire(t->context);
    return 0;
}

int timer_new(struct loop *l, void (*fire)(void *context), void *context, struct timer **ret,
              struct err *e)
{
    OWNED(timer_free) struct timer *t = mem_new(struct timer);
    t->fire = fire;
    t->context = context;
    int r =
        sd_event_add_time(loop_sd_event(l), &t->source, CLOCK_BOOTTIME, USEC_NEVER, 1, on_time, t);
    r = source_keep(t->source, r, "a time", e);
    if (r < 0)
        return r;
    r = sd_event_source_set_enabled(t->source, SD_EVENT_OFF);
    assert(r >= 0);
    *ret = TAKE(t);
    return 0;
}

void timer_set(struct timer *t, uint64_t at_usec, uint64_t slack_usec)
{
    int r;
    /* A loop that has ended calls nobody any more; what is freed behind it may not know. */
    if (sd_event_get_state(sd_event_source_get_event(t->source)) == SD_EVENT_FINISHED)
        return;
    if (at_usec == USEC_NEVER) {
        r = sd_event_source_set_enabled(t->source, SD_EVENT_OFF);
        assert(r >= 0);
        return;
    }
    r = sd_event_source_set_time(t->source, at_usec);
    assert(r >= 0);
    /* To sd-event 0 means its default of 250 ms, not "exactly". */
    r = sd_event_source_set_time_accuracy(t->source, slack_usec ? slack_usec : 1);
    assert(r >= 0);
    r = sd_event_source_set_enabled(t->source, SD_EVENT_ONESHOT);
    assert(r >= 0);
}

void timer_free(struct timer *t)
{
    if (!t)
        return;
    sd_event_source_disable_unref(t->source);
    free(t);
}
