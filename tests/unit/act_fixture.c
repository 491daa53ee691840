#include "act_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"

enum { TEXTS = 64, TEXT_BYTES = 300 * 1024 };

static char *text_next(void)
{
    static char text[TEXTS][TEXT_BYTES];
    static unsigned next;
    return text[next++ % TEXTS];
}

char *fixture_host(struct fixture *f, const char *path)
{
    char *t = text_next();
    (void)snprintf(t, TEXT_BYTES, "%s%s", f->path, path);
    return t;
}

static int effect_gather(struct hand *h, const json_t *effect)
{
    struct fixture *f = h->context;
    json_push(f->effects, json_incref((json_t *)(uintptr_t)effect));
    return f->effect_code;
}

int fixture_setup(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    strcpy(f->path, "/tmp/planeguard-act-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    assert_int_equal(root_open(f->path, &f->root, &f->e), 0);
    assert_int_equal(folder_make(f->root, MANIFESTS, 0700, &f->e), 0);
    assert_int_equal(folder_make(f->root, STAGE, 0700, &f->e), 0);
    assert_int_equal(folder_make(f->root, "/run/planeguard", 0755, &f->e), 0);
    f->node = (struct node){
        .name = "master1", .manifests = MANIFESTS, .stage = STAGE, .pod_logs = "/var/log/pods"};
    f->effects = json_array();
    f->hand = (struct hand){.root = f->root,
                            .node = &f->node,
                            .incident = "i-1",
                            .step_name = "a step",
                            .kind = "",
                            .deadline_usec = clock_boot_usec() + USEC_PER_MINUTE,
                            .socket = -1,
                            .effect = effect_gather,
                            .context = f};
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    json_decref(f->effects);
    root_free(f->root);
    (void)snprintf(command, sizeof command, "rm -rf %s", f->path);
    int code = system(command);
    free(f);
    return code;
}

const char *manifest_text(const char *pod, const char *mark)
{
    char *t = text_next();
    (void)snprintf(t, TEXT_BYTES,
                   "apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  namespace: kube-system\n"
                   "spec:\n  containers:\n  - name: %s\n    image: registry.k8s.io/%s:v1.36.0\n"
                   "    command:\n    - %s\n    - --mark=%s\n",
                   pod, pod, pod, pod, mark);
    return t;
}

void fixture_put(struct fixture *f, const char *path, const char *text)
{
    int fd = open(fixture_host(f, path), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

const char *fixture_get(struct fixture *f, const char *path)
{
    char *t = text_next();
    OWNED(buf_fini) struct buf b = {0};
    if (file_read(f->root, path, 0, TEXT_BYTES - 1, &b, NULL) < 0)
        return "";
    strcpy(t, buf_string(&b));
    return t;
}

bool fixture_has(struct fixture *f, const char *path)
{
    struct file_status st;
    assert_int_equal(file_status(f->root, path, 0, &st, &f->e), 0);
    return st.exists;
}

void fixture_remove(struct fixture *f, const char *path)
{
    assert_int_equal(file_remove(f->root, path, &f->e), 0);
}

size_t fixture_count(struct fixture *f, const char *folder)
{
    OWNED(names_fini) struct names n = {0};
    if (folder_list(f->root, folder, &n, NULL) < 0)
        return 0;
    return n.count;
}

bool fixture_effect(const struct fixture *f, const char *what)
{
    size_t i;
    json_t *effect;
    json_array_foreach (f->effects, i, effect)
        if (strcmp(json_get_string(effect, "what", ""), what) == 0)
            return true;
    return false;
}
