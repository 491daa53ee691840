/* Certificates in PEM: all of them readable or an error, what they say in plain ASCII, OpenSSL's
 * error queue empty afterwards. */
#include <string.h>

#include <openssl/err.h>

#include "certificate.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_certificates((const char *)bytes, length);
    return 0;
}
