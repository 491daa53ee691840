#include "base/secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/own.h"

enum {
    KEY_LINES_MAX = 400,   /* a private key is never longer */
    KEY_TOKEN_LENGTH = 40, /* a line of base64 inside of one is at least this long */
    KEY_WORD_LENGTH = 64,  /* longest key that is looked at */
    JSON_DEPTH_MAX = 64,
    LOOKS_MAX = 8, /* at a text in which something was withheld */
};

static const char *const secret_keys[] = {
    "password", "passwd",  "token",  "client-key-data", "clientkeydata",     "certificate-key",
    "secret",   "api-key", "apikey", "private-key",     "secret-access-key", "secretaccesskey",
};

struct line {
    const char *at;
    size_t length;
    bool withheld;
};

struct lines {
    struct line *at;
    size_t count, room;
};

static void lines_fini_owned(struct lines *l)
{
    free(l->at);
}

/* The place of `word` in the line, or NULL. */
static const char *line_find(const char *at, size_t length, const char *word)
{
    return memmem(at, length, word, strlen(word));
}

static bool is_key_mark(const struct line *l, const char *edge)
{
    const char *mark = line_find(l->at, l->length, edge);
    return mark && line_find(mark, l->length - (size_t)(mark - l->at), "PRIVATE KEY-----");
}

static bool is_base64(unsigned char c)
{
    return isalnum(c) || c == '+' || c == '/' || c == '=';
}

/* Ends in a long run of base64, as a line inside a key does, whatever a log put before it. */
static bool is_key_body(const struct line *l)
{
    size_t end = l->length, run = 0;
    while (end > 0 && isspace((unsigned char)l->at[end - 1]))
        end--;
    while (run < end && is_base64((unsigned char)l->at[end - 1 - run]))
        run++;
    return run >= KEY_TOKEN_LENGTH;
}

static struct lines lines_of(const char *text, size_t length)
{
    struct lines l = {0};
    for (size_t from = 0; from < length;) {
        const char *end = memchr(text + from, '\n', length - from);
        size_t to = end ? (size_t)(end - text) : length;
        *mem_push(l.at, l.count, l.room) = (struct line){text + from, to - from, false};
        from = to + 1;
    }
    return l;
}

/* Marks the lines of private keys, also of those whose begin or end is cut off. */
static void keys_mark(struct lines *l)
{
    size_t inside = 0; /* how many lines of a key may still come */
    for (size_t i = 0; i < l->count; i++) {
        struct line *line = &l->at[i];
        bool begins = is_key_mark(line, "-----BEGIN "), ends = is_key_mark(line, "-----END ");
        if (ends && !begins && inside == 0)
            for (size_t back = i; back > 0 && is_key_body(&l->at[back - 1]); back--)
                l->at[back - 1].withheld = true;
        line->withheld |= begins || ends || inside > 0;
        if (begins)
            inside = KEY_LINES_MAX;
        else if (inside > 0)
            inside--;
        if (ends)
            inside = 0;
    }
}

static bool is_word(unsigned char c)
{
    return isalnum(c) || c == '-' || c == '_' || c == '.';
}

/* Does this key, as written (MY_API_KEY, clientKeyData, --token), end in a secret's? */
static bool is_secret_key(const char *key, size_t length)
{
    char plain[KEY_WORD_LENGTH];
    if (length >= sizeof plain) {
        key += length - sizeof plain + 1;
        length = sizeof plain - 1;
    }
    for (size_t i = 0; i < length; i++)
        plain[i] = key[i] == '_' || key[i] == '.' ? '-' : (char)tolower((unsigned char)key[i]);
    for (size_t i = 0; i < sizeof secret_keys / sizeof *secret_keys; i++) {
        size_t tail = strlen(secret_keys[i]);
        if (length >= tail && memcmp(plain + length - tail, secret_keys[i], tail) == 0)
            return true;
    }
    return false;
}

static bool is_filler(unsigned char c)
{
    return c == '"' || c == '\'' || c == '\\' || c == ' ' || c == '\t';
}

/* What was withheld before counts as one word, or its end would be taken for what follows it. */
static size_t value_length(const char *at, const char *end)
{
    const size_t mark = strlen(SECRET_WITHHELD);
    bool is_mark = (size_t)(end - at) >= mark && !memcmp(at, SECRET_WITHHELD, mark);
    const char *to = is_mark ? at + mark : at;
    while (to < end && !isspace((unsigned char)*to) && !strchr("\"'\\,;&)}]", *to))
        to++;
    return (size_t)(to - at);
}

static const char *filler_skip(const char *at, const char *end)
{
    while (at < end && is_filler((unsigned char)*at))
        at++;
    return at;
}

/* The following give what is secret at `at`: its beginning and length; 0 when nothing is.
 * "Bearer TOKEN" and "eyJ...", a JSON web token. */
static size_t secret_token(const char *at, const char *end, const char **ret_secret)
{
    size_t left = (size_t)(end - at);
    if (left > 7 && strncasecmp(at, "bearer", 6) == 0 && is_filler((unsigned char)at[6]))
        *ret_secret = filler_skip(at + 6, end);
    else if (left > 20 && strncmp(at, "eyJ", 3) == 0)
        *ret_secret = at;
    else
        return 0;
    return value_length(*ret_secret, end);
}

/* "://user:PASSWORD@host/" */
static size_t secret_url(const char *at, const char *end, const char **ret_secret)
{
    if (end - at < 4 || strncmp(at, "://", 3) != 0)
        return 0;
    at += 3;
    const char *to = at + value_length(at, end);
    const char *slash = memchr(at, '/', (size_t)(to - at));
    const char *sign = memrchr(at, '@', (size_t)((slash ? slash : to) - at));
    const char *colon = sign ? memchr(at, ':', (size_t)(sign - at)) : NULL;
    if (!colon)
        return 0;
    *ret_secret = colon + 1;
    return (size_t)(sign - colon - 1);
}

