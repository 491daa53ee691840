/* crash-case: one case, hindered at one point after the other.
 *
 *   crash-case list                          cases, and whether every step kind has one
 *   crash-case points CASE FOLDER            the calls that the act makes: NAME:N[s] PATH, where s
 *                                            says that it can be made short
 *   crash-case kill CASE FOLDER POINT...     killed at the call's entry
 *   crash-case dead-man CASE FOLDER POINT... the same, and the dead-man goes first
 *   crash-case errno CASE FOLDER POINT=E...  the call gives an error in place of being made
 *   crash-case gone CASE FOLDER POINT...     that call and every one after it gives EIO
 *   crash-case short CASE FOLDER POINT...    half of the bytes are read or written
 *   crash-case power CASE FOLDER POINT...    the disk as it is then; the point "end": after the act
 *
 * After each: recovered twice; a line "good POINT", "bad POINT: why" or "skip why". FOLDER is made,
 * and removed at the end. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cases.h"
#include "cmd/verbs.h"
#include "hinder.h"

static int list(void)
{
    int code = 0;
    for (size_t i = 0; i < crash_case_count; i++)
        (void)printf("%s%s\n", crash_cases[i]->name,
                     crash_cases[i]->has_deadman ? " dead-man" : "");
    for (size_t i = 0; i < step_kind_count; i++) {
        bool has_case = false;
        for (size_t n = 0; n < crash_case_count; n++)
            has_case |= crash_cases[n]->kind && !strcmp(crash_cases[n]->kind, step_kinds[i]->name);
        if (has_case)
            continue;
        (void)fprintf(stderr, "step kind %s has no case: add one to tests/crash/cases.c\n",
                      step_kinds[i]->name);
        code = 1;
    }
    return code;
}

/* planeguard --root DIR recover --overdue USEC: what the dead-man is. */
static int deadman(char **argv)
{
    struct options o = {.root = argv[2], .argc = 2, .argv = argv + 4};
    return cmd_recover(&o);
}

static int usage(void)
{
    (void)fprintf(stderr,
                  "usage: crash-case list | points|kill|dead-man|errno|gone|short|power CASE "
                  "FOLDER [POINT...]\n");
    return 64;
}

int main(int argc, char **argv)
{
    json_setup();
    (void)umask(022);
    if (argc > 3 && strcmp(argv[1], "crictl") == 0)
        return runtime_main(argc, argv);
    if (argc == 6 && strcmp(argv[1], "--root") == 0)
        return deadman(argv);
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list();
    if (argc < 4)
        return usage();
    for (size_t i = 0; i < crash_case_count; i++)
        if (strcmp(crash_cases[i]->name, argv[2]) == 0)
            return hinder(crash_cases[i], argv[1], argv[3], argv + 4, (size_t)(argc - 4));
    (void)fprintf(stderr, "crash-case: no case %s\n", argv[2]);
    return 64;
}
