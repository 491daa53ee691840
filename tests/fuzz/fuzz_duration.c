/* Durations and sizes: what is read is written shortest and read again to the same. */
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "config/scalar.h"
#include "config/text.h"
#include "fuzz.h"

static void size_round_trip(const char *text)
{
    static const struct field f = {.name = "size", .type = FIELD_SIZE};
    struct yaml y = {.kind = YAML_SCALAR_KIND, .file = "f", .line = 1, .column = 1, .text = text};
    struct pool *pool = pool_new();
    struct err e;
    uint64_t size = 0, again = 0;
    char shown[SIZE_TEXT];
    if (scalar_decode(&f, pool, &y, &size, &e) == 0) {
        y.text = size_format(size, shown);
        fuzz_must(scalar_decode(&f, pool, &y, &again, &e) == 0 && again == size);
    } else {
        fuzz_must(fuzz_is_harmless(e.text));
    }
    pool_free(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = fuzz_text(bytes, length), shown[DURATION_TEXT], about[DURATION_TEXT];
    uint64_t usec, again;
    if (duration_parse(text, &usec) == 0) {
        fuzz_must(usec <= 3650 * USEC_PER_DAY);
        fuzz_must(duration_parse(duration_format(usec, shown), &again) == 0 && again == usec);
        fuzz_must(fuzz_is_printable(duration_about(usec, about)) && strlen(about) > 0);
    }
    uint64_t any = 0;
    memcpy(&any, bytes, length < sizeof any ? length : sizeof any);
    (void)duration_about(any, about);
    (void)duration_format(any, shown);
    fuzz_must(duration_parse(shown, &again) < 0 || again == any);
    size_round_trip(text);
    free(text);
    return 0;
}
