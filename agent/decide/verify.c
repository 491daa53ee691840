#include <stdio.h>

#include "base/mem.h"
#include "decide/moves.h"

const struct words proof_words = WORDS("proof", "waiting", "proven", "failed", "unseen");

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* One expectation: it must hold by `within`, and then for `hold` without a break. A break before
 * `within` is over only starts `hold` again. */
static enum proof judge_one(const struct core *c, const struct incident *i, size_t k,
                            uint64_t *next_usec)
{
    const struct expectation *x = &incident_playbook(i)->verify[k];
    uint64_t deadline_usec = i->verify_usec + x->within_usec;
    enum truth t = core_condition(c, i->generation, &x->condition);
    if (t != TRUTH_TRUE) {
        i->met_usec[k] = 0;
        *next_usec = deadline_usec;
        if (c->now_usec < deadline_usec)
            return PROOF_WAITING;
        return t == TRUTH_UNKNOWN ? PROOF_UNSEEN : PROOF_FAILED;
    }
    if (!i->met_usec[k])
        i->met_usec[k] = c->now_usec;
    *next_usec = i->met_usec[k] + x->hold_usec;
    return c->now_usec < *next_usec ? PROOF_WAITING : PROOF_PROVEN;
}

static void explain(const struct core *c, const struct incident *i, size_t k, char *why,
                    size_t why_size)
{
    const struct expectation *x = &incident_playbook(i)->verify[k];
    const struct signal *s = core_signal(c, i->generation, x->condition.signal);
    (void)snprintf(why, why_size, "%s is %s (%s), expected %s",
                   i->generation->probes[x->condition.signal].meta.name,
                   words_name(&verdict_words, (int)s->verdict),
                   words_name(&reason_words, (int)s->reason),
                   words_name(&verdict_words, (int)x->condition.is));
}

enum proof verify_judge(const struct core *c, struct incident *i, uint64_t *ret_next, char *why,
                        size_t why_size)
{
    const struct playbook_document *p = incident_playbook(i);
    *ret_next = USEC_NEVER;
    if (!i->verify_usec)
        return PROOF_WAITING; /* for its fresh look */
    if (!i->met_usec)
        i->met_usec = mem_array(uint64_t, p->verify_count);
    enum proof all = PROOF_PROVEN;
    for (size_t k = 0; k < p->verify_count; k++) {
        uint64_t next_usec;
        enum proof one = judge_one(c, i, k, &next_usec);
        if (one == PROOF_FAILED || one == PROOF_UNSEEN) {
            explain(c, i, k, why, why_size);
            return one;
        }
        if (one == PROOF_WAITING) {
            all = PROOF_WAITING;
            *ret_next = earlier(*ret_next, next_usec);
        }
    }
    return all;
}
