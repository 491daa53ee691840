#include <assert.h>
#include <stdlib.h>

#include <systemd/sd-event.h>

#include "base/mem.h"
#include "loop/loop.h"
#include "loop/source.h"

struct io {
    sd_event_source *source;
    void (*ready)(void *context, uint32_t events);
    void *context;
};

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    (void)fd;
    struct io *i = userdata;
    i->ready(i->context, events);
    return 0;
}

int io_new(struct loop *l, int fd, uint32_t events, void (*ready)(void *context, uint32_t events),
           void *context, struct io **ret, struct err *e)
{
    OWNED(io_free) struct io *i = mem_new(struct io);
    i->ready = ready;
    i->context = context;
    int r = sd_event_add_io(loop_sd_event(l), &i->source, fd, events, on_ready, i);
    r = source_keep(i->source, r, "a descriptor", e);
    if (r < 0)
        return r;
    *ret = TAKE(i);
    return 0;
}

void io_set(struct io *i, uint32_t events)
{
    int r = sd_event_source_set_io_events(i->source, events);
    assert(r >= 0);
}

void io_free(struct io *i)
{
    if (!i)
        return;
    sd_event_source_disable_unref(i->source);
    free(i);
}
