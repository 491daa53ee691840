#include "record/tell.h"

#include <string.h>

#include "base/duration.h"
#include "record/story.h"

enum { TEXT_MAX = 300, LIST_MAX = 6, WORDS_MAX = 12, DIGEST_SHOWN = 12, DIGEST_MIN = 32 };

/* ---- parts of sentences ---- */

/* `before`, the member's text, `after`; nothing when there is no such text. */
static bool say(struct buf *out, const char *before, const json_t *obj, const char *key,
                const char *after)
{
    const char *text = json_get_string(obj, key, "");
    if (!*text)
        return false;
    buf_text(out, before);
    story_text(out, text, TEXT_MAX);
    buf_text(out, after);
    return true;
}

static void say_number(struct buf *out, const char *before, const json_t *obj, const char *key,
                       const char *after)
{
    if (json_is_integer(json_object_get(obj, key)))
        buf_printf(out, "%s%lld%s", before, json_get_int(obj, key, 0), after);
}

static void say_duration(struct buf *out, const char *before, const json_t *obj, const char *key)
{
    char text[DURATION_TEXT];
    long long usec = json_get_int(obj, key, -1);
    if (usec >= 0)
        buf_printf(out, "%s%s", before, duration_about((uint64_t)usec, text));
}

static void say_digest(struct buf *out, const char *before, const json_t *obj, const char *key)
{
    const char *hex = json_get_string(obj, key, "");
    if (!*hex)
        return;
    buf_text(out, before);
    story_text_cut(out, hex, DIGEST_SHOWN);
}

/* Digests and ids, alone or in a name, are cut: nobody reads them to the end. */
static void say_value(struct buf *out, const char *text, size_t most)
{
    static const char digits[] = "0123456789abcdef";
    struct buf shorter = {0};
    while (*text) {
        size_t hex = strspn(text, digits), rest = hex + strcspn(text + hex, digits);
        buf_add(&shorter, text, hex < DIGEST_MIN ? hex : DIGEST_SHOWN);
        buf_add(&shorter, text + hex, rest - hex);
        text += rest;
    }
    story_text(out, buf_string(&shorter), most);
    buf_fini(&shorter);
}

/* Strings of an array, or its objects' names, with `between`. */
static void say_list(struct buf *out, const char *before, const json_t *list, const char *between)
{
    size_t count = json_is_array(list) ? json_array_size(list) : 0;
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(list, i);
        buf_text(out, i ? between : before);
        if (i == LIST_MAX) {
            buf_text(out, "...");
            return;
        }
        const char *text =
            json_is_object(one) ? json_get_string(one, "name", "?") : json_string_value(one);
        story_text(out, text ? text : "?", TEXT_MAX);
    }
}

static void say_facts(struct buf *out, const json_t *facts)
{
    const char *key;
    json_t *value;
    size_t n = 0;
    json_object_foreach ((json_t *)(uintptr_t)facts, key, value) {
        if (n == LIST_MAX || (!json_is_integer(value) && !json_is_string(value)))
            continue;
        buf_text(out, n++ ? ", " : " (");
        story_text(out, key, TEXT_MAX);
        if (json_is_integer(value))
            buf_printf(out, " %" JSON_INTEGER_FORMAT, json_integer_value(value));
        else {
            buf_text(out, " ");
            say_value(out, json_string_value(value), TEXT_MAX / 3);
        }
    }
    buf_text(out, n ? ")" : "");
}

static bool is_option(const json_t *word)
{
    return json_is_string(word) && !strncmp(json_string_value(word), "--", 2);
}

static bool is(const json_t *body, const char *key, const char *word)
{
    return !strcmp(json_get_string(body, key, ""), word);
}

/* ---- a sentence a type; each returns the line's word ---- */

static const char *tell_signal(const json_t *body, struct buf *out)
{
    say(out, "", body, "signal", "");
    buf_text(out, is(body, "verdict", "pass")   ? " passes"
                  : is(body, "verdict", "fail") ? " fails"
                                                : " is unknown");
    if (!is(body, "reason", "none"))
        say(out, ": ", body, "reason", "");
    say(out, ", ", body, "detail", "");
    if (!is(body, "verdict", "pass"))
        say_facts(out, json_object_get(body, "facts"));
    return "seen";
}

static const char *tell_incident(const json_t *body, struct buf *out)
{
    say(out, "", body, "failure", "");
    if (!is(body, "from", "none"))
        say(out, ": ", body, "from", "");
    say(out, " -> ", body, "to", "");
    say(out, ": ", body, "why", "");
    if (is(body, "to", "resolved"))
        return "proven";
    if (is(body, "to", "held") || is(body, "to", "suppressed") || is(body, "to", "escalated"))
        return "why";
    return is(body, "to", "suspected") || is(body, "to", "cleared") ? "seen" : "decided";
}

