#include "recorder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void open_journal(struct recorder *r)
{
    struct journal_opened opened;
    struct err e = {0};
    if (journal_open(r->root, "master-1", &r->journal, &opened, &e) < 0)
        fail_msg("%s", e.text);
}

void recorder_init(struct recorder *r)
{
    struct err e = {0};
    *r = (struct recorder){0};
    strcpy(r->path, "/tmp/planeguard-replay-XXXXXX");
    assert_non_null(mkdtemp(r->path));
    assert_int_equal(root_open(r->path, &r->root, &e), 0);
    assert_int_equal(folder_make(r->root, JOURNAL_FOLDER "/documents", 0700, &e), 0);
    open_journal(r);
}

void recorder_fini(struct recorder *r)
{
    struct err e = {0};
    journal_close(r->journal);
    assert_int_equal(folder_remove(r->root, "/var", &e), 0);
    root_free(r->root);
    assert_int_equal(rmdir(r->path), 0);
    *r = (struct recorder){0};
}

void recorder_add(struct recorder *r, enum record_type type, json_t *body)
{
    const char *word = words_name(&record_words, (int)type);
    if (r->change && !r->change(r, word, r->written++, body))
        json_decref(body);
    else
        journal_add(r->journal, type, body);
}

static void sync_all(struct recorder *r)
{
    struct err e = {0};
    if (journal_sync(r->journal, &e) < 0)
        fail_msg("%s", e.text);
}

static json_t *generation_body(struct recorder *r, const struct generation *g)
{
    struct err e = {0};
    char hex[DIGEST_HEX + 1];
    OWNED(free) char *path = documents_path(JOURNAL_FOLDER, &g->digest);
    OWNED(free) char *text = generation_documents(g);
    assert_non_null(text);
    if (file_replace(r->root, path, JOURNAL_FOLDER, text, strlen(text), NULL, &e) < 0)
        fail_msg("%s", e.text);
    json_t *body = json_object();
    json_put(body, "generation", json_string(digest_hex(&g->digest, hex)));
    return body;
}

void recorder_start(struct recorder *r, const struct core *c)
{
    json_t *body = generation_body(r, c->generation);
    json_put(body, "state", core_save(c));
    recorder_add(r, RECORD_START, body);
}

void recorder_config(struct recorder *r, struct core *c, struct generation *g)
{
    core_set_generation(c, g);
    recorder_add(r, RECORD_CONFIG, generation_body(r, g));
}

void recorder_feed(struct recorder *r, struct core *c, const struct event *ev, struct effects *fx)
{
    struct event told;
    const char *probe =
        ev->type == EVENT_SIGNAL ? c->generation->probes[ev->probe].meta.name : NULL;
    OWNED(json_decref) json_t *body = event_tell(ev, probe, &told);
    recorder_add(r, (enum record_type)words_find(&record_words, event_record(ev)),
                 json_deep_copy(body));
    core_step(c, &told, fx);
    for (size_t i = 0; i < fx->count; i++)
        if (fx->at[i].type == EFFECT_RECORD)
            recorder_add(r, (enum record_type)words_find(&record_words, fx->at[i].record),
                         json_deep_copy(fx->at[i].body));
    sync_all(r);
    if (r->states || journal_rotated(r->journal)) {
        json_t *state = generation_body(r, c->generation);
        json_put(state, "state", core_save_whole(c));
        recorder_add(r, RECORD_ROTATE, state);
    }
}

void recorder_stop(struct recorder *r)
{
    recorder_add(r, RECORD_STOP, json_object());
    sync_all(r);
}

enum replay_verdict recorder_replay(struct recorder *r, const struct catalog *catalog,
                                    struct replay_result *ret, struct err *e)
{
    sync_all(r);
    return replay_journal(r->root, JOURNAL_FOLDER, catalog, ret, e);
}

void recorder_must_be_same(struct recorder *r, const struct catalog *catalog)
{
    OWNED(replay_result_fini) struct replay_result result;
    struct err e = {0};
    enum replay_verdict verdict = recorder_replay(r, catalog, &result, &e);
    if (verdict != REPLAY_SAME || result.gap_count)
        fail_msg("%d: %s%s:%" PRIu64 ": %s\n%s\n%s", (int)verdict, e.text, result.file, result.line,
                 result.what        ? result.what
                 : result.gap_count ? result.gaps[0].why
                                    : "",
                 result.expected ? result.expected : "-", result.found ? result.found : "-");
}
