/* The simulated kernel: locks, forks, full and read-only disks, clocks, and what others hear. See
 * test_kernel_same.c and test_kernel_cut.c, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "loop/append.h"
#include "loop/clock.h"
#include "loop/file.h"
#include "test_kernel_fake.h"

static struct task one, two;

static struct root *begin(void)
{
    one.files = two.files = files_new();
    files_put(one.files, "/etc/f", "old", 3);
    files_make_folder(one.files, "/stage");
    fake_begin(&one);
    struct root *r;
    assert_int_equal(root_open("/", &r, NULL), 0);
    return r;
}

static void end(struct root *r)
{
    fake.current = &one;
    root_free(r);
    kernel_task_ended(&one);
    kernel_task_ended(&two);
    files_free(one.files);
    fake.current = NULL;
}

/* ---- locks ---- */

static int lock_fd;

static void lock_given(void)
{
    fake.now_usec += 1000;
    fake.current = &one;
    (void)close(lock_fd);
    fake.current = &two;
}

static void a_lock(void **state)
{
    (void)state;
    struct root *r = begin();
    int fd = -1, other;
    assert_int_equal(file_lock(r, "lock", &lock_fd, NULL), 0);
    assert_int_equal(file_lock(r, "lock", &fd, NULL), -EBUSY);
    /* The other task has no descriptor of this root yet: numbers are a task's own. */
    fake.current = &two;
    assert_int_equal(close(lock_fd), -1);
    assert_int_equal(errno, EBADF);
    other = open("/lock", O_RDWR | O_CLOEXEC);
    assert_true(other >= 0);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    fake.blocked = lock_given;
    assert_int_equal(flock(other, LOCK_EX), 0);
    fake.blocked = NULL;
    fake.current = &one;
    assert_int_equal(file_lock(r, "lock", &fd, NULL), -EBUSY);
    kernel_task_ended(&two);
    assert_int_equal(file_lock(r, "lock", &fd, NULL), 0);
    end(r);
}

static void a_lock_in_time(void **state)
{
    (void)state;
    struct root *r = begin();
    int fd = -1;
    assert_int_equal(file_lock(r, "lock", &lock_fd, NULL), 0);
    uint64_t until = clock_boot_usec() + 30000000;
    assert_int_equal(file_lock_wait(r, "lock", until, &fd, NULL), -ETIMEDOUT);
    assert_in_range(clock_boot_usec(), until, until + 100000);
    /* Too late from the beginning: the timer's next ring ends it. */
    assert_int_equal(file_lock_wait(r, "lock", until - 10, &fd, NULL), -ETIMEDOUT);
    assert_int_equal(flock(lock_fd, LOCK_UN), 0);
    assert_int_equal(file_lock_wait(r, "lock", 1, &fd, NULL), 0);
    end(r);
}

/* A child has the lock with its parent: it is given back when both have ended. */
static void a_fork(void **state)
{
    (void)state;
    struct root *r = begin();
    int fd = -1, file = open("/etc/f", O_RDONLY | O_CLOEXEC);
    int private = open("/etc/f", O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_lock(r, "lock", &lock_fd, NULL), 0);
    kernel_share(&two, (const int[]){file, r->fd}, 2);
    fake.current = &two;
    char byte;
    assert_int_equal(read(file, &byte, 1), 1);
    assert_int_equal(byte, 'o');
    assert_int_equal(read(private, &byte, 1), -1);
    fake.current = &one;
    /* One position for both. */
    assert_int_equal(read(file, &byte, 1), 1);
    assert_int_equal(byte, 'l');
    kernel_task_ended(&one);
    fake.current = &two;
    assert_int_equal(file_lock(r, "lock", &fd, NULL), -EBUSY);
    kernel_task_ended(&two);
    fake.current = &one;
    struct root *again;
    assert_int_equal(root_open("/", &again, NULL), 0);
    assert_int_equal(file_lock(again, "lock", &fd, NULL), 0);
    root_free(again);
    end(r);
}

/* ---- disks ---- */

