#include <errno.h>
#include <inttypes.h>

#include "record/canonical.h"
#include "record/chain.h"
#include "record/journal.h"
#include "record/walk.h"

/* Reading doesn't judge: the chain is journal_verify's. */
static json_t *body_of(const struct walk_line *l, uint64_t *ret_seq, struct err *e)
{
    struct line line;
    json_t *body = NULL;
    if (l->complete && line_parse(l->bytes, l->length, &line) == 0 &&
        canonical_check(line.body, line.body_length, NULL)) {
        body = json_parse(line.body, line.body_length, NULL);
        *ret_seq = line.seq;
    }
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
    bool is_odd = false;
    while ((code = walk_next(w, &l, e)) == 1) {
        struct record r = {.file = l.file, .line = l.number};
        OWNED(json_decref) json_t *body = body_of(&l, &r.seq, where);
        /* A torn tail is what a crash may leave; anything behind it makes it damage. */
        if (is_odd ? body != NULL : !body && !l.in_last)
            return err_set(e, -EBADMSG, "%s", odd.text);
        if (!body) {
            is_odd = true;
            where = NULL;
            continue;
        }
        r.body = body;
        code = each(context, &r);
        if (code < 0)
            return code;
    }
    return code;
}