static const char *tell_plan(const json_t *body, struct buf *out)
{
    const json_t *steps = json_object_get(body, "steps");
    buf_printf(out, "plan of %zu steps", json_array_size(steps));
    say(out, " by ", body, "playbook", "");
    say_digest(out, ", digest ", body, "digest");
    if (json_get_bool(body, "dry", false))
        buf_text(out, ", to go through it only");
    say_list(out, ": ", steps, "; ");
    return "decided";
}

static const char *tell_guard(const json_t *body, struct buf *out)
{
    size_t i, against = 0;
    json_t *g;
    const json_t *guards = json_object_get(body, "guards");
    say(out, "the guards say ", body, "verdict", "");
    say(out, " to ", body, "playbook", "");
    json_array_foreach (guards, i, g) {
        if (is(g, "verdict", "allow") || against++ >= LIST_MAX)
            continue;
        say(out, "; ", g, "guard", "");
        say(out, " (", g, "verdict", ")");
        say(out, " saw ", g, "saw", "");
        say(out, ", wants ", g, "wants", "");
    }
    return is(body, "verdict", "allow") ? "decided" : "why";
}

static const char *tell_intent(const json_t *body, struct buf *out)
{
    buf_text(out, json_get_bool(body, "dry", false) ? "would begin" : "begins");
    say(out, " \"", body, "step", "\"");
    say(out, " (", body, "kind", ")");
    if (json_get_int(body, "attempt", 1) > 1)
        say_number(out, ", attempt ", body, "attempt", "");
    return "done";
}

/* The program's name without its folder, and its words but the options in front of them, which say
 * where it connects to: the record has them all. */
static void say_command(struct buf *out, const json_t *argv)
{
    size_t count = json_is_array(argv) ? json_array_size(argv) : 0, first = 1;
    for (size_t i = 0; i < count && i < first + WORDS_MAX; i++) {
        const char *word = json_string_value(json_array_get(argv, i));
        const char *slash = word && !i ? strrchr(word, '/') : NULL;
        buf_text(out, i ? " " : ": ");
        say_value(out, !word ? "?" : slash ? slash + 1 : word, TEXT_MAX);
        while (!i && first + 1 < count && is_option(json_array_get(argv, first)))
            first += 2;
        if (!i)
            i = first - 1;
    }
    if (count > first + WORDS_MAX)
        buf_text(out, " ...");
}

static const char *tell_effect(const json_t *body, struct buf *out)
{
    const json_t *effect = json_object_get(body, "effect");
    const json_t *of = json_is_object(effect) ? effect : body;
    const char *path = json_get_string(of, "path", ""), *to = json_get_string(of, "to", "");
    if (is(of, "what", "armed"))
        buf_text(out, "a dead-man is armed, which would put back");
    else if (!say(out, "", of, "what", ""))
        buf_text(out, "changed");
    buf_text(out, *path ? " " : "");
    say_value(out, path, TEXT_MAX);
    buf_text(out, *to ? " to " : "");
    say_value(out, to, TEXT_MAX);
    if (!is(of, "after", json_get_string(of, "before", ""))) {
        say_digest(out, ", from digest ", of, "before");
        say_digest(out, ", to digest ", of, "after");
    }
    say_command(out, json_object_get(of, "argv"));
    say_number(out, ", exit ", of, "exit", "");
    return "done";
}

static const char *tell_result(const json_t *body, struct buf *out)
{
    bool verifies = is(body, "of", "verify"), good = is(body, "outcome", "proven");
    if (json_get_bool(body, "would", false))
        buf_text(out, "would: ");
    if (verifies || !say(out, "step \"", body, "step", "\"")) {
        say(out, "", body, "of", "");
        if (is(body, "of", "step") && json_is_integer(json_object_get(body, "index")))
            buf_printf(out, " %lld", json_get_int(body, "index", 0) + 1);
    }
    if (is(body, "of", "undo") || is(body, "of", "recover"))
        say(out, ", ", body, "of", "");
    say(out, ": ", body, "outcome", "");
    say(out, ", ", body, "detail", "");
    say_duration(out, ", took ", body, "tookUsec");
    return !verifies ? "done" : good ? "proven" : "why";
}

static const char *tell_escalate(const json_t *body, struct buf *out)
{
    buf_text(out, "a person is called");
    say(out, " for ", body, "failure", "");
    say(out, ": ", body, "why", "");
    if (!say(out, "; advice: ", body, "advice", ""))
        say_list(out, "; advice: ", json_object_get(body, "advice"), "; ");
    return "why";
}

static const char *tell_start(const json_t *body, struct buf *out)
{
    buf_text(out, "planeguard");
    say(out, " ", body, "version", "");
    buf_text(out, " starts");
    say(out, ", mode ", body, "mode", "");
    say(out, ", policy ", body, "policy", "");
    if (json_get_bool(body, "scaled", false))
        buf_text(out, ", with scaled times");
    return "seen";
}

