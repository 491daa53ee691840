/* What a power cut leaves: of single calls in each combination with syncs, and of the agent's own
 * file code cut at each of its points. What must be, is after every cut; what may be, happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/append.h"
#include "loop/file.h"
#include "test_kernel_fake.h"

enum { SEEDS = 200, NEW_LENGTH = 3000, POINTS_MAX = 200 };

static char new_bytes[NEW_LENGTH + 1];

static struct task task;

/* What a task that is cut off had allocated is lost, as with a process. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void leaks_count(bool count)
{
    if (count ? __lsan_enable != NULL : __lsan_disable != NULL)
        (count ? __lsan_enable : __lsan_disable)();
}

static void begin(void)
{
    for (size_t i = 0; i < NEW_LENGTH; i++)
        new_bytes[i] = (char)('a' + i % 26);
    task = (struct task){files_new()};
    files_put(task.files, "/etc/f", "old", 3);
    files_make_folder(task.files, "/stage");
    files_make_folder(task.files, "/away");
    fake_begin(&task);
}

static void end(void)
{
    kernel_task_ended(&task);
    files_free(task.files);
    fake.current = NULL;
}

static void cut(uint64_t seed)
{
    struct stream_random r = random_stream(seed, "cut", 0);
    kernel_task_ended(&task);
    files_power_cut(task.files, &r);
}

/* '-': no such file; '0': empty; 'o': "old"; 'n': all that is new; 'p': the beginning of it;
 * 'z': as long, not the same; 's': shorter and not its beginning. */
static char what_is(const char *path)
{
    size_t length;
    const char *bytes = files_get(task.files, path, &length);
    if (!bytes)
        return '-';
    if (length == 0)
        return '0';
    if (length == 3 && memcmp(bytes, "old", 3) == 0)
        return 'o';
    if (length <= NEW_LENGTH && memcmp(bytes, new_bytes, length) == 0)
        return length == NEW_LENGTH ? 'n' : 'p';
    return length == NEW_LENGTH ? 'z' : 's';
}

/* Notes an outcome in `seen`, a text that each letter is in once, sorted. */
static void note(char seen[16], char outcome)
{
    size_t at = 0;
    while (seen[at] != '\0' && seen[at] < outcome)
        at++;
    if (seen[at] == outcome)
        return;
    memmove(seen + at + 1, seen + at, strlen(seen + at) + 1);
    seen[at] = outcome;
}

/* ---- single calls ---- */

static void make_new(bool syncs_file, bool syncs_folder)
{
    int folder = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = openat(folder, "g", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, new_bytes, NEW_LENGTH), NEW_LENGTH);
    if (syncs_file)
        assert_int_equal(fsync(fd), 0);
    if (syncs_folder)
        assert_int_equal(fsync(folder), 0);
}

static void a_new_file(void **state)
{
    (void)state;
    static const struct {
        bool syncs_file, syncs_folder;
        const char *outcomes;
    } cases[] = {
        {false, false, "-0npsz"}, {true, false, "-n"}, {false, true, "0npsz"}, {true, true, "n"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char seen[16] = "";
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            begin();
            make_new(cases[i].syncs_file, cases[i].syncs_folder);
            cut(seed);
            note(seen, what_is("/etc/g"));
            assert_int_equal(what_is("/etc/f"), 'o');
            end();
        }
        assert_string_equal(seen, cases[i].outcomes);
    }
}

/* Both folders' syncs, of a rename between them. */
static void a_rename(void **state)
{
    (void)state;
    for (unsigned syncs = 0; syncs < 4; syncs++) {
        unsigned moved = 0;
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            begin();
            int from = open("/etc", O_RDONLY | O_CLOEXEC), to = open("/away", O_RDONLY | O_CLOEXEC);
            assert_int_equal(renameat2(from, "f", to, "f", RENAME_NOREPLACE), 0);
            if (syncs & 1)
                assert_int_equal(fsync(from), 0);
            if (syncs & 2)
                assert_int_equal(fsync(to), 0);
            cut(seed);
            bool is_moved = what_is("/away/f") == 'o';
            assert_int_equal(what_is("/etc/f"), is_moved ? '-' : 'o');
            moved += is_moved;
            end();
        }
        if (syncs == 0)
            assert_true(moved > SEEDS / 10 && moved < SEEDS - SEEDS / 10);
        else
            assert_int_equal(moved, SEEDS);
    }
}

/* A chain of renames, of which only the last one's folder is synced: the earlier come with it. */
static void a_chain(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        int a = open("/etc", O_RDONLY | O_CLOEXEC), b = open("/away", O_RDONLY | O_CLOEXEC);
        int c = open("/stage", O_RDONLY | O_CLOEXEC);
        assert_int_equal(renameat2(a, "f", b, "f", 0), 0);
        assert_int_equal(renameat2(b, "f", c, "g", 0), 0);
        if (seed % 2)
            assert_int_equal(fsync(c), 0);
        cut(seed);
        int places =
            (what_is("/etc/f") == 'o') + (what_is("/away/f") == 'o') + (what_is("/stage/g") == 'o');
        assert_int_equal(places, 1);
        if (seed % 2)
            assert_int_equal(what_is("/stage/g"), 'o');
        end();
    }
}

