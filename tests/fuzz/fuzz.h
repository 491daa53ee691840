/* What fuzz targets share. A target is one LLVMFuzzerTestOneInput: any bytes in, and what must hold
 * of them said by fuzz_must. They are linked by libFuzzer to look for new inputs, and by
 * replay.c to try those that are kept in tests/fuzz/corpus. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "config/generation.h"
#include "loop/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* The property: ends the program, saying which one was broken. */
#define fuzz_must(holds) ((holds) ? (void)0 : fuzz_broken(#holds, __FILE__, __LINE__))
void fuzz_broken(const char *property, const char *file, int line) __attribute__((noreturn));

/* The input, taken piece by piece. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};
uint8_t fuzz_byte(struct fuzz_input *in); /* 0 at the end */
/* The bytes up to a newline (which is taken, too) as text without NUL: NULL at the end. free() it.
 */
char *fuzz_line(struct fuzz_input *in, size_t *ret_length);
/* All of it as text that ends in NUL and may hold others; free() it. */
char *fuzz_text(const uint8_t *bytes, size_t length);

/* Printable ASCII only? */
bool fuzz_is_printable(const char *text);
/* No control characters, neither ASCII's nor (in UTF-8) C1's, and none that turns the direction of
 * text: can't do anything to a terminal. */
bool fuzz_is_harmless(const char *text);

/* A folder of this process as a root, made at the first call and removed at the end. */
const struct root *fuzz_root(void);
/* A path below it as one of the host; until the next call. */
const char *fuzz_path(const char *path);
void fuzz_folder(const char *path); /* makes a folder below it, with its parents */
/* Writes a file below it, its folder being there. */
void fuzz_write(const char *path, const void *bytes, size_t length);
/* Removes all files in a folder below it. */
void fuzz_empty(const char *folder);

/* The rooms' kinds, as the program has them. */
const struct catalog *fuzz_catalog(void);
/* The shipped documents with the policy `enforce` of tests/decide, loaded once. Run from the
 * source tree's top. */
struct generation *fuzz_generation(void);

/* The lowest free descriptor: the same before and after, or one was left open. */
int fuzz_next_descriptor(void);
