/* Sockets, watches on folders and giving up privileges, when a system call fails. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/own.h"
#include "loop/file.h"
#include "loop/privilege.h"
#include "loop/socket.h"
#include "loop/watch.h"
#include "wrapped/wrapped.h"

struct desk {
    char folder[40];
    struct root *root;
    struct loop *loop;
    struct err e;
    int open_before;
};

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void never(void *context)
{
    (void)context;
    fail();
}

static int setup(void **state)
{
    struct timer *first = NULL; /* with it a loop gets a descriptor that it keeps */
    struct desk *n = mem_new(struct desk);
    strcpy(n->folder, "/tmp/planeguard-socket-XXXXXX");
    assert_non_null(mkdtemp(n->folder));
    assert_int_equal(root_open(n->folder, &n->root, &n->e), 0);
    assert_int_equal(folder_make(n->root, "/run", 0755, &n->e), 0);
    assert_int_equal(loop_new(&n->loop, &n->e), 0);
    assert_int_equal(timer_new(n->loop, never, NULL, &first, &n->e), 0);
    timer_free(first);
    n->open_before = open_descriptors();
    *state = n;
    return 0;
}

static int teardown(void **state)
{
    struct desk *n = *state;
    char command[64];
    wrapped_set(NULL, 0);
    int leaked = open_descriptors() - n->open_before;
    (void)snprintf(command, sizeof command, "rm -rf %s", n->folder);
    int failed = system(command);
    loop_free(n->loop);
    root_free(n->root);
    free(n);
    return leaked || failed;
}

static void strike(const char *call, int after, int count, int errnum)
{
    wrapped_set(&(struct wrapped_fault){call, after, count, errnum, NULL, NULL}, 1);
}

/* ---- frames ---- */

static void test_frames(void **state)
{
    struct desk *n = *state;
    int at[2];
    strike("socketpair", 0, 1, EMFILE);
    assert_int_equal(socket_pair(at, &n->e), -EMFILE);
    assert_int_equal(socket_pair(at, &n->e), 0);
    OWNED(json_decref) json_t *sent = json_object();
    json_t *came = NULL;
    strike("sendmsg", 0, 2, EINTR);
    assert_int_equal(frame_send(at[0], sent, NULL, &n->e), 0);
    strike("recvmsg", 0, 2, EINTR);
    assert_int_equal(frame_receive(at[1], &came, NULL, &n->e), 1);
    json_decref(came);
    assert_int_equal(frame_send(at[0], sent, NULL, &n->e), 0);
    for (int after = 0; after < 2; after++) {
        strike("recvmsg", after, 1, EIO);
        assert_int_equal(frame_receive(at[1], &came, NULL, &n->e), -EIO);
    }
    assert_int_equal(frame_receive(at[1], &came, NULL, &n->e), 1);
    json_decref(came);
    (void)close(at[0]);
    (void)close(at[1]);
}

/* Other words of the kernel's stand beside the descriptors. */
static void test_frames_with_credentials(void **state)
{
    struct desk *n = *state;
    int at[2], on = 1;
    assert_int_equal(socket_pair(at, &n->e), 0);
    assert_int_equal(setsockopt(at[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    OWNED(json_decref) json_t *sent = json_object();
    json_t *came = NULL;
    assert_int_equal(frame_send(at[0], sent, NULL, &n->e), 0);
    struct frame_fds fds = {0};
    int code = frame_receive(at[1], &came, &fds, &n->e);
    assert_int_equal(fds.count, 0);
    assert_int_equal(code, 1);
    json_decref(came);
    (void)close(at[0]);
    (void)close(at[1]);
}

/* ---- listening, connecting ---- */

static void test_listening_each_call_fails(void **state)
{
    struct desk *n = *state;
    static const char *const calls[] = {"socket", "unlinkat", "bind", "fchmodat", "listen"};
    int listener = -1, client = -1, served = -1;
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        strike(calls[k], 0, 1, EACCES);
        assert_int_equal(socket_listen(n->root, "/run/a.sock", 0600, &listener, &n->e), -EACCES);
        assert_int_equal(listener, -1);
    }
    char longest[160];
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "/run/", 5);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(socket_listen(n->root, longest, 0600, &listener, &n->e), -ENAMETOOLONG);
    assert_non_null(strstr(n->e.text, "too long a name for a socket"));
    assert_int_equal(socket_listen(n->root, "/run/a.sock", 0600, &listener, &n->e), 0);
    strike("socket", 0, 1, EMFILE);
    assert_int_equal(socket_connect(n->root, "/run/a.sock", &client, &n->e), -EMFILE);
    assert_int_equal(socket_connect(n->root, "/run/a.sock", &client, &n->e), 0);
    static const struct {
        int errnum, code;
    } accepts[] = {{EAGAIN, -EAGAIN}, {EINTR, -EAGAIN}, {ECONNABORTED, -EAGAIN}, {EMFILE, -EMFILE}};
    for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++) {
        strike("accept4", 0, 1, accepts[i].errnum);
        assert_int_equal(socket_accept(listener, &served, &n->e), accepts[i].code);
    }
    assert_int_equal(socket_accept(listener, &served, &n->e), 0);
    struct peer p = {0};
    strike("getsockopt", 0, 1, ENOTSOCK);
    assert_int_equal(socket_peer(served, &p, &n->e), -ENOTSOCK);
    (void)close(listener);
    (void)close(client);
    (void)close(served);
}

