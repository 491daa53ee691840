#include "record/writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "record/verify.h"

static char *path_of(const char *name)
{
    return mem_printf("%s/%s", JOURNAL_FOLDER, name);
}

/* What the last segment holds: where its last right record ends, and where the chain stands. */
static int judge_segment(const struct root *root, const char *name, struct judge *judge,
                         struct err *e)
{
    OWNED(walk_close) struct walk *walk = walk_alone(root, JOURNAL_FOLDER, name);
    struct walk_line l;
    int code;
    while ((code = walk_next(walk, &l, e)) == 1)
        if (!judge_line(judge, &l))
            return err_set(e, -EBADMSG, "%s/%s", JOURNAL_FOLDER, judge->why.text);
    return code;
}

/* Goes on behind the last right record; what is torn behind it is saved and cut off. The last batch
 * may have been read from memory only, if its writer died after an fdatasync that failed: it is
 * written again before anything stands behind it. */
static int resume(struct writer *w, const char *name, const struct judge *judge, struct err *e)
{
    OWNED(free) char *path = path_of(name);
    int code = append_open(w->root, path, &w->out.file, e);
    if (code == 0 && append_length(w->out.file) > judge->good_bytes)
        code = append_cut(w->out.file, judge->good_bytes, e);
    if (code == 0)
        code = append_again(w->out.file, judge->batch_from, e);
    if (code < 0)
        return code;
    (void)snprintf(w->out.name, sizeof w->out.name, "%s", name);
    memcpy(w->last, w->out.name, sizeof w->last);
    memcpy(w->head, judge->head, sizeof w->head);
    w->good_bytes = judge->good_bytes;
    w->next_seq = judge->next_seq;
    return 0;
}

/* One look at the last segment: 0 done, 1 it held no record and is gone: look at the one before. */
static int resume_last(struct writer *w, const char *name, bool may_be_torn, struct err *e)
{
    OWNED(judge_fini) struct judge judge;
    judge_init(&judge, true);
    int code = judge_segment(w->root, name, &judge, e);
    if (code < 0)
        return code;
    if (judge.verdict == JOURNAL_TORN_TAIL) {
        if (!may_be_torn)
            return err_set(e, -EBADMSG, "%s/%s, and a later segment begun behind it",
                           JOURNAL_FOLDER, judge.why.text);
        code = tail_save(w->root, JOURNAL_FOLDER, name, judge.good_bytes, e);
        if (code < 0)
            return code;
    }
    if (judge.records > 0)
        return resume(w, name, &judge, e);
    OWNED(free) char *path = path_of(name);
    code = file_remove(w->root, path, e);
    return code < 0 ? code : 1;
}

static int begin(struct writer *w, struct err *e)
{
    memcpy(w->head, chain_start, sizeof w->head);
    int code = writer_write(w, NULL, 0, false, e);
    if (code < 0) {
        OWNED(free) char *path = path_of(w->debris);
        (void)file_remove(w->root, path, NULL);
    }
    return code;
}

static int resume_or_begin(struct writer *w, bool *ret_is_new, struct err *e)
{
    OWNED(names_fini) struct names n = {0};
    int code = folder_make(w->root, JOURNAL_FOLDER, 0700, e);
    if (code == 0)
        code = segments_list(w->root, JOURNAL_FOLDER, &n, e);
    if (code < 0)
        return code;
    bool is_found = false;
    for (size_t left = n.count; left > 0 && !is_found; left--) {
        /* A segment without any record is what a crash in its first write leaves: one, the last. */
        code = resume_last(w, n.at[left - 1], left == n.count, e);
        if (code < 0)
            return code;
        is_found = code == 0;
    }
    if (!is_found)
        code = begin(w, e);
    w->rotated = false;
    *ret_is_new = !is_found;
    return code < 0 ? code : 0;
}

int writer_open(const struct root *root, const char *node_name, struct writer *ret,
                bool *ret_is_new, struct err *e)
{
    struct writer w = {.root = root, .node_name = mem_strdup(node_name), .chain = chain_new()};
    (void)clock_boot_id(w.boot_id);
    int code = resume_or_begin(&w, ret_is_new, e);
    if (code < 0) {
        writer_fini(&w);
        return code;
    }
    *ret = w;
    return 0;
}
