#include "loop/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/mem.h"

struct stream {
    int fd;
    char *path;
    uint64_t at, length;
};

void stream_close(struct stream *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        (void)close(s->fd);
    free(s->path);
    free(s);
}

int stream_look(struct stream *s, struct err *e)
{
    struct stat st;
    if (fstat(s->fd, &st) < 0)
        return err_errno(e, errno, "%s: can't be looked at", s->path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, -EINVAL, "%s: not a regular file", s->path);
    s->length = (uint64_t)st.st_size;
    return 0;
}

int stream_open(const struct root *r, const char *path, struct stream **ret, struct err *e)
{
    OWNED(stream_close) struct stream *s = mem_new(struct stream);
    s->path = mem_strdup(path);
    s->fd = file_open(r, path, 0, e);
    if (s->fd < 0)
        return s->fd;
    int code = stream_look(s, e);
    if (code < 0)
        return code;
    (void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    *ret = TAKE(s);
    return 0;
}

ssize_t stream_read(struct stream *s, void *bytes, size_t room, struct err *e)
{
    if (s->at >= s->length)
        return 0;
    if (room > s->length - s->at)
        room = (size_t)(s->length - s->at);
    for (;;) {
        ssize_t n = pread(s->fd, bytes, room, (off_t)s->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, errno, "%s: can't be read", s->path);
        if (n == 0)
            s->length = s->at; /* cut shorter meanwhile */
        s->at += (uint64_t)n;
        return n;
    }
}

uint64_t stream_length(const struct stream *s)
{
    return s->length;
}
