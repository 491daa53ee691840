/* The core against stories: text files in tests/decide/ over a fake clock. A line that begins
 * with `>` is what enters; the indented lines below it are, word for word, all that leaves.
 *
 *   > start
 *   > +1s signal apiserver-livez fail refused
 *     t-1 apiserver-down: none -> suspected
 *   > +90s wake
 *
 * Each story is told three times: as it stands; with the core saved whole and loaded again after
 * every event; and into a journal, whose replay must come to the same.
 *
 * The documents are the shipped ones, with the policy that the story names (`policy: enforce`) and
 * what else stands in that policy's file. `> reload NAME` brings another one into force.
 * With PLANEGUARD_ACCEPT=1 in the environment a story is written anew with what was seen: read the
 * difference before you keep it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "act/step.h"
#include "base/buf.h"
#include "base/duration.h"
#include "base/mem.h"
#include "decide/core.h"
#include "decide/sieve.h"
#include "engine/catalog.h"
#include "recorder.h"

enum telling { PLAIN, RELOADED, JOURNALLED, TELLINGS };
enum { GENERATIONS = 4 };

struct story {
    enum telling telling;
    struct recorder recorder;
    struct generation *generations[GENERATIONS]; /* loaded in this order; the last is in force */
    size_t generation_count;
    struct core *core;
    uint64_t now_usec;
    struct buf seen;
    char *saved; /* the core's state at `crash` */
};

static const uint64_t boot_usec = 1000 * USEC_PER_HOUR;

static struct generation *in_force(const struct story *s)
{
    return s->generations[s->generation_count - 1];
}

/* ---- what leaves, in words ---- */

static void say_record(struct story *s, const struct effect *f)
{
    const json_t *b = f->body;
    if (!strcmp(f->record, "incident"))
        buf_printf(&s->seen, "  %s %s: %s -> %s (%s)\n", json_get_string(b, "incident", "?"),
                   json_get_string(b, "failure", "?"), json_get_string(b, "from", "?"),
                   json_get_string(b, "to", "?"), json_get_string(b, "why", ""));
    else if (!strcmp(f->record, "guard"))
        buf_printf(&s->seen, "  guards: %s\n", json_get_string(b, "verdict", "?"));
    else
        buf_printf(&s->seen, "  %s %s%s%s\n", f->record, json_get_string(b, "step", ""),
                   json_get_bool(b, "would", false) ? " would" : "",
                   json_get_string(b, "outcome", ""));
}

static void say_look(struct story *s, const struct effect *f)
{
    buf_printf(&s->seen, "  look");
    for (size_t i = 0; i < f->probe_count; i++)
        buf_printf(&s->seen, " %s", in_force(s)->probes[f->probes[i]].meta.name);
    buf_text(&s->seen, "\n");
}

static void say_effect(struct story *s, const struct effect *f)
{
    static const char *const words[] = {"record",  "wake", "prepare", "look", "run", "undo",
                                        "recover", "keep", "cancel",  "tell", "save"};
    char time[DURATION_TEXT];
    switch (f->type) {
    case EFFECT_RECORD:
        say_record(s, f);
        return;
    case EFFECT_LOOK:
        say_look(s, f);
        return;
    case EFFECT_WAKE:
        if (f->at_usec != USEC_NEVER)
            buf_printf(&s->seen, "  wake in %s\n", duration_format(f->at_usec - s->now_usec, time));
        return;
    case EFFECT_PREPARE:
        buf_printf(&s->seen, "  prepare %s\n", f->generation->playbooks[f->playbook].meta.name);
        return;
    case EFFECT_KEEP:
        buf_printf(&s->seen, "  keep %s %s\n", in_force(s)->probes[f->probe].meta.name, f->digest);
        return;
    case EFFECT_RUN:
    case EFFECT_UNDO:
    case EFFECT_RECOVER:
        buf_printf(&s->seen, "  %s step %d\n", words[f->type], f->step);
        return;
    case EFFECT_CANCEL:
    case EFFECT_TELL:
        buf_printf(&s->seen, "  %s %s\n", words[f->type], f->incident);
        return;
    case EFFECT_SAVE:
        return;
    }
}

static struct generation *find_generation(void *context, const char *digest)
{
    struct story *s = context;
    char hex[DIGEST_HEX + 1];
    for (size_t i = 0; i < s->generation_count; i++)
        if (!strcmp(digest, digest_hex(&s->generations[i]->digest, hex)))
            return s->generations[i];
    return NULL;
}

