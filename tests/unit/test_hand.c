/* act/hand.h: jobs in a forked child, with step kinds that are only made for this. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/deadman.h"
#include "act/hand.h"
#include "act_fixture.h"
#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/loop.h"

/* --- kinds that do as their argument says */

struct args {
    const char *word;
};

static const struct field fields[] = {
    {.name = "word", .type = FIELD_STRING, FIELD_AT(args, word), .otherwise = ""}, {0}};

static const char *word_of(const void *args)
{
    const struct args *a = args;
    return a->word;
}

static int fake_plan(struct hand *h, const void *args, json_t *plan, struct err *e)
{
    const char *word = word_of(args);
    if (strcmp(word, "unplannable") == 0)
        return err_set(e, -ENOENT, "nothing here");
    json_put(plan, "summary", json_string_or_null(word));
    json_put(plan, "step", json_integer(h->step));
    if (strcmp(word, "huge") == 0) {
        OWNED(free) char *text = mem_alloc(200000);
        memset(text, 'x', 199999);
        json_put(plan, "text", json_string_or_null(text));
    }
    return 0;
}

static bool lock_is_held_here(struct hand *h)
{
    int fd = -1;
    bool busy = file_lock(h->root, LOCK_PATH, &fd, NULL) == -EBUSY;
    if (fd >= 0)
        close(fd);
    return busy;
}

static size_t descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static enum outcome fake_run(struct hand *h, const void *args, const json_t *plan,
                             struct err *detail)
{
    const char *word = word_of(args);
    (void)plan;
    if (strcmp(word, "die") == 0)
        (void)raise(SIGKILL);
    if (strcmp(word, "exit") == 0)
        _exit(3);
    if (strcmp(word, "hang") == 0)
        for (;;)
            clock_sleep(USEC_PER_SEC);
    if (strcmp(word, "nonsense") == 0)
        (void)!write(h->socket, "{\"say\":\"hello\"}", 15);
    if (strcmp(word, "wait") == 0)
        return hand_wait(h, USEC_PER_MINUTE) ? OUTCOME_DONE : OUTCOME_REFUSED;
    if (strcmp(word, "look") == 0) {
        (void)err_set(detail, 0, "%d %zu %d %s", lock_is_held_here(h), descriptors(),
                      getpid() == getsid(0), h->incident);
        return OUTCOME_DONE;
    }
    hand_phase(h, "first");
    json_t *effect = json_object();
    json_put(effect, "what", json_string_or_null("made"));
    if (hand_effect(h, effect, detail) < 0)
        return OUTCOME_FAILED;
    (void)err_set(detail, 0, "%s", word);
    return OUTCOME_DONE;
}

static enum outcome fake_undo(struct hand *h, const void *args, const json_t *plan,
                              struct err *detail)
{
    json_t *effect = json_object();
    json_put(effect, "what", json_string_or_null("undone"));
    json_put(effect, "step", json_incref(json_object_get(plan, "step")));
    (void)hand_effect(h, effect, NULL);
    (void)err_set(detail, 0, "undid %s", word_of(args));
    if (strcmp(word_of(args), "fails") == 0)
        return OUTCOME_FAILED;
    return strcmp(word_of(args), "already") == 0 ? OUTCOME_ALREADY : OUTCOME_DONE;
}

static const struct step_kind fake = {
    .kind = {.name = "fake", .fields = fields, .args_size = sizeof(struct args)},
    .changes = true,
    .reversal = REVERSAL_UNDO,
    .plan = fake_plan,
    .run = fake_run,
    .undo = fake_undo,
    .recover = fake_undo,
};

/* --- an agent around a hand */

struct bench {
    struct fixture *f;
    struct loop *loop;
    struct hand_work *work;
    json_t *effects;
    char phases[256];
    int effect_code;
    int dones;
    enum outcome outcome;
    char detail[256];
    json_t *plan;
};

static int on_effect(void *context, const json_t *effect)
{
    struct bench *b = context;
    json_push(b->effects, json_incref((json_t *)(uintptr_t)effect));
    return b->effect_code;
}

