#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/own.h"
#include "loop/file.h"
#include "loop/socket.h"

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

struct pair {
    int at[2];
    int open_before;
};

static int setup(void **state)
{
    struct pair *p = mem_new(struct pair);
    struct err e;
    json_setup();
    p->open_before = open_descriptors();
    *state = p;
    return socket_pair(p->at, &e);
}

static int teardown(void **state)
{
    struct pair *p = *state;
    for (int i = 0; i < 2; i++)
        if (p->at[i] >= 0)
            (void)close(p->at[i]);
    int leaked = open_descriptors() - p->open_before;
    free(p);
    return leaked;
}

static void close_end(struct pair *p, int end)
{
    assert_int_equal(close(p->at[end]), 0);
    p->at[end] = -1;
}

/* A frame's object with one key whose text makes it `length` bytes. */
static json_t *message_of(size_t length)
{
    size_t room = length - strlen("{\"k\":\"\"}");
    OWNED(free) char *text = mem_alloc(room + 1);
    memset(text, 'x', room);
    json_t *m = json_object();
    json_put(m, "k", json_string(text));
    return m;
}

/* Sends raw bytes with `fd_count` copies of standard input. */
static void send_raw(int socket, const void *bytes, size_t length, size_t fd_count)
{
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * 32)];
    } control = {0};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count) {
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        assert_non_null(c);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memset(CMSG_DATA(c), 0, sizeof(int) * fd_count);
    }
    assert_int_equal(sendmsg(socket, &m, MSG_NOSIGNAL), length);
}

static void test_frames_keep_their_order_and_bounds(void **state)
{
    struct pair *p = *state;
    static const size_t lengths[] = {8, 9, 4096, FRAME_BYTES_MAX - 1, FRAME_BYTES_MAX};
    struct err e;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        OWNED(json_decref) json_t *m = message_of(lengths[i]);
        OWNED(json_decref) json_t *got = NULL;
        assert_int_equal(frame_send(p->at[0], m, NULL, &e), 0);
        assert_int_equal(frame_receive(p->at[1], &got, NULL, &e), 1);
        assert_true(json_equal(m, got));
    }
    OWNED(json_decref) json_t *small = message_of(10);
    OWNED(json_decref) json_t *big = message_of(20);
    OWNED(json_decref) json_t *first = NULL;
    OWNED(json_decref) json_t *second = NULL;
    assert_int_equal(frame_send(p->at[0], small, NULL, &e), 0);
    assert_int_equal(frame_send(p->at[0], big, NULL, &e), 0);
    assert_int_equal(frame_receive(p->at[1], &first, NULL, &e), 1);
    assert_int_equal(frame_receive(p->at[1], &second, NULL, &e), 1);
    assert_true(json_equal(first, small) && json_equal(second, big));
    OWNED(json_decref) json_t *huge = message_of(FRAME_BYTES_MAX + 1);
    assert_int_equal(frame_send(p->at[0], huge, NULL, &e), -EMSGSIZE);
}

static void test_what_is_no_frame(void **state)
{
    struct pair *p = *state;
    static char oversize[FRAME_BYTES_MAX + 1];
    memset(oversize, ' ', sizeof oversize);
    oversize[0] = '{';
    oversize[1] = '}';
    const struct {
        const char *bytes;
        size_t length, fd_count;
    } cases[] = {
        {"x", 1, 0},
        {"\0", 1, 0},
        {"{", 1, 0},
        {"{} {}", 5, 0},
        {"[]", 2, 0},
        {"null", 4, 0},
        {"\"text\"", 6, 4},
        {"{\"a\":1,\"a\":2}", 13, 0},
        {"{\"a\":\"\xff\"}", 9, 0},
        {"{\"a\":\"\\u0000\"}", 14, 0},
        {oversize, sizeof oversize, 0},
        {oversize, sizeof oversize, 3},
        {"{}", 2, FRAME_FDS_MAX + 1},
        {"{}", 2, 32},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e;
        json_t *got = NULL;
        struct frame_fds fds = {0};
        int before = open_descriptors();
        send_raw(p->at[0], cases[i].bytes, cases[i].length, cases[i].fd_count);
        assert_int_equal(frame_receive(p->at[1], &got, &fds, &e), -EBADMSG);
        assert_null(got);
        assert_int_equal(fds.count, 0);
        assert_int_equal(open_descriptors(), before);
    }
    /* And goes on after all of them. */
    struct err e;
    OWNED(json_decref) json_t *m = message_of(10);
    OWNED(json_decref) json_t *got = NULL;
    assert_int_equal(frame_send(p->at[0], m, NULL, &e), 0);
    assert_int_equal(frame_receive(p->at[1], &got, NULL, &e), 1);
}

