/* Certificates on disk: PEM of OpenSSL, and those that a kubeconfig carries. The bytes are hostile:
 * bounded, and what isn't understood is an error. OpenSSL's error queue is empty afterwards. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

enum {
    CERTIFICATE_FILE_BYTES_MAX = 512 * 1024,
    CERTIFICATES_MAX = 256, /* a CA bundle has some 150 */
    CERTIFICATE_NAME = 256,
    CERTIFICATE_SERIAL = 2 * 20 + 3, /* RFC 5280: at most 20 octets; a sign; NUL */
};

/* What a certificate says of itself. */
struct certificate {
    char serial[CERTIFICATE_SERIAL];                          /* lower-case hex, no leading zeros */
    char subject[CERTIFICATE_NAME], issuer[CERTIFICATE_NAME]; /* RFC 2253, printable ASCII */
    int64_t not_before_sec, not_after_sec;                    /* since the epoch */
};

/* The certificates of one file, in its order: the first is the leaf, the others lead up. Other PEM
 * blocks (a key in the same file) are passed over. */
struct certificates;
int certificates_parse(const char *pem, size_t length, struct certificates **ret, struct err *e);
void certificates_free(struct certificates *c);
size_t certificates_count(const struct certificates *c);
int certificate_at(const struct certificates *c, size_t index, struct certificate *ret,
                   struct err *e);

/* Does the private key in these PEM bytes belong to the leaf (public keys compared)? 1 yes, 0 no,
 * -EINVAL: no key there that can be read (an encrypted one can't: nobody is asked). */
int certificate_key_matches(const struct certificates *c, const char *pem, size_t length,
                            struct err *e);

/* Is the leaf signed, through the others, up to one of `anchors` (roots, or intermediates as Go
 * takes them)? Dates are not looked at: they are another question. `reason` (of `room` bytes)
 * gets OpenSSL's word when not. */
bool certificate_chain_holds(const struct certificates *c, const struct certificates *anchors,
                             char *reason, size_t room);

/* The client certificate and key of a kubeconfig's current user: its current-context's, or the only
 * one there is. Each is either embedded (bytes in `pem`) or named by a path (then `pem` is empty),
 * a relative one being relative to the kubeconfig's folder; or absent (both are). */
struct kubeconfig_part {
    struct buf pem;
    char *path; /* NULL when embedded or absent */
};
struct kubeconfig {
    struct kubeconfig_part certificate, key;
};
int kubeconfig_parse(const char *file, const char *bytes, size_t length, struct kubeconfig *ret,
                     struct err *e);
void kubeconfig_fini(struct kubeconfig *k); /* zeroes what it held */

/* Zeroes and frees: for bytes that may have been a key's. */
void key_bytes_fini(struct buf *b);

static inline void kubeconfig_fini_owned(struct kubeconfig *k)
{
    kubeconfig_fini(k);
}
static inline void key_bytes_fini_owned(struct buf *b)
{
    key_bytes_fini(b);
}
OWNER(struct certificates, certificates_free);
