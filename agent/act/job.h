/* The hand's own side: one job, straight down, in the forked child (or, for tests, in any process).
 */
#pragma once

#include "act/hand.h"

/* What the hand and the agent say to each other, one JSON object a frame. Hand to agent:
 *   {"say": "effect", "effect": {...}}    waits for {"durable": true | false}
 *   {"say": "phase", "phase": "..."}
 *   {"say": "done", "outcome": word, "detail": text, "plan": object | null}    once, last
 */
struct job_done {
    enum outcome outcome;
    struct err detail;
    json_t *plan; /* JOB_PLAN: owned; NULL else */
};

/* Carries the job out with `h`, whose root, node, deadline and way to report are set; step_name,
 * kind and step are set here. */
void job_do(struct hand *h, const struct job *job, struct job_done *ret);
void job_done_fini(struct job_done *d);

/* Carries the job out and reports it on `h->socket`. Returns an exit code. */
int job_serve(struct hand *h, const struct job *job);