/* What was moved out of a folder isn't lost with the folder, whichever of both is synced. */
static void a_removed_folder(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        int top = open("/", O_RDONLY | O_CLOEXEC);
        assert_int_equal(renameat2(top, "etc/f", top, "away/f", 0), 0);
        assert_int_equal(unlinkat(top, "etc", AT_REMOVEDIR), 0);
        if (seed % 2)
            assert_int_equal(fsync(top), 0);
        cut(seed);
        bool is_moved = what_is("/away/f") == 'o';
        assert_int_equal(what_is("/etc/f"), is_moved ? '-' : 'o');
        assert_true(is_moved || seed % 2 == 0);
        end();
    }
}

static void a_mode(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        unsigned changed = 0;
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            begin();
            int fd = open("/etc/f", O_RDWR | O_CLOEXEC);
            assert_int_equal(fchmod(fd, 0640), 0);
            assert_int_equal(how == 0 ? 0 : how == 1 ? fdatasync(fd) : fsync(fd), 0);
            cut(seed);
            struct stat st;
            assert_int_equal(stat("/etc/f", &st), 0);
            assert_true((st.st_mode & 07777) == 0640 || (st.st_mode & 07777) == 0600);
            changed += (st.st_mode & 07777) == 0640;
            end();
        }
        assert_true(how == 2 ? changed == SEEDS : changed > 0 && changed < SEEDS);
    }
}

/* What a failed sync was to write may be gone though it is read, and a second sync says nothing. */
static void a_failed_sync(void **state)
{
    (void)state;
    char seen[16] = "";
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        int fd = open("/etc/f", O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, new_bytes, NEW_LENGTH, 0), NEW_LENGTH);
        fake.failing = "fdatasync";
        fake.failing_errno = EIO;
        assert_int_equal(fdatasync(fd), -1);
        assert_int_equal(errno, EIO);
        assert_int_equal(what_is("/etc/f"), 'n');
        assert_int_equal(fdatasync(fd), 0);
        size_t sure;
        assert_non_null(files_get_durable(task.files, "/etc/f", &sure));
        assert_int_equal(sure, 0);
        cut(seed);
        note(seen, what_is("/etc/f"));
        end();
    }
    assert_string_equal(seen, "nz");
}

/* ---- the agent's own code, cut at each of its points ---- */

/* Runs `work` until the n-th point; false: it came to its end before. */
static bool cut_at(unsigned n, void (*work)(struct root *r), uint64_t seed)
{
    begin();
    volatile bool is_cut = true;
    leaks_count(false);
    if (setjmp(fake.end) == 0) {
        struct root *r;
        fake.points_left = n;
        assert_int_equal(root_open("/", &r, NULL), 0);
        work(r);
        fake.points_left = 0;
        root_free(r);
        is_cut = false;
    }
    leaks_count(true);
    fake.points_left = 0;
    cut(seed);
    return is_cut;
}

static void work_replace(struct root *r)
{
    static const struct file_owner like = {.mode = 0640, .uid = 1, .gid = 2};
    assert_int_equal(file_replace(r, "etc/f", "stage", new_bytes, NEW_LENGTH, &like, NULL), 0);
}

static void leftover_look(void *context, const char *name)
{
    (void)context;
    assert_int_equal(strncmp(name, FILE_TEMPORARY, strlen(FILE_TEMPORARY)), 0);
}

static void a_replacement(void **state)
{
    (void)state;
    char seen[16] = "";
    bool is_cut = true;
    unsigned n;
    for (n = 1; is_cut && n < POINTS_MAX; n++)
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            is_cut = cut_at(n, work_replace, seed);
            char is = what_is("/etc/f");
            assert_true(is == 'n' || (is_cut && is == 'o'));
            note(seen, is);
            files_list(task.files, "/stage", leftover_look, NULL);
            struct stat st;
            assert_int_equal(stat("/etc/f", &st), 0);
            assert_int_equal(st.st_mode & 07777, is == 'n' ? 0640 : 0600);
            assert_int_equal(st.st_uid, is == 'n' ? 1 : 0);
            end();
        }
    assert_true(n > 6 && n < POINTS_MAX);
    assert_string_equal(seen, "no");
}

static void work_move(struct root *r)
{
    assert_int_equal(file_move(r, "etc/f", "away/f", NULL), 0);
}

