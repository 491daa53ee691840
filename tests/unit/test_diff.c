/* act/diff.h and act/secret.h: what plans show, and what they never show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/diff.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/secret.h"

static char *diff(const char *a, const char *b)
{
    return diff_unified("/f", a, a ? strlen(a) : 0, b, strlen(b));
}

static void test_cases(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *wanted;
    } cases[] = {
        {"a\nb\n", "a\nb\n", ""},
        {"", "", ""},
        {NULL, "x\n", "--- /dev/null\n+++ b/f\n@@ -0,0 +1,1 @@\n+x\n"},
        {"a\nb\nc\n", "a\nB\nc\n", "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
        {"a\n", "", "--- a/f\n+++ b/f\n@@ -1,1 +0,0 @@\n-a\n"},
        {"a", "a\n", "--- a/f\n+++ b/f\n\\ only the newline at the end of the file differs\n"},
        {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\nx\n9\n",
         "--- a/f\n+++ b/f\n@@ -6,4 +6,5 @@\n 6\n 7\n 8\n+x\n 9\n"},
        {"x\n1\n2\n3\n4\n5\n6\n7\ny\n", "X\n1\n2\n3\n4\n5\n6\n7\nY\n",
         "--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n-x\n+X\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n "
         "7\n-y\n+Y\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OWNED(free) char *found = diff(cases[i].a, cases[i].b);
        assert_string_equal(found, cases[i].wanted);
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

/* Any two texts: patch(1) makes the one of the other. */
static void test_patch_applies(void **state)
{
    (void)state;
    char folder[] = "/tmp/planeguard-diff-XXXXXX", a[64], p[64], command[256];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(a, sizeof a, "%s/a", folder);
    (void)snprintf(p, sizeof p, "%s/p", folder);
    bool has_patch = system("command -v patch >/dev/null") == 0;
    srand(7);
    for (int round = 0; round < 100 && has_patch; round++) {
        char before[512] = "", after[512] = "";
        int lines = rand() % 40;
        for (int i = 0; i < lines; i++) {
            char line[8];
            (void)snprintf(line, sizeof line, "%d\n", rand() % 6);
            if (rand() % 4 != 0)
                strcat(before, line);
            if (rand() % 4 != 0)
                strcat(after, line);
        }
        OWNED(free) char *found = diff(before, after);
        write_file(a, before);
        write_file(p, found);
        (void)snprintf(command, sizeof command, "patch -s %s %s", a, p);
        if (*found != '\0')
            assert_int_equal(system(command), 0);
        char read[512] = "";
        FILE *f = fopen(a, "r");
        if (f) {
            read[fread(read, 1, sizeof read - 1, f)] = '\0';
            (void)fclose(f);
        }
        assert_string_equal(read, after);
    }
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    if (!has_patch)
        skip();
}

static void test_bounded(void **state)
{
    (void)state;
    OWNED(buf_fini) struct buf a = {0}, b = {0};
    for (int i = 0; i < 40000; i++) {
        buf_printf(&a, "a%d\n", i);
        buf_printf(&b, "b%d\n", i);
    }
    OWNED(free) char *found = diff_unified("/f", a.bytes, a.length, b.bytes, b.length);
    assert_true(strlen(found) < DIFF_BYTES_MAX + 100);
    assert_non_null(strstr(found, "(the rest is cut)"));
}

#define BODY "MIIEowIBAAKCAQEAtHISisSECRETsecretSECRETsecretSECRETsecretSECRET"

