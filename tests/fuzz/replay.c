/* Runs a target over files that are given: for who has no libFuzzer, and with any compiler. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "fuzz.h"

static int replay(const char *path)
{
    static char chunk[65536];
    struct buf all = {0};
    FILE *f = fopen(path, "re");
    if (!f) {
        perror(path);
        return EXIT_FAILURE;
    }
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, f)) > 0;)
        buf_add(&all, chunk, got);
    (void)fclose(f);
    /* A block of exactly that size, so that a byte too many is noticed. */
    uint8_t *bytes = malloc(all.length ? all.length : 1);
    for (size_t i = 0; i < all.length; i++)
        bytes[i] = (uint8_t)all.bytes[i];
    (void)LLVMFuzzerTestOneInput(bytes, all.length);
    free(bytes);
    buf_fini(&all);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    int code = EXIT_SUCCESS;
    for (int i = 1; i < argc && code == EXIT_SUCCESS; i++)
        code = replay(argv[i]);
    (void)printf("%d inputs\n", argc - 1);
    return code;
}