static void a_move(void **state)
{
    (void)state;
    bool is_cut = true;
    unsigned n, moved = 0, all = 0;
    for (n = 1; is_cut && n < POINTS_MAX; n++)
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            is_cut = cut_at(n, work_move, seed);
            bool is_moved = what_is("/away/f") == 'o';
            assert_int_equal(what_is("/etc/f"), is_moved ? '-' : 'o');
            assert_true(is_moved || is_cut);
            moved += is_moved;
            all++;
            end();
        }
    assert_true(n > 3 && moved > 0 && moved < all);
}

enum { PIECE = 700, PIECES = 4 };

static size_t appended;

static void work_append(struct root *r)
{
    struct append *a;
    appended = 0;
    assert_int_equal(append_create(r, "away/j", &a, NULL), 0);
    for (size_t i = 0; i < PIECES; i++) {
        assert_int_equal(append_reserve(a, PIECE, 4 * PIECE, NULL), 0);
        assert_int_equal(append_write(a, new_bytes + i * PIECE, 200, NULL), 0);
        assert_int_equal(append_write(a, new_bytes + i * PIECE + 200, PIECE - 200, NULL), 0);
        assert_int_equal(append_sync(a, NULL), 0);
        appended += PIECE;
        size_t sure;
        const char *bytes = files_get_durable(task.files, "/away/j", &sure);
        assert_true(bytes && sure == appended);
    }
    append_close(a);
}

static void an_appended_file(void **state)
{
    (void)state;
    bool is_cut = true;
    unsigned n;
    /* Ended where it was synced, with all that was written, torn, with other bytes than written. */
    char seen[16] = "";
    for (n = 1; is_cut && n < POINTS_MAX; n++)
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            appended = 0;
            is_cut = cut_at(n, work_append, seed);
            size_t length = 0;
            const char *bytes = files_get(task.files, "/away/j", &length);
            assert_true(bytes || appended == 0);
            assert_true(length >= appended && length <= appended + PIECE);
            if (bytes) {
                assert_memory_equal(bytes, new_bytes, appended);
                bool is_same = memcmp(bytes, new_bytes, length) == 0;
                size_t more = length - appended;
                note(seen, !is_same ? 'z' : more == 0 ? '0' : more == PIECE ? 'n' : 'p');
            }
            end();
        }
    assert_true(n > 3 * PIECES && n < POINTS_MAX);
    assert_string_equal(seen, "0npz");
}

static void work_folder(struct root *r)
{
    assert_int_equal(folder_make(r, "away/x/y", 0750, NULL), 0);
    assert_int_equal(file_move(r, "etc/f", "away/x/y/f", NULL), 0);
    assert_int_equal(file_move(r, "away/x/y/f", "etc/f", NULL), 0);
    assert_int_equal(folder_remove(r, "away/x", NULL), 0);
}

/* Folders made, filled, emptied and removed never take the file with them. */
static void a_folder(void **state)
{
    (void)state;
    bool is_cut = true;
    for (unsigned n = 1; is_cut && n < POINTS_MAX; n++)
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            is_cut = cut_at(n, work_folder, seed);
            bool is_away = what_is("/away/x/y/f") == 'o';
            assert_int_equal(what_is("/etc/f"), is_away ? '-' : 'o');
            assert_true(is_cut || !files_exists(task.files, "/away/x"));
            end();
        }
    assert_false(is_cut);
}

/* A copy goes another way than what it was copied from. */
static void a_copy(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        make_new(seed % 2, false);
        int fd = open("/etc/f", O_WRONLY | O_CLOEXEC);
        assert_int_equal(write(fd, "OLD", 3), 3);
        int folder = open("/etc", O_RDONLY);
        assert_int_equal(unlinkat(folder, "f", 0), 0);
        uint64_t hash = files_hash(task.files, "/");
        struct files *copy = files_copy(task.files);
        assert_int_equal(files_hash(copy, "/"), hash);
        struct stream_random r = random_stream(seed, "copy", 0);
        files_power_cut(copy, &r);
        assert_int_equal(files_hash(task.files, "/"), hash);
        hash = files_hash(copy, "/");
        assert_int_equal(write(fd, new_bytes, NEW_LENGTH), NEW_LENGTH);
        cut(seed);
        assert_int_equal(files_hash(copy, "/"), hash);
        fake.current = NULL;
        files_remove(copy, "/etc");
        assert_true(files_exists(task.files, "/etc"));
        files_free(copy);
        end();
    }
}

int test_kernel_cut(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file),       cmocka_unit_test(a_rename),
        cmocka_unit_test(a_chain),          cmocka_unit_test(a_removed_folder),
        cmocka_unit_test(a_mode),           cmocka_unit_test(a_failed_sync),
        cmocka_unit_test(a_replacement),    cmocka_unit_test(a_move),
        cmocka_unit_test(an_appended_file), cmocka_unit_test(a_folder),
        cmocka_unit_test(a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