static const char *tell_stop(const json_t *body, struct buf *out)
{
    buf_text(out, "planeguard stops");
    say(out, ": ", body, "why", "");
    say(out, "; what it knows could not be saved: ", body, "unsaved", "");
    return "seen";
}

static const char *tell_config(const json_t *body, struct buf *out)
{
    bool refused = json_get_bool(body, "refused", false);
    buf_text(out, refused ? "configuration refused" : "configuration in force");
    say_number(out, ", generation ", body, "generation", "");
    say(out, ", mode ", body, "mode", "");
    say(out, ", policy ", body, "policy", "");
    say_list(out, ": ", json_object_get(body, "complaints"), "; ");
    return refused ? "why" : "seen";
}

static const char *tell_recover(const json_t *body, struct buf *out)
{
    if (!say(out, "", body, "what", ""))
        buf_text(out, "recovery");
    say_number(out, ", put back: ", body, "putBack", "");
    say_number(out, ", conflicts: ", body, "conflicts", "");
    say_number(out, ": ", body, "tornBytes", " bytes");
    return "done";
}

static const char *tell_clock_jump(const json_t *body, struct buf *out)
{
    char text[DURATION_TEXT];
    long long by = json_get_int(body, "byUsec", 0);
    uint64_t size = by < 0 ? 0 - (uint64_t)by : (uint64_t)by;
    buf_printf(out, "the wall clock jumped %s by %s", by < 0 ? "back" : "forward",
               duration_about(size, text));
    return "seen";
}

static const char *tell_degraded(const json_t *body, struct buf *out)
{
    buf_text(out, "the journal couldn't be written");
    say_number(out, ", ", body, "dropped", " records are lost");
    say(out, ": ", body, "detail", "");
    return "seen";
}

static const char *tell_genesis(const json_t *body, struct buf *out)
{
    buf_text(out, "the journal begins");
    say(out, " on ", body, "node", "");
    return "seen";
}

static const char *tell_segment(const json_t *body, struct buf *out)
{
    buf_text(out, "a new segment goes on");
    say(out, " from ", body, "previous", "");
    return "seen";
}

static const char *tell_undo(const json_t *body, struct buf *out)
{
    buf_text(out, "takes back what was done");
    say(out, " by ", body, "playbook", "");
    say(out, ", from \"", body, "step", "\"");
    return "done";
}

/* What only replay needs is no part of the story. */
static const char *tell_event(const json_t *body, struct buf *out)
{
    static const char *const bookkeeping[] = {"start", "wake", "looked"};
    for (size_t i = 0; i < sizeof bookkeeping / sizeof *bookkeeping; i++)
        if (is(body, "event", bookkeeping[i]))
            return NULL;
    bool ok = json_get_bool(body, "ok", false);
    if (is(body, "event", "kill-switch"))
        buf_text(out, ok ? "the kill switch is pulled" : "the kill switch is not pulled");
    else if (is(body, "event", "journal"))
        buf_text(out, ok ? "the journal can be written" : "the journal can't be written");
    else if (!say(out, "", body, "event", ""))
        buf_text(out, "event");
    say(out, ": ", body, "detail", "");
    return "seen";
}

/* Types that have no sentence of their own: what is said of them by name. */
static const char *tell_other(const json_t *body, struct buf *out)
{
    static const char *const keys[] = {"event", "what", "why", "outcome", "detail"};
    say(out, "", body, "type", "");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        say(out, ": ", body, keys[i], "");
    return is(body, "type", "approval") ? "decided" : "seen";
}

static const char *(*const tellers[RECORD_COUNT_])(const json_t *body, struct buf *out) = {
    [RECORD_GENESIS] = tell_genesis,   [RECORD_SEGMENT] = tell_segment,
    [RECORD_START] = tell_start,       [RECORD_STOP] = tell_stop,
    [RECORD_CONFIG] = tell_config,     [RECORD_SIGNAL] = tell_signal,
    [RECORD_INCIDENT] = tell_incident, [RECORD_PLAN] = tell_plan,
    [RECORD_GUARD] = tell_guard,       [RECORD_INTENT] = tell_intent,
    [RECORD_EFFECT] = tell_effect,     [RECORD_RESULT] = tell_result,
    [RECORD_UNDO] = tell_undo,         [RECORD_RECOVER] = tell_recover,
    [RECORD_ESCALATE] = tell_escalate, [RECORD_CLOCK_JUMP] = tell_clock_jump,
    [RECORD_DEGRADED] = tell_degraded, [RECORD_EVENT] = tell_event,
};

const char *tell(const json_t *body, struct buf *out)
{
    int type = words_find(&record_words, json_get_string(body, "type", ""));
    return (type >= 0 && tellers[type] ? tellers[type] : tell_other)(body, out);
}
