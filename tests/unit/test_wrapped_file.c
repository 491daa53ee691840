/* The durable files when a system call fails: each operation with its n-th call of each sort
 * failing, for every n. It says so in words that name the path, changes nothing by half, leaks
 * nothing. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/append.h"
#include "loop/clock.h"
#include "loop/file.h"
#include "loop/path.h"
#include "loop/stream.h"
#include "wrapped/wrapped.h"

struct fixture {
    char path[64];
    struct root *root;
    struct err e;
};

static const char *host(const struct fixture *f, const char *path)
{
    static char text[4][256];
    static unsigned next;
    char *t = text[next++ % 4];
    (void)snprintf(t, sizeof text[0], "%s%s", f->path, path);
    return t;
}

static void put(const struct fixture *f, const char *path, const char *text)
{
    int fd = open(host(f, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

/* "": it isn't there. */
static const char *get(const struct fixture *f, const char *path)
{
    static char text[4][64];
    static unsigned next;
    char *t = text[next++ % 4];
    int fd = open(host(f, path), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, t, sizeof text[0] - 1);
    assert_true(n >= 0);
    t[n] = '\0';
    if (fd >= 0)
        assert_int_equal(close(fd), 0);
    return t;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type;
    return where->level > 0 ? remove(path) : 0;
}

static void fresh(const struct fixture *f)
{
    static const char *const folders[] = {"/etc", "/stage", "/old", "/old/a", "/old/a/b"};
    assert_int_equal(nftw(f->path, drop, 8, FTW_DEPTH | FTW_PHYS), 0);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_int_equal(mkdir(host(f, folders[i]), 0755), 0);
    put(f, "/etc/file", "old");
    put(f, "/etc/from", "moved");
    put(f, "/old/a/b/c", "x");
    put(f, "/old/d", "x");
    assert_int_equal(symlink("file", host(f, "/etc/link")), 0);
    assert_int_equal(symlink("../etc", host(f, "/etc/up")), 0);
    assert_int_equal(mkfifo(host(f, "/etc/pipe"), 0600), 0);
}

