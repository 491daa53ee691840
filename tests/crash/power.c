#include "power.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define IMAGE_BYTES "16M"
#define OPTIONS "loop,noauto_da_alloc,commit=600,nodiscard"

/* Runs it with its words thrown away: its exit code. */
static int run(const char *const *argv)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null >= 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2)
            (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int status = -1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static const char *image(const struct power *p, unsigned number)
{
    static char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/image-%u", p->folder, number);
    return path;
}

static const char *mount_point(const struct power *p)
{
    static char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/mounted", p->folder);
    return path;
}

const char *power_is_possible(const char *folder)
{
    struct power p = {0};
    if (geteuid() != 0)
        return "only root mounts";
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return "no mounts of its own (unshare)";
    (void)snprintf(p.folder, sizeof p.folder, "%s", folder);
    const char *const make[] = {"mkfs.ext4", "-q",   "-F",         "-m",        "0",
                                "-b",        "4096", image(&p, 0), IMAGE_BYTES, NULL};
    if (run(make) != 0)
        return "no mkfs.ext4";
    (void)mkdir(mount_point(&p), 0700);
    const char *const argv[] = {"mount", "-o", OPTIONS, image(&p, 0), mount_point(&p), NULL};
    if (run(argv) != 0)
        return "no loop devices, or no ext4";
    power_umount(&p);
    return NULL;
}

static void must(int code, const char *what)
{
    if (code == 0)
        return;
    (void)fprintf(stderr, "crash-case: %s: exit code %d\n", what, code);
    abort();
}

const char *power_mount(const struct power *p, unsigned number)
{
    if (number == 0) {
        const char *const make[] = {"mkfs.ext4", "-q",   "-F",        "-m",        "0",
                                    "-b",        "4096", image(p, 0), IMAGE_BYTES, NULL};
        (void)unlink(image(p, 0));
        must(run(make), "mkfs.ext4");
    }
    (void)mkdir(mount_point(p), 0700);
    const char *const argv[] = {"mount", "-o", OPTIONS, image(p, number), mount_point(p), NULL};
    must(run(argv), "mount");
    return mount_point(p);
}

void power_umount(const struct power *p)
{
    const char *const argv[] = {"umount", mount_point(p), NULL};
    must(run(argv), "umount");
}

void power_copy(const struct power *p, unsigned number)
{
    static char part[1 << 16];
    int from = open(image(p, 0), O_RDONLY | O_CLOEXEC);
    int to = open(image(p, number), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    off_t at = 0, end;
    assert(from >= 0 && to >= 0);
    for (; (at = lseek(from, at, SEEK_DATA)) >= 0; at = end) {
        end = lseek(from, at, SEEK_HOLE);
        assert(end > at);
        for (off_t done = at; done < end;) {
            size_t want = end - done < (off_t)sizeof part ? (size_t)(end - done) : sizeof part;
            ssize_t got = pread(from, part, want, done);
            assert(got > 0 && pwrite(to, part, (size_t)got, done) == got);
            done += got;
        }
    }
    struct stat st;
    assert(fstat(from, &st) == 0 && ftruncate(to, st.st_size) == 0);
    (void)close(from);
    (void)close(to);
}

void power_forget(const struct power *p, unsigned number)
{
    (void)unlink(image(p, number));
}
