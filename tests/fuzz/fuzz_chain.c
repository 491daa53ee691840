/* A journal's line: what is taken apart is written again byte for byte. */
#include <string.h>

#include "fuzz.h"
#include "record/chain.h"
#include "record/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct line l;
    if (line_parse((const char *)bytes, length, &l) == 0) {
        struct buf out = {0};
        line_write(&l, &out);
        fuzz_must(out.length == length + 1 && !memcmp(out.bytes, bytes, length));
        fuzz_must(out.bytes[length] == '\n' && l.body_length <= line_body_max());
        buf_fini(&out);
    }
    char *name = fuzz_text(bytes, length), made[SEGMENT_NAME];
    uint64_t seq;
    if (segment_parse(name, &seq))
        fuzz_must(!strcmp(segment_name(seq, made), name));
    free(name);
    return 0;
}
