#include "record/canonical.h"

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/own.h"

enum { DEL = 0x7f, INTEGER_DIGITS = 16 };
#define INTEGER_LIMIT (UINT64_C(1) << 53)

char *canonical_text(const json_t *value)
{
    char *text = json_canonical(value);
    if (!strchr(text, DEL))
        return text;
    struct buf escaped = {0};
    for (const char *at = text;;) {
        size_t plain = strcspn(at, "\x7f");
        buf_add(&escaped, at, plain);
        at += plain;
        if (!*at)
            break;
        buf_text(&escaped, "\\u007F");
        at++;
    }
    free(text);
    return buf_take(&escaped);
}

/* ---- checking ----
 * A cursor runs over the bytes; each function takes what it is named after and leaves the cursor
 * behind it, or says false. What it costs matters: verification is to run near SHA-256's speed. */

struct text { /* between the quotes */
    const char *at;
    size_t length;
    bool has_escapes;
};

struct level {
    bool is_object;
    bool has_members;
    struct text key; /* the last one, for the order */
};

struct cursor {
    const char *at, *end;
    struct canonical_seen seen;
    size_t depth;
    struct level levels[CANONICAL_DEPTH];
};

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* The high bit of each byte that is zero; exact up to the first such byte. */
static inline uint64_t zero_bytes(uint64_t w)
{
    return (w - EACH_BYTE(1)) & ~w;
}

/* How many of the 8 bytes, from the first, stand in a string as they are. */
static inline size_t plain_prefix(const char *at)
{
    uint64_t w;
    memcpy(&w, at, sizeof w);
    w = le64toh(w);
    uint64_t odd = w | ((w - EACH_BYTE(0x20)) & ~w) | zero_bytes(w ^ EACH_BYTE('"')) |
                   zero_bytes(w ^ EACH_BYTE('\\')) | zero_bytes(w ^ EACH_BYTE(DEL));
    odd &= EACH_BYTE(0x80);
    return odd ? (size_t)__builtin_ctzll(odd) / 8 : 8;
}

static inline bool is_plain(char c)
{
    return c >= 0x20 && c < DEL && c != '"' && c != '\\';
}

/* Behind everything that stands in a string as it is. */
static inline const char *plain_end(const char *at, const char *end)
{
    while (end - at >= 8) {
        size_t n = plain_prefix(at);
        at += n;
        if (n < 8)
            return at;
    }
    while (at < end && is_plain(*at))
        at++;
    return at;
}

/* The four upper-case digits at `at`, or -1. */
static int32_t unit_at(const char *at, const char *end)
{
    int32_t unit = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char d = at[i];
        if (d >= '0' && d <= '9')
            unit = unit * 16 + (d - '0');
        else if (d >= 'A' && d <= 'F')
            unit = unit * 16 + (d - 'A' + 10);
        else
            return -1;
    }
    return unit;
}

