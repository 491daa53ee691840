/* The journal when a system call fails below it: opening, writing, reading and verifying with the
 * n-th call of each sort failing, for every n. What it has said to be recorded stays, and
 * afterwards it is whole. (test_journal_faults.c has the disk's own failures.) */
#include "journal_fixture.h"

#include <signal.h>
#include <sys/wait.h>

#include "record/chain.h"
#include "record/walk.h"
#include "wrapped/wrapped.h"

#define SECOND_SEGMENT "00000000000000000003.jsonl"

/* ---- what it starts from ---- */

static void from_nothing(struct fixture *f)
{
    folder_empty(f);
}

static void from_three_records(struct fixture *f)
{
    folder_empty(f);
    struct journal *j = journal_must_open(f, NULL);
    add_text(j, RECORD_SIGNAL, "signal", "a");
    must_sync(f, j);
    add_text(j, RECORD_INTENT, "step", "b");
    must_sync(f, j);
    journal_close(j);
}

static void from_torn(struct fixture *f)
{
    from_three_records(f);
    struct buf all = file_get(f, FIRST_SEGMENT);
    buf_text(&all, "{\"body\":{\"half");
    file_put(f, FIRST_SEGMENT, all.bytes, all.length);
    file_put(f, "of-somebody-else", "x", 1);
    buf_fini(&all);
}

static void from_begun_segment(struct fixture *f)
{
    from_three_records(f);
    file_put(f, SECOND_SEGMENT, "", 0);
}

/* ---- what it does ---- */

static int open_and_write(struct fixture *f)
{
    OWNED(journal_close) struct journal *j = NULL;
    struct journal_opened opened;
    int code = journal_open(f->root, "master-1", &j, &opened, &f->e);
    if (code < 0)
        return code;
    add_text(j, RECORD_RESULT, "outcome", "done");
    return journal_sync(j, &f->e);
}

static int take_none(void *context, const struct record *r)
{
    (void)context, (void)r;
    return 0;
}

static int read_all(struct fixture *f)
{
    return journal_read(f->root, JOURNAL_FOLDER, take_none, NULL, &f->e);
}

static int verify(struct fixture *f)
{
    struct journal_check c = verified(f);
    if (c.verdict != JOURNAL_IO)
        return 0;
    (void)err_set(&f->e, -EIO, "%s", c.why);
    return -EIO;
}

static const char *const calls[] = {
    "fstat",     "fstatat", "openat", "openat2",   "mkdirat",   "fsync", "fdatasync", "read",
    "pread",     "write",   "pwrite", "ftruncate", "readdir",   "close", "renameat2", "unlinkat",
    "fdopendir", "fchmod",  "fchown", "getrandom", "fallocate", "lseek"};

/* Their failing is met by another way, or is none of the journal's business. */
static bool is_tolerated(const char *call)
{
    return !strcmp(call, "fallocate") || !strcmp(call, "close") || !strcmp(call, "fstatat") ||
           !strcmp(call, "openat");
}

static size_t fail_each(struct fixture *f, void (*from)(struct fixture *),
                        int (*run)(struct fixture *))
{
    size_t reached = 0;
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++)
        for (int n = 0, hits = 1; hits > 0; n++) {
            struct wrapped_fault fault = {calls[k], n, 1, EIO, NULL, NULL};
            from(f);
            wrapped_set(&fault, 1);
            int code = run(f);
            hits = wrapped_hits();
            wrapped_set(NULL, 0);
            if (code < 0 && (code != -EIO || !strstr(f->e.text, "Input/output error")))
                fail_msg("%s fails: %d, \"%s\"", calls[k], code, f->e.text);
            if (hits > 0 && code == 0 && !is_tolerated(calls[k]))
                fail_msg("call %d of %s fails, and that isn't told", n, calls[k]);
            reached += hits > 0;
            assert_true(n < 100);
            /* Whatever it left: the next start makes it whole. */
            journal_close(journal_must_open(f, NULL));
            must_be(f, JOURNAL_WHOLE);
        }
    return reached;
}

static void test_opening_and_writing(void **state)
{
    assert_true(fail_each(*state, from_nothing, open_and_write) > 5);
    assert_true(fail_each(*state, from_three_records, open_and_write) > 5);
    assert_true(fail_each(*state, from_torn, open_and_write) > 20);
    assert_true(fail_each(*state, from_begun_segment, open_and_write) > 5);
}

static void test_reading(void **state)
{
    assert_true(fail_each(*state, from_torn, read_all) > 5);
    assert_true(fail_each(*state, from_three_records, read_all) > 5);
    assert_true(fail_each(*state, from_torn, verify) > 5);
    walk_close(NULL);
    journal_close(NULL);
}

/* ---- after a failed sync ---- */

