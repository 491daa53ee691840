/* Places in a file. libyaml's marks count characters, what we splice are bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct yaml_offsets {
    const char *bytes;
    size_t length;
    uint32_t *at; /* by character: its byte; NULL when every character is one byte */
    size_t characters;
    size_t skipped; /* bytes of a byte order mark, which libyaml doesn't count */
};

/* `bytes` must live as long, and be at most 4 GiB. */
void yaml_offsets_init(struct yaml_offsets *o, const char *bytes, size_t length);
void yaml_offsets_fini(struct yaml_offsets *o);
/* The byte at which character number `index` begins; the length, behind the last. */
size_t yaml_offset(const struct yaml_offsets *o, size_t index);
/* Line and column (in characters), from 1, of the byte at `offset`. */
void yaml_place_of(const struct yaml_offsets *o, size_t offset, unsigned *ret_line,
                   unsigned *ret_column);
