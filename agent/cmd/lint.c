/* `planeguard lint [PATH...]`: checks documents as `run` would load them, and says all that is
 * wrong with them, in compilers' way: file:line:column: message. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "cmd/verbs.h"
#include "config/generation.h"
#include "config/node.h"
#include "loop/file.h"

static inline void complaints_fini_owned(struct complaints *c)
{
    complaints_fini(c);
}

OWNER(struct generation, generation_unref);
OWNER(struct node, node_free);

/* "file:line:column: message" in its parts; a text without a place is all message. */
static json_t *complaint_json(const char *text)
{
    json_t *object = json_object();
    const char *at = text;
    unsigned line = 0, column = 0;
    int end = 0;
    while ((at = strchr(at, ':'))) {
        if (sscanf(at, ":%u:%u: %n", &line, &column, &end) == 2 && end)
            break;
        at++;
    }
    json_put(object, "file", at ? json_text(text, (size_t)(at - text)) : json_null());
    json_put(object, "line", at ? json_integer(line) : json_null());
    json_put(object, "column", at ? json_integer(column) : json_null());
    json_put(object, "message", json_string_or_null(at ? at + end : text));
    return object;
}

static void print_json(const struct complaints *c, size_t documents)
{
    OWNED(json_decref) json_t *answer = json_object();
    json_t *all = json_array();
    for (size_t i = 0; i < c->count; i++)
        json_push(all, complaint_json(c->at[i].text));
    json_put(answer, "complaints", all);
    json_put(answer, "documents", json_integer((json_int_t)documents));
    OWNED(free) char *text = json_canonical(answer);
    (void)puts(text);
}

static void complain(struct complaints *c, const char *text)
{
    mem_push(c->at, c->count, c->room)->text = mem_strdup(text);
}

/* The arguments as a list that ends with NULL; NULL when there are none. */
static const char **paths_of(const struct options *o)
{
    if (!o->argc)
        return NULL;
    const char **paths = mem_array(const char *, (size_t)o->argc + 1);
    for (int i = 0; i < o->argc; i++)
        paths[i] = o->argv[i];
    return paths;
}

/* How many documents are in force. */
static size_t check(const struct options *o, struct complaints *c)
{
    OWNED(root_free) struct root *root = NULL;
    OWNED(node_free) struct node *node = NULL;
    OWNED(generation_unref) struct generation *g = NULL;
    OWNED(free) const char **paths = paths_of(o);
    struct err e;
    if (root_open(o->root, &root, &e) < 0) {
        complain(c, e.text);
        return 0;
    }
    (void)generation_load(root, o->shipped, paths, o->catalog, &g, c);
    if (!paths && node_load(root, &node, &e) < 0)
        complain(c, e.text);
    return g ? g->probe_count + g->failure_count + g->playbook_count + 1 : 0;
}

int cmd_lint(const struct options *o)
{
    OWNED(complaints_fini) struct complaints c = {0};
    size_t documents = check(o, &c);
    if (o->json)
        print_json(&c, documents);
    else if (!c.count)
        (void)printf("%zu documents, no complaints\n", documents);
    for (size_t i = 0; i < c.count && !o->json; i++)
        (void)fprintf(stderr, "%s\n", c.at[i].text);
    return c.count ? EXIT_ERROR : EXIT_GOOD;
}
