#include "record/envelope.h"

#include <assert.h>
#include <string.h>

#include "base/own.h"
#include "base/secret.h"
#include "base/version.h"
#include "loop/clock.h"
#include "record/canonical.h"
#include "record/chain.h"

enum { PLAIN_TEXT_MAX = 1024, PLAIN_FIELDS_MAX = 32 };
#define PLAIN_INTEGER_LIMIT ((json_int_t)1 << 53)

const struct words record_words =
    WORDS("record type", "genesis", "segment", "start", "stop", "config", "event", "signal",
          "incident", "plan", "guard", "approval", "intent", "effect", "result", "undo", "recover",
          "escalate", "clock-jump", "degraded", "seal", "anchor", "rotate", "prune");

/* Reals never come this far: they are turned into integers where they are read. */
static void assert_no_reals(const json_t *value, size_t depth)
{
    assert(!json_is_real(value));
    if (depth > CANONICAL_DEPTH)
        return;
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_object(value)) {
        json_object_foreach ((json_t *)(uintptr_t)value, key, member)
            assert_no_reals(member, depth + 1);
    } else if (json_is_array(value)) {
        json_array_foreach (value, i, member)
            assert_no_reals(member, depth + 1);
    }
}

static void put_own(json_t *body, const char *key, json_t *value)
{
    assert(!json_object_get(body, key));
    json_put(body, key, value);
}

static void stamp(json_t *body, enum record_type type, const char *node_name, const char *boot_id)
{
    char wall[WALL_TEXT];
    put_own(body, "v", json_integer(ENVELOPE_VERSION));
    put_own(body, "type", json_string(words_name(&record_words, (int)type)));
    put_own(body, "wall", json_string(clock_wall_text(wall)));
    put_own(body, "usec", json_integer((json_int_t)clock_boot_usec()));
    put_own(body, "boot", json_string_or_null(boot_id));
    put_own(body, "node", json_string_or_null(node_name));
    put_own(body, "build", json_string(planeguard_version));
}

static bool is_plain(const json_t *value)
{
    if (json_is_string(value))
        return json_string_length(value) <= PLAIN_TEXT_MAX &&
               strlen(json_string_value(value)) == json_string_length(value);
    if (json_is_integer(value)) {
        json_int_t n = json_integer_value(value);
        return n < PLAIN_INTEGER_LIMIT && n > -PLAIN_INTEGER_LIMIT;
    }
    return json_is_boolean(value) || json_is_null(value);
}

/* What is small and plain of the fields, and a digest of the rest. */
static json_t *withhold(const json_t *fields)
{
    OWNED(free) char *text = canonical_text(fields);
    size_t length = strlen(text), kept = 0;
    struct digest d = digest_of(text, length);
    char hex[DIGEST_HEX + 1];
    json_t *body = json_object(), *withheld = json_object();
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)fields, key, value) {
        if (is_plain(value) && strlen(key) <= PLAIN_TEXT_MAX && kept++ < PLAIN_FIELDS_MAX)
            json_put(body, key, json_incref(value));
    }
    json_put(withheld, "bytes", json_integer((json_int_t)length));
    json_put(withheld, "sha256", json_string(digest_hex(&d, hex)));
    json_put(body, "withheld", withheld);
    return body;
}

static bool has_place(const char *text)
{
    size_t length = strlen(text);
    return length <= line_body_max() && canonical_check(text, length, NULL);
}

char *envelope_text(enum record_type type, const char *node_name, const char *boot_id,
                    json_t *fields)
{
    assert(!fields || json_is_object(fields));
    assert_no_reals(fields, 0);
    /* A copy: the fields may be somebody's who goes on using them, secrets and all. */
    OWNED(json_decref) json_t *own = fields ? json_deep_copy(fields) : json_object();
    json_decref(fields);
    secret_redact_json(own);
    OWNED(json_decref) json_t *body = json_copy(own);
    stamp(body, type, node_name, boot_id);
    OWNED(free) char *text = canonical_text(body);
    if (has_place(text))
        return TAKE(text);
    OWNED(json_decref) json_t *rest = withhold(own);
    stamp(rest, type, node_name, boot_id);
    char *short_text = canonical_text(rest);
    assert(has_place(short_text));
    return short_text;
}

static const char *const own_keys[] = {"v", "type", "wall", "usec", "boot", "node", "build"};
enum { OWN_KEYS = sizeof own_keys / sizeof *own_keys };

json_t *envelope_fields(const json_t *body)
{
    json_t *fields = json_copy((json_t *)(uintptr_t)body);
    for (size_t i = 0; i < OWN_KEYS; i++)
        (void)json_object_del(fields, own_keys[i]);
    return fields;
}

static bool has_just(const json_t *body, const json_t *fields)
{
    if (json_object_size(body) != json_object_size(fields) + OWN_KEYS)
        return false;
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)fields, key, value) {
        if (!json_equal(json_object_get(body, key), value))
            return false;
    }
    return true;
}

bool envelope_holds(const json_t *body, const json_t *fields)
{
    if (has_just(body, fields))
        return true;
    OWNED(json_decref) json_t *clean = json_deep_copy(fields);
    secret_redact_json(clean);
    if (!json_object_get(body, "withheld"))
        return has_just(body, clean);
    OWNED(json_decref) json_t *rest = withhold(clean);
    return has_just(body, rest);
}