static void reload(struct story *s)
{
    struct err e = {0};
    json_t *saved = core_save_whole(s->core);
    struct core *again = core_new(in_force(s));
    if (core_load_whole(again, saved, find_generation, s, &e) < 0)
        fail_msg("%s", e.text);
    json_t *twice = core_save_whole(again);
    assert_true(json_equal(saved, twice));
    json_decref(saved);
    json_decref(twice);
    core_free(s->core);
    s->core = again;
}

static void feed(struct story *s, struct event *ev)
{
    OWNED(effects_fini) struct effects fx = {0};
    ev->now_usec = s->now_usec;
    if (s->telling == JOURNALLED)
        recorder_feed(&s->recorder, s->core, ev, &fx);
    else
        core_step(s->core, ev, &fx);
    for (size_t i = 0; i < fx.count; i++)
        say_effect(s, &fx.at[i]);
    if (s->telling == RELOADED)
        reload(s);
}

/* ---- documents ---- */

static struct catalog kept;

static void load(struct story *s, const char *policy)
{
    kept = catalog_of_rooms();
    char folder[] = "/tmp/planeguard-decide-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char command[512];
    (void)snprintf(command, sizeof command,
                   "mkdir -p %s/etc/planeguard/policy.d && cp tests/decide/policy-%s.yaml "
                   "%s/etc/planeguard/policy.d/ && printf 'apiVersion: planeguard/v1\\nkind: "
                   "Configuration\\nmetadata: {name: planeguard}\\nspec: {policy: %s}\\n' "
                   "> %s/etc/planeguard/planeguard.yaml",
                   folder, policy, folder, policy, folder);
    assert_int_equal(system(command), 0);
    struct root *root;
    struct err e;
    struct complaints complaints = {0};
    assert_int_equal(root_open(folder, &root, &e), 0);
    char *here = realpath(".", NULL);
    assert_true(s->generation_count < GENERATIONS);
    struct generation **ret = &s->generations[s->generation_count++];
    int r = generation_load(root, here, NULL, &kept, ret, &complaints);
    for (size_t i = 0; i < complaints.count; i++)
        (void)fprintf(stderr, "%s\n", complaints.at[i].text);
    assert_int_equal(r, 0);
    complaints_fini(&complaints);
    free(here);
    root_free(root);
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

/* ---- what enters ---- */

static void enter_signal(struct story *s, char *arguments)
{
    char *rest = NULL, *name = strtok_r(arguments, " ", &rest),
         *verdict = strtok_r(NULL, " ", &rest), *reason = strtok_r(NULL, " ", &rest), *pair;
    json_t *facts = json_object();
    while ((pair = strtok_r(NULL, " ", &rest))) {
        char *value = strchr(pair, '=');
        assert_non_null(value);
        *value++ = '\0';
        json_put(facts, pair,
                 isdigit((unsigned char)*value) && strlen(value) < 10 ? json_integer(atoll(value))
                                                                      : json_string(value));
    }
    int probe = generation_find_probe(in_force(s), name);
    int v = words_find(&verdict_words, verdict),
        r = words_find(&reason_words, reason ? reason : "none");
    if (probe < 0 || v < 0 || r < 0)
        fail_msg("no such signal, verdict or reason: %s %s %s", name, verdict, reason);
    struct event ev = {.type = EVENT_SIGNAL,
                       .probe = probe,
                       .verdict = (enum verdict)v,
                       .reason = (enum reason)r,
                       .facts = json_object_size(facts) ? facts : NULL,
                       .held_usec = s->now_usec - 1};
    feed(s, &ev);
    json_decref(facts);
}

/* A plan of the playbook with as many changing steps as it has (evidence changes nothing). */
static json_t *plan_of(const struct story *s, const char *incident)
{
    const struct playbook_document *p = incident_playbook(core_incident(s->core, incident));
    json_t *steps = json_array();
    for (size_t i = 0; i < p->step_count; i++) {
        json_t *one = json_object();
        json_put(one, "name", json_string(p->steps[i].name));
        json_put(one, "kind", json_string(p->steps[i].kind->name));
        json_put(one, "changes", json_boolean(step_kind_of(p->steps[i].kind)->changes));
        json_put(one, "summary", json_string("does it"));
        json_push(steps, one);
    }
    json_t *plan = json_object();
    json_put(plan, "playbook", json_string(p->meta.name));
    json_put(plan, "steps", steps);
    return plan;
}

static void enter_answer(struct story *s, enum event_type type, char *arguments)
{
    char *rest = NULL, *incident = strtok_r(arguments, " ", &rest),
         *outcome = strtok_r(NULL, " ", &rest);
    const struct incident *i = core_incident(s->core, incident);
    bool ok = outcome && (!strcmp(outcome, "ok") || !strcmp(outcome, "done"));
    struct event ev = {.type = type,
                       .incident = incident,
                       .ok = ok,
                       .outcome = outcome,
                       .detail = ok ? "fine" : "it broke",
                       .step = i ? i->step : 0};
    OWNED(json_decref) json_t *plan = NULL;
    if (type == EVENT_PREPARED && ok) {
        plan = plan_of(s, incident);
        ev.plan = plan;
        ev.digest = "0123456789abcdef";
    }
    feed(s, &ev);
}

static void enter_start(struct story *s)
{
    if (s->telling == JOURNALLED)
        recorder_start(&s->recorder, s->core);
    struct event ev = {.type = EVENT_START, .run = "t", .boot_usec = boot_usec};
    feed(s, &ev);
    ev = (struct event){.type = EVENT_KILL_SWITCH, .ok = false};
    feed(s, &ev);
}

/* Each plan gets another last step: as if the documents had changed meanwhile. */
static void change_plans(json_t *saved)
{
    size_t k;
    json_t *incident;
    json_array_foreach (json_object_get(saved, "incidents"), k, incident) {
        json_t *steps = json_object_get(json_object_get(incident, "plan"), "steps");
        json_put(json_array_get(steps, json_array_size(steps) - 1), "kind", json_string("other"));
    }
}

/* The agent dies here and starts again from what it saved. */
static void enter_crash(struct story *s, bool other_documents)
{
    json_t *saved = core_save(s->core);
    core_free(s->core);
    s->core = core_new(in_force(s));
    struct err e;
    if (other_documents)
        change_plans(saved);
    assert_int_equal(core_load(s->core, saved, &e), 0);
    json_t *again = core_save(s->core);
    assert_true(other_documents || json_equal(saved, again));
    json_decref(saved);
    json_decref(again);
    enter_start(s);
}

static void enter_reload(struct story *s, const char *policy)
{
    load(s, policy);
    if (s->telling == JOURNALLED)
        recorder_config(&s->recorder, s->core, in_force(s));
    else
        core_set_generation(s->core, in_force(s));
    struct event ev = {.type = EVENT_CONFIG};
    feed(s, &ev);
}

static void enter(struct story *s, char *line)
{
    static const struct {
        const char *word;
        enum event_type type;
    } answers[] = {{"prepared", EVENT_PREPARED},
                   {"looked", EVENT_LOOKED},
                   {"step", EVENT_STEP},
                   {"undone", EVENT_UNDONE},
                   {"recovered", EVENT_RECOVERED}};
    if (*line == '+') {
        size_t length = strcspn(line, " ");
        uint64_t usec;
        char *text = mem_strndup(line + 1, length - 1);
        assert_int_equal(duration_parse(text, &usec), 0);
        free(text);
        s->now_usec += usec;
        line += length + 1;
    }
    char *arguments = line + strcspn(line, " ");
    if (*arguments)
        *arguments++ = '\0';
    struct event ev = {.type = EVENT_WAKE};
    if (!strcmp(line, "start"))
        enter_start(s);
    else if (!strcmp(line, "crash") || !strcmp(line, "upgrade"))
        enter_crash(s, *line == 'u');
    else if (!strcmp(line, "reload"))
        enter_reload(s, arguments);
    else if (!strcmp(line, "signal"))
        enter_signal(s, arguments);
    else if (!strcmp(line, "wake"))
        feed(s, &ev);
    else if (!strcmp(line, "kill-switch") || !strcmp(line, "journal")) {
        ev.type = *line == 'k' ? EVENT_KILL_SWITCH : EVENT_JOURNAL;
        ev.ok = !strcmp(arguments, "pulled") || !strcmp(arguments, "writable");
        feed(s, &ev);
    } else {
        for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
            if (!strcmp(line, answers[i].word)) {
                enter_answer(s, answers[i].type, arguments);
                return;
            }
        fail_msg("a story has no word \"%s\"", line);
    }
}

/* ---- stories ---- */

static void tell_line(struct story *s, char *line)
{
    if (*line == ' ')
        return; /* expected; compared as a whole */
    buf_printf(&s->seen, "%s\n", line);
    if (!strncmp(line, "policy: ", 8)) {
        load(s, line + 8);
        s->core = core_new(in_force(s));
        s->now_usec = boot_usec + USEC_PER_HOUR;
    } else if (!strncmp(line, "> ", 2)) {
        char *copy = mem_strdup(line + 2);
        enter(s, copy);
        free(copy);
    }
}

static char *read_all(const char *path)
{
    OWNED(buf_fini) struct buf text = {0};
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        buf_add(&text, part, n);
    (void)fclose(f);
    return buf_take(&text);
}

static void run_story(const char *path, enum telling telling)
{
    struct story s = {.telling = telling};
    char *expected = read_all(path), *text = mem_strdup(expected);
    if (telling == JOURNALLED)
        recorder_init(&s.recorder);
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
        if (rest || *line)
            tell_line(&s, line);
    if (getenv("PLANEGUARD_ACCEPT")) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        (void)fputs(buf_string(&s.seen), f);
        (void)fclose(f);
    } else if (strcmp(expected, buf_string(&s.seen)) != 0) {
        (void)fprintf(stderr, "%s: seen:\n%s", path, buf_string(&s.seen));
        fail_msg("%s: what left the core isn't what the story says (%d)", path, (int)telling);
    }
    if (telling == JOURNALLED) {
        recorder_must_be_same(&s.recorder, &kept);
        recorder_fini(&s.recorder);
    }
    free(text);
    free(expected);
    buf_fini(&s.seen);
    core_free(s.core);
    for (size_t i = 0; i < s.generation_count; i++)
        generation_unref(s.generations[i]);
}