/* `key: VALUE`, `key=VALUE`, at the sign between. `from` is the line's start. */
static size_t secret_value(const char *from, const char *sign, const char *end,
                           const char **ret_secret)
{
    const char *key_end = sign;
    while (key_end > from && is_filler((unsigned char)key_end[-1]))
        key_end--;
    const char *key = key_end;
    while (key > from && is_word((unsigned char)key[-1]))
        key--;
    if (key == key_end || !is_secret_key(key, (size_t)(key_end - key)))
        return 0;
    const char *value = filler_skip(sign + 1, end);
    if (value < end && *value == '/') /* a file's name */
        return 0;
    *ret_secret = value;
    return value_length(value, end);
}

static void line_redact(const struct line *l, struct buf *out)
{
    const char *end = l->at + l->length, *kept = l->at;
    for (const char *at = l->at; at < end;) {
        const char *secret = NULL;
        bool fresh = at == l->at || !is_word((unsigned char)at[-1]);
        size_t length = fresh ? secret_token(at, end, &secret) : 0;
        if (length == 0 && *at == ':')
            length = secret_url(at, end, &secret);
        if (length == 0 && (*at == ':' || *at == '='))
            length = secret_value(l->at, at, end, &secret);
        if (length == 0) {
            at++;
            continue;
        }
        buf_add(out, kept, (size_t)(secret - kept));
        buf_text(out, SECRET_WITHHELD);
        at = kept = secret + length;
    }
    buf_add(out, kept, (size_t)(end - kept));
}

/* "- name: DB_PASSWORD": then the next line's `value:` is secret. */
static bool names_secret(const struct line *l)
{
    const char *name = line_find(l->at, l->length, "name:");
    if (!name)
        return false;
    const char *end = l->at + l->length;
    const char *value = filler_skip(name + strlen("name:"), end), *to = value;
    while (to < end && is_word((unsigned char)*to))
        to++;
    return to > value && is_secret_key(value, (size_t)(to - value));
}

static bool value_redact(const struct line *l, struct buf *out)
{
    const char *value = line_find(l->at, l->length, "value:");
    if (!value)
        return false;
    const struct line before = {l->at, (size_t)(value - l->at), false};
    line_redact(&before, out); /* that isn't the name's value, but may be a secret all the same */
    buf_text(out, "value: " SECRET_WITHHELD);
    return true;
}

static void redact_once(const char *text, size_t length, struct buf *out)
{
    OWNED(free) char *clean = mem_alloc(length + 1);
    for (size_t i = 0; i < length; i++)
        clean[i] = text[i] == '\0' ? ' ' : text[i];
    OWNED(lines_fini) struct lines l = lines_of(clean, length);
    keys_mark(&l);
    bool after_name = false;
    for (size_t i = 0; i < l.count; i++) {
        if (l.at[i].withheld)
            buf_text(out, SECRET_WITHHELD);
        else if (!after_name || !value_redact(&l.at[i], out))
            line_redact(&l.at[i], out);
        after_name = names_secret(&l.at[i]);
        if (i + 1 < l.count || text[length - 1] == '\n')
            buf_text(out, "\n");
    }
}

/* Until nothing more is found: what was withheld may let the next look see what it didn't before,
 * and to redact a record's text again must change nothing, because it goes into other records. */
void secret_redact(const char *text, size_t length, struct buf *out)
{
    OWNED(buf_fini) struct buf now = {0};
    redact_once(text, length, &now);
    bool changed = now.length != length || memcmp(buf_string(&now), text, length) != 0;
    for (int i = 0; changed && i < LOOKS_MAX; i++) {
        struct buf next = {0};
        redact_once(buf_string(&now), now.length, &next);
        changed = next.length != now.length || memcmp(next.bytes, now.bytes, next.length) != 0;
        buf_fini(&now);
        now = next;
    }
    if (changed)
        buf_text(out, SECRET_WITHHELD);
    else
        buf_add(out, buf_string(&now), now.length);
}

static json_t *string_redact(json_t *value)
{
    OWNED(buf_fini) struct buf b = {0};
    secret_redact(json_string_value(value), json_string_length(value), &b);
    if (b.length == json_string_length(value) &&
        !memcmp(buf_string(&b), json_string_value(value), b.length))
        return json_incref(value);
    return json_text(buf_string(&b), b.length);
}

static json_t *json_redacted(json_t *value, unsigned depth);

static void object_redact(json_t *object, unsigned depth)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        bool whole = strcmp(key, "env") == 0 || strcmp(key, "envs") == 0 ||
                     (is_secret_key(key, strlen(key)) && json_is_string(value) &&
                      json_string_value(value)[0] != '/');
        json_put(object, key,
                 whole ? json_text(SECRET_WITHHELD, strlen(SECRET_WITHHELD))
                       : json_redacted(value, depth + 1));
    }
}

/* A new reference: a changed string is another value. */
static json_t *json_redacted(json_t *value, unsigned depth)
{
    if (depth > JSON_DEPTH_MAX)
        return json_text(SECRET_WITHHELD, strlen(SECRET_WITHHELD));
    if (json_is_string(value))
        return string_redact(value);
    if (json_is_object(value))
        object_redact(value, depth);
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++)
        (void)json_array_set_new(value, i, json_redacted(json_array_get(value, i), depth + 1));
    return json_incref(value);
}

void secret_redact_json(json_t *value)
{
    json_decref(json_redacted(value, 0));
}
