/* `planeguard journal show|verify`: the record read back, and proven. Both only read, below
 * --root, also while the agent runs.
 *
 *   show [--incident ID] [--since DURATION] [--type T,...]   a story for people; -o json: the
 *        bodies, one a line. 0, 2 unreadable, 4 a line that is no record
 *   verify    0 whole, 2 unreadable, 3 a torn tail only, 4 broken, 8 unknown version */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/own.h"
#include "cmd/verbs.h"
#include "loop/clock.h"
#include "record/canonical.h"
#include "record/journal.h"
#include "record/story.h"

enum { SINCE_TEXT = sizeof "2026-11-21T04:31:41.123456" };

struct show {
    bool json;
    const char *incident;       /* NULL: any */
    char since[SINCE_TEXT];     /* "": from the beginning */
    bool wanted[RECORD_COUNT_]; /* with has_types */
    bool has_types;
    struct story story;
};

/* ---- arguments ---- */

/* RFC 3339 in UTC sorts as text: what was `usec` before now. */
static void since_set(struct show *s, uint64_t usec)
{
    int64_t at = clock_wall_usec() - (int64_t)usec;
    time_t seconds = (time_t)(at > 0 ? at / (int64_t)USEC_PER_SEC : 0);
    struct tm utc;
    if (gmtime_r(&seconds, &utc))
        (void)strftime(s->since, sizeof s->since, "%Y-%m-%dT%H:%M:%S", &utc);
}

static bool types_set(struct show *s, const char *list)
{
    OWNED(free) char *copy = mem_strdup(list);
    char *rest = NULL;
    for (char *name = strtok_r(copy, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        int type = words_find(&record_words, name);
        if (type < 0) {
            const char *near = words_nearest(&record_words, name);
            (void)fprintf(stderr, "planeguard journal: --type: no such record type: %s%s%s\n", name,
                          near ? "; did you mean " : "", near ? near : "");
            return false;
        }
        s->wanted[type] = s->has_types = true;
    }
    return true;
}

static bool option_set(struct show *s, const char *name, const char *value)
{
    uint64_t usec;
    if (!strcmp(name, "--incident")) {
        s->incident = value;
    } else if (!strcmp(name, "--type")) {
        return types_set(s, value);
    } else if (duration_parse(value, &usec) < 0) {
        (void)fprintf(stderr, "planeguard journal: --since: not a duration (30s, 5m, 2h, 1d): %s\n",
                      value);
        return false;
    } else {
        since_set(s, usec);
    }
    return true;
}

/* "--name VALUE" and "--name=VALUE". */
static bool options_set(struct show *s, int argc, char **argv)
{
    static const char *const names[] = {"--incident", "--since", "--type"};
    for (int i = 0; i < argc; i++) {
        const char *name = NULL, *value = NULL;
        for (size_t n = 0; n < sizeof names / sizeof *names && !name; n++) {
            size_t length = strlen(names[n]);
            if (strncmp(argv[i], names[n], length) != 0)
                continue;
            if (argv[i][length] == '=')
                value = argv[i] + length + 1;
            else if (argv[i][length] == '\0' && i + 1 < argc)
                value = argv[++i];
            name = value ? names[n] : NULL;
        }
        if (!name) {
            (void)fprintf(stderr, "planeguard journal show: not understood: %s\n", argv[i]);
            return false;
        }
        if (!option_set(s, name, value))
            return false;
    }
    return true;
}

/* ---- show ---- */

static bool is_wanted(const struct show *s, const json_t *body)
{
    if (s->incident && strcmp(json_get_string(body, "incident", ""), s->incident) != 0)
        return false;
    if (*s->since && strcmp(json_get_string(body, "wall", ""), s->since) < 0)
        return false;
    int type = words_find(&record_words, json_get_string(body, "type", ""));
    return !s->has_types || (type >= 0 && s->wanted[type]);
}

static int show_one(void *context, const struct record *r)
{
    struct show *s = context;
    if (!is_wanted(s, r->body))
        return 0;
    if (s->json) {
        OWNED(free) char *text = canonical_text(r->body);
        return puts(text) < 0 ? -EPIPE : 0;
    }
    OWNED(buf_fini) struct buf line = {0};
    story_add(&s->story, r, &line);
    return fputs(buf_string(&line), stdout) < 0 ? -EPIPE : 0;
}

static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no && *no);
}

