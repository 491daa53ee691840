#include "config/text.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define LETTERS SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum { LINE_BYTES_MAX = 4096, LABEL_BYTES_MAX = 63 };

bool text_is_integer(const char *text)
{
    text += *text == '-';
    size_t digits = strspn(text, DIGITS);
    return digits && !text[digits] && (digits == 1 || *text != '0');
}

/* Infinity, hexadecimal, octal (YAML 1.2, 10.3.2); `text` without its sign. */
static bool is_odd_number(const char *text)
{
    if (!strcmp(text, ".inf") || !strcmp(text, ".Inf") || !strcmp(text, ".INF"))
        return true;
    if (!strncmp(text, "0x", 2) && text[2])
        return !text[2 + strspn(text + 2, DIGITS "abcdefABCDEF")];
    return !strncmp(text, "0o", 2) && text[2] && !text[2 + strspn(text + 2, "01234567")];
}

/* Nothing, or [eE] [-+]? [0-9]+ */
static bool is_exponent(const char *text)
{
    if (!*text)
        return true;
    if (*text != 'e' && *text != 'E')
        return false;
    text += text[1] == '-' || text[1] == '+' ? 2 : 1;
    size_t digits = strspn(text, DIGITS);
    return digits && !text[digits];
}

/* [-+]? (\.[0-9]+ | [0-9]+(\.[0-9]*)?) ([eE][-+]?[0-9]+)? and the odd ones */
static bool is_number(const char *text)
{
    text += *text == '-' || *text == '+';
    if (is_odd_number(text))
        return true;
    size_t whole = strspn(text, DIGITS), fraction = 0;
    text += whole;
    if (*text == '.') {
        fraction = strspn(text + 1, DIGITS);
        text += 1 + fraction;
    }
    return (whole || fraction) && is_exponent(text);
}

bool text_is_other_type(const char *text)
{
    static const char *const words[] = {"",     "~",     "null",  "Null",  "NULL", "true", "True",
                                        "TRUE", "false", "False", "FALSE", "yes",  "Yes",  "YES",
                                        "no",   "No",    "NO",    "on",    "On",   "ON",   "off",
                                        "Off",  "OFF",   ".nan",  ".NaN",  ".NAN"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(text, words[i]))
            return true;
    return is_number(text);
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

bool text_is_one_line(const char *text)
{
    return strnlen(text, LINE_BYTES_MAX + 1) <= LINE_BYTES_MAX && !has_control(text);
}

bool text_is_name(const char *text)
{
    size_t length = strspn(text, SMALL DIGITS "-");
    return length && length <= LABEL_BYTES_MAX && !text[length] && text[0] != '-' &&
           text[length - 1] != '-';
}

bool text_is_path(const char *text)
{
    if (*text != '/' || strnlen(text, PATH_MAX) >= PATH_MAX || has_control(text))
        return false;
    for (const char *part = text + 1; *part;) {
        size_t length = strcspn(part, "/");
        if (!length || (length == 1 && part[0] == '.') || (length == 2 && !strncmp(part, "..", 2)))
            return false;
        part += length;
        part += *part == '/';
    }
    return true;
}

/* Length of the host (a name, an IPv4 or a bracketed IPv6 address), 0 when there is none. */
static size_t host_length(const char *text)
{
    if (*text != '[')
        return strspn(text, LETTERS DIGITS ".-");
    size_t address = strspn(text + 1, DIGITS "abcdefABCDEF:.");
    return address && text[1 + address] == ']' ? address + 2 : 0;
}

bool text_is_url(const char *text)
{
    if (!text_is_one_line(text) || strchr(text, ' '))
        return false;
    if (!strncmp(text, "https://", 8))
        text += 8;
    else if (!strncmp(text, "http://", 7))
        text += 7;
    else
        return false;
    size_t host = host_length(text);
    if (!host)
        return false;
    text += host;
    if (*text == ':') {
        size_t digits = strspn(++text, DIGITS);
        long port = digits && digits <= 5 ? strtol(text, NULL, 10) : 0;
        if (port < 1 || port > 65535)
            return false;
        text += digits;
    }
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c & 0x80)
            return false;
    return !*text || strchr("/?#", *text);
}
