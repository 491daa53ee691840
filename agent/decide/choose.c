/* Which playbook, and whose turn it is: one plan runs at a time on a node. */
#include "decide/moves.h"

static bool requires_hold(const struct core *c, const struct playbook_document *p)
{
    for (size_t i = 0; i < p->requires_count; i++)
        if (core_condition(c, c->generation, &p->requires[i].condition) != TRUTH_TRUE)
            return false;
    return true;
}

int core_choose(const struct core *c, const struct incident *i, const struct failure_document *f)
{
    int first = -1;
    for (size_t k = 0; k < f->playbook_count; k++) {
        const struct playbook_document *p = &c->generation->playbooks[f->playbooks[k]];
        if (incident_tried(i, p->meta.name))
            continue;
        if (requires_hold(c, p))
            return f->playbooks[k];
        if (first < 0)
            first = f->playbooks[k];
    }
    return first;
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
