/* Paths below a root with folders, links inside and links that would lead out: the kernel's walk
 * and our own come to the same file or both to none, and never to one outside. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "loop/path.h"

static void prepare(void)
{
    static bool is_done;
    static const char *const links[][2] = {
        {"/", "/x/a/l"},      {"..", "/x/a/u"},          {"../../../../etc", "/x/a/o"},
        {"s", "/x/a/s"},      {"/etc/passwd", "/x/p"},   {"/x/a/b", "/x/b"},
        {"a/../b/f", "/x/r"}, {"/proc/self/cwd", "/x/c"}};
    if (is_done)
        return;
    is_done = true;
    fuzz_folder("/x/a/b");
    fuzz_write("/x/f", "f", 1);
    fuzz_write("/x/a/b/f", "g", 1);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        fuzz_must(symlink(links[i][0], fuzz_path(links[i][1])) == 0);
}

static void compare(const char *path, int flags, int open_flags, dev_t device)
{
    struct stat kernels = {0}, ours = {0};
    int one = path_open(fuzz_root(), path, flags, open_flags);
    int other = path_walk(fuzz_root(), path, flags, open_flags);
    fuzz_must((one < 0) == (other < 0));
    if (one < 0)
        return;
    fuzz_must(fstat(one, &kernels) == 0 && fstat(other, &ours) == 0);
    fuzz_must(kernels.st_ino == ours.st_ino && kernels.st_dev == ours.st_dev);
    fuzz_must(kernels.st_dev == device);
    (void)close(one);
    (void)close(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct stat top;
    char *path = fuzz_text(bytes, length);
    prepare();
    fuzz_must(fstat(fuzz_root()->fd, &top) == 0);
    compare(path, 0, O_RDONLY | O_NONBLOCK, top.st_dev);
    compare(path, FILE_FOLLOW, O_RDONLY | O_NONBLOCK, top.st_dev);
    compare(path, 0, O_PATH, top.st_dev);
    compare(path, FILE_FOLLOW, O_PATH | O_DIRECTORY, top.st_dev);
    struct err e = {0};
    const char *name = NULL;
    int parent = path_parent(fuzz_root(), path, &name, &e);
    fuzz_must(parent < 0 ||
              (name >= path && *name && !strchr(name, '/') && strcmp(name, "..") != 0));
    if (parent >= 0)
        (void)close(parent);
    free(path);
    return 0;
}
