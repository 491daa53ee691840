/* Canonical JSON: exactly what is written passes the check, and nothing else does. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "record/canonical.h"

/* Has it a canonical form at all? */
static bool has_form(const json_t *v, unsigned depth)
{
    const char *key;
    json_t *one;
    if (depth > CANONICAL_DEPTH)
        return false;
    if (json_is_integer(v))
        return llabs(json_integer_value(v)) < 1LL << 53;
    json_object_foreach ((json_t *)v, key, one)
        if (!has_form(one, depth + json_is_object(one) + json_is_array(one)))
            return false;
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
        one = json_array_get(v, i);
        if (!has_form(one, depth + json_is_object(one) + json_is_array(one)))
            return false;
    }
    return !json_is_real(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct err e = {0};
    struct canonical_seen seen;
    const char *text = (const char *)bytes;
    bool is_canonical = canonical_check(text, length, &seen);
    json_t *value = json_parse(text, length, &e);
    fuzz_must(!is_canonical || json_is_object(value));
    if (is_canonical) {
        const json_t *version = json_object_get(value, "v");
        fuzz_must((version != NULL) == (seen.version != NULL));
        fuzz_must(!seen.version || (seen.version >= text && seen.version_length &&
                                    seen.version + seen.version_length <= text + length));
    }
    if (value && json_is_object(value)) {
        char *again = canonical_text(value);
        bool is_same = strlen(again) == length && !memcmp(again, text, length);
        fuzz_must(canonical_check(again, strlen(again), NULL) == has_form(value, 1));
        fuzz_must(is_canonical == (is_same && has_form(value, 1)));
        json_t *read = json_parse(again, strlen(again), &e);
        fuzz_must(!has_form(value, 1) || json_equal(read, value));
        json_decref(read);
        free(again);
    }
    json_decref(value);
    return 0;
}
