#include "act/kubelet_certificate.h"

#include <errno.h>
#include <limits.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static const char path[] = "/var/lib/kubelet/pki/kubelet-client-current.pem";

enum { PEM_BYTES_MAX = 64 * 1024 };

/* The file holds the key, too. */
static void key_fini_owned(struct buf *b)
{
    if (b->bytes)
        OPENSSL_cleanse(b->bytes, b->room);
    buf_fini(b);
}

/* X509_cmp_current_time of the first certificate's end: < 0 past, > 0 to come, 0 none could be
 * read. */
static int end_compare(const struct buf *pem)
{
    BIO *bio = BIO_new_mem_buf(buf_string(pem), (int)pem->length);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    int compared = certificate ? X509_cmp_current_time(X509_get0_notAfter(certificate)) : 0;
    X509_free(certificate);
    BIO_free(bio);
    ERR_clear_error();
    return compared;
}

int kubelet_certificate_check(const struct root *root, struct err *e)
{
    struct file_status st;
    int code = file_status(root, path, FILE_FOLLOW, &st, e);
    if (code < 0 || !st.exists)
        return code;
    OWNED(key_fini) struct buf pem = {0};
    code = file_read(root, path, FILE_FOLLOW, PEM_BYTES_MAX, &pem, e);
    if (code < 0)
        return code;
    int compared = end_compare(&pem);
    if (compared == 0)
        return err_set(e, -EINVAL, "%s: holds no readable certificate", path);
    if (compared < 0)
        return err_set(e, -EKEYEXPIRED,
                       "%s: is expired: a kubelet that is restarted with it doesn't come back; "
                       "expected it to be renewed first",
                       path);
    return 0;
}
