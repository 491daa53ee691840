#include "config/certificate.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "base/mem.h"

OWNER(BIO, BIO_free_all);
OWNER(BIGNUM, BN_free);
OWNER(EVP_PKEY, EVP_PKEY_free);
OWNER(X509_STORE, X509_STORE_free);
OWNER(X509_STORE_CTX, X509_STORE_CTX_free);

struct certificates {
    STACK_OF(X509) * stack;
};

void certificates_free(struct certificates *c)
{
    if (!c)
        return;
    sk_X509_pop_free(c->stack, X509_free);
    free(c);
}

size_t certificates_count(const struct certificates *c)
{
    return (size_t)sk_X509_num(c->stack);
}

/* Nobody is asked for a pass phrase. */
static int no_phrase(char *phrase, int size, int writing, void *context)
{
    (void)phrase;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static BIO *bytes_open(const char *bytes, size_t length)
{
    return mem_must(BIO_new_mem_buf(bytes, (int)length));
}

/* OpenSSL's own word for what went wrong; empties its queue. */
static const char *openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason ? reason : "unknown";
}

/* Is the last error that there is no (more) PEM block? */
static bool is_end(void)
{
    unsigned long error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

int certificates_parse(const char *pem, size_t length, struct certificates **ret, struct err *e)
{
    if (length > CERTIFICATE_FILE_BYTES_MAX)
        return err_set(e, -EFBIG, "%zu bytes, expected a certificate of at most %d", length,
                       CERTIFICATE_FILE_BYTES_MAX);
    ERR_clear_error();
    OWNED(BIO_free_all) BIO *bio = bytes_open(pem, length);
    OWNED(certificates_free) struct certificates *c = mem_new(struct certificates);
    c->stack = mem_must(sk_X509_new_null());
    for (X509 *one; (one = PEM_read_bio_X509(bio, NULL, no_phrase, NULL));) {
        if (sk_X509_push(c->stack, one) <= 0)
            mem_must(NULL);
        if (sk_X509_num(c->stack) > CERTIFICATES_MAX)
            return err_set(e, -EFBIG, "more than %d certificates", CERTIFICATES_MAX);
    }
    if (!is_end())
        return err_set(e, -EINVAL, "certificate %d can't be read: %s", sk_X509_num(c->stack) + 1,
                       openssl_reason());
    ERR_clear_error();
    if (!sk_X509_num(c->stack))
        return err_set(e, -EINVAL, "no PEM certificate in it");
    *ret = TAKE(c);
    return 0;
}

static int time_sec(const ASN1_TIME *time, int64_t *ret)
{
    struct tm tm = {0};
    if (!time || !ASN1_TIME_to_tm(time, &tm))
        return -EINVAL;
    *ret = timegm(&tm);
    return 0;
}

static void name_text(const X509_NAME *name, char text[CERTIFICATE_NAME])
{
    OWNED(BIO_free_all) BIO *bio = mem_must(BIO_new(BIO_s_mem()));
    text[0] = '\0';
    if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0)
        return;
    int length = BIO_read(bio, text, CERTIFICATE_NAME - 1);
    text[length > 0 ? length : 0] = '\0';
    for (char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

/* The serial as lower-case hex; empty when it is longer than any may be. */
static void serial_text(const X509 *x, char text[CERTIFICATE_SERIAL])
{
    OWNED(BN_free) BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    text[0] = '\0';
    if (!n || BN_num_bytes(n) > 20)
        return;
    char *hex = mem_must(BN_bn2hex(n)), *from = hex;
    bool negative = *from == '-';
    from += negative;
    while (from[0] == '0' && from[1])
        from++;
    (void)snprintf(text, CERTIFICATE_SERIAL, "%s%s", negative ? "-" : "", from);
    OPENSSL_free(hex);
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'F' ? *c - 'A' + 'a' : *c);
}

int certificate_at(const struct certificates *c, size_t index, struct certificate *ret,
                   struct err *e)
{
    const X509 *x = sk_X509_value(c->stack, (int)index);
    struct certificate found;
    if (time_sec(X509_get0_notBefore(x), &found.not_before_sec) < 0 ||
        time_sec(X509_get0_notAfter(x), &found.not_after_sec) < 0) {
        ERR_clear_error();
        return err_set(e, -EINVAL, "certificate %zu has dates that can't be read", index + 1);
    }
    serial_text(x, found.serial);
    name_text(X509_get_subject_name(x), found.subject);
    name_text(X509_get_issuer_name(x), found.issuer);
    ERR_clear_error();
    *ret = found;
    return 0;
}

int certificate_key_matches(const struct certificates *c, const char *pem, size_t length,
                            struct err *e)
{
    if (length > CERTIFICATE_FILE_BYTES_MAX)
        return err_set(e, -EINVAL, "%zu bytes, expected a private key", length);
    ERR_clear_error();
    OWNED(BIO_free_all) BIO *bio = bytes_open(pem, length);
    OWNED(EVP_PKEY_free) EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL);
    if (!key) {
        ERR_clear_error();
        return err_set(e, -EINVAL, "no private key in it that can be read");
    }
    EVP_PKEY *public = X509_get0_pubkey(sk_X509_value(c->stack, 0));
    int same = public ? EVP_PKEY_eq(public, key) : 0;
    ERR_clear_error();
    return same == 1;
}

static X509_STORE *store_of(const struct certificates *anchors)
{
    X509_STORE *store = mem_must(X509_STORE_new());
    for (int i = 0; i < sk_X509_num(anchors->stack); i++)
        (void)X509_STORE_add_cert(store, sk_X509_value(anchors->stack, i)); /* twice is no harm */
    return store;
}

bool certificate_chain_holds(const struct certificates *c, const struct certificates *anchors,
                             char *reason, size_t room)
{
    OWNED(X509_STORE_free) X509_STORE *store = store_of(anchors);
    OWNED(X509_STORE_CTX_free) X509_STORE_CTX *look = mem_must(X509_STORE_CTX_new());
    bool holds = false;
    if (X509_STORE_CTX_init(look, store, sk_X509_value(c->stack, 0), c->stack) == 1) {
        X509_STORE_CTX_set_flags(look, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN);
        holds = X509_verify_cert(look) == 1;
        (void)snprintf(reason, room, "%s",
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(look)));
    } else {
        (void)snprintf(reason, room, "%s", openssl_reason());
    }
    ERR_clear_error();
    return holds;
}

void key_bytes_fini(struct buf *b)
{
    if (b->bytes)
        OPENSSL_cleanse(b->bytes, b->room);
    buf_fini(b);
}
