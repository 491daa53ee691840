/* The same with any bytes as one certificate's DER: PEM's armour is put around them here. */
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "certificate.h"
#include "fuzz.h"

enum { LINE = 48 }; /* bytes: 64 characters */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buf pem = {0};
    unsigned char line[LINE / 3 * 4 + 1];
    buf_text(&pem, "-----BEGIN CERTIFICATE-----\n");
    for (size_t at = 0; at < length; at += LINE) {
        size_t n = length - at < LINE ? length - at : LINE;
        buf_add(&pem, line, (size_t)EVP_EncodeBlock(line, bytes + at, (int)n));
        buf_text(&pem, "\n");
    }
    buf_text(&pem, "-----END CERTIFICATE-----\n");
    fuzz_certificates(buf_string(&pem), pem.length);
    buf_fini(&pem);
    return 0;
}
