#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

size_t utf8_length(const char *at, size_t left)
{
    const unsigned char *s = (const unsigned char *)at;
    static const struct {
        unsigned char mask, lead, second_min, second_max;
        size_t length;
    } forms[] = {
        {0x80, 0x00, 0, 0, 1},       {0xff, 0xe0, 0xa0, 0xbf, 3}, {0xff, 0xed, 0x80, 0x9f, 3},
        {0xff, 0xf0, 0x90, 0xbf, 4}, {0xff, 0xf4, 0x80, 0x8f, 4}, {0xff, 0xc0, 1, 0, 2},
        {0xff, 0xc1, 1, 0, 2},       {0xe0, 0xc0, 0x80, 0xbf, 2}, {0xf0, 0xe0, 0x80, 0xbf, 3},
        {0xfc, 0xf0, 0x80, 0xbf, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if ((s[0] & forms[i].mask) != forms[i].lead)
            continue;
        if (forms[i].length > left)
            return 0;
        if (forms[i].length > 1 && (s[1] < forms[i].second_min || s[1] > forms[i].second_max))
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if ((s[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

char *utf8_cut(char *to, size_t room, const char *text)
{
    size_t n = strnlen(text, room);
    if (n == room)
        for (n = room - 1; n && ((unsigned char)text[n] & 0xc0) == 0x80;)
            n--;
    memcpy(to, text, n);
    to[n] = '\0';
    return to;
}

/* Unicode's General_Category Cc, the bidirectional controls of UAX #9, and the line and paragraph
 * separators. */
static bool is_harmful(const char *at, size_t length)
{
    const unsigned char *s = (const unsigned char *)at;
    if (length == 1)
        return *s < ' ' || *s == 0x7f;
    uint32_t point = length == 2 ? s[0] & 0x1f : s[0] & 0x0f;
    if (length == 4)
        return false;
    for (size_t i = 1; i < length; i++)
        point = point << 6 | (s[i] & 0x3fU);
    return point < 0xa0 || point == 0x61c || point == 0x200e || point == 0x200f ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

char *utf8_calm(char *text)
{
    char *to = text;
    const char *end = text + strlen(text);
    for (const char *at = text; at < end;) {
        size_t length = utf8_length(at, (size_t)(end - at));
        if (!length || is_harmful(at, length)) {
            *to++ = '?';
            at += length ? length : 1;
        } else {
            memmove(to, at, length);
            to += length;
            at += length;
        }
    }
    *to = '\0';
    return text;
}
