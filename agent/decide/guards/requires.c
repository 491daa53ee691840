/* What the playbook requires of other signals. Unknown is no. */
#include <stdio.h>

#include "decide/core.h"
#include "decide/guards/rows.h"

static void deny(const struct guard_view *v, const struct condition *w, struct judgement *ret)
{
    const struct generation *g = v->incident->generation;
    const struct signal *s = core_signal(v->core, g, w->signal);
    const char *name = g->probes[w->signal].meta.name;
    char wants[sizeof ret->wants];
    if (w->passed_since >= 0)
        (void)snprintf(wants, sizeof wants, "%s to have passed since %s last changed", name,
                       g->probes[w->passed_since].meta.name);
    else
        (void)snprintf(wants, sizeof wants, "%s to be %s", name,
                       words_name(&verdict_words, (int)w->is));
    judgement_set(ret, GUARD_DENY, wants, "%s is %s (%s)", name,
                  words_name(&verdict_words, (int)s->verdict),
                  words_name(&reason_words, (int)s->reason));
}

static void judge(const struct guard_view *v, const void *args, struct judgement *ret)
{
    (void)args;
    for (size_t i = 0; i < v->playbook->requires_count; i++) {
        const struct condition *w = &v->playbook->requires[i].condition;
        if (core_condition(v->core, v->incident->generation, w) == TRUTH_TRUE)
            continue;
        deny(v, w, ret);
        return;
    }
    judgement_set(ret, GUARD_ALLOW, NULL, "all %zu hold", v->playbook->requires_count);
}

const struct guard_kind guard_requires = {
    .kind = {.name = "requires", .summary = "what the playbook requires must hold now"},
    .judge = judge,
};