static void a_full_disk(void **state)
{
    (void)state;
    struct root *r = begin();
    static char bytes[3000];
    files_set_room(one.files, 2000);
    int fd = openat(r->fd, "g", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, bytes, 1500), 1500);
    assert_int_equal(write(fd, bytes, 1500), 500);
    assert_int_equal(write(fd, bytes, 1), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(pwrite(fd, bytes, 2000, 0), 2000); /* what it has it keeps */
    assert_int_equal(unlinkat(r->fd, "g", 0), 0);
    struct append *a;
    assert_int_equal(append_create(r, "etc/j", &a, NULL), 0);
    /* Open still: no room came back. */
    assert_int_equal(append_write(a, bytes, 1, NULL), -ENOSPC);
    assert_int_equal(close(fd), 0);
    assert_int_equal(append_reserve(a, 100, 4000, NULL), 0); /* the least */
    assert_int_equal(append_reserve(a, 2001, 4000, NULL), -ENOSPC);
    assert_int_equal(append_write(a, bytes, 2001, NULL), -ENOSPC);
    assert_int_equal(append_length(a), 0);
    assert_int_equal(append_write(a, bytes, 1000, NULL), 0);
    assert_int_equal(append_reserve(a, 1000, 1000, NULL), 0);
    assert_int_equal(file_create(r, "etc/h", "stage", bytes, 1000, NULL, NULL), -ENOSPC);
    append_trim(a);
    assert_int_equal(file_create(r, "etc/h", "stage", bytes, 1000, NULL, NULL), 0);
    append_close(a);
    end(r);
}

static void a_read_only_disk(void **state)
{
    (void)state;
    struct root *r = begin();
    int fd = openat(r->fd, "etc/f", O_RDWR | O_CLOEXEC);
    struct buf text = {0};
    files_set_read_only(one.files, true);
    uint64_t hash = files_hash(one.files, "/");
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(errno, EROFS);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(errno, EROFS);
    assert_int_equal(file_replace(r, "etc/f", "stage", "new", 3, NULL, NULL), -EROFS);
    assert_int_equal(file_move(r, "etc/f", "stage/f", NULL), -EROFS);
    assert_int_equal(file_remove(r, "etc/f", NULL), -EROFS);
    assert_int_equal(folder_make(r, "etc/x", 0700, NULL), -EROFS);
    assert_int_equal(file_read(r, "etc/f", 0, 10, &text, NULL), 0);
    assert_int_equal(text.length, 3);
    assert_int_equal(files_hash(one.files, "/"), hash);
    buf_fini(&text);
    end(r);
}

static void short_writes(void **state)
{
    (void)state;
    struct root *r = begin();
    fake.write_most = 2;
    assert_int_equal(file_replace(r, "etc/f", "stage", "longer", 6, NULL, NULL), 0);
    size_t length;
    assert_memory_equal(files_get_durable(one.files, "/etc/f", &length), "longer", 6);
    assert_int_equal(length, 6);
    end(r);
}

static void failing_calls(void **state)
{
    (void)state;
    struct root *r = begin();
    static const char *const calls[] = {"openat2", "openat", "write",    "fsync",
                                        "pread",   "close",  "renameat2"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        fake.failing = calls[i];
        fake.failing_errno = EIO;
        assert_int_equal(file_create(r, "etc/g", "stage", "new", 3, NULL, NULL), -EIO);
        assert_null(fake.failing);
        assert_false(files_exists(one.files, "/etc/g"));
    }
    assert_int_equal(file_create(r, "etc/g", "stage", "new", 3, NULL, NULL), 0);
    end(r);
}

/* ---- clocks ---- */

static void clocks(void **state)
{
    (void)state;
    struct root *r = begin();
    assert_int_equal(clock_boot_usec(), fake.now_usec + 5000000);
    assert_int_equal(clock_wall_usec(), (int64_t)fake.now_usec + 1700000000000000);
    uint64_t before = fake.now_usec;
    clock_sleep(1234567);
    assert_int_equal(fake.now_usec, before + 1234567);
    char id[BOOT_ID_TEXT], digits[17];
    assert_string_equal(clock_boot_id(id), kernel_boot_id());
    struct buf text = {0};
    assert_int_equal(file_read(r, "proc/sys/kernel/random/boot_id", 0, 100, &text, NULL), 0);
    assert_memory_equal(text.bytes, kernel_boot_id(), 36);
    assert_int_equal(text.length, 37);
    buf_fini(&text);
    assert_int_equal(strlen(clock_random_text(digits, 16)), 16);
    assert_int_equal(geteuid(), 0);
    /* No task: the real ones. */
    fake.current = NULL;
    assert_true(clock_wall_usec() > 1700000000000000 + 1000000000000);
    end(r);
}

/* ---- the world ---- */

static void heard(enum file_change what, unsigned times, const char *folder, const char *name)
{
    assert_int_equal(fake.changes[what], times);
    assert_string_equal(fake.folder, folder);
    assert_string_equal(fake.name, name);
    memset(fake.changes, 0, sizeof fake.changes);
}

