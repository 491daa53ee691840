/* The journal cut at every byte, every byte flipped, every record deleted, doubled, swapped: what
 * verification says of it, and what opening makes of it. */
#include "journal_fixture.h"

#include "record/chain.h"

#define SECOND_SEGMENT "00000000000000000003.jsonl"

static struct buf five_records(struct fixture *f)
{
    struct journal *j = journal_must_open(f, NULL);
    add_text(j, RECORD_SIGNAL, "signal", "a");
    must_sync(f, j);
    add_text(j, RECORD_INTENT, "step", "b");
    must_sync(f, j);
    add_text(j, RECORD_RESULT, "outcome", "done");
    add_text(j, RECORD_STOP, "why", "asked");
    must_sync(f, j);
    journal_close(j);
    must_be(f, JOURNAL_WHOLE);
    return file_get(f, FIRST_SEGMENT);
}

/* A small journal of two segments, written by hand: records 0-2 and 3-5. */
struct by_hand {
    struct buf out;
    struct chain *chain;
    uint64_t seq;
    char head[DIGEST_HEX + 1];
};

static void hand_add(struct by_hand *h, const char *body)
{
    struct line l = {body, strlen(body), h->head, h->seq, h->seq};
    h->seq++;
    chain_hash(h->chain, &l, h->head, h->head);
    line_write(&l, &h->out);
}

static void hand_put(struct fixture *f, struct by_hand *h, const char *name)
{
    file_put(f, name, h->out.bytes, h->out.length);
    buf_clear(&h->out);
}

static void hand_header(struct by_hand *h, const char *previous, const char *version)
{
    char body[256];
    (void)snprintf(body, sizeof body,
                   "{\"hash\":\"%s\",\"previous\":\"%s\",\"seq\":%d,\"type\":\"segment\",\"v\":%s}",
                   h->head, previous, (int)h->seq - 1, version);
    hand_add(h, body);
}

static void two_segments(struct fixture *f)
{
    struct by_hand h = {.chain = chain_new()};
    strcpy(h.head, chain_start);
    hand_add(&h, "{\"type\":\"genesis\",\"v\":1}");
    hand_add(&h, "{\"type\":\"start\",\"v\":1}");
    hand_add(&h, "{\"type\":\"signal\",\"v\":1}");
    hand_put(f, &h, FIRST_SEGMENT);
    hand_header(&h, FIRST_SEGMENT, "1");
    hand_add(&h, "{\"type\":\"intent\",\"v\":1}");
    hand_add(&h, "{\"type\":\"result\",\"v\":1}");
    hand_put(f, &h, SECOND_SEGMENT);
    buf_fini(&h.out);
    chain_free(h.chain);
    must_be(f, JOURNAL_WHOLE);
}

/* ---- cut ---- */

static size_t lines_before(const char *bytes, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++)
        n += bytes[i] == '\n';
    return n;
}

/* Of a first segment cut to `cut` bytes: what verification says, what opening makes of it. */
static void cut_once(struct fixture *f, const struct buf *all, size_t cut)
{
    size_t whole = lines_before(all->bytes, cut), good = cut;
    while (good > 0 && all->bytes[good - 1] != '\n')
        good--;
    folder_empty(f);
    file_put(f, FIRST_SEGMENT, all->bytes, cut);
    struct journal_check c = verified(f);
    assert_int_equal(c.verdict, good == cut && cut > 0 ? JOURNAL_WHOLE : JOURNAL_TORN_TAIL);
    assert_int_equal(c.records, whole);
    assert_int_equal(c.bytes, cut);
    struct journal_opened opened;
    journal_close(journal_must_open(f, &opened));
    assert_int_equal(opened.torn_bytes, cut - good);
    assert_int_equal(opened.is_new, whole == 0);
    assert_int_equal(opened.next_seq, (whole ? whole : 1) + (cut > good));
    c = verified(f);
    assert_int_equal(c.verdict, JOURNAL_WHOLE);
    assert_int_equal(c.records, opened.next_seq);
    assert_int_equal(file_is_there(f, FIRST_SEGMENT ".torn"), cut > good);
    if (cut == good)
        return;
    struct buf torn = file_get(f, FIRST_SEGMENT ".torn"), now = file_get(f, FIRST_SEGMENT);
    assert_int_equal(torn.length, cut - good);
    assert_memory_equal(torn.bytes, all->bytes + good, torn.length);
    assert_memory_equal(now.bytes, all->bytes, whole ? good : 0);
    char hex[DIGEST_HEX + 1], expected[160];
    struct digest d = digest_of(torn.bytes, torn.length);
    (void)snprintf(expected, sizeof expected, "\"tornBytes\":%zu,\"tornFile\":\"%s\",", torn.length,
                   FIRST_SEGMENT ".torn.new");
    assert_non_null(strstr(now.bytes, expected));
    assert_non_null(strstr(now.bytes, digest_hex(&d, hex)));
    buf_fini(&torn);
    buf_fini(&now);
}

