/* One file of documents, as `planeguard lint FILE` reads it: complaints or a generation, and what
 * was decoded can be written and decoded again to the same. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/document.h"
#include "fuzz.h"

static const char policy[] = "apiVersion: planeguard/v1\nkind: Policy\nmetadata: {name: default}\n"
                             "spec:\n  summary: for a test\n  mode: dry-run\n";

static void args_round_trip(const struct kind *k, const void *args)
{
    struct pool *pool = pool_new();
    struct yaml *y = NULL;
    struct err e = {0};
    json_t *first = fields_encode(k->fields, args);
    char *text = json_canonical(first);
    fuzz_must(yaml_parse(pool, "args", text, strlen(text), &y, &e) == 0);
    void *again = pool_alloc(pool, k->args_size ? k->args_size : 1);
    fuzz_must(fields_decode(k->fields, pool, y, again, &e) == 0);
    json_t *second = fields_encode(k->fields, again);
    fuzz_must(json_equal(first, second));
    json_decref(first);
    json_decref(second);
    free(text);
    pool_free(pool);
}

static void kinds_round_trip(const struct generation *g)
{
    for (size_t i = 0; i < g->probe_count; i++)
        args_round_trip(g->probes[i].kind, g->probes[i].args);
    for (size_t i = 0; i < g->playbook_count; i++)
        for (size_t k = 0; k < g->playbooks[i].step_count; k++)
            args_round_trip(g->playbooks[i].steps[k].kind, g->playbooks[i].steps[k].args);
}

static void prepare(void)
{
    static bool is_done;
    if (is_done)
        return;
    is_done = true;
    fuzz_folder("/x/policy");
    fuzz_write("/x/policy/default.yaml", policy, sizeof policy - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    prepare();
    fuzz_write("/x/one.yaml", bytes, length);
    OWNED(free) char *one = mem_strdup(fuzz_path("/x/one.yaml"));
    OWNED(free) char *shipped = mem_strdup(fuzz_path("/x"));
    const char *paths[] = {one, NULL};
    struct generation *g = NULL;
    struct complaints c = {0};
    int code = generation_load(fuzz_root(), shipped, paths, fuzz_catalog(), &g, &c);
    fuzz_must((code == 0) == (c.count == 0) && (code == 0) == (g != NULL));
    for (size_t i = 0; i < c.count; i++) {
        fuzz_must(fuzz_is_harmless(c.at[i].text));
        fuzz_must(strstr(c.at[i].text, "/x/"));
    }
    if (g)
        kinds_round_trip(g);
    generation_unref(g);
    complaints_fini(&c);
    return 0;
}
