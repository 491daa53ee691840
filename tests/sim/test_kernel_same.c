/* The same random calls on a real folder (chroot'ed into it) and on the simulated files: the same
 * results, the same errors, the same tree in the end. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "test_kernel_fake.h"

enum { SLOTS = 8, SEEDS = 300, CALLS = 250, CALLS_READ_ONLY = 80, BYTES = 6000 };

/* Index 0 is the real kernel, 1 the simulated one. */
enum side { REAL, SIMULATED, SIDES };

struct outcome {
    long result;
    int errnum;
    bool is_descriptor;
    struct buf text;
};

/* One drawn call, made on both sides. */
struct drawn {
    unsigned kind;
    unsigned slot, other; /* descriptors; 0 is the root's */
    const char *path, *to;
    int flags;
    mode_t mode;
    uint64_t resolve;
    int64_t offset;
    size_t length;
    char fill;
};

struct pair {
    struct stream_random random;
    struct task task;
    int fds[SIDES][SLOTS];
};

static char long_name[257];
static bool is_read_only;

static const char *path_draw(struct stream_random *r)
{
    static const char *const paths[] = {
        "a",         "b",      "c",    "d",     "d/a",   "d/b",    "d/e",      "d/e/f",   "e",
        "e/a",       "l",      "l/a",  "abs",   "abs/a", "ring",   "dangling", "d/up",    "d/up/a",
        ".",         "..",     "a/",   "d/",    "d//a",  "./a",    "d/.",      "d/..",    "d/../a",
        "../a",      "/a",     "/d/e", "",      "l/",    "a/b",    "d/e/",     "/",       "l2",
        "l2/",       "new",    "new/", "d/new", "lfile", "lfile/", "e/d",      "../../d", "d/up/",
        "dangling/", "/abs/b", "f",    "f/a",   "f/d"};
    enum { COUNT = sizeof paths / sizeof paths[0] };
    uint64_t at = random_below(r, COUNT + 1);
    return at == COUNT ? long_name : paths[at];
}

