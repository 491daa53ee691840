/* What the playbook requires of other signals. Unknown is no. */
#include <stdio.h>

#include "decide/core.h"
#include "decide/guards/rows.h"

static void judge(const struct guard_view *v, const void *args, struct judgement *ret)
{
    (void)args;
    const struct generation *g = v->incident->generation;
    for (size_t i = 0; i < v->playbook->requires_count; i++) {
        const struct condition *w = &v->playbook->requires[i].condition;
        if (core_condition(v->core, g, w) == TRUTH_TRUE)
            continue;
        const struct signal *s = core_signal(v->core, g, w->signal);
        judgement_set(ret, GUARD_DENY, NULL, "%s is %s (%s)", g->probes[w->signal].meta.name,
                      words_name(&verdict_words, (int)s->verdict),
                      words_name(&reason_words, (int)s->reason));
        (void)snprintf(ret->wants, sizeof ret->wants, "%s to be %s", g->probes[w->signal].meta.name,
                       words_name(&verdict_words, (int)w->is));
        return;
    }
    judgement_set(ret, GUARD_ALLOW, NULL, "all %zu hold", v->playbook->requires_count);
}

const struct guard_kind guard_requires = {
    .kind = {.name = "requires", .summary = "what the playbook requires must hold now"},
    .judge = judge,
};