static struct journal *lost(struct fixture *f)
{
    static const struct wrapped_fault once = {"fdatasync", 0, 1, EIO, NULL, NULL};
    from_three_records(f);
    struct journal *j = journal_must_open(f, NULL);
    add_text(j, RECORD_RESULT, "outcome", "done");
    wrapped_set(&once, 1);
    assert_int_equal(journal_sync(j, &f->e), -EIO);
    wrapped_set(NULL, 0);
    return j;
}

static void test_clearing_away_fails(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"openat2", "fstat", "ftruncate", "fsync"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct journal *j = lost(f);
        struct wrapped_fault fault = {names[i], 0, 1, EIO, NULL, NULL};
        wrapped_set(&fault, 1);
        assert_int_equal(journal_sync(j, &f->e), -EIO);
        assert_int_equal(wrapped_hits(), 1);
        wrapped_set(NULL, 0);
        must_sync(f, j);
        assert_true(journal_rotated(j));
        journal_close(j);
        must_be(f, JOURNAL_WHOLE);
        types_must_be(f, "genesis signal intent segment result ");
    }
}

/* Made, not durable and not removed again: it must not be in the way for ever. */
static void test_new_segment_is_left(void **state)
{
    static const struct wrapped_fault faults[] = {{"fsync", 1, 1, EIO, NULL, NULL},
                                                  {"unlinkat", 0, 1, EIO, NULL, NULL}};
    struct fixture *f = *state;
    struct journal *j = lost(f);
    wrapped_set(faults, 2);
    assert_int_equal(journal_sync(j, &f->e), -EIO);
    assert_int_equal(wrapped_hits(), 2);
    wrapped_set(NULL, 0);
    must_sync(f, j);
    journal_close(j);
    must_be(f, JOURNAL_WHOLE);
    types_must_be(f, "genesis signal intent segment result ");
}

/* Somebody else's file has the name of the next segment: it stays, and is told of, until it goes.
 */
static void test_next_segment_is_taken(void **state)
{
    struct fixture *f = *state;
    struct journal *j = lost(f);
    file_put(f, SECOND_SEGMENT, "x", 1);
    assert_int_equal(journal_sync(j, &f->e), -EEXIST);
    struct buf there = file_get(f, SECOND_SEGMENT);
    assert_int_equal(there.length, 1);
    buf_fini(&there);
    assert_int_equal(unlink(audit_path(f, SECOND_SEGMENT)), 0);
    must_sync(f, j);
    journal_close(j);
    must_be(f, JOURNAL_WHOLE);
    types_must_be(f, "genesis signal intent segment result ");
}

/* Somebody cut the file while it was given up: what was recorded isn't there any more. */
static void test_durable_records_are_gone(void **state)
{
    struct fixture *f = *state;
    struct journal *j = lost(f);
    assert_int_equal(truncate(audit_path(f, FIRST_SEGMENT), 10), 0);
    assert_int_equal(journal_sync(j, &f->e), -EBADMSG);
    assert_non_null(strstr(f->e.text, "durable records are no longer in it"));
    journal_close(j);
}

/* ---- a reader beside a writer that never ends its line ---- */

static void write_more(void *context)
{
    int fd = open(audit_path(context, FIRST_SEGMENT), O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(close(fd), 0);
}

static void test_last_line_grows_for_ever(void **state)
{
    struct fixture *f = *state;
    from_torn(f);
    struct wrapped_fault fault = {"fstat", 2, -1, 0, write_more, f};
    wrapped_set(&fault, 1);
    struct journal_check c = verified(f);
    assert_true(wrapped_hits() >= 1000 && wrapped_hits() < 1010);
    wrapped_set(NULL, 0);
    assert_int_equal(c.verdict, JOURNAL_TORN_TAIL);
    assert_int_equal(c.records, 3);
}

/* ---- the hasher ---- */

static void test_hasher_fails(void **state)
{
    (void)state;
    int out[2];
    char text[128] = "";
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        static const struct wrapped_fault fault = {"EVP_DigestInit_ex2", 0, 1, EIO, NULL, NULL};
        wrapped_set(&fault, 1);
        if (dup2(out[1], STDERR_FILENO) >= 0)
            (void)chain_new();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 71);
    assert_true(read(out[0], text, sizeof text - 1) > 0);
    assert_string_equal(text, "planeguard: out of memory, ending\n");
    assert_int_equal(close(out[0]) | close(out[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_opening_and_writing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reading, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clearing_away_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_new_segment_is_left, setup, teardown),
        cmocka_unit_test_setup_teardown(test_next_segment_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(test_durable_records_are_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_last_line_grows_for_ever, setup, teardown),
        cmocka_unit_test(test_hasher_fails),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