static void on_phase(void *context, const char *phase)
{
    struct bench *b = context;
    strncat(b->phases, phase, sizeof b->phases - strlen(b->phases) - 1);
}

static void on_done(void *context, const struct job_result *r)
{
    struct bench *b = context;
    b->dones++;
    b->outcome = r->outcome;
    (void)snprintf(b->detail, sizeof b->detail, "%s", r->detail);
    b->plan = r->plan ? json_incref((json_t *)(uintptr_t)r->plan) : NULL;
    hand_free(TAKE(b->work));
    loop_stop(b->loop, 0);
}

static const struct hand_calls calls = {on_effect, on_phase, on_done};

static void bench_start(struct bench *b, struct fixture *f)
{
    *b = (struct bench){.f = f, .effects = json_array()};
}

static void bench_end(struct bench *b)
{
    json_decref(b->effects);
    json_decref(b->plan);
    hand_free(b->work);
    loop_free(b->loop);
}

/* A playbook of one step a word. */
struct documents {
    struct generation generation;
    struct playbook_document playbook;
    struct step_document steps[4];
    struct args args[4];
};

static void documents_init(struct documents *d, const char *const *words)
{
    *d = (struct documents){.playbook = {.meta = {.name = "a-playbook"}, .steps = d->steps}};
    for (size_t i = 0; words[i]; i++) {
        d->args[i] = (struct args){words[i]};
        d->steps[i] = (struct step_document){
            .name = words[i], .kind = &fake.kind, .args = &d->args[i], .timeout_usec = 1};
        d->playbook.step_count++;
    }
    /* One more than is ever given back: the last reference's end would free a static thing. */
    d->generation =
        (struct generation){.references = 1, .playbooks = &d->playbook, .playbook_count = 1};
}

static void bench_job(struct bench *b, const struct job *job)
{
    b->phases[0] = '\0';
    json_array_clear(b->effects);
    json_decref(b->plan);
    b->plan = NULL;
    int before = b->dones;
    loop_free(b->loop); /* one that was stopped doesn't run again */
    b->loop = NULL;
    assert_int_equal(loop_new(&b->loop, &b->f->e), 0);
    assert_int_equal(
        hand_start(b->loop, b->f->root, &b->f->node, job, &calls, b, &b->work, &b->f->e), 0);
    assert_int_equal(b->dones, before);
    assert_int_equal(loop_run(b->loop, &b->f->e), 0);
    assert_int_equal(b->dones, before + 1);
}

static void run_word(struct fixture *f, struct bench *b, const char *word, uint64_t timeout_usec)
{
    struct documents d;
    (void)f;
    documents_init(&d, (const char *const[]){word, NULL});
    OWNED(json_decref) json_t *plan = json_parse("{\"steps\":[{}]}", 14, NULL);
    bench_job(b, &(struct job){.type = JOB_RUN,
                               .generation = &d.generation,
                               .incident = "i-7",
                               .plan = plan,
                               .timeout_usec = timeout_usec});
    assert_int_equal(d.generation.references, 1);
}

static void test_plan(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    struct documents d;
    bench_start(&b, f);
    documents_init(&d, (const char *const[]){"one", "two", NULL});
    struct job job = {.type = JOB_PLAN,
                      .generation = &d.generation,
                      .incident = "i-7",
                      .timeout_usec = 10 * USEC_PER_SEC};
    bench_job(&b, &job);
    assert_int_equal(b.outcome, OUTCOME_DONE);
    OWNED(free) char *text = json_canonical(b.plan);
    assert_string_equal(
        text, "{\"playbook\":\"a-playbook\",\"steps\":["
              "{\"already\":false,\"argv\":[],\"changes\":true,\"files\":[],\"kind\":\"fake\","
              "\"name\":\"one\",\"reversal\":\"undo\",\"step\":0,\"summary\":\"one\"},"
              "{\"already\":false,\"argv\":[],\"changes\":true,\"files\":[],\"kind\":\"fake\","
              "\"name\":\"two\",\"reversal\":\"undo\",\"step\":1,\"summary\":\"two\"}]}");
    documents_init(&d, (const char *const[]){"one", "unplannable", NULL});
    bench_job(&b, &job);
    assert_int_equal(b.outcome, OUTCOME_REFUSED);
    assert_string_equal(b.detail, "step 2 (unplannable): nothing here");
    assert_null(b.plan);
    documents_init(&d, (const char *const[]){"huge", NULL});
    bench_job(&b, &job);
    assert_int_equal(b.outcome, OUTCOME_REFUSED);
    assert_non_null(strstr(b.detail, "too large"));
    bench_end(&b);
}

