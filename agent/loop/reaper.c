#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <systemd/sd-event.h>

#include "base/mem.h"
#include "loop/loop.h"
#include "loop/source.h"

struct reaper {
    sd_event_source *source;
    bool has_ended;
    void (*ended)(void *context, int status);
    void *context;
};

/* What waitpid(2) would have said, but whether there is a core. */
static int wait_status(const siginfo_t *si)
{
    return si->si_code == CLD_EXITED ? W_EXITCODE(si->si_status, 0) : W_EXITCODE(0, si->si_status);
}

/* sd-event reaps the child when this returns. */
static int on_child(sd_event_source *source, const siginfo_t *si, void *userdata)
{
    struct reaper *r = userdata;
    if (!r) { /* freed before: the loop's own floating source, whose work ends here */
        int dropped = sd_event_source_set_floating(source, 0);
        assert(dropped >= 0);
        return 0;
    }
    r->has_ended = true;
    r->ended(r->context, wait_status(si));
    return 0;
}

int reaper_new(struct loop *l, pid_t pid, void (*ended)(void *context, int status), void *context,
               struct reaper **ret, struct err *e)
{
    OWNED(reaper_free) struct reaper *r = mem_new(struct reaper);
    r->ended = ended;
    r->context = context;
    int added = sd_event_add_child(loop_sd_event(l), &r->source, pid, WEXITED, on_child, r);
    added = source_keep(r->source, added, "a child process", e);
    if (added < 0)
        return added;
    *ret = TAKE(r);
    return 0;
}

void reaper_free(struct reaper *r)
{
    if (!r)
        return;
    if (r->source && !r->has_ended) {
        /* The child still has to be reaped some time, or it stays a zombie: leave the source
         * to the loop. */
        (void)sd_event_source_set_userdata(r->source, NULL);
        int left = sd_event_source_set_floating(r->source, 1);
        assert(left >= 0);
        sd_event_source_unref(r->source);
    } else {
        sd_event_source_disable_unref(r->source);
    }
    free(r);
}
