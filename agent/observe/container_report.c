/* What a look of kind `container` has come to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "observe/container_inside.h"
#include "observe/container_log.h"

static const struct words state_words =
    WORDS("container's state", "unknown", "created", "running", "exited");

static void put_text(json_t *facts, const char *key, const char *text)
{
    json_put(facts, key, json_text(text, strlen(text)));
}

static void put_int(json_t *facts, const char *key, int64_t n)
{
    json_put(facts, key, mem_must(json_integer(n)));
}

static json_t *facts_of(const struct container_watch *s, enum container_state state, const char *by)
{
    json_t *facts = mem_must(json_object());
    put_text(facts, "by", by);
    put_text(facts, "id", s->attempts.id);
    put_int(facts, "attempt", s->attempts.attempt);
    put_text(facts, "state", words_name(&state_words, (int)state));
    return facts;
}

static void put_end(json_t *facts, const struct container_end *end)
{
    if (end->is_told) {
        put_int(facts, "exitCode", end->exit_code);
        put_text(facts, "exitReason", end->exit_reason);
    }
    put_text(facts, "lastWords", words_name(&last_word_words, (int)end->word));
}

bool container_is_loop(const struct probe *p, uint64_t now_usec)
{
    const struct container_args *a = p->args;
    const struct container_watch *s = p->state;
    return attempts_is_loop(&s->attempts, now_usec, a->recent_usec, (uint64_t)a->crash_after,
                            a->stable_after_usec);
}

void container_report_bad(struct probe *p, enum container_state state, bool loop, const char *by)
{
    const struct container_args *a = p->args;
    const struct container_watch *s = p->state;
    json_t *facts = facts_of(s, state, by);
    /* What the one before died of explains a loop; the newest one's own end, any end. */
    bool has_end = s->end.id && (loop || !strcmp(s->end.id, s->attempts.id));
    if (has_end)
        put_end(facts, &s->end);
    enum reason r = state == CONTAINER_EXITED ? REASON_EXITED : REASON_STARTING;
    if (loop)
        r = has_end && last_word_blames_manifest(s->end.word) ? REASON_BAD_MANIFEST
                                                              : REASON_CRASH_LOOP;
    probe_report(p, SIGNAL_FAIL, r, facts, "%s, attempt %lld, is %s%s%s", a->name,
                 (long long)s->attempts.attempt, words_name(&state_words, (int)state),
                 has_end && s->end.line[0] ? "; last words: " : "", has_end ? s->end.line : "");
}

void container_report_well(struct probe *p)
{
    struct container_watch *s = p->state;
    json_decref(s->well);
    s->well = facts_of(s, CONTAINER_RUNNING, "cri");
    s->told_usec = clock_boot_usec();
    probe_report(p, SIGNAL_PASS, REASON_NONE, mem_must(json_copy(s->well)), "%s", "");
}

void container_end_fini(struct container_end *end)
{
    free(end->id);
    *end = (struct container_end){0};
}

/* `d` NULL: CRI didn't tell. */
void container_take_end(struct probe *p, const struct container *c,
                        const struct container_detail *d)
{
    struct container_watch *s = p->state;
    OWNED(buf_fini) struct buf log = {0};
    container_end_fini(&s->end);
    s->end.id = mem_strdup(c->id);
    s->end.is_told = d != NULL;
    s->end.exit_code = d ? d->exit_code : 0;
    if (d)
        (void)snprintf(s->end.exit_reason, sizeof s->end.exit_reason, "%s", d->reason);
    container_log_tail(p->view, c, d ? d->log_path : NULL, &log);
    struct last_words w = last_words_of(buf_string(&log), log.length);
    s->end.word = w.word;
    line_clean(w.line ? w.line : "", w.length, s->end.line);
    if (d && w.word == LAST_WORD_NONE && last_words_bad_command(d->reason, d->message)) {
        const char *message = d->message ? d->message : "";
        s->end.word = LAST_WORD_BAD_COMMAND;
        line_clean(message, strlen(message), s->end.line);
    }
}
