/* planeguard signals: every signal, how it is seen and when it was last looked at. */
#include <stdio.h>
#include <string.h>

#include "cmd/ask.h"
#include "cmd/verbs.h"

static void say_facts(const json_t *facts)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)facts, key, value) {
        (void)printf(" %s=", key);
        if (json_is_string(value))
            say_text(json_string_value(value));
        else
            (void)printf("%lld", (long long)json_integer_value(value));
    }
}

static void say_signal(const json_t *s)
{
    char since[32], ago[32] = "never";
    const char *verdict = json_get_string(s, "verdict", "?");
    if (json_object_get(s, "lookedAgoUsec"))
        (void)say_about(s, "lookedAgoUsec", ago);
    (void)printf("%s%-8s%s %-28s %-12s %-16s since %-8s looked %s ago%s\n", say_color(verdict),
                 verdict, say_plain(), json_get_string(s, "signal", "?"),
                 json_get_string(s, "kind", "?"), json_get_string(s, "reason", "?"),
                 say_about(s, "sinceUsec", since), ago,
                 json_get_bool(s, "byEvents", false) ? ", and at events" : "");
    const json_t *facts = json_object_get(s, "facts");
    if (json_object_size(facts)) {
        (void)fputs("        ", stdout);
        say_facts(facts);
        (void)putchar('\n');
    }
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
