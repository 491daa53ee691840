/* The agent's start: what keeps it from one, each with its exit code and its words, and what
 * doesn't. `planeguard run` itself, on a folder; and in a process of the test's own for every
 * number of descriptors that it may be short of. */
#include "journal_fixture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "act/deadman.h"
#include "act/stash.h"
#include "base/own.h"
#include "engine/catalog.h"
#include "engine/engine.h"
#include "node_folder.h"
#include "verb_case.h"

#define STATE STATE_FOLDER "/state.json"

/* What stands in the way: a file of these bytes or, without any, a folder. */
struct obstacle {
    const char *path, *bytes;
    int status;
    const char *says;
};

static void put_obstacle(struct fixture *f, const struct obstacle *o)
{
    struct node_folder folder = {.root = f->root};
    (void)strcpy(folder.path, f->path);
    if (o->bytes)
        node_folder_write_text(&folder, o->path, o->bytes);
    else
        assert_int_equal(folder_make(f->root, o->path, 0755, &f->e), 0);
}

/* ---- in a process of our own ---- */

/* Told to stop before it starts: so it starts, as far as it comes, and stops. */
static void run_and_stop(const struct fixture *f, rlim_t descriptors)
{
    static struct catalog catalog;
    sigset_t stop;
    catalog = catalog_of_rooms();
    const struct engine_options o = {
        .root = f->path, .shipped = ".", .catalog = &catalog, .observer = "/bin/false"};
    const struct rlimit limit = {descriptors, descriptors};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (sigemptyset(&stop) < 0 || sigaddset(&stop, SIGTERM) < 0 ||
        sigprocmask(SIG_BLOCK, &stop, NULL) < 0 || raise(SIGTERM) != 0 ||
        (descriptors && setrlimit(RLIMIT_NOFILE, &limit) < 0))
        _exit(99);
    _exit(engine_run(&o));
}

