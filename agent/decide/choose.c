/* Which playbook, and whose turn it is: one plan runs at a time on a node. */
#include <stdio.h>

#include "decide/moves.h"

/* The first requirement that doesn't hold for certain decides; NULL: all hold. False before
 * unknown. */
static const struct condition *unmet(const struct core *c, const struct playbook_document *p,
                                     enum truth *ret)
{
    const struct condition *unknown = NULL;
    for (size_t i = 0; i < p->requires_count; i++) {
        const struct condition *w = &p->requires[i].condition;
        *ret = core_condition(c, c->generation, w);
        if (*ret == TRUTH_FALSE)
            return w;
        if (*ret == TRUTH_UNKNOWN && !unknown)
            unknown = w;
    }
    *ret = unknown ? TRUTH_UNKNOWN : TRUTH_TRUE;
    return unknown;
}

int core_choose(const struct core *c, const struct incident *i, const struct failure_document *f)
{
    int first_unknown = -1;
    for (size_t k = 0; k < f->playbook_count; k++) {
        const struct playbook_document *p = &c->generation->playbooks[f->playbooks[k]];
        enum truth t;
        if (incident_tried(i, p->meta.name))
            continue;
        (void)unmet(c, p, &t);
        if (t == TRUTH_TRUE)
            return f->playbooks[k];
        if (t == TRUTH_UNKNOWN && first_unknown < 0)
            first_unknown = f->playbooks[k];
    }
    return first_unknown;
}

void moves_why_none(const struct core *c, const struct incident *i,
                    const struct failure_document *f, char *why, size_t why_size)
{
    (void)snprintf(why, why_size, "%s",
                   f->playbook_count ? "every playbook was tried" : "no playbook treats it");
    for (size_t k = 0; k < f->playbook_count; k++) {
        const struct playbook_document *p = &c->generation->playbooks[f->playbooks[k]];
        enum truth t;
        if (incident_tried(i, p->meta.name))
            continue;
        const struct condition *w = unmet(c, p, &t);
        if (!w)
            continue;
        const struct signal *s = core_signal(c, c->generation, w->signal);
        (void)snprintf(why, why_size, "playbook %s is left, but it requires %s, which is %s (%s)",
                       p->meta.name, c->generation->probes[w->signal].meta.name,
                       words_name(&verdict_words, (int)s->verdict),
                       words_name(&reason_words, (int)s->reason));
        return;
    }
}

/* Before `other`: the lower layer, then the more severe, then the older. */
static bool goes_before(const struct core *c, const struct incident *i,
                        const struct failure_document *f, const struct incident *other)
{
    const struct failure_document *g = moves_failure(c, other);
    if (!g || other->state != STATE_CONFIRMED || core_explained_by(c, g) ||
        core_choose(c, other, g) < 0)
        return true;
    if (f->layer != g->layer)
        return f->layer < g->layer;
    if (f->severity != g->severity)
        return f->severity > g->severity;
    return i->opened_usec <= other->opened_usec;
}

bool moves_place_is_free(const struct core *c, const struct incident *i,
                         const struct failure_document *f)
{
    for (size_t k = 0; k < c->incident_count; k++) {
        const struct incident *other = c->incidents[k];
        if (other != i && (state_is_at_work(other->state) || !goes_before(c, i, f, other)))
            return false;
    }
    return true;
}
