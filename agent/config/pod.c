#include "config/pod.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/pod_reference.h"

/* Name lengths of RFC 1123 as Kubernetes has them; a year bounds the probe's times. */
enum { LABEL_MAX = 63, SUBDOMAIN_MAX = 253, PROBE_NUMBER_MAX = 366 * 24 * 3600 };

struct reader {
    struct pool *pool;
    const struct yaml *document;
    struct err *e;
};

/* The text under `key` of `parent`, which must be there. */
static int need(const struct reader *r, const struct yaml *parent, const char *key,
                const char **ret)
{
    const struct yaml *y = yaml_get(parent, key);
    if (y && y->kind == YAML_SCALAR_KIND && *y->text && !yaml_is_null(y)) {
        *ret = y->text;
        return 0;
    }
    if (y && y->kind == YAML_SCALAR_KIND && r->document->odd) {
        (void)yaml_error(y, r->e, "%s: an alias or nothing, expected a text: write it out", key);
        return -ENOTSUP;
    }
    char found[YAML_FOUND] = "nothing";
    return yaml_error(y ? y : parent, r->e, "%s: found %s, expected a text", key,
                      y ? yaml_found(y, found) : found);
}

/* The mapping or list under `key`, or NULL where it is optional. */
static int part(const struct reader *r, const struct yaml *parent, const char *key,
                enum yaml_kind kind, bool needed, const struct yaml **ret)
{
    const struct yaml *y = yaml_get(parent, key);
    bool nothing = !y || yaml_is_null(y);
    if (nothing && y && r->document->odd) {
        (void)yaml_error(y, r->e, "%s: an alias or nothing: write it out", key);
        return -ENOTSUP;
    }
    if (nothing && !needed) {
        *ret = NULL;
        return 0;
    }
    char found[YAML_FOUND] = "nothing";
    if (nothing || y->kind != kind)
        return yaml_error(y ? y : parent, r->e, "%s: found %s, expected a %s", key,
                          y ? yaml_found(y, found) : found,
                          kind == YAML_MAPPING_KIND ? "mapping" : "list");
    *ret = y;
    return 0;
}