static void test_cut_at_every_byte(void **state)
{
    struct fixture *f = *state;
    struct buf all = five_records(f);
    for (size_t cut = 0; cut <= all.length; cut++)
        cut_once(f, &all, cut);
    buf_fini(&all);
}

static void test_second_segment_cut_at_every_byte(void **state)
{
    struct fixture *f = *state;
    two_segments(f);
    struct buf first = file_get(f, FIRST_SEGMENT), second = file_get(f, SECOND_SEGMENT);
    for (size_t cut = 0; cut < second.length; cut++) {
        folder_empty(f);
        file_put(f, FIRST_SEGMENT, first.bytes, first.length);
        file_put(f, SECOND_SEGMENT, second.bytes, cut);
        size_t whole = lines_before(second.bytes, cut);
        bool is_torn = cut == 0 || second.bytes[cut - 1] != '\n';
        must_be(f, is_torn ? JOURNAL_TORN_TAIL : JOURNAL_WHOLE);
        struct journal_opened opened;
        journal_close(journal_must_open(f, &opened));
        assert_false(opened.is_new);
        assert_int_equal(opened.next_seq, 3 + whole + (is_torn && cut > 0));
        assert_int_equal(file_is_there(f, SECOND_SEGMENT), whole > 0);
        must_be(f, JOURNAL_WHOLE);
    }
    buf_fini(&first);
    buf_fini(&second);
}

