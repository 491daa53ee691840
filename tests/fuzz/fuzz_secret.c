/* Secrets in any surroundings. The first byte says which secret is put between the two halves of
 * the rest; its heart must not come out again. Lines stay lines, and what was withheld once stays
 * as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "fuzz.h"

#define KEY_LINE "MIIEowIBAAKCAQEAtHEARTOFTHEMATTERHEARTOFTHEMATTERHEARTOFTHEMATTER"

static const struct secret {
    const char *text, *heart;
} secrets[] = {
    {"\n-----BEGIN RSA PRIVATE KEY-----\n" KEY_LINE "\n-----END RSA PRIVATE KEY-----\n",
     "HEARTOFTHEMATTER"},
    {"\n-----BEGIN PRIVATE KEY-----\n" KEY_LINE "\n", "HEARTOFTHEMATTER"},
    {"\nkey: \"-----BEGIN EC PRIVATE KEY-----\\n" KEY_LINE "\\n-----END EC PRIVATE KEY-----\"\n",
     "HEARTOFTHEMATTER"},
    {"\nAuthorization: Bearer heartofthematter.x-y_z\n", "heartofthematter"},
    {" eyJhbGciOiJSUzI1NiJ9.heartofthematter.c2ln ", "heartofthematter"},
    {"\n    client-key-data: aGVhcnRvZnRoZW1hdHRlcg==\n", "aGVhcnRvZnRoZW1hdHRlcg"},
    {" --token=heartofthematter ", "heartofthematter"},
    {" https://user:heartofthematter@host/ ", "heartofthematter"},
    {" \"password\": \"heartofthematter\", ", "heartofthematter"},
    {"\n- name: DB_PASSWORD\n  value: heartofthematter\n", "heartofthematter"},
};

static size_t lines_of(const char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++)
        n += text[i] == '\n';
    return n;
}

static void redact_twice(const struct buf *all, const struct secret *s, bool was_there)
{
    struct buf once = {0}, twice = {0};
    secret_redact(buf_string(all), all->length, &once);
    fuzz_must(lines_of(buf_string(&once), once.length) == lines_of(buf_string(all), all->length));
    fuzz_must(strlen(buf_string(&once)) == once.length);
    fuzz_must(was_there || !strstr(buf_string(&once), s->heart));
    secret_redact(buf_string(&once), once.length, &twice);
    fuzz_must(lines_of(buf_string(&twice), twice.length) == lines_of(buf_string(all), all->length));
    buf_fini(&once);
    buf_fini(&twice);
}

static void redact_json(const struct buf *all, const struct secret *s, bool was_there)
{
    json_t *v = json_object();
    json_put(v, "x", json_text(buf_string(all), all->length));
    secret_redact_json(v);
    fuzz_must(was_there || !strstr(json_get_string(v, "x", ""), s->heart));
    json_decref(v);
    v = json_parse(buf_string(all), all->length, NULL);
    if (v)
        secret_redact_json(v);
    json_decref(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input in = {bytes, length};
    const struct secret *s = &secrets[fuzz_byte(&in) % (sizeof secrets / sizeof *secrets)];
    size_t half = in.left / 2;
    bool was_there = memmem(bytes, length, s->heart, strlen(s->heart));
    struct buf all = {0};
    buf_add(&all, in.at, half);
    buf_text(&all, s->text);
    buf_add(&all, in.at + half, in.left - half);
    redact_twice(&all, s, was_there);
    redact_json(&all, s, was_there);
    buf_fini(&all);
    return 0;
}
