#include "act/job.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "act/fault.h"
#include "act/known_good.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/socket.h"
#include "loop/worker.h"

static const char *const outcome_names[] = {"failed", "done", "already", "refused"};
const struct words outcome_words = {
    .what = "outcome",
    .names = outcome_names,
    .count = sizeof outcome_names / sizeof *outcome_names,
};

static const struct words reversal_words = WORDS("reversal", "none", "undo", "forward");

/* --- talking to the agent */

static int say(struct hand *h, const json_t *message, struct err *e)
{
    for (;;) {
        int code = frame_send(h->socket, message, NULL, e);
        if (code != -EAGAIN)
            return code;
        if (!worker_wait(h->socket, true, h->deadline_usec))
            return err_set(e, -ETIMEDOUT, "the agent takes nothing");
    }
}

static int answer_wait(struct hand *h, struct err *e)
{
    for (;;) {
        OWNED(json_decref) json_t *answer = NULL;
        int code = frame_receive(h->socket, &answer, NULL, e);
        if (code == 1)
            return json_get_bool(answer, "durable", false)
                       ? 0
                       : err_set(e, -EIO, "the record of a change could not be made durable");
        if (code == 0)
            return err_set(e, -EPIPE, "the agent is gone");
        if (code != -EAGAIN)
            return code;
        if (!worker_wait(h->socket, false, h->deadline_usec))
            return err_set(e, -ETIMEDOUT, "the agent doesn't answer");
    }
}

int hand_effect(struct hand *h, json_t *effect, struct err *e)
{
    OWNED(json_decref) json_t *taken = effect;
    if (h->socket < 0) {
        int code = h->effect ? h->effect(h, taken) : 0;
        return code < 0 ? err_set(e, code, "the record of a change could not be made durable") : 0;
    }
    OWNED(json_decref) json_t *message = json_object();
    json_put(message, "say", json_string_or_null("effect"));
    json_put(message, "effect", json_incref(taken));
    int code = say(h, message, e);
    return code < 0 ? code : answer_wait(h, e);
}

void hand_phase(struct hand *h, const char *phase)
{
    if (h->socket < 0)
        return;
    fault_point(h->kind, phase);
    OWNED(json_decref) json_t *message = json_object();
    json_put(message, "say", json_string_or_null("phase"));
    json_put(message, "phase", json_string_or_null(phase));
    (void)say(h, message, NULL); /* only for people */
}

bool hand_wait(struct hand *h, uint64_t usec)
{
    uint64_t now = clock_boot_usec();
    if (now >= h->deadline_usec)
        return false;
    uint64_t left = h->deadline_usec - now;
    clock_sleep(usec < left ? usec : left);
    return usec < left;
}

/* --- the jobs */

static const struct step_document *step_take(struct hand *h, const struct playbook_document *p,
                                             int step)
{
    const struct step_document *s = &p->steps[step];
    h->step = step;
    h->step_name = s->name;
    h->kind = s->kind->name;
    return s;
}

static json_t *words_json(const struct words *w, int value)
{
    return json_string_or_null(words_name(w, value));
}

/* What every kind must have said. */
static void plan_complete(json_t *plan, const struct step_document *s)
{
    const struct step_kind *kind = step_kind_of(s->kind);
    json_put(plan, "name", json_string_or_null(s->name));
    json_put(plan, "kind", json_string_or_null(s->kind->name));
    json_put(plan, "changes", json_boolean(kind->changes));
    json_put(plan, "reversal", words_json(&reversal_words, (int)kind->reversal));
    assert(json_is_string(json_object_get(plan, "summary")));
    if (!json_is_boolean(json_object_get(plan, "already")))
        json_put(plan, "already", json_false());
    if (!json_is_array(json_object_get(plan, "argv")))
        json_put(plan, "argv", json_array());
    if (!json_is_array(json_object_get(plan, "files")))
        json_put(plan, "files", json_array());
}

static void job_plan(struct hand *h, const struct playbook_document *p, struct job_done *ret)
{
    OWNED(json_decref) json_t *steps = json_array();
    for (size_t i = 0; i < p->step_count; i++) {
        const struct step_document *s = step_take(h, p, (int)i);
        OWNED(json_decref) json_t *plan = json_object();
        struct err e = {0};
        int code = step_kind_of(s->kind)->plan(h, s->args, plan, &e);
        if (code < 0) {
            (void)err_set(&ret->detail, code, "step %zu (%s): %s", i + 1, s->name, e.text);
            ret->outcome = OUTCOME_REFUSED;
            return;
        }
        plan_complete(plan, s);
        json_push(steps, TAKE(plan));
    }
    ret->plan = json_object();
    json_put(ret->plan, "playbook", json_string_or_null(p->meta.name));
    json_put(ret->plan, "steps", TAKE(steps));
    ret->outcome = OUTCOME_DONE;
}

