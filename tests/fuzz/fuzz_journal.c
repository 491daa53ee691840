/* A journal of any bytes: reading, verifying and opening it agree.
 *
 * Lines of the input: one that begins `{"body"` is a journal's line as it is, `!...` the rest of
 * the line as it is, `#` begins another segment; all others are bodies that get their number and
 * hash here, so that what is inside them is looked at. A last line without its newline stays
 * without. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "record/chain.h"
#include "record/journal.h"
#include "record/segment.h"

#define AUDIT "/var/log/planeguard/audit"

struct making {
    struct chain *chain;
    struct buf out;
    uint64_t seq;
    char head[DIGEST_HEX + 1], name[SEGMENT_NAME];
};

static void put_segment(struct making *m)
{
    char path[128];
    (void)snprintf(path, sizeof path, AUDIT "/%s", m->name);
    fuzz_write(path, buf_string(&m->out), m->out.length);
    buf_clear(&m->out);
}

static void add_body(struct making *m, const char *body, size_t length)
{
    chain_hash(m->chain, m->seq, m->head, body, length, m->head);
    const struct line l = {body, length, m->head, m->seq++};
    line_write(&l, &m->out);
}

static void next_segment(struct making *m)
{
    char previous[SEGMENT_NAME], body[256];
    (void)snprintf(previous, sizeof previous, "%s", m->name);
    put_segment(m);
    (void)segment_name(m->seq, m->name);
    int n =
        snprintf(body, sizeof body,
                 "{\"hash\":\"%s\",\"previous\":\"%s\",\"seq\":%d,\"type\":\"segment\",\"v\":1}",
                 m->head, previous, (int)m->seq - 1);
    add_body(m, body, (size_t)n);
}

static void make(const uint8_t *bytes, size_t length)
{
    struct making m = {.chain = chain_new()};
    struct fuzz_input in = {bytes, length};
    (void)segment_name(0, m.name);
    memcpy(m.head, chain_start, sizeof m.head);
    while (in.left) {
        const char *line = (const char *)in.at, *end = memchr(line, '\n', in.left);
        size_t n = end ? (size_t)(end - line) : in.left;
        bool is_raw = n >= 7 && !memcmp(line, "{\"body\"", 7);
        if (n == 1 && *line == '#' && m.seq)
            next_segment(&m);
        else if (is_raw || (n && *line == '!'))
            buf_add(&m.out, line + !is_raw, n - !is_raw + (end != NULL));
        else
            add_body(&m, line, n);
        in.at += n + (end != NULL);
        in.left -= n + (end != NULL);
        if (!end && m.out.length && !is_raw && *line != '!')
            m.out.length--; /* its newline: a line cut short */
    }
    put_segment(&m);
    buf_fini(&m.out);
    chain_free(m.chain);
}

static int count(void *context, const struct record *r)
{
    uint64_t *n = context;
    fuzz_must(json_is_object(r->body) && r->line >= 1 && r->file);
    ++*n;
    return 0;
}

static struct journal_check verified(void)
{
    struct journal_check c;
    journal_verify(fuzz_root(), AUDIT, &c);
    fuzz_must(c.verdict == JOURNAL_WHOLE || (*c.why && fuzz_is_harmless(c.why)));
    return c;
}

/* What opening makes of it, and what is then written behind it. */
static void open_it(const struct journal_check *before)
{
    struct journal *j = NULL;
    struct journal_opened opened = {0};
    struct err e = {0};
    int code = journal_open(fuzz_root(), "n", &j, &opened, &e);
    fuzz_must(code == 0 || (code == -EBADMSG && *e.text && fuzz_is_harmless(e.text)));
    if (before->verdict == JOURNAL_WHOLE) {
        fuzz_must(code == 0 && !opened.torn_bytes && opened.next_seq == before->records);
    } else if (before->verdict == JOURNAL_TORN_TAIL) {
        fuzz_must(code == 0 && opened.next_seq >= before->records);
    } else if (before->segments <= 1) {
        fuzz_must(code < 0 || verified().verdict != JOURNAL_WHOLE);
    }
    if (code == 0) {
        json_t *fields = json_object();
        json_put(fields, "why", json_string("fuzz"));
        journal_add(j, RECORD_STOP, fields);
        fuzz_must(journal_sync(j, &e) == 0);
    }
    journal_close(j);
    struct journal_check after = verified();
    bool was_good = before->verdict == JOURNAL_WHOLE || before->verdict == JOURNAL_TORN_TAIL;
    fuzz_must((after.verdict == JOURNAL_WHOLE) == was_good);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static bool is_made;
    if (!is_made)
        fuzz_folder(AUDIT);
    is_made = true;
    fuzz_empty(AUDIT);
    make(bytes, length);
    uint64_t read = 0;
    struct err e = {0};
    struct journal_check c = verified();
    int code = journal_read(fuzz_root(), AUDIT, count, &read, &e);
    fuzz_must(code == 0 || (code == -EBADMSG && *e.text && fuzz_is_harmless(e.text)));
    if (c.verdict == JOURNAL_WHOLE || c.verdict == JOURNAL_TORN_TAIL)
        fuzz_must(code == 0 && read == c.records);
    open_it(&c);
    return 0;
}
