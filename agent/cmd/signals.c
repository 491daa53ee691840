/* planeguard signals: every signal, how it is seen and when it was last looked at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/ask.h"
#include "cmd/verbs.h"

enum { FACT_COLUMN = 10, LINE_WIDTH = 96, DIGEST_MIN = 32, DIGEST_SHOWN = 12 };

/* Digests and ids are cut: -o json has all of them. */
static int shown_length(const char *text)
{
    size_t hex = strspn(text, "0123456789abcdef");
    return hex >= DIGEST_MIN && !text[hex] ? DIGEST_SHOWN : (int)strlen(text);
}

static void say_fact(const char *key, const json_t *value, int *column)
{
    OWNED(free)
    char *text = json_is_string(value)
                     ? mem_printf("%s=%.*s", key, shown_length(json_string_value(value)),
                                  json_string_value(value))
                     : mem_printf("%s=%lld", key, (long long)json_integer_value(value));
    int length = (int)strlen(text) + 2;
    if (*column + length > LINE_WIDTH && *column > FACT_COLUMN) {
        (void)printf("\n%*s", FACT_COLUMN, "");
        *column = FACT_COLUMN;
    }
    (void)fputs(*column > FACT_COLUMN ? "  " : "", stdout);
    say_text(text);
    *column += length;
}

static void say_facts(const json_t *facts)
{
    const char *key;
    json_t *value;
    int column = FACT_COLUMN;
    if (!json_object_size(facts))
        return;
    (void)printf("%*s", FACT_COLUMN, "");
    json_object_foreach ((json_t *)(uintptr_t)facts, key, value)
        say_fact(key, value, &column);
    (void)putchar('\n');
}

static void say_signal(const json_t *s)
{
    char since[32], ago[32];
    const char *verdict = json_get_string(s, "verdict", "?");
    const char *reason = json_get_string(s, "reason", "?");
    (void)printf("%s%-8s%s  %-28s  %-16s  since %-8s  ", say_color(verdict), verdict, say_plain(),
                 json_get_string(s, "signal", "?"), strcmp(reason, "none") != 0 ? reason : "",
                 say_about(s, "sinceUsec", since));
    if (json_object_get(s, "lookedAgoUsec"))
        (void)printf("looked %s ago", say_about(s, "lookedAgoUsec", ago));
    else
        (void)fputs("never looked", stdout);
    (void)puts(json_get_bool(s, "byEvents", false) ? ", and at events" : "");
    say_facts(json_object_get(s, "facts"));
}

int cmd_signals(const struct options *o)
{
    int code;
    OWNED(json_decref) json_t *a = ask_agent(o, "signals", NULL, &code);
    if (!a)
        return code;
    if (o->json) {
        say_json(a);
        return EXIT_GOOD;
    }
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(a, "signals"), i, one)
        say_signal(one);
    return EXIT_GOOD;
}
