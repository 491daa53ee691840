/* A hand: a child process that carries out one job, straight down, while the agent's loop
 * goes on. It is forked (not executed anew: it needs the generation in memory), dies with
 * the agent (PR_SET_PDEATHSIG), holds the agent's lock by inheritance, and is killed with all
 * it started when its time is over.
 *
 * It talks to the agent in frames (loop/socket.h): every effect waits for the agent's answer that
 * the record is durable. If the record can't be made durable the answer is no, and the hand
 * changes nothing more (but goes on putting back what is out). */
#pragma once

#include "act/step.h"
#include "base/err.h"
#include "config/generation.h"
#include "loop/loop.h"

enum job_type {
    JOB_PLAN,    /* plan every step of the playbook */
    JOB_RUN,     /* run one step */
    JOB_UNDO,    /* undo steps [0, step], last first */
    JOB_RECOVER, /* recover() steps [0, step], last first */
    JOB_KEEP,    /* keep a last known good manifest (act/known_good.h) */
};

struct job {
    enum job_type type;
    struct generation *generation; /* a reference is taken */
    int playbook;                  /* index; for JOB_KEEP the probe's index */
    int step;
    const char *incident;  /* id, for names of files and for effects */
    const json_t *plan;    /* what JOB_PLAN gave; NULL for JOB_PLAN and JOB_KEEP */
    const char *digest;    /* JOB_KEEP: the manifest's digest, hex */
    uint64_t timeout_usec; /* the whole job */
};

struct job_result {
    enum outcome outcome;
    const char *detail; /* one line; "" */
    const json_t *plan; /* JOB_PLAN: {"steps": [...]}; else NULL. Lent */
};

struct hand_calls {
    /* Makes the effect's record durable: 0, or < 0 when it can't be. */
    int (*effect)(void *context, const json_t *effect);
    /* Where the work stands, for `status`: "waiting for the old sandbox to be gone". May be NULL.
     */
    void (*phase)(void *context, const char *phase);
    /* Exactly once, later, unless freed before. A hand that died or overran is OUTCOME_FAILED. */
    void (*done)(void *context, const struct job_result *r);
};

struct hand_work;
int hand_start(struct loop *l, const struct root *root, const struct node *node,
               const struct job *job, const struct hand_calls *calls, void *context,
               struct hand_work **ret, struct err *e);
/* Kills what still runs. Not from within `effect` or `phase`. */
void hand_free(struct hand_work *w);
/* The same, and comes back when it has ended: nothing of it is under way any more. */
void hand_end(struct hand_work *w);
OWNER(struct hand_work, hand_free);

/* Inside the hand, for step kinds: */
struct hand {
    const struct root *root;
    const struct node *node;
    const char *incident;
    const char *step_name;
    const char *kind;       /* the step kind's name; "" for JOB_KEEP */
    int step;               /* its index in the playbook */
    uint64_t deadline_usec; /* boot clock: the job's end */
    int socket;             /* -1: no agent (the verb `recover`): effects go to `effect` */
    int (*effect)(struct hand *h, const json_t *effect);
    void *context;
};

/* Reports a change that was just made (takes the reference): {"what": "moved", "path": ..., "to":
 * ..., "before": digest, "after": digest} or {"what": "ran", "argv": [...], "exit": 0, "output":
 * ...}. 0 when its record is durable; < 0: make no further change (but put back what is out). */
int hand_effect(struct hand *h, json_t *effect, struct err *e);
/* Says where the work stands. A test build may end the agent here (tests: crash points). */
void hand_phase(struct hand *h, const char *phase);
/* Sleeps `usec`, at most to the deadline: false when that is over. */
bool hand_wait(struct hand *h, uint64_t usec);
