/* The client certificate and key that a kubeconfig carries: see config/certificate.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "base/pool.h"
#include "config/certificate.h"
#include "config/yaml.h"

OWNER(struct pool, pool_free);

void kubeconfig_fini(struct kubeconfig *k)
{
    key_bytes_fini(&k->certificate.pem);
    key_bytes_fini(&k->key.pem);
    free(k->certificate.path);
    free(k->key.path);
    *k = (struct kubeconfig){0};
}

/* The entry of `list` whose name is `name`; any, when there is only one and `name` is NULL. */
static const struct yaml *entry(const struct yaml *list, const char *name)
{
    if (!list || list->kind != YAML_SEQUENCE_KIND)
        return NULL;
    if (!name)
        return list->count == 1 ? list->first : NULL;
    yaml_each (one, list)
        if (!strcmp(yaml_text(one, "name", ""), name))
            return one;
    return NULL;
}

static int current_user(const struct yaml *document, const struct yaml **ret, struct err *e)
{
    const char *context = yaml_text(document, "current-context", NULL), *user = NULL;
    if (context)
        user = yaml_text(entry(yaml_get(document, "contexts"), context), "context.user", NULL);
    const struct yaml *found = entry(yaml_get(document, "users"), user);
    if (!found)
        return yaml_error(
            document, e,
            "expected a kubeconfig whose current-context has a user, or with one user");
    *ret = yaml_get(found, "user");
    return 0;
}

/* Base64 (RFC 4648) with or without line ends. */
static int base64_decode(const struct yaml *y, struct buf *ret, struct err *e)
{
    size_t length = strlen(y->text);
    OWNED(key_bytes_fini) struct buf b = {.limit = CERTIFICATE_FILE_BYTES_MAX};
    OWNED(key_bytes_fini) struct buf packed = {0};
    if (length > CERTIFICATE_FILE_BYTES_MAX)
        return yaml_error(y, e, "%s: %zu bytes, expected at most %d", y->key->text, length,
                          CERTIFICATE_FILE_BYTES_MAX);
    packed.bytes = mem_alloc(packed.room = length + 1); /* at once: growing leaves copies behind */
    for (const char *c = y->text; *c; c++)
        if (!strchr(" \t\r\n", *c))
            packed.bytes[packed.length++] = *c;
    b.bytes = mem_alloc(b.room = packed.length / 4 * 3 + 4);
    int got = packed.length % 4
                  ? -1
                  : EVP_DecodeBlock((unsigned char *)b.bytes, (const unsigned char *)packed.bytes,
                                    (int)packed.length);
    if (got < 0)
        return yaml_error(y, e, "%s: not base64", y->key->text);
    /* It counts the padding as bytes. */
    for (size_t i = packed.length; got && i && packed.bytes[i - 1] == '='; i--)
        got--;
    if (!got)
        return yaml_error(y, e, "%s: not base64 of anything", y->key->text);
    b.length = (size_t)got;
    b.bytes[b.length] = '\0';
    *ret = b;
    b = (struct buf){0};
    return 0;
}

static char *path_beside(const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    if (path[0] == '/' || !slash)
        return mem_strdup(path);
    return mem_printf("%.*s/%s", (int)(slash - file), file, path);
}

/* Embedded data wins over a path, as for Kubernetes' own clients. */
static int read_part(const char *file, const struct yaml *user, const char *data_key,
                     const char *path_key, struct kubeconfig_part *ret, struct err *e)
{
    const struct yaml *data = yaml_get(user, data_key);
    const char *path = yaml_text(user, path_key, NULL);
    if (data && data->kind == YAML_SCALAR_KIND && *data->text)
        return base64_decode(data, &ret->pem, e);
    if (path)
        ret->path = path_beside(file, path);
    return 0;
}

/* The tree is copies of a file full of keys. */
static void zero_texts(const struct yaml *y)
{
    for (; y; y = y->next) {
        if (y->kind == YAML_SCALAR_KIND && y->text)
            OPENSSL_cleanse((char *)(uintptr_t)y->text, strlen(y->text));
        zero_texts(y->first);
    }
}

int kubeconfig_parse(const char *file, const char *bytes, size_t length, struct kubeconfig *ret,
                     struct err *e)
{
    OWNED(pool_free) struct pool *pool = pool_new();
    OWNED(kubeconfig_fini) struct kubeconfig k = {0};
    struct yaml *documents = NULL;
    const struct yaml *user = NULL;
    int code = yaml_parse_foreign(pool, file, bytes, length, &documents, e);
    if (code < 0)
        return code;
    if (!documents)
        return err_set(e, -EINVAL, "%s:1:1: found nothing, expected a kubeconfig", file);
    code = current_user(documents, &user, e);
    if (code == 0)
        code = read_part(file, user, "client-certificate-data", "client-certificate",
                         &k.certificate, e);
    if (code == 0)
        code = read_part(file, user, "client-key-data", "client-key", &k.key, e);
    zero_texts(documents);
    if (code < 0)
        return code;
    *ret = k;
    k = (struct kubeconfig){0};
    return 0;
}