/* Blocks that never reached the disk read as zeros. */
static void test_holes(void **state)
{
    struct fixture *f = *state;
    struct buf all = five_records(f);
    size_t begins[5] = {0};
    for (int i = 1; i < 5; i++)
        begins[i] = (size_t)(strchr(all.bytes + begins[i - 1], '\n') + 1 - all.bytes);
    /* Records 3 and 4 were written by one call, the others each by its own. */
    static const struct {
        int record;
        size_t from, length; /* behind the record's beginning */
        enum journal_verdict verdict;
        const char *left;
    } cases[] = {
        {3, 0, 10000, JOURNAL_TORN_TAIL, "genesis signal intent recover "},
        {3, 0, 50, JOURNAL_TORN_TAIL, "genesis signal intent recover "},
        {3, 50, 60, JOURNAL_TORN_TAIL, "genesis signal intent recover "},
        {3, 100, 10000, JOURNAL_TORN_TAIL, "genesis signal intent recover "},
        {4, 0, 10000, JOURNAL_TORN_TAIL, "genesis signal intent result recover "},
        {2, 0, 50, JOURNAL_BROKEN, NULL},
        {2, 50, 60, JOURNAL_BROKEN, NULL},
        {0, 20, 10, JOURNAL_BROKEN, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *bytes = mem_alloc(all.length);
        memcpy(bytes, all.bytes, all.length);
        size_t from = begins[cases[i].record] + cases[i].from;
        for (size_t k = from; k < all.length && k < from + cases[i].length; k++)
            bytes[k] = '\0';
        folder_empty(f);
        file_put(f, FIRST_SEGMENT, bytes, all.length);
        free(bytes);
        must_be(f, cases[i].verdict);
        struct journal *j = NULL;
        struct journal_opened opened;
        int code = journal_open(f->root, "master-1", &j, &opened, &f->e);
        assert_int_equal(code, cases[i].verdict == JOURNAL_BROKEN ? -EBADMSG : 0);
        if (code == 0)
            types_must_be(f, cases[i].left);
        journal_close(j);
    }
    buf_fini(&all);
}

static void test_torn_twice(void **state)
{
    struct fixture *f = *state;
    struct buf all = five_records(f);
    for (int i = 0; i < 3; i++) {
        int fd = open(audit_path(f, FIRST_SEGMENT), O_WRONLY | O_APPEND | O_CLOEXEC);
        assert_int_equal(write(fd, "{\"body\":{\"a", 11), 11);
        (void)close(fd);
        journal_close(journal_must_open(f, NULL));
    }
    assert_true(file_is_there(f, FIRST_SEGMENT ".torn"));
    assert_true(file_is_there(f, FIRST_SEGMENT ".torn.1"));
    assert_true(file_is_there(f, FIRST_SEGMENT ".torn.2"));
    types_must_be(f, "genesis signal intent result stop recover recover recover ");
    must_be(f, JOURNAL_WHOLE);
    buf_fini(&all);
}

/* A crash between setting a tail aside and recording that. */
static void test_tail_without_record(void **state)
{
    struct fixture *f = *state;
    struct buf all = five_records(f);
    file_put(f, FIRST_SEGMENT ".torn.new", "tail", 4);
    struct journal_opened opened;
    journal_close(journal_must_open(f, &opened));
    assert_int_equal(opened.torn_bytes, 4);
    assert_false(file_is_there(f, FIRST_SEGMENT ".torn.new"));
    assert_true(file_is_there(f, FIRST_SEGMENT ".torn"));
    types_must_be(f, "genesis signal intent result stop recover ");
    journal_close(journal_must_open(f, &opened));
    assert_int_equal(opened.torn_bytes, 0);
    buf_fini(&all);
}

/* ---- changed ---- */

static void flip_all(struct fixture *f, const char *name)
{
    static const unsigned char masks[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
    struct buf all = file_get(f, name);
    for (size_t i = 0; i < all.length; i++)
        for (size_t m = 0; m < sizeof masks; m++) {
            all.bytes[i] = (char)(all.bytes[i] ^ masks[m]);
            file_put(f, name, all.bytes, all.length);
            struct journal_check c = verified(f);
            if (c.verdict == JOURNAL_WHOLE || c.verdict == JOURNAL_IO)
                fail_msg("%s: byte %zu ^ %02x: verdict %d", name, i, masks[m], (int)c.verdict);
            assert_true(*c.why);
            all.bytes[i] = (char)(all.bytes[i] ^ masks[m]);
        }
    file_put(f, name, all.bytes, all.length);
    must_be(f, JOURNAL_WHOLE);
    buf_fini(&all);
}

static void test_every_byte_flipped(void **state)
{
    struct fixture *f = *state;
    two_segments(f);
    flip_all(f, FIRST_SEGMENT);
    flip_all(f, SECOND_SEGMENT);
}

static void test_every_byte_flipped_then_opened(void **state)
{
    struct fixture *f = *state;
    struct buf all = five_records(f);
    size_t last = all.length - 1;
    while (all.bytes[last - 1] != '\n')
        last--;
    for (size_t i = 0; i < all.length; i++) {
        folder_empty(f);
        all.bytes[i] ^= 1;
        file_put(f, FIRST_SEGMENT, all.bytes, all.length);
        all.bytes[i] ^= 1;
        struct journal *j = NULL;
        struct journal_opened opened;
        int code = journal_open(f->root, "master-1", &j, &opened, &f->e);
        journal_close(j);
        /* Only the last line, or the newline before it, may be taken for a tear. */
        assert_true(code == -EBADMSG || (code == 0 && i >= last - 1));
        if (code == 0) {
            assert_true(opened.torn_bytes > 0);
            must_be(f, JOURNAL_WHOLE);
        } else {
            assert_non_null(strstr(f->e.text, FIRST_SEGMENT ":"));
            assert_non_null(strstr(f->e.text, "record "));
            struct buf untouched = file_get(f, FIRST_SEGMENT);
            assert_int_equal(untouched.length, all.length);
            buf_fini(&untouched);
        }
    }
    buf_fini(&all);
}

/* Writes the lines of `all` in the order of `order`. */
static void put_lines(struct fixture *f, const struct buf *all, const int *order, size_t count)
{
    const char *lines[16] = {0};
    size_t lengths[16] = {0}, n = 0;
    for (const char *at = all->bytes; at < all->bytes + all->length; n++) {
        lines[n] = at;
        lengths[n] = (size_t)(strchr(at, '\n') + 1 - at);
        at += lengths[n];
    }
    struct buf out = {0};
    for (size_t i = 0; i < count; i++)
        buf_add(&out, lines[order[i]], lengths[order[i]]);
    file_put(f, FIRST_SEGMENT, out.bytes, out.length);
    buf_fini(&out);
}

static void must_be_broken_at(struct fixture *f, uint64_t seq)
{
    struct journal_check c = verified(f);
    assert_int_equal(c.verdict, JOURNAL_BROKEN);
    assert_int_equal(c.bad_seq, seq);
    assert_int_equal(c.records, seq);
    struct journal *j = NULL;
    struct journal_opened opened;
    assert_int_equal(journal_open(f->root, "master-1", &j, &opened, &f->e), -EBADMSG);
}

static void test_deleted_doubled_swapped(void **state)
{
    struct fixture *f = *state;
    struct buf all = five_records(f);
    for (int i = 0; i < 5; i++) {
        int without[5], twice[6], swapped[5];
        size_t n = 0, m = 0;
        for (int k = 0; k < 5; k++) {
            if (k != i)
                without[n++] = k;
            twice[m++] = k;
            if (k == i)
                twice[m++] = k;
            swapped[k] = k;
        }
        put_lines(f, &all, without, n);
        if (i == 4) /* a journal cut off at a record's end can't be told without an anchor */
            must_be(f, JOURNAL_WHOLE);
        else
            must_be_broken_at(f, (uint64_t)i);
        put_lines(f, &all, twice, m);
        must_be_broken_at(f, (uint64_t)i + 1);
        for (int k = i + 1; k < 5; k++) {
            swapped[i] = k, swapped[k] = i;
            put_lines(f, &all, swapped, 5);
            must_be_broken_at(f, (uint64_t)i);
            swapped[i] = i, swapped[k] = k;
        }
    }
    buf_fini(&all);
}

static void test_segments_missing_or_too_many(void **state)
{
    struct fixture *f = *state;
    two_segments(f);
    struct buf first = file_get(f, FIRST_SEGMENT), second = file_get(f, SECOND_SEGMENT);

    file_drop(f, FIRST_SEGMENT);
    must_be(f, JOURNAL_BROKEN);
    assert_non_null(strstr(verified(f).why, "beginning is missing"));
    file_put(f, "00000000000000000007.jsonl", first.bytes, first.length);
    must_be(f, JOURNAL_BROKEN);
    folder_empty(f);

    file_put(f, FIRST_SEGMENT, first.bytes, first.length);
    file_put(f, "00000000000000000004.jsonl", second.bytes, second.length);
    must_be(f, JOURNAL_BROKEN);
    file_drop(f, "00000000000000000004.jsonl");
    file_put(f, SECOND_SEGMENT, second.bytes, second.length);
    must_be(f, JOURNAL_WHOLE);

    file_put(f, "00000000000000000001.jsonl", "", 0); /* in the middle */
    must_be(f, JOURNAL_BROKEN);
    file_drop(f, "00000000000000000001.jsonl");
    file_put(f, "00000000000000000006.jsonl", first.bytes, first.length);
    must_be(f, JOURNAL_BROKEN);
    file_drop(f, "00000000000000000006.jsonl");

    /* A record missing at the end of the first segment; a tail that isn't in the last. */
    file_put(f, FIRST_SEGMENT, first.bytes, first.length - 1);
    must_be(f, JOURNAL_BROKEN);
    size_t last = first.length - 1;
    while (first.bytes[last - 1] != '\n')
        last--;
    file_put(f, FIRST_SEGMENT, first.bytes, last);
    must_be(f, JOURNAL_BROKEN);
    assert_int_equal(verified(f).bad_seq, 2);
    file_put(f, FIRST_SEGMENT, first.bytes, first.length);

    /* Both torn: a second segment was begun behind a torn tail. */
    file_put(f, FIRST_SEGMENT, first.bytes, first.length - 10);
    file_put(f, SECOND_SEGMENT, second.bytes, 10);
    struct journal *j = NULL;
    struct journal_opened opened;
    assert_int_equal(journal_open(f->root, "master-1", &j, &opened, &f->e), -EBADMSG);

    /* What isn't named like a segment is nobody's. */
    folder_empty(f);
    two_segments(f);
    file_put(f, "notes.txt", "x", 1);
    file_put(f, "0.jsonl", "x", 1);
    file_put(f, "99999999999999999999.jsonl", "x", 1);
    must_be(f, JOURNAL_WHOLE);
    buf_fini(&first);
    buf_fini(&second);
}

static void test_unknown_version(void **state)
{
    struct fixture *f = *state;
    struct by_hand h = {.chain = chain_new()};
    strcpy(h.head, chain_start);
    hand_add(&h, "{\"type\":\"genesis\",\"v\":2}");
    hand_put(f, &h, FIRST_SEGMENT);
    must_be(f, JOURNAL_UNKNOWN_VERSION);
    struct journal *j = NULL;
    struct journal_opened opened;
    assert_int_equal(journal_open(f->root, "master-1", &j, &opened, &f->e), -EBADMSG);

    h.seq = 0;
    strcpy(h.head, chain_start);
    hand_add(&h, "{\"type\":\"genesis\",\"v\":1}");
    hand_put(f, &h, FIRST_SEGMENT);
    hand_header(&h, FIRST_SEGMENT, "12");
    hand_put(f, &h, "00000000000000000001.jsonl");
    must_be(f, JOURNAL_UNKNOWN_VERSION);
    assert_int_equal(verified(f).bad_seq, 1);
    buf_fini(&h.out);
    chain_free(h.chain);
}

/* Whole by its hash, but of a format that isn't ours, in the middle of a segment. */
static void test_unknown_version_behind_the_first(void **state)
{
    struct fixture *f = *state;
    struct by_hand h = {.chain = chain_new()};
    strcpy(h.head, chain_start);
    hand_add(&h, "{\"type\":\"genesis\",\"v\":1}");
    hand_add(&h, "{\"type\":\"start\",\"v\":2}");
    hand_put(f, &h, FIRST_SEGMENT);
    must_be(f, JOURNAL_UNKNOWN_VERSION);
    assert_int_equal(verified(f).bad_seq, 1);
    buf_fini(&h.out);
    chain_free(h.chain);
}

/* The last segment alone must say what comes before it: that is all an opened journal goes by. */
static void test_last_segment_names_no_record_before_it(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *hash, *seq;
        bool taken;
    } rows[] = {
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "6", true},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "-1", false},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde", "6", false},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdex", "6", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct by_hand h = {.chain = chain_new(), .seq = 7};
        char body[256];
        (void)snprintf(h.head, sizeof h.head, "%s", rows[i].hash);
        (void)snprintf(body, sizeof body,
                       "{\"hash\":\"%s\",\"previous\":\"" FIRST_SEGMENT
                       "\",\"seq\":%s,\"type\":\"segment\",\"v\":1}",
                       rows[i].hash, rows[i].seq);
        hand_add(&h, body);
        hand_put(f, &h, "00000000000000000007.jsonl");
        struct journal *j = NULL;
        struct journal_opened opened;
        int code = journal_open(f->root, "master-1", &j, &opened, &f->e);
        journal_close(j);
        assert_int_equal(code, rows[i].taken ? 0 : -EBADMSG);
        if (!rows[i].taken)
            assert_non_null(strstr(f->e.text, "doesn't name the record before it"));
        buf_fini(&h.out);
        chain_free(h.chain);
        folder_empty(f);
    }
}

