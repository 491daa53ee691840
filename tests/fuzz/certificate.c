#include "certificate.h"

#include <string.h>

#include <openssl/err.h>

#include "config/certificate.h"
#include "fuzz.h"

static void look(const struct certificates *c)
{
    for (size_t i = 0; i < certificates_count(c); i++) {
        struct certificate one;
        struct err e = {0};
        if (certificate_at(c, i, &one, &e) < 0) {
            fuzz_must(*e.text && fuzz_is_harmless(e.text));
            continue;
        }
        fuzz_must(memchr(one.serial, '\0', sizeof one.serial) && fuzz_is_printable(one.serial));
        fuzz_must(memchr(one.subject, '\0', sizeof one.subject) && fuzz_is_printable(one.subject));
        fuzz_must(memchr(one.issuer, '\0', sizeof one.issuer) && fuzz_is_printable(one.issuer));
    }
}

void fuzz_certificates(const char *pem, size_t length)
{
    struct certificates *c = NULL;
    struct err e = {0};
    int code = certificates_parse(pem, length, &c, &e);
    fuzz_must((code == 0) == (c != NULL));
    if (code == 0) {
        char reason[64];
        fuzz_must(certificates_count(c) >= 1 && certificates_count(c) <= CERTIFICATES_MAX);
        look(c);
        int matches = certificate_key_matches(c, pem, length, &e);
        fuzz_must(matches == 0 || matches == 1 || matches < 0);
        if (!certificate_chain_holds(c, c, reason, sizeof reason))
            fuzz_must(memchr(reason, '\0', sizeof reason) && fuzz_is_printable(reason));
    } else {
        fuzz_must(*e.text && fuzz_is_harmless(e.text));
    }
    fuzz_must(ERR_peek_error() == 0);
    certificates_free(c);
}
