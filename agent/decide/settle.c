#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "decide/moves.h"

const struct failure_document *moves_failure(const struct core *c, const struct incident *i)
{
    int index = generation_find_failure(c->generation, i->failure);
    return index < 0 ? NULL : &c->generation->failures[index];
}

/* ---- from state to state: each returns true when the incident moved ---- */

static bool settle_suspected(struct core *c, struct incident *i, const struct failure_document *f,
                             struct effects *fx)
{
    if (core_condition(c, c->generation, &f->when) != TRUTH_TRUE)
        i->holds_since_usec = 0; /* unknown: the time begins anew when it is seen again */
    else if (!i->holds_since_usec)
        i->holds_since_usec = c->now_usec;
    if (!i->holds_since_usec || c->now_usec < i->holds_since_usec + f->for_usec)
        return false;
    char time[DURATION_TEXT];
    incident_move(i, CHANGE_DUE, c->now_usec, fx, "it has held for %s",
                  duration_format(f->for_usec, time));
    return true;
}

/* Takes an incident back under the failure that explains it, wherever it was waiting. */
static bool settle_explained(struct core *c, struct incident *i, const struct failure_document *f,
                             struct effects *fx)
{
    if (states_next(i->state, CHANGE_EXPLAINED) == STATE_NONE)
        return false;
    const struct failure_document *cause = core_explained_by(c, f);
    if (!cause)
        return false;
    effects_add(fx, EFFECT_CANCEL, i->id);
    i->explained_usec = c->now_usec;
    incident_move(i, CHANGE_EXPLAINED, c->now_usec, fx, "explained by %s", cause->meta.name);
    incident_drop_plan(i);
    return true;
}

static bool settle_suppressed(struct core *c, struct incident *i, const struct failure_document *f,
                              struct effects *fx)
{
    if (core_explained_by(c, f)) {
        i->explained_usec = c->now_usec;
        return false;
    }
    if (c->now_usec < i->explained_usec + f->for_usec)
        return false;
    incident_move(i, CHANGE_UNEXPLAINED, c->now_usec, fx, "it has outlived its cause");
    return true;
}

static bool settle_confirmed(struct core *c, struct incident *i, const struct failure_document *f,
                             struct effects *fx)
{
    if (core_condition(c, c->generation, &f->when) != TRUTH_TRUE)
        return false; /* unknown: nothing is begun on it */
    int playbook = core_choose(c, i, f);
    if (playbook < 0) {
        moves_give_up(c, i, f, "", fx);
        return true;
    }
    if (!moves_place_is_free(c, i, f))
        return false;
    incident_drop_plan(i);
    i->generation = generation_ref(c->generation);
    i->playbook = playbook;
    incident_move(i, CHANGE_CHOSEN, c->now_usec, fx, "playbook %s is chosen",
                  incident_playbook(i)->meta.name);
    struct effect *e = effects_add(fx, EFFECT_PREPARE, i->id);
    e->generation = i->generation;
    e->playbook = playbook;
    return true;
}

/* ---- verification, failure ---- */

static void record_verified(const struct core *c, const struct incident *i, enum proof proof,
                            const char *why, struct effects *fx)
{
    json_t *body = moves_step_record(c, i, i->step);
    json_put(body, "of", json_string("verify"));
    json_put(body, "outcome", json_string(words_name(&proof_words, (int)proof)));
    json_put(body, "detail", json_string_or_null(why));
    json_put(body, "tookUsec", json_integer((json_int_t)(c->now_usec - i->entered_usec)));
    effects_record(fx, "result", body);
}

static bool settle_verifying(struct core *c, struct incident *i, struct effects *fx)
{
    char why[256] = "every expectation has held";
    uint64_t next_usec;
    enum proof proof = verify_judge(c, i, &next_usec, why, sizeof why);
    if (proof == PROOF_WAITING)
        return false;
    record_verified(c, i, proof, why, fx);
    if (proof == PROOF_PROVEN) {
        moves_end_attempt(c, i);
        incident_move(i, CHANGE_VERIFIED, c->now_usec, fx, "%s", why);
    } else if (incident_playbook(i)->on_failure == ON_FAILURE_LEAVE || proof == PROOF_UNSEEN) {
        /* What nobody could see may well have helped: taking it back blindly could undo a cure. */
        moves_end_attempt(c, i);
        incident_move(i, CHANGE_UNVERIFIED_LEFT, c->now_usec, fx, "%s", why);
    } else {
        incident_move(i, CHANGE_UNVERIFIED, c->now_usec, fx, "%s", why);
        moves_undo(c, i, fx);
    }
    return true;
}