static int show(const struct options *o, const struct root *root)
{
    struct show s = {.json = o->json, .story = {.colour = wants_colour()}};
    struct err e;
    if (!options_set(&s, o->argc - 1, o->argv + 1))
        return EXIT_USAGE;
    int code = journal_read(root, JOURNAL_FOLDER, show_one, &s, &e);
    if (code == -EPIPE)
        return EXIT_ERROR;
    if (code == 0)
        return EXIT_GOOD;
    (void)fflush(stdout);
    (void)fprintf(stderr, "planeguard journal: %s\n", e.text);
    return code == -EBADMSG ? JOURNAL_BROKEN : JOURNAL_IO;
}

/* ---- verify ---- */

static const char *verdict_word(enum journal_verdict verdict)
{
    switch (verdict) {
    case JOURNAL_WHOLE:
        return "whole";
    case JOURNAL_IO:
        return "unreadable";
    case JOURNAL_TORN_TAIL:
        return "torn tail";
    case JOURNAL_BROKEN:
        return "broken";
    case JOURNAL_UNKNOWN_VERSION:
        return "unknown version";
    }
    return "broken";
}

static void verify_print_json(const struct journal_check *c)
{
    OWNED(json_decref) json_t *answer = json_object();
    bool is_odd = c->verdict != JOURNAL_WHOLE;
    bool has_place = is_odd && c->verdict != JOURNAL_IO;
    json_put(answer, "verdict", json_string(verdict_word(c->verdict)));
    json_put(answer, "records", json_integer((json_int_t)c->records));
    json_put(answer, "segments", json_integer((json_int_t)c->segments));
    json_put(answer, "bytes", json_integer((json_int_t)c->bytes));
    json_put(answer, "head", json_string(c->head));
    json_put(answer, "badSeq", has_place ? json_integer((json_int_t)c->bad_seq) : json_null());
    json_put(answer, "why", is_odd ? json_string_or_null(c->why) : json_null());
    OWNED(free) char *text = json_canonical(answer);
    (void)puts(text);
}

static void verify_print(const struct journal_check *c)
{
    if (c->verdict == JOURNAL_IO) {
        (void)printf("unreadable: %s\n", c->why);
        return;
    }
    (void)printf("%s: %" PRIu64 " record%s in %" PRIu64 " segment%s, head %s\n",
                 verdict_word(c->verdict), c->records, c->records == 1 ? "" : "s", c->segments,
                 c->segments == 1 ? "" : "s", c->head);
    if (c->verdict != JOURNAL_WHOLE)
        (void)printf("  %s\n", c->why);
    if (c->verdict == JOURNAL_TORN_TAIL)
        (void)puts("  a crash leaves this; the agent's next start sets it aside and records that");
    if (c->verdict == JOURNAL_BROKEN)
        (void)printf("  nothing from record %" PRIu64 " on can be relied on\n", c->bad_seq);
}

static int verify(const struct options *o, const struct root *root)
{
    struct journal_check c;
    if (o->argc > 1) {
        (void)fprintf(stderr, "planeguard journal verify: not understood: %s\n", o->argv[1]);
        return EXIT_USAGE;
    }
    journal_verify(root, JOURNAL_FOLDER, &c);
    if (o->json)
        verify_print_json(&c);
    else
        verify_print(&c);
    return (int)c.verdict;
}

int cmd_journal(const struct options *o)
{
    static const struct {
        const char *name;
        int (*run)(const struct options *o, const struct root *root);
    } rows[] = {{"show", show}, {"verify", verify}};
    OWNED(root_free) struct root *root = NULL;
    struct err e;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (o->argc < 1 || strcmp(o->argv[0], rows[i].name) != 0)
            continue;
        if (root_open(o->root, &root, &e) < 0) {
            (void)fprintf(stderr, "planeguard journal: %s\n", e.text);
            return JOURNAL_IO;
        }
        return rows[i].run(o, root);
    }
    (void)fputs("usage: planeguard journal show [--incident ID] [--since DURATION] [--type T,...]\n"
                "       planeguard journal verify\n",
                stderr);
    return EXIT_USAGE;
}
