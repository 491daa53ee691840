/* What libcurl says of a transfer, in our reasons. Pure. */
#pragma once

#include <stdbool.h>

#include "config/document.h"

struct http_outcome {
    int code;               /* CURLcode */
    long os_errno;          /* CURLINFO_OS_ERRNO */
    long verify_result;     /* CURLINFO_SSL_VERIFYRESULT: X509_V_ERR_* of
                               openssl-verification-options(1) */
    bool has_status;        /* an answer had begun */
    bool is_out_of_sockets; /* none could be opened here, which says nothing about the server */
    bool headers_too_long, body_too_long, is_encoded;
};

/* REASON_NONE: an HTTP answer came whole, whatever it says. */
enum reason http_outcome_reason(const struct http_outcome *o);
/* One line for people: `error` is libcurl's own. */
const char *http_outcome_detail(const struct http_outcome *o, const char *error);
