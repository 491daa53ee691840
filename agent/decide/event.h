/* Events: all that reaches the core, and effects: all that leaves it.
 *
 * Both are values. An event holds no pointer into the world and can be written to the
 * journal and read back (event_encode); an effect says what should happen and leaves it to
 * others to make it happen. The core calls nobody. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/words.h"
#include "config/document.h"

enum event_type {
    EVENT_START,       /* the agent started: every signal is unknown again */
    EVENT_CONFIG,      /* another generation is in force (handed to core_step's core before) */
    EVENT_SIGNAL,      /* a signal changed */
    EVENT_WAKE,        /* the time that EFFECT_WAKE asked for has come */
    EVENT_PREPARED,    /* a plan was made, or could not be */
    EVENT_LOOKED,      /* the fresh look that was asked for is complete */
    EVENT_STEP,        /* a step ended */
    EVENT_UNDONE,      /* the undo ended */
    EVENT_RECOVERED,   /* recovery after a crash ended */
    EVENT_KILL_SWITCH, /* pulled, or let go */
    EVENT_JOURNAL,     /* the journal can be written (again), or can't */
    EVENT_COUNT_,
};
extern const struct words event_words;

struct generation;

struct event {
    enum event_type type;
    uint64_t now_usec;    /* the agent's clock: boot clock plus all boots before; never goes back */
    const char *incident; /* PREPARED, LOOKED, STEP, UNDONE, RECOVERED */
    bool ok;              /* PREPARED, STEP, UNDONE, RECOVERED: it went well. KILL_SWITCH: pulled.
                           * JOURNAL: it can be written */
    const char *detail;   /* what was seen, one line; may be NULL */
    /* START */
    const char *run;    /* a fresh random name of this run, for incident ids */
    uint64_t boot_usec; /* the agent's clock at this boot's start */
    /* SIGNAL */
    int probe; /* index in the generation in force */
    enum verdict verdict;
    enum reason reason;
    const json_t *facts;
    uint64_t held_usec; /* when the last reading before this one was taken; 0: never */
    /* PREPARED */
    const json_t *plan;
    const char *digest; /* over the plan, hex */
    /* STEP */
    int step;
    const char *outcome; /* act's word */
};

/* How the journal has an event: a record of this type (its word), with these fields (a new
 * reference). `probe_name` stands for `probe`. */
const char *event_record(const struct event *e);
json_t *event_encode(const struct event *e, const char *probe_name);
/* The same without secrets (a new reference), and the event as that record tells it: texts and
 * facts are the body's (lent), clean UTF-8 and without secrets. Nothing else may reach the core, or
 * nobody could decide it again from the journal. The plan stays the event's own: it is to be run.
 */
json_t *event_tell(const struct event *e, const char *probe_name, struct event *ret);

/* Back from a record's body. Is it an event's? */
bool event_is_recorded(const json_t *body);
/* The event of a record's body: texts and facts are lent by `body`, the plan by *ret_plan (a new
 * reference, or NULL); a signal's probe is found by name in `g`, the generation in force. -EINVAL:
 * not an event that the core could take; -ENODATA: the record had no room for it. */
int event_decode(const json_t *body, const struct generation *g, struct event *ret,
                 json_t **ret_plan, struct err *e);

enum effect_type {
    EFFECT_RECORD,  /* write this record */
    EFFECT_WAKE,    /* send EVENT_WAKE at this time (the last one asked for counts) */
    EFFECT_PREPARE, /* plan this playbook for this incident */
    EFFECT_LOOK,    /* look at these signals now, then EVENT_LOOKED */
    EFFECT_RUN,     /* carry out step `step` of the plan (its intent is recorded before it) */
    EFFECT_UNDO,    /* undo steps `step` down to 0 */
    EFFECT_RECOVER, /* recover steps `step` down to 0 */
    EFFECT_KEEP,    /* keep probe `probe`'s manifest, of this digest, as the last known good one */
    EFFECT_CANCEL,  /* whatever is under way for this incident is no longer wanted (planning) */
    EFFECT_TELL,    /* tell people */
    EFFECT_SAVE,    /* the core's state changed in a way that must outlive a crash */
};

struct effect {
    enum effect_type type;
    char *incident;
    const char *record; /* RECORD: type's word ("incident", "guard", "intent", ...) */
    json_t *body;       /* RECORD: its fields; RUN, UNDO, RECOVER: the plan; TELL: what to say */
    uint64_t at_usec;   /* WAKE; USEC_NEVER: not needed */
    struct generation *generation; /* PREPARE, RUN, UNDO, RECOVER: lent */
    int playbook;                  /* index in `generation` */
    int step;
    int *probes; /* LOOK: indices in the generation in force */
    size_t probe_count;
    int probe; /* KEEP */
    char *digest;
};

struct effects {
    struct effect *at;
    size_t count, room;
};

struct effect *effects_add(struct effects *fx, enum effect_type type, const char *incident);
/* A record effect; takes the reference of `body`. */
void effects_record(struct effects *fx, const char *record, json_t *body);
void effects_fini(struct effects *fx);

static inline void effects_fini_owned(struct effects *fx)
{
    effects_fini(fx);
}
