#include "act/kubelet_certificate.h"

#include <errno.h>

#include "config/certificate.h"
#include "loop/clock.h"

static const char path[] = "/var/lib/kubelet/pki/kubelet-client-current.pem";

int kubelet_certificate_check(const struct root *root, struct err *e)
{
    struct file_status st;
    int code = file_status(root, path, FILE_FOLLOW, &st, e);
    if (code < 0 || !st.exists)
        return code;
    /* The file holds the key, too. */
    OWNED(key_bytes_fini) struct buf pem = {0};
    OWNED(certificates_free) struct certificates *all = NULL;
    struct certificate leaf = {0};
    code = file_read(root, path, FILE_FOLLOW, CERTIFICATE_FILE_BYTES_MAX, &pem, e);
    if (code == 0)
        code = certificates_parse(buf_string(&pem), pem.length, &all, e);
    if (code == 0)
        code = certificate_at(all, 0, &leaf, e);
    if (code < 0)
        return err_wrap(e, code, "%s", path);
    if (leaf.not_after_sec * 1000000 < clock_wall_usec())
        return err_set(e, -EKEYEXPIRED,
                       "%s: is expired: a kubelet that is restarted with it doesn't come back; "
                       "expected it to be renewed first",
                       path);
    return 0;
}
