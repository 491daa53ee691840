#include "engine/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "engine/replay_inside.h"
#include "record/envelope.h"

enum { GAPS_MAX = 32, SHOWN_MAX = 4000 };

/* What a step through the journal returns to end it: the first difference is found. */
enum { DIFFERS = -ECANCELED };

char *documents_path(const char *folder, const struct digest *digest)
{
    char hex[DIGEST_HEX + 1];
    return mem_printf("%s/documents/%s.json", folder, digest_hex(digest, hex));
}

void replay_result_fini(struct replay_result *r)
{
    for (size_t i = 0; i < r->gap_count; i++) {
        free(r->gaps[i].why);
        free(r->gaps[i].where);
    }
    free(r->gaps);
    free(r->what);
    free(r->expected);
    free(r->found);
    *r = (struct replay_result){0};
}

void replay_gap(struct replay_result *ret, const struct record *r, const char *why)
{
    for (size_t i = 0; i < ret->gap_count; i++) {
        if (strcmp(ret->gaps[i].why, why) != 0)
            continue;
        ret->gaps[i].count++;
        return;
    }
    if (ret->gap_count == GAPS_MAX) {
        ret->gaps[GAPS_MAX - 1].count++;
        return;
    }
    struct replay_gap *gap = mem_push(ret->gaps, ret->gap_count, ret->gap_room);
    gap->why = mem_strdup(ret->gap_count == GAPS_MAX ? "other reasons" : why);
    gap->where = mem_printf("%s:%" PRIu64, r->file, r->line);
    gap->count = 1;
}

/* ---- documents ---- */

void archive_fini(struct archive *a)
{
    generation_unref(a->generation);
    a->generation = NULL;
}

struct generation *archive_find(struct archive *a, const char *digest)
{
    struct digest wanted;
    if (!strcmp(a->digest, digest))
        return a->generation;
    archive_fini(a);
    if (strlen(digest) != DIGEST_HEX || digest_parse(digest, &wanted) < 0) {
        (void)err_set(&a->why, -EINVAL, "the record names no documents");
        return NULL;
    }
    (void)snprintf(a->digest, sizeof a->digest, "%s", digest);
    OWNED(free) char *path = documents_path(a->folder, &wanted);
    struct complaints complaints = {0};
    int r = generation_load_stored(a->root, path, &wanted, a->asked, a->catalog, &a->generation,
                                   &complaints, &a->why);
    complaints_fini(&complaints);
    if (r < 0)
        a->generation = NULL;
    return a->generation;
}

/* ---- records ---- */

enum replay_part replay_part(const json_t *body)
{
    bool is_event = event_is_recorded(body);
    switch (words_find(&record_words, json_get_string(body, "type", ""))) {
    case RECORD_START:
        return PART_START;
    case RECORD_STOP:
        return PART_STOP;
    case RECORD_CONFIG:
        return json_object_get(body, "generation") ? PART_CONFIG : PART_OTHER;
    case RECORD_ROTATE:
        return PART_STATE;
    case RECORD_EVENT:
    case RECORD_SIGNAL:
    case RECORD_PLAN:
        return PART_EVENT;
    case RECORD_RESULT:
        return is_event ? PART_EVENT : PART_DECISION;
    case RECORD_INCIDENT:
    case RECORD_GUARD:
    case RECORD_INTENT:
    case RECORD_UNDO:
    case RECORD_ESCALATE:
        return PART_DECISION;
    case RECORD_DEGRADED:
        if (is_event)
            return PART_EVENT;
        return json_object_get(body, "dropped") ? PART_LOST : PART_ASIDE;
    default:
        return PART_OTHER;
    }
}

struct replay {
    struct replay_result *ret;
    struct archive archive;
    struct core *core;      /* NULL: what follows can't be compared */
    struct effects fx;      /* of the last event */
    size_t next;            /* the first that isn't compared yet */
    bool in_run, is_at_end; /* of a run that has stopped */
    uint64_t first_usec;
};

/* ---- differences ---- */

static char *shown(const json_t *value)
{
    if (!value)
        return NULL;
    char *text = json_canonical(value);
    if (strlen(text) > SHOWN_MAX)
        memcpy(text + SHOWN_MAX - 4, " ...", 5);
    return text;
}

static int differs(struct replay *p, const struct record *r, const char *what,
                   const json_t *expected, const json_t *found)
{
    struct replay_result *ret = p->ret;
    ret->verdict = REPLAY_DIFFERS;
    ret->seq = r->seq;
    ret->line = r->line;
    (void)snprintf(ret->file, sizeof ret->file, "%s", r->file);
    ret->what = mem_strdup(what);
    ret->expected = shown(expected);
    ret->found = shown(found);
    return DIFFERS;
}

