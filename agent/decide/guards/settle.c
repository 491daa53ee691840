/* Settle: what breaks while an action of ours is under way, or right after it, is most likely its
 * echo. It is waited out. The incident that acted goes on to its next playbook freely. */
#include <string.h>

#include "base/duration.h"
#include "decide/core.h"
#include "decide/guards/rows.h"

struct args {
    uint64_t for_usec;
};

static const struct field fields[] = {
    {.name = "for",
     .type = FIELD_DURATION,
     FIELD_AT(args, for_usec),
     .otherwise = "5m",
     .help = "how long after an own action new incidents count as its echo"},
    {0},
};

static void judge(const struct guard_view *v, const void *arguments, struct judgement *ret)
{
    const struct args *a = arguments;
    const struct history *h = &v->core->history;
    if (!h->action_began_usec) {
        judgement_set(ret, GUARD_ALLOW, NULL, "no action yet");
        return;
    }
    bool own = !strcmp(h->action_incident, v->incident->id);
    bool older = v->incident->opened_usec < h->action_began_usec;
    uint64_t ended = h->action_ended_usec ? h->action_ended_usec : v->now_usec;
    if (own || older || v->now_usec >= ended + a->for_usec) {
        judgement_set(ret, GUARD_ALLOW, NULL, "%s",
                      own     ? "the last action was this incident's"
                      : older ? "opened before the last action"
                              : "over");
        return;
    }
    char ago[DURATION_TEXT];
    ret->until_usec = ended + a->for_usec;
    judgement_set(ret, GUARD_DENY, "the node to settle",
                  "opened during or after an action (%s ago)",
                  duration_about(v->now_usec - ended, ago));
}

const struct guard_kind guard_settle = {
    .kind = {.name = "settle",
             .summary = "symptoms right after an own action are its echo, not news",
             .fields = fields,
             .args_size = sizeof(struct args)},
    .judge = judge,
};
