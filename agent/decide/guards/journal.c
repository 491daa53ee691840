/* The journal: what can't be recorded isn't done. */
#include "decide/core.h"
#include "decide/guards/rows.h"

static void judge(const struct guard_view *v, const void *args, struct judgement *ret)
{
    (void)args;
    if (v->core->journal_broken)
        judgement_set(ret, GUARD_DENY, "the journal to be writable again",
                      "the journal can't be written");
    else
        judgement_set(ret, GUARD_ALLOW, NULL, "writable");
}

const struct guard_kind guard_journal = {
    .kind = {.name = "journal", .summary = "nothing is begun that can't be recorded"},
    .judge = judge,
};