/* A tear is one tear, however many broken lines it has. */
static void test_two_odd_lines_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct buf all = five_records(f);
    buf_text(&all, "half a rec\nand another half\n");
    file_put(f, FIRST_SEGMENT, all.bytes, all.length);
    must_be(f, JOURNAL_TORN_TAIL);
    struct journal_check c = verified(f);
    assert_int_equal(c.records, 5);
    buf_fini(&all);
}

static void test_lines_too_long(void **state)
{
    struct fixture *f = *state;
    struct buf all = five_records(f);
    char *much = mem_alloc(3 * LINE_BYTES_MAX);
    memcpy(much, all.bytes, all.length);
    memset(much + all.length, 'x', 3 * LINE_BYTES_MAX - all.length);
    file_put(f, FIRST_SEGMENT, much, 3 * LINE_BYTES_MAX);
    must_be(f, JOURNAL_TORN_TAIL);
    much[3 * LINE_BYTES_MAX - 1] = '\n';
    file_put(f, FIRST_SEGMENT, much, 3 * LINE_BYTES_MAX);
    must_be(f, JOURNAL_TORN_TAIL);
    /* A record behind it: no tear. */
    memcpy(much + 2 * LINE_BYTES_MAX, all.bytes, all.length);
    much[2 * LINE_BYTES_MAX - 1] = '\n';
    file_put(f, FIRST_SEGMENT, much, 2 * LINE_BYTES_MAX + all.length);
    must_be(f, JOURNAL_BROKEN);
    free(much);
    buf_fini(&all);
}

