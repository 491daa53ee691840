#include "config/yaml_place.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static bool is_ascii(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)bytes[i] & 0x80)
            return false;
    return true;
}

void yaml_offsets_init(struct yaml_offsets *o, const char *bytes, size_t length)
{
    *o = (struct yaml_offsets){.bytes = bytes, .length = length};
    if (length >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
        o->skipped = 3;
    if (is_ascii(bytes + o->skipped, length - o->skipped))
        return;
    o->at = mem_array(uint32_t, length);
    for (size_t i = o->skipped; i < length; i++)
        if (!continues(bytes[i]))
            o->at[o->characters++] = (uint32_t)i;
}

void yaml_offsets_fini(struct yaml_offsets *o)
{
    free(o->at);
    o->at = NULL;
}

size_t yaml_offset(const struct yaml_offsets *o, size_t index)
{
    if (o->at)
        return index < o->characters ? o->at[index] : o->length;
    return index + o->skipped < o->length ? index + o->skipped : o->length;
}

void yaml_place_of(const struct yaml_offsets *o, size_t offset, unsigned *ret_line,
                   unsigned *ret_column)
{
    unsigned line = 1, column = 1;
    for (size_t i = o->skipped; i < offset && i < o->length; i++) {
        bool lone_return = o->bytes[i] == '\r' && (i + 1 == o->length || o->bytes[i + 1] != '\n');
        if (o->bytes[i] == '\n' || lone_return) {
            line++;
            column = 1;
        } else if (!continues(o->bytes[i])) {
            column++;
        }
    }
    *ret_line = line;
    *ret_column = column;
}
