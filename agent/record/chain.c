#include "record/chain.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"

#define DOMAIN_TEXT "planeguard/journal/v1\n"
#define LINE_BODY "{\"body\":"
#define LINE_HASH ",\"hash\":\""
#define LINE_SEQ "\",\"seq\":"
#define LINE_SINCE ",\"since\":"

enum {
    DECIMAL_MAX = 20, /* digits of UINT64_MAX */
    FRAME_MAX = sizeof LINE_BODY + sizeof LINE_HASH + DIGEST_HEX + sizeof LINE_SEQ + DECIMAL_MAX +
                sizeof LINE_SINCE + DECIMAL_MAX + sizeof "}\n",
    HEAD_MAX = sizeof DOMAIN_TEXT + 3 * (DECIMAL_MAX + 1) + DIGEST_HEX + 1,
};

const char chain_start[DIGEST_HEX + 1] =
    "0000000000000000000000000000000000000000000000000000000000000000";

struct chain {
    EVP_MD *sha256;
    EVP_MD_CTX *run;
};

/* EVP's digest calls fail only for want of memory or of the algorithm itself. */
static void must(int ok)
{
    if (ok != 1)
        mem_must(NULL);
}

struct chain *chain_new(void)
{
    struct chain *c = mem_new(struct chain);
    c->sha256 = mem_must(EVP_MD_fetch(NULL, "SHA256", NULL));
    c->run = mem_must(EVP_MD_CTX_new());
    must(EVP_DigestInit_ex2(c->run, c->sha256, NULL));
    return c;
}

void chain_free(struct chain *c)
{
    if (!c)
        return;
    EVP_MD_CTX_free(c->run);
    EVP_MD_free(c->sha256);
    free(c);
}

static char *put_bytes(char *at, const char *bytes, size_t length)
{
    return (char *)memcpy(at, bytes, length) + length;
}

static char *put_decimal(char *at, uint64_t n)
{
    char digits[DECIMAL_MAX];
    size_t from = sizeof digits;
    do
        digits[--from] = (char)('0' + n % 10);
    while (n /= 10);
    return put_bytes(at, digits + from, sizeof digits - from);
}

/* digest_hex for the verifier's pace: four bytes at a time. */
static void put_hex(char hex[DIGEST_HEX + 1], const struct digest *d)
{
    for (int i = 0; i < DIGEST_BYTES; i += 4) {
        uint32_t bytes;
        memcpy(&bytes, d->bytes + i, sizeof bytes);
        uint64_t n = be32toh(bytes);
        /* One nibble a byte, then '0' or 'a' - 10 onto each. */
        n = (n | n << 16) & UINT64_C(0x0000ffff0000ffff);
        n = (n | n << 8) & UINT64_C(0x00ff00ff00ff00ff);
        n = (n | n << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
        uint64_t letters = (n + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
        n = htobe64(n + UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10));
        memcpy(hex + i * 2, &n, sizeof n);
    }
    hex[DIGEST_HEX] = '\0';
}

void chain_hash(struct chain *c, const struct line *l, const char previous[DIGEST_HEX],
                char ret[DIGEST_HEX + 1])
{
    char head[HEAD_MAX];
    char *at = put_bytes(head, DOMAIN_TEXT, sizeof DOMAIN_TEXT - 1);
    at = put_decimal(at, l->seq);
    *at++ = '\n';
    at = put_decimal(at, l->since);
    *at++ = '\n';
    at = put_bytes(at, previous, DIGEST_HEX);
    *at++ = '\n';
    at = put_decimal(at, l->body_length);
    *at++ = '\n';
    struct digest d;
    must(EVP_DigestUpdate(c->run, head, (size_t)(at - head)));
    must(EVP_DigestUpdate(c->run, l->body, l->body_length));
    must(EVP_DigestFinal_ex(c->run, d.bytes, NULL));
    must(EVP_DigestInit_ex2(c->run, NULL, NULL));
    put_hex(ret, &d);
}

size_t line_body_max(void)
{
    return LINE_BYTES_MAX - FRAME_MAX;
}

/* The bytes before `*at`, if they are `text`: moves `*at` before them. */
static bool back_over(const char *from, const char **at, const char *text, size_t length)
{
    if ((size_t)(*at - from) < length || memcmp(*at - length, text, length) != 0)
        return false;
    *at -= length;
    return true;
}

/* A decimal without leading zeros right before `*at`. */
static bool back_over_decimal(const char *from, const char **at, uint64_t *ret)
{
    const char *end = *at, *first = end;
    while (first > from && first[-1] >= '0' && first[-1] <= '9' && end - first < DECIMAL_MAX)
        first--;
    if (first == end || (*first == '0' && end - first > 1))
        return false;
    uint64_t n = 0;
    for (const char *d = first; d < end; d++)
        if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(*d - '0'), &n))
            return false;
    *ret = n;
    *at = first;
    return true;
}

/* 64 lower-case hex digits; without a branch, since every line that is verified comes by. */
static bool is_hex(const char *at)
{
    unsigned char odd = 0;
    for (int i = 0; i < DIGEST_HEX; i++) {
        unsigned char c = (unsigned char)at[i];
        odd |= !(((unsigned char)(c - '0') < 10) | ((unsigned char)(c - 'a') < 6));
    }
    return !odd;
}

int line_parse(const char *bytes, size_t length, struct line *ret)
{
    struct line l;
    const char *at = bytes + length;
    if (length >= LINE_BYTES_MAX || !back_over(bytes, &at, "}", 1) ||
        !back_over_decimal(bytes, &at, &l.since) ||
        !back_over(bytes, &at, LINE_SINCE, sizeof LINE_SINCE - 1) ||
        !back_over_decimal(bytes, &at, &l.seq) ||
        !back_over(bytes, &at, LINE_SEQ, sizeof LINE_SEQ - 1) || at - bytes < DIGEST_HEX)
        return -EINVAL;
    l.hash = at -= DIGEST_HEX;
    if (!is_hex(l.hash) || !back_over(bytes, &at, LINE_HASH, sizeof LINE_HASH - 1) ||
        at - bytes < (ptrdiff_t)sizeof LINE_BODY - 1 ||
        memcmp(bytes, LINE_BODY, sizeof LINE_BODY - 1) != 0)
        return -EINVAL;
    l.body = bytes + sizeof LINE_BODY - 1;
    l.body_length = (size_t)(at - l.body);
    *ret = l;
    return 0;
}

void line_write(const struct line *l, struct buf *out)
{
    buf_text(out, LINE_BODY);
    buf_add(out, l->body, l->body_length);
    buf_text(out, LINE_HASH);
    buf_add(out, l->hash, DIGEST_HEX);
    buf_text(out, LINE_SEQ);
    char decimal[DECIMAL_MAX];
    buf_add(out, decimal, (size_t)(put_decimal(decimal, l->seq) - decimal));
    buf_text(out, LINE_SINCE);
    buf_add(out, decimal, (size_t)(put_decimal(decimal, l->since) - decimal));
    buf_text(out, "}\n");
}
