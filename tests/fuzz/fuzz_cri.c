/* crictl's JSON, read as each of its three answers: names that can stand in an argv and a path. */
#include <stdlib.h>
#include <string.h>

#include "config/cri.h"
#include "config/cri_json.h"
#include "fuzz.h"

static void name_must(const char *name, bool needed)
{
    fuzz_must(name && ((!*name && !needed) || cri_is_name(name)));
    fuzz_must(!strchr(name, '/') && name[0] != '-' && name[0] != '.' && fuzz_is_printable(name));
}

static void look_containers(const char *json, size_t length)
{
    struct containers c = {0};
    struct err e = {0};
    int code = containers_parse(json, length, &c, &e);
    fuzz_must(code == 0 || (*e.text && fuzz_is_harmless(e.text)));
    for (size_t i = 0; i < c.count; i++) {
        name_must(c.at[i].id, true);
        name_must(c.at[i].name, false);
        name_must(c.at[i].sandbox_id, false);
        name_must(c.at[i].pod, false);
        name_must(c.at[i].pod_namespace, false);
        name_must(c.at[i].pod_uid, false);
        fuzz_must(c.at[i].attempt >= 0 && c.at[i].created_nsec >= 0);
    }
    const struct container *newest = containers_newest(&c, "kube-apiserver");
    fuzz_must(!newest || (newest >= c.at && newest < c.at + c.count));
    containers_fini(&c);
}

static void look_sandboxes(const char *json, size_t length)
{
    struct sandboxes s = {0};
    struct err e = {0};
    int code = sandboxes_parse(json, length, &s, &e);
    fuzz_must(code == 0 || (*e.text && fuzz_is_harmless(e.text)));
    for (size_t i = 0; i < s.count; i++) {
        name_must(s.at[i].id, true);
        name_must(s.at[i].pod, false);
        name_must(s.at[i].pod_namespace, false);
        name_must(s.at[i].pod_uid, false);
    }
    sandboxes_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *json = (const char *)bytes;
    look_containers(json, length);
    look_sandboxes(json, length);
    struct container_detail d = {0};
    struct err e = {0};
    if (container_detail_parse(json, length, &d, &e) == 0)
        fuzz_must(memchr(d.reason, '\0', sizeof d.reason) && d.pid >= 0 && d.started_nsec >= 0 &&
                  d.finished_nsec >= 0);
    else
        fuzz_must(*e.text && fuzz_is_harmless(e.text));
    container_detail_fini(&d);
    return 0;
}
