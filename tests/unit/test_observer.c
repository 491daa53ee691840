/* The observer as a program: its arguments, and that it doesn't begin what it can't do well. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct row {
    const char *arguments;
    int status;
    const char *says;
};

/* Behind a shell, so that descriptor 3, where the agent's socket would be, can be named. */
static void must_end(const struct row *row)
{
    char command[512], out[4096];
    const char *program = getenv("PLANEGUARD_OBSERVER");
    if (!program)
        skip();
    (void)snprintf(command, sizeof command, "exec 2>&1; %s %s </dev/null", program, row->arguments);
    FILE *from = popen(command, "r");
    assert_non_null(from);
    out[fread(out, 1, sizeof out - 1, from)] = '\0';
    int status = pclose(from);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != row->status || !strstr(out, row->says))
        fail_msg("%s: status %d, expected %d and \"%s\":\n%s", row->arguments, status, row->status,
                 row->says, out);
}

static void arguments(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"--version", 0, "planeguard-observer "},
        {"--help", 64, "usage: planeguard-observer [--user NAME], started by planeguard run"},
        {"--user", 64, "usage: "},
        {"--users nobody", 64, "usage: "},
        {"--user nobody more", 64, "usage: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        must_end(&rows[i]);
}

/* Never as root, and never without the agent's socket. */
static void what_it_refuses(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"3</dev/null", 1, "observer: started as root without --user: whom to become?"},
        {"--user root 3</dev/null", 1, "observer: user \"root\" is root, or in its group"},
        {"--user no-such-user 3</dev/null", 1, "observer: there is no user \"no-such-user\""},
        {"--user nobody 3</dev/null", 1, "observer: "},
    };
    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        must_end(&rows[i]);
}

/* It allows itself 256 of them; where these are taken it can't watch anything. */
static void without_descriptors(void **state)
{
    (void)state;
    enum { ALLOWED = 256 };
    static const struct row row = {"--user nobody", 1, "observer: "};
    int taken[ALLOWED], count = 0;
    if (geteuid() != 0)
        skip();
    while (count < ALLOWED && (taken[count] = fcntl(STDIN_FILENO, F_DUPFD, 3)) < ALLOWED)
        assert_true(taken[count++] >= 0);
    must_end(&row);
    for (int i = 0; i < count; i++)
        assert_int_equal(close(taken[i]), 0);
    if (count < ALLOWED)
        assert_int_equal(close(taken[count]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(arguments),
                                       cmocka_unit_test(what_it_refuses),
                                       cmocka_unit_test(without_descriptors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
