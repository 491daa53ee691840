/* Fails allocations of the program that it is preloaded into (LD_PRELOAD), or of all programs that
 * inherit that. It allocates nothing itself.
 *
 *   ALLOC_FAIL=count      fails none
 *   ALLOC_FAIL=nth:N:HOW  the N-th of each process; a forked child goes on from its parent's count
 *   ALLOC_FAIL=each:FIRST:STEP:HOW
 *                         FIRST, FIRST + STEP ... in one run: the process forks at each of them
 *   HOW                   once: that one; for-good: that one and all after it
 *   ALLOC_COUNTS=FILE     8 bytes: the most allocations that a process made; 8: failures
 *   ALLOC_RECORDS=FILE    (each) a line a child, see record()
 *   ALLOC_LATER=1         nothing counts before the program calls alloc_begin()
 *   ALLOC_TRACE=1         says on standard error who asked for the memory
 *   ALLOC_FASTER=K        sleeps are K times shorter
 *
 * With `each` the allocation fails in the child, which goes on to its end; then the parent goes on
 * as if nothing had been. That is for programs that change nothing: both share the world. */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

enum { HANG_MSEC = 10000, FDS_MAX = 64, HIGH_FD = 900, ERRORS_MAX = 400, FRAMES_MAX = 24 };
enum mode { OFF, COUNT, NTH, EACH };

static struct {
    enum mode mode;
    bool for_good, later, trace, failing, is_child;
    uint64_t nth, step, count, faster;
    pid_t pid;
    const char *records;
    int out, errors;
    struct alloc_counts *counts; /* shared by all processes */
} state;

/* ---- what it was told ---- */

static struct alloc_counts *map_counts(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *at = mmap(NULL, sizeof(struct alloc_counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    return at == MAP_FAILED ? NULL : at;
}

static int high_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    (void)close(fd);
    return high;
}

static void read_mode(const char *text)
{
    char *rest = NULL;
    if (!strncmp(text, "nth:", 4)) {
        state.mode = NTH;
        state.nth = strtoull(text + 4, &rest, 10);
    } else if (!strncmp(text, "each:", 5)) {
        state.mode = EACH;
        state.nth = strtoull(text + 5, &rest, 10);
        state.step = strtoull(rest + 1, &rest, 10);
        state.out = high_file("out");
        state.errors = high_file("errors");
    } else {
        state.mode = COUNT;
    }
    state.for_good = rest && !strcmp(rest, ":for-good");
}

__attribute__((constructor)) static void begin(void)
{
    const char *told = getenv("ALLOC_FAIL"), *counts = getenv("ALLOC_COUNTS"),
               *faster = getenv("ALLOC_FASTER");
    void *frames[1];
    if (!told)
        return;
    (void)backtrace(frames, 1); /* loads what it needs, which allocates */
    state.counts = counts ? map_counts(counts) : NULL;
    state.records = getenv("ALLOC_RECORDS");
    state.later = getenv("ALLOC_LATER") != NULL;
    state.trace = getenv("ALLOC_TRACE") != NULL;
    state.faster = faster ? strtoull(faster, NULL, 10) : 1;
    state.pid = getpid();
    read_mode(told);
}

void alloc_begin(void)
{
    state.later = false;
}

void alloc_end(void)
{
    state.later = true;
    state.failing = false;
}

/* ---- one child an allocation ---- */

static uint64_t file_hash(int fd, uint64_t *ret_length)
{
    static unsigned char part[4096];
    uint64_t hash = UINT64_C(0xcbf29ce484222325), length = 0;
    ssize_t got;
    while ((got = pread(fd, part, sizeof part, (off_t)length)) > 0) {
        for (ssize_t i = 0; i < got; i++)
            hash = (hash ^ part[i]) * UINT64_C(0x100000001b3);
        length += (uint64_t)got;
    }
    *ret_length = length;
    return hash;
}

/* The beginning of what was written, in one line. */
static const char *read_text(int fd, char text[ERRORS_MAX + 1])
{
    ssize_t got = pread(fd, text, ERRORS_MAX, 0);
    text[got > 0 ? got : 0] = '\0';
    for (char *c = text; *c; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    return text;
}

/* N, exit or signal or hang, its number, length and FNV-1a of its output, the beginnings of its
 * errors and of its output. */
static void record(const char *how, int number)
{
    static char line[2 * ERRORS_MAX + 200];
    char errors[ERRORS_MAX + 1], out[ERRORS_MAX + 1];
    uint64_t length;
    uint64_t hash = file_hash(state.out, &length);
    int n = snprintf(line, sizeof line, "%" PRIu64 "\t%s\t%d\t%" PRIu64 "\t%" PRIx64 "\t%s\t%s\n",
                     state.count, how, number, length, hash, read_text(state.errors, errors),
                     read_text(state.out, out));
    int fd = open(state.records, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, (size_t)n) != n)
        abort();
    (void)close(fd);
}

static void await(pid_t child)
{
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0), status = 0;
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    bool hangs = pidfd >= 0 && poll(&p, 1, HANG_MSEC) == 0;
    if (hangs)
        (void)kill(child, SIGKILL);
    (void)close(pidfd);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (hangs)
        record("hang", 0);
    else if (WIFSIGNALED(status))
        record("signal", WTERMSIG(status));
    else
        record("exit", WEXITSTATUS(status));
}

