/* HTTP by libcurl's multi interface on the loop. One multi handle serves all requests, so
 * connections are kept alive and used again, never past the age that the request allows.
 *
 * Everything that comes is hostile: a deadline on the whole, 16 KiB of headers, the body's limit,
 * no redirects, no decompression, no proxies, no cookies, HTTP and HTTPS only, TLS 1.2 or newer,
 * the only authority is the one given with the request, and sessions are never resumed: each new
 * connection shows its certificate. */
#pragma once

#include "base/err.h"
#include "base/own.h"
#include "loop/loop.h"
#include "net/net.h"

struct http;

int http_new(struct loop *l, struct http **ret, struct err *e);
/* Cancels what is under way; nothing of it is reported. */
void http_free(struct http *h);

/* The interface for probe kinds, by this client. */
struct net http_net(struct http *h);

/* Connections opened so far: for tests and benchmarks. */
unsigned long http_connections(const struct http *h);

OWNER(struct http, http_free);