/* RFC 1123 label or, with `dots`, subdomain. */
static bool is_dns(const char *text, size_t most, bool dots)
{
    size_t length = strlen(text);
    if (!length || length > most)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool inner = i && i + 1 < length && (c == '-' || (c == '.' && dots));
        if (!inner && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

static int need_dns(const struct reader *r, const struct yaml *parent, const char *key, size_t most,
                    bool dots, const char **ret)
{
    int code = need(r, parent, key, ret);
    if (code < 0 || is_dns(*ret, most, dots))
        return code;
    char found[YAML_FOUND];
    const struct yaml *y = yaml_get(parent, key);
    return yaml_error(y, r->e, "%s: found %s, expected a name of at most %zu of a-z, 0-9 and -%s",
                      key, yaml_found(y, found), most, dots ? " and ." : "");
}

static int texts_add(const struct reader *r, const struct yaml *list, struct strings *to)
{
    yaml_each (y, list) {
        char found[YAML_FOUND];
        if (y->kind != YAML_SCALAR_KIND)
            return yaml_error(y, r->e, "%s: found %s, expected a text", list->key->text,
                              yaml_found(y, found));
        to->at[to->count++] = y->text;
    }
    return 0;
}

static int read_command(const struct reader *r, const struct yaml *container, struct strings *ret)
{
    const struct yaml *command = NULL, *args = NULL;
    int code = part(r, container, "command", YAML_SEQUENCE_KIND, false, &command);
    if (code == 0)
        code = part(r, container, "args", YAML_SEQUENCE_KIND, false, &args);
    if (code < 0)
        return code;
    size_t most = (command ? command->count : 0) + (args ? args->count : 0);
    ret->at = pool_array(r->pool, const char *, most + 1);
    if (command)
        code = texts_add(r, command, ret);
    if (code == 0 && args)
        code = texts_add(r, args, ret);
    return code;
}

static int read_number(const struct reader *r, const struct yaml *probe, const char *key,
                       int64_t otherwise, int64_t *ret)
{
    const struct yaml *y = yaml_get(probe, key);
    *ret = otherwise;
    if (!y || yaml_is_null(y))
        return 0;
    char found[YAML_FOUND], *end = NULL;
    errno = 0;
    long long n = y->kind == YAML_SCALAR_KIND && isdigit((unsigned char)*y->text)
                      ? strtoll(y->text, &end, 10)
                      : -1;
    if (n < 0 || n > PROBE_NUMBER_MAX || errno || *end)
        return yaml_error(y, r->e, "%s: found %s, expected an integer from 0 to %d", key,
                          yaml_found(y, found), PROBE_NUMBER_MAX);
    /* Zero means "not given" there too. */
    *ret = n ? n : otherwise;
    return 0;
}

static int read_liveness(const struct reader *r, const struct yaml *container, struct pod *pod)
{
    const struct yaml *probe = NULL;
    int code = part(r, container, "livenessProbe", YAML_MAPPING_KIND, false, &probe);
    if (code < 0 || !probe)
        return code;
    const struct {
        const char *key;
        int64_t otherwise;
        int64_t *to;
    } numbers[] = {
        {"initialDelaySeconds", 0, &pod->liveness.initial_delay_sec},
        {"timeoutSeconds", 1, &pod->liveness.timeout_sec},
        {"periodSeconds", 10, &pod->liveness.period_sec},
        {"failureThreshold", 3, &pod->liveness.failure_threshold},
    };
    for (size_t i = 0; code == 0 && i < sizeof numbers / sizeof *numbers; i++)
        code = read_number(r, probe, numbers[i].key, numbers[i].otherwise, numbers[i].to);
    return code;
}

static int read_containers(const struct reader *r, const struct yaml *spec,
                           const struct yaml **ret_first, struct pod *pod)
{
    const struct yaml *containers = NULL;
    int code = part(r, spec, "containers", YAML_SEQUENCE_KIND, true, &containers);
    if (code < 0)
        return code;
    if (!containers->first)
        return yaml_error(containers, r->e, "containers: an empty list, expected a container");
    yaml_each (container, containers) {
        const char *name = NULL, *image = NULL;
        code = need_dns(r, container, "name", LABEL_MAX, false, &name);
        if (code == 0)
            code = need(r, container, "image", &image);
        if (code < 0)
            return code;
        if (container != containers->first)
            continue;
        pod->container = name;
        pod->image = image;
    }
    *ret_first = containers->first;
    return 0;
}

static int read_word(const struct reader *r, const char *key, const char *expected)
{
    const char *found;
    int code = need(r, r->document, key, &found);
    if (code == 0 && strcmp(found, expected) != 0) {
        char text[YAML_FOUND];
        const struct yaml *y = yaml_get(r->document, key);
        code = yaml_error(y, r->e, "%s: found %s, expected %s", key, yaml_found(y, text), expected);
    }
    return code;
}

static int read_metadata(const struct reader *r, struct pod *pod)
{
    const struct yaml *metadata = NULL;
    int code = part(r, r->document, "metadata", YAML_MAPPING_KIND, true, &metadata);
    if (code == 0)
        code = need_dns(r, metadata, "name", SUBDOMAIN_MAX, true, &pod->name);
    if (code == 0)
        pod->pod_namespace = yaml_text(metadata, "namespace", "default");
    return code;
}

static int read_pod(const struct reader *r, struct pod *pod)
{
    const struct yaml *spec = NULL, *first = NULL;
    char found[YAML_FOUND];
    if (r->document->kind != YAML_MAPPING_KIND)
        return yaml_error(r->document, r->e, "found %s, expected a v1 Pod",
                          yaml_found(r->document, found));
    int code = read_word(r, "apiVersion", "v1");
    if (code == 0)
        code = read_word(r, "kind", "Pod");
    if (code == 0)
        code = read_metadata(r, pod);
    if (code == 0)
        code = part(r, r->document, "spec", YAML_MAPPING_KIND, true, &spec);
    if (code == 0)
        code = read_containers(r, spec, &first, pod);
    if (code == 0)
        code = read_command(r, first, &pod->command);
    if (code == 0)
        code = read_liveness(r, first, pod);
    if (code == 0)
        pod_references_read(r->pool, spec, first, pod);
    return code;
}

int pod_parse(struct pool *pool, const char *file, const char *bytes, size_t length,
              struct pod *ret, struct err *e)
{
    struct yaml *documents = NULL;
    int code = yaml_parse_foreign(pool, file, bytes, length, &documents, e);
    if (code < 0)
        return code;
    if (!documents)
        return err_set(e, -EINVAL, "%s:1:1: found nothing, expected a v1 Pod", file);
    struct pod pod = {.plain = !documents->odd && !documents->next};
    code = read_pod(&(struct reader){pool, documents, e}, &pod);
    if (code == 0)
        *ret = pod;
    return code;
}
