/* The mode: the stricter of the policy's and the playbook's own. */
#include "decide/core.h"
#include "decide/guards/rows.h"

static void judge(const struct guard_view *v, const void *args, struct judgement *ret)
{
    (void)args;
    const char *whose =
        v->playbook->mode < v->core->generation->policy->mode ? "the playbook's" : "the policy's";
    switch (core_mode(v->core, v->playbook)) {
    case MODE_ENFORCE:
        judgement_set(ret, GUARD_ALLOW, NULL, "enforce");
        return;
    case MODE_DRY_RUN:
        judgement_set(ret, GUARD_DRY, "mode enforce", "dry-run (%s mode)", whose);
        return;
    case MODE_OBSERVE:
        judgement_set(ret, GUARD_DENY, "mode dry-run or enforce", "observe (%s mode)", whose);
        return;
    }
}

const struct guard_kind guard_mode = {
    .kind = {.name = "mode",
             .summary = "observe: look only; dry-run: plan, and say what would be done; enforce: "
                        "act"},
    .judge = judge,
};
