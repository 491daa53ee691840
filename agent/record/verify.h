/* The judge: takes one line after the other and says whether they are what was written.
 *
 * A line is *well-formed* when it is complete, has the line's exact form and a canonical body;
 * it is *right* when it is the record that must follow, and its hash is the chain's. A tear (a
 * write cut short by a crash) leaves a line that isn't well-formed at the end of the last segment,
 * and nothing well-formed behind it. All else that isn't right is damage: in particular a
 * well-formed line with a wrong hash, which no tear can leave. */
#pragma once

#include "record/chain.h"
#include "record/journal.h"
#include "record/walk.h"

struct judge {
    struct chain *chain;
    bool trusts_first;        /* takes seq and hash before the first line from that line */
    uint64_t next_seq, since; /* since: of the last right record */
    char head[DIGEST_HEX + 1];
    char file[64];       /* the segment that we are in */
    uint64_t good_bytes; /* of it: end of the last right line */
    uint64_t batch_from; /* of it: where that line's batch begins */
    uint64_t records, segments, bytes;
    enum journal_verdict verdict; /* JOURNAL_TORN_TAIL as long as nothing worse turns up */
    bool is_hole; /* all that can't be read so far has bytes in it that were never written */
    struct err why;
    uint64_t bad_line;
};

void judge_init(struct judge *j, bool trusts_first);
void judge_fini(struct judge *j);
/* false: the verdict is final. */
bool judge_line(struct judge *j, const struct walk_line *l);

static inline void judge_fini_owned(struct judge *j)
{
    judge_fini(j);
}
