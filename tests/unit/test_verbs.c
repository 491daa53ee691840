/* The verbs that need no agent, and what every verb says to arguments that it doesn't take: the
 * program itself, its exit status and its words. */
#include "journal_fixture.h"

#include "act/deadman.h"
#include "act/stash.h"
#include "record/chain.h"
#include "verb_case.h"

#define RUN(f, rows) VERB_ROWS((f)->path, rows)

static void put(struct fixture *f, const char *path, const char *text)
{
    char full[256];
    (void)snprintf(full, sizeof full, "%s%s", f->path, path);
    FILE *to = fopen(full, "we");
    assert_non_null(to);
    assert_true(fputs(text, to) >= 0);
    assert_int_equal(fclose(to), 0);
}

static void test_options(void **state)
{
    static const struct verb_row rows[] = {
        {"", 64, "usage: planeguard"},
        {"--help", 0, "usage: planeguard"},
        {"-h", 0, "put back what a crash left out"},
        {"--version", 0, "planeguard "},
        {"frobnicate", 64, "there is no verb \"frobnicate\"; planeguard --help"},
        {"stats", 64, "did you mean \"status\"?"},
        {"--frob", 64, "option \"--frob\" is not known"},
        {"kinds --root", 64, "option \"--root\" is not known or lacks its value"},
        {"--rooted=/ kinds", 64, "option \"--rooted=/\" is not known"},
        {"-o xml kinds", 64, "output \"xml\" is not known: json or text"},
        {"--output=text kinds reasons", 0, "tls-untrusted"},
        {"--output=json kinds reasons", 0, "\"sentence\":"},
        {"kinds --version", 1, "no kind is named \"--version\""},
    };
    RUN((struct fixture *)*state, rows);
}

static void test_kinds(void **state)
{
    static const struct verb_row rows[] = {
        {"kinds", 0, "steps\n"},
        {"-o json kinds", 0, "\"name\":\"kill-switch\""},
        {"kinds reasons", 0, "tls-untrusted"},
        {"kinds unit", 0, "unit (probe)"},
        {"-o json kinds https", 0, "\"fields\":["},
        {"kinds https", 0, "https (probe)"},
        {"kinds manifest", 0, "manifest (probe)"},
        {"kinds container", 0, "container (probe)"},
        {"kinds start-up", 0, "restarts: "},
        {"kinds wait", 0, "wait (step)"},
        {"kinds evidence.collect", 0, "evidence.collect (step)"},
        {"kinds static-pod.restart", 0, "static-pod.restart (step)"},
        {"kinds manifest.restore", 0, "manifest.restore (step)"},
        {"kinds unti", 1, "did you mean \"unit\"?"},
        {"kinds nothing-like-it", 1, "see `planeguard kinds`"},
        {"kinds a b", 64, "at most one KIND"},
    };
    RUN((struct fixture *)*state, rows);
}

static void test_lint(void **state)
{
    struct fixture *f = *state;
    static const struct verb_row rows[] = {
        {"lint", 0, "documents, no complaints"},
        {"-o json lint", 0, "{\"complaints\":[],\"documents\":"},
        {"lint ./nowhere", 1, "not there, expected a file of documents"},
        {"-o json lint ./nowhere", 1, "\"column\":1,\"file\":\"./nowhere\",\"line\":1"},
        {"lint playbooks policy", 0, "no complaints"},
    };
    RUN(f, rows);
    static const struct verb_row no_root[] = {
        {"--root /nowhere lint", 1, "/nowhere: can't be opened"},
        {"-o json --root /nowhere lint", 1, "\"file\":null"}};
    RUN(f, no_root);
    char folder[128];
    (void)snprintf(folder, sizeof folder, "%s/etc/planeguard", f->path);
    assert_int_equal(folder_make(f->root, "/etc/planeguard", 0755, &f->e), 0);
    put(f, "/etc/planeguard/node.yaml", "kind: [");
    static const struct verb_row bad_node[] = {{"lint", 1, "node.yaml:"}};
    RUN(f, bad_node);
}