/* Its exit code; what it said is in `ret_said`. */
static int start_and_stop(const struct fixture *f, rlim_t descriptors, struct buf *ret_said)
{
    int said[2], status;
    char bytes[4096];
    assert_int_equal(pipe2(said, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (dup2(said[1], STDERR_FILENO) < 0)
            _exit(99);
        (void)close(said[0]);
        (void)close(said[1]);
        run_and_stop(f, descriptors);
    }
    (void)close(said[1]);
    for (ssize_t n; (n = read(said[0], bytes, sizeof bytes)) > 0;)
        buf_add(ret_said, bytes, (size_t)n);
    (void)close(said[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status))
        fail_msg("with %d descriptors it was killed: %s", (int)descriptors, buf_string(ret_said));
    return WEXITSTATUS(status);
}

static void must_start(struct fixture *f, const char *says)
{
    OWNED(buf_fini) struct buf said = {0};
    int code = start_and_stop(f, 0, &said);
    if (code != ENGINE_STOPPED || !strstr(buf_string(&said), says))
        fail_msg("exit %d, expected \"%s\":\n%s", code, says, buf_string(&said));
}

static void must_not_start(struct fixture *f, int expected, const char *says)
{
    OWNED(buf_fini) struct buf said = {0};
    int code = start_and_stop(f, 0, &said);
    if (code != expected || !strstr(buf_string(&said), says))
        fail_msg("exit %d, expected %d and \"%s\":\n%s", code, expected, says, buf_string(&said));
}

/* ---- what keeps it from starting ---- */

static void what_is_in_the_way(void **state)
{
    static const struct obstacle all[] = {
        {"/etc/planeguard/node.yaml", "kind: [", ENGINE_FAILED, "node.yaml"},
        {RUN_FOLDER, "", ENGINE_FAILED, RUN_FOLDER},
        {LOCK_PATH, NULL, ENGINE_FAILED, LOCK_PATH},
        {STATE_FOLDER, "", ENGINE_FAILED, STATE_FOLDER},
        {STATE, NULL, ENGINE_FAILED, STATE},
        {STATE, "{\"boot\":\"\",\"core\":{\"version\":99}}", ENGINE_FAILED,
         "the saved state has version 99"},
        {CONTROL_PATH, NULL, ENGINE_FAILED, CONTROL_PATH},
        {JOURNAL_FOLDER "/" FIRST_SEGMENT, NULL, ENGINE_FAILED, FIRST_SEGMENT},
        {"/etc/planeguard/planeguard.yaml", "kind: [", ENGINE_CONFIGURATION,
         "the configuration has 1 error(s)\n"},
        {"/etc/planeguard/policy.d/x.yaml", "kind: Policy", ENGINE_CONFIGURATION,
         "the agent does not start with such a configuration"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        void *fresh;
        assert_int_equal(setup(&fresh), 0);
        struct fixture *f = fresh;
        put_obstacle(f, &all[i]);
        must_not_start(f, all[i].status, all[i].says);
        assert_int_equal(teardown(&fresh), 0);
    }
}

static void no_journal_folder(void **state)
{
    struct fixture *f = *state;
    static const struct verb_row rows[] = {
        {"--root /nowhere run", ENGINE_FAILED, "root /nowhere: can't be opened"}};
    assert_int_equal(folder_remove(f->root, JOURNAL_FOLDER, &f->e), 0);
    put_obstacle(f, &(struct obstacle){.path = JOURNAL_FOLDER, .bytes = ""});
    must_not_start(f, ENGINE_FAILED, JOURNAL_FOLDER);
    VERB_ROWS(f->path, rows);
}

static void a_second_agent(void **state)
{
    struct fixture *f = *state;
    OWNED(fd_close) int lock = -1;
    assert_int_equal(folder_make(f->root, RUN_FOLDER, 0700, &f->e), 0);
    assert_int_equal(file_lock(f->root, LOCK_PATH, &lock, &f->e), 0);
    must_not_start(f, ENGINE_BUSY, "another agent runs on this root (" LOCK_PATH " has the lock");
}

/* However many it gets: it starts, or says what it could not and ends with 1. Nothing is broken
 * for the start after that, and what it could record is whole. */
static void short_of_descriptors(void **state)
{
    struct fixture *f = *state;
    int failed = 0, code = ENGINE_FAILED;
    for (rlim_t n = 4; n < 100 && code != ENGINE_STOPPED; n++) {
        OWNED(buf_fini) struct buf said = {0};
        code = start_and_stop(f, n, &said);
        bool is_told = code == ENGINE_FAILED || code == ENGINE_CONFIGURATION; /* it can't be read */
        if (code != ENGINE_STOPPED && (!is_told || !said.length))
            fail_msg("with %d descriptors: exit %d:\n%s", (int)n, code, buf_string(&said));
        failed += code != ENGINE_STOPPED;
    }
    assert_int_equal(code, ENGINE_STOPPED);
    assert_true(failed >= 8);
    must_start(f, "started: policy default, mode dry-run");
    must_be(f, JOURNAL_WHOLE);
}

/* ---- what it starts with all the same ---- */

static void a_state_that_can_not_be_read(void **state)
{
    struct fixture *f = *state;
    struct file_status st;
    put_obstacle(f, &(struct obstacle){.path = STATE, .bytes = "{\"boot\":\"\",\"core\":{}}"});
    must_start(f, "the saved state is set aside as state.json.unreadable: ");
    assert_int_equal(file_status(f->root, STATE ".unreadable", 0, &st, &f->e), 0);
    assert_true(st.exists);
    types_must_be(f, "genesis degraded start event event stop ");
}

static void a_state_that_can_not_be_set_aside(void **state)
{
    struct fixture *f = *state;
    put_obstacle(f, &(struct obstacle){.path = STATE, .bytes = "no JSON"});
    put_obstacle(f, &(struct obstacle){.path = STATE ".unreadable/full", .bytes = ""});
    must_start(f, "state.json.unreadable");
}

/* A state of this boot goes on with the boot's clock. */
static void started_again(void **state)
{
    struct fixture *f = *state;
    must_start(f, "started: ");
    must_start(f, "started: ");
}

static void a_torn_end(void **state)
{
    struct fixture *f = *state;
    must_start(f, "started: ");
    struct buf all = file_get(f, FIRST_SEGMENT);
    buf_text(&all, "{\"body\":{\"half");
    file_put(f, FIRST_SEGMENT, all.bytes, all.length);
    buf_fini(&all);
    must_start(f, "the journal's torn end (14 bytes) was set aside");
    must_be(f, JOURNAL_WHOLE);
}

static void a_damaged_journal(void **state)
{
    struct fixture *f = *state;
    must_start(f, "started: ");
    must_start(f, "started: ");
    struct buf all = file_get(f, FIRST_SEGMENT);
    all.bytes[30] ^= 1;
    file_put(f, FIRST_SEGMENT, all.bytes, all.length);
    buf_fini(&all);
    must_not_start(f, ENGINE_JOURNAL, FIRST_SEGMENT);
}

/* Recovery could not look; the agent looks after the node all the same. */
static void no_stage(void **state)
{
    struct fixture *f = *state;
    put_obstacle(f, &(struct obstacle){.path = "/etc/kubernetes/.planeguard", .bytes = ""});
    must_start(f, "recovery: ");
}

/* What was decided on documents that could not be kept can't be replayed: the record says so. */
static void documents_that_can_not_be_kept(void **state)
{
    struct fixture *f = *state;
    put_obstacle(f, &(struct obstacle){.path = JOURNAL_FOLDER "/documents", .bytes = ""});
    must_start(f, "the documents in force can't be kept beside the journal");
    struct buf all = file_get(f, FIRST_SEGMENT);
    assert_non_null(strstr(buf_string(&all), "\"notStored\":\""));
    buf_fini(&all);
}

static void no_bus(void **state)
{
    struct fixture *f = *state;
    put_obstacle(f, &(struct obstacle){.path = "/etc/planeguard/node.yaml",
                                       .bytes = "apiVersion: planeguard/v1\nkind: Node\n"
                                                "spec: {name: m1, bus: 'nonsense'}\n"});
    must_start(f, "no D-Bus: ");
}

/* Named in the node's description: no host's, and no observer beside the program. */
static void named_parts(void **state)
{
    struct fixture *f = *state;
    put_obstacle(f, &(struct obstacle){.path = "/etc/planeguard/node.yaml",
                                       .bytes = "apiVersion: planeguard/v1\nkind: Node\n"
                                                "spec: {name: m1, bus: 'unix:path=/nowhere', "
                                                "observer: [/bin/false]}\n"});
    must_start(f, "started: ");
}

/* Taken out of the manifests folder, as a crash leaves it; always by the same name. */
static void put_out(struct fixture *f, const char *text)
{
    struct digest d = digest_of("one", 3);
    char name[STASH_NAME];
    assert_int_equal(stash_name("/etc/kubernetes/manifests/a.yaml", &d, 0, name, NULL), 0);
    assert_int_equal(folder_make(f->root, "/etc/kubernetes/manifests", 0755, &f->e), 0);
    OWNED(free) char *path = mem_printf("/etc/kubernetes/.planeguard/%s", name);
    put_obstacle(f, &(struct obstacle){.path = path, .bytes = text});
}

/* What a crash left out is home before anything else, and recorded. */
static void a_manifest_that_is_out(void **state)
{
    struct fixture *f = *state;
    struct file_status st;
    put_out(f, "one");
    must_start(f, "put back 1 manifest(s) that were out");
    assert_int_equal(file_status(f->root, "/etc/kubernetes/manifests/a.yaml", 0, &st, &f->e), 0);
    assert_true(st.exists);
    types_must_be(f, "genesis recover start event event stop ");
    put_out(f, "two");
    must_start(f, "started: ");
    types_must_be(f, "genesis recover start event event stop recover start event event stop ");
}

/* Whatever keeps it from its lock doesn't keep the manifest out. */
static void a_manifest_that_is_out_and_no_lock(void **state)
{
    struct fixture *f = *state;
    struct file_status st;
    put_out(f, "one");
    put_obstacle(f, &(struct obstacle){.path = "/run/planeguard/lock/folder"});
    must_not_start(f, ENGINE_FAILED, "put back 1 manifest(s) that were out");
    assert_int_equal(file_status(f->root, "/etc/kubernetes/manifests/a.yaml", 0, &st, &f->e), 0);
    assert_true(st.exists);
}

/* The program stands alone: the observer is where it would be installed. */
static void no_observer_beside_it(void **state)
{
    struct fixture *f = *state;
    const char *program = getenv("PLANEGUARD");
    if (!program)
        skip();
    OWNED(free)
    char *command = mem_printf("cp %s %s/alone && %s/alone --root /nowhere run 2>&1 | "
                               "grep -q 'root /nowhere'",
                               program, f->path, f->path);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    json_setup();
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_the_way),
        A_TEST(no_journal_folder),
        A_TEST(a_second_agent),
        A_TEST(short_of_descriptors),
        A_TEST(a_state_that_can_not_be_read),
        A_TEST(a_state_that_can_not_be_set_aside),
        A_TEST(started_again),
        A_TEST(a_torn_end),
        A_TEST(a_damaged_journal),
        A_TEST(no_stage),
        A_TEST(documents_that_can_not_be_kept),
        A_TEST(no_bus),
        A_TEST(named_parts),
        A_TEST(a_manifest_that_is_out),
        A_TEST(a_manifest_that_is_out_and_no_lock),
        A_TEST(no_observer_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