static json_t *with_type(const char *type, const json_t *fields)
{
    json_t *one = json_copy((json_t *)(uintptr_t)fields);
    json_put(one, "type", json_string_or_null(type));
    return one;
}

static int decision_differs(struct replay *p, const struct record *r, const struct effect *f,
                            const char *what)
{
    OWNED(json_decref) json_t *fields = envelope_fields(r->body);
    OWNED(json_decref)
    json_t *found = with_type(json_get_string(r->body, "type", ""), fields);
    OWNED(json_decref) json_t *expected = f ? with_type(f->record, f->body) : NULL;
    return differs(p, r, what, expected, found);
}

/* ---- what the last event made the core decide ---- */

static const struct effect *next_decision(struct replay *p)
{
    while (p->next < p->fx.count && p->fx.at[p->next].type != EFFECT_RECORD)
        p->next++;
    return p->next < p->fx.count ? &p->fx.at[p->next] : NULL;
}

static void forget_decisions(struct replay *p)
{
    effects_fini(&p->fx);
    p->next = 0;
}

/* All of it must have been found before the next thing enters. */
static int end_decisions(struct replay *p, const struct record *r)
{
    const struct effect *missing = next_decision(p);
    if (missing)
        return decision_differs(p, r, missing, "a record that the core decides is missing here");
    forget_decisions(p);
    return 0;
}

/* The core's state isn't known from here on. */
static void lose(struct replay *p, const struct record *r, const char *why)
{
    forget_decisions(p);
    core_free(p->core);
    p->core = NULL;
    replay_gap(p->ret, r, why);
}

/* ---- states ---- */

static struct core *core_of(struct generation *g, const json_t *state, struct err *e)
{
    struct core *core = core_new(g);
    if (core_load(core, state, e) >= 0)
        return core;
    core_free(core);
    return NULL;
}

static int compare_state(struct replay *p, const struct record *r, const char *what,
                         json_t *expected)
{
    const json_t *found = json_object_get(r->body, "state");
    OWNED(json_decref) json_t *clean = expected;
    p->ret->states++;
    if (json_equal(clean, found))
        return 0;
    secret_redact_json(clean);
    return json_equal(clean, found) ? 0 : differs(p, r, what, clean, found);
}

/* A run that ended well saved its state, and the next one began with it: on its own documents,
 * which may be others. */
static int compare_start(struct replay *p, const struct record *r, struct generation *g)
{
    struct err e = {0};
    OWNED(json_decref) json_t *left = core_save(p->core);
    OWNED(core_free) struct core *core = core_of(g, left, &e);
    if (!core)
        return differs(p, r, e.text, left, NULL);
    return compare_state(p, r, "the run began with another state than the one before it ended with",
                         core_save(core));
}

static int take_start(struct replay *p, const struct record *r)
{
    bool was_whole = p->core && p->is_at_end;
    if (p->in_run && !p->is_at_end)
        p->ret->runs_cut_short++;
    p->ret->runs++;
    p->in_run = true;
    p->is_at_end = false;
    forget_decisions(p);
    struct generation *g = archive_find(&p->archive, json_get_string(r->body, "generation", ""));
    if (!g) {
        lose(p, r, p->archive.why.text);
        return 0;
    }
    struct err e = {0};
    const json_t *state = json_object_get(r->body, "state");
    int code = was_whole && state ? compare_start(p, r, g) : 0;
    if (code < 0)
        return code;
    struct core *core = core_of(g, state, &e);
    if (!core) {
        lose(p, r, state ? e.text : "the state was too long for its record");
        return 0;
    }
    core_free(p->core);
    p->core = core;
    return 0;
}

static struct generation *find_generation(void *context, const char *digest)
{
    return archive_find(context, digest);
}

/* The whole state: compared, or the place to begin again. */
static int take_state(struct replay *p, const struct record *r)
{
    int code = end_decisions(p, r);
    if (code < 0)
        return code;
    const json_t *state = json_object_get(r->body, "state");
    if (!state) {
        replay_gap(p->ret, r, "a state was too long for its record");
        return 0;
    }
    if (p->core)
        return compare_state(p, r, "the core's state here is another", core_save_whole(p->core));
    struct generation *g = archive_find(&p->archive, json_get_string(r->body, "generation", ""));
    if (!g) {
        replay_gap(p->ret, r, p->archive.why.text);
        return 0;
    }
    struct err e = {0};
    OWNED(core_free) struct core *core = core_new(g);
    if (core_load_whole(core, state, find_generation, &p->archive, &e) < 0) {
        replay_gap(p->ret, r, e.text);
        return 0;
    }
    p->core = TAKE(core);
    p->in_run = true;
    return 0;
}

