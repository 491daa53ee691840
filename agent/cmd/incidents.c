/* planeguard incidents, show ID: from the journal, so that they answer also when no agent runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/ask.h"
#include "cmd/verbs.h"
#include "record/journal.h"
#include "record/story.h"

enum { INCIDENTS_MAX = 1000 }; /* the newest ones: bounded memory, whatever the journal's length */
enum { STORY_WIDTH = 100 };

struct listing {
    json_t *incidents; /* array, oldest first */
};

static json_t *find(const json_t *incidents, const char *id)
{
    for (size_t i = json_array_size(incidents); i-- > 0;) {
        json_t *one = json_array_get(incidents, i);
        if (!strcmp(json_get_string(one, "id", ""), id))
            return one;
    }
    return NULL;
}

static json_t *add(json_t *incidents, const char *id, const json_t *body)
{
    if (json_array_size(incidents) == INCIDENTS_MAX)
        (void)json_array_remove(incidents, 0);
    json_t *one = json_object();
    json_put(one, "id", json_string_or_null(id));
    json_put(one, "failure", json_string_or_null(json_get_string(body, "failure", "")));
    json_put(one, "opened", json_string_or_null(json_get_string(body, "wall", "")));
    json_push(incidents, one);
    return one;
}

/* ---- what a crash made the agent forget ----
 *
 * An incident's record is durable a moment before the state that goes with it, and only with both
 * does a step begin. Killed in between, the agent starts again without the incident: then its
 * signals bring up another one, and this one goes no further. The start's record shows it: it has
 * the incidents that the agent went on with. */

static const char lost[] = "lost";
static const char lost_why[] =
    "the agent ended before it could keep this incident; nothing had been "
    "done for it, and if the failure lasts it is another incident now";

static bool is_open(const char *state)
{
    static const char *const closed[] = {"resolved", "cleared", "withdrawn", lost};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        if (!strcmp(state, closed[i]))
            return false;
    return true;
}

static bool is_start(const struct record *r)
{
    return !strcmp(json_get_string(r->body, "type", ""), "start");
}

static bool start_has(const struct record *start, const char *id)
{
    const json_t *state = json_object_get(start->body, "state");
    return find(json_object_get(state, "incidents"), id) != NULL;
}

static void take_start(const json_t *incidents, const struct record *r)
{
    size_t i;
    json_t *one;
    json_array_foreach (incidents, i, one) {
        if (!is_open(json_get_string(one, "state", "")) ||
            start_has(r, json_get_string(one, "id", "")))
            continue;
        json_put(one, "state", json_string(lost));
        json_put(one, "why", json_string(lost_why));
        json_put(one, "changed", json_string_or_null(json_get_string(r->body, "wall", "")));
    }
}

static int take_record(void *context, const struct record *r)
{
    const struct listing *l = context;
    if (is_start(r))
        take_start(l->incidents, r);
    if (strcmp(json_get_string(r->body, "type", ""), "incident") != 0)
        return 0;
    const char *id = json_get_string(r->body, "incident", "");
    json_t *one = find(l->incidents, id);
    if (!one)
        one = add(l->incidents, id, r->body);
    json_put(one, "state", json_string_or_null(json_get_string(r->body, "to", "")));
    json_put(one, "why", json_string_or_null(json_get_string(r->body, "why", "")));
    json_put(one, "changed", json_string_or_null(json_get_string(r->body, "wall", "")));
    const char *playbook = json_get_string(r->body, "playbook", NULL);
    if (playbook)
        json_put(one, "playbook", json_string_or_null(playbook));
    return 0;
}

static void say_incident(const json_t *i)
{
    const char *state = json_get_string(i, "state", "?");
    (void)printf("%.19sZ  %-12s %s%-10s%s %-26s %s\n      ", json_get_string(i, "opened", ""),
                 json_get_string(i, "id", "?"), say_color(state), state, say_plain(),
                 json_get_string(i, "failure", "?"), json_get_string(i, "playbook", ""));
    say_text(json_get_string(i, "why", ""));
    (void)putchar('\n');
}

int cmd_incidents(const struct options *o)
{
    OWNED(root_free) struct root *root = NULL;
    OWNED(json_decref) json_t *all = json_array();
    struct listing l = {all};
    struct err e = {0};
    if (root_open(o->root, &root, &e) < 0 ||
        journal_read(root, JOURNAL_FOLDER, take_record, &l, &e) < 0) {
        (void)fprintf(stderr, "planeguard: %s\n", e.text);
        return EXIT_ERROR;
    }
    if (o->json) {
        OWNED(json_decref) json_t *a = json_object();
        json_put(a, "incidents", json_incref(all));
        say_json(a);
        return EXIT_GOOD;
    }
    size_t i;
    json_t *one;
    json_array_foreach (all, i, one)
        say_incident(one);
    if (!json_array_size(all))
        (void)puts("no incidents");
    return EXIT_GOOD;
}

/* ---- show ---- */

struct showing {
    const char *id;
    bool json;
    size_t shown;
    bool is_lost;
    char state[24]; /* after the last transition */
    struct story story;
};

static void say_lost(struct showing *s, const struct record *r)
{
    s->is_lost = true;
    if (s->json)
        return;
    (void)printf("  %.12s  ", json_get_string(r->body, "wall", "") + 11);
    say_text(lost_why);
    (void)putchar('\n');
}

static int show_record(void *context, const struct record *r)
{
    struct showing *s = context;
    if (s->shown && !s->is_lost && is_start(r) && is_open(s->state) && !start_has(r, s->id))
        say_lost(s, r);
    if (strcmp(json_get_string(r->body, "incident", ""), s->id) != 0)
        return 0;
    s->shown++;
    if (!strcmp(json_get_string(r->body, "type", ""), "incident"))
        (void)snprintf(s->state, sizeof s->state, "%s", json_get_string(r->body, "to", ""));
    OWNED(buf_fini) struct buf line = {0};
    if (s->json) {
        say_json(r->body);
        return 0;
    }
    story_add(&s->story, r, &line);
    (void)fputs(buf_string(&line), stdout);
    return 0;
}

int cmd_show(const struct options *o)
{
    if (o->argc != 1) {
        (void)fprintf(
            stderr,
            "planeguard: show takes one incident's id; `planeguard incidents` lists them\n");
        return EXIT_USAGE;
    }
    OWNED(root_free) struct root *root = NULL;
    struct showing s = {
        .id = o->argv[0],
        .json = o->json,
        .story = {.colour = say_is_colored(), .one = true, .width = STORY_WIDTH},
    };
    struct err e = {0};
    if (root_open(o->root, &root, &e) < 0 ||
        journal_read(root, JOURNAL_FOLDER, show_record, &s, &e) < 0) {
        (void)fprintf(stderr, "planeguard: %s\n", e.text);
        return EXIT_ERROR;
    }
    if (s.shown)
        return EXIT_GOOD;
    (void)fprintf(stderr,
                  "planeguard: the journal has no incident %s; `planeguard incidents` lists them\n",
                  s.id);
    return EXIT_ERROR;
}
