/* What the invariants know of a master, for their own files.
 *
 *   invariants.c   the hooks; intents; where anything may be written
 *   steps.c        a step begins: may it?
 *   manifests.c    what lies in the manifests folder, and what of it is out
 *   records.c      what the journal says: is it true?
 *   scratch.c      recovery and the journal's readers, on a copy of the files
 *   stands.c       what a plan stands on when it begins, as recorded
 *   tap.c          the journal as it becomes durable */
#pragma once

#include "act/hand.h"
#include "base/digest.h"
#include "sim.h"

enum { HANDS_MAX = 8, ATTEMPTS_MAX = 1024, SEEN_MAX = 4096, LYING_MAX = 16 };

struct hand_at_work {
    struct task *task;
    const struct job *job;
};

struct attempt {
    char *playbook;
    uint64_t at_usec;
};

struct open_incident {
    char id[40];
    char failure[64], state[24];
    uint64_t opened_usec;
    bool has_begun; /* a step of its was */
};

/* What lies at a name in the manifests folder now. */
struct lying {
    char name[64], digest[DIGEST_HEX + 1]; /* "": nothing */
};

/* The API server began or ceased to answer /livez. */
struct life_change {
    uint64_t at_usec;
    bool is_live;
};

/* When what has this digest first lay there. */
struct first {
    uint64_t at_usec;
    char digest[DIGEST_HEX + 1];
};

struct watched {
    struct hand_at_work hands[HANDS_MAX];
    uint64_t started_usec;                      /* the agent's last start, as recorded */
    uint64_t ended_usec;                        /* the agent's last end */
    uint64_t etcd_down_usec, kubelet_down_usec; /* since when; 0: it isn't */
    char intent_incident[40];                   /* durable and without a result */
    int intent_step;
    struct attempt attempts[ATTEMPTS_MAX];
    size_t attempt_count;
    uint64_t seen[SEEN_MAX]; /* hashes of all that people put into the manifests folder */
    size_t seen_count;
    struct open_incident *open;
    size_t open_count, open_room;
    bool checks_out, was_frozen; /* when that was checked last, the disk was read-only */
    struct lying lying[LYING_MAX];
    struct first *firsts;
    size_t first_count, first_room;
    struct life_change *lives;
    size_t life_count, life_room;
    struct task *deadman; /* the last one armed */
};

struct watched *watched(const struct master *m);
/* The hand that this task is; NULL: none. */
struct hand_at_work *hand_of(struct watched *w, const struct task *t);
struct open_incident *open_of(struct watched *w, const char *id);
/* The step that is about to be changed for has a durable intent, if `t` runs one. */
void check_intent(struct master *m, const struct task *t, const char *what);

/* ---- records.c ---- */
/* When a record was made, which may be long before it could be written. */
uint64_t made_usec(const json_t *body);

/* ---- steps.c ---- */
void check_step(struct master *m, const struct job *job);
/* A manifest is about to be kept as last known good. */
void check_keep(struct master *m, const struct job *job);

/* ---- stands.c ---- */
/* A durable record of a signal, as it stands in the journal. */
void stands_signal(struct master *m, const char *line, size_t length);
/* Any other one that tap.c parses. */
void stands_record(struct master *m, const char *type, const json_t *body);
/* All that became durable together was told. */
void stands_batch_ended(struct master *m);
/* The agent's end: what it was about to say may have been cut off. */
void stands_ended(struct master *m);
/* An undo begins. */
void stands_undo(struct master *m, const struct job *job);
/* A step begins: the mode, and before anything was changed also what was seen. */
void stands_step(struct master *m, const struct job *job);
/* A playbook's first step begins, for an incident of that age. */
void stands_check(struct master *m, const struct job *job, uint64_t opened_usec);

/* ---- manifests.c ---- */
/* For how long a manifest with this digest is known there; 0: it isn't. */
uint64_t manifests_lasted(const struct master *m, const char *digest);
/* People, or the node's own installation, put something there. */
void manifests_seen(struct master *m, const char *name);
/* A task of ours changed something there. */
void manifests_changed(struct master *m, const struct task *t, enum file_change what,
                       const char *name);
/* Something changed there, whoever did it: what lies there now is known from here on. */
void manifests_remember(struct master *m, const char *name);
/* All that lies there now. */
void manifests_check(struct master *m);
/* The power was cut: what lay there may lie otherwise. */
void manifests_power_cut(struct master *m);
/* An undo ended well: what its plan changed is back, or somebody else's. */
void manifests_undone(struct master *m, const struct job *job);
