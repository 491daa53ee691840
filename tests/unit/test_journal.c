/* record/journal.h: what is added is there, in order, after reopening, rotating and a full disk. */
#include "journal_fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "record/chain.h"

static void test_append_reopen(void **state)
{
    struct fixture *f = *state;
    struct journal_opened opened;
    struct journal *j = journal_must_open(f, &opened);
    assert_true(opened.is_new);
    assert_int_equal(opened.next_seq, 1);
    assert_int_equal(opened.torn_bytes, 0);
    must_be(f, JOURNAL_WHOLE);
    add_text(j, RECORD_START, "mode", "act");
    assert_true(journal_is_pending(j));
    assert_int_equal(verified(f).records, 1);
    assert_int_equal(journal_seq(j), 0);
    add_text(j, RECORD_SIGNAL, "signal", "apiserver-livez");
    must_sync(f, j);
    assert_int_equal(journal_seq(j), 2);
    assert_int_equal(verified(f).records, 3);
    add_text(j, RECORD_STOP, "why", "lost: never synced");
    journal_close(j);

    j = journal_must_open(f, &opened);
    assert_false(opened.is_new);
    assert_int_equal(opened.next_seq, 3);
    assert_false(journal_rotated(j));
    journal_add(j, RECORD_STOP, NULL);
    must_sync(f, j);
    must_sync(f, j);
    journal_close(j);
    types_must_be(f, "genesis start signal stop ");
    struct journal_check c = verified(f);
    assert_int_equal(c.verdict, JOURNAL_WHOLE);
    assert_int_equal(c.records, 4);
    assert_int_equal(c.segments, 1);
    struct stat st;
    assert_int_equal(stat(audit_path(f, FIRST_SEGMENT), &st), 0);
    assert_int_equal(c.bytes, st.st_size);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static int envelope_look(void *context, const struct record *r)
{
    struct buf *seen = context;
    assert_int_equal(json_get_int(r->body, "v", 0), 1);
    assert_string_equal(json_get_string(r->body, "node", ""), "master-1");
    assert_int_equal(strlen(json_get_string(r->body, "boot", "")), 36);
    assert_int_equal(strlen(json_get_string(r->body, "wall", "")), 30);
    assert_true(json_get_int(r->body, "usec", 0) > 0);
    assert_true(*json_get_string(r->body, "build", ""));
    assert_int_equal(r->line, r->seq + 1);
    assert_string_equal(r->file, FIRST_SEGMENT);
    buf_printf(seen, "%s;", json_get_string(r->body, "detail", "-"));
    return r->seq == 2 ? -ECANCELED : 0;
}

static void test_envelope_and_text(void **state)
{
    struct fixture *f = *state;
    struct journal *j = journal_must_open(f, NULL);
    const char *hostile = "\x1b[2J\x7f\n\"\\ \xe2\x80\xae \xf0\x9f\x98\x80";
    add_text(j, RECORD_SIGNAL, "detail", hostile);
    add_text(j, RECORD_SIGNAL, "detail", "second");
    add_text(j, RECORD_SIGNAL, "detail", "third");
    must_sync(f, j);
    journal_close(j);
    must_be(f, JOURNAL_WHOLE);
    struct buf bytes = file_get(f, FIRST_SEGMENT), seen = {0};
    for (size_t i = 0; i < bytes.length; i++)
        assert_true(bytes.bytes[i] == '\n' || (bytes.bytes[i] >= 0x20 && bytes.bytes[i] < 0x7f));
    assert_int_equal(journal_read(f->root, JOURNAL_FOLDER, envelope_look, &seen, &f->e),
                     -ECANCELED);
    char expected[128];
    (void)snprintf(expected, sizeof expected, "-;%s;second;", hostile);
    assert_string_equal(buf_string(&seen), expected);
    buf_fini(&bytes);
    buf_fini(&seen);
}

/* The formula in journal.h, by other means than ours: the first two hashes. */
static void test_hash_is_as_documented(void **state)
{
    struct fixture *f = *state;
    struct journal *j = journal_must_open(f, NULL);
    journal_add(j, RECORD_START, NULL);
    must_sync(f, j);
    journal_close(j);
    struct buf bytes = file_get(f, FIRST_SEGMENT);
    char previous[DIGEST_HEX + 1];
    memset(previous, '0', DIGEST_HEX);
    previous[DIGEST_HEX] = '\0';
    char *line = bytes.bytes;
    for (int seq = 0; seq < 2; seq++) {
        char *end = strchr(line, '\n'), *body = line + strlen("{\"body\":");
        char *hash = end - strlen("\",\"seq\":0,\"since\":0}") - DIGEST_HEX;
        size_t length = (size_t)(hash - strlen(",\"hash\":\"") - body);
        struct buf hashed = {0};
        buf_printf(&hashed, "planeguard/journal/v1\n%d\n%d\n%s\n%zu\n", seq, seq, previous, length);
        buf_add(&hashed, body, length);
        struct digest d = digest_of(hashed.bytes, hashed.length);
        assert_memory_equal(hash, digest_hex(&d, previous), DIGEST_HEX);
        buf_fini(&hashed);
        line = end + 1;
    }
    assert_string_equal(verified(f).head, previous);
    buf_fini(&bytes);
}

static int withheld_look(void *context, const struct record *r)
{
    const json_t *withheld = json_object_get(r->body, "withheld");
    if (r->seq == 0)
        return 0;
    assert_non_null(withheld);
    assert_true(json_get_int(withheld, "bytes", 0) > 0);
    assert_int_equal(strlen(json_get_string(withheld, "sha256", "")), DIGEST_HEX);
    assert_string_equal(json_get_string(r->body, "incident", ""), "i-1");
    (*(int *)context)++;
    return 0;
}

static void test_no_place_is_withheld(void **state)
{
    struct fixture *f = *state;
    struct journal *j = journal_must_open(f, NULL);
    json_t *fields[4] = {json_object(), json_object(), json_object(), json_object()};
    char *big = mem_alloc(LINE_BYTES_MAX + 1);
    memset(big, 'x', LINE_BYTES_MAX);
    json_put(fields[0], "output", json_string(big));
    json_put(fields[1], "revision", json_integer((json_int_t)1 << 53));
    json_t *deep = json_array();
    for (int i = 0; i < 100; i++) {
        json_t *outer = json_array();
        json_push(outer, deep);
        deep = outer;
    }
    json_put(fields[2], "deep", deep);
    json_put(fields[3], "nul", json_stringn("a\0b", 3));
    for (int i = 0; i < 4; i++) {
        json_put(fields[i], "incident", json_string("i-1"));
        journal_add(j, RECORD_EFFECT, fields[i]);
    }
    must_sync(f, j);
    /* The longest that fits is kept whole. */
    big[LINE_BYTES_MAX - 1024] = '\0';
    add_text(j, RECORD_EFFECT, "output", big);
    must_sync(f, j);
    journal_close(j);
    must_be(f, JOURNAL_WHOLE);
    struct buf bytes = file_get(f, FIRST_SEGMENT);
    assert_true(bytes.length > LINE_BYTES_MAX - 1024);
    buf_fini(&bytes);
    free(big);
    types_must_be(f, "genesis effect effect effect effect effect ");
}

static void test_withheld_says_so(void **state)
{
    struct fixture *f = *state;
    struct journal *j = journal_must_open(f, NULL);
    json_t *fields = json_object();
    json_put(fields, "incident", json_string("i-1"));
    json_put(fields, "revision", json_integer((json_int_t)1 << 60));
    journal_add(j, RECORD_EFFECT, json_incref(fields));
    must_sync(f, j);
    journal_close(j);
    /* The caller's own fields are untouched. */
    assert_int_equal(json_object_size(fields), 2);
    json_decref(fields);
    int seen = 0;
    assert_int_equal(journal_read(f->root, JOURNAL_FOLDER, withheld_look, &seen, &f->e), 0);
    assert_int_equal(seen, 1);
}

static int header_look(void *context, const struct record *r)
{
    (void)context;
    if (r->line != 1 || r->seq == 0)
        return 0;
    assert_string_equal(json_get_string(r->body, "type", ""), "segment");
    assert_int_equal(json_get_int(r->body, "seq", 0), r->seq - 1);
    uint64_t first;
    assert_true(segment_parse(r->file, &first));
    assert_int_equal(first, r->seq);
    return 0;
}

static void test_rotate(void **state)
{
    struct fixture *f = *state;
    struct journal *j = journal_must_open(f, NULL);
    char *half = mem_alloc(512 * 1024);
    memset(half, 'x', 512 * 1024 - 1);
    int rotations = 0;
    for (int i = 0; i < 70; i++) {
        add_text(j, RECORD_EFFECT, "output", half);
        must_sync(f, j);
        if (journal_rotated(j)) {
            rotations++;
            assert_false(journal_rotated(j));
            add_text(j, RECORD_START, "state", "all of it");
        }
    }
    must_sync(f, j);
    journal_close(j);
    free(half);
    assert_int_equal(rotations, 2);
    struct journal_check c = verified(f);
    assert_int_equal(c.verdict, JOURNAL_WHOLE);
    assert_int_equal(c.segments, 3);
    assert_int_equal(c.records, 1 + 70 + 2 * 2);
    assert_int_equal(journal_read(f->root, JOURNAL_FOLDER, header_look, NULL, &f->e), 0);
    struct journal_opened opened;
    j = journal_must_open(f, &opened);
    assert_int_equal(opened.next_seq, c.records);
    journal_add(j, RECORD_STOP, NULL);
    must_sync(f, j);
    journal_close(j);
    must_be(f, JOURNAL_WHOLE);
}

/* ---- full ---- */

static void write_until_full(struct fixture *f, struct journal *j, enum record_type type)
{
    char text[4000] = "";
    memset(text, 'x', sizeof text - 1);
    uint64_t seq = journal_seq(j);
    for (int i = 0; i < 10000; i++) {
        add_text(j, type, "output", text);
        int code = journal_sync(j, &f->e);
        if (code == 0) {
            assert_int_equal(journal_seq(j), ++seq);
            continue;
        }
        assert_int_equal(code, -ENOSPC);
        assert_int_equal(journal_seq(j), seq);
        assert_true(journal_is_pending(j));
        struct journal_check c = verified(f);
        assert_int_equal(c.verdict, JOURNAL_WHOLE);
        assert_int_equal(c.records, seq + 1);
        return;
    }
    fail_msg("the disk never got full");
}

static void fill_disk(const struct fixture *f)
{
    static char block[4096];
    int fd = open(audit_path(f, "filler"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while (write(fd, block, sizeof block) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    (void)close(fd);
}

static void test_full_disk(void **state)
{
    struct fixture *f = *state;
    char options[] = "size=4m";
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", audit_path(f, ""), "tmpfs", 0, options) < 0)
        skip();
    root_free(f->root); /* it stands in the old name space */
    assert_int_equal(root_open(f->path, &f->root, &f->e), 0);
    struct journal *j = journal_must_open(f, NULL);
    fill_disk(f);
    /* What was begun can be brought to its end ... */
    add_text(j, RECORD_INTENT, "step", "restart");
    must_sync(f, j);
    /* ... no new intent is taken when its outcome might not fit ... */
    uint64_t before = journal_seq(j);
    write_until_full(f, j, RECORD_INTENT);
    assert_true(journal_seq(j) > before);
    struct stat st;
    assert_int_equal(stat(audit_path(f, FIRST_SEGMENT), &st), 0);
    assert_true(st.st_size < 1024 * 1024);
    file_drop(f, "filler");
    must_sync(f, j);
    /* ... and other records take all that was reserved. */
    fill_disk(f);
    write_until_full(f, j, RECORD_RESULT);
    file_drop(f, "filler");
    must_sync(f, j);
    journal_close(j);
    must_be(f, JOURNAL_WHOLE);

    fill_disk(f);
    struct journal_opened opened;
    j = journal_must_open(f, &opened);
    journal_close(j);
    assert_int_equal(opened.torn_bytes, 0);
    file_drop(f, FIRST_SEGMENT);
    fill_disk(f);
    assert_int_equal(journal_open(f->root, "master-1", &j, &opened, &f->e), -ENOSPC);
    assert_false(file_is_there(f, FIRST_SEGMENT));
    assert_int_equal(umount(audit_path(f, "")), 0);
}

static void test_file_size_limit(void **state)
{
    struct fixture *f = *state;
    struct rlimit unlimited, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    limit = unlimited;
    limit.rlim_cur = 512 * 1024;
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    struct journal *j = journal_must_open(f, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    write_until_full(f, j, RECORD_RESULT);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    (void)signal(SIGXFSZ, old);
    must_sync(f, j);
    journal_close(j);
    must_be(f, JOURNAL_WHOLE);
}

/* ---- together with a writer ---- */

static void write_for_long(struct fixture *f)
{
    struct journal *j = NULL;
    struct journal_opened opened;
    char text[20000] = "";
    memset(text, 'x', sizeof text - 1);
    if (journal_open(f->root, "master-1", &j, &opened, &f->e) < 0)
        _exit(1);
    for (;;) {
        add_text(j, RECORD_EFFECT, "output", text);
        if (journal_sync(j, &f->e) < 0)
            _exit(2);
    }
}

static void test_verify_beside_a_writer(void **state)
{
    struct fixture *f = *state;
    journal_close(journal_must_open(f, NULL));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        write_for_long(f);
    int whole = 0;
    for (int i = 0; i < 60; i++) {
        struct journal_check c = verified(f);
        /* Torn only if the writer was put to sleep in the middle of its write. */
        if (c.verdict != JOURNAL_WHOLE && c.verdict != JOURNAL_TORN_TAIL)
            fail_msg("%d: %s", (int)c.verdict, c.why);
        whole += c.verdict == JOURNAL_WHOLE;
    }
    int status;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_true(whole >= 50);
    journal_close(journal_must_open(f, NULL));
    must_be(f, JOURNAL_WHOLE);
}

static void test_nothing_there(void **state)
{
    struct fixture *f = *state;
    must_be(f, JOURNAL_IO);
    assert_int_equal(journal_read(f->root, JOURNAL_FOLDER, types_add, NULL, &f->e), -ENOENT);
    assert_int_equal(journal_read(f->root, "/nowhere", types_add, NULL, &f->e), -ENOENT);
}

static void test_words(void **state)
{
    (void)state;
    assert_int_equal(record_words.count, RECORD_COUNT_);
    for (int i = 0; i < RECORD_COUNT_; i++)
        assert_int_equal(words_find(&record_words, words_name(&record_words, i)), i);
    assert_string_equal(words_name(&record_words, RECORD_CLOCK_JUMP), "clock-jump");
    assert_string_equal(words_name(&record_words, RECORD_PRUNE), "prune");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_append_reopen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_envelope_and_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hash_is_as_documented, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_place_is_withheld, setup, teardown),
        cmocka_unit_test_setup_teardown(test_withheld_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotate, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_size_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_beside_a_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_there, setup, teardown),
        cmocka_unit_test(test_words),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
