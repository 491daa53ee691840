/* planeguard explain FAILURE|ID: why it acted or did not. */
#include <stdio.h>
#include <string.h>

#include "cmd/ask.h"
#include "cmd/verbs.h"

static void indent(int depth)
{
    (void)printf("%*s", 2 * depth, "");
}

static const char *mark(const char *truth)
{
    if (!strcmp(truth, "true"))
        return "yes";
    return strcmp(truth, "false") != 0 ? "?  " : "no ";
}

static void say_signal_condition(const json_t *w)
{
    const json_t *seen = json_object_get(w, "seen");
    char since[32];
    const char *verdict = json_get_string(seen, "verdict", "?");
    const char *seen_reason = json_get_string(seen, "reason", "?");
    bool has_reason = strcmp(seen_reason, "none") != 0;
    (void)printf("%s %s%s%s%s%s, since %s; wanted: %s", json_get_string(seen, "signal", "?"),
                 say_color(verdict), verdict, say_plain(), has_reason ? " " : "",
                 has_reason ? seen_reason : "", say_about(seen, "sinceUsec", since),
                 json_get_string(w, "wanted", "?"));
    size_t i;
    json_t *reason;
    json_array_foreach (json_object_get(w, "reasons"), i, reason)
        (void)printf("%s%s", i ? ", " : " ", json_string_value(reason));
    const char *fact = json_get_string(w, "fact", NULL);
    if (fact)
        (void)printf(" with its fact %s", fact);
    (void)putchar('\n');
}

/* As deep as the documents allow conditions to be (config/yaml.h). */
static void say_condition(const json_t *w, int depth)
{
    const char *type = json_get_string(w, "type", "?");
    indent(depth);
    (void)printf("%s  ", mark(json_get_string(w, "truth", "?")));
    if (!strcmp(type, "signal")) {
        say_signal_condition(w);
        return;
    }
    (void)printf("%s of:\n", type);
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(w, "of"), i, one)
        say_condition(one, depth + 1);
}

static void say_guards(const json_t *incident, int depth)
{
    size_t i;
    json_t *g;
    json_array_foreach (json_object_get(incident, "guards"), i, g) {
        indent(depth);
        (void)printf("guard %-12s %-6s ", json_get_string(g, "guard", "?"),
                     json_get_string(g, "verdict", "?"));
        say_text(json_get_string(g, "saw", ""));
        const char *wants = json_get_string(g, "wants", "");
        if (*wants) {
            (void)fputs("; wants ", stdout);
            say_text(wants);
        }
        (void)putchar('\n');
    }
}

static void say_incident(const json_t *incident, int depth)
{
    char open[32];
    indent(depth);
    (void)printf("incident %s is %s, open for %s: ", json_get_string(incident, "id", "?"),
                 json_get_string(incident, "state", "?"), say_about(incident, "openUsec", open));
    say_text(json_get_string(incident, "why", ""));
    (void)putchar('\n');
    say_guards(incident, depth + 1);
}

static void say_playbooks(const json_t *failure)
{
    size_t i, k;
    json_t *p, *w;
    json_array_foreach (json_object_get(failure, "playbooks"), i, p) {
        (void)printf("\nplaybook %s (risk %s, mode %s)%s\n", json_get_string(p, "playbook", "?"),
                     json_get_string(p, "risk", "?"), json_get_string(p, "mode", "?"),
                     json_get_bool(p, "tried", false) ? ": tried in this incident" : "");
        json_array_foreach (json_object_get(p, "requires"), k, w)
            say_condition(w, 1);
    }
    if (!json_array_size(json_object_get(failure, "playbooks")))
        (void)printf("no playbook: a person is told. %s\n", json_get_string(failure, "advice", ""));
}

/* A cause that isn't seen explains nothing: one line, and nothing of its own causes. */
static bool is_out_of_question(const json_t *cause)
{
    const json_t *when = json_object_get(cause, "when");
    return !strcmp(json_get_string(when, "truth", ""), "false") &&
           !json_object_get(cause, "incident");
}

static void say_cause(const json_t *cause, int depth);

static void say_failure(const json_t *failure, int depth)
{
    indent(depth);
    (void)printf("%s: %s\n", json_get_string(failure, "failure", "?"),
                 json_get_string(failure, "summary", ""));
    say_condition(json_object_get(failure, "when"), depth + 1);
    const json_t *incident = json_object_get(failure, "incident");
    if (incident)
        say_incident(incident, depth + 1);
    const json_t *causes = json_object_get(failure, "causedBy");
    if (json_array_size(causes)) {
        indent(depth + 1);
        (void)puts("would be explained by:");
    }
    size_t i;
    json_t *cause;
    json_array_foreach (causes, i, cause)
        say_cause(cause, depth + 2);
}

static void say_cause(const json_t *cause, int depth)
{
    if (!is_out_of_question(cause)) {
        say_failure(cause, depth);
        return;
    }
    indent(depth);
    (void)printf("no   %s\n", json_get_string(cause, "failure", "?"));
}

static int list_failures(const struct options *o)
{
    int code;
    OWNED(json_decref) json_t *a = ask_agent(o, "failures", NULL, &code);
    if (!a)
        return code;
    if (o->json) {
        say_json(a);
        return EXIT_GOOD;
    }
    size_t i;
    json_t *f;
    json_array_foreach (json_object_get(a, "failures"), i, f)
        (void)printf("%s  %-28s %s\n", mark(json_get_string(f, "holds", "?")),
                     json_get_string(f, "failure", "?"), json_get_string(f, "summary", ""));
    return EXIT_GOOD;
}

int cmd_explain(const struct options *o)
{
    if (!o->argc)
        return list_failures(o);
    int code;
    OWNED(json_decref) json_t *a = ask_agent(o, "explain", o->argv[0], &code);
    if (!a)
        return code;
    if (o->json) {
        say_json(a);
        return EXIT_GOOD;
    }
    say_failure(a, 0);
    say_playbooks(a);
    return EXIT_GOOD;
}