static int count_one(void *context, const struct record *r)
{
    (void)r;
    ++*(int *)context;
    return 0;
}

static void test_reading_what_is_damaged(void **state)
{
    struct fixture *f = *state;
    struct buf all = five_records(f);
    int count = 0;
    file_put(f, FIRST_SEGMENT, all.bytes, all.length - 20);
    assert_int_equal(journal_read(f->root, JOURNAL_FOLDER, count_one, &count, &f->e), 0);
    assert_int_equal(count, 4);
    char *newline = strchr(all.bytes, '\n');
    assert_non_null(newline);
    newline[1] = '[';
    file_put(f, FIRST_SEGMENT, all.bytes, all.length);
    count = 0;
    assert_int_equal(journal_read(f->root, JOURNAL_FOLDER, count_one, &count, &f->e), -EBADMSG);
    assert_int_equal(count, 1);
    assert_non_null(strstr(f->e.text, FIRST_SEGMENT ":2"));
    buf_fini(&all);
}

/* What reading gives of a journal with holes: all before them; and when it says that something is
 * wrong that no crash explains. Records 3 to 5 were written by one call, record 6 by another. */
static void test_reading_over_holes(void **state)
{
    struct fixture *f = *state;
    enum { RECORDS = 7 };
    static const struct {
        const char *damage; /* a record each: h a hole in it, x other bytes, - as it was */
        int code, count;
    } cases[] = {
        {"-------", 0, 7},       {"------h", 0, 6},       {"---h--", 0, 3},
        {"---hh-", 0, 3},        {"----h-", 0, 4},        {"---h---", -EBADMSG, 3},
        {"---x--", -EBADMSG, 3}, {"---xh-", -EBADMSG, 3}, {"---hx-", -EBADMSG, 3},
        {"---hxx", 0, 3},        {"--h---", -EBADMSG, 2},
    };
    struct journal *j = journal_must_open(f, NULL);
    for (int i = 1; i < RECORDS; i++) {
        add_text(j, RECORD_SIGNAL, "signal", "a");
        if (i != 3 && i != 4)
            must_sync(f, j);
    }
    journal_close(j);
    OWNED(buf_fini) struct buf all = file_get(f, FIRST_SEGMENT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OWNED(free) char *bytes = mem_alloc(all.length);
        memcpy(bytes, all.bytes, all.length);
        char *at = bytes;
        for (const char *d = cases[i].damage; *d; d++) {
            if (*d != '-')
                at[10] = *d == 'h' ? '\0' : '\1';
            at = (char *)memchr(at, '\n', all.length - (size_t)(at - bytes)) + 1;
        }
        file_put(f, FIRST_SEGMENT, bytes, (size_t)(at - bytes));
        int count = 0;
        int code = journal_read(f->root, JOURNAL_FOLDER, count_one, &count, &f->e);
        if (code != cases[i].code || count != cases[i].count)
            fail_msg("%s: %d after %d records", cases[i].damage, code, count);
        enum journal_verdict verdict = verified(f).verdict;
        assert_int_equal(verdict == JOURNAL_BROKEN, code < 0);
    }
}