static void test_run(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    bench_start(&b, f);
    run_word(f, &b, "good", 10 * USEC_PER_SEC);
    assert_int_equal(b.outcome, OUTCOME_DONE);
    assert_string_equal(b.detail, "good");
    assert_string_equal(b.phases, "first");
    assert_int_equal(json_array_size(b.effects), 1);
    /* The record can't be made durable: the hand hears it. */
    b.effect_code = -ENOSPC;
    run_word(f, &b, "good", 10 * USEC_PER_SEC);
    assert_int_equal(b.outcome, OUTCOME_FAILED);
    assert_non_null(strstr(b.detail, "durable"));
    bench_end(&b);
}

static void test_ends(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    static const struct {
        const char *word, *detail;
    } cases[] = {
        {"die", "signal 9"},
        {"exit", "ended with 3"},
        {"hang", "its time was over"},
        {"nonsense", "no message of a hand"},
    };
    bench_start(&b, f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_word(f, &b, cases[i].word, USEC_PER_SEC / 5);
        assert_int_equal(b.outcome, OUTCOME_FAILED);
        assert_non_null(strstr(b.detail, cases[i].detail));
    }
    /* Who waits sees the deadline before it is killed. */
    run_word(f, &b, "wait", USEC_PER_SEC / 5);
    assert_int_equal(b.outcome, OUTCOME_REFUSED);
    bench_end(&b);
}

static void test_what_it_holds(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    char wanted[64];
    int lock = -1;
    assert_int_equal(file_lock(f->root, LOCK_PATH, &lock, &f->e), 0);
    bench_start(&b, f);
    int stray = dup(0);
    run_word(f, &b, "look", 10 * USEC_PER_SEC);
    /* The lock by inheritance; 0-2, socket, root, lock and no other; its own session. */
    (void)snprintf(wanted, sizeof wanted, "1 6 1 i-7");
    assert_string_equal(b.detail, wanted);
    close(stray);
    close(lock);
    bench_end(&b);
}

static void test_undo(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    struct documents d;
    static const struct {
        const char *words[4];
        enum outcome outcome;
        const char *detail;
    } cases[] = {
        {{"a", "b", "c"}, OUTCOME_DONE, "undid"},
        {{"a", "fails", "c"}, OUTCOME_FAILED, "step 2 (fails): undid fails"},
        {{"already", "already", "already"}, OUTCOME_ALREADY, ""},
        {{"already", "b", "already"}, OUTCOME_DONE, "step 2 (b): undid b"},
    };
    bench_start(&b, f);
    const char *text = "{\"steps\":[{\"step\":0},{\"step\":1},{\"step\":2}]}";
    OWNED(json_decref) json_t *plan = json_parse(text, strlen(text), NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        documents_init(&d, cases[i].words);
        bench_job(&b, &(struct job){.type = i % 2 ? JOB_UNDO : JOB_RECOVER,
                                    .generation = &d.generation,
                                    .step = 2,
                                    .incident = "i-7",
                                    .plan = plan,
                                    .timeout_usec = 10 * USEC_PER_SEC});
        assert_int_equal(b.outcome, cases[i].outcome);
        assert_non_null(strstr(b.detail, cases[i].detail));
        assert_int_equal(json_array_size(b.effects), 3);
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(json_get_int(json_array_get(b.effects, k), "step", -1), 2 - k);
    }
    bench_end(&b);
}

