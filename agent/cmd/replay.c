/* `planeguard replay [JOURNAL] [--policy P] [--playbooks D]`: the journal's events through the
 * core again. Reads only, also while the agent runs.
 *
 *   replay                      do they make the very decisions that are recorded?
 *   --policy NAME|FILE          what another policy would have decided
 *   --playbooks PATH            ... other documents, on top of those that were in force
 *
 * JOURNAL is a folder below --root, the node's own where none is named. 0 the same, 1 it differs
 * (replay: the first difference is shown), 2 it can't be read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/own.h"
#include "cmd/ask.h"
#include "cmd/replay.h"
#include "cmd/verbs.h"
#include "engine/replay.h"
#include "record/journal.h"

struct arguments {
    const char *journal;
    struct generation_asked asked;
};

/* ---- for people ---- */

const char *replay_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void replay_say_gaps(const struct replay_result *r)
{
    for (size_t i = 0; i < r->gap_count; i++) {
        (void)printf("    %s: ", r->gaps[i].where);
        say_text(r->gaps[i].why);
        (void)printf(" (%" PRIu64 " time%s)\n", r->gaps[i].count, replay_plural(r->gaps[i].count));
    }
}

static void print_counts(const struct replay_result *r)
{
    char time[DURATION_TEXT];
    (void)printf("  %" PRIu64 " run%s (%" PRIu64 " not ended by a stop), %s by the agent's clock\n",
                 r->runs, replay_plural(r->runs), r->runs_cut_short,
                 duration_about(r->boot_usec, time));
    (void)printf("  %" PRIu64 " record%s: %" PRIu64 " event%s, %" PRIu64 " decision%s and %" PRIu64
                 " state%s compared\n",
                 r->records, replay_plural(r->records), r->events, replay_plural(r->events),
                 r->decisions, replay_plural(r->decisions), r->states, replay_plural(r->states));
    if (r->unproven_events || r->gap_count)
        (void)printf("  not compared: %" PRIu64 " event%s\n", r->unproven_events,
                     replay_plural(r->unproven_events));
    replay_say_gaps(r);
}

static void print_difference(const struct replay_result *r)
{
    (void)printf("differs: record %" PRIu64 ", %s:%" PRIu64 ": ", r->seq, r->file, r->line);
    say_text(r->what);
    (void)puts("");
    (void)printf("  the core:    ");
    say_text(r->expected ? r->expected : "nothing");
    (void)printf("\n  the journal: ");
    say_text(r->found ? r->found : "nothing");
    (void)puts("");
}

static void print(const struct replay_result *r)
{
    if (r->verdict == REPLAY_DIFFERS)
        print_difference(r);
    else if (r->verdict == REPLAY_SAME)
        (void)printf("the same: every decision that could be compared\n");
    if (r->records)
        print_counts(r);
}

/* ---- for programs ---- */

json_t *replay_gaps_json(const struct replay_result *r)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->gap_count; i++) {
        json_t *one = json_object();
        json_put(one, "why", json_string_or_null(r->gaps[i].why));
        json_put(one, "where", json_string_or_null(r->gaps[i].where));
        json_put(one, "count", json_integer((json_int_t)r->gaps[i].count));
        json_push(all, one);
    }
    return all;
}

static json_t *difference_json(const struct replay_result *r)
{
    if (r->verdict != REPLAY_DIFFERS)
        return json_null();
    json_t *one = json_object();
    json_put(one, "seq", json_integer((json_int_t)r->seq));
    json_put(one, "file", json_string_or_null(r->file));
    json_put(one, "line", json_integer((json_int_t)r->line));
    json_put(one, "what", json_string_or_null(r->what));
    json_put(one, "expected", json_string_or_null(r->expected));
    json_put(one, "found", json_string_or_null(r->found));
    return one;
}

static void put_count(json_t *obj, const char *key, uint64_t count)
{
    json_put(obj, key, json_integer((json_int_t)count));
}

static void print_json(const struct replay_result *r, const struct err *e)
{
    static const char *const words[] = {"same", "differs", "unreadable"};
    OWNED(json_decref) json_t *answer = json_object();
    json_put(answer, "verdict", json_string(words[r->verdict]));
    json_put(answer, "why",
             r->verdict == REPLAY_UNREADABLE ? json_string_or_null(e->text) : json_null());
    put_count(answer, "records", r->records);
    put_count(answer, "runs", r->runs);
    put_count(answer, "runsCutShort", r->runs_cut_short);
    put_count(answer, "events", r->events);
    put_count(answer, "decisions", r->decisions);
    put_count(answer, "states", r->states);
    put_count(answer, "notComparedEvents", r->unproven_events);
    put_count(answer, "usec", r->boot_usec);
    json_put(answer, "notCompared", replay_gaps_json(r));
    json_put(answer, "difference", difference_json(r));
    say_json(answer);
}

static int compare(const struct options *o, const struct root *root, const char *folder)
{
    OWNED(replay_result_fini) struct replay_result r;
    struct err e = {0};
    enum replay_verdict verdict = replay_journal(root, folder, o->catalog, &r, &e);
    if (verdict == REPLAY_UNREADABLE)
        (void)fprintf(stderr, "planeguard replay: %s\n", e.text);
    if (o->json)
        print_json(&r, &e);
    else
        print(&r);
    return (int)verdict;
}

/* ---- arguments ---- */

static int usage(const char *found)
{
    (void)fprintf(stderr, "planeguard replay: not understood: %s\n", found);
    (void)fputs("usage: planeguard replay [JOURNAL] [--policy NAME|FILE] [--playbooks PATH]\n",
                stderr);
    return EXIT_USAGE;
}

/* "--name VALUE" and "--name=VALUE". */
static bool take(int argc, char **argv, int *at, const char *name, const char **ret)
{
    size_t length = strlen(name);
    if (strncmp(argv[*at], name, length) != 0)
        return false;
    if (argv[*at][length] == '=')
        *ret = argv[*at] + length + 1;
    else if (argv[*at][length] == '\0' && *at + 1 < argc)
        *ret = argv[++*at];
    else
        return false;
    return true;
}

/* On the host a person's folder may be one from here. */
static char *folder_of(const struct root *root, const char *given)
{
    bool is_near = given && *given != '/' && root->is_host;
    OWNED(free) char *here = is_near ? mem_must(get_current_dir_name()) : NULL;
    return mem_printf("%s%s%s", here ? here : "", here ? "/" : "", given ? given : JOURNAL_FOLDER);
}

/* 0, or the exit code. */
static int arguments_take(const struct options *o, struct arguments *a)
{
    for (int i = 0; i < o->argc; i++) {
        const char *found = o->argv[i];
        if (take(o->argc, o->argv, &i, "--policy", &a->asked.policy) ||
            take(o->argc, o->argv, &i, "--playbooks", &a->asked.playbooks))
            continue;
        if (*found == '-' || !*found || a->journal)
            return usage(found);
        a->journal = found;
    }
    return 0;
}

int cmd_replay(const struct options *o)
{
    struct arguments a = {.journal = NULL};
    int code = arguments_take(o, &a);
    if (code)
        return code;
    OWNED(root_free) struct root *root = NULL;
    struct err e = {0};
    if (root_open(o->root, &root, &e) < 0) {
        (void)fprintf(stderr, "planeguard replay: %s\n", e.text);
        return REPLAY_UNREADABLE;
    }
    OWNED(free) char *folder = folder_of(root, a.journal);
    bool asks = a.asked.policy || a.asked.playbooks;
    return asks ? replay_ask(o, root, folder, &a.asked) : compare(o, root, folder);
}