static void test_descriptors(void **state)
{
    struct pair *p = *state;
    struct err e;
    OWNED(json_decref) json_t *m = message_of(10);
    for (size_t count = 0; count <= FRAME_FDS_MAX; count++) {
        struct frame_fds sent = {.count = count}, came = {0};
        for (size_t i = 0; i < count; i++)
            sent.at[i] = open("/dev/null", O_RDONLY);
        int before = open_descriptors();
        json_t *got = NULL;
        assert_int_equal(frame_send(p->at[0], m, &sent, &e), 0);
        assert_int_equal(frame_receive(p->at[1], &got, &came, &e), 1);
        json_decref(got);
        assert_int_equal(came.count, count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(fcntl(came.at[i], F_GETFD), FD_CLOEXEC);
        assert_int_equal(open_descriptors(), before + (int)count);
        frame_fds_close(&came);
        assert_int_equal(came.count, 0);
        /* Nobody wants them: closed. */
        assert_int_equal(frame_send(p->at[0], m, &sent, &e), 0);
        assert_int_equal(frame_receive(p->at[1], &got, NULL, &e), 1);
        json_decref(got);
        assert_int_equal(open_descriptors(), before);
        frame_fds_close(&sent);
    }
}

static void test_ends(void **state)
{
    struct pair *p = *state;
    struct err e;
    json_t *got = NULL;
    OWNED(json_decref) json_t *m = message_of(1000);
    assert_int_equal(frame_receive(p->at[1], &got, NULL, &e), -EAGAIN);
    int sent = 0, code;
    while ((code = frame_send(p->at[0], m, NULL, &e)) == 0)
        sent++;
    assert_int_equal(code, -EAGAIN);
    close_end(p, 0);
    for (int i = 0; i < sent; i++) {
        assert_int_equal(frame_receive(p->at[1], &got, NULL, &e), 1);
        json_decref(got);
    }
    assert_int_equal(frame_receive(p->at[1], &got, NULL, &e), 0);
    assert_int_equal(frame_send(p->at[1], m, NULL, &e), -EPIPE);
}

static void test_pair_is_ours_alone(void **state)
{
    struct pair *p = *state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fcntl(p->at[i], F_GETFD), FD_CLOEXEC);
        assert_true(fcntl(p->at[i], F_GETFL) & O_NONBLOCK);
    }
}

/* ---- listening ---- */

static void test_listen(void **state)
{
    (void)state;
    struct err e;
    OWNED(root_free) struct root *root = NULL;
    char folder[128] = "/tmp/planeguard-socket-XXXXXX";
    assert_non_null(mkdtemp(folder));
    /* Longer than a socket's address may be. */
    size_t length = strlen(folder);
    memset(folder + length, 'l', 120 - length);
    folder[length] = '/';
    folder[120] = '\0';
    assert_int_equal(mkdir(folder, 0755), 0);
    assert_int_equal(root_open(folder, &root, &e), 0);
    int client = -1, listener = -1, server = -1;
    assert_int_equal(socket_connect(root, "/no/such", &client, &e), -ENOENT);
    assert_int_equal(socket_connect(root, "/control", &client, &e), -ENOENT);
    for (int generation = 0; generation < 2; generation++) { /* the second replaces a dead one */
        struct file_status s;
        assert_int_equal(socket_listen(root, "/control", 0640, &listener, &e), 0);
        assert_int_equal(file_status(root, "/control", 0, &s, &e), 0);
        assert_int_equal(s.mode & 0777, 0640);
        assert_int_equal(socket_accept(listener, &server, &e), -EAGAIN);
        assert_int_equal(socket_connect(root, "/control", &client, &e), 0);
        assert_int_equal(socket_accept(listener, &server, &e), 0);
        struct peer peer;
        assert_int_equal(socket_peer(server, &peer, &e), 0);
        assert_int_equal(peer.pid, getpid());
        assert_int_equal(peer.uid, geteuid());
        OWNED(json_decref) json_t *m = message_of(10);
        OWNED(json_decref) json_t *got = NULL;
        assert_int_equal(frame_send(client, m, NULL, &e), 0);
        assert_int_equal(frame_receive(server, &got, NULL, &e), 1);
        (void)close(client);
        (void)close(server);
        (void)close(listener);
        assert_int_equal(socket_connect(root, "/control", &client, &e), -ECONNREFUSED);
    }
    OWNED(free) char *removal = mem_printf("rm -rf %.*s", (int)length, folder);
    assert_int_equal(system(removal), 0);
}

/* A link that leads out of the root leads to the same path below it, or nowhere. */
static void test_listen_stays_below_the_root(void **state)
{
    (void)state;
    struct err e;
    OWNED(root_free) struct root *root = NULL;
    char folder[] = "/tmp/planeguard-socket-XXXXXX";
    assert_non_null(mkdtemp(folder));
    OWNED(free) char *below = mem_printf("%s/root", folder);
    OWNED(free) char *link = mem_printf("%s/root/out", folder);
    OWNED(free) char *outside = mem_printf("%s/control", folder);
    assert_int_equal(mkdir(below, 0755), 0);
    assert_int_equal(symlink(folder, link), 0);
    assert_int_equal(root_open(below, &root, &e), 0);
    int listener = -1;
    assert_true(socket_listen(root, "/out/control", 0600, &listener, &e) < 0);
    assert_true(socket_listen(root, "/../control", 0600, &listener, &e) < 0 ||
                access(outside, F_OK) < 0);
    assert_int_equal(access(outside, F_OK), -1);
    if (listener >= 0)
        (void)close(listener);
    OWNED(free) char *removal = mem_printf("rm -rf %s", folder);
    assert_int_equal(system(removal), 0);
}

#define OF_PAIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OF_PAIR(test_frames_keep_their_order_and_bounds),
        OF_PAIR(test_what_is_no_frame),
        OF_PAIR(test_descriptors),
        OF_PAIR(test_ends),
        OF_PAIR(test_pair_is_ours_alone),
        cmocka_unit_test(test_listen),
        cmocka_unit_test(test_listen_stays_below_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