/* Verbs that ask the agent, without one. */
static void test_no_agent(void **state)
{
    static const struct verb_row rows[] = {
        {"status", 3, "the agent is not running below "},
        {"-o json status", 3, "the agent is not running below "},
        {"signals", 3, "the agent is not running below "},
        {"plan", 3, "the agent is not running below "},
        {"plan apiserver-hung", 3, "the agent is not running below "},
        {"explain", 3, "the agent is not running below "},
        {"status x", 64, ""},
        {"signals x", 64, ""},
        {"plan a b", 64, ""},
        {"explain a b", 64, ""},
        {"show", 64, "show takes one incident's id"},
        {"show a b", 64, "show takes one incident's id"},
        {"--root /nowhere status", 3, "/nowhere"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int status;
        const char *out = verb_run(f->path, rows[i].arguments, &status);
        if (!strstr(out, rows[i].says))
            fail_msg("%s: exit %d:\n%s", rows[i].arguments, status, out);
        assert_int_not_equal(status, 0);
    }
}

static void write_journal(struct fixture *f)
{
    struct journal *j = journal_must_open(f, NULL);
    json_t *one = json_object();
    json_put(one, "incident", json_string("m-1"));
    json_put(one, "failure", json_string("apiserver-hung"));
    json_put(one, "from", json_string("none"));
    json_put(one, "to", json_string("suspected"));
    journal_add(j, RECORD_INCIDENT, one);
    add_text(j, RECORD_SIGNAL, "signal", "apiserver-livez");
    must_sync(f, j);
    journal_close(j);
}

static void test_journal(void **state)
{
    struct fixture *f = *state;
    static const struct verb_row before[] = {
        {"journal", 64, "usage: planeguard journal show"},
        {"journal frob", 64, "usage: planeguard journal show"},
        {"journal verify", 2, "unreadable: "},
        {"-o json journal verify", 2, "\"badSeq\":null"},
        {"journal show", 2, "no journal here"},
        {"journal verify x", 64, "not understood: x"},
        {"--root /nowhere journal verify", 2, "/nowhere: can't be opened"},
    };
    RUN(f, before);
    write_journal(f);
    static const struct verb_row rows[] = {
        {"journal verify", 0, "whole: 3 records in 1 segment, head "},
        {"-o json journal verify", 0, "\"verdict\":\"whole\",\"why\":null"},
        {"journal show", 0, "apiserver-hung"},
        {"-o json journal show", 0, "\"type\":\"genesis\""},
        {"journal show --incident m-1", 0, "suspected"},
        {"journal show --incident=m-2", 0, NULL},
        {"journal show --since 1h", 0, "apiserver-hung"},
        {"journal show --since=300d", 0, "apiserver-hung"},
        {"journal show --since soon", 64, "--since: not a duration"},
        {"-o json journal show --type signal,result", 0, "\"signal\":\"apiserver-livez\""},
        {"journal show --type result", 0, NULL},
        {"journal show --type signl", 64, "no such record type: signl; did you mean signal"},
        {"journal show --type qqqqqqqqqqqq", 64, "no such record type: qqqqqqqqqqqq\n"},
        {"journal show --type", 64, "not understood: --type"},
        {"journal show --sincere=1", 64, "not understood: --sincere=1"},
        {"journal show x", 64, "not understood: x"},
        {"journal show >/dev/full", 1, "output could not all be written"},
        {"-o json journal show >/dev/full", 1, "output could not all be written"},
        {"incidents", 0, "m-1"},
        {"-o json incidents", 0, "m-1"},
        {"show m-1", 0, "suspected"},
        {"-o json show m-1", 0, "suspected"},
    };
    RUN(f, rows);
    struct buf all = file_get(f, FIRST_SEGMENT);
    buf_text(&all, "{\"body\":{\"half");
    file_put(f, FIRST_SEGMENT, all.bytes, all.length);
    static const struct verb_row torn[] = {
        {"journal verify", 3, "the agent's next start sets it aside"},
        {"-o json journal verify", 3, "\"badSeq\":3"}};
    RUN(f, torn);
    all.bytes[30] ^= 1;
    file_put(f, FIRST_SEGMENT, all.bytes, all.length);
    static const struct verb_row broken[] = {
        {"journal verify", 4, "nothing from record 0 on"},
        {"-o json journal verify", 4, "\"verdict\":\"broken\""}};
    RUN(f, broken);
    buf_fini(&all);
}

/* A record of another format, whole by its hash. */
static void test_journal_of_another_version(void **state)
{
    struct fixture *f = *state;
    static const char body[] = "{\"type\":\"genesis\",\"v\":2}";
    struct chain *c = chain_new();
    char hash[DIGEST_HEX + 1];
    const struct line line = {body, sizeof body - 1, hash, 0, 0};
    chain_hash(c, &line, chain_start, hash);
    chain_free(c);
    struct buf out = {0};
    line_write(&line, &out);
    file_put(f, FIRST_SEGMENT, out.bytes, out.length);
    static const struct verb_row rows[] = {{"journal verify", 8, "unknown version: 0 records"},
                                           {"-o json journal verify", 8, "\"unknown version\""}};
    RUN(f, rows);
    buf_fini(&out);
}

/* ---- recover ---- */

static void test_recover_arguments(void **state)
{
    static const struct verb_row rows[] = {
        {"recover x", 64, "takes nothing, or --overdue and a time"},
        {"recover --overdue", 64, "takes nothing, or --overdue"},
        {"recover --late 1", 64, "takes nothing, or --overdue"},
        {"recover --overdue -1", 64, "takes nothing, or --overdue"},
        {"recover --overdue x", 64, "takes nothing, or --overdue"},
        {"recover --overdue 1x", 64, "takes nothing, or --overdue"},
        {"recover --overdue 99999999999999999999999", 64, "takes nothing, or --overdue"},
        {"recover --overdue 1 2", 64, "takes nothing, or --overdue"},
        {"--root /nowhere recover", 1, "recover: root /nowhere: can't be opened"},
        {"recover", 0, "nothing to put back"},
        {"-o json recover", 0, "{\"actions\":[]}"},
        {"recover --overdue 1", 0, "ready"},
    };
    RUN((struct fixture *)*state, rows);
}

static void take_out(struct fixture *f, const char *text)
{
    struct digest d = digest_of(text, strlen(text));
    char name[STASH_NAME];
    OWNED(free) char *path = NULL;
    assert_int_equal(stash_name("/etc/kubernetes/manifests/a.yaml", &d, 0, name, NULL), 0);
    assert_int_equal(folder_make(f->root, "/etc/kubernetes/.planeguard", 0700, &f->e), 0);
    assert_int_equal(folder_make(f->root, "/etc/kubernetes/manifests", 0755, &f->e), 0);
    path = mem_printf("/etc/kubernetes/.planeguard/%s", name);
    put(f, path, text);
}

static void test_recover(void **state)
{
    struct fixture *f = *state;
    take_out(f, "one");
    static const struct verb_row moved[] = {{"recover", 0, " to /etc/kubernetes/manifests/a.yaml"}};
    RUN(f, moved);
    types_must_be(f, "genesis recover ");
    take_out(f, "two");
    static const struct verb_row conflict[] = {
        {"recover", 0, "somebody else's file was in a manifest's place: it stays"}};
    RUN(f, conflict);
    take_out(f, "three");
    static const struct verb_row json[] = {{"-o json recover", 0, "\"what\":\"set-aside\""}};
    RUN(f, json);
    /* The node's description can't be read: the standard places. */
    assert_int_equal(folder_make(f->root, "/etc/planeguard", 0755, &f->e), 0);
    put(f, "/etc/planeguard/node.yaml", "kind: [");
    take_out(f, "four");
    static const struct verb_row standard[] = {{"recover", 0, "going on with the standard places"}};
    RUN(f, standard);
    types_must_be(f, "genesis recover recover recover recover ");
}

/* What keeps it from its lock or from the record must not keep a manifest out. */
static void test_recover_without_lock_or_journal(void **state)
{
    struct fixture *f = *state;
    take_out(f, "one");
    file_put(f, FIRST_SEGMENT, "no journal\n", 11);
    file_put(f, "00000000000000000009.jsonl", "no journal\n", 11);
    static const struct verb_row unrecorded[] = {{"recover", 0, "could not be recorded"}};
    RUN(f, unrecorded);
    assert_int_equal(file_remove(f->root, "/etc/kubernetes/manifests/a.yaml", &f->e), 0);
    take_out(f, "one");
    assert_int_equal(folder_remove(f->root, "/run/planeguard", &f->e), 0);
    put(f, "/run/planeguard", "");
    static const struct verb_row unlocked[] = {
        {"recover", 0, " to /etc/kubernetes/manifests/a.yaml"}};
    RUN(f, unlocked);
}

static void test_recover_beside_the_agent(void **state)
{
    struct fixture *f = *state;
    OWNED(fd_close) int lock = -1;
    assert_int_equal(folder_make(f->root, "/run/planeguard", 0755, &f->e), 0);
    assert_int_equal(file_lock(f->root, LOCK_PATH, &lock, &f->e), 0);
    take_out(f, "one");
    static const struct verb_row rows[] = {
        {"recover", 0, "the agent runs and puts back itself"},
        {"-o json recover", 0, "{\"actions\":[],\"running\":true}"}};
    RUN(f, rows);
    /* Overdue: it goes ahead all the same. */
    static const struct verb_row overdue[] = {{"recover --overdue 1", 0, "ready"}};
    OWNED(fd_close) int waiting = -1;
    assert_int_equal(file_lock(f->root, DEADMAN_PATH, &waiting, &f->e), 0);
    static const struct verb_row second[] = {{"recover --overdue 1", 1, ""}};
    RUN(f, second); /* one dead-man at a time: it never says that it is ready */
    fd_close_owned(&waiting);
    RUN(f, overdue);
    struct file_status st;
    assert_int_equal(file_status(f->root, "/etc/kubernetes/manifests/a.yaml", 0, &st, &f->e), 0);
    assert_true(st.exists);
}

static void test_recover_that_fails(void **state)
{
    struct fixture *f = *state;
    take_out(f, "one");
    assert_int_equal(folder_remove(f->root, "/etc/kubernetes/manifests", &f->e), 0);
    static const struct verb_row rows[] = {{"recover", 1, "recover: "}};
    RUN(f, rows);
    assert_int_equal(folder_remove(f->root, "/etc/kubernetes/.planeguard", &f->e), 0);
    put(f, "/etc/kubernetes/.planeguard", "");
    RUN(f, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_options, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lint, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_agent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_journal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_journal_of_another_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recover_arguments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recover, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recover_without_lock_or_journal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recover_beside_the_agent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recover_that_fails, setup, teardown),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
