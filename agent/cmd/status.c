/* planeguard status: what it sees, what it is doing, since when. */
#include <stdio.h>
#include <string.h>

#include "cmd/ask.h"
#include "cmd/verbs.h"

enum { STATUS_WELL = 0, STATUS_INCIDENT = 1, STATUS_UNKNOWN = 4 };

static size_t count_verdict(const json_t *status, const char *verdict)
{
    size_t i, count = 0;
    json_t *one;
    json_array_foreach (json_object_get(status, "signals"), i, one)
        count += !strcmp(json_get_string(one, "verdict", ""), verdict);
    return count;
}

static void say_head(const json_t *a)
{
    char up[32];
    (void)printf("planeguard %s on %s, up %s\n", json_get_string(a, "version", "?"),
                 json_get_string(a, "node", "?"), say_about(a, "upUsec", up));
    (void)printf("  policy     %s, mode %s\n", json_get_string(a, "policy", "?"),
                 json_get_string(a, "mode", "?"));
    if (json_get_bool(a, "scaled", false))
        (void)puts("  TIMES ARE SCALED by the policy: for demos and tests only");
    if (json_get_bool(a, "killSwitch", false))
        (void)puts("  THE KILL SWITCH IS PULLED: no new step begins");
    if (!json_get_bool(a, "journalWritable", true))
        (void)puts("  THE JOURNAL CAN'T BE WRITTEN: no new step begins");
    if (!json_get_bool(a, "observerAlive", true))
        (void)printf("  the observer is down (%s): network signals are unknown\n",
                     json_get_string(a, "observerWhy", ""));
}

static void say_incident(const json_t *i)
{
    char since[32];
    const char *state = json_get_string(i, "state", "?");
    (void)printf("  %s%-10s%s  %-28s  since %s, %s\n", say_color(state), state, say_plain(),
                 json_get_string(i, "failure", "?"), say_about(i, "openUsec", since),
                 json_get_string(i, "id", "?"));
    (void)fputs("              ", stdout);
    say_text(json_get_string(i, "why", ""));
    const char *phase = json_get_string(i, "phase", "");
    if (*phase)
        (void)printf(" (%s)", phase);
    (void)putchar('\n');
}

static void say_incidents(const json_t *incidents)
{
    size_t i;
    json_t *one;
    if (json_array_size(incidents))
        (void)puts("\nopen incidents");
    json_array_foreach (incidents, i, one)
        say_incident(one);
}

static void say_signals(const json_t *a, const char *verdict, const char *title)
{
    size_t i;
    json_t *one;
    if (count_verdict(a, verdict))
        (void)printf("\n%s\n", title);
    json_array_foreach (json_object_get(a, "signals"), i, one) {
        char since[32];
        if (!strcmp(json_get_string(one, "verdict", ""), verdict))
            (void)printf("  %s%-14s%s  %-28s  since %s\n%18s%s\n", say_color(verdict),
                         json_get_string(one, "reason", "?"), say_plain(),
                         json_get_string(one, "signal", "?"), say_about(one, "sinceUsec", since),
                         "", json_get_string(one, "sentence", ""));
    }
}

static void say_counts(const json_t *a)
{
    size_t open = json_array_size(json_object_get(a, "incidents"));
    (void)printf("  signals    %zu pass, %zu fail, %zu unknown\n", count_verdict(a, "pass"),
                 count_verdict(a, "fail"), count_verdict(a, "unknown"));
    if (open)
        (void)printf("  incidents  %zu open\n", open);
    else
        (void)puts("  incidents  none open");
}

int cmd_status(const struct options *o)
{
    int code;
    OWNED(json_decref) json_t *a = ask_agent(o, "status", NULL, &code);
    if (!a)
        return code;
    const json_t *incidents = json_object_get(a, "incidents");
    size_t unknown = count_verdict(a, "unknown");
    if (json_array_size(incidents))
        code = STATUS_INCIDENT;
    else
        code = unknown == json_array_size(json_object_get(a, "signals")) ? STATUS_UNKNOWN
                                                                         : STATUS_WELL;
    if (o->json) {
        say_json(a);
        return code;
    }
    say_head(a);
    say_counts(a);
    say_incidents(incidents);
    say_signals(a, "fail", "failing signals");
    say_signals(a, "unknown", "unknown signals: what depends on these can't be seen");
    return code;
}