static int one_of(struct stream_random *r, const int *of, size_t count)
{
    return of[random_below(r, count)];
}
#define ONE_OF(r, ...)                                                                             \
    one_of(r, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static int open_flags_draw(struct stream_random *r)
{
    int flags = ONE_OF(r, O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR, O_RDWR) | O_CLOEXEC;
    flags |= ONE_OF(r, 0, 0, O_CREAT, O_CREAT | O_EXCL, O_PATH, O_DIRECTORY, O_PATH | O_DIRECTORY);
    flags |= ONE_OF(r, 0, 0, O_NOFOLLOW);
    flags |= ONE_OF(r, 0, 0, 0, 0, 0, O_TRUNC, O_APPEND, O_NONBLOCK);
    return flags;
}

static const char *const kinds[] = {
    "openat",   "openat",    "openat",    "openat2",   "openat2",    "fstat",     "fstatat",
    "read",     "pread",     "write",     "write",     "pwrite",     "pwrite",    "lseek",
    "truncate", "fallocate", "fsync",     "fdatasync", "renameat2",  "renameat2", "renameat2",
    "unlinkat", "unlinkat",  "mkdirat",   "mkdirat",   "readlinkat", "list",      "fchmod",
    "fchown",   "fgetxattr", "fsetxattr", "dupfd",     "dup",        "close",     "close",
    "flock",    "fadvise",   "getfl"};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static struct drawn call_draw(struct stream_random *r)
{
    struct drawn c = {.kind = (unsigned)random_below(r, KINDS)};
    c.slot = random_one_in(r, 3) ? 0 : (unsigned)random_below(r, SLOTS);
    c.other = random_one_in(r, 2) ? 0 : (unsigned)random_below(r, SLOTS);
    c.path = path_draw(r);
    c.to = path_draw(r);
    c.mode = (mode_t)ONE_OF(r, 0600, 0644, 0700, 0755, 0400);
    c.flags = open_flags_draw(r);
    c.resolve = (uint64_t)ONE_OF(r, RESOLVE_IN_ROOT, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
                                 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, 0, RESOLVE_NO_SYMLINKS);
    c.offset = random_one_in(r, 20) ? -1 : (int64_t)random_below(r, BYTES);
    c.length = (size_t)random_below(r, BYTES);
    c.fill = (char)('a' + random_below(r, 26));
    return c;
}

static void stat_text(const struct stat *st, struct buf *text)
{
    bool is_folder = S_ISDIR(st->st_mode);
    buf_printf(text, "mode %o owner %u:%u size %lld links %d", st->st_mode, st->st_uid, st->st_gid,
               is_folder ? 0 : (long long)st->st_size, is_folder ? 1 : (int)st->st_nlink);
}

static int names_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes `fd`. Names, sorted. */
static long folder_text(int fd, struct buf *text)
{
    DIR *d = fdopendir(fd);
    if (!d) {
        int errnum = errno;
        (void)close(fd);
        errno = errnum;
        return -1;
    }
    char **names = NULL;
    size_t count = 0, room = 0;
    const struct dirent *entry;
    while ((entry = readdir(d)))
        *mem_push(names, count, room) = mem_printf("%s:%d", entry->d_name, entry->d_type);
    (void)closedir(d);
    qsort(names, count, sizeof *names, names_compare);
    for (size_t i = 0; i < count; i++) {
        buf_printf(text, "%s\n", names[i]);
        free(names[i]);
    }
    free(names);
    return 0;
}

static long call_data(const struct drawn *c, int fd, struct outcome *o)
{
    char bytes[BYTES];
    memset(bytes, c->fill, sizeof bytes);
    const char *kind = kinds[c->kind];
    long got;
    if (strcmp(kind, "write") == 0)
        return write(fd, bytes, c->length);
    if (strcmp(kind, "pwrite") == 0)
        return pwrite(fd, bytes, c->length, c->offset);
    struct stat st;
    /* What positions in a folder are is the file system's own affair. */
    if (strcmp(kind, "lseek") == 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    if (strcmp(kind, "lseek") == 0)
        return lseek(fd, c->offset, (int)(c->length % 3));
    if (strcmp(kind, "truncate") == 0)
        return ftruncate(fd, c->offset);
    if (strcmp(kind, "fallocate") == 0)
        return fallocate(fd, c->fill % 2 ? FALLOC_FL_KEEP_SIZE : 0, c->offset, (off_t)c->length);
    if (strcmp(kind, "read") == 0)
        got = read(fd, bytes, c->length);
    else
        got = pread(fd, bytes, c->length, c->offset);
    if (got > 0)
        buf_add(&o->text, bytes, (size_t)got);
    return got;
}

static long call_folder(const struct drawn *c, int fd, int other, struct outcome *o)
{
    const char *kind = kinds[c->kind];
    if (strcmp(kind, "renameat2") == 0)
        return renameat2(fd, c->path, other, c->to, c->fill % 2 ? RENAME_NOREPLACE : 0);
    if (strcmp(kind, "unlinkat") == 0)
        return unlinkat(fd, c->path, c->fill % 2 ? AT_REMOVEDIR : 0);
    if (strcmp(kind, "mkdirat") == 0)
        return mkdirat(fd, c->path, c->mode);
    if (strcmp(kind, "readlinkat") == 0) {
        char text[64];
        long length = readlinkat(fd, c->path, text, c->length % 64);
        if (length > 0)
            buf_add(&o->text, text, (size_t)length);
        return length;
    }
    if (strcmp(kind, "fstatat") == 0) {
        struct stat st;
        long code = fstatat(fd, c->path, &st, c->fill % 2 ? AT_SYMLINK_NOFOLLOW : 0);
        if (code == 0)
            stat_text(&st, &o->text);
        return code;
    }
    int copy = openat(fd, c->path, O_RDONLY | O_CLOEXEC | (c->fill % 2 ? O_DIRECTORY : 0));
    return copy < 0 ? -1 : folder_text(copy, &o->text);
}

static long call_dress(const struct drawn *c, int fd, struct outcome *o)
{
    const char *kind = kinds[c->kind];
    if (strcmp(kind, "fchmod") == 0)
        return fchmod(fd, c->mode);
    if (strcmp(kind, "fchown") == 0)
        return fchown(fd, (uid_t)(c->length % 3), (gid_t)(c->length % 5));
    if (strcmp(kind, "fsetxattr") == 0)
        return fsetxattr(fd, "security.selinux", "label", 5, (int)(c->length % 3));
    if (strcmp(kind, "fgetxattr") == 0) {
        char text[16];
        long got = fgetxattr(fd, "security.selinux", text, c->length % 3 ? sizeof text : 2);
        if (got > 0)
            buf_add(&o->text, text, (size_t)got);
        return got;
    }
    struct stat st;
    long code = fstat(fd, &st);
    if (code == 0)
        stat_text(&st, &o->text);
    return code;
}

static long call_descriptor(const struct drawn *c, int fd, struct outcome *o)
{
    const char *kind = kinds[c->kind];
    o->is_descriptor = true;
    if (strcmp(kind, "openat") == 0)
        return openat(fd, c->path, c->flags, c->mode);
    if (strcmp(kind, "openat2") == 0) {
        bool creates = c->flags & O_CREAT;
        struct open_how how = {.flags = (uint64_t)(unsigned)c->flags,
                               .mode = creates ? c->mode : 0,
                               .resolve = c->resolve};
        long opened;
        do /* EAGAIN: some process renamed something meanwhile, and ".." is in the path */
            opened = syscall(SYS_openat2, fd, c->path, &how, sizeof how);
        while (opened < 0 && errno == EAGAIN);
        return opened;
    }
    if (strcmp(kind, "dupfd") == 0)
        return fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (strcmp(kind, "dup") == 0)
        return dup(fd);
    o->is_descriptor = false;
    if (strcmp(kind, "flock") == 0)
        return flock(fd, (c->length % 3 == 0   ? LOCK_UN
                          : c->length % 3 == 1 ? LOCK_SH
                                               : LOCK_EX) |
                             LOCK_NB);
    if (strcmp(kind, "fadvise") == 0)
        return posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    /* Only the mount is read-only there, while here it is the file system. */
    if (strstr(kind, "sync") && is_read_only)
        return 0;
    if (strcmp(kind, "fsync") == 0)
        return fsync(fd);
    if (strcmp(kind, "fdatasync") == 0)
        return fdatasync(fd);
    if (strcmp(kind, "getfl") == 0) {
        long flags = fcntl(fd, F_GETFL);
        /* O_LARGEFILE is the kernel's own affair. */
        return flags < 0 ? flags : flags & (O_ACCMODE | O_APPEND | O_PATH | O_NONBLOCK);
    }
    return c->slot == 0 ? 0 : close(fd); /* the root stays open */
}

static bool is_one_of(const char *kind, const char *const *of)
{
    while (*of && strcmp(*of, kind) != 0)
        of++;
    return *of != NULL;
}

static struct outcome call_make(const struct drawn *c, int fd, int other)
{
    static const char *const data[] = {"read",  "pread",    "write",     "pwrite",
                                       "lseek", "truncate", "fallocate", NULL};
    static const char *const folder[] = {"renameat2", "unlinkat", "mkdirat", "readlinkat",
                                         "fstatat",   "list",     NULL};
    static const char *const dress[] = {"fchmod",    "fchown", "fgetxattr",
                                        "fsetxattr", "fstat",  NULL};
    struct outcome o = {0};
    errno = 0;
    const char *kind = kinds[c->kind];
    if (is_one_of(kind, data))
        o.result = call_data(c, fd, &o);
    else if (is_one_of(kind, folder))
        o.result = call_folder(c, fd, other, &o);
    else if (is_one_of(kind, dress))
        o.result = call_dress(c, fd, &o);
    else
        o.result = call_descriptor(c, fd, &o);
    o.errnum = o.result < 0 ? errno : 0;
    return o;
}

static void side_choose(struct pair *p, enum side side)
{
    fake.current = side == REAL ? NULL : &p->task;
}

static bool outcome_equal(const struct outcome *a, const struct outcome *b)
{
    if (a->is_descriptor && a->result >= 0 && b->result >= 0)
        return true;
    return a->result == b->result && a->errnum == b->errnum && a->text.length == b->text.length &&
           (a->text.length == 0 || memcmp(a->text.bytes, b->text.bytes, a->text.length) == 0);
}

static void outcome_say(const struct drawn *c, const struct outcome o[SIDES])
{
    (void)fprintf(stderr,
                  "%s slot %u \"%.20s\" to %u \"%.20s\" flags %o resolve %llx at %lld length %zu "
                  "fill %d\n",
                  kinds[c->kind], c->slot, c->path, c->other, c->to, (unsigned)c->flags,
                  (unsigned long long)c->resolve, (long long)c->offset, c->length, c->fill % 2);
    for (int side = 0; side < SIDES; side++)
        (void)fprintf(stderr, "  %s: %ld %s, %zu bytes: %.*s\n",
                      side == REAL ? "real" : "simulated", o[side].result,
                      o[side].errnum ? strerrorname_np(o[side].errnum) : "", o[side].text.length,
                      (int)o[side].text.length, o[side].text.bytes);
}

static void slot_put(struct pair *p, enum side side, unsigned slot, long fd)
{
    side_choose(p, side);
    if (p->fds[side][slot] >= 0)
        (void)close(p->fds[side][slot]);
    p->fds[side][slot] = (int)fd;
}

/* One call on both sides; false: they differ. */
static bool pair_call(struct pair *p)
{
    struct drawn c = call_draw(&p->random);
    struct outcome o[SIDES];
    for (int side = 0; side < SIDES; side++) {
        side_choose(p, (enum side)side);
        o[side] = call_make(&c, p->fds[side][c.slot], p->fds[side][c.other]);
    }
    bool is_equal = outcome_equal(&o[REAL], &o[SIMULATED]);
    if (!is_equal)
        outcome_say(&c, o);
    bool is_close = strcmp(kinds[c.kind], "close") == 0;
    unsigned into = 1 + (unsigned)random_below(&p->random, SLOTS - 1);
    for (int side = 0; side < SIDES; side++) {
        if (is_close && c.slot != 0)
            p->fds[side][c.slot] = -1;
        if (o[side].is_descriptor && o[side].result >= 0)
            slot_put(p, (enum side)side, into, o[side].result);
        buf_fini(&o[side].text);
    }
    return is_equal;
}

/* A text of all that is below an open folder. Takes `fd`. */
static void tree_text(int fd, unsigned depth, struct buf *text)
{
    struct buf names = {0};
    (void)folder_text(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), &names);
    buf_add(&names, "", 1);
    for (char *at = names.bytes, *end; (end = strchr(at, '\n')); at = end + 1) {
        *end = '\0';
        *strrchr(at, ':') = '\0';
        if (strcmp(at, ".") == 0 || strcmp(at, "..") == 0)
            continue;
        struct stat st;
        char bytes[4 * BYTES];
        if (fstatat(fd, at, &st, AT_SYMLINK_NOFOLLOW) < 0)
            abort();
        buf_printf(text, "%u %s ", depth, at);
        stat_text(&st, text);
        if (S_ISDIR(st.st_mode)) {
            buf_printf(text, "\n");
            tree_text(openat(fd, at, O_RDONLY | O_DIRECTORY | O_CLOEXEC), depth + 1, text);
            continue;
        }
        bool is_link = S_ISLNK(st.st_mode);
        int file = is_link ? -1 : openat(fd, at, O_RDONLY | O_CLOEXEC);
        ssize_t got =
            is_link ? readlinkat(fd, at, bytes, sizeof bytes) : read(file, bytes, sizeof bytes);
        if (!is_link)
            (void)close(file);
        buf_printf(text, " has %zd ", got);
        buf_add(text, bytes, got > 0 ? (size_t)got : 0);
        buf_printf(text, "\n");
    }
    buf_fini(&names);
    (void)close(fd);
}

static bool pair_trees(struct pair *p)
{
    struct buf text[SIDES] = {{0}, {0}};
    for (int side = 0; side < SIDES; side++) {
        side_choose(p, (enum side)side);
        tree_text(dup(p->fds[side][0]), 0, &text[side]);
    }
    bool is_equal =
        text[0].length == text[1].length &&
        (text[0].length == 0 || memcmp(text[0].bytes, text[1].bytes, text[0].length) == 0);
    if (!is_equal)
        (void)fprintf(stderr, "the trees differ\n");
    buf_fini(&text[0]);
    buf_fini(&text[1]);
    return is_equal;
}

static void pair_links(struct pair *p)
{
    static const char *const links[][2] = {
        {"/l", "d"},       {"/abs", "/d"}, {"/ring", "ring"}, {"/dangling", "e/none"},
        {"/d/up", "../e"}, {"/l2", "l"},   {"/lfile", "a"}};
    if (mkdir("/d", 0755) < 0 || mkdir("/e", 0755) < 0)
        abort();
    files_make_folder(p->task.files, "/d");
    files_make_folder(p->task.files, "/e");
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        files_link(p->task.files, links[i][0], links[i][1]);
        if (symlink(links[i][1], links[i][0]) < 0)
            abort();
    }
}

