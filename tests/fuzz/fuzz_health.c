/* A health check's answer: names of the permitted characters, sorted, bounded, each one there. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "observe/health.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buf out = {0};
    size_t count = health_failing((const char *)bytes, length, &out), found = 0;
    char *all = fuzz_text((const uint8_t *)buf_string(&out), out.length), *rest = NULL;
    const char *before = "";
    fuzz_must(count <= HEALTH_CHECKS_MAX);
    for (char *name = strtok_r(all, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        fuzz_must(strlen(name) < HEALTH_NAME_MAX && strcmp(before, name) <= 0);
        fuzz_must(
            strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-") ==
            strlen(name));
        fuzz_must(memmem(bytes, length, name, strlen(name)));
        before = name;
        found++;
    }
    fuzz_must(found == count);
    free(all);
    buf_fini(&out);
    return 0;
}
