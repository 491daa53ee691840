/* The engine: carries one reading through the rooms.
 *
 *   observe ── reading ──▶ sieve ── news ──▶ [journal] ──▶ core_step ──▶ effects
 *                                                               │
 *      journal (one fdatasync for the event and all its records)│
 *                                                               ▼
 *                perform: hands (plan, run, undo, recover, keep), looks, wake-up, telling
 *                     │
 *                     └── what comes of it is the next event
 *
 * The order is the promise: the event and everything that the core decided on it are durable
 * before anything is performed. If they can't be made durable, no step begins; putting back goes
 * on. Read engine.c first; then perform.c, look.c, state.c, reload.c, control.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "act/hand.h"
#include "act/recover.h"
#include "config/node.h"
#include "decide/core.h"
#include "decide/sieve.h"
#include "loop/file.h"
#include "loop/loop.h"
#include "loop/watch.h"
#include "observe/observe.h"
#include "observe/remote.h"
#include "record/journal.h"

#define STATE_FOLDER "/var/lib/planeguard"
#define RUN_FOLDER "/run/planeguard"
#define CONTROL_PATH RUN_FOLDER "/control"

struct look;
struct work;
struct control;

struct engine {
    struct loop *loop;
    struct root *root;
    struct node *node;
    const char *shipped; /* documents in place of the installed ones; NULL */
    int lock;
    struct generation *generation;
    struct core *core;
    struct sieve *sieve;
    struct view view;
    struct bus *bus;
    struct remote *remote;
    struct observe *observe;
    struct journal *journal;
    bool journal_broken, state_unsaved;
    struct timer *journal_timer; /* tries again while it is broken */
    uint64_t booted_usec;        /* the agent's clock at this boot's start */
    struct timer *wake;
    struct look *looks; /* fresh looks under way */
    struct work *works; /* hands at work */
    struct watch *switch_watches[2];
    bool switch_known, switch_pulled;
    struct watch *document_watches[3];
    struct timer *reload_timer;
    struct timer *stale_timer;
    struct timer *home_timer; /* something may be out: looked after again */
    bool home_failed;         /* bringing back failed, the last time */
    uint64_t forgot_usec;     /* agent's clock: the last sweep for stale signals */
    struct control *control;
    char boot_id[37];
};

struct engine_options {
    const char *root;    /* "/" or another */
    const char *shipped; /* may be NULL */
    const struct catalog *catalog;
    const char *observer; /* program beside this one; used when the node names none */
};

/* Exit codes of `run` (documented in the manual and README). */
enum {
    ENGINE_STOPPED = 0,
    ENGINE_FAILED = 1,
    ENGINE_BUSY = 5,          /* another agent runs on this root */
    ENGINE_CONFIGURATION = 6, /* the documents have errors */
    ENGINE_JOURNAL = 7,       /* the journal is damaged: a person must look */
};

/* Runs until told to stop; logs what goes wrong; returns the exit code. */
int engine_run(const struct engine_options *o);

/* ---- between the engine's own files ---- */

/* The agent's clock: this boot's time after all boots before; never goes back. */
uint64_t engine_now(const struct engine *en);
/* One event through journal, core and effects. `ev->now_usec` is set here. */
void engine_feed(struct engine *en, struct event *ev);
/* Looks at the kill switch's files now. */
bool engine_switch_is_pulled(const struct engine *en);
/* Begins to observe by the generation in force. */
int engine_observe(struct engine *en, struct err *e);
/* perform.c */
void perform(struct engine *en, const struct effects *fx, bool recorded);
/* Is a hand at work that may change something? */
bool perform_changes(const struct engine *en);
/* Ends all hands; none is left when this comes back. */
void perform_free(struct engine *en);
/* For `plan FAILURE`: plans read-only, outside any incident; `done` gets the plan or NULL. */
void perform_plan(struct engine *en, int playbook,
                  void (*done)(void *context, const struct job_result *r), void *context);
/* What the hand at work for an incident is doing, and since when (boot clock); NULL: none is. */
const char *perform_phase(const struct engine *en, const char *incident, uint64_t *ret_began_usec);
/* look.c */
void look_start(struct engine *en, const char *incident, const int *probes, size_t count);
void look_reading(struct engine *en, int probe);
/* Nobody waits for this incident's look any more. */
void look_cancel(struct engine *en, const char *incident);
void look_free_all(struct engine *en);
/* home.c: what is out of the manifests folder comes back. `ret` of home_first is for home_record,
 * when there is a journal. */
void home_first(struct engine *en, struct recovered *ret);
void home_record(struct engine *en, const struct recovered *r);
/* In the loop from here on; goes on with what home_first failed at. */
int home_start(struct engine *en, struct err *e);
/* Something may be out: looked after soon, when no hand is at work. */
void home_doubt(struct engine *en);
/* All hands have ended. Recorded. */
void home_last(struct engine *en);
/* state.c: what outlives the agent. */
int state_load(struct engine *en, struct err *e);
int state_save(struct engine *en, struct err *e);
/* documents.c: keeps the documents of the generation in force beside the journal, by their digest,
 * before the record `body` that names them; where they can't be kept the record says so. */
void documents_store(struct engine *en, json_t *body);
/* reload.c: the documents, at start and anew. */
int reload_watch(struct engine *en, struct err *e);
void reload_now(struct engine *en);
/* Says and records that a configuration was refused, and why. */
void reload_refuse(struct engine *en, const struct complaints *c);
void reload_free(struct engine *en);
/* control.c */
int control_start(struct engine *en, struct err *e);
void control_free(struct control *c);
