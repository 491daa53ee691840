/* planeguard plan [FAILURE]: what would be done now, step by step, with the bytes that would
 * change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/plan.h"
#include "base/mem.h"
#include "cmd/ask.h"
#include "cmd/verbs.h"

enum { PLAN_NOTHING = 0, PLAN_CHANGES = 2 };

static void say_argv(const json_t *argv)
{
    size_t i;
    json_t *word;
    (void)fputs("       $", stdout);
    json_array_foreach (argv, i, word) {
        (void)putchar(' ');
        say_text(json_is_string(word) ? json_string_value(word) : "");
    }
    (void)putchar('\n');
}

/* A sentence below its step, going on in the next line at a space. */
static void say_sentence(const char *text)
{
    enum { COLUMN = 7, ROOM = 88 };
    while (*text) {
        int length = (int)strlen(text);
        if (length > ROOM) {
            length = ROOM;
            while (length > ROOM / 2 && text[length] != ' ')
                length--;
        }
        OWNED(free) char *line = mem_printf("%.*s", length, text);
        (void)printf("%*s", COLUMN, "");
        say_text(line);
        (void)putchar('\n');
        text += length;
        text += *text == ' ';
    }
}

static void say_diff(const char *diff)
{
    while (*diff) {
        size_t length = strcspn(diff, "\n");
        const char *color = *diff == '+'   ? say_color("pass")
                            : *diff == '-' ? say_color("fail")
                                           : "";
        (void)printf("       %s%.*s%s\n", color, (int)length, diff, *color ? say_plain() : "");
        diff += length + (diff[length] == '\n');
    }
}

static void say_step(size_t number, const json_t *step)
{
    (void)printf("  %zu. %s (%s)%s\n", number, json_get_string(step, "name", "?"),
                 json_get_string(step, "kind", "?"),
                 json_get_bool(step, "already", false) ? ": already so" : "");
    say_sentence(json_get_string(step, "summary", ""));
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(step, "argv"), i, one)
        say_argv(one);
    json_array_foreach (json_object_get(step, "files"), i, one) {
        (void)printf("       sha256 %.12s -> %.12s\n", json_get_string(one, "before", "(absent)"),
                     json_get_string(one, "after", "(absent)"));
        say_diff(json_get_string(one, "diff", ""));
    }
}

static void say_plan(const json_t *plan)
{
    const char *digest = json_get_string(plan, "digest", "");
    (void)printf("%s\n  by playbook %s%s%.12s%s\n", json_get_string(plan, "failure", "?"),
                 json_get_string(plan, "playbook", "?"), *digest ? ", plan " : "", digest,
                 json_get_bool(plan, "dry", false) ? ", gone through only (dry-run)" : "");
    const char *unplannable = json_get_string(plan, "unplannable", NULL);
    if (unplannable) {
        (void)fputs("  can't be planned now: ", stdout);
        say_text(unplannable);
        (void)putchar('\n');
    }
    size_t i;
    json_t *step;
    json_array_foreach (json_object_get(plan, "steps"), i, step)
        say_step(i + 1, step);
}

int cmd_plan(const struct options *o)
{
    if (o->argc > 1) {
        (void)fprintf(stderr, "planeguard: plan takes at most one failure's name\n");
        return EXIT_USAGE;
    }
    int code;
    OWNED(json_decref) json_t *a = ask_agent(o, "plan", o->argc ? o->argv[0] : NULL, &code);
    if (!a)
        return code;
    const json_t *plans = json_object_get(a, "plans");
    code = PLAN_NOTHING;
    size_t i;
    json_t *plan;
    json_array_foreach (plans, i, plan) {
        if (plan_changes_anything(plan))
            code = PLAN_CHANGES;
        if (!o->json)
            say_plan(plan);
    }
    if (o->json)
        say_json(a);
    else if (!json_array_size(plans))
        (void)puts("nothing is planned: no incident has a plan");
    return code;
}
