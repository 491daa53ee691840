/* The journal on a disk that fails: this file takes loop/append.c's place, and its call number n
 * fails, for every n. Whatever fails, what journal_sync said is recorded is, once and in order. */
#include "journal_fixture.h"

#include "loop/append.h"

/* ---- a disk that fails ---- */

enum fault { FAULT_NONE, FAULT_SYNC, FAULT_WRITE, FAULT_CREATE, FAULT_CUT, FAULT_RESERVE };

static struct disk {
    enum fault fault;
    int calls, fail_from, fail_to; /* of the calls of that sort */
    int lost_calls;                /* on a file after its failed sync: must stay 0 */
    const char *host;
} disk;

struct append {
    int fd;
    uint64_t length, durable;
    bool lost;
};

static bool fails(enum fault fault)
{
    if (disk.fault != fault)
        return false;
    int call = disk.calls++;
    return call >= disk.fail_from && call < disk.fail_to;
}

static int file_new(const char *path, int flags, struct append **ret)
{
    char full[256];
    (void)snprintf(full, sizeof full, "%s%s", disk.host, path);
    int fd = open(full, O_RDWR | O_CLOEXEC | flags, 0600);
    if (fd < 0)
        return -errno;
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    *ret = mem_new(struct append);
    **ret = (struct append){fd, (uint64_t)st.st_size, (uint64_t)st.st_size, false};
    return 0;
}

int append_create(const struct root *r, const char *path, struct append **ret, struct err *e)
{
    (void)r;
    if (fails(FAULT_CREATE))
        return err_set(e, -EIO, "create");
    int code = file_new(path, O_CREAT | O_EXCL, ret);
    return code < 0 ? err_errno(e, -code, "%s", path) : 0;
}

int append_open(const struct root *r, const char *path, struct append **ret, struct err *e)
{
    (void)r;
    int code = file_new(path, 0, ret);
    return code < 0 ? err_errno(e, -code, "%s", path) : 0;
}

void append_close(struct append *a)
{
    if (a)
        (void)close(a->fd);
    free(a);
}

uint64_t append_length(const struct append *a)
{
    return a->length;
}

bool append_is_lost(const struct append *a)
{
    return a->lost;
}

int append_reserve(struct append *a, uint64_t least, uint64_t ahead, struct err *e)
{
    disk.lost_calls += a->lost;
    assert_true(least <= ahead);
    return fails(FAULT_RESERVE) ? err_set(e, -ENOSPC, "reserve") : 0;
}

int append_write(struct append *a, const void *bytes, size_t length, struct err *e)
{
    disk.lost_calls += a->lost;
    if (fails(FAULT_WRITE))
        return err_set(e, -ENOSPC, "write");
    assert_int_equal(pwrite(a->fd, bytes, length, (off_t)a->length), length);
    a->length += length;
    return 0;
}

int append_sync(struct append *a, struct err *e)
{
    disk.lost_calls += a->lost;
    if (!fails(FAULT_SYNC)) {
        a->durable = a->length;
        return 0;
    }
    /* The pages are gone: half of what was written reads as zeros. */
    uint64_t half = a->durable + (a->length - a->durable) / 2;
    for (uint64_t at = half; at < a->length; at++)
        assert_int_equal(pwrite(a->fd, "", 1, (off_t)at), 1);
    a->lost = true;
    return err_set(e, -EIO, "sync");
}

int append_again(struct append *a, uint64_t from, struct err *e)
{
    (void)e;
    assert_true(from <= a->length); /* a restart begins with a disk that works */
    return 0;
}

int append_cut(struct append *a, uint64_t length, struct err *e)
{
    if (fails(FAULT_CUT))
        return err_set(e, -EIO, "cut");
    assert_int_equal(ftruncate(a->fd, (off_t)length), 0);
    a->length = a->durable = length;
    return 0;
}

void append_trim(struct append *a)
{
    (void)a;
}

/* ---- what must hold ---- */

static void disk_set(struct fixture *f, enum fault fault, int from, int count)
{
    disk =
        (struct disk){.fault = fault, .fail_from = from, .fail_to = from + count, .host = f->path};
}

struct expected {
    int next;      /* number of the record that must come */
    int dropped;   /* as `degraded` records say */
    int rotations; /* `segment` records */
};

