/* hand.h's agent side: a hand is a task. It shares the agent's memory instead of having a copy of
 * it as it was at the fork; nothing that a job reads changes while it runs. Frames are handed over
 * as what they mean. */
#include "act/hand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/job.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/file.h"
#include "loop/post.h"
#include "sim.h"

static const uint64_t grace_usec = 2 * USEC_PER_SEC;

struct hand_work {
    struct master *master;
    struct task *task;
    const struct hand_calls *calls;
    void *context;
    struct job job; /* its texts and plan are ours */
    struct hand hand;
    struct job_done done;
    bool is_done, overran, ended, is_freed;
    struct post effect_post, done_post, over_post;
    const json_t *effect;
    int answer;
};

/* ---- in the hand's task ---- */

static int report_effect(struct hand *h, const json_t *effect)
{
    struct hand_work *w = h->context;
    w->effect = effect;
    w->answer = 1;
    post_now(&w->effect_post);
    while (w->answer > 0)
        task_block();
    return w->answer;
}

static int hand_main(void *context)
{
    struct hand_work *w = context;
    w->hand.deadline_usec = clock_boot_usec() + w->job.timeout_usec;
    job_do(&w->hand, &w->job, &w->done);
    w->is_done = true;
    return 0;
}

/* ---- in the agent's ---- */

static void on_effect(void *context)
{
    struct hand_work *w = context;
    struct task *hand = w->task;
    uint64_t before = invariants_effects(w->master);
    int answer = w->calls->effect(w->context, w->effect);
    if (answer == 0 && invariants_effects(w->master) == before)
        sim_fail(w->master, "intent", "a hand goes on, and what it did isn't recorded");
    w->answer = answer < 0 ? answer : 0;
    task_wake(hand);
}

static void on_over(void *context)
{
    struct hand_work *w = context;
    w->overran = true;
    reach("hand", "overran");
    task_kill(w->task);
}

static void on_done(void *context)
{
    struct hand_work *w = context;
    struct job_result r = {.outcome = OUTCOME_FAILED, .detail = ""};
    if (w->is_done)
        r = (struct job_result){
            .outcome = w->done.outcome, .detail = w->done.detail.text, .plan = w->done.plan};
    else
        r.detail = w->overran ? "the hand was killed: its time was over"
                              : "the hand died of signal 9 (Killed) without a result";
    post_cancel(&w->over_post);
    w->calls->done(w->context, &r); /* last: it may free us */
}

static void on_ended(void *context, int code)
{
    struct hand_work *w = context;
    (void)code;
    w->ended = true;
    invariants_job_ended(
        w->master, w->task,
        w->is_done && (w->done.outcome == OUTCOME_DONE || w->done.outcome == OUTCOME_ALREADY));
    if (!w->is_freed)
        post_now(&w->done_post);
}

static void job_copy(struct hand_work *w, const struct job *job)
{
    w->job = *job;
    w->job.generation = generation_ref(job->generation);
    w->job.incident = job->incident ? mem_strdup(job->incident) : NULL;
    w->job.plan = job->plan ? json_deep_copy(job->plan) : NULL;
    w->job.digest = job->digest ? mem_strdup(job->digest) : NULL;
}

int hand_start(struct loop *l, const struct root *root, const struct node *node,
               const struct job *job, const struct hand_calls *calls, void *context,
               struct hand_work **ret, struct err *e)
{
    int errnum = kernel_point("clone", false, NULL);
    if (errnum)
        return err_errno(e, errnum, "can't start a worker (fork)");
    struct hand_work *w = mem_new(struct hand_work);
    w->master = loop_master(l);
    w->calls = calls;
    w->context = context;
    w->hand = (struct hand){
        .root = root, .node = node, .socket = -1, .effect = report_effect, .context = w};
    job_copy(w, job);
    post_init(&w->effect_post, l, on_effect, w);
    post_init(&w->done_post, l, on_done, w);
    post_init(&w->over_post, l, on_over, w);
    w->task = task_start(w->master, TASK_HAND, hand_main, w, on_ended, w);
    task_dies_with(w->task, task_current());
    kernel_share(w->task, &root->fd, 1);
    post_at(&w->over_post, schedule_now() + job->timeout_usec + grace_usec);
    invariants_job(w->master, w->task, &w->job);
    *ret = w;
    return 0;
}

void hand_free(struct hand_work *w)
{
    if (!w)
        return;
    post_cancel(&w->effect_post);
    post_cancel(&w->done_post);
    post_cancel(&w->over_post);
    w->is_freed = true;
    task_kill(w->task);
    /* Its end is told when the scheduler runs again: what that needs stays. */
    job_done_fini(&w->done);
    generation_unref(w->job.generation);
    w->job.generation = NULL;
}

void hand_end(struct hand_work *w)
{
    hand_free(w);
}
