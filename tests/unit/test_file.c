/* loop/file.h: what its essay promises, also against a swapper and against kill -9. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "loop/file.h"
#include "loop/path.h"

struct fixture {
    char path[64];
    struct root *root;
    struct err e;
};

static char *host(const struct fixture *f, const char *path)
{
    static char text[4][512];
    static unsigned next;
    char *t = text[next++ % 4];
    (void)snprintf(t, sizeof text[0], "%s%s", f->path, path);
    return t;
}

static void put(const struct fixture *f, const char *path, const char *text)
{
    int fd = open(host(f, path), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int setup(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    strcpy(f->path, "/tmp/planeguard-file-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    assert_int_equal(root_open(f->path, &f->root, &f->e), 0);
    assert_int_equal(mkdir(host(f, "/stage"), 0700), 0);
    assert_int_equal(mkdir(host(f, "/etc"), 0755), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    root_free(f->root);
    (void)snprintf(command, sizeof command, "rm -rf %s", f->path);
    int code = system(command);
    free(f);
    return code;
}

static void check_text(struct fixture *f, const char *path, const char *wanted)
{
    OWNED(buf_fini) struct buf b = {0};
    assert_int_equal(file_read(f->root, path, 0, 1 << 20, &b, &f->e), 0);
    assert_string_equal(buf_string(&b), wanted);
}

static bool is_there(struct fixture *f, const char *path)
{
    struct file_status st;
    assert_int_equal(file_status(f->root, path, 0, &st, &f->e), 0);
    return st.exists;
}

static void check_stage_empty(struct fixture *f)
{
    OWNED(names_fini) struct names n = {0};
    assert_int_equal(folder_list(f->root, "/stage", &n, &f->e), 0);
    assert_int_equal(n.count, 0);
}

static void test_root(void **state)
{
    struct fixture *f = *state;
    struct root *r = NULL;
    assert_false(f->root->is_host);
    assert_int_equal(root_open("/", &r, &f->e), 0);
    assert_true(r->is_host);
    root_free(r);
    assert_int_equal(root_open("relative", &r, &f->e), -EINVAL);
    assert_int_equal(root_open("/no/such/folder", &r, &f->e), -ENOENT);
    assert_non_null(strstr(f->e.text, "/no/such/folder"));
}

static void test_read(void **state)
{
    struct fixture *f = *state;
    OWNED(buf_fini) struct buf b = {0};
    put(f, "/etc/a", "0123456789");
    assert_int_equal(file_read(f->root, "/etc/a", 0, 10, &b, &f->e), 0);
    assert_string_equal(buf_string(&b), "0123456789");
    buf_fini(&b);
    assert_int_equal(file_read(f->root, "/etc/a", 0, 9, &b, &f->e), -EFBIG);
    assert_null(b.bytes); /* untouched */
    assert_int_equal(file_tail(f->root, "/etc/a", 0, 4, &b, &f->e), 0);
    assert_string_equal(buf_string(&b), "6789");
    buf_fini(&b);
    assert_int_equal(file_tail(f->root, "/etc/a", 0, 400, &b, &f->e), 0);
    assert_string_equal(buf_string(&b), "0123456789");
    assert_int_equal(file_read(f->root, "/etc/none", 0, 9, &b, &f->e), -ENOENT);
    assert_non_null(strstr(f->e.text, "/etc/none"));
    assert_int_equal(file_read(f->root, "/etc", 0, 9, &b, &f->e), -EISDIR);
    assert_int_equal(mkfifo(host(f, "/etc/fifo"), 0600), 0);
    assert_int_equal(file_read(f->root, "/etc/fifo", 0, 9, &b, &f->e), -EINVAL);

    struct digest found, wanted = digest_of("0123456789", 10);
    assert_int_equal(file_digest(f->root, "/etc/a", 0, &found, &f->e), 0);
    assert_true(digest_equal(&found, &wanted));

    int fd = file_open(f->root, "/etc/a", 0, &f->e);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(write(fd, "x", 1), -1);
    close(fd);
}

