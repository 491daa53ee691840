#include "record/writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "record/envelope.h"

enum { AHEAD_BYTES = 1024 * 1024 }; /* reserved at a time */

void writer_fini(struct writer *w)
{
    append_close(w->out.file);
    chain_free(w->chain);
    free(w->node_name);
    *w = (struct writer){0};
}

char *writer_text(const struct writer *w, enum record_type type, json_t *fields)
{
    return envelope_text(type, w->node_name, w->boot_id, fields);
}

static char *path_of(const char *name)
{
    return mem_printf("%s/%s", JOURNAL_FOLDER, name);
}

/* What is being written: the lines, and where the chain stands behind them. */
struct batch {
    struct buf bytes;
    uint64_t next_seq, since; /* since: its first */
    char head[DIGEST_HEX + 1];
};

static void batch_add(struct batch *b, struct writer *w, const char *text)
{
    struct line l = {.body = text,
                     .body_length = strlen(text),
                     .hash = b->head,
                     .seq = b->next_seq++,
                     .since = b->since};
    chain_hash(w->chain, &l, b->head, b->head);
    line_write(&l, &b->bytes);
}

static void batch_add_header(struct batch *b, struct writer *w)
{
    enum record_type type = RECORD_GENESIS;
    json_t *fields = NULL;
    if (w->next_seq > 0) {
        type = RECORD_SEGMENT;
        fields = json_object();
        json_put(fields, "previous", json_string(w->last));
        json_put(fields, "seq", json_integer((json_int_t)(w->next_seq - 1)));
        json_put(fields, "hash", json_string(w->head));
    }
    OWNED(free) char *text = writer_text(w, type, fields);
    batch_add(b, w, text);
}

static int clear_debris(struct writer *w, struct err *e)
{
    if (!*w->debris)
        return 0;
    OWNED(free) char *path = path_of(w->debris);
    int code;
    if (w->debris_from == 0) {
        code = file_remove(w->root, path, e);
    } else {
        OWNED(append_close) struct append *file = NULL;
        code = append_open(w->root, path, &file, e);
        if (code == 0 && append_length(file) < w->debris_from)
            code = err_set(e, -EBADMSG, "%s: durable records are no longer in it", path);
        if (code == 0)
            code = append_cut(file, w->debris_from, e);
    }
    if (code == 0)
        *w->debris = '\0';
    return code;
}

/* The output can't be used any more: what it has beyond its durable records is debris. */
static void give_up_output(struct writer *w)
{
    append_close(TAKE(w->out.file));
    (void)snprintf(w->debris, sizeof w->debris, "%s", w->out.name);
    w->debris_from = w->good_bytes;
}

/* Writes the batch to the output and makes it durable; only then does it count. */
static int output_write(struct writer *w, const struct batch *b, bool has_intent, struct err *e)
{
    struct append *file = w->out.file;
    uint64_t least = b->bytes.length + (has_intent ? JOURNAL_RESERVE_BYTES : 0);
    int code = append_reserve(file, least, b->bytes.length + AHEAD_BYTES, e);
    if (code < 0 && has_intent)
        return code;
    code = append_write(file, b->bytes.bytes, b->bytes.length, e);
    if (code == 0)
        code = append_sync(file, e);
    if (code < 0)
        return code;
    w->good_bytes = append_length(file);
    w->next_seq = b->next_seq;
    memcpy(w->head, b->head, sizeof w->head);
    memcpy(w->last, w->out.name, sizeof w->last);
    return 0;
}

int writer_write(struct writer *w, char *const *texts, size_t count, bool has_intent, struct err *e)
{
    int r = clear_debris(w, e);
    if (r < 0)
        return r;
    struct batch b = {.next_seq = w->next_seq, .since = w->next_seq};
    memcpy(b.head, w->head, sizeof b.head);
    bool is_new = !w->out.file;
    if (is_new) {
        (void)segment_name(w->next_seq, w->out.name);
        OWNED(free) char *path = path_of(w->out.name);
        int code = append_create(w->root, path, &w->out.file, e);
        w->good_bytes = 0;
        if (code < 0) {
            /* It may be there, made and not removed again; what was there before isn't ours. */
            if (code != -EEXIST)
                give_up_output(w);
            return code;
        }
        batch_add_header(&b, w);
    }
    for (size_t i = 0; i < count; i++)
        batch_add(&b, w, texts[i]);
    int code = output_write(w, &b, has_intent, e);
    buf_fini(&b.bytes);
    if (code < 0 && (is_new || append_is_lost(w->out.file)))
        give_up_output(w);
    if (code == 0 && is_new)
        w->rotated = true;
    return code;
}

void writer_rotate(struct writer *w)
{
    if (w->good_bytes < JOURNAL_SEGMENT_BYTES)
        return;
    struct output old = w->out;
    uint64_t old_bytes = w->good_bytes;
    w->out = (struct output){0};
    if (writer_write(w, NULL, 0, false, NULL) < 0) {
        w->out = old;
        w->good_bytes = old_bytes;
        return;
    }
    append_trim(old.file);
    append_close(old.file);
}
