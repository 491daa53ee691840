/* SHA-256 (FIPS 180-4) by OpenSSL's EVP. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32, DIGEST_HEX = 64 };

struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

/* A digest being made. Start with digest_begin, end with digest_end (which frees). */
struct digest_run;
struct digest_run *digest_begin(void);
void digest_add(struct digest_run *r, const void *bytes, size_t length);
struct digest digest_end(struct digest_run *r);

struct digest digest_of(const void *bytes, size_t length);
bool digest_equal(const struct digest *a, const struct digest *b);
/* Writes 64 hex digits and a NUL. Returns `hex`. */
char *digest_hex(const struct digest *d, char hex[DIGEST_HEX + 1]);
/* Reads 64 lower-case hex digits (what follows is not looked at). 0 or -EINVAL. */
int digest_parse(const char *hex, struct digest *ret);
