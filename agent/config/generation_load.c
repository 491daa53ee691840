/* Which places the documents come from, and a generation from all of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/generation_files.h"

/* A path of the host as a person gave it: absolute, without a slash at the end. */
static char *absolute(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    OWNED(free) char *here = path[0] == '/' ? NULL : mem_must(get_current_dir_name());
    return mem_printf("%s%s%.*s", here ? here : "", here ? "/" : "", (int)length, path);
}

/* How a person wrote it, without slashes at the end, to go before paths below. */
static char *as_given(const char *path)
{
    size_t length = strlen(path);
    while (length && path[length - 1] == '/')
        length--;
    return mem_strndup(path, length);
}

static void load_shipped_from(struct loading *l, const char *folder)
{
    OWNED(free) char *path = absolute(folder);
    OWNED(free) char *shown = as_given(folder);
    OWNED(root_free) struct root *root = NULL;
    struct source s = {.shown = shown, .origin = ORIGIN_SHIPPED, .deep = true};
    struct err e;
    if (root_open(path, &root, &e) < 0) {
        (void)source_complain(l, &s, "", "%s", e.text);
        return;
    }
    s.root = root;
    source_load_optional(l, &s, "/playbooks");
    source_load_optional(l, &s, "/policy");
}

void load_path(struct loading *l, const char *given, enum origin origin)
{
    OWNED(free) char *path = absolute(given);
    OWNED(free) char *shown = as_given(given);
    OWNED(root_free) struct root *root = NULL;
    struct source s = {.shown = shown, .origin = origin, .deep = true};
    struct err e;
    if (root_open(path, &root, &e) == 0) {
        s.root = root;
        source_load_folder(l, &s, "/");
        return;
    }
    char *name = strrchr(path, '/');
    OWNED(free) char *base = mem_strdup(name);
    *name = '\0';
    if (root_open(*path ? path : "/", &root, &e) < 0) {
        (void)source_complain(l, &s, "", "%s", e.text);
        return;
    }
    s.root = root;
    shown[strlen(shown) - strlen(base + 1)] = '\0'; /* the folder, as given: "" or "a/b/" */
    if (*shown)
        shown[strlen(shown) - 1] = '\0';
    else
        s.shown = ".";
    source_load_file(l, &s, base);
}

static void load_all(struct loading *l, const struct root *root, const char *shipped,
                     const char *const *paths)
{
    struct source s = {.root = root,
                       .shown = root->is_host ? "" : root->path,
                       .origin = ORIGIN_SHIPPED,
                       .guarded = root->is_host,
                       .deep = true};
    if (shipped) {
        load_shipped_from(l, shipped);
    } else {
        source_load_optional(l, &s, "/usr/share/planeguard/playbooks");
        source_load_optional(l, &s, "/usr/share/planeguard/policy");
    }
    for (; paths && *paths; paths++)
        load_path(l, *paths, ORIGIN_OPERATOR);
    if (paths)
        return;
    s.origin = ORIGIN_OPERATOR;
    s.deep = false;
    source_load_optional(l, &s, "/etc/planeguard/playbooks.d");
    source_load_optional(l, &s, "/etc/planeguard/policy.d");
    source_load_optional(l, &s, "/etc/planeguard/planeguard.yaml");
}

/* ---- all of it --------------------------------------------------------------------------- */

struct loading *loading_begin(struct loading_run *run, const struct catalog *catalog,
                              struct complaints *complaints)
{
    struct generation *g = mem_new(struct generation);
    g->references = 1;
    g->pool = pool_new();
    g->catalog = catalog;
    *run = (struct loading_run){
        .loading = {.catalog = catalog,
                    .complaints = complaints,
                    .pool = g->pool,
                    .scratch = pool_new(),
                    .digest = digest_begin(),
                    .documents = json_array(),
                    .policy = "default",
                    .policy_at = {.line = 1, .column = 1}},
        .generation = g,
    };
    return &run->loading;
}

struct generation *loading_end(struct loading_run *run)
{
    OWNED(generation_unref) struct generation *g = run->generation;
    struct loading *l = &run->loading;
    g->digest = digest_end(l->digest);
    g->documents = l->documents;
    if (!l->policy_at.file)
        l->policy_at.file = run->configuration ? run->configuration : "";
    generation_link(l, g);
    free(l->entries.at);
    pool_free(l->scratch);
    free(run->configuration);
    return l->complained ? NULL : TAKE(g);
}

int generation_load(const struct root *root, const char *shipped, const char *const *paths,
                    const struct catalog *catalog, struct generation **ret,
                    struct complaints *complaints)
{
    struct loading_run run;
    struct loading *l = loading_begin(&run, catalog, complaints);
    run.configuration =
        mem_printf("%s/etc/planeguard/planeguard.yaml", root->is_host ? "" : root->path);
    load_all(l, root, shipped, paths);
    struct generation *g = loading_end(&run);
    if (!g)
        return -EINVAL;
    *ret = g;
    return 0;
}