static int setup(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    strcpy(f->path, "/tmp/planeguard-wrapped-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    assert_int_equal(root_open(f->path, &f->root, &f->e), 0);
    fresh(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    wrapped_set(NULL, 0);
    root_free(f->root);
    (void)nftw(f->path, drop, 8, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(rmdir(f->path), 0);
    free(f);
    return 0;
}

/* ---- the operations ---- */

static int do_read(struct fixture *f)
{
    OWNED(buf_fini) struct buf b = {0};
    return file_read(f->root, "/etc/file", 0, 100, &b, &f->e);
}

static int do_tail(struct fixture *f)
{
    OWNED(buf_fini) struct buf b = {0};
    return file_tail(f->root, "/etc/file", 0, 2, &b, &f->e);
}

static int do_digest(struct fixture *f)
{
    struct digest d;
    return file_digest(f->root, "/etc/file", 0, &d, &f->e);
}

static int do_status(struct fixture *f)
{
    struct file_status st;
    return file_status(f->root, "/etc/file", 0, &st, &f->e);
}

static int do_open(struct fixture *f)
{
    OWNED(fd_close) int fd = file_open(f->root, "/etc/file", 0, &f->e);
    return fd < 0 ? fd : 0;
}

static int do_root(struct fixture *f)
{
    OWNED(root_free) struct root *r = NULL;
    return root_open(f->path, &r, &f->e);
}

static int do_move(struct fixture *f)
{
    return file_move(f->root, "/etc/from", "/stage/to", &f->e);
}

static int do_remove(struct fixture *f)
{
    return file_remove(f->root, "/etc/from", &f->e);
}

static const struct file_owner owner = {.mode = 0640};

static int do_replace(struct fixture *f)
{
    return file_replace(f->root, "/etc/file", "/stage", "new", 3, &owner, &f->e);
}

static int do_replace_same(struct fixture *f)
{
    struct digest old = digest_of("old", 3);
    return file_replace_same(f->root, "/etc/file", "/stage", "new", 3, &owner, &old, &f->e);
}

static int do_create(struct fixture *f)
{
    return file_create(f->root, "/etc/created", "/stage", "new", 3, &owner, &f->e);
}

static int do_list(struct fixture *f)
{
    OWNED(names_fini) struct names n = {0};
    return folder_list(f->root, "/etc", &n, &f->e);
}

static int do_make(struct fixture *f)
{
    return folder_make(f->root, "/etc/made/deep", 0755, &f->e);
}

static int do_remove_folder(struct fixture *f)
{
    return folder_remove(f->root, "/old", &f->e);
}

static int do_append(struct fixture *f)
{
    OWNED(append_close) struct append *a = NULL;
    int code = append_create(f->root, "/etc/grows", &a, &f->e);
    if (code == 0)
        code = append_reserve(a, 10, 100, &f->e);
    if (code == 0)
        code = append_write(a, "0123456789", 10, &f->e);
    if (code == 0)
        code = append_sync(a, &f->e);
    if (code == 0)
        code = append_cut(a, 5, &f->e);
    return code;
}

static int do_append_open(struct fixture *f)
{
    OWNED(append_close) struct append *a = NULL;
    return append_open(f->root, "/etc/file", &a, &f->e);
}

static int do_stream(struct fixture *f)
{
    OWNED(stream_close) struct stream *s = NULL;
    char bytes[100];
    int code = stream_open(f->root, "/etc/file", &s, &f->e);
    if (code < 0)
        return code;
    ssize_t n = stream_read(s, bytes, sizeof bytes, &f->e);
    return n < 0 ? (int)n : stream_look(s, &f->e);
}

static int do_lock(struct fixture *f)
{
    OWNED(fd_close) int fd = -1;
    return file_lock(f->root, "/etc/lock", &fd, &f->e);
}

static int do_lock_wait(struct fixture *f)
{
    OWNED(fd_close) int fd = -1;
    return file_lock_wait(f->root, "/etc/lock", clock_boot_usec() + 60 * USEC_PER_SEC, &fd, &f->e);
}

static const struct operation {
    const char *name, *path; /* that its errors must name */
    int (*run)(struct fixture *f);
    const char *tolerates; /* calls whose failing changes nothing */
} operations[] = {
    {"read", "/etc/file", do_read, ""},
    {"tail", "/etc/file", do_tail, ""},
    {"digest", "/etc/file", do_digest, ""},
    {"status", "/etc/file", do_status, ""},
    {"open", "/etc/file", do_open, ""},
    {"root", "/tmp/planeguard-wrapped", do_root, ""},
    {"move", "/", do_move, ""},
    {"remove", "/etc", do_remove, ""},
    {"replace", "/", do_replace, "fstatat fgetxattr openat"},
    {"replace the same", "/", do_replace_same, "fstatat fgetxattr openat"},
    {"create", "/", do_create, "fstatat fgetxattr openat"},
    {"list", "/etc", do_list, ""},
    {"make", "/etc", do_make, ""},
    {"remove folder", "/", do_remove_folder, ""},
    {"append", "/etc", do_append, "fallocate"},
    {"append open", "/etc/file", do_append_open, ""},
    {"stream", "/etc/file", do_stream, ""},
    {"lock", "/etc", do_lock, ""},
    {"lock wait", "/etc", do_lock_wait, "sigaction"},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static const char *const calls[] = {
    "stat",      "fstat",        "fstatat",   "openat",        "mkdirat",   "fchmod",
    "fchown",    "fsync",        "fdatasync", "ftruncate",     "fallocate", "read",
    "pread",     "write",        "pwrite",    "lseek",         "renameat2", "unlinkat",
    "getrandom", "fgetxattr",    "flock",     "fdopendir",     "readdir",   "fcntl",
    "openat2",   "timer_create", "sigaction", "timer_settime",
};

/* ---- what must hold ---- */

static int descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static bool is_one_of(const char *words, const char *word)
{
    const char *at = strstr(words, word);
    size_t length = strlen(word);
    return at && (at == words || at[-1] == ' ') && (at[length] == ' ' || !at[length]);
}

/* The old file or the new one; the moved one in one place; nothing left in the stage. */
static void check_nothing_by_half(struct fixture *f)
{
    const char *file = get(f, "/etc/file"), *created = get(f, "/etc/created");
    assert_true(!strcmp(file, "old") || !strcmp(file, "new"));
    assert_true(!created[0] || !strcmp(created, "new"));
    assert_false(*get(f, "/etc/from") && *get(f, "/stage/to"));
    OWNED(names_fini) struct names n = {0};
    assert_int_equal(folder_list(f->root, "/stage", &n, NULL), 0);
    assert_true(n.count == 0 || (n.count == 1 && !strcmp(n.at[0], "to")));
}

/* Gives whether the fault was reached. */
static bool fail_once(struct fixture *f, const struct operation *o,
                      const struct wrapped_fault *faults, size_t count, int errnum)
{
    fresh(f);
    int open_before = descriptors();
    f->e = (struct err){0};
    wrapped_set(faults, count);
    int code = o->run(f);
    int hits = wrapped_hits();
    wrapped_set(NULL, 0);
    const char *call = faults[0].call;
    if (hits > 0 && (code != 0 || !is_one_of(o->tolerates, call))) {
        if (code != -errnum)
            fail_msg("%s, %s fails: gives %d, expected %d", o->name, call, code, -errnum);
        if (!strstr(f->e.text, o->path))
            fail_msg("%s, %s fails: \"%s\" doesn't name %s", o->name, call, f->e.text, o->path);
    }
    assert_int_equal(descriptors(), open_before);
    check_nothing_by_half(f);
    return hits > 0;
}

static void test_each_call_fails(void **state)
{
    struct fixture *f = *state;
    size_t reached = 0;
    for (size_t i = 0; i < OPERATIONS; i++)
        for (size_t k = 0; k < sizeof calls / sizeof *calls; k++)
            for (int n = 0;; n++) {
                struct wrapped_fault fault = {calls[k], n, 1, EIO, NULL, NULL};
                if (!fail_once(f, &operations[i], &fault, 1, EIO))
                    break;
                assert_true(n < 100);
                reached++;
            }
    assert_true(reached > 100);
}

/* The same where the kernel has no openat2: the walk by components. */
static void test_each_open_fails_without_openat2(void **state)
{
    struct fixture *f = *state;
    enum { MORE_THAN_ANY_OPENS = 40 };
    for (size_t i = 0; i < OPERATIONS; i++) {
        int failed = 0, code = 0;
        for (int n = 0; n < MORE_THAN_ANY_OPENS; n++) {
            struct wrapped_fault faults[] = {{"openat", n, 1, EIO, NULL, NULL},
                                             {"openat2", 0, -1, ENOSYS, NULL, NULL}};
            fresh(f);
            int open_before = descriptors();
            wrapped_set(faults, 2);
            code = operations[i].run(f);
            wrapped_set(NULL, 0);
            failed += code < 0;
            if (code < 0)
                assert_non_null(strstr(f->e.text, "Input/output error"));
            assert_int_equal(descriptors(), open_before);
            check_nothing_by_half(f);
        }
        assert_int_equal(code, 0); /* the last fault was behind its last call */
        assert_true(failed > 0 || operations[i].run == do_root);
    }
}

/* A signal comes while it reads or writes: nobody notices. */
static void test_interrupted(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int (*run)(struct fixture *f);
        const char *call;
    } rows[] = {{do_read, "read"},        {do_digest, "read"},    {do_stream, "pread"},
                {do_replace, "write"},    {do_replace, "pread"},  {do_append, "pwrite"},
                {do_append, "fallocate"}, {do_lock_wait, "flock"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wrapped_fault fault = {rows[i].call, 0, 3, EINTR, NULL, NULL};
        fresh(f);
        wrapped_set(&fault, 1);
        assert_int_equal(rows[i].run(f), 0);
        assert_int_equal(wrapped_hits(), 3);
        wrapped_set(NULL, 0);
    }
}

/* ---- what is tolerated, and what a race brings ---- */

static void strike(const char *call, int after, int errnum)
{
    struct wrapped_fault fault = {call, after, 1, errnum, NULL, NULL};
    wrapped_set(&fault, 1);
}

static void race(const char *call, int after, void (*before)(void *context), void *context)
{
    struct wrapped_fault fault = {call, after, 1, 0, before, context};
    wrapped_set(&fault, 1);
}

static void test_roots(void **state)
{
    struct fixture *f = *state;
    OWNED(root_free) struct root *r = NULL;
    assert_int_equal(root_open("/proc", &r, &f->e), 0); /* another file system than "/" */
    assert_false(r->is_host);
    root_free(NULL);
}

static void grow(void *context)
{
    put(context, "/etc/file", "it has grown");
}

static void test_file_that_grows(void **state)
{
    struct fixture *f = *state;
    OWNED(buf_fini) struct buf b = {0};
    race("read", 0, grow, f);
    assert_int_equal(file_tail(f->root, "/etc/file", 0, 3, &b, &f->e), 0);
    buf_fini(&b);
    fresh(f);
    race("read", 0, grow, f);
    assert_int_equal(file_read(f->root, "/etc/file", 0, 3, &b, &f->e), -EFBIG);
    assert_non_null(strstr(f->e.text, "larger than 3 bytes"));
}

static void test_what_is_no_file(void **state)
{
    struct fixture *f = *state;
    struct digest d;
    struct stream *s = NULL;
    struct append *a = NULL;
    assert_int_equal(file_digest(f->root, "/etc/none", 0, &d, &f->e), -ENOENT);
    assert_int_equal(file_digest(f->root, "/etc", 0, &d, &f->e), -EISDIR);
    assert_int_equal(file_move(f->root, "/etc/pipe", "/stage/to", &f->e), -ELOOP);
    assert_non_null(strstr(f->e.text, "neither a regular file nor a folder"));
    assert_int_equal(file_move(f->root, "/old", "/stage/to", &f->e), 0);
    assert_int_equal(stream_open(f->root, "/etc", &s, &f->e), -EINVAL);
    assert_non_null(strstr(f->e.text, "/etc: not a regular file"));
    OWNED(root_free) struct root *host_root = NULL;
    assert_int_equal(root_open("/", &host_root, &f->e), 0);
    assert_int_equal(append_open(host_root, "/dev/null", &a, &f->e), -EINVAL);
    assert_non_null(strstr(f->e.text, "/dev/null: not a regular file"));
}

static void test_gone_meanwhile(void **state)
{
    struct fixture *f = *state;
    strike("unlinkat", 0, ENOENT);
    assert_int_equal(file_remove(f->root, "/etc/from", &f->e), 0);
    for (int n = 0; n < 8; n++) { /* whatever of the folder somebody else removes */
        fresh(f);
        strike("unlinkat", n, ENOENT);
        int code = folder_remove(f->root, "/old", &f->e);
        assert_true(code == 0 || code == -ENOTEMPTY);
    }
    fresh(f);
    strike("unlinkat", 0, EPERM); /* what a file that may not be removed says, or a folder */
    assert_int_equal(folder_remove(f->root, "/old/a/b", &f->e), 0);
    strike("unlinkat", 1, EPERM);
    assert_int_equal(folder_remove(f->root, "/old", &f->e), 0);
}

static void spoil(void *context)
{
    struct fixture *f = context;
    OWNED(names_fini) struct names n = {0};
    assert_int_equal(folder_list(f->root, "/stage", &n, NULL), 0);
    assert_int_equal(n.count, 1);
    char path[64];
    (void)snprintf(path, sizeof path, "/stage/%s", n.at[0]);
    put(f, path, "bad");
}

static void test_replace_reads_back(void **state)
{
    struct fixture *f = *state;
    race("pread", 0, spoil, f);
    assert_int_equal(do_replace(f), -EIO);
    assert_non_null(strstr(f->e.text, "/etc/file: read back other bytes than were written"));
    check_nothing_by_half(f);
    assert_string_equal(get(f, "/etc/file"), "old");
}

/* The descriptor's own close tells of bytes that were lost; other closes mean nothing. */
static void test_close_fails(void **state)
{
    struct fixture *f = *state;
    int told = 0;
    for (int n = 0; n < 8; n++) {
        fresh(f);
        strike("close", n, EIO);
        int code = do_replace(f);
        wrapped_set(NULL, 0);
        if (code < 0) {
            told++;
            assert_int_equal(code, -EIO);
            assert_string_equal(f->e.text, "/etc/file: can't be closed: Input/output error");
            assert_string_equal(get(f, "/etc/file"), "old");
        }
        check_nothing_by_half(f);
    }
    assert_int_equal(told, 1);
    static const struct wrapped_fault both[] = {{"write", 0, 1, ENOSPC, NULL, NULL},
                                                {"close", 0, -1, EIO, NULL, NULL}};
    wrapped_set(both, 2); /* the first failure is the one that is told */
    assert_int_equal(do_replace(f), -ENOSPC);
}

static void test_security_label(void **state)
{
    struct fixture *f = *state;
    char label[16] = "";
    if (setxattr(host(f, "/etc/file"), "security.selinux", "label", 5, 0) < 0)
        skip();
    assert_int_equal(do_replace(f), 0);
    assert_int_equal(getxattr(host(f, "/etc/file"), "security.selinux", label, sizeof label), 5);
    assert_string_equal(label, "label");
    strike("fsetxattr", 0, EACCES);
    assert_int_equal(do_replace(f), -EACCES);
    assert_non_null(strstr(f->e.text, "the security label can't be set"));
    strike("fsetxattr", 0, ENOTSUP);
    assert_int_equal(do_replace(f), 0);
}

static void make_it(void *context)
{
    assert_int_equal(mkdir(host(context, "/etc/made"), 0700), 0);
}

static void test_folders(void **state)
{
    struct fixture *f = *state;
    OWNED(names_fini) struct names n = {0};
    static const struct wrapped_fault endless = {"readdir", 0, -1, 0, NULL, NULL};
    wrapped_set(&endless, 1);
    assert_int_equal(folder_list(f->root, "/etc", &n, &f->e), -EFBIG);
    wrapped_set(NULL, 0);
    race("mkdirat", 0, make_it, f);
    assert_int_equal(folder_make(f->root, "/etc/made/deep", 0755, &f->e), 0);
    assert_int_equal(folder_make(f->root, "/etc/file/deep", 0755, &f->e), -ENOTDIR);
    char path[256] = "/old";
    for (int i = 0; i < 18; i++) {
        strcat(path, "/x");
        assert_int_equal(mkdir(host(f, path), 0755), 0);
    }
    assert_int_equal(folder_remove(f->root, "/old", &f->e), -ELOOP);
    assert_non_null(strstr(f->e.text, "more than 16 folders deep"));
}

/* ---- growing files ---- */

static struct append *grows(struct fixture *f)
{
    struct append *a = NULL;
    fresh(f);
    assert_int_equal(append_create(f->root, "/etc/grows", &a, &f->e), 0);
    assert_int_equal(append_write(a, "0123456789", 10, &f->e), 0);
    return a;
}

/* Once what was written may be lost, the file takes nothing more. */
static void check_is_lost(struct fixture *f, struct append *a)
{
    assert_true(append_is_lost(a));
    assert_int_equal(append_reserve(a, 1, 1, &f->e), -EIO);
    assert_int_equal(append_write(a, "x", 1, &f->e), -EIO);
    assert_int_equal(append_sync(a, &f->e), -EIO);
    assert_int_equal(append_cut(a, 0, &f->e), -EIO);
    assert_non_null(strstr(f->e.text, "/etc/grows: an earlier write could not be made durable"));
    append_trim(a);
    append_close(a);
    assert_string_equal(get(f, "/etc/grows"), "0123456789");
}

static void test_append_is_lost(void **state)
{
    struct fixture *f = *state;
    struct append *a = grows(f);
    strike("fdatasync", 0, EIO);
    assert_int_equal(append_sync(a, &f->e), -EIO);
    check_is_lost(f, a);

    a = grows(f);
    strike("fsync", 0, EIO);
    assert_int_equal(append_cut(a, 10, &f->e), -EIO);
    check_is_lost(f, a);

    static const struct wrapped_fault both[] = {{"pwrite", 0, 1, ENOSPC, NULL, NULL},
                                                {"ftruncate", 0, 1, EIO, NULL, NULL}};
    a = grows(f);
    wrapped_set(both, 2);
    assert_int_equal(append_write(a, "more", 4, &f->e), -ENOSPC);
    check_is_lost(f, a);

    a = grows(f);
    strike("ftruncate", 0, EIO);
    append_trim(a);
    check_is_lost(f, a);
}

static void test_append_when_full(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *call;
        int errnum, expected;
    } rows[] = {{"pwrite", EDQUOT, -ENOSPC},    {"pwrite", EFBIG, -ENOSPC},
                {"pwrite", 0, -ENOSPC},         {"pwrite", EIO, -EIO},
                {"fallocate", EDQUOT, -ENOSPC}, {"fallocate", EIO, -EIO},
                {"fallocate", EOPNOTSUPP, 0},   {"fallocate", ENOSYS, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct append *a = grows(f);
        struct wrapped_fault fault = {rows[i].call, 0, -1, rows[i].errnum, NULL, NULL};
        wrapped_set(&fault, 1);
        int code = append_reserve(a, 100, 1000, &f->e);
        if (code == 0)
            code = append_write(a, "more", 4, &f->e);
        wrapped_set(NULL, 0);
        assert_int_equal(code, rows[i].expected);
        assert_false(append_is_lost(a));
        assert_string_equal(get(f, "/etc/grows"), code < 0 ? "0123456789" : "0123456789more");
        append_close(a);
    }
    append_close(NULL);
}

/* What a process before us may have failed to make durable is written once more. */
static void test_append_again(void **state)
{
    static const struct {
        const char *what;
        struct wrapped_fault fault;
        uint64_t from;
        int code;
    } rows[] = {
        {"all of it", {"none", 0, 0, 0, NULL, NULL}, 0, 0},
        {"its end", {"none", 0, 0, 0, NULL, NULL}, 9000, 0},
        {"nothing", {"none", 0, 0, 0, NULL, NULL}, 10000, 0},
        {"reading is interrupted", {"pread", 1, 2, EINTR, NULL, NULL}, 0, 0},
        {"writing is interrupted", {"pwrite", 0, 2, EINTR, NULL, NULL}, 0, 0},
        {"it can't be read", {"pread", 1, 1, EIO, NULL, NULL}, 0, -EIO},
        {"it is shorter by now", {"pread", 1, 1, 0, NULL, NULL}, 0, -EIO},
        {"it can't be written", {"pwrite", 1, 1, ENOSPC, NULL, NULL}, 0, -ENOSPC},
        {"it isn't made durable", {"fdatasync", 0, 1, EIO, NULL, NULL}, 0, -EIO},
    };
    struct fixture *f = *state;
    char *bytes = mem_alloc(10000);
    memset(bytes, 'x', 10000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        OWNED(append_close) struct append *a = NULL;
        assert_int_equal(file_replace(f->root, "/etc/file", "/etc", bytes, 10000, NULL, &f->e), 0);
        assert_int_equal(append_open(f->root, "/etc/file", &a, &f->e), 0);
        wrapped_set(&rows[i].fault, 1);
        int code = append_again(a, rows[i].from, &f->e);
        wrapped_set(NULL, 0);
        if (code != rows[i].code)
            fail_msg("%s: %d: %s", rows[i].what, code, f->e.text);
        if (code < 0)
            assert_non_null(strstr(f->e.text, "/etc/file"));
        OWNED(buf_fini) struct buf after = {0};
        assert_int_equal(file_read(f->root, "/etc/file", 0, 20000, &after, &f->e), 0);
        assert_int_equal(after.length, 10000);
        assert_memory_equal(after.bytes, bytes, 10000);
    }
    free(bytes);
}

static void test_stream_of_a_file_that_is_cut(void **state)
{
    struct fixture *f = *state;
    OWNED(stream_close) struct stream *s = NULL;
    char bytes[8];
    assert_int_equal(stream_open(f->root, "/etc/file", &s, &f->e), 0);
    assert_int_equal(stream_read(s, bytes, 1, &f->e), 1);
    assert_int_equal(truncate(host(f, "/etc/file"), 0), 0);
    assert_int_equal(stream_read(s, bytes, sizeof bytes, &f->e), 0);
    assert_int_equal(stream_length(s), 1);
    stream_close(NULL);
}

/* ---- paths ---- */

static int walk_to(struct fixture *f, const char *path, int flags)
{
    OWNED(fd_close) int fd = path_walk(f->root, path, flags, O_RDONLY);
    return fd < 0 ? fd : 0;
}

static void test_walks(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(walk_to(f, "/", 0), 0);
    assert_int_equal(walk_to(f, "//.//", 0), 0);
    assert_int_equal(walk_to(f, "", 0), -ENOENT);
    strike("openat", 1, EIO);
    assert_int_equal(walk_to(f, "/", 0), -EIO);
    /* A link whose text and what follows it are longer than a path may be. */
    char text[4000], path[512];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(symlink(text, host(f, "/etc/long")), 0);
    memset(path, 'y', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    memcpy(path, "/etc/long/", 10);
    assert_int_equal(walk_to(f, path, FILE_FOLLOW), -ENAMETOOLONG);
    /* Deeper than is walked. */
    char deep[256] = "/old";
    for (int i = 0; i < 70; i++) {
        strcat(deep, "/n");
        assert_int_equal(mkdir(host(f, deep), 0755), 0);
    }
    assert_int_equal(walk_to(f, deep, 0), -ENAMETOOLONG);
}

static void take_away(void *context)
{
    assert_int_equal(rmdir(host(context, "/old/a/b/e")), 0);
}

/* What isn't a folder, and can't be looked at any more when that is asked. */
static void test_walk_through_what_goes(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(walk_to(f, "/etc/file/x", 0), -ENOTDIR);
    strike("fstatat", 0, ENOENT);
    assert_int_equal(walk_to(f, "/etc/file/x", 0), -ENOTDIR);
    assert_int_equal(mkdir(host(f, "/old/a/b/e"), 0755), 0);
    race("openat", 4, take_away, f);
    assert_int_equal(walk_to(f, "/old/a/b/e", 0), -ENOENT);
}

static void test_renames_race_with_openat2(void **state)
{
    struct fixture *f = *state;
    struct wrapped_fault fault = {"openat2", 0, 5, EAGAIN, NULL, NULL};
    wrapped_set(&fault, 1);
    assert_int_equal(do_read(f), 0);
    fault.count = -1;
    wrapped_set(&fault, 1);
    assert_int_equal(do_read(f), -EAGAIN);
    assert_int_equal(wrapped_hits(), 17);
    wrapped_set(NULL, 0);
    assert_int_equal(file_remove(f->root, "old", &f->e), -EISDIR); /* a name alone is of the root */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_call_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_open_fails_without_openat2, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_roots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_that_grows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gone_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replace_reads_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_security_label, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_append_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_append_when_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_append_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stream_of_a_file_that_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_walks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_walk_through_what_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_renames_race_with_openat2, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
