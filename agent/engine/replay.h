/* Replay: what a journal's events make of the core, in the journal's own order.
 *
 *   journal ── start, config, rotate ──▶ the documents that were in force, the core's state
 *           ── event ──▶ event_decode ──▶ core_step ──▶ records ──┐
 *           ── incident, guard, intent, result, undo, escalate ───┴─▶ the same?
 *
 * replay_journal proves that the core came to every decision from what the journal holds and from
 * nothing else: each record that the core decides must stand behind its event, value for value. A
 * record's body is canonical (record/canonical.h), so the same value is the same bytes.
 *
 * What the journal holds is compared, and what it doesn't hold is said (`unproven`): a run whose
 * documents aren't stored, records that were lost while the disk was full, the end of a
 * run that a crash cut short, and what a line was too short for. Nothing of that counts as the
 * same, nor as a difference; the comparison goes on at the next state in the journal.
 *
 * replay_what_if lets other documents decide on what came from outside: starts, signals, the kill
 * switch, the journal's state, and the core's own clock. Nothing is run. What plans, looks
 * and steps answer comes from the journal where it has the same answer (the same failure, playbook
 * and step); all others are made up, as if all had gone well, and counted. So it says what would
 * have been decided, not what would have come of it: the recorded signals go on as they did.
 *
 * replay_what_if lets other documents decide on what came from outside. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/words.h"
#include "config/generation.h"
#include "loop/file.h"

/* Where a journal's folder has the documents of a digest; free() it. */
char *documents_path(const char *folder, const struct digest *digest);

enum replay_verdict { /* the verb's exit codes */
                      REPLAY_SAME = 0,
                      REPLAY_DIFFERS = 1,
                      REPLAY_UNREADABLE = 2,
};

/* Why something could not be compared, and how often. */
struct replay_gap {
    char *why;
    char *where; /* file:line of the first */
    uint64_t count;
};

struct replay_result {
    enum replay_verdict verdict;
    uint64_t records;         /* read */
    uint64_t runs;            /* of the agent: `start` records */
    uint64_t runs_cut_short;  /* no `stop`: a crash, or the agent still runs */
    uint64_t events;          /* given to the core */
    uint64_t decisions;       /* the core's records that were compared */
    uint64_t states;          /* whole states that were compared */
    uint64_t unproven_events; /* passed over, for one of the gaps' reasons */
    uint64_t boot_usec;       /* time by the agent's clock, from the first event to the last */
    struct replay_gap *gaps;
    size_t gap_count, gap_room;
    /* REPLAY_DIFFERS: the first difference */
    uint64_t seq, line;
    char file[64];
    char *what;             /* one line */
    char *expected, *found; /* canonical JSON, by the core and in the journal; NULL: none */
};

void replay_result_fini(struct replay_result *r);

/* Reads the journal in `folder` below `root` (read-only, in bounded memory, also while the agent
 * writes it) and compares. `ret` is always filled (replay_result_fini): the verdict is returned
 * too; REPLAY_UNREADABLE comes with the reason in `e`. */
enum replay_verdict replay_journal(const struct root *root, const char *folder,
                                   const struct catalog *catalog, struct replay_result *ret,
                                   struct err *e);

/* ---- other documents ---- */

enum replay_choice_type { CHOICE_ACTED, CHOICE_REHEARSED, CHOICE_HELD, CHOICE_ESCALATED };
extern const struct words replay_choice_words;

/* What was decided once in an incident: by the guards on a plan, or to call a person. */
struct replay_choice {
    enum replay_choice_type type;
    char *playbook; /* NULL: escalated */
    char *guard;    /* HELD: the first of those that did; else NULL */
};

struct replay_incident {
    char *id, *failure;
    uint64_t opened_usec; /* the agent's clock */
    char wall[32];        /* the same for people */
    struct replay_choice *at;
    size_t count, room;
    bool is_matched;
};

struct replay_count {
    char *guard;
    uint64_t count;
};

/* One of the two that are compared. */
struct replay_side {
    struct replay_incident *at; /* with any choice, in the order of opening */
    size_t count, room;
    uint64_t opened; /* incidents, with a choice or without */
    uint64_t counts[CHOICE_ESCALATED + 1];
    struct replay_count *guards; /* that held */
    size_t guard_count, guard_room;
};

struct what_if_result {
    enum replay_verdict verdict; /* SAME: the same choices, incident by incident */
    struct replay_side recorded, asked;
    uint64_t records, events;
    uint64_t answers_recorded, answers_made_up;
    uint64_t signals_unknown;  /* of probes that the asked documents don't have */
    struct replay_result gaps; /* only its gaps */
};
void what_if_result_fini(struct what_if_result *r);
/* The other side's incident that is this one, or NULL. */
struct replay_incident *side_find(const struct replay_side *s, const struct replay_incident *i);
bool choices_equal(const struct replay_incident *a, const struct replay_incident *b);
/* As replay_journal; the documents in force with `asked` on top. */
enum replay_verdict replay_what_if(const struct root *root, const char *folder,
                                   const struct catalog *catalog,
                                   const struct generation_asked *asked, struct what_if_result *ret,
                                   struct err *e);

static inline void replay_result_fini_owned(struct replay_result *r)
{
    replay_result_fini(r);
}

static inline void what_if_result_fini_owned(struct what_if_result *r)
{
    what_if_result_fini(r);
}
