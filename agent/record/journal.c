#include "record/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "record/segment.h"
#include "record/writer.h"

struct journal {
    struct writer writer;
    char **texts; /* bodies that wait for journal_sync */
    size_t count, room, bytes;
    bool has_intent; /* among them */
    uint64_t dropped;
};

static void forget_texts(struct journal *j)
{
    for (size_t i = 0; i < j->count; i++)
        free(j->texts[i]);
    j->count = j->bytes = 0;
    j->has_intent = false;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    forget_texts(j);
    free(j->texts);
    writer_fini(&j->writer);
    free(j);
}

static void push(struct journal *j, enum record_type type, json_t *fields)
{
    char *text = writer_text(&j->writer, type, fields);
    *mem_push(j->texts, j->count, j->room) = text;
    j->bytes += strlen(text);
    j->has_intent |= type == RECORD_INTENT;
}

void journal_add(struct journal *j, enum record_type type, json_t *fields)
{
    if (j->bytes < JOURNAL_PENDING_BYTES) {
        push(j, type, fields);
        return;
    }
    json_decref(fields);
    j->dropped++;
}

bool journal_is_pending(const struct journal *j)
{
    return j->count > 0; /* records are dropped only while others wait */
}

uint64_t journal_seq(const struct journal *j)
{
    return j->writer.next_seq - 1;
}

bool journal_rotated(struct journal *j)
{
    bool rotated = j->writer.rotated;
    j->writer.rotated = false;
    return rotated;
}

/* What was dropped fails the call once, so that nobody takes it for recorded. */
static int admit_dropped(struct journal *j, struct err *e)
{
    uint64_t dropped = j->dropped;
    if (dropped == 0)
        return 0;
    json_t *fields = json_object();
    json_put(fields, "dropped", json_integer((json_int_t)dropped));
    push(j, RECORD_DEGRADED, fields);
    j->dropped = 0;
    j->writer.rotated = true; /* what follows can't be understood without the whole state */
    return err_set(e, -ENOBUFS,
                   "journal: %" PRIu64 " records were lost while it couldn't be written", dropped);
}

int journal_sync(struct journal *j, struct err *e)
{
    if (!journal_is_pending(j))
        return 0;
    int code = writer_write(&j->writer, j->texts, j->count, j->has_intent, e);
    if (code < 0)
        return err_wrap(e, code, "journal");
    forget_texts(j);
    writer_rotate(&j->writer);
    return admit_dropped(j, e);
}

/* Writes a `recover` record for each tail that was set aside and has none yet. */
static int record_tails(struct journal *j, size_t *ret_bytes, struct err *e)
{
    const struct root *root = j->writer.root;
    for (*ret_bytes = 0;;) {
        struct tail t;
        char hex[DIGEST_HEX + 1];
        int code = tail_find(root, JOURNAL_FOLDER, &t, e);
        if (code <= 0)
            return code;
        json_t *fields = json_object();
        json_put(fields, "what", json_string("a torn tail of the journal was set aside"));
        json_put(fields, "tornBytes", json_integer((json_int_t)t.bytes));
        json_put(fields, "tornSha256", json_string(digest_hex(&t.digest, hex)));
        json_put(fields, "tornFile", json_string(t.name));
        push(j, RECORD_RECOVER, fields);
        code = journal_sync(j, e);
        if (code == 0)
            code = tail_settle(root, JOURNAL_FOLDER, &t, e);
        if (code < 0)
            return code;
        *ret_bytes += (size_t)t.bytes;
    }
}

int journal_open(const struct root *root, const char *node_name, struct journal **ret,
                 struct journal_opened *ret_opened, struct err *e)
{
    OWNED(journal_close) struct journal *j = mem_new(struct journal);
    struct journal_opened opened = {0};
    int code = writer_open(root, node_name, &j->writer, &opened.is_new, e);
    if (code == 0)
        code = record_tails(j, &opened.torn_bytes, e);
    if (code < 0)
        return err_wrap(e, code, "journal");
    opened.next_seq = j->writer.next_seq;
    *ret = TAKE(j);
    *ret_opened = opened;
    return 0;
}