static void test_reading_a_damaged_segment_that_is_not_the_last(void **state)
{
    struct fixture *f = *state;
    two_segments(f);
    struct buf all = file_get(f, FIRST_SEGMENT);
    char *third = strstr(all.bytes, "{\"type\":\"signal\"");
    assert_non_null(third);
    third[1] = ' '; /* a line still, but its body isn't canonical */
    file_put(f, FIRST_SEGMENT, all.bytes, all.length);
    int count = 0;
    assert_int_equal(journal_read(f->root, JOURNAL_FOLDER, count_one, &count, &f->e), -EBADMSG);
    assert_int_equal(count, 2);
    assert_string_equal(f->e.text, FIRST_SEGMENT ":3: no record");
    buf_fini(&all);
}

/* Files whose names are nearly those of torn tails or segments are nobody's business. */
static void test_other_names(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {
        "18446744073709551616.jsonl",           "99999999999999999999.jsonl",
        "00000000000000000x00.jsonl",           "00000000000000000000.jsonl.torn.old",
        "0000000000000000x000.jsonl.torn.new",  "00000000000000000000.jsonl.torn",
        "000000000000000000000.jsonl.torn.new", "99999999999999999999.jsonl.torn.new",
    };
    buf_fini(&(struct buf[]){five_records(f)}[0]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        file_put(f, names[i], "x", 1);
    must_be(f, JOURNAL_WHOLE);
    struct journal_opened opened;
    journal_close(journal_must_open(f, &opened));
    assert_int_equal(opened.torn_bytes, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(file_is_there(f, names[i]));
}

static void test_too_many_torn_tails(void **state)
{
    struct fixture *f = *state;
    struct buf all = five_records(f);
    buf_text(&all, "torn");
    file_put(f, FIRST_SEGMENT, all.bytes, all.length);
    file_put(f, FIRST_SEGMENT ".torn", "x", 1);
    for (int i = 1; i < 1000; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, FIRST_SEGMENT ".torn.%d", i);
        file_put(f, name, "x", 1);
    }
    struct journal *j = NULL;
    struct journal_opened opened;
    assert_int_equal(journal_open(f->root, "master-1", &j, &opened, &f->e), -EEXIST);
    assert_non_null(strstr(f->e.text, "1000 torn tails of this segment are kept already"));
    assert_true(file_is_there(f, FIRST_SEGMENT ".torn.new")); /* not lost for that */
    buf_fini(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cut_at_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_second_segment_cut_at_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_holes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_torn_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tail_without_record, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_byte_flipped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_byte_flipped_then_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deleted_doubled_swapped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_segments_missing_or_too_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_version_behind_the_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_last_segment_names_no_record_before_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_two_odd_lines_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lines_too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reading_what_is_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reading_over_holes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reading_a_damaged_segment_that_is_not_the_last, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_other_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_torn_tails, setup, teardown),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
