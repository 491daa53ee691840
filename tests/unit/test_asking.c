/* The verbs that ask the agent, before an agent that says what the test wants: a process that
 * listens where the agent would. What they show to people, on a terminal too, and their exit. */
#include "node_folder.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/engine.h"
#include "loop/socket.h"
#include "verb_case.h"

struct agent {
    struct node_folder folder;
    int listener;
    pid_t pid; /* 0: none answers */
};

static int setup(void **state)
{
    struct agent *a = mem_new(struct agent);
    struct err e;
    node_folder_make(&a->folder);
    assert_int_equal(folder_make(a->folder.root, RUN_FOLDER, 0700, &e), 0);
    assert_int_equal(socket_listen(a->folder.root, CONTROL_PATH, 0600, &a->listener, &e), 0);
    *state = a;
    return 0;
}

static void stop(struct agent *a)
{
    if (!a->pid)
        return;
    assert_int_equal(kill(a->pid, SIGKILL), 0);
    assert_int_equal(waitpid(a->pid, NULL, 0), a->pid);
    a->pid = 0;
}

static int teardown(void **state)
{
    struct agent *a = *state;
    stop(a);
    fd_close_owned(&a->listener);
    node_folder_remove(&a->folder);
    free(a);
    return 0;
}

/* ---- the agent ---- */

static void serve_one(int listener, const char *answer)
{
    OWNED(fd_close) int client = -1;
    struct err e = {0};
    json_t *question = NULL;
    struct pollfd waits = {.fd = listener, .events = POLLIN};
    if (poll(&waits, 1, -1) < 0 || socket_accept(listener, &client, &e) < 0)
        _exit(1);
    waits.fd = client;
    if (poll(&waits, 1, -1) < 0 || frame_receive(client, &question, NULL, &e) <= 0)
        _exit(1);
    json_decref(question);
    if (answer && send(client, answer, strlen(answer), 0) < 0)
        _exit(1);
}

/* Answers every question with these bytes; NULL: hangs up instead. */
static void answers(struct agent *a, const char *answer)
{
    stop(a);
    a->pid = fork();
    assert_true(a->pid >= 0);
    if (a->pid == 0)
        for (;;)
            serve_one(a->listener, answer);
}

static void must_say(struct agent *a, const char *arguments, int expected, const char *const *words)
{
    int status;
    const char *out = verb_run(a->folder.path, arguments, &status);
    if (status != expected)
        fail_msg("%s: exit %d, expected %d:\n%s", arguments, status, expected, out);
    verb_must_say(out, words);
}
#define MUST_SAY(a, status, arguments, ...)                                                        \
    must_say(a, arguments, status, (const char *const[]){__VA_ARGS__, NULL})

/* ---- no answer, or none that is one ---- */

static const char *const asking[] = {"status",    "signals", "plan",          "plan x",
                                     "explain x", "explain", "-o json status"};

