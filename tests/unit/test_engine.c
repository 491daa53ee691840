/* The running agent on a folder: what its control socket answers, and to whom; reloads, the kill
 * switch, a state that can't be saved. The program itself, and documents of the test's own beside
 * the shipped ones. */
#include "journal_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/duration.h"
#include "base/own.h"
#include "engine/engine.h"
#include "loop/clock.h"
#include "loop/socket.h"
#include "node_folder.h"
#include "verb_case.h"

enum { PATIENCE_MSEC = 60 * 1000, TURN_MSEC = 20, CLIENTS_MAX = 32 };

struct agent {
    struct fixture *f;
    pid_t pid; /* 0: it doesn't run */
    struct buf log;
};

#define DOCUMENT(kind, name, spec)                                                                 \
    "apiVersion: planeguard/v1\nkind: " kind "\nmetadata: {name: " name "}\nspec: " spec "\n---\n"
#define FAILS(summary)                                                                             \
    "{summary: " summary ", impact: none, severity: warning, layer: 9, for: 1s, "                  \
    "when: {signal: page, is: fail}}"
#define PLAYBOOK(of, requires, step)                                                               \
    "{summary: mends, treats: " of                                                                 \
    ", order: 10, risk: low, requires: " requires ", steps: [" step                                \
                                                  "], verify: [{signal: page, is: pass, within: "  \
                                                  "2s, hold: 1s}], "                               \
                                                  "limits: {attempts: 1, per: 1h, cooldown: 1m}, " \
                                                  "onFailure: leave}"

static const char documents[] = DOCUMENT("Probe", "page", "{every: 1s, manifest: {pod: page}}")
    DOCUMENT("Failure", "page-missing", FAILS("no page")) DOCUMENT(
        "Playbook", "idle", PLAYBOOK("page-missing", "[]", "{name: wait, wait: {for: 1s}}"))
        DOCUMENT("Failure", "unit-gone", FAILS("no unit"))
            DOCUMENT("Playbook", "restart-unit",
                     PLAYBOOK("unit-gone", "[]", "{name: go, unit.restart: {unit: x.service}}"))
                DOCUMENT("Failure", "lone", FAILS("nobody mends it"))
                    DOCUMENT("Failure", "shut", FAILS("no way"))
                        DOCUMENT("Playbook", "needs-more",
                                 PLAYBOOK("shut", "[{signal: page, is: pass}]",
                                          "{name: wait, wait: {for: 1s}}"));

static void put(struct agent *a, const char *path, const char *text)
{
    struct node_folder folder = {.root = a->f->root};
    (void)strcpy(folder.path, a->f->path);
    node_folder_write_text(&folder, path, text);
}

static void put_policy(struct agent *a, const char *mode)
{
    OWNED(free)
    char *text = mem_printf(DOCUMENT("Policy", "test",
                                     "{summary: a test, mode: %s, scaled: true, guards: "
                                     "{start-up: {own: 1s, boot: 1s, restarts: 8, within: 1s}, "
                                     "settle: {for: 1s}, fresh-look: {within: 5s}}}"),
                            mode);
    put(a, "/etc/planeguard/policy.d/test.yaml", text);
}

/* ---- its life ---- */

/* Lent until the next call. */
static const char *log_of(struct agent *a)
{
    struct err e;
    buf_fini(&a->log);
    assert_int_equal(file_read(a->f->root, "/log", 0, 1 << 24, &a->log, &e), 0);
    return buf_string(&a->log);
}

static bool has_said(struct agent *a, const char *words)
{
    return strstr(log_of(a), words) != NULL;
}

static void must_come_to_say(struct agent *a, const char *words)
{
    for (int waited = 0; !has_said(a, words); waited += TURN_MSEC) {
        if (waited > PATIENCE_MSEC || has_said(a, "does not start with"))
            fail_msg("it never said \"%s\", but %s", words, log_of(a));
        (void)poll(NULL, 0, TURN_MSEC);
    }
}