static bool pair_run(struct pair *p)
{
    for (int side = 0; side < SIDES; side++) {
        side_choose(p, (enum side)side);
        p->fds[side][0] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    for (unsigned i = 0; i < CALLS; i++)
        if (!pair_call(p))
            return false;
    if (!pair_trees(p))
        return false;
    for (int side = 0; side < SIDES; side++)
        for (unsigned slot = 1; slot < SLOTS; slot++)
            slot_put(p, (enum side)side, slot, -1);
    fake.current = NULL;
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
        abort();
    files_set_read_only(p->task.files, true);
    is_read_only = true;
    for (unsigned i = 0; i < CALLS_READ_ONLY; i++)
        if (!pair_call(p))
            return false;
    return pair_trees(p);
}

/* In a process and a mount namespace of its own: 0, or 1 with a text. */
static int seed_run(uint64_t seed, const char *folder)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount(folder, folder, NULL, MS_BIND, NULL) < 0 || chroot(folder) < 0 || chdir("/") < 0)
        return 2;
    (void)umask(022);
    struct pair p = {.random = random_stream(seed, "calls", 0), .task = {files_new()}};
    fake_begin(NULL);
    memset(long_name, 'n', sizeof long_name - 1);
    for (int side = 0; side < SIDES; side++)
        for (unsigned slot = 0; slot < SLOTS; slot++)
            p.fds[side][slot] = -1;
    pair_links(&p);
    bool is_same = pair_run(&p);
    fake.current = NULL;
    kernel_task_ended(&p.task);
    files_free(p.task.files);
    if (!is_same)
        (void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    return is_same ? 0 : 1;
}

static int seed_apart(uint64_t seed)
{
    char folder[] = "/tmp/planeguard-kernel-XXXXXX";
    if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
        return 2;
    pid_t pid = fork();
    if (pid == 0)
        _exit(seed_run(seed, folder)); /* a leak checker needs /proc */
    int status = -1;
    (void)waitpid(pid, &status, 0);
    char *command = mem_printf("rm -rf %s", folder);
    int removed = system(command); /* the kernel that is tested against, not the one tested */
    free(command);
    return removed == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

/* The number of seeds whose two sides differ; < 0: not possible here (it needs root). */
int test_kernel_same(void)
{
    if (geteuid() != 0)
        return -1;
    int different = 0;
    const char *one = getenv("SEED");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1, to = one ? from : SEEDS;
    for (uint64_t seed = from; seed <= to; seed++)
        different += seed_apart(seed) != 0;
    return different;
}