static void test_story(void **state)
{
    for (int telling = PLAIN; telling < TELLINGS; telling++)
        run_story(*state, (enum telling)telling);
}

/* ---- the table ---- */

static void test_states_are_consistent(void **state)
{
    (void)state;
    bool reached[STATE_COUNT_] = {[STATE_SUSPECTED] = true};
    bool used[CHANGE_COUNT_] = {false};
    for (int from = 0; from < STATE_COUNT_; from++)
        for (int change = 0; change < CHANGE_COUNT_; change++) {
            enum state to = states_next((enum state)from, (enum change)change);
            if (to == STATE_NONE)
                continue;
            reached[to] = used[change] = true;
            assert_false(state_is_closed((enum state)from));
            assert_int_not_equal(from, STATE_NONE);
        }
    for (int s = STATE_SUSPECTED; s < STATE_COUNT_; s++) {
        assert_true(reached[s]);
        enum state restarted = states_next((enum state)s, CHANGE_RESTARTED);
        assert_true((restarted == STATE_NONE) == state_is_closed((enum state)s));
    }
    for (int c = 0; c < CHANGE_COUNT_; c++)
        assert_true(used[c]);
}

/* What is at work is never dropped because its symptoms went away: what is out must come home. */
static void test_work_is_never_dropped(void **state)
{
    (void)state;
    static const enum state working[] = {STATE_RUNNING, STATE_VERIFYING, STATE_UNDOING,
                                         STATE_RECOVERING};
    static const enum change droppers[] = {CHANGE_GONE, CHANGE_EXPLAINED, CHANGE_WITHDRAWN,
                                           CHANGE_RELEASED};
    for (size_t i = 0; i < sizeof working / sizeof *working; i++)
        for (size_t k = 0; k < sizeof droppers / sizeof *droppers; k++)
            assert_int_equal(states_next(working[i], droppers[k]), STATE_NONE);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void)
{
    static struct CMUnitTest tests[256] = {
        cmocka_unit_test(test_states_are_consistent),
        cmocka_unit_test(test_work_is_never_dropped),
    };
    size_t count = 2, stories = 0;
    static char *names[200];
    json_setup();
    DIR *folder = opendir("tests/decide");
    for (struct dirent *d; folder && (d = readdir(folder));)
        if (strstr(d->d_name, ".story") && stories < 200)
            names[stories++] = mem_printf("tests/decide/%s", d->d_name);
    if (folder)
        (void)closedir(folder);
    qsort(names, stories, sizeof *names, by_name);
    for (size_t i = 0; i < stories; i++)
        tests[count++] = (struct CMUnitTest){
            .name = names[i], .test_func = test_story, .initial_state = names[i]};
    int failed = _cmocka_run_group_tests("decide", tests, count, NULL, NULL);
    for (size_t i = 0; i < stories; i++)
        free(names[i]);
    return failed;
}
