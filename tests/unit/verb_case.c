#include "verb_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

const char *verb_run(const char *root, const char *arguments, int *ret_status)
{
    static char out[1024 * 1024];
    char command[1024];
    const char *program = getenv("PLANEGUARD");
    if (!program)
        skip();
    (void)snprintf(command, sizeof command, "exec 2>&1; %s --root %s --shipped . %s </dev/null",
                   program, root, arguments);
    FILE *from = popen(command, "r");
    assert_non_null(from);
    out[fread(out, 1, sizeof out - 1, from)] = '\0';
    int status = pclose(from);
    assert_true(WIFEXITED(status));
    *ret_status = WEXITSTATUS(status);
    return out;
}

void verb_rows(const char *root, const struct verb_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int status;
        const char *out = verb_run(root, rows[i].arguments, &status);
        bool as_said = rows[i].says ? strstr(out, rows[i].says) != NULL : !*out;
        if (status != rows[i].status || !as_said)
            fail_msg("%s: exit %d, expected %d and \"%s\":\n%s", rows[i].arguments, status,
                     rows[i].status, rows[i].says ? rows[i].says : "", out);
    }
}

void verb_must_say(const char *said, const char *const *words)
{
    for (; *words; words++)
        if (!strstr(said, *words))
            fail_msg("not said: \"%s\":\n%s", *words, said);
}