static bool settle_failed(struct core *c, struct incident *i, const struct failure_document *f,
                          struct effects *fx)
{
    char why[300];
    (void)snprintf(why, sizeof why, "%s", i->why);
    incident_drop_plan(i);
    if (core_choose(c, i, f) >= 0) {
        incident_move(i, CHANGE_NEXT, c->now_usec, fx, "%s; another playbook is left", why);
        return true;
    }
    moves_give_up(c, i, f, why, fx);
    return true;
}

/* A person was told; but a playbook whose requirements have come true meanwhile is still tried. */
static bool settle_escalated(struct core *c, struct incident *i, const struct failure_document *f,
                             struct effects *fx)
{
    int playbook = core_choose(c, i, f);
    if (playbook < 0 || core_condition(c, c->generation, &f->when) != TRUTH_TRUE)
        return false;
    incident_move(i, CHANGE_RELEASED, c->now_usec, fx, "what playbook %s requires may hold now",
                  c->generation->playbooks[playbook].meta.name);
    return true;
}

/* ---- all of it ---- */

static bool settle_gone(struct core *c, struct incident *i, struct effects *fx)
{
    if (states_next(i->state, CHANGE_GONE) == STATE_NONE)
        return false;
    const struct failure_document *f = moves_failure(c, i);
    if (!f) {
        effects_add(fx, EFFECT_CANCEL, i->id);
        incident_move(i, CHANGE_WITHDRAWN, c->now_usec, fx, "a reload removed the failure");
        return true;
    }
    if (core_condition(c, c->generation, &f->when) != TRUTH_FALSE)
        return false;
    effects_add(fx, EFFECT_CANCEL, i->id);
    incident_move(i, CHANGE_GONE, c->now_usec, fx, "what was seen is gone");
    return true;
}

static bool settle_one(struct core *c, struct incident *i, struct effects *fx)
{
    if (settle_gone(c, i, fx))
        return true;
    if (i->state == STATE_VERIFYING)
        return settle_verifying(c, i, fx);
    const struct failure_document *f = moves_failure(c, i);
    if (!f)
        return false; /* a plan at work goes on without it; then it is withdrawn */
    if (i->state != STATE_SUPPRESSED && settle_explained(c, i, f, fx))
        return true;
    switch (i->state) {
    case STATE_SUSPECTED:
        return settle_suspected(c, i, f, fx);
    case STATE_CONFIRMED:
        return settle_confirmed(c, i, f, fx);
    case STATE_SUPPRESSED:
        return settle_suppressed(c, i, f, fx);
    case STATE_PLANNED:
        return moves_settle_planned(c, i, fx);
    case STATE_HELD:
        return moves_settle_held(c, i, f, fx);
    case STATE_FAILED:
        return settle_failed(c, i, f, fx);
    case STATE_ESCALATED:
        return settle_escalated(c, i, f, fx);
    default:
        return false;
    }
}

static void drop_closed(struct core *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->incident_count; i++) {
        if (state_is_closed(c->incidents[i]->state))
            incident_free(c->incidents[i]);
        else
            c->incidents[kept++] = c->incidents[i];
    }
    c->incident_count = kept;
}

void moves_settle(struct core *c, struct effects *fx)
{
    bool moved = c->started;
    while (moved) {
        moved = false;
        for (size_t i = 0; i < c->incident_count; i++)
            moved |= settle_one(c, c->incidents[i], fx);
        c->changed |= moved;
        drop_closed(c);
    }
    if (c->started)
        good_settle(c, fx);
}

static uint64_t next_of(const struct core *c, struct incident *i)
{
    const struct failure_document *f = moves_failure(c, i);
    uint64_t next_usec = USEC_NEVER;
    char why[256];
    /* Judged by the documents that it was planned on, also when a reload took the failure away. */
    if (i->state == STATE_VERIFYING)
        (void)verify_judge(c, i, &next_usec, why, sizeof why);
    else if (!f)
        return next_usec;
    else if (i->state == STATE_SUSPECTED && i->holds_since_usec)
        next_usec = i->holds_since_usec + f->for_usec;
    else if (i->state == STATE_SUPPRESSED && !core_explained_by(c, f))
        next_usec = i->explained_usec + f->for_usec;
    else if (i->state == STATE_HELD) {
        const struct guard_view v = {c, i, incident_playbook(i), c->now_usec};
        struct folded folded;
        guards_fold(&v, &folded);
        json_decref(folded.guards);
        next_usec = folded.until_usec ? folded.until_usec : USEC_NEVER;
    }
    return next_usec;
}

uint64_t moves_next_wake(const struct core *c)
{
    uint64_t next_usec = good_next(c);
    for (size_t i = 0; i < c->incident_count; i++) {
        uint64_t at_usec = next_of(c, c->incidents[i]);
        next_usec = at_usec < next_usec ? at_usec : next_usec;
    }
    return next_usec;
}
