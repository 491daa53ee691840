#include "decide/guards/rows.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "decide/core.h"

const struct words guard_verdict_words = WORDS("verdict", "deny", "spent", "need", "dry", "allow");

const struct kind *const guard_kinds[] = {
    &guard_kill_switch.kind, &guard_journal.kind,  &guard_mode.kind,
    &guard_requires.kind,    &guard_attempts.kind, &guard_cooldown.kind,
    &guard_start_up.kind,    &guard_settle.kind,   &guard_fresh_look.kind,
};
const size_t guard_kind_count = sizeof guard_kinds / sizeof *guard_kinds;

static json_t *describe(const struct kind *k, const struct judgement *j)
{
    json_t *one = json_object();
    json_put(one, "guard", json_string(k->name));
    json_put(one, "verdict", json_string(words_name(&guard_verdict_words, (int)j->verdict)));
    json_put(one, "saw", json_string_or_null(j->saw));
    json_put(one, "wants", json_string_or_null(j->wants));
    if (j->until_usec)
        json_put(one, "untilUsec", json_integer((json_int_t)j->until_usec));
    return one;
}

static void take(struct folded *f, const struct kind *k, const struct judgement *j)
{
    json_push(f->guards, describe(k, j));
    if (j->verdict == GUARD_DENY && (!j->until_usec || f->until_usec < j->until_usec))
        f->until_usec = j->until_usec;
    if (j->verdict < f->verdict || !f->why[0]) {
        f->verdict = j->verdict < f->verdict ? j->verdict : f->verdict;
        if (j->verdict != GUARD_ALLOW)
            (void)snprintf(f->why, sizeof f->why, "%s: %s%s%s", k->name, j->saw,
                           j->wants[0] ? "; wants " : "", j->wants);
    }
}

void guards_fold(const struct guard_view *v, struct folded *ret)
{
    const struct catalog *catalog = v->core->generation->catalog;
    const struct policy_document *policy = v->core->generation->policy;
    *ret = (struct folded){.verdict = catalog->guard_count ? GUARD_ALLOW : GUARD_DENY,
                           .guards = json_array()};
    if (!catalog->guard_count)
        (void)snprintf(ret->why, sizeof ret->why, "there are no guards: nothing is allowed");
    for (size_t i = 0; i < catalog->guard_count; i++) {
        const struct guard_kind *k = (const struct guard_kind *)catalog->guards[i];
        struct judgement j = {.verdict = GUARD_DENY};
        k->judge(v, policy->guard_args[i], &j);
        take(ret, &k->kind, &j);
    }
}