/* ---- watches ---- */

static void count(void *context, const char *name)
{
    (void)name;
    ++*(int *)context;
}

static void test_watch_each_call_fails(void **state)
{
    struct desk *n = *state;
    static const struct {
        struct wrapped_fault fault, more;
        int code;
        const char *words;
    } cases[] = {
        {{.call = "open", .count = 1, .errnum = EMFILE}, {.call = ""}, -EMFILE, "descriptor"},
        {{.call = "inotifytools_initialize", .count = 1},
         {.call = "inotifytools_error", .count = 1, .errnum = ENOSYS},
         -ENOSYS,
         "can't start inotify"},
        {{.call = "readlink", .count = 1, .errnum = EACCES}, {.call = ""}, -EBADF, "found \"\""},
        {{.call = "fcntl", .count = 1, .errnum = EPERM}, {.call = ""}, -EBADF, "inotify's"},
        {{.call = "sd_event_add_io", .count = 1, .errnum = EIO}, {.call = ""}, -EIO, "wait for"},
        {{.call = "sd_event_add_time", .count = 1, .errnum = EIO}, {.call = ""}, -EIO, "wait for"},
        {{.call = "inotifytools_watch_file", .count = 1},
         {.call = "inotifytools_error", .count = 1, .errnum = ENOSPC},
         -ENOSPC,
         "can't watch /run"},
        {{.call = "inotifytools_watch_file", .count = 1},
         {.call = "inotifytools_error", .count = 1, .errnum = 0},
         -EIO,
         "can't watch /run"},
        {{.call = "fstat", .count = 1, .errnum = EIO}, {.call = ""}, -EIO, "can't watch /run"},
    };
    int told = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct wrapped_fault both[] = {cases[i].fault, cases[i].more};
        struct watch *w = NULL;
        wrapped_set(both, 2);
        assert_int_equal(watch_new(n->loop, n->root, "/run", count, &told, &w, &n->e),
                         cases[i].code);
        assert_non_null(strstr(n->e.text, cases[i].words));
        assert_null(w);
    }
    wrapped_set(NULL, 0);
    struct watch *w = NULL;
    assert_int_equal(watch_new(n->loop, n->root, "/run/./", count, &told, &w, &n->e), 0);
    OWNED(loop_free) struct loop *other = NULL;
    struct watch *second = NULL;
    assert_int_equal(loop_new(&other, &n->e), 0);
    assert_int_equal(watch_new(other, n->root, "/run", count, &told, &second, &n->e), -EBUSY);
    /* The folder above is to be looked at more closely now, and that fails. */
    const struct wrapped_fault widen[] = {
        {.call = "inotifytools_watch_file", .count = 1},
        {.call = "inotifytools_error", .count = 1, .errnum = ENOSPC},
    };
    wrapped_set(widen, 2);
    assert_int_equal(watch_new(n->loop, n->root, "/a", count, &told, &second, &n->e), 0);
    wrapped_set(NULL, 0);
    watch_free(second);
    watch_free(w);
}

