#include "decide/condition.h"

#include "config/generation.h"

const struct words truth_words = WORDS("truth", "unknown", "false", "true");

static enum truth truth_of(bool holds)
{
    return holds ? TRUTH_TRUE : TRUTH_FALSE;
}

enum truth condition_signal(const struct condition *w, const struct signal *s)
{
    if (w->is == SIGNAL_UNKNOWN)
        return truth_of(s->verdict == SIGNAL_UNKNOWN);
    if (s->verdict == SIGNAL_UNKNOWN)
        return TRUTH_UNKNOWN;
    if (s->verdict != w->is)
        return TRUTH_FALSE;
    if (w->reasons && !(w->reasons & (UINT64_C(1) << s->reason)))
        return TRUTH_FALSE;
    if (!w->fact)
        return TRUTH_TRUE;
    const struct threshold t = {
        .fact = w->fact, .compare = w->compare, .number = w->number, .text = w->text};
    return truth_of(threshold_met(&t, s->facts));
}

/* Has `s` passed at some time since `since`, which passes, last changed? */
static enum truth passed_since(const struct signal *s, const struct signal *since)
{
    if (since->verdict == SIGNAL_UNKNOWN)
        return TRUTH_UNKNOWN;
    return truth_of(since->verdict == SIGNAL_PASS &&
                    (s->verdict == SIGNAL_PASS || s->passed_usec > since->changed_usec));
}

static enum truth negate(enum truth t)
{
    if (t == TRUTH_UNKNOWN)
        return t;
    return t == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE;
}

/* Kleene: all is false as soon as one is false, else unknown if one is; any is its mirror. */
static enum truth combine(const struct condition *w, enum truth decisive,
                          const struct signal *(*signal_at)(const void *, int), const void *context)
{
    enum truth result = negate(decisive);
    for (size_t i = 0; i < w->count; i++) {
        enum truth t = condition_truth(&w->at[i], signal_at, context);
        if (t == decisive)
            return decisive;
        if (t == TRUTH_UNKNOWN)
            result = TRUTH_UNKNOWN;
    }
    return result;
}

enum truth condition_truth(const struct condition *w,
                           const struct signal *(*signal_at)(const void *context, int probe),
                           const void *context)
{
    switch (w->type) {
    case CONDITION_SIGNAL:
        if (w->passed_since >= 0)
            return passed_since(signal_at(context, w->signal), signal_at(context, w->passed_since));
        return condition_signal(w, signal_at(context, w->signal));
    case CONDITION_ALL:
        return combine(w, TRUTH_FALSE, signal_at, context);
    case CONDITION_ANY:
        return combine(w, TRUTH_TRUE, signal_at, context);
    case CONDITION_NOT:
        return negate(condition_truth(&w->at[0], signal_at, context));
    }
    return TRUTH_UNKNOWN;
}

void condition_probes(const struct condition *w, void (*each)(void *context, int probe),
                      void *context)
{
    if (w->type == CONDITION_SIGNAL)
        each(context, w->signal);
    if (w->type == CONDITION_SIGNAL && w->passed_since >= 0)
        each(context, w->passed_since);
    for (size_t i = 0; i < w->count; i++)
        condition_probes(&w->at[i], each, context);
}
