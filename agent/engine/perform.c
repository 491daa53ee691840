/* Performing: effects become hands at work, looks, timers, words to people. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/plan.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "loop/clock.h"

/* One hand at work, or one that could not begin and whose failure is still to be told. */
struct work {
    struct work *next;
    struct engine *engine;
    struct hand_work *hand;
    struct timer *fail; /* tells, in the loop's next turn, why no hand began */
    char *why;
    enum job_type type;
    char *incident; /* NULL: `plan` asked by an operator, or a manifest to keep */
    char *playbook, *step_name, *phase;
    char *generation; /* the documents' digest, for the plan's */
    int step;
    uint64_t began_usec;
    void (*asked)(void *context, const struct job_result *r); /* by an operator */
    void *asked_context;
};

static const uint64_t plan_timeout_usec = 60 * USEC_PER_SEC;
static const uint64_t undo_timeout_usec = 10 * USEC_PER_MINUTE;

/* Out of the engine's list; the caller's. */
static struct work *work_take(struct work *w)
{
    struct work **at = &w->engine->works;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    return w;
}

static void work_free(struct work *w)
{
    hand_free(w->hand);
    timer_free(w->fail);
    free(w->why);
    free(w->incident);
    free(w->playbook);
    free(w->step_name);
    free(w->phase);
    free(w->generation);
    free(w);
}

/* ---- what hands report ---- */

static int on_effect(void *context, const json_t *effect)
{
    struct work *w = context;
    json_t *body = json_object();
    json_put(body, "incident", json_string_or_null(w->incident));
    json_put(body, "playbook", json_string_or_null(w->playbook));
    json_put(body, "step", json_string_or_null(w->step_name));
    json_put(body, "effect", json_deep_copy(effect));
    journal_add(w->engine->journal, RECORD_EFFECT, body);
    struct err e = {0};
    int r = journal_sync(w->engine->journal, &e);
    if (r < 0)
        log_error("an effect can't be recorded: %s", e.text);
    return r;
}

static void on_phase(void *context, const char *phase)
{
    struct work *w = context;
    free(w->phase);
    w->phase = mem_strdup(phase);
}

/* The plan's digest binds the plan to the documents that it came from. */
static void plan_digest(const struct work *w, const json_t *plan, char hex[DIGEST_HEX + 1])
{
    json_t *bound = json_object();
    json_put(bound, "incident", json_string_or_null(w->incident));
    json_put(bound, "plan", json_deep_copy(plan));
    json_put(bound, "generation", json_string(w->generation));
    OWNED(free) char *text = json_canonical(bound);
    json_decref(bound);
    struct digest d = digest_of(text, strlen(text));
    (void)digest_hex(&d, hex);
}

static void report_plan(struct work *w, const struct job_result *r, struct event *ev)
{
    char hex[DIGEST_HEX + 1] = "";
    ev->type = EVENT_PREPARED;
    if (ev->ok && !plan_changes_anything(r->plan)) {
        ev->ok = false;
        ev->detail = "the playbook would change nothing here";
    }
    if (ev->ok) {
        plan_digest(w, r->plan, hex);
        ev->plan = r->plan;
        ev->digest = hex;
    }
    engine_feed(w->engine, ev);
}

static void report(struct work *w, const struct job_result *r)
{
    struct event ev = {
        .incident = w->incident,
        .ok = r->outcome == OUTCOME_DONE || r->outcome == OUTCOME_ALREADY,
        .outcome = words_name(&outcome_words, (int)r->outcome),
        .detail = r->detail,
        .step = w->step,
    };
    switch (w->type) {
    case JOB_PLAN:
        report_plan(w, r, &ev);
        return;
    case JOB_RUN:
        ev.type = EVENT_STEP;
        break;
    case JOB_UNDO:
        ev.type = EVENT_UNDONE;
        break;
    case JOB_RECOVER:
        ev.type = EVENT_RECOVERED;
        break;
    case JOB_KEEP:
        if (!ev.ok)
            log_warning("a manifest could not be kept as last known good: %s", r->detail);
        return;
    }
    if (!ev.ok)
        home_doubt(w->engine);
    engine_feed(w->engine, &ev);
}

static void on_done(void *context, const struct job_result *r)
{
    /* Taken out of the list first: what the report sets off may look there. */
    struct work *w = work_take(context);
    if (w->asked)
        w->asked(w->asked_context, r);
    else
        report(w, r);
    work_free(w);
}

static void on_could_not(void *context)
{
    struct work *w = context;
    const struct job_result r = {.outcome = w->type == JOB_RUN ? OUTCOME_REFUSED : OUTCOME_FAILED,
                                 .detail = w->why};
    on_done(w, &r);
}

/* ---- beginning ---- */

static void could_not(struct work *w, const char *why)
{
    struct err e = {0};
    w->why = mem_strdup(why);
    if (timer_new(w->engine->loop, on_could_not, w, &w->fail, &e) < 0) {
        log_error("%s", e.text);
        loop_stop(w->engine->loop, ENGINE_FAILED);
        return;
    }
    timer_set(w->fail, clock_boot_usec(), 0);
}

static struct work *work_new(struct engine *en, const struct job *job)
{
    struct work *w = mem_new(struct work);
    char hex[DIGEST_HEX + 1];
    w->engine = en;
    w->type = job->type;
    w->incident = job->incident ? mem_strdup(job->incident) : NULL;
    w->generation = mem_strdup(digest_hex(&job->generation->digest, hex));
    w->step = job->step;
    w->began_usec = clock_boot_usec();
    if (job->type != JOB_KEEP) {
        const struct playbook_document *p = &job->generation->playbooks[job->playbook];
        w->playbook = mem_strdup(p->meta.name);
        w->step_name = job->type == JOB_RUN ? mem_strdup(p->steps[job->step].name) : NULL;
    }
    w->next = en->works;
    en->works = w;
    return w;
}

