/* YAML: the three ways of parsing agree, and every node lies where it says. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/yaml.h"
#include "fuzz.h"

static size_t walk(const struct yaml *y, size_t length, unsigned depth)
{
    size_t nodes = 0;
    fuzz_must(depth <= YAML_DEPTH_MAX + 1);
    for (; y; y = y->next) {
        nodes += 1 + walk(y->first, length, depth + 1);
        fuzz_must(y->line >= 1 && y->column >= 1);
        fuzz_must(y->offset <= y->end_offset && y->end_offset <= length);
        fuzz_must(y->kind != YAML_SCALAR_KIND || y->text);
        char found[YAML_FOUND];
        fuzz_must(fuzz_is_harmless(yaml_found(y, found)));
    }
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct pool *pool = pool_new();
    char *text = fuzz_text(bytes, length);
    struct yaml *strict = NULL, *all = NULL, *foreign = NULL;
    struct errors errors = {0};
    struct err e = {0};
    int one = yaml_parse(pool, "f", text, length, &strict, &e);
    int every = yaml_parse_all(pool, "f", text, length, &all, &errors);
    fuzz_must((one == 0) == (every == 0 && errors.count == 0));
    fuzz_must(one == 0 || (*e.text && fuzz_is_harmless(e.text)));
    int loose = yaml_parse_foreign(pool, "f", text, length, &foreign, &e);
    fuzz_must(one < 0 || loose == 0);
    size_t nodes = walk(strict, length, 1);
    fuzz_must(nodes <= YAML_NODES_MAX && walk(foreign, length, 1) <= YAML_NODES_MAX);
    if (one == 0)
        fuzz_must(nodes == walk(foreign, length, 1) && nodes == walk(all, length, 1));
    for (const struct yaml *y = one == 0 ? foreign : NULL; y; y = y->next)
        fuzz_must(!y->odd || memchr(text, '%', length)); /* a directive is only odd */
    pool_free(pool);
    free(text);
    return 0;
}