static int expected_take(void *context, const struct record *r)
{
    struct expected *x = context;
    const char *type = json_get_string(r->body, "type", "");
    if (!strcmp(type, "segment"))
        x->rotations++;
    if (!strcmp(type, "degraded"))
        x->dropped += (int)json_get_int(r->body, "dropped", 0);
    if (!strcmp(type, "effect"))
        assert_int_equal(json_get_int(r->body, "n", -1), x->next++);
    return 0;
}

static struct expected read_back(struct fixture *f)
{
    struct expected x = {0};
    if (journal_read(f->root, JOURNAL_FOLDER, expected_take, &x, &f->e) < 0)
        fail_msg("%s", f->e.text);
    return x;
}

static void add_number(struct journal *j, int n)
{
    json_t *fields = json_object();
    json_put(fields, "n", json_integer(n));
    journal_add(j, RECORD_EFFECT, fields);
}

enum { RECORDS = 8 };

/* Adds and syncs RECORDS records two by two, trying again as an engine would. Gives the failures.
 */
static int write_all(struct fixture *f, struct journal *j)
{
    int failures = 0;
    for (int n = 0; n < RECORDS; n += 2) {
        uint64_t seq = journal_seq(j);
        add_number(j, n);
        add_number(j, n + 1);
        for (int tries = 0; journal_sync(j, &f->e) < 0; tries++) {
            failures++;
            assert_true(tries < 10);
            assert_true(journal_is_pending(j));
            assert_int_equal(journal_seq(j), seq);
        }
        assert_true(journal_seq(j) >= seq + 2);
        /* Said to be recorded: it is, now. */
        must_be(f, JOURNAL_WHOLE);
        assert_int_equal(read_back(f).next, n + 2);
    }
    return failures;
}

static void fail_each(struct fixture *f, enum fault fault, int count)
{
    int failures = 1, from = 1;
    for (; failures > 0; from++) {
        folder_empty(f);
        disk_set(f, fault, from, count);
        struct journal *j = journal_must_open(f, NULL);
        failures = write_all(f, j);
        assert_int_equal(disk.lost_calls, 0);
        struct expected x = read_back(f);
        assert_int_equal(x.rotations > 0, fault == FAULT_SYNC && failures > 0);
        journal_close(j);
        disk_set(f, FAULT_NONE, 0, 0);
        journal_close(journal_must_open(f, NULL));
        must_be(f, JOURNAL_WHOLE);
        assert_true(from < 100);
    }
    assert_true(from > 4); /* each of the syncs has failed once */
}

static void test_sync_fails(void **state)
{
    fail_each(*state, FAULT_SYNC, 1);
    fail_each(*state, FAULT_SYNC, 3);
}

static void test_write_fails(void **state)
{
    fail_each(*state, FAULT_WRITE, 1);
    fail_each(*state, FAULT_WRITE, 3);
}

static void test_open_fails(void **state)
{
    struct fixture *f = *state;
    static const enum fault faults[] = {FAULT_SYNC, FAULT_WRITE, FAULT_CREATE};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct journal *j = NULL;
        struct journal_opened opened;
        disk_set(f, faults[i], 0, 1);
        assert_true(journal_open(f->root, "master-1", &j, &opened, &f->e) < 0);
        journal_close(journal_must_open(f, &opened));
        assert_true(opened.is_new);
        must_be(f, JOURNAL_WHOLE);
        folder_empty(f);
    }
}

/* After a failed sync the next call must cut the old file and make a new one: each can fail too. */
static void test_recovery_from_a_failed_sync_fails(void **state)
{
    struct fixture *f = *state;
    static const enum fault faults[] = {FAULT_CUT, FAULT_CREATE, FAULT_WRITE, FAULT_SYNC};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        folder_empty(f);
        disk_set(f, FAULT_NONE, 0, 0);
        struct journal *j = journal_must_open(f, NULL);
        add_number(j, 0);
        must_sync(f, j);
        add_number(j, 1);
        disk_set(f, FAULT_SYNC, 0, 1);
        assert_int_equal(journal_sync(j, &f->e), -EIO);
        disk_set(f, faults[i], 0, 2);
        assert_true(journal_sync(j, &f->e) < 0);
        assert_true(journal_sync(j, &f->e) < 0);
        add_number(j, 2);
        must_sync(f, j);
        assert_true(journal_rotated(j));
        assert_int_equal(read_back(f).next, 3);
        assert_int_equal(read_back(f).rotations, 1);
        must_be(f, JOURNAL_WHOLE);
        journal_close(j);
    }
}

