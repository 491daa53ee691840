#include "loop/descriptor.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int descriptor_read(int fd, size_t limit_bytes, struct buf *ret, struct err *e)
{
    struct stat s;
    if (fstat(fd, &s) < 0)
        return err_errno(e, errno, "a descriptor that was handed over can't be looked at");
    if (!S_ISREG(s.st_mode))
        return err_set(e, -EINVAL, "a descriptor that was handed over is no regular file");
    char part[8192];
    for (off_t at = 0;;) {
        ssize_t n = pread(fd, part, sizeof part, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, errno, "a descriptor that was handed over can't be read");
        if (n == 0)
            return 0;
        if (ret->length + (size_t)n > limit_bytes)
            return err_set(e, -EFBIG, "a file that was handed over has more than %zu bytes",
                           limit_bytes);
        buf_add(ret, part, (size_t)n);
        at += n;
    }
}