static void start(struct agent *a)
{
    const char *program = getenv("PLANEGUARD");
    if (!program)
        skip();
    put(a, "/log", "");
    OWNED(free) char *log = mem_printf("%s/log", a->f->path);
    a->pid = fork();
    assert_true(a->pid >= 0);
    if (a->pid == 0) {
        int fd = open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || fd < 0 || dup2(fd, STDERR_FILENO) < 0)
            _exit(99);
        (void)execl(program, program, "--root", a->f->path, "--shipped", ".", "run", NULL);
        _exit(99);
    }
    must_come_to_say(a, "the kill switch is ");
}

static int stop(struct agent *a, int signo)
{
    int status = 0;
    if (!a->pid)
        return 0;
    assert_int_equal(kill(a->pid, signo), 0);
    assert_int_equal(waitpid(a->pid, &status, 0), a->pid);
    a->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int agent_setup(void **state)
{
    struct agent *a = mem_new(struct agent);
    void *f;
    assert_int_equal(setup(&f), 0);
    a->f = f;
    put(a, "/etc/planeguard/playbooks.d/page.yaml", documents);
    put(a, "/etc/planeguard/planeguard.yaml",
        DOCUMENT("Configuration", "planeguard", "{policy: test}"));
    put(a, "/etc/planeguard/node.yaml", DOCUMENT("Node", "node", "{name: master-1}"));
    put_policy(a, "enforce");
    *state = a;
    return 0;
}

static int agent_teardown(void **state)
{
    struct agent *a = *state;
    (void)stop(a, SIGKILL);
    void *f = a->f;
    buf_fini(&a->log);
    free(a);
    return teardown(&f);
}

/* Until the verb says it. */
static void verb_must_come_to_say(struct agent *a, const char *arguments, const char *words)
{
    int status;
    const char *out = verb_run(a->f->path, arguments, &status);
    for (int waited = 0; !strstr(out, words); waited += TURN_MSEC) {
        if (waited > PATIENCE_MSEC)
            fail_msg("%s never said \"%s\":\n%s", arguments, words, out);
        (void)poll(NULL, 0, TURN_MSEC);
        out = verb_run(a->f->path, arguments, &status);
    }
}

/* ---- clients ---- */

static int client(struct agent *a)
{
    int socket;
    struct err e = {0};
    if (socket_connect(a->f->root, CONTROL_PATH, &socket, &e) < 0)
        fail_msg("%s", e.text);
    return socket;
}

static void say(int socket, const char *bytes)
{
    assert_int_equal(send(socket, bytes, strlen(bytes), MSG_NOSIGNAL), (ssize_t)strlen(bytes));
}

/* Its answer, or NULL: it hangs up. */
static json_t *hear(int socket)
{
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    json_t *answer = NULL;
    struct err e = {0};
    if (poll(&ready, 1, PATIENCE_MSEC) != 1)
        fail_msg("no answer");
    int r = frame_receive(socket, &answer, NULL, &e);
    assert_true(r == 1 || r == 0 || r == -ECONNRESET);
    return r == 1 ? answer : NULL;
}

static void answers(void **state)
{
    struct agent *a = *state;
    start(a);
    verb_must_come_to_say(a, "status", "page-missing ");
    static const struct verb_row rows[] = {
        {"explain nothing", 1, "no open incident and no failure has that name"},
        {"explain", 0, "yes  page-missing                 no page\n"},
        {"-o json explain", 0, "{\"failure\":\"page-missing\",\"holds\":\"true\",\"playbooks\":1,"},
        {"explain page-missing", 0, "playbook idle (risk low, mode enforce)"},
        {"plan nothing", 1, "no failure has that name; `planeguard explain` lists them"},
        {"plan lone", 1, "no playbook treats it: a person is told"},
        {"plan shut", 1, "no playbook's requirements hold now"},
        {"plan page-missing", 0, "page-missing\n  by playbook idle\n  1. wait (wait)\n"},
        {"plan unit-gone", 0, "unit-gone\n  by playbook restart-unit\n  can't be planned now: "},
        {"-o json signals", 0, "\"signal\":\"page\""},
        {"signals", 0, "  page "},
    };
    VERB_ROWS(a->f->path, rows);
    verb_must_come_to_say(a, "incidents", "the playbook would change nothing here");
    OWNED(fd_close) int other = client(a);
    say(other, "{\"ask\":\"incidents\"}");
    OWNED(json_decref) json_t *open = hear(other);
    assert_true(json_array_size(json_object_get(open, "incidents")) >= 1);
    say(other, "{\"ask\":\"frobnicate\"}");
    OWNED(json_decref) json_t *unknown = hear(other);
    assert_string_equal(json_get_string(unknown, "error", ""),
                        "this agent doesn't know that question");
    say(other, "no question");
    assert_null(hear(other));
    assert_int_equal(stop(a, SIGINT), 0);
}

/* Who asks and is gone before the answer is no trouble. */
static void clients_that_go(void **state)
{
    static const char *const questions[] = {"{\"ask\":\"status\"}",
                                            "{\"ask\":\"plan\",\"what\":\"page-missing\"}"};
    struct agent *a = *state;
    start(a);
    verb_must_come_to_say(a, "status", "page-missing ");
    for (int i = 0; i < 20; i++) {
        OWNED(fd_close) int gone = client(a);
        say(gone, questions[i % 2]);
    }
    static const struct verb_row rows[] = {{"plan page-missing", 0, "by playbook idle"}};
    VERB_ROWS(a->f->path, rows);
    assert_int_equal(stop(a, SIGTERM), 0);
}

static void not_too_many_clients(void **state)
{
    struct agent *a = *state;
    int all[CLIENTS_MAX];
    start(a);
    for (int i = 0; i < CLIENTS_MAX; i++) {
        all[i] = client(a);
        say(all[i], "{\"ask\":\"incidents\"}");
        json_decref(hear(all[i]));
    }
    OWNED(fd_close) int more = client(a);
    assert_null(hear(more));
    say(all[0], "{\"ask\":\"incidents\"}");
    json_t *answer = hear(all[0]);
    assert_non_null(answer);
    json_decref(answer);
    assert_int_equal(stop(a, SIGTERM), 0); /* with all of these */
    for (int i = 0; i < CLIENTS_MAX; i++) {
        assert_null(hear(all[i]));
        fd_close_owned(&all[i]);
    }
}

/* Also where somebody has opened the folder and the socket to all. */
static void nobody_else_may_ask(void **state)
{
    struct agent *a = *state;
    int status;
    if (geteuid() != 0)
        skip();
    start(a);
    char run[100], folder[100], path[100]; /* the child's, too, which leaves nothing behind so */
    (void)snprintf(run, sizeof run, "%s/run", a->f->path);
    (void)snprintf(folder, sizeof folder, "%s" RUN_FOLDER, a->f->path);
    (void)snprintf(path, sizeof path, "%s" CONTROL_PATH, a->f->path);
    assert_int_equal(chmod(a->f->path, 0755), 0);
    assert_int_equal(chmod(run, 0755), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(chmod(path, 0666), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct pollfd ready = {.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0),
                               .events = POLLIN};
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        char byte;
        (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
        if (setuid(65534) < 0 || connect(ready.fd, (struct sockaddr *)&at, sizeof at) < 0)
            _exit(2);
        _exit(poll(&ready, 1, PATIENCE_MSEC) == 1 && recv(ready.fd, &byte, 1, 0) <= 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Cut off after 10 s without a question. */
static void nobody_sits_there_for_ever(void **state)
{
    struct agent *a = *state;
    start(a);
    OWNED(fd_close) int idle = client(a);
    uint64_t before = clock_boot_usec();
    assert_null(hear(idle));
    assert_true(clock_boot_usec() - before >= 10 * USEC_PER_SEC);
}

static void an_answer_that_is_too_long(void **state)
{
    struct agent *a = *state;
    for (int file = 0; file < 2; file++) {
        OWNED(buf_fini) struct buf many = {0};
        OWNED(free) char *path = mem_printf("/etc/planeguard/playbooks.d/many-%d.yaml", file);
        for (int i = 0; i < 350; i++)
            buf_printf(&many, DOCUMENT("Probe", "u%d-%d", "{every: 1h, unit: {unit: u%d.service}}"),
                       file, i, i);
        put(a, path, buf_string(&many));
    }
    start(a);
    static const struct verb_row rows[] = {
        {"status", 1, "planeguard: the answer is too long for one frame\n"},
        {"explain lone", 0, "lone: nobody mends it\n"}};
    VERB_ROWS(a->f->path, rows);
}

/* ---- what changes below it ---- */

static void reloads(void **state)
{
    struct agent *a = *state;
    start(a);
    assert_int_equal(kill(a->pid, SIGHUP), 0); /* the same: nothing to say */
    verb_must_come_to_say(a, "status", "page-missing ");
    put(a, "/etc/planeguard/policy.d/test.yaml", "kind: [");
    must_come_to_say(a, "error(s); the old one stays in force");
    verb_must_come_to_say(a, "status", "  policy     test, mode enforce\n");
    put_policy(a, "observe");
    must_come_to_say(a, "the changed configuration is in force: policy test, mode observe");
    verb_must_come_to_say(a, "status", "  policy     test, mode observe\n");
    assert_int_equal(stop(a, SIGTERM), 0);
    static const struct verb_row rows[] = {
        {"journal show --type config", 0, "observe"},
        {"-o json journal show --type config", 0, "\"refused\":true"},
        {"journal verify", 0, "whole: "},
        {"replay", 0, "the same: "},
    };
    VERB_ROWS(a->f->path, rows);
}

static void the_kill_switch(void **state)
{
    struct agent *a = *state;
    start(a);
    put(a, "/etc/planeguard/kill-switch", "");
    must_come_to_say(a, "the kill switch is pulled: no new step begins");
    verb_must_come_to_say(a, "status", "  THE KILL SWITCH IS PULLED: no new step begins\n");
    assert_int_equal(file_remove(a->f->root, "/etc/planeguard/kill-switch", &a->f->e), 0);
    verb_must_come_to_say(a, "-o json status", "\"killSwitch\":false");
    assert_int_equal(stop(a, SIGTERM), 0);
}

/* Without the state a crash would forget what was begun: so nothing is begun, until it can be
 * saved again; and an end without it is recorded as such. */
static void a_state_that_can_not_be_saved(void **state)
{
    struct agent *a = *state;
    struct err e = {0};
    start(a);
    verb_must_come_to_say(a, "status", "page-missing ");
    assert_int_equal(file_remove(a->f->root, STATE_FOLDER "/state.json", &e), 0);
    put(a, STATE_FOLDER "/state.json/full", "");
    put(a, "/etc/kubernetes/manifests/page.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: page, namespace: kube-system}\n"
        "spec: {containers: [{name: page, image: page}]}\n");
    must_come_to_say(a, "what must be recorded can't be, so nothing is begun: the state can't be");
    verb_must_come_to_say(a, "status", "  THE JOURNAL CAN'T BE WRITTEN: no new step begins\n");
    assert_int_equal(folder_remove(a->f->root, STATE_FOLDER "/state.json", &e), 0);
    must_come_to_say(a, "the journal can be written again");
    verb_must_come_to_say(a, "-o json status", "\"journalWritable\":true");
    assert_int_equal(file_remove(a->f->root, STATE_FOLDER "/state.json", &e), 0);
    put(a, STATE_FOLDER "/state.json/full", "");
    assert_int_equal(stop(a, SIGTERM), 0);
    must_come_to_say(a, "the state can't be saved");
    static const struct verb_row rows[] = {
        {"-o json journal show --type stop", 0, "\"unsaved\":\""}, {"replay", 0, "the same: "}};
    VERB_ROWS(a->f->path, rows);
}

int main(void)
{
    json_setup();
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, agent_setup, agent_teardown)
    const struct CMUnitTest tests[] = {
        A_TEST(answers),
        A_TEST(clients_that_go),
        A_TEST(not_too_many_clients),
        A_TEST(nobody_else_may_ask),
        A_TEST(nobody_sits_there_for_ever),
        A_TEST(an_answer_that_is_too_long),
        A_TEST(reloads),
        A_TEST(the_kill_switch),
        A_TEST(a_state_that_can_not_be_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
