/* The audit journal: append-only, hash-chained, one JSON record a line.
 *
 * (The implementation's owner completes this essay: bytes, validity, what a crash leaves, what
 * verification proves and what not.)
 *
 * A line:   {"body":<canonical JSON>,"hash":"<64 hex>","seq":<n>}\n
 * Hash:     h_n = SHA-256("planeguard/journal/v1\n" || decimal seq || "\n" || hex h_(n-1) || "\n"
 * || decimal length of body || "\n" || body bytes as stored); h_0's previous is 64 zeros Body:
 * {"v":1, "type":..., "wall":RFC 3339 ns, "boot":boot id, "usec":boot clock, "node":...,
 *            "build":..., and the record's own keys}
 * Segments: /var/log/planeguard/audit/<first seq, 20 digits>.jsonl; the first record of each is
 *           `genesis` (first of all) or `segment` (names the previous file, its last seq and hash).
 * Seals and anchors have their types and places reserved: `seal`, `anchor`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/json.h"
#include "base/words.h"
#include "loop/file.h"

#define JOURNAL_FOLDER "/var/log/planeguard/audit"

enum record_type {
    RECORD_GENESIS,
    RECORD_SEGMENT,
    RECORD_START, /* the agent started: version, mode, generation, the core's whole state */
    RECORD_STOP,
    RECORD_CONFIG,   /* a generation came into force, or was refused (with the complaints) */
    RECORD_EVENT,    /* an event that reached the core */
    RECORD_SIGNAL,   /* ... that is a signal's change */
    RECORD_INCIDENT, /* an incident's transition */
    RECORD_PLAN,     /* a plan: steps, differences, digest */
    RECORD_GUARD,    /* what each guard looked at and its verdict */
    RECORD_APPROVAL,
    RECORD_INTENT, /* about to do this step (durable before it) */
    RECORD_EFFECT, /* this was changed */
    RECORD_RESULT, /* how the step, undo or verification ended */
    RECORD_UNDO,
    RECORD_RECOVER,
    RECORD_ESCALATE, /* a person is told */
    RECORD_CLOCK_JUMP,
    RECORD_DEGRADED,
    RECORD_SEAL,
    RECORD_ANCHOR,
    RECORD_ROTATE,
    RECORD_PRUNE,
    RECORD_COUNT_,
};
extern const struct words record_words; /* genesis, segment, ... */

struct journal;

struct journal_opened {
    uint64_t next_seq;
    bool is_new;
    size_t torn_bytes; /* set aside from the last segment's end; a `recover` record says so */
};

/* Opens for appending (one process: the agent's lock guards that). A torn tail is set aside and
 * recorded; any other damage: -EBADMSG with the place: no acting until a person has looked.
 * Preallocates the segment's space so that intent and results still fit when the disk fills. */
int journal_open(const struct root *root, const char *node_name, struct journal **ret,
                 struct journal_opened *ret_opened, struct err *e);
void journal_close(struct journal *j);

/* Adds one record to the batch: body's own keys in `fields` (an object, reference taken; may be
 * NULL). Nothing reaches the disk before journal_sync. */
void journal_add(struct journal *j, enum record_type type, json_t *fields);

/* Writes the batch and fdatasyncs it. On failure nothing of the batch counts as recorded: it is
 * kept and written again (to a new segment after a failed fsync) by the next call. */
int journal_sync(struct journal *j, struct err *e);
bool journal_is_pending(const struct journal *j); /* something is added and not durable */
uint64_t journal_seq(const struct journal *j);    /* of the last durable record */

/* Reading: every record in order, bounded memory. `each` returns < 0 to stop with that code. */
struct record {
    uint64_t seq;
    const char *file;
    uint64_t line;
    json_t *body; /* lent */
};
int journal_read(const struct root *root, const char *folder,
                 int (*each)(void *context, const struct record *r), void *context, struct err *e);

enum journal_verdict { /* the verb's exit codes */
                       JOURNAL_WHOLE = 0,
                       JOURNAL_IO = 2,
                       JOURNAL_TORN_TAIL = 3,
                       JOURNAL_BROKEN = 4,
                       JOURNAL_UNKNOWN_VERSION = 8,
};
struct journal_check {
    enum journal_verdict verdict;
    uint64_t records, segments, bytes;
    uint64_t bad_seq; /* JOURNAL_BROKEN: the first that isn't right */
    char head[DIGEST_HEX + 1];
    char why[256];
};
void journal_verify(const struct root *root, const char *folder, struct journal_check *ret);

OWNER(struct journal, journal_close);