static void no_good_answer(void **state)
{
    struct agent *a = *state;
    static const struct {
        const char *answer, *says;
    } rows[] = {
        {NULL, "planeguard: the agent closed the connection"},
        {"no object", "planeguard: "},
        {"{\"error\":\"so it is\"}", "planeguard: so it is"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        answers(a, rows[i].answer);
        for (size_t k = 0; k < sizeof asking / sizeof *asking; k++)
            MUST_SAY(a, 1, asking[k], rows[i].says);
    }
}

/* A socket that nobody listens at any more is an agent that doesn't run; what is no socket can't
 * be asked. */
static void no_connection(void **state)
{
    struct agent *a = *state;
    fd_close_owned(&a->listener);
    MUST_SAY(a, 3, "status", "planeguard: the agent is not running below /tmp/");
    node_folder_drop(&a->folder, CONTROL_PATH);
    MUST_SAY(a, 3, "status", "planeguard: the agent is not running below /tmp/");
    node_folder_drop(&a->folder, RUN_FOLDER);
    node_folder_write_text(&a->folder, RUN_FOLDER, "no folder");
    MUST_SAY(a, 1, "status", "planeguard: the agent below /tmp/", " can't be asked\n");
    MUST_SAY(a, 1, "--root /nowhere status", "planeguard: root /nowhere: can't be opened");
}

/* A question longer than a frame never leaves. */
static void a_question_that_is_too_long(void **state)
{
    struct agent *a = *state;
    answers(a, "{}");
    MUST_SAY(a, 1, "explain $(head -c 131060 /dev/zero | tr '\\0' x)", "planeguard: ");
}

/* ---- status ---- */

#define SIGNAL(name, verdict, reason)                                                              \
    "{\"signal\":\"" name "\",\"verdict\":\"" verdict "\",\"reason\":\"" reason                    \
    "\",\"sentence\":\"it is " reason "\",\"sinceUsec\":120000000}"

static void status_by_what_is_seen(void **state)
{
    struct agent *a = *state;
    answers(a, "{\"version\":\"0.1.0\",\"node\":\"m1\",\"policy\":\"p\",\"mode\":\"enforce\","
               "\"observerAlive\":true,\"journalWritable\":true,\"signals\":[" SIGNAL(
                   "a", "pass", "none") "," SIGNAL("b", "fail", "timeout") "]}");
    MUST_SAY(a, 0, "status", "planeguard 0.1.0 on m1, up ", "  policy     p, mode enforce\n",
             "  signals    1 pass, 1 fail, 0 unknown\n", "  incidents  none open\n",
             "\nfailing signals\n  timeout         b", "it is timeout\n");
    MUST_SAY(a, 0, "-o json status", "\"mode\":\"enforce\"");
    answers(a, "{\"signals\":[" SIGNAL("a", "unknown", "not-named") "]}");
    MUST_SAY(a, 4, "status", "unknown signals: what depends on these can't be seen\n", "not-named");
    answers(a, "{}");
    MUST_SAY(a, 4, "status", "planeguard ? on ?", "0 pass, 0 fail, 0 unknown");
}

static void status_says_what_holds_it_up(void **state)
{
    struct agent *a = *state;
    answers(a, "{\"scaled\":true,\"killSwitch\":true,\"journalWritable\":false,"
               "\"observerAlive\":false,\"observerWhy\":\"killed\",\"incidents\":["
               "{\"id\":\"x-1\",\"failure\":\"f\",\"state\":\"held\",\"why\":\"w\\u001b[1m\","
               "\"openUsec\":1,\"phase\":\"waits\"},{\"id\":\"x-2\",\"state\":\"running\"}]}");
    MUST_SAY(a, 1, "status", "  TIMES ARE SCALED by the policy: for demos and tests only\n",
             "  THE KILL SWITCH IS PULLED: no new step begins\n",
             "  THE JOURNAL CAN'T BE WRITTEN: no new step begins\n",
             "  the observer is down (killed): network signals are unknown\n",
             "  incidents  2 open\n", "\nopen incidents\n  held        f ", ", x-1\n",
             "w?[1m (waits)\n");
    MUST_SAY(a, 1, "-o json status", "\"observerWhy\":\"killed\"");
}

/* ---- signals ---- */

static void signals_and_their_facts(void **state)
{
    struct agent *a = *state;
    answers(a, "{\"signals\":[{\"signal\":\"a\",\"verdict\":\"pass\",\"reason\":\"none\","
               "\"sinceUsec\":1,\"lookedAgoUsec\":2000000,\"byEvents\":true,\"facts\":{"
               "\"digest\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
               "\"short\":\"0123\",\"image\":\"0123456789abcdef0123456789abcdef:latest\",\"n\":7,"
               "\"s1\":\"a fact of some length, so that\",\"s2\":\"the line goes on below it\","
               "\"s3\":\"x\\u007f\"}},"
               "{\"signal\":\"b\",\"verdict\":\"unknown\",\"reason\":\"stale\",\"facts\":{}}]}");
    MUST_SAY(a, 0, "signals", "pass      a   ", "looked 2s ago, and at events\n",
             "digest=0123456789ab  ", "short=0123  ", "image=0123456789abcdef0123456789abcdef:lat",
             "n=7", "\n          s", "s3=x?\n", "unknown   b   ", "stale", "never looked\n");
    MUST_SAY(a, 0, "-o json signals", "89abcdef0123456789abcdef\"");
}

/* ---- plan ---- */

static const char a_plan[] =
    "{\"plans\":[{\"failure\":\"f\",\"playbook\":\"p\",\"digest\":\"0123456789abcdef\",\"dry\":"
    "true,"
    "\"steps\":[{\"name\":\"one\",\"kind\":\"wait\",\"already\":true,\"summary\":\"waits\"},"
    "{\"name\":\"two\",\"kind\":\"k\",\"changes\":true,\"summary\":\"a sentence that is long "
    "enough "
    "to go on in a second line, at a space and never within a word of it, and "
    "onelongwordwithoutanyspaceatallthatgoesonandonandonandonandonandonandonandonandonandon"
    "\",\"argv\":[[\"rm\",\"/x\\ty\",7]],\"files\":[{\"before\":\"aaaaaaaaaaaaaaaa\",\"diff\":"
    "\"-old\\n+new\\n same\"}]}]}]}";

static void plans(void **state)
{
    struct agent *a = *state;
    answers(a, a_plan);
    MUST_SAY(a, 2, "plan", "f\n  by playbook p, plan 0123456789ab, gone through only (dry-run)\n",
             "  1. one (wait): already so\n       waits\n", "  2. two (k)\n       a sentence",
             "at a space and never within a\n       word of it, and onelongword",
             "       $ rm /x?y \n", "       sha256 aaaaaaaaaaaa -> (absent)\n",
             "       -old\n       +new\n        same\n");
    MUST_SAY(a, 2, "-o json plan", "\"summary\":\"waits\"");
    answers(a,
            "{\"plans\":[{\"failure\":\"f\",\"playbook\":\"p\",\"unplannable\":\"not\\u0007\"}]}");
    MUST_SAY(a, 0, "plan f", "f\n  by playbook p\n  can't be planned now: not?\n");
    answers(a, "{\"plans\":[]}");
    MUST_SAY(a, 0, "plan", "nothing is planned: no incident has a plan\n");
    MUST_SAY(a, 0, "-o json plan", "{\"plans\":[]}\n");
    MUST_SAY(a, 64, "plan a b", "planeguard: plan takes at most one failure's name\n");
}

/* ---- explain ---- */

static const char explanation[] =
    "{\"failure\":\"f\",\"summary\":\"it fails\",\"advice\":\"look\","
    "\"when\":{\"type\":\"all\",\"truth\":\"true\",\"of\":["
    "{\"type\":\"signal\",\"truth\":\"true\",\"wanted\":\"fail\",\"fact\":\"id\","
    "\"reasons\":[\"timeout\",\"refused\"],"
    "\"seen\":{\"signal\":\"s\",\"verdict\":\"fail\",\"reason\":\"timeout\","
    "\"sinceUsec\":120000000}},"
    "{\"type\":\"signal\",\"truth\":\"false\"},"
    "{\"type\":\"signal\",\"truth\":\"unknown\",\"seen\":{\"signal\":\"t\",\"verdict\":\"pass\","
    "\"reason\":\"none\",\"sinceUsec\":120000000}}]},"
    "\"incident\":{\"id\":\"x-1\",\"state\":\"held\",\"openUsec\":1,\"why\":\"the guard\","
    "\"guards\":[{\"guard\":\"mode\",\"verdict\":\"allow\",\"saw\":\"enforce\"},"
    "{\"guard\":\"settle\",\"verdict\":\"defer\",\"saw\":\"1 s\",\"wants\":\"5 s\"}]},"
    "\"causedBy\":[{\"failure\":\"c1\",\"when\":{\"type\":\"all\",\"truth\":\"false\"}},"
    "{\"failure\":\"c2\",\"summary\":\"out\",\"when\":{\"type\":\"all\",\"truth\":\"false\"},"
    "\"incident\":{\"id\":\"x-2\"}},"
    "{\"failure\":\"c3\",\"when\":{\"type\":\"any\",\"truth\":\"true\"}}],"
    "\"playbooks\":[{\"playbook\":\"p\",\"risk\":\"low\",\"mode\":\"enforce\",\"tried\":true,"
    "\"requires\":[{\"type\":\"not\",\"truth\":\"true\"}]},{\"playbook\":\"q\"}]}";

static void explanations(void **state)
{
    struct agent *a = *state;
    answers(a, explanation);
    MUST_SAY(a, 0, "explain f", "f: it fails\n  yes  all of:\n",
             "    yes  s fail timeout, since 2m; wanted: fail timeout, refused with its fact id\n",
             "    no   ? ?", "    ?    t pass, since 2m; wanted: ?\n",
             "  incident x-1 is held, open for ", "    guard mode         allow  enforce\n",
             "    guard settle       defer  1 s; wants 5 s\n", "  would be explained by:\n",
             "    no   c1\n    c2: out\n", "incident x-2 is ?", "    c3: \n",
             "\nplaybook p (risk low, mode enforce): tried in this incident\n  yes  not of:\n",
             "\nplaybook q (risk ?, mode ?)\n");
    MUST_SAY(a, 0, "-o json explain f", "\"wants\":\"5 s\"");
    answers(a, "{\"failure\":\"f\",\"advice\":\"call\"}");
    MUST_SAY(a, 0, "explain f", "no playbook: a person is told. call\n");
}

static void the_list_of_failures(void **state)
{
    struct agent *a = *state;
    answers(a,
            "{\"failures\":[{\"failure\":\"f\",\"holds\":\"true\",\"summary\":\"a\"},{\"failure\":"
            "\"g\",\"holds\":\"false\",\"summary\":\"b\"},{\"failure\":\"h\",\"holds\":"
            "\"unknown\",\"summary\":\"c\"}]}");
    MUST_SAY(a, 0, "explain", "yes  f ", "no   g ", "?    h ");
    MUST_SAY(a, 0, "-o json explain", "\"holds\":\"unknown\"");
}

/* ---- on a terminal ---- */

/* What it says on a terminal of its own. */
static void on_terminal(struct agent *a, const char *environment, const char *arguments,
                        char said[65536])
{
    OWNED(fd_close) int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];
    size_t length = 0;
    assert_true(terminal >= 0);
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    assert_int_equal(ptsname_r(terminal, name, sizeof name), 0);
    /* Held open here, so that what was said isn't lost when the program ends. */
    OWNED(fd_close) int other = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios raw;
    assert_int_equal(tcgetattr(other, &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(other, TCSANOW, &raw), 0);
    int status;
    OWNED(free) char *all = mem_printf("%s >%s", arguments, name);
    assert_int_equal(setenv("NO_COLOR", environment, 1), 0);
    if (!*environment)
        assert_int_equal(unsetenv("NO_COLOR"), 0);
    (void)verb_run(a->folder.path, all, &status);
    assert_int_equal(unsetenv("NO_COLOR"), 0);
    struct pollfd ready = {.fd = terminal, .events = POLLIN};
    while (length < 65535 && poll(&ready, 1, 0) > 0) {
        ssize_t n = read(terminal, said + length, 65535 - length);
        assert_true(n > 0);
        length += (size_t)n;
    }
    said[length] = '\0';
}

static void colours(void **state)
{
    struct agent *a = *state;
    char said[65536];
    answers(a, "{\"signals\":[" SIGNAL("a", "pass", "none") "," SIGNAL(
                   "b", "fail", "timeout") "],"
                                           "\"incidents\":[{\"state\":\"suspected\"}]}");
    on_terminal(a, "", "status", said);
    verb_must_say(said, (const char *const[]){"  \033[31mtimeout", "  suspected ", NULL});
    on_terminal(a, "", "signals", said);
    verb_must_say(said, (const char *const[]){"\033[32mpass    \033[0m  a", NULL});
    on_terminal(a, "1", "signals", said);
    verb_must_say(said, (const char *const[]){"pass      a", NULL});
    assert_null(strchr(said, '\033'));
    on_terminal(a, "1", "journal show", said);
    assert_null(strchr(said, '\033'));
    answers(a, a_plan);
    on_terminal(a, "", "plan", said);
    verb_must_say(said, (const char *const[]){"\033[31m-old\033[0m", "\033[32m+new\033[0m", NULL});
}

int main(void)
{
    json_setup();
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        A_TEST(no_good_answer),
        A_TEST(no_connection),
        A_TEST(a_question_that_is_too_long),
        A_TEST(status_by_what_is_seen),
        A_TEST(status_says_what_holds_it_up),
        A_TEST(signals_and_their_facts),
        A_TEST(plans),
        A_TEST(explanations),
        A_TEST(the_list_of_failures),
        A_TEST(colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
