/* What must hold of certificates however they came: for the targets of PEM and of DER. */
#pragma once

#include <stddef.h>

void fuzz_certificates(const char *pem, size_t length);
