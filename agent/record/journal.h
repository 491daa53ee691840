/* The audit journal: append-only, hash-chained, one JSON record a line.
 *
 * The bytes.
 *   A line    {"body":<body>,"hash":"<64 hex>","seq":<n>,"since":<m>}\n   at most 1 MiB
 *   Body      {"v":1, "type":..., "wall":RFC 3339 with ns, "usec":boot clock, "boot":boot id,
 *             "node":..., "build":..., and the record's own keys}, canonical JSON
 *             (record/canonical.h): one way to write a value, printable ASCII only
 *   Since     the number of the first record that was written with this one, by one journal_sync
 *   Hash      h_n = SHA-256("planeguard/journal/v1\n" || n || "\n" || since || "\n" || h_(n-1) ||
 *             "\n" || length of the body || "\n" || the body's bytes as stored); numbers in
 *             decimal, h in lower-case hex; h_0's previous is 64 zeros
 *   Segments  /var/log/planeguard/audit/<first seq, 20 digits>.jsonl, a new one when one has
 *             reached 16 MiB. The first record of all is `genesis` (seq 0), of each later
 *             segment `segment` {"previous": file, "seq": its last, "hash": its last}.
 *   Beside    documents/<digest>.json: the documents that were in force, for replay
 *             (engine/documents.c); no part of the chain, which holds their digest.
 *
 * What makes a record valid. Its line has exactly that form, its body is canonical (the
 * verifier checks the bytes that are stored and never writes them anew), its number is one more
 * than the one before, its hash is the chain's; at a segment's beginning the file's name and
 * the `segment` record fit what came before.
 *
 * What is durable. Records are gathered by journal_add and are nothing before journal_sync has
 * returned 0: one write, one fdatasync. Space is reserved ahead, and a batch with an
 * `intent` is refused (-ENOSPC) unless room for what follows from it is reserved too, so that a
 * disk that fills meanwhile doesn't swallow the outcome of what was begun. A failed
 * fdatasync is never tried again on that descriptor: the next call cuts the file back to
 * its last durable record by a new descriptor and writes everything since into a new segment.
 * (After a crash in between, records of the failed call may be found in the journal: a record
 * that was never acted on, such as an intent without a result.)
 *
 * What a crash leaves. A segment whose last bytes are no line: cut short, or with holes where
 * blocks never reached the disk. At the next open that tail is saved beside the segment
 * (<segment>.torn), cut off, and a `recover` record says how many bytes it had and their SHA-256.
 * It was never acted on: its journal_sync had not returned. Only that is taken for a tear: the end
 * of the last segment, not well-formed, and nothing well-formed behind it; or a hole in it, and
 * behind that only what says itself that it was written by the same call (`since`): the disk may
 * take the parts of one write in any order, but never those of two. Anything else is damage
 * (-EBADMSG): nothing more is written, and the agent doesn't act, until a person has looked.
 * Opening checks the last segment; all of it is `planeguard journal verify`'s.
 *
 * What verification proves. That what is there is an unbroken run from `genesis` to the head
 * hash that is shown: no record was changed, left out, doubled, moved or put in without
 * rewriting every record behind it.
 * What it can't prove, because nothing outside the journal vouches for it yet: a journal cut off
 * at a record's end, one that was rewritten from some record on with new hashes, or
 * replaced as a whole, verifies. Only a signature by a key that is gone (`seal`) and a copy of the
 * head off this node (`anchor`) can show that; both have their types and places reserved
 * here and neither exists. Until then: note the head hash elsewhere, and compare. */
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

#define JOURNAL_SEGMENT_BYTES                                                                      \
    (16 * 1024 * 1024)                           /* a segment that has these is the last no more   \
                                                  */
#define JOURNAL_RESERVE_BYTES (256 * 1024)       /* kept free behind an intent */
#define JOURNAL_PENDING_BYTES (16 * 1024 * 1024) /* most that waits for a disk that is full */

struct journal_opened {
    uint64_t next_seq;
    bool is_new;
    size_t torn_bytes; /* set aside from the last segment's end; a `recover` record says so */
};

/* Opens for appending (one process: the agent's lock guards that); `root` must outlive it. A
 * new journal gets its `genesis`. A torn tail is set aside and recorded; any other damage:
 * -EBADMSG with file, line and record: no acting until a person has looked. */
int journal_open(const struct root *root, const char *node_name, struct journal **ret,
                 struct journal_opened *ret_opened, struct err *e);
void journal_close(struct journal *j);

/* Adds one record to the batch: body's own keys in `fields` (an object, reference taken; may be
 * NULL; no reals and no key of the envelope's: v, type, wall, usec, boot, node, build). Nothing
 * reaches the disk before journal_sync. Fields that have no place in a line are withheld, and
 * the record says so (record/envelope.h). */
void journal_add(struct journal *j, enum record_type type, json_t *fields);

/* Writes the batch and fdatasyncs it. On failure nothing of the batch counts as recorded: it is
 * kept and written again (to a new segment after a failed fsync) by the next call. -ENOSPC: the
 * disk is full, or has no room for what would follow from an intent. What was added beyond
 * JOURNAL_PENDING_BYTES of waiting records is lost: then this fails once with -ENOBUFS, and a
 * `degraded` record says how many. */
int journal_sync(struct journal *j, struct err *e);
bool journal_is_pending(const struct journal *j); /* something is added and not durable */
uint64_t journal_seq(const struct journal *j);    /* of the last durable record */

/* True once after a new segment was begun or records were lost: now is the time to add the core's
 * whole state, so that replay can start there. */
bool journal_rotated(struct journal *j);

/* Reading: every record in order, bounded memory, while the agent may be writing; a torn tail is
 * left out. `each` returns < 0 to stop with that code. -EBADMSG: a line that is no record, with its
 * place; -ENOENT: no journal. Whether records are the right ones is journal_verify's to say. */
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
    uint64_t bad_seq; /* unless WHOLE or IO: the first record that isn't there or isn't right */
    char head[DIGEST_HEX + 1];
    char why[256]; /* unless WHOLE: file, line, record, what is wrong */
};
/* Everything, read-only, while the agent may be writing (up to what was there at the beginning). */
void journal_verify(const struct root *root, const char *folder, struct journal_check *ret);

OWNER(struct journal, journal_close);
