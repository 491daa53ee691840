/* The world of one cluster: what is on each master beside planeguard, and what goes wrong with it.
 * Behaviour and figures follow the Kubernetes facts that tests/master's stand-ins follow.
 *
 * Per master: systemd's units (kubelet, containerd), the kubelet (scans its manifests folder by
 * inotify and each 20 s; starts, ends, backs off), the runtime's containers and sandboxes, an API
 * server that takes some seconds to become live and some more to be ready, an etcd member. Between
 * masters: the network, and etcd's quorum. It is driven by entries of the schedule only and makes
 * no simulated system calls: it reads and writes files by files_get, files_put and the like. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "config/document.h"
#include "config/generation.h"
#include "loop/bus.h"
#include "loop/command.h"

#include "kernel/kernel.h"

struct world;

/* `masters` API servers and etcd members, all healthy, booted at the present time. Every kind of
 * trouble draws its rates from streams of its own name; `without` lists names of troubles that
 * never happen ("hung,bad-flag"; NULL: all happen). Writes each master's files: the pod manifests,
 * the PKI and kubelet files that manifests and probes name, /etc/planeguard/node.yaml. */
struct world *world_new(uint64_t seed, unsigned masters, struct master *const *at,
                        const char *without);
/* The names of all troubles, NULL at the end. */
extern const char *const world_troubles[];
/* From now on nothing new breaks, and what only time or a person mends is mended: for looking
 * whether everything comes to rest. */
void world_calm(struct world *w);

/* ---- what the agent sees ---- */

struct world_reading {
    enum verdict verdict;
    enum reason reason;
    json_t *facts; /* a new reference; NULL: none */
    char detail[128];
};
/* What this probe would find on this master now (for shipped probes and the like: by kind and
 * arguments). `ret_took_usec`: how long the look takes (a timeout takes its timeout). */
void world_look(struct world *w, unsigned master, const struct probe_document *p,
                struct world_reading *ret, uint64_t *ret_took_usec);
/* Counts up whenever what any probe of this master would find may have changed. */
uint64_t world_epoch(const struct world *w, unsigned master);

/* crictl and other commands: the answer, and when it is there. What it changes, changes by the time
 * the call returns (the runtime does its work even if nobody waits for the answer). False: no such
 * command. `ret->out`, `ret->err` become the caller's. */
bool world_command(struct world *w, unsigned master, const char *const *argv,
                   struct command_result *ret, uint64_t *ret_took_usec);
/* systemd. 0 or a negative errno with its text; `ret_took_usec` as above. */
int world_unit_state(struct world *w, unsigned master, const char *unit, struct unit_state *ret,
                     struct err *e);
int world_unit_job(struct world *w, unsigned master, const char *verb, const char *unit,
                   uint64_t *ret_took_usec, struct err *e);
int world_unit_reset_failed(struct world *w, unsigned master, const char *unit, struct err *e);

/* ---- what happens to the node ---- */

/* A file below this master's root changed (kernel_changed hands it on): the kubelet's inotify. */
void world_file_changed(struct world *w, unsigned master, const char *folder, const char *name);
/* The power went: every process of the master is gone. */
void world_power_cut(struct world *w, unsigned master);
/* It boots: called when the boot-time recovery has run; units start. */
void world_boot(struct world *w, unsigned master);
/* The whole machine stands still from now until world_resume (suspend). */
void world_suspend(struct world *w, unsigned master);
void world_resume(struct world *w, unsigned master);
/* Somebody writes a manifest of the API server that is right, now. */
void world_edit(struct world *w, unsigned master);

/* Its wall clock was set: what depends on it is looked at anew. */
void world_wall_set(struct world *w, unsigned master);
/* An agent begins: what the probes of the last one remembered (ends that they saw) is gone with it.
 */
void world_agent_began(struct world *w, unsigned master);

/* ---- what is true, for the invariants ---- */

struct world_truth {
    bool node_up, kubelet_active, runtime_active, network_up;
    bool apiserver_running; /* a container of it runs */
    bool apiserver_live;    /* answers /livez without etcd's check: a healthy one */
    bool apiserver_ready;
    bool etcd_running, etcd_quorum;
    bool manifest_there; /* kube-apiserver.yaml is in the manifests folder, and is complete */
    unsigned containers; /* of kube-apiserver that run at the same time */
    uint64_t live_since_usec, not_live_since_usec; /* true time; 0: it isn't so */
};
struct world_truth world_truth(const struct world *w, unsigned master);
/* Is this, byte for byte, a manifest that a person or the cluster's installation wrote (whole)? */
bool world_knows_manifest(const struct world *w, unsigned master, const char *bytes, size_t length);
/* Troubles that are there now on this master: names joined by commas, "" when none. Lent. */
const char *world_present(const struct world *w, unsigned master);
/* How often each trouble happened, and ended by itself, by a person, by planeguard. */
struct world_count {
    const char *name;
    uint64_t happened, mended;
};
const struct world_count *world_counts(const struct world *w, unsigned *ret_count);

/* Provided by the simulation: something of this master changed by the world's doing. */
void world_changed(struct world *w, unsigned master);
/* Provided by the simulation: one line for the trace (only written where a trace is asked for). */
void world_say(unsigned master, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Provided by the simulation. */
struct files *world_files(unsigned master);
/* Provided by the simulation: the container runtime's removal of a running, live API server, a unit
 * job or the like is about to be done for planeguard (not the world's own doing): invariants. */
void world_acted(unsigned master, const char *what);