/* "\uXXXX" behind its 'u'; the code point, or -1: also for what has a shorter form. */
static int32_t take_unit(struct cursor *c)
{
    int32_t unit = unit_at(c->at, c->end);
    c->at += unit < 0 ? 0 : 4;
    bool has_own_letter = unit > 0 && unit < 0x20 && strchr("\b\t\n\f\r", unit);
    if (unit <= 0 || has_own_letter || (unit >= 0x20 && unit < DEL))
        return -1;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (unit >= 0xdc00 || c->end - c->at < 6 || memcmp(c->at, "\\u", 2) != 0)
        return -1;
    int32_t low = unit_at(c->at + 2, c->end);
    if (low < 0xdc00 || low > 0xdfff)
        return -1;
    c->at += 6;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* The code point of the escape at the cursor (on its backslash), or -1. */
static int32_t take_escape(struct cursor *c)
{
    static const char letters[] = "\"\\btnfr", meanings[] = "\"\\\b\t\n\f\r";
    if (c->end - c->at < 2)
        return -1;
    char letter = c->at[1];
    c->at += 2;
    if (letter == 'u')
        return take_unit(c);
    const char *found = letter ? strchr(letters, letter) : NULL;
    return found ? meanings[found - letters] : -1;
}

/* The rest of a string, from the first byte in it that isn't plain. */
static bool take_string_rest(struct cursor *c, struct text *ret)
{
    for (;;) {
        if (c->at == c->end)
            return false;
        if (*c->at == '"') {
            ret->length = (size_t)(c->at++ - ret->at);
            return true;
        }
        if (*c->at != '\\' || take_escape(c) < 0)
            return false;
        ret->has_escapes = true;
        c->at = plain_end(c->at, c->end);
    }
}

static inline bool take_string(struct cursor *c, struct text *ret)
{
    const char *from = c->at, *end = c->end;
    if (from == end || *from != '"')
        return false;
    const char *at = plain_end(++from, end);
    ret->at = from;
    ret->has_escapes = false;
    if (__builtin_expect(at < end && *at == '"', 1)) {
        ret->length = (size_t)(at - from);
        c->at = at + 1;
        return true;
    }
    c->at = at;
    return take_string_rest(c, ret);
}

/* The next code point of a string that was taken before; -1 at its end. */
static int32_t next_point(struct cursor *c)
{
    if (c->at == c->end)
        return -1;
    return *c->at == '\\' ? take_escape(c) : *c->at++;
}

static bool points_ascend(const struct text *a, const struct text *b)
{
    struct cursor ca, cb;
    ca.at = a->at, ca.end = a->at + a->length;
    cb.at = b->at, cb.end = b->at + b->length;
    for (;;) {
        int32_t pa = next_point(&ca), pb = next_point(&cb);
        if (pa != pb)
            return pa < pb;
        if (pa < 0)
            return false;
    }
}

static inline bool keys_ascend(const struct text *a, const struct text *b)
{
    if (a->has_escapes || b->has_escapes)
        return points_ascend(a, b);
    if (a->length && b->length && *a->at != *b->at)
        return *a->at < *b->at;
    int order = memcmp(a->at, b->at, a->length < b->length ? a->length : b->length);
    return order < 0 || (order == 0 && a->length < b->length);
}

static inline bool take_integer(struct cursor *c)
{
    bool negative = *c->at == '-';
    const char *digits = c->at += negative;
    uint64_t n = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (c->at - digits < INTEGER_DIGITS)
            n = n * 10 + (uint64_t)(*c->at - '0');
    size_t count = (size_t)(c->at - digits);
    if (count == 0 || count > INTEGER_DIGITS || n >= INTEGER_LIMIT)
        return false;
    return *digits != '0' || (count == 1 && !negative);
}

static bool take_word(struct cursor *c, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

static bool open_level(struct cursor *c)
{
    if (c->depth == CANONICAL_DEPTH)
        return false;
    struct level *l = &c->levels[c->depth++];
    l->is_object = *c->at++ == '{';
    l->has_members = false;
    return true;
}

/* A value's beginning: all of it, or a level opened. */
static inline bool take_value(struct cursor *c)
{
    struct text ignored;
    if (c->at == c->end)
        return false;
    switch (*c->at) {
    case '"':
        return take_string(c, &ignored);
    case '{':
    case '[':
        return open_level(c);
    case 't':
        return take_word(c, "true");
    case 'f':
        return take_word(c, "false");
    case 'n':
        return take_word(c, "null");
    default:
        return take_integer(c);
    }
}

static inline bool take_key(struct cursor *c, struct level *l)
{
    struct text key;
    if (!take_string(c, &key) || c->at == c->end || *c->at++ != ':')
        return false;
    if (l->has_members && !keys_ascend(&l->key, &key))
        return false;
    l->key = key;
    return true;
}

/* One member of the innermost level, or its end. */
static inline bool take_member(struct cursor *c)
{
    struct level *l = &c->levels[c->depth - 1];
    if (c->at == c->end)
        return false;
    if (*c->at == (l->is_object ? '}' : ']')) {
        c->at++;
        c->depth--;
        return true;
    }
    if (l->has_members && *c->at++ != ',')
        return false;
    if (l->is_object && !take_key(c, l))
        return false;
    l->has_members = true;
    const char *from = c->at;
    if (!take_value(c))
        return false;
    if (c->levels == l && l->key.length == 1 && *l->key.at == 'v')
        c->seen = (struct canonical_seen){from, (size_t)(c->at - from)};
    return true;
}

bool canonical_check(const char *bytes, size_t length, struct canonical_seen *ret)
{
    struct cursor c;
    c.at = bytes, c.end = bytes + length;
    c.seen = (struct canonical_seen){0};
    c.depth = 0;
    if (length == 0 || *bytes != '{')
        return false;
    (void)open_level(&c); /* an object, so each member of the outermost level has a key */
    while (c.depth)
        if (!take_member(&c))
            return false;
    if (c.at != c.end)
        return false;
    if (ret)
        *ret = c.seen;
    return true;
}
