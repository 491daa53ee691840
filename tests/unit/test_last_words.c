/* observe/last_words.h over lines as real nodes have them, and observe/line.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/own.h"
#include "observe/last_words.h"
#include "observe/line.h"

static void add(struct buf *log, const char *text)
{
    buf_printf(log, "2026-11-21T04:31:41.123456789Z stderr F %s\n", text);
}

#define DIAL                                                                                       \
    "W1121 04:31:40.000001       1 logging.go:55] [core] [Channel #1 SubChannel #2]grpc: "         \
    "addrConn.createTransport failed to connect to {Addr: \"127.0.0.1:2379\", ServerName: "        \
    "\"127.0.0.1:2379\", BalancerAttributes: {}}. Err: connection error: "
#define FAILED "E1121 04:31:41.000001       1 run.go:72] \"command failed\" err="

static const struct {
    enum last_word word;
    const char *lines[4];
} cases[] = {
    {LAST_WORD_BAD_FLAG, {"Error: unknown flag: --no-such-flag"}},
    {LAST_WORD_BAD_FLAG, {FAILED "\"admission-control plugin \\\"X\\\" is unknown\""}},
    {LAST_WORD_BAD_FLAG,
     {"Error: invalid argument \"X=true\" for \"--feature-gates\" flag: unrecognized feature gate: "
      "X"}},
    {LAST_WORD_BAD_FLAG,
     {"flag provided but not defined: -nope", "Usage:", "", "  etcd [OPTIONS]"}},
    {LAST_WORD_BAD_VALUE,
     {"Error: invalid argument \"notaport\" for \"--secure-port\" flag: strconv.ParseInt: parsing "
      "\"notaport\": invalid syntax"}},
    {LAST_WORD_BAD_VALUE, {"invalid value \"x\" for flag -heartbeat-interval: parse error"}},
    {LAST_WORD_FILE_MISSING,
     {FAILED "\"open /etc/kubernetes/pki/nope.crt: no such file or directory\""}},
    {LAST_WORD_FILE_MISSING,
     {"{\"level\":\"fatal\",\"msg\":\"discovery failed\",\"error\":\"open "
      "/etc/kubernetes/pki/etcd/server.crt: no such file or directory\"}",
      "a", "b", "c"}},
    {LAST_WORD_PAIR_MISMATCH,
     {FAILED "\"failed to load SNI: tls: private key does not match public key\""}},
    {LAST_WORD_PAIR_MISMATCH, {FAILED "\"invalid serving cert keypair\""}},
    {LAST_WORD_ADDRESS_IN_USE,
     {FAILED "\"failed to create listener: failed to listen on 0.0.0.0:6443: listen tcp "
             "0.0.0.0:6443: bind: address already in use\""}},
    /* A wrong port of etcd. */
    {LAST_WORD_ETCD_UNREACHABLE,
     {"W1121 04:31:40.1 1 logging.go:55] grpc: addrConn.createTransport failed to connect to "
      "{Addr: "
      "\"127.0.0.1:2399\", ServerName: \"127.0.0.1:2399\"}. Err: connection error: desc = "
      "\"transport: Error while dialing: dial tcp 127.0.0.1:2399: connect: connection refused\"",
      FAILED "\"context deadline exceeded\""}},
    /* http in place of https. */
    {LAST_WORD_ETCD_UNREACHABLE,
     {DIAL "desc = \"error reading server preface: EOF\"", FAILED "\"context deadline exceeded\""}},
    /* The client's certificate has expired. */
    {LAST_WORD_ETCD_CERTIFICATE,
     {DIAL "desc = \"error reading server preface: remote error: tls: expired certificate\"",
      FAILED "\"context deadline exceeded\""}},
    /* etcd's own has. */
    {LAST_WORD_ETCD_CERTIFICATE,
     {DIAL
      "desc = \"transport: authentication handshake failed: tls: failed to verify certificate: "
      "x509: certificate has expired or is not yet valid: current time is after\"",
      DIAL "desc = \"transport: Error while dialing: connection refused\"",
      FAILED "\"context deadline exceeded\""}},
    {LAST_WORD_ETCD_UNREACHABLE, {FAILED "\"context deadline exceeded\""}},
    /* What comes last decides. */
    {LAST_WORD_BAD_VALUE,
     {DIAL "desc = \"connection refused\"", "Error: invalid argument \"x\" for \"--y\" flag: z"}},
    {LAST_WORD_ETCD_UNREACHABLE,
     {"Error: unknown flag: --x", DIAL "desc = \"connection refused\""}},
    {LAST_WORD_NONE, {FAILED "\"leaderelection lost\""}},
    {LAST_WORD_NONE, {""}},
    {LAST_WORD_NONE, {"dial unix /run/x.sock: connect: no such file or directory"}},
    {LAST_WORD_NONE, {"x509: certificate has expired or is not yet valid"}},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OWNED(buf_fini) struct buf log = {0};
        add(&log, "I1121 04:31:39.000001       1 options.go:245] external host was not specified");
        for (size_t k = 0; k < 4 && cases[i].lines[k]; k++)
            add(&log, cases[i].lines[k]);
        struct last_words w = last_words_of(log.bytes, log.length);
        if (w.word != cases[i].word)
            print_error("case %zu: %s, not %s\n", i, words_name(&last_word_words, (int)w.word),
                        words_name(&last_word_words, (int)cases[i].word));
        assert_int_equal(w.word, cases[i].word);
        /* Without the last newline, or with the first line cut, it is the same. */
        w = last_words_of(log.bytes, log.length - 1);
        assert_int_equal(w.word, cases[i].word);
        w = last_words_of(log.bytes + 10, log.length - 10);
        assert_int_equal(w.word, cases[i].word);
    }
}

