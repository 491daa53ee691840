/* A kubeconfig: embedded bytes or a path, never both, and no text of a key in a complaint. */
#include <stdlib.h>
#include <string.h>

#include "config/certificate.h"
#include "fuzz.h"

static void look(const struct kubeconfig_part *p)
{
    fuzz_must(!p->pem.length || !p->path);
    fuzz_must(!p->path || p->path[0] == '/');
    fuzz_must(p->pem.length <= CERTIFICATE_FILE_BYTES_MAX);
    if (p->pem.length) {
        struct certificates *c = NULL;
        if (certificates_parse(p->pem.bytes, p->pem.length, &c, NULL) == 0)
            (void)certificate_key_matches(c, p->pem.bytes, p->pem.length, NULL);
        certificates_free(c);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct kubeconfig k = {0};
    struct err e = {0};
    char *text = fuzz_text(bytes, length);
    if (kubeconfig_parse("/etc/kubernetes/f", text, length, &k, &e) == 0) {
        look(&k.certificate);
        look(&k.key);
    } else {
        fuzz_must(*e.text && fuzz_is_harmless(e.text));
    }
    kubeconfig_fini(&k);
    free(text);
    return 0;
}
