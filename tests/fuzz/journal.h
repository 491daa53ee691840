/* A journal out of an input, for the targets that read one.
 *
 * Lines of the input: one that begins `{"body"` is a journal's line as it is, `!...` the rest of
 * the line as it is, `#` begins another segment; all others are bodies that get their number and
 * hash here, so that what is inside them is looked at. A last line without its newline stays
 * without. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FUZZ_AUDIT "/var/log/planeguard/audit"

/* Writes it to FUZZ_AUDIT below fuzz_root, in place of what was there. */
void fuzz_journal(const uint8_t *bytes, size_t length);
