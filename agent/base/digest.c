#include "base/digest.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"

/* EVP's digest calls fail only for want of memory or of the algorithm itself. */
static void must(int ok)
{
    if (ok != 1)
        mem_must(NULL);
}

struct digest_run *digest_begin(void)
{
    EVP_MD_CTX *run = mem_must(EVP_MD_CTX_new());
    must(EVP_DigestInit_ex(run, EVP_sha256(), NULL));
    return (struct digest_run *)run;
}

void digest_add(struct digest_run *r, const void *bytes, size_t length)
{
    must(EVP_DigestUpdate((EVP_MD_CTX *)r, bytes, length));
}

struct digest digest_end(struct digest_run *r)
{
    struct digest d;
    must(EVP_DigestFinal_ex((EVP_MD_CTX *)r, d.bytes, NULL));
    EVP_MD_CTX_free((EVP_MD_CTX *)r);
    return d;
}

struct digest digest_of(const void *bytes, size_t length)
{
    struct digest_run *r = digest_begin();
    digest_add(r, bytes, length);
    return digest_end(r);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return !memcmp(a->bytes, b->bytes, DIGEST_BYTES);
}

char *digest_hex(const struct digest *d, char hex[DIGEST_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        hex[2 * i] = digits[d->bytes[i] >> 4];
        hex[2 * i + 1] = digits[d->bytes[i] & 15];
    }
    hex[DIGEST_HEX] = '\0';
    return hex;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int digest_parse(const char *hex, struct digest *ret)
{
    struct digest d;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = nibble(hex[2 * i]);
        int low = high < 0 ? -1 : nibble(hex[2 * i + 1]);
        if (low < 0)
            return -EINVAL;
        d.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret = d;
    return 0;
}