static void test_free_kills(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    struct documents d;
    documents_init(&d, (const char *const[]){"hang", NULL});
    OWNED(json_decref) json_t *plan = json_parse("{\"steps\":[{}]}", 14, NULL);
    struct job job = {.type = JOB_RUN,
                      .generation = &d.generation,
                      .plan = plan,
                      .timeout_usec = USEC_PER_MINUTE};
    int lock = -1;
    assert_int_equal(file_lock(f->root, LOCK_PATH, &lock, &f->e), 0);
    bench_start(&b, f);
    assert_int_equal(loop_new(&b.loop, &f->e), 0);
    assert_int_equal(hand_start(b.loop, f->root, &f->node, &job, &calls, &b, &b.work, &f->e), 0);
    close(lock);
    hand_free(TAKE(b.work));
    /* It held the lock; dead, it doesn't. */
    assert_int_equal(
        file_lock_wait(f->root, LOCK_PATH, clock_boot_usec() + 5 * USEC_PER_SEC, &lock, &f->e), 0);
    close(lock);
    assert_int_equal(b.dones, 0);
    bench_end(&b);
}

/* A kill -9 of the agent takes the hand with it. */
static void test_dies_with_the_agent(void **state)
{
    struct fixture *f = *state;
    pid_t agent = fork();
    if (agent == 0) {
        struct bench b;
        int lock;
        (void)file_lock(f->root, LOCK_PATH, &lock, NULL);
        bench_start(&b, f);
        run_word(f, &b, "hang", USEC_PER_MINUTE);
        _exit(0);
    }
    int lock = -1, status;
    while (!fixture_has(f, LOCK_PATH))
        clock_sleep(1000);
    clock_sleep(USEC_PER_SEC / 5);
    assert_int_equal(kill(agent, SIGKILL), 0);
    assert_int_equal(waitpid(agent, &status, 0), agent);
    assert_int_equal(
        file_lock_wait(f->root, LOCK_PATH, clock_boot_usec() + 5 * USEC_PER_SEC, &lock, &f->e), 0);
    close(lock);
}

#if PLANEGUARD_FAULTS
static void test_fault_point(void **state)
{
    struct fixture *f = *state;
    pid_t agent = fork();
    if (agent == 0) {
        struct bench b;
        setenv("PLANEGUARD_FAULT", "fake:first", 1);
        bench_start(&b, f);
        run_word(f, &b, "good", USEC_PER_MINUTE);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(agent, &status, 0), agent);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
#endif

static void test_keep(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    struct keep_args {
        const char *pod, *path;
    } args = {"etcd", MANIFESTS "/etcd.yaml"};
    const struct field keep_fields[] = {
        {.name = "pod", .type = FIELD_NAME, .offset = offsetof(struct keep_args, pod)},
        {.name = "path", .type = FIELD_PATH, .offset = offsetof(struct keep_args, path)},
        {0}};
    const struct kind kind = {.name = "manifest", .fields = keep_fields, .args_size = sizeof args};
    struct probe_document probe = {.meta = {.name = "etcd-manifest"}, .kind = &kind, .args = &args};
    struct generation g = {.references = 1, .probes = &probe, .probe_count = 1};
    const char *text = manifest_text("etcd", "x");
    char hex[DIGEST_HEX + 1];
    struct digest digest = digest_of(text, strlen(text));
    fixture_put(f, MANIFESTS "/etcd.yaml", text);
    struct job job = {.type = JOB_KEEP,
                      .generation = &g,
                      .digest = digest_hex(&digest, hex),
                      .timeout_usec = 10 * USEC_PER_SEC};
    bench_start(&b, f);
    bench_job(&b, &job);
    assert_int_equal(b.outcome, OUTCOME_DONE);
    bench_job(&b, &job);
    assert_int_equal(b.outcome, OUTCOME_ALREADY);
    fixture_put(f, MANIFESTS "/etcd.yaml", "other");
    bench_job(&b, &job);
    assert_int_equal(b.outcome, OUTCOME_REFUSED);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plan, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_run, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_ends, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_it_holds, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_undo, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_free_kills, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_dies_with_the_agent, fixture_setup, fixture_teardown),
#if PLANEGUARD_FAULTS
        cmocka_unit_test_setup_teardown(test_fault_point, fixture_setup, fixture_teardown),
#endif
        cmocka_unit_test_setup_teardown(test_keep, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
