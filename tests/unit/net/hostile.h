/* A server on 127.0.0.1 that behaves as badly as a test wants, and certificates as wrong as a
 * test wants. Each connection has a thread of its own; all of them end with hostile_stop. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

/* ---- certificates ---- */

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
    char *pem; /* for a client to trust */
};
struct authority *authority_new(const char *name);
void authority_free(struct authority *a);

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};
/* `names` as in subjectAltName: "IP:127.0.0.1,DNS:kubernetes"; valid from and until are seconds
 * from now. `a` NULL: signed by itself. */
struct identity *identity_new(const struct authority *a, const char *names, long from_sec,
                              long until_sec);
void identity_free(struct identity *i);

/* ---- the server ---- */

struct wire; /* one connection, plain or TLS */

/* Reads one request, headers only (also kept for hostile_request): false at the end. */
bool wire_read(struct wire *w);
/* False when the client is gone or the server ends. */
bool wire_write(struct wire *w, const void *bytes, size_t length);
bool wire_text(struct wire *w, const char *text);
bool wire_sleep(struct wire *w, unsigned msec);
/* The connection ends with a RST. */
void wire_reset(struct wire *w);

struct hostile;
struct hostile *hostile_start(void (*serve)(struct wire *w), const struct identity *identity);
/* No TLS newer than `version` (TLS1_1_VERSION). */
struct hostile *hostile_start_tls_at_most(void (*serve)(struct wire *w),
                                          const struct identity *identity, int version);
void hostile_stop(struct hostile *h);
/* For connections from now on. The old one stays the caller's. */
void hostile_become(struct hostile *h, const struct identity *identity);
int hostile_port(const struct hostile *h);
unsigned hostile_connections(struct hostile *h);
unsigned hostile_requests(struct hostile *h);
/* The last request's headers; valid until the next. */
const char *hostile_request(struct hostile *h);
