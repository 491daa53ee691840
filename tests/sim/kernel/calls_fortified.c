/* The names under which _FORTIFY_SOURCE calls the same (the program's variants have it): their
 * checks of the buffer's size are the compiler's business and are left out here. */
#include <fcntl.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "kernel/calls.h"

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *bytes, size_t length);
ssize_t __wrap_pread(int fd, void *bytes, size_t length, off_t offset);
ssize_t __wrap_readlinkat(int folder, const char *path, char *text, size_t room);

#define ALIAS(type, name, ...)                                                                     \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

ALIAS(int, __open_2, const char *path, int flags)
{
    return __wrap_open(path, flags);
}

ALIAS(int, __openat_2, int folder, const char *path, int flags)
{
    return __wrap_openat(folder, path, flags);
}

ALIAS(ssize_t, __read_chk, int fd, void *bytes, size_t length, size_t room)
{
    (void)room;
    return __wrap_read(fd, bytes, length);
}

ALIAS(ssize_t, __pread_chk, int fd, void *bytes, size_t length, off_t offset, size_t room)
{
    (void)room;
    return __wrap_pread(fd, bytes, length, offset);
}

ALIAS(ssize_t, __readlinkat_chk, int folder, const char *path, char *text, size_t wanted,
      size_t room)
{
    (void)room;
    return __wrap_readlinkat(folder, path, text, wanted);
}
