#include "journal.h"

#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "record/chain.h"
#include "record/segment.h"

struct making {
    struct chain *chain;
    struct buf out;
    uint64_t seq;
    char head[DIGEST_HEX + 1], name[SEGMENT_NAME];
};

static void put_segment(struct making *m)
{
    char path[128];
    (void)snprintf(path, sizeof path, FUZZ_AUDIT "/%s", m->name);
    fuzz_write(path, buf_string(&m->out), m->out.length);
    buf_clear(&m->out);
}

static void add_body(struct making *m, const char *body, size_t length)
{
    const struct line l = {body, length, m->head, m->seq, m->seq};
    m->seq++;
    chain_hash(m->chain, &l, m->head, m->head);
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

void fuzz_journal(const uint8_t *bytes, size_t length)
{
    static bool is_made;
    if (!is_made)
        fuzz_folder(FUZZ_AUDIT);
    is_made = true;
    fuzz_empty(FUZZ_AUDIT);
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
