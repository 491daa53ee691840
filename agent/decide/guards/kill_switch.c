/* The kill switch: a file that stops every new step, for whatever reason somebody had. One that
 * can't be read counts as pulled. Putting back what is out goes on. */
#include "decide/core.h"
#include "decide/guards/rows.h"

static void judge(const struct guard_view *v, const void *args, struct judgement *ret)
{
    (void)args;
    if (!v->core->kill_switch_known)
        judgement_set(ret, GUARD_DENY, "to be told where the kill switch stands",
                      "not known whether it is pulled");
    else if (v->core->kill_switch)
        judgement_set(ret, GUARD_DENY, "the file to be removed", "pulled");
    else
        judgement_set(ret, GUARD_ALLOW, NULL, "not pulled");
}

const struct guard_kind guard_kill_switch = {
    .kind = {.name = "kill-switch",
             .summary = "nothing new is begun while /etc/planeguard/kill-switch or "
                        "/run/planeguard/kill-switch exists"},
    .judge = judge,
};
