/* A playbook's own pause between its attempts. */
#include "base/duration.h"
#include "decide/core.h"
#include "decide/guards/rows.h"

static void judge(const struct guard_view *v, const void *args, struct judgement *ret)
{
    (void)args;
    const struct playbook_document *p = v->playbook;
    const struct attempts *a = history_attempts(&v->core->history, p->meta.name);
    uint64_t until_usec = a && a->ended_usec ? a->ended_usec + p->limits.cooldown_usec : 0;
    char left[DURATION_TEXT], cooldown[DURATION_TEXT];
    duration_format(p->limits.cooldown_usec, cooldown);
    if (v->now_usec >= until_usec) {
        judgement_set(ret, GUARD_ALLOW, NULL, "over (%s)", cooldown);
        return;
    }
    ret->until_usec = until_usec;
    judgement_set(ret, GUARD_DENY, "the cooldown to be over", "%s of %s left",
                  duration_about(until_usec - v->now_usec, left), cooldown);
}

const struct guard_kind guard_cooldown = {
    .kind = {.name = "cooldown", .summary = "a playbook's limits: cooldown after its last attempt"},
    .judge = judge,
};
