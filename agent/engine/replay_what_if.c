/* What other documents would have decided. The core goes through the journal's world with them: see
 * replay.h for what that can say, and what it can't. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "act/step.h"
#include "base/duration.h"
#include "base/mem.h"
#include "engine/replay_inside.h"

/* The agent's own timers are that much late at times: where the journal has the wake-up, it is
 * taken from there. */
static const uint64_t wake_late_usec = 250 * USEC_PER_MSEC;
/* A made-up answer comes after this long; one that the journal may still have is waited for. */
static const uint64_t made_up_usec = 1 * USEC_PER_SEC;
static const uint64_t look_patience_usec = 30 * USEC_PER_SEC;
static const uint64_t patience_usec = 20 * USEC_PER_MINUTE;

enum { WALL_SHOWN = sizeof((struct replay_incident *)NULL)->wall };

/* An answer that our core waits for. */
struct question {
    enum event_type type;
    char *incident, *failure, *playbook;
    int step;
    uint64_t asked_usec;
};

/* Where the recorded incident of a failure stands. */
struct recorded {
    char *failure, *id, *playbook;
    enum state state;
};

struct what_if {
    struct what_if_result *ret;
    struct archive archive;
    struct core *core;
    struct question *questions;
    size_t question_count, question_room;
    struct recorded *recorded;
    size_t recorded_count, recorded_room;
    const char *wall; /* of the record that we are at */
    uint64_t at_usec; /* the event's that we are at */
};

static void question_fini(struct question *q)
{
    free(q->incident);
    free(q->failure);
    free(q->playbook);
}

static void questions_clear(struct what_if *w)
{
    while (w->question_count)
        question_fini(&w->questions[--w->question_count]);
}

static struct question question_take(struct what_if *w, size_t i)
{
    struct question q = w->questions[i];
    memmove(&w->questions[i], &w->questions[i + 1],
            (--w->question_count - i) * sizeof *w->questions);
    return q;
}

/* ---- the recorded side ---- */

