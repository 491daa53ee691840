/* `planeguard replay --policy P --playbooks D`: what was decided beside what would have been. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "cmd/ask.h"
#include "cmd/replay.h"

/* ---- for people ---- */

static void say_side(const char *title, const char *would, const struct replay_side *s)
{
    const uint64_t *n = s->counts;
    (void)printf("%-16s %s %" PRIu64 " time%s, in dry-run %" PRIu64 ", held %" PRIu64, title, would,
                 n[CHOICE_ACTED], replay_plural(n[CHOICE_ACTED]), n[CHOICE_REHEARSED],
                 n[CHOICE_HELD]);
    for (size_t i = 0; i < s->guard_count; i++)
        (void)printf("%s%s %" PRIu64, i ? ", " : " (", s->guards[i].guard, s->guards[i].count);
    (void)printf("%s, called a person %" PRIu64 "; %" PRIu64 " incident%s\n",
                 s->guard_count ? ")" : "", n[CHOICE_ESCALATED], s->opened,
                 replay_plural(s->opened));
}

static void say_choices(const struct replay_incident *i)
{
    static const char *const words[] = {"acted", "in dry-run", "held", "called a person"};
    for (size_t k = 0; i && k < i->count; k++) {
        const struct replay_choice *c = &i->at[k];
        (void)printf("%s%s", k ? "; " : "", words[c->type]);
        if (c->playbook) {
            (void)printf(" ");
            say_text(c->playbook);
        }
        if (c->guard) {
            (void)printf(" by ");
            say_text(c->guard);
        }
    }
    if (!i || !i->count)
        (void)printf("nothing");
}

/* Either may be NULL: it isn't there. */
static bool is_same(const struct replay_incident *recorded, const struct replay_incident *asked)
{
    const struct replay_incident *any = recorded ? recorded : asked;
    return recorded && asked ? choices_equal(recorded, asked) : !any->count;
}

static void say_incident(const struct replay_incident *recorded,
                         const struct replay_incident *asked)
{
    const struct replay_incident *one = recorded ? recorded : asked;
    (void)printf("  %-20s  ", one->wall);
    say_text(one->failure);
    if (is_same(recorded, asked)) {
        (void)printf("  the same: ");
        say_choices(recorded);
        (void)puts("");
        return;
    }
    (void)printf("  differs\n      recorded:        ");
    say_choices(recorded);
    (void)printf("\n      these documents: ");
    say_choices(asked);
    (void)puts("");
}

static void say_incidents(const struct what_if_result *r)
{
    for (size_t i = 0; i < r->recorded.count; i++)
        say_incident(&r->recorded.at[i], side_find(&r->asked, &r->recorded.at[i]));
    for (size_t i = 0; i < r->asked.count; i++)
        if (!r->asked.at[i].is_matched && r->asked.at[i].count)
            say_incident(NULL, &r->asked.at[i]);
}

static void say(const struct what_if_result *r)
{
    say_side("recorded:", "acted", &r->recorded);
    say_side("these documents:", "would have acted", &r->asked);
    say_incidents(r);
    (void)printf("Nothing was run: what plans, looks and steps answered is the journal's %" PRIu64
                 " time%s and made up %" PRIu64 " (as if all had gone well);\n"
                 "the signals go on as they were recorded.\n",
                 r->answers_recorded, replay_plural(r->answers_recorded), r->answers_made_up);
    if (r->signals_unknown)
        (void)printf("%" PRIu64 " signals are of probes that these documents don't have.\n",
                     r->signals_unknown);
    replay_say_gaps(&r->gaps);
}

/* ---- for programs ---- */

static json_t *incident_json(const struct replay_incident *i)
{
    if (!i)
        return json_null();
    json_t *one = json_object(), *all = json_array();
    json_put(one, "id", json_string_or_null(i->id));
    for (size_t k = 0; k < i->count; k++) {
        json_t *c = json_object();
        json_put(c, "choice", json_string(words_name(&replay_choice_words, (int)i->at[k].type)));
        json_put(c, "playbook", json_string_or_null(i->at[k].playbook));
        json_put(c, "guard", json_string_or_null(i->at[k].guard));
        json_push(all, c);
    }
    json_put(one, "choices", all);
    return one;
}

static json_t *pair_json(const struct replay_incident *recorded,
                         const struct replay_incident *asked)
{
    const struct replay_incident *any = recorded ? recorded : asked;
    json_t *one = json_object();
    json_put(one, "failure", json_string_or_null(any->failure));
    json_put(one, "opened", json_string_or_null(any->wall));
    json_put(one, "same", json_boolean(is_same(recorded, asked)));
    json_put(one, "recorded", incident_json(recorded));
    json_put(one, "asked", incident_json(asked));
    return one;
}

static json_t *side_json(const struct replay_side *s)
{
    json_t *one = json_object(), *guards = json_object();
    for (int i = 0; i <= CHOICE_ESCALATED; i++)
        json_put(one, words_name(&replay_choice_words, i), json_integer((json_int_t)s->counts[i]));
    for (size_t i = 0; i < s->guard_count; i++)
        json_put(guards, s->guards[i].guard, json_integer((json_int_t)s->guards[i].count));
    json_put(one, "heldBy", guards);
    json_put(one, "incidents", json_integer((json_int_t)s->opened));
    return one;
}

static void say_as_json(const struct what_if_result *r, const struct err *e)
{
    static const char *const words[] = {"same", "differs", "unreadable"};
    OWNED(json_decref) json_t *answer = json_object();
    json_t *all = json_array();
    for (size_t i = 0; i < r->recorded.count; i++)
        json_push(all, pair_json(&r->recorded.at[i], side_find(&r->asked, &r->recorded.at[i])));
    for (size_t i = 0; i < r->asked.count; i++)
        if (!r->asked.at[i].is_matched && r->asked.at[i].count)
            json_push(all, pair_json(NULL, &r->asked.at[i]));
    json_put(answer, "verdict", json_string(words[r->verdict]));
    json_put(answer, "why",
             r->verdict == REPLAY_UNREADABLE ? json_string_or_null(e->text) : json_null());
    json_put(answer, "recorded", side_json(&r->recorded));
    json_put(answer, "asked", side_json(&r->asked));
    json_put(answer, "incidents", all);
    json_put(answer, "answersRecorded", json_integer((json_int_t)r->answers_recorded));
    json_put(answer, "answersMadeUp", json_integer((json_int_t)r->answers_made_up));
    json_put(answer, "signalsUnknown", json_integer((json_int_t)r->signals_unknown));
    json_put(answer, "gaps", replay_gaps_json(&r->gaps));
    say_json(answer);
}

int replay_ask(const struct options *o, const struct root *root, const char *folder,
               const struct generation_asked *asked)
{
    OWNED(what_if_result_fini) struct what_if_result r;
    struct err e = {0};
    enum replay_verdict verdict = replay_what_if(root, folder, o->catalog, asked, &r, &e);
    if (verdict == REPLAY_UNREADABLE)
        (void)fprintf(stderr, "planeguard replay: %s\n", e.text);
    if (o->json)
        say_as_json(&r, &e);
    else if (verdict != REPLAY_UNREADABLE)
        say(&r);
    return (int)verdict;
}