static void test_status(void **state)
{
    struct fixture *f = *state;
    struct file_status st;
    put(f, "/etc/a", "abc");
    assert_int_equal(chmod(host(f, "/etc/a"), 0640), 0);
    assert_int_equal(symlink("a", host(f, "/etc/link")), 0);
    assert_int_equal(file_status(f->root, "/etc/a", 0, &st, &f->e), 0);
    assert_true(st.exists && st.is_regular && !st.is_folder && !st.is_link);
    assert_int_equal(st.size_bytes, 3);
    assert_int_equal(st.mode, 0640);
    assert_true(st.changed_usec > 1000000);
    assert_int_equal(file_status(f->root, "/etc/link", 0, &st, &f->e), 0);
    assert_true(st.exists && st.is_link);
    assert_int_equal(file_status(f->root, "/etc/link", FILE_FOLLOW, &st, &f->e), 0);
    assert_true(st.is_regular);
    assert_int_equal(file_status(f->root, "/etc", 0, &st, &f->e), 0);
    assert_true(st.is_folder);
    assert_int_equal(file_status(f->root, "/no/such", 0, &st, &f->e), 0);
    assert_false(st.exists);
    assert_int_equal(file_status(f->root, "/etc/a/below", 0, &st, &f->e), 0);
    assert_false(st.exists);
}