static void work_start(struct work *w, const struct job *job)
{
    static const struct hand_calls calls = {
        .effect = on_effect, .phase = on_phase, .done = on_done};
    struct err e = {0};
    if (hand_start(w->engine->loop, w->engine->root, w->engine->node, job, &calls, w, &w->hand,
                   &e) < 0)
        could_not(w, e.text);
}

static struct job job_of(const struct effect *f, enum job_type type, uint64_t timeout_usec)
{
    return (struct job){.type = type,
                        .generation = f->generation,
                        .playbook = f->playbook,
                        .step = f->step,
                        .incident = f->incident,
                        .plan = f->body,
                        .timeout_usec = timeout_usec};
}

static void perform_job(struct engine *en, const struct effect *f, enum job_type type,
                        uint64_t timeout_usec, bool may_begin)
{
    const struct job job = job_of(f, type, timeout_usec);
    struct work *w = work_new(en, &job);
    if (!may_begin)
        could_not(w, "its intent could not be recorded, so it was not begun");
    else if (type == JOB_RUN && engine_switch_is_pulled(en))
        could_not(w, "the kill switch is pulled, so it was not begun");
    else
        work_start(w, &job);
}

static void perform_keep(struct engine *en, const struct effect *f)
{
    const struct job job = {.type = JOB_KEEP,
                            .generation = en->generation,
                            .playbook = f->probe,
                            .digest = f->digest,
                            .timeout_usec = plan_timeout_usec};
    work_start(work_new(en, &job), &job);
}

/* Planning, or a look, that nobody waits for any more. Steps, undo and recovery are never cut
 * short. */
static void perform_cancel(struct engine *en, const char *incident)
{
    for (struct work *w = en->works, *next; w; w = next) {
        next = w->next;
        if (w->type == JOB_PLAN && w->incident && !strcmp(w->incident, incident))
            work_free(work_take(w));
    }
    look_cancel(en, incident);
}

static void perform_tell(const struct effect *f)
{
    const char *advice = json_get_string(f->body, "advice", NULL);
    log_error("a person is needed: incident %s (%s): %s%s%s", f->incident,
              json_get_string(f->body, "failure", ""), json_get_string(f->body, "why", ""),
              advice ? "; " : "", advice ? advice : "");
}

static uint64_t step_timeout(const struct effect *f)
{
    return f->generation->playbooks[f->playbook].steps[f->step].timeout_usec;
}

static void perform_one(struct engine *en, const struct effect *f, bool recorded)
{
    switch (f->type) {
    case EFFECT_PREPARE:
        perform_job(en, f, JOB_PLAN, plan_timeout_usec, true);
        return;
    case EFFECT_RUN:
        perform_job(en, f, JOB_RUN, step_timeout(f), recorded);
        return;
    case EFFECT_UNDO: /* putting back is never held up by a journal that can't be written */
        perform_job(en, f, JOB_UNDO, undo_timeout_usec, true);
        return;
    case EFFECT_RECOVER:
        perform_job(en, f, JOB_RECOVER, undo_timeout_usec, true);
        return;
    case EFFECT_LOOK:
        look_start(en, f->incident, f->probes, f->probe_count);
        return;
    case EFFECT_KEEP:
        perform_keep(en, f);
        return;
    case EFFECT_CANCEL:
        perform_cancel(en, f->incident);
        return;
    case EFFECT_TELL:
        perform_tell(f);
        return;
    case EFFECT_WAKE:
    case EFFECT_RECORD:
    case EFFECT_SAVE:
        return;
    }
}

/* Runs the timer by the core's latest word: an event within an event may have moved it since. */
static void perform_wake(struct engine *en)
{
    uint64_t at_usec = en->core->wake_usec;
    timer_set(en->wake, at_usec == USEC_NEVER ? USEC_NEVER : at_usec - en->booted_usec,
              50 * USEC_PER_MSEC);
}

void perform(struct engine *en, const struct effects *fx, bool recorded)
{
    for (size_t i = 0; i < fx->count; i++)
        perform_one(en, &fx->at[i], recorded);
    perform_wake(en);
}

void perform_plan(struct engine *en, int playbook,
                  void (*done)(void *context, const struct job_result *r), void *context)
{
    const struct job job = {.type = JOB_PLAN,
                            .generation = en->generation,
                            .playbook = playbook,
                            .incident = "asked",
                            .timeout_usec = plan_timeout_usec};
    struct work *w = work_new(en, &job);
    w->asked = done;
    w->asked_context = context;
    work_start(w, &job);
}

const char *perform_phase(const struct engine *en, const char *incident, uint64_t *ret_began_usec)
{
    for (const struct work *w = en->works; w; w = w->next) {
        if (!w->incident || strcmp(w->incident, incident) != 0 || w->asked)
            continue;
        *ret_began_usec = w->began_usec;
        return w->phase ? w->phase : "";
    }
    return NULL;
}

bool perform_changes(const struct engine *en)
{
    bool changes = false;
    for (const struct work *w = en->works; w; w = w->next)
        changes |= w->type == JOB_RUN || w->type == JOB_UNDO || w->type == JOB_RECOVER;
    return changes;
}

void perform_free(struct engine *en)
{
    while (en->works) {
        struct work *w = work_take(en->works);
        hand_end(TAKE(w->hand));
        work_free(w);
    }
}