static const json_t *plan_of_step(const struct job *job, int step)
{
    const json_t *steps = json_object_get(job->plan, "steps");
    const json_t *plan = step < 0 ? NULL : json_array_get(steps, (size_t)step);
    return json_is_object(plan) ? plan : NULL;
}

static void job_run(struct hand *h, const struct playbook_document *p, const struct job *job,
                    struct job_done *ret)
{
    const json_t *plan = plan_of_step(job, job->step);
    if (!plan || (size_t)job->step >= p->step_count) {
        (void)err_set(&ret->detail, 0, "the plan has no step %d", job->step + 1);
        return;
    }
    const struct step_document *s = step_take(h, p, job->step);
    ret->outcome = step_kind_of(s->kind)->run(h, s->args, plan, &ret->detail);
}

/* Of two steps' outcomes the one that a person must know of. */
static enum outcome outcome_worse(enum outcome a, enum outcome b)
{
    static const enum outcome order[] = {OUTCOME_FAILED, OUTCOME_REFUSED, OUTCOME_DONE};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return OUTCOME_ALREADY;
}

/* undo() or recover() of steps [0, job->step], the last first; one that fails stops none. */
static void job_back(struct hand *h, const struct playbook_document *p, const struct job *job,
                     struct job_done *ret)
{
    ret->outcome = OUTCOME_ALREADY;
    for (int i = job->step; i >= 0; i--) {
        if ((size_t)i >= p->step_count)
            continue;
        const struct step_document *s = step_take(h, p, i);
        const struct step_kind *kind = step_kind_of(s->kind);
        const json_t *plan = plan_of_step(job, i);
        enum outcome (*back)(struct hand *, const void *, const json_t *, struct err *) =
            job->type == JOB_UNDO ? kind->undo : kind->recover;
        if (!back || !plan)
            continue;
        struct err e = {0};
        enum outcome one = back(h, s->args, plan, &e);
        enum outcome both = outcome_worse(ret->outcome, one);
        if (one == both && one != OUTCOME_ALREADY && (ret->outcome != both || !*ret->detail.text))
            (void)err_set(&ret->detail, 0, "step %d (%s): %s", i + 1, s->name, e.text);
        ret->outcome = both;
    }
    if (!*ret->detail.text)
        (void)err_set(&ret->detail, 0, "nothing was to be taken back");
}

/* The probe kind's row belongs to another room; its arguments are read as what they are in
 * YAML. */
static void job_keep(struct hand *h, const struct job *job, struct job_done *ret)
{
    const struct probe_document *probe = &job->generation->probes[job->playbook];
    OWNED(json_decref) json_t *args = fields_encode(probe->kind->fields, probe->args);
    const char *pod = json_get_string(args, "pod", NULL);
    if (!pod || !job->digest) {
        (void)err_set(&ret->detail, 0, "probe %s names no pod to keep", probe->meta.name);
        return;
    }
    OWNED(free) char *usual = mem_printf("%s/%s.yaml", h->node->manifests, pod);
    const char *path = json_get_string(args, "path", usual);
    ret->outcome = known_good_keep(h, pod, path, job->digest, &ret->detail);
}

void job_do(struct hand *h, const struct job *job, struct job_done *ret)
{
    *ret = (struct job_done){.outcome = OUTCOME_FAILED};
    h->incident = job->incident ? job->incident : "";
    h->step_name = h->kind = "";
    h->step = -1;
    const struct playbook_document *p =
        job->type == JOB_KEEP ? NULL : &job->generation->playbooks[job->playbook];
    switch (job->type) {
    case JOB_PLAN:
        job_plan(h, p, ret);
        break;
    case JOB_RUN:
        job_run(h, p, job, ret);
        break;
    case JOB_UNDO:
    case JOB_RECOVER:
        job_back(h, p, job, ret);
        break;
    case JOB_KEEP:
        job_keep(h, job, ret);
        break;
    }
}

void job_done_fini(struct job_done *d)
{
    json_decref(d->plan);
    d->plan = NULL;
}

int job_serve(struct hand *h, const struct job *job)
{
    struct job_done d;
    struct err e;
    job_do(h, job, &d);
    OWNED(json_decref) json_t *message = json_object();
    json_put(message, "say", json_string_or_null("done"));
    json_put(message, "outcome", words_json(&outcome_words, (int)d.outcome));
    json_put(message, "detail", json_string_or_null(d.detail.text));
    json_put(message, "plan", d.plan ? json_incref(d.plan) : json_null());
    int code = say(h, message, &e);
    if (code == -EMSGSIZE) {
        json_put(message, "outcome", words_json(&outcome_words, OUTCOME_REFUSED));
        json_put(message, "detail", json_string_or_null("the plan is too large to be handed over"));
        json_put(message, "plan", json_null());
        code = say(h, message, &e);
    }
    job_done_fini(&d);
    return code < 0;
}