static void test_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain text\n", "plain text\n"},
        {"", ""},
        {"no newline", "no newline"},
        {"a\n-----BEGIN RSA PRIVATE KEY-----\n" BODY "\n-----END RSA PRIVATE KEY-----\nb\n",
         "a\n(withheld)\n(withheld)\n(withheld)\nb\n"},
        {"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
         "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"},
        /* cut at its begin; with a log's prefix; on one line */
        {BODY "\n" BODY "\n-----END PRIVATE KEY-----\n", "(withheld)\n(withheld)\n(withheld)\n"},
        {"t F -----BEGIN EC PRIVATE KEY-----\nt F abc\nt F -----END EC PRIVATE KEY-----\nx",
         "(withheld)\n(withheld)\n(withheld)\nx"},
        {"k: \"-----BEGIN PRIVATE KEY-----\\n" BODY "\\n-----END PRIVATE KEY-----\"\nx\n",
         "(withheld)\nx\n"},
        {"Authorization: Bearer abc.def-ghi\n", "Authorization: Bearer (withheld)\n"},
        {"-H \"authorization: bearer abc\" x\n", "-H \"authorization: bearer (withheld)\" x\n"},
        {"x eyJhbGciOiJSUzI1NiIsImtpZCI6In0.abc y\n", "x (withheld) y\n"},
        {"    client-key-data: " BODY "\n", "    client-key-data: (withheld)\n"},
        {"- name: DB_TOKEN\nx eyJhbGciOiJSUzI1NiIsImtpZCI6In0.abc value: y\n",
         "- name: DB_TOKEN\nx (withheld) value: (withheld)\n"},
        {"password=hunter2 user=x\n", "password=(withheld) user=x\n"},
        {"{\"password\":\"hunter2\",\"a\":1}", "{\"password\":\"(withheld)\",\"a\":1}"},
        {"{\\\"password\\\": \\\"hunter2\\\"}", "{\\\"password\\\": \\\"(withheld)\\\"}"},
        {"--token=abcdef.0123456789abcdef\n", "--token=(withheld)\n"},
        {"AWS_SECRET_ACCESS_KEY=abc\n", "AWS_SECRET_ACCESS_KEY=(withheld)\n"},
        {"- --service-account-signing-key-file=/etc/kubernetes/pki/sa.key\n",
         "- --service-account-signing-key-file=/etc/kubernetes/pki/sa.key\n"},
        {"--token-auth-file=/etc/tokens\n", "--token-auth-file=/etc/tokens\n"},
        {"tokens: 5 tokenizer: x\n", "tokens: 5 tokenizer: x\n"},
        {"https://admin:hunter2@host/p?q\n", "https://admin:(withheld)@host/p?q\n"},
        {"https://10.0.0.1:2379 a@b\n", "https://10.0.0.1:2379 a@b\n"},
        {"- name: DB_PASSWORD\n  value: hunter2\n- name: X\n  value: y\n",
         "- name: DB_PASSWORD\n  value: (withheld)\n- name: X\n  value: y\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OWNED(buf_fini) struct buf out = {0};
        secret_redact(cases[i].in, strlen(cases[i].in), &out);
        assert_string_equal(buf_string(&out), cases[i].out);
    }
    OWNED(free) char *shown = diff("a: 1\n", "a: 1\nclient-key-data: hunter2\n");
    assert_null(strstr(shown, "hunter2"));
    assert_non_null(strstr(shown, "+client-key-data: (withheld)"));
}

static void test_secrets_in_json(void **state)
{
    (void)state;
    const char *text = "{\"info\":{\"config\":{\"envs\":[{\"key\":\"A\",\"value\":\"hunter2\"}]}},"
                       "\"list\":[\"token=hunter2\",5,null,\"plain\"],"
                       "\"token\":\"hunter2\",\"keyFile\":\"/etc/x.key\"}";
    OWNED(json_decref) json_t *value = json_parse(text, strlen(text), NULL);
    secret_redact_json(value);
    OWNED(free) char *out = json_canonical(value);
    assert_null(strstr(out, "hunter2"));
    assert_string_equal(out, "{\"info\":{\"config\":{\"envs\":\"(withheld)\"}},\"keyFile\":"
                             "\"/etc/x.key\",\"list\":[\"token=(withheld)\",5,null,\"plain\"],"
                             "\"token\":\"(withheld)\"}");
}

/* Any bytes: as many lines as there were, and no crash. */
static void test_secrets_any_bytes(void **state)
{
    (void)state;
    static const char alphabet[] = "\n\n:= -\"\\'/@aeyJtokenBearer \0BEGIN PRIVATE KEY-----";
    srand(11);
    for (int round = 0; round < 3000; round++) {
        char in[200];
        size_t length = (size_t)rand() % sizeof in, lines = 0, found = 0;
        for (size_t i = 0; i < length; i++) {
            in[i] = alphabet[(size_t)rand() % sizeof alphabet];
            lines += in[i] == '\n';
        }
        OWNED(buf_fini) struct buf out = {0};
        secret_redact(in, length, &out);
        for (size_t i = 0; i < out.length; i++)
            found += out.bytes[i] == '\n';
        assert_int_equal(found, lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),           cmocka_unit_test(test_patch_applies),
        cmocka_unit_test(test_bounded),         cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_secrets_in_json), cmocka_unit_test(test_secrets_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
