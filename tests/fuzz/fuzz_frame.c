/* One frame of any bytes with up to seven descriptors: one JSON object or an error, no descriptor
 * left open, none inherited. What was read can be sent and is read again. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "loop/socket.h"

enum { FDS = 8 };

static bool send_raw(int socket, const uint8_t *bytes, size_t length, size_t fds)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * FDS)];
        struct cmsghdr head;
    } control = {0};
    struct iovec io = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    if (fds) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fds);
        int in = STDERR_FILENO;
        for (size_t i = 0; i < fds; i++)
            memcpy(CMSG_DATA(c) + i * sizeof in, &in, sizeof in);
    }
    return sendmsg(socket, &m, MSG_NOSIGNAL) >= 0;
}

static void again(const int pair[2], const json_t *m)
{
    json_t *read = NULL;
    struct err e = {0};
    if (frame_send(pair[0], m, NULL, &e) < 0)
        return;
    fuzz_must(frame_receive(pair[1], &read, NULL, &e) == 1 && json_equal(read, m));
    json_decref(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input in = {bytes, length};
    size_t fds = fuzz_byte(&in) % FDS;
    int before = fuzz_next_descriptor(), pair[2];
    struct err e = {0};
    fuzz_must(socket_pair(pair, &e) == 0);
    if (send_raw(pair[0], in.at, in.left, fds)) {
        struct frame_fds got = {0};
        bool wants = length % 2;
        json_t *m = NULL;
        int code = frame_receive(pair[1], &m, wants ? &got : NULL, &e);
        fuzz_must(code == 1 || code == 0 || code == -EBADMSG);
        fuzz_must((code == 1) == json_is_object(m));
        fuzz_must(got.count <= FRAME_FDS_MAX && (code == 1 || !got.count));
        for (size_t i = 0; i < got.count; i++)
            fuzz_must(fcntl(got.at[i], F_GETFD) == FD_CLOEXEC);
        frame_fds_close(&got);
        if (m)
            again(pair, m);
        json_decref(m);
    }
    (void)close(pair[0]);
    (void)close(pair[1]);
    fuzz_must(fuzz_next_descriptor() == before);
    return 0;
}
