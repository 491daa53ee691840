#include "record/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/canonical.h"
#include "record/envelope.h"
#include "record/segment.h"

void judge_init(struct judge *j, bool trusts_first)
{
    *j = (struct judge){.chain = chain_new(), .trusts_first = trusts_first};
    memcpy(j->head, chain_start, sizeof j->head);
}

void judge_fini(struct judge *j)
{
    chain_free(j->chain);
    j->chain = NULL;
}

static bool judge_says(struct judge *j, enum journal_verdict verdict, const struct walk_line *l,
                       const char *what)
{
    j->verdict = verdict;
    j->bad_line = l->number;
    (void)err_set(&j->why, -1, "%s:%" PRIu64 ": record %" PRIu64 ": %s", l->file, l->number,
                  j->next_seq, what);
    return verdict == JOURNAL_TORN_TAIL;
}

static bool broken(struct judge *j, const struct walk_line *l, const char *what)
{
    return judge_says(j, JOURNAL_BROKEN, l, what);
}

/* A line that isn't well-formed. */
static bool judge_odd(struct judge *j, const struct walk_line *l, const char *what)
{
    if (!l->in_last)
        return broken(j, l, what);
    bool is_hole = walk_line_has_hole(l);
    if (j->verdict == JOURNAL_TORN_TAIL) {
        j->is_hole &= is_hole;
        return true;
    }
    j->is_hole = is_hole;
    j->bytes += l->file_bytes - j->good_bytes;
    return judge_says(j, JOURNAL_TORN_TAIL, l, what);
}

/* What the first record of a segment says must be where we are. */
static const char *first_misfit(struct judge *j, const struct walk_line *l, const json_t *body)
{
    const char *type = json_get_string(body, "type", "");
    uint64_t seq = (uint64_t)json_get_int(body, "seq", -1);
    /* Only one file can have the first one's name, and it comes first: nothing was before it. */
    if (!strcmp(type, words_name(&record_words, RECORD_GENESIS)))
        return l->first_seq == 0 ? NULL : "a journal's beginning in a segment that isn't the first";
    if (strcmp(type, words_name(&record_words, RECORD_SEGMENT)) != 0)
        return "a segment must begin with a `genesis` or `segment` record";
    if (j->trusts_first) { /* it sees one segment */
        struct digest ignored;
        const char *hash = json_get_string(body, "hash", "");
        if (strlen(hash) != DIGEST_HEX || digest_parse(hash, &ignored) < 0 || seq + 1 == 0)
            return "the `segment` record doesn't name the record before it";
        j->next_seq = seq + 1;
        memcpy(j->head, hash, sizeof j->head);
        return NULL;
    }
    if (j->next_seq == 0)
        return "the journal's beginning is missing";
    if (seq + 1 != j->next_seq || strcmp(json_get_string(body, "hash", ""), j->head) != 0 ||
        strcmp(json_get_string(body, "previous", ""), j->file) != 0)
        return "the segment doesn't follow the one before it: records are missing in between";
    return NULL;
}

static const char *begin_segment(struct judge *j, const struct walk_line *l,
                                 const struct line *line)
{
    /* Canonical, so it can be parsed; a body that couldn't would be of no type and so misfit. */
    json_t *body = json_parse(line->body, line->body_length, NULL);
    const char *misfit = first_misfit(j, l, body);
    json_decref(body);
    if (misfit)
        return misfit;
    if (line->seq != l->first_seq)
        return "the file's name isn't its first record's number";
    (void)snprintf(j->file, sizeof j->file, "%s", l->file);
    j->segments++;
    j->good_bytes = 0;
    return NULL;
}

static bool is_our_version(const struct canonical_seen *seen)
{
    return seen->version && seen->version_length == 1 && *seen->version == '0' + ENVELOPE_VERSION;
}

/* A well-formed line: is it the next record? */
static bool judge_formed(struct judge *j, const struct walk_line *l, const struct line *line,
                         const struct canonical_seen *seen)
{
    char hash[DIGEST_HEX + 1];
    bool is_first = l->number == 1;
    if (is_first && !is_our_version(seen))
        return judge_says(j, JOURNAL_UNKNOWN_VERSION, l, "not a format that this program knows");
    const char *misfit = is_first ? begin_segment(j, l, line) : NULL;
    if (misfit)
        return broken(j, l, misfit);
    if (line->seq != j->next_seq)
        return broken(j, l, "another record stands here: records are missing, doubled or moved");
    if (line->since != line->seq && (is_first || line->since != j->since))
        return broken(j, l, "it says that it was written with other records than it stands behind");
    chain_hash(j->chain, line, j->head, hash);
    if (memcmp(hash, line->hash, DIGEST_HEX) != 0)
        return broken(j, l, "its hash isn't the chain's: it was changed after it was written");
    if (!is_our_version(seen))
        return judge_says(j, JOURNAL_UNKNOWN_VERSION, l, "not a format that this program knows");
    memcpy(j->head, hash, sizeof hash);
    j->next_seq++;
    j->since = line->since;
    j->records++;
    j->bytes += l->end - j->good_bytes;
    if (line->since == line->seq)
        j->batch_from = j->good_bytes;
    j->good_bytes = l->end;
    return true;
}

bool judge_line(struct judge *j, const struct walk_line *l)
{
    struct line line;
    struct canonical_seen seen;
    if (l->number == 1)
        j->good_bytes = 0;
    if (!l->complete)
        return judge_odd(j, l, "it ends in the middle");
    if (line_parse(l->bytes, l->length, &line) < 0)
        return judge_odd(j, l, "not a record's line");
    if (!canonical_check(line.body, line.body_length, &seen))
        return judge_odd(j, l, "its body isn't canonical JSON");
    if (j->verdict != JOURNAL_TORN_TAIL)
        return judge_formed(j, l, &line, &seen);
    if (j->is_hole && line.since <= j->next_seq)
        return true; /* of the same write a later part may have come through */
    return broken(j, l, "a record behind one that can't be read: that is no torn tail");
}

/* Every line up to the end or a final verdict. 0, or < 0 when the files can't be read. */
static int judge_all(struct judge *j, const struct root *root, const char *folder, struct err *e)
{
    OWNED(walk_close) struct walk *w = NULL;
    int code = walk_open(root, folder, &w, e);
    if (code < 0)
        return code;
    struct walk_line l;
    while ((code = walk_next(w, &l, e)) == 1)
        if (!judge_line(j, &l))
            return 0;
    return code;
}

void journal_verify(const struct root *root, const char *folder, struct journal_check *ret)
{
    OWNED(judge_fini) struct judge j;
    struct err e = {0};
    judge_init(&j, false);
    int code = judge_all(&j, root, folder, &e);
    *ret = (struct journal_check){.verdict = code < 0 ? JOURNAL_IO : j.verdict,
                                  .records = j.records,
                                  .segments = j.segments,
                                  .bytes = j.bytes,
                                  .bad_seq = j.next_seq};
    memcpy(ret->head, j.head, sizeof ret->head);
    (void)snprintf(ret->why, sizeof ret->why, "%.*s", (int)sizeof ret->why - 1,
                   code < 0 ? e.text : j.why.text);
}