/* true in the child. Both share the places in open files: the parent's are put back. */
static bool fork_here(void)
{
    static off_t places[FDS_MAX];
    int errnum = errno;
    for (int fd = 0; fd < FDS_MAX; fd++)
        places[fd] = lseek(fd, 0, SEEK_CUR);
    if (ftruncate(state.out, 0) < 0 || ftruncate(state.errors, 0) < 0)
        abort();
    (void)lseek(state.out, 0, SEEK_SET);
    (void)lseek(state.errors, 0, SEEK_SET);
    pid_t child = _Fork();
    if (child < 0)
        abort();
    if (child == 0) {
        state.is_child = true;
        (void)dup2(state.out, 1);
        (void)dup2(state.errors, 2);
        return true;
    }
    await(child);
    for (int fd = 0; fd < FDS_MAX; fd++)
        if (places[fd] >= 0)
            (void)lseek(fd, places[fd], SEEK_SET);
    errno = errnum;
    return false;
}

/* ---- failing ---- */

static void trace(void)
{
    void *frames[FRAMES_MAX];
    state.trace = false;
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), 2);
}

static bool is_due(void)
{
    switch (state.mode) {
    case NTH:
        return state.count == state.nth;
    case EACH:
        return !state.is_child && state.count >= state.nth &&
               (state.count - state.nth) % state.step == 0 && getpid() == state.pid && fork_here();
    case OFF:
    case COUNT:
        break;
    }
    return false;
}

static bool fails(void)
{
    if (state.mode == OFF || state.later)
        return false;
    if (state.failing)
        return true;
    state.count++;
    if (state.counts && state.counts->most < state.count)
        state.counts->most = state.count;
    if (!is_due())
        return false;
    if (state.counts)
        __atomic_add_fetch(&state.counts->failures, 1, __ATOMIC_RELAXED);
    state.failing = state.for_good;
    if (state.trace)
        trace();
    return true;
}

static void *none(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size)
{
    return fails() ? none() : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? none() : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return (size || !old) && fails() ? none() : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
    return fails() ? none() : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? none() : __libc_memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
    void *p = fails() ? NULL : __libc_memalign(alignment, size);
    if (!p)
        return ENOMEM;
    *ret = p;
    return 0;
}

/* ---- time ---- */

/* The agent sleeps by this alone, until a time of the boot clock. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left)
{
    struct timespec t = *until, now;
    if (state.faster > 1 && flags == TIMER_ABSTIME && clock_gettime(clock, &now) == 0) {
        int64_t nsec = (t.tv_sec - now.tv_sec) * 1000000000 + (t.tv_nsec - now.tv_nsec);
        nsec = nsec > 0 ? nsec / (int64_t)state.faster : 0;
        flags = 0;
        t = (struct timespec){.tv_sec = nsec / 1000000000, .tv_nsec = nsec % 1000000000};
    }
    return syscall(SYS_clock_nanosleep, clock, flags, &t, left) < 0 ? errno : 0;
}
