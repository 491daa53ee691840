/* The kubelet's client certificate, which planeguard really reads. Ed25519: the same seed makes the
 * same bytes. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "inside.h"

static EVP_PKEY *key_new(unsigned char number)
{
    unsigned char secret[32];
    memset(secret, number, sizeof secret);
    return mem_must(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret));
}

static void name_set(X509_NAME *name, const char *organization, const char *common_name)
{
    (void)X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)organization,
                                     -1, -1, 0);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name,
                                     -1, -1, 0);
}

char *certificate_make(const char *common_name, uint64_t serial, int64_t from_sec, int64_t to_sec)
{
    EVP_PKEY *key = key_new(7), *authority = key_new(9);
    X509 *x = mem_must(X509_new());
    (void)X509_set_version(x, 2);
    (void)ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial);
    name_set(X509_get_subject_name(x), "system:nodes", common_name);
    name_set(X509_get_issuer_name(x), "planeguard", "kubernetes");
    (void)ASN1_TIME_set(X509_getm_notBefore(x), from_sec);
    (void)ASN1_TIME_set(X509_getm_notAfter(x), to_sec);
    (void)X509_set_pubkey(x, key);
    (void)X509_sign(x, authority, NULL);
    BIO *out = mem_must(BIO_new(BIO_s_mem()));
    (void)PEM_write_bio_X509(out, x);
    (void)PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    char *bytes;
    long length = BIO_get_mem_data(out, &bytes);
    char *pem = mem_strndup(bytes, (size_t)length);
    (void)BIO_free(out);
    X509_free(x);
    EVP_PKEY_free(key);
    EVP_PKEY_free(authority);
    return pem;
}

void install_kubelet_certificate(struct host *n, int64_t valid_usec)
{
    int64_t now_sec = node_wall_usec(n) / 1000000;
    OWNED(free) char *name = mem_printf("system:node:%s", n->name);
    n->certificate_until_usec = (now_sec + valid_usec / 1000000) * 1000000;
    /* From long ago on: a wall clock that goes back doesn't make it a thing of the future. */
    OWNED(free)
    char *pem = certificate_make(name, ++n->serial, now_sec - (int64_t)(4 * 365 * 24 * 3600),
                                 now_sec + valid_usec / 1000000);
    if (valid_usec < CERTIFICATE_VALID_USEC)
        alarm_set(&n->expiry, (uint64_t)valid_usec + USEC_PER_SEC);
    files_put(node_files(n), KUBELET_CERTIFICATE, pem, strlen(pem));
}