static bool text_is(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static struct recorded *recorded_of(struct what_if *w, const char *failure)
{
    for (size_t i = 0; i < w->recorded_count; i++)
        if (!strcmp(w->recorded[i].failure, failure))
            return &w->recorded[i];
    struct recorded *r = mem_push(w->recorded, w->recorded_count, w->recorded_room);
    r->failure = mem_strdup(failure);
    return r;
}

static const struct recorded *recorded_by_id(const struct what_if *w, const char *id)
{
    for (size_t i = 0; i < w->recorded_count; i++)
        if (text_is(w->recorded[i].id, id))
            return &w->recorded[i];
    return NULL;
}

static void set_text(char **at, const char *text)
{
    free(*at);
    *at = text ? mem_strdup(text) : NULL;
}

static void follow_recorded(struct what_if *w, const json_t *body)
{
    struct recorded *r = recorded_of(w, json_get_string(body, "failure", ""));
    int state = words_find(&state_words, json_get_string(body, "to", ""));
    r->state = state < 0 ? STATE_NONE : (enum state)state;
    set_text(&r->id, json_get_string(body, "incident", NULL));
    set_text(&r->playbook, json_get_string(body, "playbook", NULL));
}

/* Is the recorded incident waiting for this very answer? Then the journal will have it. */
static bool is_coming(struct what_if *w, const struct question *q)
{
    const struct recorded *r = recorded_of(w, q->failure);
    if (!text_is(r->playbook, q->playbook))
        return false;
    switch (q->type) {
    case EVENT_PREPARED:
        return r->state == STATE_PREPARING;
    case EVENT_LOOKED:
        return r->state == STATE_LOOKING || r->state == STATE_VERIFYING;
    case EVENT_STEP:
        return r->state == STATE_RUNNING;
    case EVENT_UNDONE:
        return r->state == STATE_UNDOING;
    case EVENT_RECOVERED:
        return r->state == STATE_RECOVERING;
    default:
        return false;
    }
}

/* ---- our core ---- */

static void ask(struct what_if *w, const struct effect *f, enum event_type type)
{
    const struct incident *i = core_incident(w->core, f->incident);
    const struct playbook_document *p = i ? incident_playbook(i) : NULL;
    if (!p)
        return;
    *mem_push(w->questions, w->question_count, w->question_room) =
        (struct question){.type = type,
                          .incident = mem_strdup(f->incident),
                          .failure = mem_strdup(i->failure),
                          .playbook = mem_strdup(p->meta.name),
                          .step = f->step,
                          .asked_usec = w->core->now_usec};
}

/* Planning and looks that nobody waits for; a new look takes an old one's place. */
static void cancel(struct what_if *w, const char *incident, bool plans)
{
    for (size_t i = w->question_count; i > 0; i--) {
        const struct question *q = &w->questions[i - 1];
        bool is_one = q->type == EVENT_LOOKED || (plans && q->type == EVENT_PREPARED);
        if (!is_one || strcmp(q->incident, incident) != 0)
            continue;
        struct question gone = question_take(w, i - 1);
        question_fini(&gone);
    }
}

/* The wall clock at a time of the agent's clock, from that of the record that we are at. */
static void wall_at(const struct what_if *w, uint64_t usec, char wall[WALL_SHOWN])
{
    struct tm then = {0};
    const char *rest = strptime(w->wall, "%Y-%m-%dT%H:%M:%S", &then);
    int64_t before_usec = (int64_t)(w->at_usec - usec);
    time_t seconds = rest ? timegm(&then) - (time_t)(before_usec / (int64_t)USEC_PER_SEC) : 0;
    if (!gmtime_r(&seconds, &then) || !strftime(wall, WALL_SHOWN, "%Y-%m-%dT%H:%M:%SZ", &then))
        wall[0] = '\0';
}

static void take_effect(struct what_if *w, const struct effect *f)
{
    char wall[WALL_SHOWN];
    switch (f->type) {
    case EFFECT_RECORD:
        wall_at(w, w->core->now_usec, wall);
        side_take(&w->ret->asked, f->record, f->body, w->core->now_usec, wall);
        return;
    case EFFECT_PREPARE:
        ask(w, f, EVENT_PREPARED);
        return;
    case EFFECT_LOOK:
        cancel(w, f->incident, false);
        ask(w, f, EVENT_LOOKED);
        return;
    case EFFECT_RUN:
        ask(w, f, EVENT_STEP);
        return;
    case EFFECT_UNDO:
        ask(w, f, EVENT_UNDONE);
        return;
    case EFFECT_RECOVER:
        ask(w, f, EVENT_RECOVERED);
        return;
    case EFFECT_CANCEL:
        cancel(w, f->incident, true);
        return;
    case EFFECT_WAKE:
    case EFFECT_KEEP:
    case EFFECT_TELL:
    case EFFECT_SAVE:
        return;
    }
}

static void feed(struct what_if *w, const struct event *ev)
{
    OWNED(effects_fini) struct effects fx = {0};
    core_step(w->core, ev, &fx);
    for (size_t i = 0; i < fx.count; i++)
        take_effect(w, &fx.at[i]);
}

/* ---- answers ---- */

static json_t *made_up_plan(const struct playbook_document *p)
{
    json_t *steps = json_array(), *plan = json_object();
    for (size_t i = 0; i < p->step_count; i++) {
        json_t *one = json_object();
        json_put(one, "name", json_string_or_null(p->steps[i].name));
        json_put(one, "kind", json_string(p->steps[i].kind->name));
        json_put(one, "changes", json_boolean(step_kind_of(p->steps[i].kind)->changes));
        json_put(one, "summary", json_string("made up"));
        json_push(steps, one);
    }
    json_put(plan, "playbook", json_string(p->meta.name));
    json_put(plan, "steps", steps);
    return plan;
}

/* As if all had gone well. */
static void make_up(struct what_if *w, const struct question *q, uint64_t now_usec)
{
    const struct incident *i = core_incident(w->core, q->incident);
    if (!i || !i->generation)
        return;
    OWNED(json_decref)
    json_t *plan = q->type == EVENT_PREPARED ? made_up_plan(incident_playbook(i)) : NULL;
    const struct event ev = {.type = q->type,
                             .now_usec = now_usec,
                             .incident = q->incident,
                             .ok = true,
                             .outcome = "done",
                             .detail = "made up",
                             .plan = plan,
                             .digest = "made up",
                             .step = q->step};
    w->ret->answers_made_up++;
    feed(w, &ev);
}

/* The journal's own answer to the same question. */
static void answer(struct what_if *w, const struct event *recorded)
{
    const struct recorded *r = recorded_by_id(w, recorded->incident);
    for (size_t i = 0; r && i < w->question_count; i++) {
        const struct question *q = &w->questions[i];
        if (q->type != recorded->type || strcmp(q->failure, r->failure) != 0 ||
            !text_is(r->playbook, q->playbook) ||
            (q->type == EVENT_STEP && q->step != recorded->step))
            continue;
        struct question mine = question_take(w, i);
        struct event ev = *recorded;
        ev.incident = mine.incident;
        w->ret->answers_recorded++;
        feed(w, &ev);
        question_fini(&mine);
        return;
    }
}

/* ---- time ---- */

static uint64_t due_usec(struct what_if *w, const struct question *q)
{
    uint64_t most = q->type == EVENT_LOOKED ? look_patience_usec : patience_usec;
    return q->asked_usec + (is_coming(w, q) ? most : made_up_usec);
}

/* All that happens by itself before `until_usec`. */
static void pass_time(struct what_if *w, uint64_t until_usec)
{
    for (;;) {
        uint64_t wake = w->core->wake_usec;
        uint64_t next = wake == USEC_NEVER ? USEC_NEVER : wake + wake_late_usec;
        if (next < w->core->now_usec)
            next = w->core->now_usec + wake_late_usec;
        size_t first = w->question_count;
        for (size_t i = 0; i < w->question_count; i++) {
            uint64_t due = due_usec(w, &w->questions[i]);
            if (due < next) {
                next = due;
                first = i;
            }
        }
        if (next >= until_usec)
            return;
        if (first == w->question_count) {
            feed(w, &(struct event){.type = EVENT_WAKE, .now_usec = next});
            continue;
        }
        struct question q = question_take(w, first);
        make_up(w, &q, next);
        question_fini(&q);
    }
}

/* ---- records ---- */

static void lose(struct what_if *w, const struct record *r, const char *why)
{
    replay_gap(&w->ret->gaps, r, why);
    questions_clear(w);
    core_free(w->core);
    w->core = NULL;
}

static struct generation *asked_generation(struct what_if *w, const struct record *r)
{
    struct generation *g = archive_find(&w->archive, json_get_string(r->body, "generation", ""));
    if (!g)
        lose(w, r, w->archive.why.text);
    return g;
}

/* From our own state, once there is one: what these documents did before counts with their
 * guards. */
static int take_start(struct what_if *w, const struct record *r)
{
    struct err e = {0};
    OWNED(json_decref) json_t *own = w->core ? core_save(w->core) : NULL;
    const json_t *state = own ? own : json_object_get(r->body, "state");
    struct generation *g = asked_generation(w, r);
    if (!g)
        return 0;
    struct core *core = core_new(g);
    questions_clear(w);
    core_free(w->core);
    w->core = core;
    if (core_load(core, state, &e) < 0)
        lose(w, r, e.text);
    return 0;
}

static int take_config(struct what_if *w, const struct record *r)
{
    if (!w->core)
        return 0;
    struct generation *g = asked_generation(w, r);
    if (g)
        core_set_generation(w->core, g);
    return 0;
}

static bool is_of_no_probe(const struct what_if *w, const json_t *body)
{
    return !strcmp(json_get_string(body, "event", ""), "signal") &&
           generation_find_probe(w->core->generation, json_get_string(body, "signal", "")) < 0;
}

static int take_event(struct what_if *w, const struct record *r)
{
    struct event ev;
    struct err e = {0};
    OWNED(json_decref) json_t *plan = NULL;
    if (!w->core) {
        if (!w->ret->gaps.gap_count)
            replay_gap(&w->ret->gaps, r, "what the journal began with isn't there");
        return 0;
    }
    if (is_of_no_probe(w, r->body)) {
        w->ret->signals_unknown++;
        return 0;
    }
    if (event_decode(r->body, w->core->generation, &ev, &plan, &e) < 0) {
        replay_gap(&w->ret->gaps, r, e.text);
        return 0;
    }
    w->at_usec = ev.now_usec;
    pass_time(w, ev.now_usec);
    w->ret->events++;
    if (ev.type == EVENT_WAKE) {
        if (w->core->wake_usec <= ev.now_usec)
            feed(w, &ev);
    } else if (ev.type == EVENT_PREPARED || ev.type == EVENT_LOOKED || ev.type == EVENT_STEP ||
               ev.type == EVENT_UNDONE || ev.type == EVENT_RECOVERED)
        answer(w, &ev);
    else
        feed(w, &ev);
    return 0;
}

static int take_decision(struct what_if *w, const struct record *r)
{
    const char *type = json_get_string(r->body, "type", "");
    if (!w->core)
        return 0;
    char wall[WALL_SHOWN];
    wall_at(w, w->at_usec, wall);
    side_take(&w->ret->recorded, type, r->body, w->at_usec, wall);
    if (!strcmp(type, "incident"))
        follow_recorded(w, r->body);
    return 0;
}

static int take_record(void *context, const struct record *r)
{
    struct what_if *w = context;
    w->ret->records++;
    w->wall = json_get_string(r->body, "wall", "");
    switch (replay_part(r->body)) {
    case PART_START:
        return take_start(w, r);
    case PART_CONFIG:
        return take_config(w, r);
    case PART_EVENT:
        return take_event(w, r);
    case PART_DECISION:
        return take_decision(w, r);
    case PART_LOST:
        replay_gap(&w->ret->gaps, r, "records were lost while the journal couldn't be written");
        return 0;
    case PART_STOP:
    case PART_STATE:
    case PART_ASIDE:
    case PART_OTHER:
        return 0;
    }
    return 0;
}

void what_if_result_fini(struct what_if_result *r)
{
    side_fini(&r->recorded);
    side_fini(&r->asked);
    replay_result_fini(&r->gaps);
}

static void what_if_fini(struct what_if *w)
{
    questions_clear(w);
    free(w->questions);
    for (size_t i = 0; i < w->recorded_count; i++) {
        free(w->recorded[i].failure);
        free(w->recorded[i].id);
        free(w->recorded[i].playbook);
    }
    free(w->recorded);
    core_free(w->core);
    archive_fini(&w->archive);
}

enum replay_verdict replay_what_if(const struct root *root, const char *folder,
                                   const struct catalog *catalog,
                                   const struct generation_asked *asked, struct what_if_result *ret,
                                   struct err *e)
{
    *ret = (struct what_if_result){0};
    struct what_if w = {
        .ret = ret,
        .archive = {.root = root, .folder = folder, .catalog = catalog, .asked = asked}};
    int code = journal_read(root, folder, take_record, &w, e);
    if (code >= 0 && !ret->events && ret->gaps.gap_count)
        code = err_set(e, -ENODATA, "nothing in it can be decided on: %s", ret->gaps.gaps[0].why);
    ret->verdict = code < 0                                   ? REPLAY_UNREADABLE
                   : sides_match(&ret->recorded, &ret->asked) ? REPLAY_SAME
                                                              : REPLAY_DIFFERS;
    what_if_fini(&w);
    return ret->verdict;
}