static void test_line(void **state)
{
    (void)state;
    OWNED(buf_fini) struct buf log = {0};
    add(&log, "Error: unknown flag: --x");
    add(&log, "");
    struct last_words w = last_words_of(log.bytes, log.length);
    assert_int_equal(w.length, strlen("Error: unknown flag: --x"));
    assert_memory_equal(w.line, "Error: unknown flag: --x", w.length);
    buf_clear(&log);
    add(&log, "something else");
    add(&log, "");
    w = last_words_of(log.bytes, log.length);
    assert_int_equal(w.word, LAST_WORD_NONE);
    assert_memory_equal(w.line, "something else", w.length);
}

/* A warning of long ago is none of the last words, nor is a line beyond the bound. */
static void test_age(void **state)
{
    (void)state;
    static const char warning[] = "W1121 x.go:1] open /etc/optional: no such file or directory";
    OWNED(buf_fini) struct buf log = {0};
    add(&log, warning);
    for (int i = 0; i < 4; i++)
        add(&log, "x");
    assert_int_equal(last_words_of(log.bytes, log.length).word, LAST_WORD_FILE_MISSING);
    add(&log, "x");
    assert_int_equal(last_words_of(log.bytes, log.length).word, LAST_WORD_NONE);
    buf_clear(&log);
    add(&log, "Error: unknown flag: --x");
    for (int i = 0; i < LAST_WORDS_LINES - 1; i++)
        add(&log, "x");
    assert_int_equal(last_words_of(log.bytes, log.length).word, LAST_WORD_BAD_FLAG);
    add(&log, "x");
    assert_int_equal(last_words_of(log.bytes, log.length).word, LAST_WORD_NONE);
}

static void test_not_cri(void **state)
{
    (void)state;
    static const char *const logs[] = {
        "",
        "\n",
        "\n\n\n",
        "Error: unknown flag: --x\n",
        " stderr F Error: unknown flag: --x\n",
        "2026 stderr X Error: unknown flag: --x\n",
        "2026 stdfoo F Error: unknown flag: --x\n",
        "x stderr F Error: unknown flag: --x\n",
        "2026 stderr F",
        "2026 ",
        "2026",
        "{\"log\": \"Error: unknown flag: --x\"}\n",
    };
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        /* Exactly as long as it is, for the sanitizer. */
        size_t length = strlen(logs[i]);
        OWNED(free) char *log = mem_alloc(length + 1);
        memcpy(log, logs[i], length);
        log = mem_resize(log, length ? length : 1);
        assert_int_equal(last_words_of(log, length).word, LAST_WORD_NONE);
    }
    static const char nul[] = "2026 stderr F a\0Error: unknown flag: --x\n";
    assert_int_equal(last_words_of(nul, sizeof nul - 1).word, LAST_WORD_BAD_FLAG);
}

static void test_start_errors(void **state)
{
    (void)state;
    assert_true(last_words_bad_command("StartError", NULL));
    assert_true(last_words_bad_command("ContainerCannotRun", ""));
    assert_true(last_words_bad_command(
        "StartError", "failed to create containerd task: failed to create shim task: OCI runtime "
                      "create failed: runc create failed: unable to start container process: exec: "
                      "\"nope\": executable file not found in $PATH"));
    assert_false(last_words_bad_command("StartError", "cgroups: no such file or directory"));
    assert_false(last_words_bad_command("Error", "exec: \"x\""));
    assert_false(last_words_bad_command("", NULL));
    for (int w = 0; w < (int)last_word_words.count; w++) {
        assert_int_equal(words_find(&last_word_words, words_name(&last_word_words, w)), w);
        bool blamed = w >= LAST_WORD_BAD_FLAG && w <= LAST_WORD_BAD_COMMAND;
        assert_int_equal(last_word_blames_manifest((enum last_word)w), blamed);
    }
    assert_int_equal(last_word_words.count, LAST_WORD_ETCD_CERTIFICATE + 1);
}

static void test_clean(void **state)
{
    (void)state;
    char line[LINE_TEXT];
    assert_string_equal(line_clean("a\tb\x1b[31m\xc3\xa9\x7f \n", 13, line), "a b?[31m???");
    assert_string_equal(line_clean("", 0, line), "");
    char longest[500];
    memset(longest, 'x', sizeof longest);
    assert_int_equal(strlen(line_clean(longest, sizeof longest, line)), LINE_TEXT - 1);
    assert_string_equal(line_clean("--token=abc", 11, line), "(withheld)");
    assert_string_equal(line_clean("Authorization: Bearer abc", 25, line), "(withheld)");
    assert_string_equal(line_clean("-----BEGIN RSA PRIVATE KEY-----", 31, line), "(withheld)");
    assert_string_equal(line_clean("tls: private key does not match", 31, line),
                        "tls: private key does not match");

    OWNED(buf_fini) struct buf list = {0};
    size_t count = 0;
    line_add_word(&list, &count, "a.yaml");
    line_add_word(&list, &count, "b c\n.bak");
    assert_string_equal(list.bytes, "a.yaml b?c?.bak");
    for (int i = 0; i < 50; i++)
        line_add_word(&list, &count, "x");
    assert_string_equal(list.bytes + list.length - 8, " x x ...");
    assert_int_equal(list.length, strlen("a.yaml b?c?.bak") + 2 * 30 + 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),        cmocka_unit_test(test_line),
        cmocka_unit_test(test_age),          cmocka_unit_test(test_not_cri),
        cmocka_unit_test(test_start_errors), cmocka_unit_test(test_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
