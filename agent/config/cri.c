#include "config/cri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "config/cri_json.h"

/* The names of enum container_state in CRI, and of a sandbox's `ready`. */
static const struct words container_states =
    WORDS("container's state", "CONTAINER_UNKNOWN", "CONTAINER_CREATED", "CONTAINER_RUNNING",
          "CONTAINER_EXITED");
static const struct words sandbox_states =
    WORDS("sandbox's state", "SANDBOX_NOTREADY", "SANDBOX_READY");

static void container_fini(struct container *c)
{
    free(c->id);
    free(c->sandbox_id);
    free(c->name);
    free(c->pod);
    free(c->pod_namespace);
    free(c->pod_uid);
}

void containers_fini(struct containers *c)
{
    for (size_t i = 0; i < c->count; i++)
        container_fini(&c->at[i]);
    free(c->at);
    *c = (struct containers){0};
}

static void sandbox_fini(struct sandbox *s)
{
    free(s->id);
    free(s->pod);
    free(s->pod_namespace);
    free(s->pod_uid);
}

void sandboxes_fini(struct sandboxes *s)
{
    for (size_t i = 0; i < s->count; i++)
        sandbox_fini(&s->at[i]);
    free(s->at);
    *s = (struct sandboxes){0};
}

static int read_object(const json_t *obj, const char *key, const json_t **ret, struct err *e)
{
    const json_t *value = json_object_get(obj, key);
    if (!json_is_object(value))
        return err_set(e, -EINVAL, "%s: found %s, expected an object", key, cri_found(value));
    *ret = value;
    return 0;
}

static int read_word(const json_t *obj, const char *key, const struct words *words, int *ret,
                     struct err *e)
{
    const json_t *value = json_object_get(obj, key);
    if (!json_is_string(value))
        return err_set(e, -EINVAL, "%s: found %s, expected a %s", key, cri_found(value),
                       words->what);
    int found = words_find(words, json_string_value(value));
    if (found < 0)
        return err_set(e, -EINVAL, "%s: found another word, expected a %s such as %s", key,
                       words->what, words->names[words->count - 1]);
    *ret = found;
    return 0;
}

static int read_container(const json_t *obj, struct container *c, struct err *e)
{
    const json_t *metadata = NULL, *labels = json_object_get(obj, "labels");
    int state = CONTAINER_UNKNOWN;
    if (labels && !json_is_object(labels) && !json_is_null(labels))
        return err_set(e, -EINVAL, "labels: found %s, expected an object", cri_found(labels));
    int code = cri_name(obj, "id", true, &c->id, e);
    if (code == 0)
        code = cri_name(obj, "podSandboxId", false, &c->sandbox_id, e);
    if (code == 0)
        code = read_object(obj, "metadata", &metadata, e);
    if (code == 0)
        code = cri_name(metadata, "name", true, &c->name, e);
    if (code == 0)
        code = cri_number(metadata, "attempt", &c->attempt, e);
    if (code == 0)
        code = read_word(obj, "state", &container_states, &state, e);
    if (code == 0)
        code = cri_number(obj, "createdAt", &c->created_nsec, e);
    if (code == 0)
        code = cri_name(labels, "io.kubernetes.pod.name", false, &c->pod, e);
    if (code == 0)
        code = cri_name(labels, "io.kubernetes.pod.namespace", false, &c->pod_namespace, e);
    if (code == 0)
        code = cri_name(labels, "io.kubernetes.pod.uid", false, &c->pod_uid, e);
    c->state = (enum container_state)state;
    return code;
}

static int read_sandbox(const json_t *obj, struct sandbox *s, struct err *e)
{
    const json_t *metadata = NULL;
    int ready = 0;
    int code = cri_name(obj, "id", true, &s->id, e);
    if (code == 0)
        code = read_object(obj, "metadata", &metadata, e);
    if (code == 0)
        code = cri_name(metadata, "name", true, &s->pod, e);
    if (code == 0)
        code = cri_name(metadata, "namespace", false, &s->pod_namespace, e);
    if (code == 0)
        code = cri_name(metadata, "uid", false, &s->pod_uid, e);
    if (code == 0)
        code = cri_number(metadata, "attempt", &s->attempt, e);
    if (code == 0)
        code = read_word(obj, "state", &sandbox_states, &ready, e);
    if (code == 0)
        code = cri_number(obj, "createdAt", &s->created_nsec, e);
    s->ready = ready;
    return code;
}

/* The list under `key` of a whole answer: a new reference to the answer in *ret_root. */
static int read_list(const char *json, size_t length, const char *key, json_t **ret_root,
                     const json_t **ret_list, struct err *e)
{
    OWNED(json_decref) json_t *root = cri_json(json, length, e);
    if (!root)
        return -EINVAL;
    const json_t *list = json_object_get(root, key);
    if (!json_is_array(list))
        return err_set(e, -EINVAL, "%s: found %s, expected a list", key, cri_found(list));
    if (json_array_size(list) > CRI_ENTRIES_MAX)
        return err_set(e, -EFBIG, "%s: found %zu entries, expected at most %d", key,
                       json_array_size(list), CRI_ENTRIES_MAX);
    *ret_list = list;
    *ret_root = TAKE(root);
    return 0;
}

int containers_parse(const char *json, size_t length, struct containers *ret, struct err *e)
{
    OWNED(json_decref) json_t *root = NULL;
    OWNED(containers_fini) struct containers found = {0};
    const json_t *list, *obj;
    size_t i;
    int code = read_list(json, length, "containers", &root, &list, e);
    if (code < 0)
        return code;
    json_array_foreach (list, i, obj) {
        code = read_container(obj, mem_push(found.at, found.count, found.room), e);
        if (code < 0)
            return err_wrap(e, code, "containers[%zu]", i);
    }
    *ret = found;
    found = (struct containers){0};
    return 0;
}

int sandboxes_parse(const char *json, size_t length, struct sandboxes *ret, struct err *e)
{
    OWNED(json_decref) json_t *root = NULL;
    OWNED(sandboxes_fini) struct sandboxes found = {0};
    const json_t *list, *obj;
    size_t i;
    int code = read_list(json, length, "items", &root, &list, e);
    if (code < 0)
        return code;
    json_array_foreach (list, i, obj) {
        code = read_sandbox(obj, mem_push(found.at, found.count, found.room), e);
        if (code < 0)
            return err_wrap(e, code, "items[%zu]", i);
    }
    *ret = found;
    found = (struct sandboxes){0};
    return 0;
}

static bool is_static_pods(const struct container *c, const char *name)
{
    size_t length = strlen(name);
    return !strcmp(c->name, name) && !strcmp(c->pod_namespace, "kube-system") &&
           !strncmp(c->pod, name, length) && (c->pod[length] == '-' || !c->pod[length]);
}

bool container_is_newer(const struct container *a, const struct container *b)
{
    if (!strcmp(a->pod_uid, b->pod_uid) && a->attempt != b->attempt)
        return a->attempt > b->attempt;
    bool runs = a->state == CONTAINER_RUNNING;
    if (runs != (b->state == CONTAINER_RUNNING))
        return runs;
    return a->created_nsec > b->created_nsec;
}

const struct container *containers_newest(const struct containers *c, const char *container_name)
{
    const struct container *newest = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const struct container *one = &c->at[i];
        if (!is_static_pods(one, container_name))
            continue;
        if (!newest || container_is_newer(one, newest))
            newest = one;
    }
    return newest;
}
