/* Descriptors that came from somebody else. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/own.h"
#include "loop/descriptor.h"

static int file_of(size_t length)
{
    OWNED(free) char *bytes = mem_alloc(length + 1);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(i % 251);
    int fd = memfd_create("file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    return fd;
}

static void test_limits(void **state)
{
    (void)state;
    static const struct {
        size_t length, limit;
        int code;
    } cases[] = {
        {0, 0, 0},
        {0, 100, 0},
        {1, 0, -EFBIG},
        {99, 100, 0},
        {100, 100, 0},
        {101, 100, -EFBIG},
        {8191, 8192, 0},
        {8192, 8192, 0},
        {8193, 8192, -EFBIG},
        {100000, 100000, 0},
        {100001, 100000, -EFBIG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OWNED(fd_close) int fd = file_of(cases[i].length);
        OWNED(buf_fini) struct buf b = {0};
        struct err e;
        assert_int_equal(descriptor_read(fd, cases[i].limit, &b, &e), cases[i].code);
        assert_true(b.length <= cases[i].limit);
        if (cases[i].code < 0)
            continue;
        assert_int_equal(b.length, cases[i].length);
        for (size_t k = 0; k < b.length; k++)
            assert_int_equal((unsigned char)b.bytes[k], k % 251);
    }
}

/* From the beginning, wherever its position is, which stays there. */
static void test_position(void **state)
{
    (void)state;
    OWNED(fd_close) int fd = file_of(1000);
    struct err e;
    for (off_t at = 0; at <= 1000; at += 500) {
        OWNED(buf_fini) struct buf b = {0};
        assert_int_equal(lseek(fd, at, SEEK_SET), at);
        assert_int_equal(descriptor_read(fd, 1000, &b, &e), 0);
        assert_int_equal(b.length, 1000);
        assert_int_equal(lseek(fd, 0, SEEK_CUR), at);
    }
}

static void test_sealed(void **state)
{
    (void)state;
    OWNED(fd_close) int fd = file_of(10);
    OWNED(buf_fini) struct buf b = {0};
    struct err e;
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), 0);
    assert_int_equal(descriptor_read(fd, 10, &b, &e), 0);
    assert_int_equal(b.length, 10);
}

/* What could wait for ever, never ends, or isn't there. */
static void test_not_files(void **state)
{
    (void)state;
    int pipe_ends[2], sockets[2];
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    const struct {
        int fd, code;
    } cases[] = {
        {pipe_ends[0], -EINVAL},
        {sockets[0], -EINVAL},
        {open("/dev/zero", O_RDONLY | O_CLOEXEC), -EINVAL},
        {open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), -EINVAL},
        {open("/etc/passwd", O_PATH | O_CLOEXEC), -EBADF},
        {open("/dev/null", O_WRONLY | O_CLOEXEC), -EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OWNED(buf_fini) struct buf b = {0};
        struct err e = {0};
        assert_int_equal(descriptor_read(cases[i].fd, 100, &b, &e), cases[i].code);
        assert_true(*e.text);
        assert_int_equal(b.length, 0);
        (void)close(cases[i].fd);
    }
    OWNED(buf_fini) struct buf b = {0};
    struct err e;
    assert_int_equal(descriptor_read(-1, 100, &b, &e), -EBADF);
    (void)close(pipe_ends[1]);
    (void)close(sockets[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_position),
        cmocka_unit_test(test_sealed),
        cmocka_unit_test(test_not_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
