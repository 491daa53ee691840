/* The fresh look: what a plan relies on is looked at again right before it begins. */
#include "base/duration.h"
#include "decide/core.h"
#include "decide/guards/rows.h"

struct args {
    uint64_t within_usec;
};

static const struct field fields[] = {
    {.name = "within",
     .type = FIELD_DURATION,
     FIELD_AT(args, within_usec),
     .otherwise = "2s",
     .min = 1000,
     .max = 60 * (int64_t)USEC_PER_SEC,
     .help = "how old the look may be at the most when the first step begins"},
    {0},
};

static void judge(const struct guard_view *v, const void *arguments, struct judgement *ret)
{
    const struct args *a = arguments;
    const struct incident *i = v->incident;
    int failure = generation_find_failure(i->generation, i->failure);
    enum truth t = core_condition(v->core, i->generation, &i->generation->failures[failure].when);
    if (t != TRUTH_TRUE)
        judgement_set(ret, GUARD_DENY, "the failure to be seen for certain",
                      "whether it still is broken is %s", words_name(&truth_words, (int)t));
    else if (!i->looked_usec || v->now_usec - i->looked_usec > a->within_usec)
        judgement_set(ret, GUARD_NEED, "a fresh look", "none within the last moments");
    else
        judgement_set(ret, GUARD_ALLOW, NULL, "the failure was seen again");
}

const struct guard_kind guard_fresh_look = {
    .kind = {.name = "fresh-look",
             .summary = "what the plan relies on is looked at again right before it begins",
             .fields = fields,
             .args_size = sizeof(struct args)},
    .judge = judge,
};
