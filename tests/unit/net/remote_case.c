#include "remote_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "observe/kinds.h"

int remote_case_setup(void **state)
{
    struct remote_case *w = mem_new(struct remote_case);
    struct err e;
    json_setup();
    strcpy(w->path, "/tmp/planeguard-remote-XXXXXX");
    if (!mkdtemp(w->path) || root_open(w->path, &w->root, &e) < 0 || loop_new(&w->loop, &e) < 0)
        return -1;
    w->pool = pool_new();
    *state = w;
    return 0;
}

int remote_case_teardown(void **state)
{
    struct remote_case *w = *state;
    remote_free(w->remote);
    (void)sd_event_run(loop_sd_event(w->loop), 100 * USEC_PER_MSEC); /* reaps it */
    loop_free(w->loop);
    root_free(w->root);
    pool_free(w->pool);
    for (size_t i = 0; i < PROBES; i++)
        json_decref(w->last[i].facts);
    OWNED(free) char *removal = mem_printf("rm -rf %s", w->path);
    free(w);
    return system(removal);
}

void remote_case_on_report(struct probe *p, const struct reading *r)
{
    struct remote_case *w = p->owner;
    size_t i = (size_t)(p - w->probes);
    json_decref(w->last[i].facts);
    w->last[i] = *r;
    w->last[i].facts = json_incref(r->facts);
    (void)snprintf(w->details[i], sizeof w->details[i], "%s", r->detail ? r->detail : "");
    w->readings[i]++;
}

void remote_case_on_wake(struct probe *p)
{
    (void)p;
}

static void on_health(void *context)
{
    struct remote_case *w = context;
    w->healths++;
}

void remote_case_turn(struct remote_case *w, uint64_t usec)
{
    for (uint64_t end = clock_boot_usec() + usec; clock_boot_usec() < end;)
        assert_true(sd_event_run(loop_sd_event(w->loop), 10 * USEC_PER_MSEC) >= 0);
}

void remote_case_probe(struct remote_case *w, size_t i, const char *yaml)
{
    static const char *const names[PROBES] = {"zero", "one", "two", "three"};
    struct yaml *y = NULL;
    struct err e;
    void *args = pool_alloc(w->pool, probe_https.kind.args_size);
    if (yaml_parse(w->pool, "args", yaml, strlen(yaml), &y, &e) < 0 ||
        fields_decode(probe_https.kind.fields, w->pool, y, args, &e) < 0)
        fail_msg("%s", e.text);
    w->probes[i] = (struct probe){.view = &w->view,
                                  .name = names[i],
                                  .kind = &probe_https,
                                  .args = args,
                                  .timeout_usec = 2 * USEC_PER_SEC,
                                  .report = remote_case_on_report,
                                  .wake = remote_case_on_wake,
                                  .owner = w};
}

void remote_case_begin(struct remote_case *w, const char *const *argv, const char *user)
{
    struct err e;
    assert_int_equal(remote_new(w->loop, w->root, argv, user, &w->remote, &e), 0);
    w->view = (struct view){.loop = w->loop, .root = w->root, .remote = w->remote};
    remote_on_health(w->remote, on_health, w);
    for (size_t i = 0; i < PROBES; i++)
        remote_case_probe(w, i, "{url: \"http://127.0.0.1:1/\"}");
}

void remote_case_begin_false(struct remote_case *w, const char *kind)
{
    static char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    const char *const argv[] = {self, "false", kind, NULL};
    remote_case_begin(w, argv, NULL);
}

void remote_case_wait_alive(struct remote_case *w, bool alive, uint64_t usec)
{
    uint64_t end = clock_boot_usec() + usec;
    while (remote_health(w->remote).alive != alive && clock_boot_usec() < end)
        remote_case_turn(w, 10 * USEC_PER_MSEC);
    assert_int_equal(remote_health(w->remote).alive, alive);
}

void remote_case_begin_real(struct remote_case *w)
{
    const char *observer = getenv("PLANEGUARD_OBSERVER");
    if (!observer)
        skip();
    OWNED(free) char *path = mem_must(realpath(observer, NULL));
    const char *const argv[] = {path, NULL};
    remote_case_begin(w, argv, geteuid() == 0 ? "nobody" : NULL);
    remote_case_wait_alive(w, true, 5 * USEC_PER_SEC);
}

void remote_case_look(struct remote_case *w, size_t i)
{
    w->probes[i].looking = true;
    remote_look(w->remote, &w->probes[i]);
}

void remote_case_wait_reading(struct remote_case *w, size_t i, unsigned count, uint64_t usec)
{
    uint64_t end = clock_boot_usec() + usec;
    while (w->readings[i] < count && clock_boot_usec() < end)
        assert_true(sd_event_run(loop_sd_event(w->loop), 10 * USEC_PER_MSEC) >= 0);
    assert_int_equal(w->readings[i], count);
}

void remote_case_expect_reading(struct remote_case *w, size_t i, enum verdict v, enum reason r)
{
    if (w->last[i].verdict != v || w->last[i].reason != r)
        print_error("%s\n", w->details[i]);
    assert_string_equal(words_name(&reason_words, (int)w->last[i].reason),
                        words_name(&reason_words, (int)r));
    assert_int_equal(w->last[i].verdict, v);
}

void remote_case_look_and_expect(struct remote_case *w, size_t i, enum verdict v, enum reason r)
{
    unsigned before = w->readings[i];
    remote_case_look(w, i);
    remote_case_wait_reading(w, i, before + 1, 8 * USEC_PER_SEC);
    remote_case_expect_reading(w, i, v, r);
}

void remote_case_cancel(struct remote_case *w, size_t i)
{
    remote_cancel(w->remote, &w->probes[i]);
    assert_true(w->probes[i].looking);
    w->probes[i].looking = false;
}

bool remote_case_is_gone(pid_t pid)
{
    char path[64], text[512] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return true;
    (void)!fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    const char *end = strrchr(text, ')');
    return !end || end[2] == 'Z'; /* whose parent doesn't care */
}
