#include "hostile.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/mem.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void set_name(X509 *c, const char *name)
{
    X509_NAME *n = X509_get_subject_name(c);
    must(X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
                                    0) == 1);
}

static void add_extension(X509 *c, int nid, const char *value)
{
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    must(x && X509_add_ext(c, x, -1) == 1);
    X509_EXTENSION_free(x);
}

static X509 *certificate_new(EVP_PKEY *key, const char *name, long from_sec, long until_sec)
{
    static long serial;
    X509 *c = mem_must(X509_new());
    must(X509_set_version(c, X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(c), from_sec) &&
         X509_gmtime_adj(X509_getm_notAfter(c), until_sec) && X509_set_pubkey(c, key) == 1);
    set_name(c, name);
    return c;
}

static void sign(X509 *c, X509 *issuer, EVP_PKEY *key)
{
    must(X509_set_issuer_name(c, X509_get_subject_name(issuer)) == 1 &&
         X509_sign(c, key, EVP_sha256()) > 0);
}

struct authority *authority_new(const char *name)
{
    struct authority *a = mem_new(struct authority);
    a->key = mem_must(EVP_EC_gen("P-256"));
    a->certificate = certificate_new(a->key, name, -3600, 3600);
    add_extension(a->certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(a->certificate, NID_key_usage, "critical,keyCertSign");
    sign(a->certificate, a->certificate, a->key);
    BIO *b = mem_must(BIO_new(BIO_s_mem()));
    must(PEM_write_bio_X509(b, a->certificate) == 1);
    char *bytes;
    long length = BIO_get_mem_data(b, &bytes);
    a->pem = mem_strndup(bytes, (size_t)length);
    BIO_free(b);
    return a;
}

void authority_free(struct authority *a)
{
    if (!a)
        return;
    EVP_PKEY_free(a->key);
    X509_free(a->certificate);
    free(a->pem);
    free(a);
}

struct identity *identity_new(const struct authority *a, const char *names, long from_sec,
                              long until_sec)
{
    struct identity *i = mem_new(struct identity);
    i->key = mem_must(EVP_EC_gen("P-256"));
    i->certificate = certificate_new(i->key, "a server", from_sec, until_sec);
    add_extension(i->certificate, NID_subject_alt_name, names);
    sign(i->certificate, a ? a->certificate : i->certificate, a ? a->key : i->key);
    return i;
}

void identity_free(struct identity *i)
{
    if (!i)
        return;
    EVP_PKEY_free(i->key);
    X509_free(i->certificate);
    free(i);
}