/* The agent dies right after the failed sync: what it leaves is a torn tail, or a whole record. */
static void test_death_after_a_failed_sync(void **state)
{
    struct fixture *f = *state;
    disk_set(f, FAULT_NONE, 0, 0);
    struct journal *j = journal_must_open(f, NULL);
    add_number(j, 0);
    must_sync(f, j);
    add_number(j, 1);
    disk_set(f, FAULT_SYNC, 0, 1);
    assert_int_equal(journal_sync(j, &f->e), -EIO);
    journal_close(j);
    must_be(f, JOURNAL_TORN_TAIL);
    struct journal_opened opened;
    journal_close(journal_must_open(f, &opened));
    assert_true(opened.torn_bytes > 0);
    must_be(f, JOURNAL_WHOLE);
    assert_int_equal(read_back(f).next, 1);
}

/* Only an intent needs room for what follows it. */
static void test_reserve(void **state)
{
    struct fixture *f = *state;
    disk_set(f, FAULT_NONE, 0, 0);
    struct journal *j = journal_must_open(f, NULL);
    disk_set(f, FAULT_RESERVE, 0, 1000);
    add_number(j, 0);
    must_sync(f, j);
    add_text(j, RECORD_INTENT, "step", "restart");
    assert_int_equal(journal_sync(j, &f->e), -ENOSPC);
    must_be(f, JOURNAL_WHOLE);
    disk.fault = FAULT_NONE;
    must_sync(f, j);
    journal_close(j);
    must_be(f, JOURNAL_WHOLE);
}

static void test_rotation_fails(void **state)
{
    struct fixture *f = *state;
    static const enum fault faults[] = {FAULT_CREATE, FAULT_WRITE, FAULT_SYNC};
    char *half = mem_alloc(512 * 1024);
    memset(half, 'x', 512 * 1024 - 1);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        folder_empty(f);
        disk_set(f, FAULT_NONE, 0, 0);
        struct journal *j = journal_must_open(f, NULL);
        for (int k = 0; k < 31; k++) {
            add_text(j, RECORD_RESULT, "text", half);
            must_sync(f, j);
        }
        assert_false(journal_rotated(j));
        /* The next record fills the segment; the write after it is the new segment's. */
        int skipped = faults[i] == FAULT_CREATE ? 0 : 1;
        disk_set(f, faults[i], skipped, 1);
        add_text(j, RECORD_RESULT, "text", half);
        add_text(j, RECORD_RESULT, "text", half);
        must_sync(f, j); /* recorded all the same */
        assert_false(journal_rotated(j));
        disk.fault = FAULT_NONE;
        add_number(j, 0);
        must_sync(f, j);
        assert_true(journal_rotated(j));
        must_be(f, JOURNAL_WHOLE);
        assert_int_equal(read_back(f).rotations, 1);
        journal_close(j);
        journal_close(journal_must_open(f, NULL));
        must_be(f, JOURNAL_WHOLE);
    }
    free(half);
}

static void test_waiting_records_are_bounded(void **state)
{
    struct fixture *f = *state;
    disk_set(f, FAULT_NONE, 0, 0);
    struct journal *j = journal_must_open(f, NULL);
    char *half = mem_alloc(512 * 1024);
    memset(half, 'x', 512 * 1024 - 1);
    disk_set(f, FAULT_WRITE, 0, 1000);
    for (int i = 0; i < 50; i++) {
        add_text(j, RECORD_RESULT, "text", half);
        assert_int_equal(journal_sync(j, &f->e), -ENOSPC);
    }
    free(half);
    disk.fault = FAULT_NONE;
    assert_int_equal(journal_sync(j, &f->e), -ENOBUFS);
    assert_true(journal_is_pending(j));
    must_sync(f, j);
    int dropped = read_back(f).dropped;
    assert_true(dropped >= 50 - 34 && dropped < 50);
    journal_close(j);
    must_be(f, JOURNAL_WHOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sync_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recovery_from_a_failed_sync_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_death_after_a_failed_sync, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reserve, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotation_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_waiting_records_are_bounded, setup, teardown),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