static void what_is_heard(void **state)
{
    (void)state;
    struct root *r = begin();
    assert_int_equal(file_create(r, "etc/g", "stage", "new", 3, NULL, NULL), 0);
    heard(CHANGED_CREATED, 2, "/etc", "g"); /* in the stage, in the folder */
    assert_int_equal(file_replace(r, "etc/g", "stage", "newer", 5, NULL, NULL), 0);
    heard(CHANGED_REPLACED, 1, "/etc", "g");
    assert_int_equal(file_move(r, "etc/g", "stage/g", NULL), 0);
    heard(CHANGED_REMOVED, 1, "/stage", "g");
    assert_int_equal(file_remove(r, "stage/g", NULL), 0);
    heard(CHANGED_REMOVED, 1, "/stage", "g");
    assert_string_equal(fake.point_path, "/stage"); /* the last close */
    fake.current = NULL;
    files_put(one.files, "/a/b/c", "bytes", 5);
    heard(CHANGED_CREATED, 3, "/a/b", "c");
    files_put(one.files, "/a/b/c", "other", 5);
    heard(CHANGED_WRITTEN, 1, "/a/b", "c");
    assert_true(files_move(one.files, "/a/b/c", "/d/e"));
    assert_false(files_move(one.files, "/a/b/c", "/d/e"));
    heard(CHANGED_REMOVED, 1, "/d", "e");
    files_remove(one.files, "/d");
    heard(CHANGED_REMOVED, 2, "/", "d");
    end(r);
}

static void name_add(void *context, const char *name)
{
    buf_printf(context, "%s ", name);
}

static void the_world(void **state)
{
    (void)state;
    struct root *r = begin();
    fake.current = NULL;
    files_link(one.files, "/way", "etc");
    size_t length;
    assert_memory_equal(files_get(one.files, "/way/f", &length), "old", 3);
    assert_null(files_get(one.files, "/way", &length));
    assert_null(files_get_durable(one.files, "/none", &length));
    assert_memory_equal(files_get_durable(one.files, "/etc/f", &length), "old", 3);
    struct buf names = {0};
    files_list(one.files, "/", name_add, &names);
    assert_string_equal(buf_string(&names), "etc stage way ");
    buf_fini(&names);
    uint64_t hash = files_hash(one.files, "/");
    files_put(one.files, "/etc/f", "old", 3);
    assert_int_equal(files_hash(one.files, "/"), hash);
    files_put(one.files, "/etc/f", "new", 3);
    assert_int_not_equal(files_hash(one.files, "/"), hash);
    /* What the world does is durable, with what it builds on. */
    struct stream_random random = random_stream(1, "cut", 0);
    fake.current = &one;
    assert_int_equal(mkdirat(r->fd, "made", 0700), 0);
    fake.current = NULL;
    files_put(one.files, "/made/f", "new", 3);
    hash = files_hash(one.files, "/");
    files_power_cut(one.files, &random);
    assert_int_equal(files_hash(one.files, "/"), hash);
    end(r);
}

/* Streams: the same numbers for the same name, others for another; even. */
static void random_numbers(void **state)
{
    (void)state;
    struct stream_random a = random_stream(1, "a", 0), b = random_stream(1, "a", 0);
    struct stream_random others[] = {random_stream(2, "a", 0), random_stream(1, "b", 0),
                                     random_stream(1, "a", 1)};
    unsigned counts[10] = {0}, ones = 0;
    uint64_t waits = 0;
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t drawn = random_next(&a);
        assert_int_equal(drawn, random_next(&b));
        for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
            assert_int_not_equal(drawn, random_next(&others[k]));
        counts[random_below(&a, 10)]++;
        ones += random_one_in(&a, 4);
        waits += random_wait(&a, 1000);
        assert_in_range(random_between(&a, 5, 7), 5, 7);
        b = a;
    }
    for (size_t i = 0; i < 10; i++)
        assert_in_range(counts[i], 850, 1150);
    assert_in_range(ones, 2300, 2700);
    assert_in_range(waits / 10000, 950, 1050);
    assert_int_equal(random_below(&a, 0), 0);
    assert_false(random_one_in(&a, 0));
}

static void same_as_the_real_one(void **state)
{
    (void)state;
    fake_begin(NULL);
    int different = test_kernel_same();
    if (different < 0)
        skip();
    assert_int_equal(different, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_numbers), cmocka_unit_test(a_lock),
        cmocka_unit_test(a_lock_in_time), cmocka_unit_test(a_fork),
        cmocka_unit_test(a_full_disk),    cmocka_unit_test(a_read_only_disk),
        cmocka_unit_test(short_writes),   cmocka_unit_test(failing_calls),
        cmocka_unit_test(clocks),         cmocka_unit_test(what_is_heard),
        cmocka_unit_test(the_world),      cmocka_unit_test(same_as_the_real_one),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + test_kernel_cut();
}
