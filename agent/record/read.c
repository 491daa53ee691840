#include <errno.h>
#include <inttypes.h>

#include "record/canonical.h"
#include "record/chain.h"
#include "record/journal.h"
#include "record/walk.h"

/* Reading doesn't judge: the chain is journal_verify's. */
static json_t *body_of(const struct walk_line *l, struct line *ret, struct err *e)
{
    json_t *body = NULL;
    if (l->complete && line_parse(l->bytes, l->length, ret) == 0 &&
        canonical_check(ret->body, ret->body_length, NULL))
        body = json_parse(ret->body, ret->body_length, NULL);
    if (!body)
        (void)err_set(e, -EBADMSG, "%s:%" PRIu64 ": no record", l->file, l->number);
    return body;
}

int journal_read(const struct root *root, const char *folder,
                 int (*each)(void *context, const struct record *r), void *context, struct err *e)
{
    OWNED(walk_close) struct walk *w = NULL;
    int code = walk_open(root, folder, &w, e);
    if (code < 0)
        return code;
    struct walk_line l;
    struct err odd = {0}, *where = &odd;
    bool is_odd = false, is_hole = false;
    uint64_t next_seq = 0; /* behind the last record that could be read */
    while ((code = walk_next(w, &l, e)) == 1) {
        struct line line = {0};
        OWNED(json_decref) json_t *body = body_of(&l, &line, where);
        /* A torn tail is what a crash may leave; anything behind it makes it damage, unless it was
         * written by the same call. */
        if (is_odd ? body && !(is_hole && line.since <= next_seq) : !body && !l.in_last)
            return err_set(e, -EBADMSG, "%s", odd.text);
        if (!body)
            is_hole = (is_hole || !is_odd) && walk_line_has_hole(&l);
        if (is_odd || !body) {
            is_odd = true;
            where = NULL;
            continue;
        }
        next_seq = line.seq + 1;
        const struct record r = {.seq = line.seq, .file = l.file, .line = l.number, .body = body};
        code = each(context, &r);
        if (code < 0)
            return code;
    }
    return code;
}
