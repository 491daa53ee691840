/* The simulator's time and its tasks.
 *
 * There is one true time, `schedule_now()`, in microseconds since the simulation began, and one
 * heap of entries, ordered by time and then by when they were made. A run is: take the first entry,
 * set the time to its, run it. Nothing else moves time. So one seed is one run.
 *
 * A task is a process of a simulated master (an agent, a hand of it, its dead-man): a
 * coroutine with a stack of its own, so that it can block, and can be killed between any two
 * simulated system calls by never being switched to again. What it had allocated is lost with
 * it, as a process's memory is (a seed runs in a process of its own, which gives all back). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct master;
struct task;
struct entry;

uint64_t schedule_now(void);
/* Runs until there is nothing more or `until_usec` has come. */
void schedule_run(uint64_t until_usec);
/* Ends schedule_run after the present entry. */
void schedule_stop(void);

/* Calls `fire` at that time in the scheduler's own context: it must not block nor make simulated
 * system calls. The entry is freed after it fired; until then it may be cancelled. */
struct entry *schedule_at(uint64_t at_usec, void (*fire)(void *context), void *context);
void schedule_cancel(struct entry *e); /* NULL: nothing */

/* ---- tasks ---- */

enum task_role { TASK_AGENT, TASK_HAND, TASK_DEADMAN, TASK_RECOVER };

/* Begins at the next entry. `ended` (may be NULL) is called in the scheduler's context when it
 * ended by itself (code >= 0) or was killed (code -1). */
struct task *task_start(struct master *m, enum task_role role, int (*work)(void *context),
                        void *context, void (*ended)(void *context, int code), void *ended_context);
/* The one that runs; NULL: the scheduler itself (the world). */
struct task *task_current(void);
struct master *task_master(const struct task *t);
enum task_role task_role_of(const struct task *t);
bool task_is_alive(const struct task *t);
/* Sudden end, as by SIGKILL; its children that die with it (PR_SET_PDEATHSIG) go, too, and its
 * descriptors are closed. Killing the present task doesn't return. */
void task_kill(struct task *t);
/* Hands are killed with their agent; a dead-man isn't. */
void task_dies_with(struct task *t, struct task *parent);
/* All tasks of a master (power cut, reboot). Doesn't return when the present one is among them. */
void task_kill_all(struct master *m);

/* For the present task: blocks until that true time. */
void task_sleep_until(uint64_t at_usec);
/* For the present task: blocks until somebody wakes it. */
void task_block(void);
void task_wake(struct task *t);

/* Provided by the simulation: until when nothing of this master may run (suspended); else 0. */
uint64_t master_sleeps_until(const struct master *m);