static int take_config(struct replay *p, const struct record *r)
{
    int code = end_decisions(p, r);
    if (code < 0 || !p->core)
        return code;
    struct generation *g = archive_find(&p->archive, json_get_string(r->body, "generation", ""));
    if (!g)
        lose(p, r, p->archive.why.text);
    else
        core_set_generation(p->core, g);
    return 0;
}

/* ---- events and decisions ---- */

static void keep_time(struct replay *p, const struct event *ev)
{
    if (!p->ret->events)
        p->first_usec = ev->now_usec;
    if (ev->now_usec > p->first_usec)
        p->ret->boot_usec = ev->now_usec - p->first_usec;
}

static int take_event(struct replay *p, const struct record *r)
{
    int code = end_decisions(p, r);
    if (code < 0)
        return code;
    if (!p->core) {
        if (!p->ret->gap_count)
            replay_gap(p->ret, r, "what the journal began with isn't there");
        p->ret->unproven_events++;
        return 0;
    }
    struct event ev;
    struct err e = {0};
    OWNED(json_decref) json_t *plan = NULL;
    code = event_decode(r->body, p->core->generation, &ev, &plan, &e);
    if (code == -ENODATA) {
        p->ret->unproven_events++;
        lose(p, r, e.text);
        return 0;
    }
    if (code < 0 || strcmp(event_record(&ev), json_get_string(r->body, "type", "")) != 0) {
        OWNED(json_decref) json_t *found = envelope_fields(r->body);
        return differs(p, r, code < 0 ? e.text : "an event in another's record", NULL, found);
    }
    keep_time(p, &ev);
    p->ret->events++;
    core_step(p->core, &ev, &p->fx);
    return 0;
}

static int take_decision(struct replay *p, const struct record *r)
{
    if (!p->core)
        return 0;
    const struct effect *f = next_decision(p);
    if (!f)
        return decision_differs(p, r, NULL, "a record that the core doesn't decide here");
    if (strcmp(json_get_string(r->body, "type", ""), f->record) != 0 ||
        !envelope_holds(r->body, f->body))
        return decision_differs(p, r, f, "the core decides something else here");
    p->ret->decisions++;
    p->next++;
    return 0;
}

static int take_record(void *context, const struct record *r)
{
    struct replay *p = context;
    int code = 0;
    p->ret->records++;
    switch (replay_part(r->body)) {
    case PART_START:
        return take_start(p, r);
    case PART_STOP:
        code = end_decisions(p, r);
        /* Not saved: the next run goes on with what was saved before. */
        p->is_at_end = !json_object_get(r->body, "unsaved");
        return code;
    case PART_CONFIG:
        return take_config(p, r);
    case PART_STATE:
        return take_state(p, r);
    case PART_EVENT:
        return take_event(p, r);
    case PART_DECISION:
        return take_decision(p, r);
    case PART_LOST:
        lose(p, r, "records were lost while the journal couldn't be written");
        return 0;
    case PART_ASIDE:
        lose(p, r, "the saved state was set aside as unreadable");
        return 0;
    case PART_OTHER:
        return 0;
    }
    return 0;
}

static enum replay_verdict conclude(struct replay *p, int code, struct err *e)
{
    struct replay_result *ret = p->ret;
    if (p->in_run && !p->is_at_end)
        ret->runs_cut_short++;
    if (code == DIFFERS)
        return ret->verdict = REPLAY_DIFFERS;
    if (code < 0)
        return ret->verdict = REPLAY_UNREADABLE;
    if (!ret->events && ret->gap_count) {
        (void)err_set(e, -ENODATA, "nothing in it can be compared: %s", ret->gaps[0].why);
        return ret->verdict = REPLAY_UNREADABLE;
    }
    return ret->verdict = REPLAY_SAME;
}

enum replay_verdict replay_journal(const struct root *root, const char *folder,
                                   const struct catalog *catalog, struct replay_result *ret,
                                   struct err *e)
{
    *ret = (struct replay_result){0};
    struct replay p = {.ret = ret, .archive = {.root = root, .folder = folder, .catalog = catalog}};
    int code = journal_read(root, folder, take_record, &p, e);
    enum replay_verdict verdict = conclude(&p, code, e);
    forget_decisions(&p);
    core_free(p.core);
    archive_fini(&p.archive);
    return verdict;
}