/* Folders of several file systems, whose numbers may be the same. */
static void test_watch_over_file_systems(void **state)
{
    struct desk *n = *state;
    OWNED(root_free) struct root *host = NULL;
    struct watch *w = NULL;
    int told = 0;
    assert_int_equal(root_open("/", &host, &n->e), 0);
    assert_int_equal(watch_new(n->loop, host, "/proc/sys", count, &told, &w, &n->e), 0);
    watch_free(w);
}

/* The library behind the watches can't wait for descriptors from 1024 on. */
static void test_watch_with_too_many_descriptors(void **state)
{
    struct desk *n = *state;
    struct rlimit before, many;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    if (before.rlim_max < FD_SETSIZE + 8)
        skip();
    many = before;
    many.rlim_cur = FD_SETSIZE + 8;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &many), 0);
    int fds[FD_SETSIZE], used = 0, told = 0;
    do
        fds[used] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (fds[used] >= 0 && fds[used++] < FD_SETSIZE - 1);
    struct watch *w = NULL;
    int code = watch_new(n->loop, n->root, "/run", count, &told, &w, &n->e);
    while (used > 0)
        (void)close(fds[--used]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(code, -EMFILE);
    assert_string_equal(n->e.text, "descriptor 1024 is too high for inotify: Too many open files");
}

/* ---- privileges ---- */

/* In a process of its own, since there is no way back. */
static int dropped(const char *user, const struct wrapped_fault *faults, size_t faults_count,
                   const char *words)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = {0};
        wrapped_set(faults, faults_count);
        int code = privilege_drop(user, &e);
        _exit(code < 0 && words && !strstr(e.text, words) ? 255 : -code);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

static void test_privileges_each_call_fails(void **state)
{
    (void)state;
    enum { SOMEBODY = 1000 };
    if (geteuid() != 0)
        skip();
    static const struct {
        const char *user, *call;
        int after, errnum, code;
        const char *words;
    } cases[] = {
        {"nobody", "setgroups", 0, EPERM, -EPERM, "can't become user \"nobody\""},
        {"nobody", "setresgid", 0, EPERM, -EPERM, "can't become user \"nobody\""},
        {"nobody", "setresuid", 0, EPERM, -EPERM, "can't become user \"nobody\""},
        {"nobody", "setuid", 0, 0, -EPERM, "could become root again"},
        {"nobody", "getuid", 0, SOMEBODY, -EPERM, "could become root again"},
        {"nobody", "geteuid", 1, SOMEBODY, -EPERM, "could become root again"},
        {"nobody", "prctl", 0, EPERM, -EPERM, "can't ask to end with the agent"},
        {"nobody", "prctl", 1, EPERM, -EPERM, "can't give up privileges"},
        {"nobody", "prctl", 2, EPERM, -EPERM, "can't give up privileges"},
        {"nobody", "setrlimit", 0, EPERM, -EPERM, "can't give up privileges"},
        {"nobody", "setrlimit", 1, EPERM, -EPERM, "can't give up privileges"},
        {"nobody", "getpwnam", 0, 0, -ENOENT, "there is no user"},
        {"root", "", 0, 0, -EPERM, "is root, or in its group"},
        {"sync", "setrlimit", 2, 0, 0, NULL},
        {NULL, "", 0, 0, -EINVAL, "whom to become?"},
        {NULL, "geteuid", 0, SOMEBODY, 0, NULL}, /* not root: nobody to become */
        {"nobody", "", 0, 0, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct wrapped_fault f = {cases[i].call,   cases[i].after, 1,
                                        cases[i].errnum, NULL,           NULL};
        int code = dropped(cases[i].user, &f, 1, cases[i].words);
        if (code != cases[i].code)
            fail_msg("case %zu: %d", i, code);
    }
}

int main(void)
{
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        A_TEST(test_frames),
        A_TEST(test_frames_with_credentials),
        A_TEST(test_listening_each_call_fails),
        A_TEST(test_watch_each_call_fails),
        A_TEST(test_watch_over_file_systems),
        A_TEST(test_watch_with_too_many_descriptors),
        cmocka_unit_test(test_privileges_each_call_fails),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
