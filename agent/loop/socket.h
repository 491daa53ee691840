/* Framed, bounded messages over local sockets (SOCK_SEQPACKET: the kernel keeps the
 * frames), each frame one JSON object of at most FRAME_BYTES_MAX, with up to FRAME_FDS_MAX
 * descriptors beside it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"

enum { FRAME_BYTES_MAX = 128 * 1024, FRAME_FDS_MAX = 4 };

struct frame_fds {
    int at[FRAME_FDS_MAX];
    size_t count;
};

/* Sends without blocking: 0, -EAGAIN (full), -EMSGSIZE, -EPIPE ... Descriptors are lent. */
int frame_send(int socket, const json_t *message, const struct frame_fds *fds, struct err *e);
/* Receives one frame. 1 with a new reference in *ret; 0 at the end; -EAGAIN; -EBADMSG for what
 * is not one JSON object or is too long. Received descriptors are close-on-exec and the
 * caller's; with `fds` NULL they are closed. */
int frame_receive(int socket, json_t **ret, struct frame_fds *fds, struct err *e);
void frame_fds_close(struct frame_fds *fds);

/* A pair, close-on-exec, non-blocking. */
int socket_pair(int ret[2], struct err *e);

struct peer {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
int socket_peer(int socket, struct peer *ret, struct err *e);

struct root;
/* A listening socket at `path` below the root, mode as given; a dead one there is replaced. */
int socket_listen(const struct root *r, const char *path, mode_t mode, int *ret_fd, struct err *e);
int socket_connect(const struct root *r, const char *path, int *ret_fd, struct err *e);
/* -EAGAIN when nobody waits. */
int socket_accept(int listener, int *ret_fd, struct err *e);
