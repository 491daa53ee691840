#include "loop/socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/own.h"
#include "loop/file.h"
#include "loop/path.h"

enum { BACKLOG = 16 };

union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int) * FRAME_FDS_MAX)];
};

static void put_fds(struct msghdr *m, union control *control, const struct frame_fds *fds)
{
    memset(control, 0, sizeof *control);
    m->msg_control = control->bytes;
    m->msg_controllen = CMSG_SPACE(sizeof(int) * fds->count);
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    assert(c);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * fds->count);
    memcpy(CMSG_DATA(c), fds->at, sizeof(int) * fds->count);
}

int frame_send(int socket, const json_t *message, const struct frame_fds *fds, struct err *e)
{
    OWNED(free) char *text = json_canonical(message);
    size_t length = strlen(text);
    if (length > FRAME_BYTES_MAX)
        return err_set(e, -EMSGSIZE, "a frame of %zu bytes, expected at most %d", length,
                       FRAME_BYTES_MAX);
    struct iovec part = {.iov_base = text, .iov_len = length};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    if (fds && fds->count)
        put_fds(&m, &control, fds);
    ssize_t n;
    do
        n = sendmsg(socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_errno(e, errno, "can't send a frame of %zu bytes", length);
    return 0;
}

/* All descriptors that came, whatever else is wrong with the message: none may leak. */
static void take_fds(struct msghdr *m, struct frame_fds *ret)
{
    ret->count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (ret->count < FRAME_FDS_MAX)
                ret->at[ret->count++] = fd;
            else
                (void)close(fd);
        }
    }
}

void frame_fds_close(struct frame_fds *fds)
{
    for (size_t i = 0; i < fds->count; i++)
        (void)close(fds->at[i]);
    fds->count = 0;
}

static json_t *parse(const char *bytes, size_t length, int flags, struct err *e)
{
    if (flags & (MSG_TRUNC | MSG_CTRUNC)) {
        err_set(e, -EBADMSG, "a frame of more than %d bytes or %d descriptors", FRAME_BYTES_MAX,
                FRAME_FDS_MAX);
        return NULL;
    }
    json_t *value = json_parse(bytes, length, e);
    if (value && !json_is_object(value)) {
        json_decref(value);
        err_set(e, -EBADMSG, "a frame that is no JSON object");
        return NULL;
    }
    return value;
}

static ssize_t receive(int socket, struct msghdr *m, int flags)
{
    ssize_t n;
    do
        n = recvmsg(socket, m, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    return n;
}

int frame_receive(int socket, json_t **ret, struct frame_fds *fds, struct err *e)
{
    struct msghdr look = {0};
    ssize_t n = receive(socket, &look, MSG_PEEK | MSG_TRUNC); /* how long is it? */
    if (n < 0 && errno == EAGAIN)
        return -EAGAIN;
    if (n < 0)
        return err_errno(e, errno, "can't receive a frame");
    size_t room = n < FRAME_BYTES_MAX ? (size_t)n : FRAME_BYTES_MAX;
    OWNED(free) char *bytes = mem_alloc(room + 1);
    struct iovec part = {.iov_base = bytes, .iov_len = room};
    union control control;
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    n = receive(socket, &m, 0);
    if (n < 0)
        return err_errno(e, errno, "can't receive a frame");
    struct frame_fds came = {0};
    take_fds(&m, &came);
    json_t *value = n > 0 ? parse(bytes, (size_t)n, m.msg_flags, e) : NULL;
    if (!value || !fds)
        frame_fds_close(&came);
    if (n == 0)
        return 0;
    if (!value)
        return -EBADMSG;
    if (fds)
        *fds = came;
    *ret = value;
    return 1;
}

int socket_pair(int ret[2], struct err *e)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) < 0)
        return err_errno(e, errno, "can't make a pair of sockets");
    return 0;
}

int socket_peer(int socket, struct peer *ret, struct err *e)
{
    struct ucred c;
    socklen_t length = sizeof c;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &c, &length) < 0)
        return err_errno(e, errno, "can't tell who is at the other end of a socket");
    *ret = (struct peer){.pid = c.pid, .uid = c.uid, .gid = c.gid};
    return 0;
}

/* The address of `path` below the root, through the folder's descriptor: however long the root's
 * path is, and wherever its links lead, it is this folder's socket. */
static int address_of(const struct root *r, const char *path, struct sockaddr_un *ret,
                      int *ret_folder, struct err *e)
{
    const char *slash = strrchr(path, '/');
    OWNED(free)
    char *folder = slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
    int fd = path_open(r, folder, 0, O_PATH | O_DIRECTORY);
    if (fd < 0)
        return err_errno(e, -fd, "%s", folder);
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/%s", fd, slash + 1);
    if ((size_t)n >= sizeof ret->sun_path) {
        (void)close(fd);
        return err_set(e, -ENAMETOOLONG, "%s: too long a name for a socket", path);
    }
    *ret_folder = fd;
    return 0;
}

int socket_listen(const struct root *r, const char *path, mode_t mode, int *ret_fd, struct err *e)
{
    struct sockaddr_un address;
    OWNED(fd_close) int folder = -1;
    int code = address_of(r, path, &address, &folder, e);
    if (code < 0)
        return code;
    OWNED(fd_close) int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return err_errno(e, errno, "can't make a socket");
    /* Whoever held it is dead: we have the lock. */
    if (unlinkat(folder, strrchr(path, '/') + 1, 0) < 0 && errno != ENOENT)
        return err_errno(e, errno, "%s: can't take away the old socket", path);
    if (bind(s, (struct sockaddr *)&address, sizeof address) < 0 ||
        fchmodat(folder, strrchr(path, '/') + 1, mode, 0) < 0 || listen(s, BACKLOG) < 0)
        return err_errno(e, errno, "%s: can't listen", path);
    *ret_fd = TAKE_FD(s);
    return 0;
}

int socket_connect(const struct root *r, const char *path, int *ret_fd, struct err *e)
{
    struct sockaddr_un address;
    OWNED(fd_close) int folder = -1;
    int code = address_of(r, path, &address, &folder, e);
    if (code < 0)
        return code;
    OWNED(fd_close) int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (s < 0)
        return err_errno(e, errno, "can't make a socket");
    if (connect(s, (struct sockaddr *)&address, sizeof address) < 0)
        return err_errno(e, errno, "%s: can't connect", path);
    *ret_fd = TAKE_FD(s);
    return 0;
}

int socket_accept(int listener, int *ret_fd, struct err *e)
{
    int s = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (s < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
        return -EAGAIN;
    if (s < 0)
        return err_errno(e, errno, "can't accept a connection");
    *ret_fd = s;
    return 0;
}
