/* What network probe kinds may ask of the network: an interface, so that the agent's
 * program carries the kinds (their fields, their judgement) and no network code. The
 * observer's program fills it in with net/http.c; tests with their own. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/document.h"

struct http_request {
    const char *url;
    const char *ca_pem; /* PEM bytes; NULL for plain http */
    size_t ca_length;
    const char *server_name; /* the name to check; NULL: the URL's host */
    uint64_t timeout_usec;
    uint64_t connection_age_max_usec; /* a kept connection is not used when older: so that a
                                         certificate that changed is seen */
    size_t body_limit_bytes;
};

struct http_response {
    enum reason reason; /* REASON_NONE when an HTTP answer came, whatever its code */
    char detail[256];   /* the library's own words when it did not */
    int status;
    struct buf body; /* cut at the limit: body.truncated */
    uint64_t took_usec;
};

struct net {
    void *context;
    /* Starts one request; `done` is called exactly once, later, unless cancelled before. What
     * the request points to must live until then. Never NULL. */
    void *(*http_start)(void *context, const struct http_request *request,
                        void (*done)(void *done_context, const struct http_response *response),
                        void *done_context);
    void (*http_cancel)(void *context, void *started);
};
