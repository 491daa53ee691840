/* The simulator: real agents on simulated masters in a simulated cluster, from one seed.
 *
 *   schedule.c    time and tasks            kernel/   the file system under agent/loop
 *   world/        everything else on the node, and what goes wrong with it
 *   loop/         what stands in for the rest of agent/loop: timers, commands, D-Bus, watches
 *   hand.c        a hand is a task instead of a forked process (for act/hand.c)
 *   observe.c     looks at the world instead of the network (for observe/observe.c)
 *   life.c        a master's life: boot, agent, crash, power cut, suspend, the clock
 *   people.c      what operators do to planeguard: kill switch, policy, reload, stop
 *   invariants/   what must always be true
 *   reach.c       what the run went through
 *
 * Not simulated: sockets between processes and what they carry (the observer's frames, a hand's,
 * the control socket), the probes' own code, sd-event and sd-bus. tests/unit, tests/master and
 * tests/crash have those. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/duration.h"
#include "base/json.h"
#include "kernel/kernel.h"
#include "random.h"
#include "schedule.h"
#include "world/world.h"

enum { MASTERS_MAX = 5 };

enum life { LIFE_OFF, LIFE_BOOTING, LIFE_UP, LIFE_SUSPENDED };

struct master {
    unsigned index;
    struct files *files;
    enum life life;
    uint64_t booted_usec;  /* true time of this boot's start */
    uint64_t resumes_usec; /* suspended: until then */
    uint64_t awake_usec;   /* true time since which it wasn't suspended */
    int64_t wall_usec;     /* its wall clock, less the true time */
    char boot_id[37];      /* of this boot; its start is in it */
    struct task *agent;    /* NULL: not running */
    struct loop *loop;     /* the agent's, once it has one */
    bool hooks_work;       /* the unit's stop hook and the boot unit are installed */
    bool is_scratch;       /* a copy to try something out on (scratch.c): nothing strikes there */
};

struct simulation {
    uint64_t seed;
    unsigned master_count;
    struct master masters[MASTERS_MAX];
    struct world *world;
    uint64_t end_usec;
    const char *without;   /* names of troubles that don't happen; NULL */
    const char *documents; /* host path of the project's folder: playbooks/ and policy/ */
    bool trace;
    json_t *transitions; /* of incidents, as recorded: [true usec, master, id, failure, from, to];
                            NULL */
    bool is_calm;        /* nothing new goes wrong: it must come to rest */
};

extern struct simulation sim;

/* Is this trouble among those that this run has? */
bool sim_has(const char *trouble);
/* One line of the trace, with the time and the master (NULL: the cluster). */
void sim_say(const struct master *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An invariant doesn't hold: says so with the command that repeats it, and ends the run. */
_Noreturn void sim_fail(const struct master *m, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds to one of the numbers that the run reports ("events", "decisions"). */
void sim_count(const char *what, uint64_t more);

/* ---- life.c ---- */
struct catalog;
const struct catalog *life_catalog(void);
void life_start(void); /* all masters boot */
/* One thing more that happens to all masters at that true time: "wall+SECONDS", "wall-SECONDS" (set
 * forth or back by that), "wall=UNIX-SECONDS", "suspend=SECONDS", "reboot". False: no such. */
bool life_plan(const char *what, uint64_t at_usec);
uint64_t master_boot_usec(const struct master *m);
/* The true time at which the boot clock showed `boot_usec`, in the boot with that id. */
uint64_t boot_true_usec(const char *boot_id, uint64_t boot_usec);
void life_kill_agent(struct master *m, const char *why);
void life_power_cut(struct master *m, const char *why);

/* ---- loop/ ---- */
void loop_send_signal(struct loop *l, int signo);
/* Something was changed at that path: whoever watches it hears of it. */
void watch_tell(struct master *m, const char *folder, const char *name);
/* Nothing of this loop's watches is called any more: its agent is gone. */
void watch_forget(const struct loop *l);

/* ---- observe.c ---- */
void observe_world_changed(struct master *m);
/* Before anything else runs in the agent: looks that were due since and show nothing new. */
void observe_refresh(struct master *m);
/* The agent is gone, and its looks with it. */
void observe_forget(struct master *m);

/* ---- people.c ---- */
void people_start(void);
void people_calm(void);

/* ---- faults.c: kernel_point ---- */
void faults_start(void);
/* A hand of this master begins to change something: the moment to strike. */
void faults_tempt(struct master *m);
/* No call of this master's failed for so long before that. */
bool faults_disk_was_good(const struct master *m, uint64_t at_usec, uint64_t for_usec);
void faults_calm(void);

/* ---- invariants.c ---- */
struct job;
void invariants_changed(struct master *m, struct task *t, enum file_change what, const char *folder,
                        const char *name);
void invariants_world_changed(struct master *m);
void invariants_acted(struct master *m, const char *what);
/* A hand begins or ends a job. */
void invariants_job(struct master *m, struct task *hand, const struct job *job);
/* `is_done`: it ended with "done" or "already". */
void invariants_job_ended(struct master *m, struct task *hand, bool is_done);
/* How many effects' records are durable. */
uint64_t invariants_effects(const struct master *m);
/* A dead-man waits. */
void invariants_armed(struct master *m, struct task *deadman);
/* The power has just been cut. */
void invariants_power_cut(struct master *m);
/* The agent ended with this exit code. */
void invariants_ended(struct master *m, int code);
void invariants_finish(void);
/* Is a manifest of ours out, in the stage? */
bool invariants_is_out(const struct master *m);

/* ---- reach.c ---- */
/* Counts one more of `what` ("state", "guard", "killed-at", ...) `which`. */
void reach(const char *what, const char *which);
struct json_t;
json_t *reach_take(void); /* an object of objects of counts; the caller's */
