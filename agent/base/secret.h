/* Secrets in other people's text: what must not reach a record, a plan or an evidence folder.
 *
 * Withheld are: PEM private keys (also cut at either end, also after a log's prefixes, also on one
 * line), bearer tokens, JSON web tokens, a user's password in a URL, and the values of keys that
 * end in password, passwd, token, client-key-data, certificate-key, secret, api-key or
 * private-key (a path as value stays: it names a file), and the `value:` after a `name:` that ends
 * so. This is a net for accidents, not a proof: what is known to be a key is never read at all. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/json.h"

#define SECRET_WITHHELD "(withheld)"

/* Appends the text to `out`, secrets replaced. NUL bytes become spaces. Lines stay lines, so that
 * line n of the one is line n of the other. Redacting the result again changes nothing. */
void secret_redact(const char *text, size_t length, struct buf *out);

/* In place, all depths: environments (`env`, `envs`) are replaced whole, all other strings as by
 * secret_redact. */
void secret_redact_json(json_t *value);
