#include "probe_case.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"

int probe_case_setup(void **state)
{
    struct probe_case *c = mem_new(struct probe_case);
    struct err e;
    json_setup();
    strcpy(c->path, "/tmp/planeguard-probe-XXXXXX");
    if (!mkdtemp(c->path) || root_open(c->path, &c->root, &e) < 0 || loop_new(&c->loop, &e) < 0)
        return -1;
    c->node = (struct node){.name = "m1",
                            .manifests = "/etc/kubernetes/manifests",
                            .stage = "/etc/kubernetes/.planeguard",
                            .pod_logs = "/var/log/pods"};
    c->view = (struct view){.loop = c->loop, .root = c->root, .node = &c->node};
    *state = c;
    return 0;
}

int probe_case_teardown(void **state)
{
    struct probe_case *c = *state;
    char command[128];
    probe_case_stop(c);
    loop_free(c->loop);
    root_free(c->root);
    (void)snprintf(command, sizeof command, "rm -rf %s", c->path);
    free(c);
    return system(command);
}

const char *probe_case_host(struct probe_case *c, const char *path)
{
    static char text[3][PATH_MAX];
    static unsigned next;
    char *t = text[next++ % 3];
    (void)snprintf(t, sizeof text[0], "%s%s", c->path, path);
    return t;
}

static void folders_make(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
}

void probe_case_put(struct probe_case *c, const char *path, const void *bytes, size_t length)
{
    OWNED(free) char *host = mem_strdup(probe_case_host(c, path));
    folders_make(host);
    FILE *f = fopen(host, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

void probe_case_put_text(struct probe_case *c, const char *path, const char *text)
{
    probe_case_put(c, path, text, strlen(text));
}

void probe_case_remove(struct probe_case *c, const char *path)
{
    assert_int_equal(remove(probe_case_host(c, path)), 0);
}

static void on_report(struct probe *p, const struct reading *r)
{
    struct probe_case *c = p->owner;
    json_decref(c->facts);
    c->facts = json_deep_copy(r->facts);
    c->verdict = r->verdict;
    c->reason = r->reason;
    (void)snprintf(c->detail, sizeof c->detail, "%s", r->detail ? r->detail : "");
    c->readings++;
    p->looking = false;
}

static void on_wake(struct probe *p)
{
    struct probe_case *c = p->owner;
    c->wakes++;
}

void probe_case_stop(struct probe_case *c)
{
    if (c->probe.looking)
        c->probe.kind->cancel(&c->probe);
    if (c->watching)
        c->probe.kind->unwatch(&c->probe);
    pool_free(c->pool);
    json_decref(c->facts);
    c->pool = NULL;
    c->facts = NULL;
    c->watching = false;
    c->probe = (struct probe){0};
}

int probe_case_start(struct probe_case *c, const struct probe_kind *kind, const char *yaml,
                     struct err *e)
{
    probe_case_stop(c);
    c->pool = pool_new();
    struct yaml *y = NULL;
    void *args = pool_alloc(c->pool, kind->kind.args_size);
    int code = yaml_parse(c->pool, "args", yaml, strlen(yaml), &y, e);
    if (code == 0)
        code = fields_decode(kind->kind.fields, c->pool, y, args, e);
    if (code == 0 && kind->kind.check)
        code = kind->kind.check(args, y, e);
    if (code < 0)
        return code;
    c->probe = (struct probe){.view = &c->view,
                              .name = "p",
                              .kind = kind,
                              .args = args,
                              .timeout_usec = 5 * USEC_PER_SEC,
                              .report = on_report,
                              .wake = on_wake,
                              .owner = c};
    code = kind->watch ? kind->watch(&c->probe, e) : 0;
    c->watching = code == 0 && kind->unwatch;
    return code;
}

/* Not loop_run: sd-event can't be run again after its end. */
static void turn(struct probe_case *c, uint64_t usec)
{
    assert_true(sd_event_run(loop_sd_event(c->loop), usec) >= 0);
}

void probe_case_look(struct probe_case *c)
{
    unsigned before = c->readings;
    c->probe.looking = true;
    c->probe.kind->look(&c->probe);
    uint64_t end = clock_boot_usec() + 10 * USEC_PER_SEC;
    while (c->readings == before && clock_boot_usec() < end)
        turn(c, USEC_PER_SEC / 10);
    assert_int_equal(c->readings, before + 1);
}

void probe_case_wait_wake(struct probe_case *c, uint64_t usec)
{
    unsigned before = c->wakes;
    uint64_t end = clock_boot_usec() + usec;
    while (c->wakes == before && clock_boot_usec() < end)
        turn(c, USEC_PER_SEC / 20);
}

void probe_case_expect(struct probe_case *c, enum verdict v, const char *reason)
{
    probe_case_look(c);
    if (c->verdict != v || strcmp(words_name(&reason_words, (int)c->reason), reason) != 0) {
        OWNED(free) char *facts = json_canonical(c->facts);
        print_error("%s, %s: %s %s\n", words_name(&verdict_words, (int)c->verdict),
                    words_name(&reason_words, (int)c->reason), c->detail, facts);
    }
    assert_string_equal(words_name(&reason_words, (int)c->reason), reason);
    assert_int_equal(c->verdict, v);
}

const char *probe_case_fact(struct probe_case *c, const char *key)
{
    return json_get_string(c->facts, key, "");
}
