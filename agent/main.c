/* argv -> one row of the verbs' table -> exit status. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/version.h"
#include "base/words.h"
#include "cmd/verbs.h"
#include "engine/catalog.h"

static const struct verb verbs[] = {
    {"run", "", "the agent, in the foreground", cmd_run},
    {"lint", "[PATH...]", "check documents as `run` would load them", cmd_lint},
    {"kinds", "[KIND]", "probe, step and guard kinds with their fields; reasons", cmd_kinds},
    {"status", "", "what it sees and does, since when", cmd_status},
    {"signals", "", "every signal, how and when it was looked at", cmd_signals},
    {"incidents", "", "all incidents in the journal", cmd_incidents},
    {"show", "ID", "one incident's story", cmd_show},
    {"plan", "[FAILURE]", "what would be done now, with the bytes that would change", cmd_plan},
    {"explain", "[FAILURE|ID]", "why it acted or did not", cmd_explain},
    {"journal", "show|verify", "the record", cmd_journal},
    {"replay", "[JOURNAL]", "decide again what the journal says, or by other documents",
     cmd_replay},
    {"recover", "", "put back what a crash left out", cmd_recover},
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static int usage(FILE *to, int code)
{
    (void)fprintf(
        to, "usage: planeguard [--root DIR] [--shipped DIR] [-o json] VERB [ARGUMENT...]\n\n");
    for (size_t i = 0; i < VERBS; i++)
        (void)fprintf(to, "  %-10s %-14s %s\n", verbs[i].name, verbs[i].arguments,
                      verbs[i].summary);
    (void)fprintf(to, "\n  --root DIR      the node's root folder (default /)\n"
                      "  --shipped DIR   documents in place of /usr/share/planeguard\n"
                      "  -o, --output json   for programs\n"
                      "  --version, --help\n");
    return code;
}

static const struct verb *find_verb(const char *name)
{
    const char *names[VERBS];
    for (size_t i = 0; i < VERBS; i++) {
        if (!strcmp(verbs[i].name, name))
            return &verbs[i];
        names[i] = verbs[i].name;
    }
    const char *near = text_nearest(name, names, VERBS);
    (void)fprintf(stderr,
                  "planeguard: there is no verb \"%s\"%s%s%s; planeguard --help lists them\n", name,
                  near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
    return NULL;
}

/* The value of an option that takes one: "--name value" or "--name=value"; NULL: not this option.
 */
static const char *option_value(char **argv, int argc, int *at, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(argv[*at], name, length) != 0)
        return NULL;
    if (argv[*at][length] == '=')
        return argv[*at] + length + 1;
    if (argv[*at][length] || *at + 1 >= argc)
        return NULL;
    return argv[++*at];
}

static int wrong_option(const char *found)
{
    (void)fprintf(stderr, "planeguard: option \"%s\" is not known or lacks its value; see --help\n",
                  found);
    return EXIT_USAGE;
}

/* One option at argv[*at]; 0 or an exit code. */
static int take_option(struct options *o, char **argv, int argc, int *at)
{
    const char *found = argv[*at], *value;
    if ((value = option_value(argv, argc, at, "--root")))
        o->root = value;
    else if ((value = option_value(argv, argc, at, "--shipped")))
        o->shipped = value;
    else if ((value = option_value(argv, argc, at, "--output")) ||
             (value = option_value(argv, argc, at, "-o"))) {
        if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0) {
            (void)fprintf(stderr, "planeguard: output \"%s\" is not known: json or text\n", value);
            return EXIT_USAGE;
        }
        o->json = !strcmp(value, "json");
    } else
        return wrong_option(found);
    return 0;
}

static bool is_ours(const char *argument)
{
    static const char *const ours[] = {"--root", "--shipped", "--output", "-o"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        size_t length = strlen(ours[i]);
        if (!strncmp(argument, ours[i], length) && (!argument[length] || argument[length] == '='))
            return true;
    }
    return false;
}

/* What was said and didn't get through (a full disk behind a redirection) is no success. */
static int said(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    (void)fprintf(stderr, "planeguard: its output could not all be written\n");
    return code == EXIT_GOOD ? EXIT_ERROR : code;
}

int main(int argc, char **argv)
{
    mem_setup();
    json_setup();
    const struct catalog catalog = catalog_of_rooms();
    struct options o = {.root = "/", .catalog = &catalog};
    const char *name = NULL;
    int kept = 0;
    for (int i = 1; i < argc; i++) {
        int code = 0;
        if (!name && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")))
            return usage(stdout, EXIT_GOOD);
        if (!name && !strcmp(argv[i], "--version")) {
            (void)printf("planeguard %s\n", planeguard_version);
            return EXIT_GOOD;
        }
        if (is_ours(argv[i]))
            code = take_option(&o, argv, argc, &i);
        else if (!name && argv[i][0] == '-')
            code = wrong_option(argv[i]);
        else if (!name)
            name = argv[i];
        else
            argv[kept++] = argv[i]; /* the verb's own; earlier places are read already */
        if (code)
            return code;
    }
    o.argc = kept;
    o.argv = argv;
    if (!name)
        return usage(stderr, EXIT_USAGE);
    const struct verb *verb = find_verb(name);
    return verb ? said(verb->run(&o)) : EXIT_USAGE;
}
