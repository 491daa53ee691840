/* A static pod's manifest: what is taken for one has all that is read of it. */
#include <stdlib.h>
#include <string.h>

#include "act/manifest.h"
#include "config/pod.h"
#include "fuzz.h"

static void look(const struct pod *p)
{
    fuzz_must(p->name && *p->name && p->container && p->image && *p->image);
    fuzz_must(p->reference_count <= POD_REFERENCES_MAX);
    for (size_t i = 0; i < p->reference_count; i++) {
        fuzz_must(p->references[i].path && p->references[i].type);
        fuzz_must(p->references[i].path[0] == '/');
    }
    for (size_t i = 0; i < p->command.count; i++)
        fuzz_must(p->command.at[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct pool *pool = pool_new();
    char *text = fuzz_text(bytes, length);
    struct pod p = {0};
    struct err e = {0};
    int code = pod_parse(pool, "f", text, length, &p, &e);
    if (code == 0) {
        look(&p);
        fuzz_must(manifest_check("f", text, length, p.name, &e) == 0);
    } else {
        fuzz_must(*e.text && fuzz_is_harmless(e.text));
    }
    fuzz_must(code == 0 || manifest_check("f", text, length, "kube-apiserver", &e) < 0);
    pool_free(pool);
    free(text);
    return 0;
}
