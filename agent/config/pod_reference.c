#include "config/pod_reference.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct found {
    struct pool *pool;
    const struct yaml *volumes, *mounts;
    struct pod *pod;
};

/* Paths go to openat2(2) below the root, so ".." is harmless there; but inside the container it
 * would not be the host's "..", so such a path names nothing that we know. */
static bool is_path(const char *path)
{
    return path[0] == '/' && !strstr(path, "/../") && strlen(path) < PATH_MAX &&
           !(strlen(path) >= 3 && !strcmp(path + strlen(path) - 3, "/.."));
}

static void add(struct found *f, const char *path, const char *type, const char *flag)
{
    struct pod *pod = f->pod;
    if (pod->reference_count == POD_REFERENCES_MAX)
        return;
    pod->references[pod->reference_count++] =
        (struct pod_reference){.path = path, .type = type, .flag = flag};
}

static void add_volumes(struct found *f)
{
    if (!f->volumes)
        return;
    yaml_each (volume, f->volumes) {
        const char *path = yaml_text(volume, "hostPath.path", "");
        if (is_path(path))
            add(f, path, yaml_text(volume, "hostPath.type", ""), NULL);
    }
}

static const char *volume_path(const struct found *f, const char *name)
{
    yaml_each (volume, f->volumes)
        if (!strcmp(yaml_text(volume, "name", ""), name))
            return yaml_text(volume, "hostPath.path", NULL);
    return NULL;
}

/* Length of `path` without slashes at its end. */
static size_t bare(const char *path)
{
    size_t length = strlen(path);
    while (length && path[length - 1] == '/')
        length--;
    return length;
}

static bool lies_in(const char *path, const char *folder)
{
    size_t length = bare(folder);
    return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

/* The mount that `path` (the container's) lies in: the deepest, as for the kernel. */
static const struct yaml *mount_of(const struct found *f, const char *path)
{
    const struct yaml *best = NULL;
    size_t best_length = 0;
    if (!f->mounts)
        return NULL;
    yaml_each (mount, f->mounts) {
        const char *at = yaml_text(mount, "mountPath", "");
        if (at[0] == '/' && lies_in(path, at) && (!best || bare(at) > best_length)) {
            best = mount;
            best_length = bare(at);
        }
    }
    return best;
}

/* The host's path of the container's, or NULL when it doesn't lie in a hostPath volume. */
static const char *host_path(const struct found *f, const char *path)
{
    const struct yaml *mount = mount_of(f, path);
    const char *volume = f->volumes && mount ? yaml_text(mount, "name", "") : NULL;
    const char *base = volume ? volume_path(f, volume) : NULL;
    if (!base || !is_path(base) || yaml_get(mount, "subPathExpr"))
        return NULL;
    const char *sub = yaml_text(mount, "subPath", ""), *rest = path;
    rest += bare(yaml_text(mount, "mountPath", ""));
    size_t length = bare(base), room = length + strlen(sub) + strlen(rest) + 2;
    if (room > PATH_MAX || strstr(sub, ".."))
        return NULL;
    char *host = pool_alloc(f->pool, room);
    (void)snprintf(host, room, "%.*s%s%s%s", (int)length, base, *sub ? "/" : "", sub, rest);
    return host;
}

/* Folders and logs are what a pod makes itself: that they are not there yet is no fault. */
static bool names_output(const char *flag)
{
    size_t length = strlen(flag);
    return strstr(flag, "log-") || (length > 4 && !strcmp(flag + length - 4, "-dir"));
}

/* `value`: one path, or several with commas; kube-apiserver's SNI pairs have ":names" behind. */
static void add_value(struct found *f, const char *flag, const char *value)
{
    const char *stop = strstr(flag, "tls-sni-cert-key") ? ",:" : ",";
    while (*value && f->pod->reference_count < POD_REFERENCES_MAX) {
        size_t length = strcspn(value, stop);
        char *path = pool_strndup(f->pool, value, length);
        const char *host = is_path(path) ? host_path(f, path) : NULL;
        if (host)
            add(f, host, "flag", flag);
        value += length;
        value += *value == ':' ? strcspn(value, ",") : 0;
        value += *value == ',';
    }
}

/* "--flag=value", or "--flag" and "value" behind it; one dash is enough for Go's own flags. */
static void add_flags(struct found *f)
{
    const struct strings *command = &f->pod->command;
    for (size_t i = 0; i < command->count; i++) {
        const char *word = command->at[i], *equals = strchr(word, '=');
        if (word[0] != '-')
            continue;
        const char *flag =
            pool_strndup(f->pool, word, equals ? (size_t)(equals - word) : strlen(word));
        const char *value = equals ? equals + 1 : i + 1 < command->count ? command->at[i + 1] : "";
        if (value[0] == '/' && !names_output(flag))
            add_value(f, flag, value);
    }
}

static const struct yaml *list_at(const struct yaml *y, const char *key)
{
    const struct yaml *list = yaml_get(y, key);
    return list && list->kind == YAML_SEQUENCE_KIND ? list : NULL;
}

void pod_references_read(struct pool *pool, const struct yaml *spec, const struct yaml *container,
                         struct pod *pod)
{
    struct found f = {pool, list_at(spec, "volumes"), list_at(container, "volumeMounts"), pod};
    pod->references = pool_array(pool, struct pod_reference, POD_REFERENCES_MAX);
    add_volumes(&f);
    add_flags(&f);
}
