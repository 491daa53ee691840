/* A playbook's own limit of attempts in a time: past it, it is no remedy, and another or
 * a person takes over. Counted across incidents, restarts and reboots. */
#include <inttypes.h>

#include "base/duration.h"
#include "decide/core.h"
#include "decide/guards/rows.h"

static void judge(const struct guard_view *v, const void *args, struct judgement *ret)
{
    (void)args;
    const struct playbook_document *p = v->playbook;
    const struct attempts *a = history_attempts(&v->core->history, p->meta.name);
    int64_t recent = 0;
    for (size_t i = 0; a && i < a->count; i++)
        recent += a->began_usec[i] + p->limits.per_usec > v->now_usec;
    char per[DURATION_TEXT];
    duration_format(p->limits.per_usec, per);
    judgement_set(ret, recent < p->limits.attempts ? GUARD_ALLOW : GUARD_SPENT, NULL,
                  "%" PRId64 " of %" PRId64 " attempts used in %s", recent, p->limits.attempts,
                  per);
}

const struct guard_kind guard_attempts = {
    .kind = {.name = "attempts", .summary = "a playbook's limits: attempts, per"},
    .judge = judge,
};