/* Ways out of the root, by openat2 and by the walk: what they open is in the root or nothing. */
static void test_jail(void **state)
{
    struct fixture *f = *state;
    put(f, "/etc/inside", "inside");
    assert_int_equal(symlink("/etc/inside", host(f, "/absolute")), 0);
    assert_int_equal(symlink("../../../../../../etc/passwd", host(f, "/etc/up")), 0);
    assert_int_equal(symlink("/etc/passwd", host(f, "/etc/out")), 0);
    assert_int_equal(symlink("..", host(f, "/etc/parent")), 0);
    assert_int_equal(symlink("loop", host(f, "/loop")), 0);
    assert_int_equal(symlink("/etc", host(f, "/folder")), 0);
    static const struct {
        const char *path;
        int flags, wanted; /* 0: opens "inside" */
    } cases[] = {
        {"/etc/inside", 0, 0},
        {"/../../../etc/inside", 0, 0},
        {"/etc/./../etc//inside", 0, 0},
        {"etc/inside", 0, 0},
        {"/absolute", FILE_FOLLOW, 0},
        {"/folder/inside", FILE_FOLLOW, 0},
        {"/etc/parent/etc/inside", FILE_FOLLOW, 0},
        {"/absolute", 0, -ELOOP},
        {"/folder/inside", 0, -ELOOP},
        {"/etc/up", 0, -ELOOP},
        {"/etc/up", FILE_FOLLOW, -ENOENT},
        {"/etc/out", FILE_FOLLOW, -ENOENT},
        {"/../../../../etc/passwd", 0, -ENOENT},
        {"/loop", FILE_FOLLOW, -ELOOP},
        {"/etc/inside/below", 0, -ENOTDIR},
        {"/etc/inside/", 0, -ENOTDIR},
        {"/etc/inside/.", 0, -ENOTDIR},
        {"/absolute/", FILE_FOLLOW, -ENOTDIR},
        {"", 0, -ENOENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int walk = 0; walk < 2; walk++) {
            int fd =
                (walk ? path_walk : path_open)(f->root, cases[i].path, cases[i].flags, O_RDONLY);
            char text[16] = "";
            if (fd >= 0) {
                assert_int_equal(cases[i].wanted, 0);
                assert_int_equal(read(fd, text, sizeof text), 6);
                assert_memory_equal(text, "inside", 6);
                close(fd);
            } else {
                assert_int_equal(fd, cases[i].wanted);
            }
        }
}

static void test_symlinks_refused_for_changes(void **state)
{
    struct fixture *f = *state;
    put(f, "/etc/victim", "victim");
    assert_int_equal(symlink("victim", host(f, "/etc/link")), 0);
    assert_int_equal(symlink("etc", host(f, "/elsewhere")), 0);
    assert_int_equal(symlink("stage", host(f, "/stage2")), 0);
    struct root *r = f->root;
    struct err *e = &f->e;
    assert_int_equal(file_replace(r, "/etc/link", "/stage", "x", 1, NULL, e), -ELOOP);
    assert_int_equal(file_replace(r, "/elsewhere/victim", "/stage", "x", 1, NULL, e), -ELOOP);
    assert_int_equal(file_replace(r, "/etc/victim", "/stage2", "x", 1, NULL, e), -ELOOP);
    assert_int_equal(file_move(r, "/etc/link", "/etc/moved", e), -ELOOP);
    assert_int_equal(file_move(r, "/elsewhere/victim", "/etc/moved", e), -ELOOP);
    assert_int_equal(folder_make(r, "/elsewhere/new", 0700, e), -ENOTDIR);
    int fd;
    assert_int_equal(file_lock(r, "/etc/link", &fd, e), -ELOOP);
    check_text(f, "/etc/victim", "victim");
    check_stage_empty(f);
    /* Removing a link removes the link. */
    assert_int_equal(file_remove(r, "/etc/link", e), 0);
    check_text(f, "/etc/victim", "victim");
    static const char *const nameless[] = {"/etc/", "/etc/..", "/", "", "/etc/."};
    for (size_t i = 0; i < sizeof nameless / sizeof *nameless; i++)
        assert_int_equal(file_replace(r, nameless[i], "/stage", "x", 1, NULL, e), -EINVAL);
}

static void test_replace(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    put(f, "/etc/a", "old");
    struct file_owner like = {.mode = 0640, .uid = geteuid() == 0 ? 12 : getuid(), .gid = getgid()};
    assert_int_equal(file_replace(f->root, "/etc/a", "/stage", "new", 3, &like, &f->e), 0);
    check_text(f, "/etc/a", "new");
    assert_int_equal(stat(host(f, "/etc/a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(st.st_uid, like.uid);
    assert_int_equal(file_replace(f->root, "/etc/b", "/stage", "", 0, NULL, &f->e), 0);
    assert_int_equal(stat(host(f, "/etc/b"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    check_text(f, "/etc/b", "");
    assert_int_equal(file_create(f->root, "/etc/a", "/stage", "x", 1, NULL, &f->e), -EEXIST);
    check_text(f, "/etc/a", "new");
    assert_int_equal(file_create(f->root, "/etc/c", "/stage", "c", 1, NULL, &f->e), 0);
    check_text(f, "/etc/c", "c");
    assert_int_equal(file_replace(f->root, "/etc", "/stage", "x", 1, NULL, &f->e), -ELOOP);
    assert_int_equal(file_replace(f->root, "/no/a", "/stage", "x", 1, NULL, &f->e), -ENOENT);
    assert_int_equal(file_replace(f->root, "/etc/a", "/none", "x", 1, NULL, &f->e), -ENOENT);
    check_stage_empty(f);
}

/* Somebody saves his own while ours is being written: his stays. */
static void test_replace_same(void **state)
{
    struct fixture *f = *state;
    struct digest old = digest_of("old", 3), newer = digest_of("newer", 5);
    put(f, "/etc/same", "newer");
    assert_int_equal(
        file_replace_same(f->root, "/etc/same", "/stage", "mine", 4, NULL, &old, &f->e), -ESTALE);
    assert_non_null(strstr(f->e.text, "/etc/same: not replaced: somebody changed it meanwhile"));
    check_text(f, "/etc/same", "newer");
    assert_int_equal(
        file_replace_same(f->root, "/etc/same", "/stage", "mine", 4, NULL, &newer, &f->e), 0);
    check_text(f, "/etc/same", "mine");
    assert_int_equal(
        file_replace_same(f->root, "/etc/none", "/stage", "mine", 4, NULL, &old, &f->e), -ENOENT);
    check_stage_empty(f);
}

static void test_move_and_remove(void **state)
{
    struct fixture *f = *state;
    put(f, "/etc/a", "a");
    put(f, "/etc/b", "b");
    assert_int_equal(file_move(f->root, "/etc/a", "/etc/b", &f->e), -EEXIST);
    assert_int_equal(file_move(f->root, "/etc/a", "/stage/a", &f->e), 0);
    assert_false(is_there(f, "/etc/a"));
    check_text(f, "/stage/a", "a");
    assert_int_equal(file_move(f->root, "/etc/none", "/stage/b", &f->e), -ENOENT);
    assert_int_equal(file_remove(f->root, "/stage/a", &f->e), 0);
    assert_int_equal(file_remove(f->root, "/stage/a", &f->e), 0);
    assert_int_equal(file_remove(f->root, "/no/such/a", &f->e), 0);
    assert_true(file_remove(f->root, "/etc", &f->e) < 0);
    check_text(f, "/etc/b", "b");
}

static void test_other_file_system(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir(host(f, "/other"), 0700), 0);
    /* In a name space of its own, so that the host never sees the mount. */
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
        skip();
    /* The old descriptor looks at the old name space. */
    root_free(f->root);
    f->root = NULL;
    assert_int_equal(root_open(f->path, &f->root, &f->e), 0);
    if (mount("none", host(f, "/other"), "tmpfs", 0, "size=1m") < 0)
        skip(); /* needs the right to mount */
    put(f, "/etc/a", "a");
    int replaced = file_replace(f->root, "/etc/a", "/other", "x", 1, NULL, &f->e);
    int moved = file_move(f->root, "/etc/a", "/other/a", &f->e);
    OWNED(names_fini) struct names n = {0};
    assert_int_equal(folder_list(f->root, "/other", &n, &f->e), 0);
    assert_int_equal(umount(host(f, "/other")), 0);
    assert_int_equal(replaced, -EXDEV);
    assert_int_equal(moved, -EXDEV);
    assert_int_equal(n.count, 0);
    check_text(f, "/etc/a", "a");
}

static void test_folders(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    mode_t old = umask(077);
    assert_int_equal(folder_make(f->root, "/var/lib//x/y/", 0755, &f->e), 0);
    umask(old);
    assert_int_equal(stat(host(f, "/var/lib/x"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(folder_make(f->root, "/var/lib/x/y", 0700, &f->e), 0);
    put(f, "/var/file", "");
    assert_int_equal(folder_make(f->root, "/var/file/z", 0700, &f->e), -ENOTDIR);
    OWNED(names_fini) struct names n = {0};
    assert_int_equal(folder_list(f->root, "/var", &n, &f->e), 0);
    assert_int_equal(n.count, 2);
    assert_string_equal(n.at[0], "file");
    assert_string_equal(n.at[1], "lib");
    assert_int_equal(folder_list(f->root, "/none", &n, &f->e), -ENOENT);

    put(f, "/etc/kept", "kept");
    assert_int_equal(symlink("/etc", host(f, "/var/lib/x/link")), 0);
    assert_int_equal(symlink("../../../etc/kept", host(f, "/var/lib/x/y/link")), 0);
    put(f, "/var/lib/x/y/file", "gone");
    assert_int_equal(folder_remove(f->root, "/var/lib/x", &f->e), 0);
    assert_int_equal(folder_remove(f->root, "/var/lib/x", &f->e), 0);
    assert_false(is_there(f, "/var/lib/x"));
    check_text(f, "/etc/kept", "kept");
    assert_int_equal(folder_remove(f->root, "/etc/kept", &f->e), -ENOTDIR);
}

static void test_lock(void **state)
{
    struct fixture *f = *state;
    int fd = -1, other = -1;
    assert_int_equal(file_lock(f->root, "/etc/lock", &fd, &f->e), 0);
    assert_int_equal(file_lock(f->root, "/etc/lock", &other, &f->e), -EBUSY);
    assert_int_equal(other, -1);
    /* A child that inherited it holds it after us. */
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(pipes[1]);
        (void)!read(pipes[0], &byte, 1);
        _exit(0);
    }
    close(fd);
    assert_int_equal(file_lock(f->root, "/etc/lock", &other, &f->e), -EBUSY);
    uint64_t until = clock_boot_usec() + 50000;
    assert_int_equal(file_lock_wait(f->root, "/etc/lock", until, &other, &f->e), -ETIMEDOUT);
    assert_true(clock_boot_usec() >= until);
    close(pipes[1]);
    close(pipes[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(
        file_lock_wait(f->root, "/etc/lock", clock_boot_usec() + 1000000, &other, &f->e), 0);
    close(other);
}

/* Somebody swaps a file and a link to a secret, and a folder and a link, while we write and
 * read: no round may reach through a link. */
static void test_swapper(void **state)
{
    struct fixture *f = *state;
    enum { ROUNDS = 500 };
    put(f, "/secret", "secret");
    assert_int_equal(mkdir(host(f, "/vault"), 0700), 0);
    put(f, "/vault/a", "vault");
    assert_int_equal(mkdir(host(f, "/swap"), 0700), 0);
    assert_int_equal(symlink("vault", host(f, "/link")), 0);
    pid_t parent = getpid();
    pid_t swapper = fork();
    if (swapper == 0) {
        char *folder = host(f, "/swap"), *link = host(f, "/link");
        while (getppid() == parent)
            (void)renameat2(AT_FDCWD, folder, AT_FDCWD, link, RENAME_EXCHANGE);
        _exit(0);
    }
    unsigned wrote = 0, refused = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int code = file_replace(f->root, "/swap/a", "/stage", "mine", 4, NULL, &f->e);
        code == 0 ? wrote++ : refused++;
        assert_true(code == 0 || code == -ELOOP);
        OWNED(buf_fini) struct buf b = {0};
        code = file_read(f->root, "/swap/a", 0, 64, &b, &f->e);
        assert_true(code == 0 || code == -ELOOP || code == -ENOENT);
        if (code == 0)
            assert_string_equal(buf_string(&b), "mine");
    }
    kill(swapper, SIGKILL);
    waitpid(swapper, NULL, 0);
    assert_int_equal(wrote + refused, ROUNDS);
    check_text(f, "/vault/a", "vault");
    check_stage_empty(f);
}

/* Killed at a random instant while replacing: the old text or the new one, and at most
 * temporary files in the stage. */
static void test_killed(void **state)
{
    struct fixture *f = *state;
    enum { KILLS = 60, LENGTH = 200000 };
    char *texts[2] = {mem_alloc(LENGTH + 1), mem_alloc(LENGTH + 1)};
    memset(texts[0], 'a', LENGTH);
    memset(texts[1], 'b', LENGTH);
    assert_int_equal(file_replace(f->root, "/etc/a", "/stage", texts[0], LENGTH, NULL, &f->e), 0);
    for (int i = 0; i < KILLS; i++) {
        pid_t child = fork();
        if (child == 0)
            for (int turn = 1;; turn++)
                if (file_replace(f->root, "/etc/a", "/stage", texts[turn % 2], LENGTH, NULL,
                                 &f->e) < 0)
                    _exit(1);
        uint16_t random;
        assert_int_equal(getrandom(&random, sizeof random, 0), sizeof random);
        usleep(1000 + random % 20000);
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        OWNED(buf_fini) struct buf b = {0};
        assert_int_equal(file_read(f->root, "/etc/a", 0, LENGTH, &b, &f->e), 0);
        assert_int_equal(b.length, LENGTH);
        assert_true(strcmp(b.bytes, texts[0]) == 0 || strcmp(b.bytes, texts[1]) == 0);
    }
    OWNED(names_fini) struct names n = {0};
    assert_int_equal(folder_list(f->root, "/stage", &n, &f->e), 0);
    for (size_t i = 0; i < n.count; i++)
        assert_int_equal(strncmp(n.at[i], FILE_TEMPORARY, strlen(FILE_TEMPORARY)), 0);
    free(texts[0]);
    free(texts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_root, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_status, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_symlinks_refused_for_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replace_same, setup, teardown),
        cmocka_unit_test_setup_teardown(test_move_and_remove, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_file_system, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
        cmocka_unit_test_setup_teardown(test_swapper, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
