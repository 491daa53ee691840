#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/duration.h"
#include "loop/clock.h"
#include "loop/watch.h"

static const uint64_t quiet_usec = 60 * USEC_PER_MSEC;

struct bench {
    char folder[64];
    struct loop *loop;
    struct root *root;
    struct watch *watch, *other;
    int calls, other_calls;
    char name[NAME_MAX + 1]; /* the last call's; "(none)" */
};

static const char *at(struct bench *b, const char *path)
{
    static char full[4][PATH_MAX];
    static size_t next;
    char *text = full[next++ % 4];
    (void)snprintf(text, PATH_MAX, "%s%s", b->folder, path);
    return text;
}

static void put(struct bench *b, const char *path, const char *text)
{
    FILE *f = fopen(at(b, path), "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct err e;
    if (!b)
        return -1;
    strcpy(b->folder, "/tmp/planeguard-watch-XXXXXX");
    if (!mkdtemp(b->folder) || loop_new(&b->loop, &e) < 0 || root_open(b->folder, &b->root, &e) < 0)
        return -1;
    *state = b;
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st;
    (void)type;
    (void)f;
    return remove(path);
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    watch_free(b->watch);
    watch_free(b->other);
    root_free(b->root);
    loop_free(b->loop);
    (void)nftw(b->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}

static void on_change(void *context, const char *name)
{
    struct bench *b = context;
    b->calls++;
    (void)snprintf(b->name, sizeof b->name, "%s", name ? name : "(none)");
}

static void on_other(void *context, const char *name)
{
    (void)name;
    struct bench *b = context;
    b->other_calls++;
}

static void begin(struct bench *b, const char *path)
{
    struct err e;
    if (watch_new(b->loop, b->root, path, on_change, b, &b->watch, &e) < 0)
        fail_msg("%s", e.text);
}

/* Lets the loop turn until nothing comes any more; how often `changed` was called. */
static int calls(struct bench *b)
{
    b->calls = 0;
    while (sd_event_run(loop_sd_event(b->loop), quiet_usec) > 0)
        ;
    return b->calls;
}

static void folder_changes_are_told_by_name(void **state)
{
    struct bench *b = *state;
    assert_int_equal(mkdir(at(b, "/manifests"), 0755), 0);
    put(b, "/manifests/etcd.yaml", "a");
    begin(b, "/manifests");
    assert_int_equal(calls(b), 0);
    put(b, "/manifests/etcd.yaml", "b");
    assert_int_equal(calls(b), 1);
    assert_string_equal(b->name, "etcd.yaml");
    put(b, "/manifests/new.yaml", "c");
    assert_true(calls(b) >= 1);
    assert_string_equal(b->name, "new.yaml");
    assert_int_equal(chmod(at(b, "/manifests/new.yaml"), 0600), 0);
    assert_int_equal(calls(b), 1);
    assert_string_equal(b->name, "new.yaml");
    assert_int_equal(rename(at(b, "/manifests/new.yaml"), at(b, "/out.yaml")), 0);
    assert_int_equal(calls(b), 1);
    assert_int_equal(rename(at(b, "/out.yaml"), at(b, "/manifests/in.yaml")), 0);
    assert_int_equal(calls(b), 1);
    assert_string_equal(b->name, "in.yaml");
    assert_int_equal(unlink(at(b, "/manifests/in.yaml")), 0);
    assert_int_equal(calls(b), 1);
    /* Not deeper, and reading is no change. */
    assert_int_equal(mkdir(at(b, "/manifests/deep"), 0755), 0);
    (void)calls(b);
    put(b, "/manifests/deep/file", "x");
    put(b, "/beside", "x");
    FILE *f = fopen(at(b, "/manifests/etcd.yaml"), "re");
    assert_non_null(f);
    (void)fclose(f);
    assert_int_equal(calls(b), 0);
}

static void file_changes_are_told(void **state)
{
    struct bench *b = *state;
    assert_int_equal(mkdir(at(b, "/pki"), 0755), 0);
    put(b, "/pki/ca.crt", "a");
    begin(b, "/pki/ca.crt");
    put(b, "/pki/other.crt", "x");
    assert_int_equal(calls(b), 0);
    put(b, "/pki/ca.crt", "b");
    assert_int_equal(calls(b), 1);
    assert_string_equal(b->name, "ca.crt");
    /* Replaced by a rename, as careful programs do: and again after it. */
    for (int i = 0; i < 3; i++) {
        put(b, "/pki/.tmp", "c");
        assert_int_equal(calls(b), 0);
        assert_int_equal(rename(at(b, "/pki/.tmp"), at(b, "/pki/ca.crt")), 0);
        assert_int_equal(calls(b), 1);
    }
    assert_int_equal(unlink(at(b, "/pki/ca.crt")), 0);
    assert_int_equal(calls(b), 1);
    put(b, "/pki/ca.crt", "d");
    assert_true(calls(b) >= 1);
    /* A file turned folder. */
    assert_int_equal(unlink(at(b, "/pki/ca.crt")), 0);
    assert_int_equal(mkdir(at(b, "/pki/ca.crt"), 0755), 0);
    assert_true(calls(b) >= 1);
    put(b, "/pki/ca.crt/within", "x");
    assert_true(calls(b) >= 1);
}

static void link_that_flips_is_told(void **state)
{
    struct bench *b = *state;
    assert_int_equal(mkdir(at(b, "/pki"), 0755), 0);
    put(b, "/pki/1.pem", "1");
    put(b, "/pki/2.pem", "2");
    assert_int_equal(symlink("1.pem", at(b, "/pki/current.pem")), 0);
    begin(b, "/pki/current.pem");
    assert_int_equal(symlink("2.pem", at(b, "/pki/.new")), 0);
    assert_int_equal(rename(at(b, "/pki/.new"), at(b, "/pki/current.pem")), 0);
    assert_int_equal(calls(b), 1);
}

static void absent_path_is_awaited(void **state)
{
    struct bench *b = *state;
    begin(b, "/etc/kubernetes/manifests");
    put(b, "/unrelated", "x");
    assert_int_equal(calls(b), 0);
    assert_int_equal(mkdir(at(b, "/etc"), 0755), 0);
    assert_true(calls(b) >= 1);
    assert_int_equal(mkdir(at(b, "/etc/kubernetes"), 0755), 0);
    assert_true(calls(b) >= 1);
    /* Folder and file at once, before we can have watched: still told. */
    assert_int_equal(mkdir(at(b, "/etc/kubernetes/manifests"), 0755), 0);
    put(b, "/etc/kubernetes/manifests/etcd.yaml", "x");
    assert_true(calls(b) >= 1);
    put(b, "/etc/kubernetes/manifests/etcd.yaml", "y");
    assert_int_equal(calls(b), 1);
    assert_string_equal(b->name, "etcd.yaml");
}

static void folder_put_in_place_of_another_is_followed(void **state)
{
    struct bench *b = *state;
    assert_int_equal(mkdir(at(b, "/etc"), 0755), 0);
    assert_int_equal(mkdir(at(b, "/etc/manifests"), 0755), 0);
    begin(b, "/etc/manifests");
    for (int i = 0; i < 5; i++) {
        /* The parent goes away as a whole, another comes. */
        char gone[32];
        (void)snprintf(gone, sizeof gone, "/gone%d", i);
        assert_int_equal(rename(at(b, "/etc"), at(b, gone)), 0);
        assert_true(calls(b) >= 1);
        assert_int_equal(mkdir(at(b, "/etc"), 0755), 0);
        assert_int_equal(mkdir(at(b, "/etc/manifests"), 0755), 0);
        assert_true(calls(b) >= 1);
        (void)strcat(gone, "/manifests/old");
        put(b, gone, "x"); /* the old one is nobody's business any more */
        assert_int_equal(calls(b), 0);
        put(b, "/etc/manifests/new", "x");
        assert_true(calls(b) >= 1);
        assert_string_equal(b->name, "new");
    }
    /* Removed and made anew, with events and without in between. */
    for (int i = 0; i < 5; i++) {
        (void)unlink(at(b, "/etc/manifests/new"));
        assert_int_equal(rmdir(at(b, "/etc/manifests")), 0);
        if (i % 2)
            assert_true(calls(b) >= 1);
        assert_int_equal(mkdir(at(b, "/etc/manifests"), 0755), 0);
        assert_true(calls(b) >= 1);
        put(b, "/etc/manifests/new", "x");
        assert_true(calls(b) >= 1);
    }
}

static void many_changes_are_joined(void **state)
{
    struct bench *b = *state;
    assert_int_equal(mkdir(at(b, "/m"), 0755), 0);
    begin(b, "/m");
    for (int i = 0; i < 20000; i++) { /* more than the kernel queues */
        char path[32];
        (void)snprintf(path, sizeof path, "/m/%d", i % 2);
        put(b, path, "x");
    }
    int n = calls(b);
    assert_true(n >= 1 && n < 10);
    assert_string_equal(b->name, "(none)");
    put(b, "/m/last", "x");
    assert_true(calls(b) >= 1);
    assert_string_equal(b->name, "last");
}

static void free_both(void *context, const char *name)
{
    (void)name;
    struct bench *b = context;
    b->calls++;
    watch_free(TAKE(b->watch));
    watch_free(TAKE(b->other));
}

static void callback_frees_itself_and_others(void **state)
{
    struct bench *b = *state;
    struct err e;
    for (int i = 0; i < 3; i++) { /* the instance ends and begins again */
        assert_int_equal(watch_new(b->loop, b->root, "/f", free_both, b, &b->watch, &e), 0);
        assert_int_equal(watch_new(b->loop, b->root, "/f", free_both, b, &b->other, &e), 0);
        put(b, "/f", "x");
        assert_int_equal(calls(b), 1);
        assert_null(b->watch);
    }
}

static void watches_share_folders(void **state)
{
    struct bench *b = *state;
    struct err e;
    assert_int_equal(mkdir(at(b, "/d"), 0755), 0);
    /* First only on the way to something, then for itself: the wider interest counts. */
    begin(b, "/d/e/f");
    assert_int_equal(watch_new(b->loop, b->root, "/d", on_other, b, &b->other, &e), 0);
    put(b, "/d/x", "x");
    (void)calls(b);
    b->other_calls = 0;
    assert_int_equal(chmod(at(b, "/d/x"), 0600), 0);
    assert_int_equal(calls(b), 0);
    assert_int_equal(b->other_calls, 1);
    watch_free(TAKE(b->watch));
    put(b, "/d/x", "y");
    b->other_calls = 0;
    (void)calls(b);
    assert_int_equal(b->other_calls, 1);
}

static void freeing_right_after_removal_is_silent(void **state)
{
    struct bench *b = *state;
    int saved = dup(STDERR_FILENO);
    assert_int_equal(mkdir(at(b, "/d"), 0755), 0);
    int log = open(at(b, "/log"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_true(dup2(log, STDERR_FILENO) >= 0);
    begin(b, "/d");
    assert_int_equal(rmdir(at(b, "/d")), 0);
    watch_free(TAKE(b->watch));
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    struct stat st;
    assert_int_equal(fstat(log, &st), 0);
    assert_int_equal(st.st_size, 0);
    (void)close(log);
    (void)close(saved);
}

static void odd_paths_are_refused(void **state)
{
    struct bench *b = *state;
    static const char deep[] = "/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3";
    static const char *const paths[] = {"relative", "", "/a/../b", deep};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct err e = {0};
        assert_int_equal(watch_new(b->loop, b->root, paths[i], on_change, b, &b->watch, &e),
                         -EINVAL);
        assert_non_null(strstr(e.text, "absolute path"));
    }
}

static int count_inotify(bool *ret_closed_on_exec)
{
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        char target[64];
        ssize_t length = readlinkat(dirfd(d), entry->d_name, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        if (strcmp(target, "anon_inode:inotify") != 0)
            continue;
        count++;
        *ret_closed_on_exec = fcntl(atoi(entry->d_name), F_GETFD) & FD_CLOEXEC;
    }
    (void)closedir(d);
    return count;
}

static void one_descriptor_closed_on_exec(void **state)
{
    struct bench *b = *state;
    struct err e;
    bool closed = false;
    assert_int_equal(count_inotify(&closed), 0);
    begin(b, "/a");
    assert_int_equal(watch_new(b->loop, b->root, "/b", on_other, b, &b->other, &e), 0);
    assert_int_equal(count_inotify(&closed), 1);
    assert_true(closed);
    watch_free(TAKE(b->watch));
    watch_free(TAKE(b->other));
    assert_int_equal(count_inotify(&closed), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(folder_changes_are_told_by_name),
        CASE(file_changes_are_told),
        CASE(link_that_flips_is_told),
        CASE(absent_path_is_awaited),
        CASE(folder_put_in_place_of_another_is_followed),
        CASE(many_changes_are_joined),
        CASE(callback_frees_itself_and_others),
        CASE(watches_share_folders),
        CASE(freeing_right_after_removal_is_silent),
        CASE(odd_paths_are_refused),
        CASE(one_descriptor_closed_on_exec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
