/* Probe kind `certificate`, over certificates made here, and config/certificate.h below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/certificate.h"
#include "observe/kinds.h"
#include "probe_case.h"

enum { DAY = 24 * 3600 };

/* --- making them */

struct made {
    EVP_PKEY *key;
    X509 *x;
};

static void made_free(struct made *m)
{
    EVP_PKEY_free(m->key);
    X509_free(m->x);
}

static void add_name(X509_NAME *name, const char *text)
{
    assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)text,
                                           -1, -1, 0));
}

/* Signed by `by`, or by itself. */
static struct made make(const char *name, long serial, long from_sec, long to_sec, bool ca,
                        const struct made *by)
{
    struct made m = {EVP_EC_gen("P-256"), X509_new()};
    assert_true(m.key && m.x);
    X509_set_version(m.x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(m.x), serial);
    X509_gmtime_adj(X509_getm_notBefore(m.x), from_sec);
    X509_gmtime_adj(X509_getm_notAfter(m.x), to_sec);
    X509_set_pubkey(m.x, m.key);
    add_name(X509_get_subject_name(m.x), name);
    X509_set_issuer_name(m.x, X509_get_subject_name(by ? by->x : m.x));
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints,
                                            ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    assert_true(X509_add_ext(m.x, x, -1));
    X509_EXTENSION_free(x);
    assert_true(X509_sign(m.x, by ? by->key : m.key, EVP_sha256()));
    return m;
}

static void add_pem(struct buf *to, X509 *x, EVP_PKEY *key, const char *phrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (x)
        assert_true(PEM_write_bio_X509(bio, x));
    if (key)
        assert_true(PEM_write_bio_PrivateKey(bio, key, phrase ? EVP_aes_256_cbc() : NULL,
                                             (const unsigned char *)phrase,
                                             phrase ? (int)strlen(phrase) : 0, NULL, NULL));
    char *bytes;
    long length = BIO_get_mem_data(bio, &bytes);
    buf_add(to, bytes, (size_t)length);
    BIO_free(bio);
}

static void put_pem(struct probe_case *c, const char *path, X509 *x, EVP_PKEY *key)
{
    OWNED(buf_fini) struct buf b = {0};
    add_pem(&b, x, key, NULL);
    probe_case_put(c, path, b.bytes, b.length);
}

static void start(struct probe_case *c, const char *yaml)
{
    struct err e = {""};
    int code = probe_case_start(c, &probe_certificate, yaml, &e);
    assert_string_equal(e.text, "");
    assert_int_equal(code, 0);
}

/* --- the probe */

static void test_arguments(void **state)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"{}", "expected one of path and kubeconfig"},
        {"{path: /a, kubeconfig: /b}", "found both"},
        {"{kubeconfig: /b, key: /c}", "key belongs to path"},
        {"{path: a}", "path"},
        {"{path: /a, actBefore: 31d}", "actBefore is longer"},
        {"{path: /a, x: 1}", "x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {""};
        assert_true(probe_case_start(*state, &probe_certificate, cases[i].yaml, &e) < 0);
        assert_non_null(strstr(e.text, cases[i].message));
    }
}

static void test_files(void **state)
{
    struct probe_case *c = *state;
    start(c, "{path: /pki/a.crt}");
    probe_case_expect(c, SIGNAL_FAIL, "missing");
    probe_case_put_text(c, "/pki/a.crt", "");
    probe_case_expect(c, SIGNAL_FAIL, "empty");
    static const char *const odd[] = {
        "x",
        "\n\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        probe_case_put_text(c, "/pki/a.crt", odd[i]);
        probe_case_expect(c, SIGNAL_FAIL, "unparsable");
    }
    OWNED(free) char *zeros = mem_alloc(CERTIFICATE_FILE_BYTES_MAX + 1);
    probe_case_put(c, "/pki/a.crt", zeros, CERTIFICATE_FILE_BYTES_MAX + 1);
    probe_case_expect(c, SIGNAL_FAIL, "unparsable");
    probe_case_remove(c, "/pki/a.crt");
    assert_int_equal(mkdir(probe_case_host(c, "/pki/a.crt"), 0755), 0);
    probe_case_expect(c, SIGNAL_FAIL, "unreadable");
    probe_case_remove(c, "/pki/a.crt");
    /* As the kubelet's: a link to the file of the day. */
    assert_int_equal(symlink("/pki/dated.pem", probe_case_host(c, "/pki/a.crt")), 0);
    probe_case_expect(c, SIGNAL_FAIL, "missing");
    __attribute__((cleanup(made_free))) struct made m = make("x", 1, 0, 99 * DAY, false, NULL);
    put_pem(c, "/pki/dated.pem", m.x, m.key);
    probe_case_expect(c, SIGNAL_PASS, "none");
}

static void test_dates(void **state)
{
    struct probe_case *c = *state;
    static const struct {
        long from, to;
        enum verdict verdict;
        const char *reason, *validity;
        int days;
    } cases[] = {
        {0, 365 * DAY + 60, SIGNAL_PASS, "none", "good", 365},
        {-60, 30 * DAY - 60, SIGNAL_PASS, "none", "warn", 29},
        {-60, 7 * DAY + 60, SIGNAL_PASS, "none", "warn", 7},
        {-60, 7 * DAY - 60, SIGNAL_FAIL, "expires-soon", "soon", 6},
        {-60, 60, SIGNAL_FAIL, "expires-soon", "soon", 0},
        {-DAY, -60, SIGNAL_FAIL, "expired", "expired", -1},
        {-90 * DAY, -10 * DAY - 60, SIGNAL_FAIL, "expired", "expired", -11},
        {60, 365 * DAY + 60, SIGNAL_FAIL, "not-yet-valid", "not-yet", 365},
    };
    start(c, "{path: /a.crt}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        __attribute__((cleanup(made_free))) struct made m =
            make("kube-apiserver", 0x0abcdef, cases[i].from, cases[i].to, false, NULL);
        put_pem(c, "/a.crt", m.x, NULL);
        probe_case_expect(c, cases[i].verdict, cases[i].reason);
        assert_string_equal(probe_case_fact(c, "validity"), cases[i].validity);
        assert_int_equal(json_get_int(c->facts, "daysLeft", 9999), cases[i].days);
        assert_string_equal(probe_case_fact(c, "serial"), "abcdef");
        assert_string_equal(probe_case_fact(c, "subject"), "CN=kube-apiserver");
        assert_string_equal(probe_case_fact(c, "issuer"), "CN=kube-apiserver");
        assert_int_equal(strlen(probe_case_fact(c, "notAfter")), 20);
        assert_string_equal(probe_case_fact(c, "keyMatches"), "");
    }
    start(c, "{path: /a.crt, warnBefore: 400d, actBefore: 366d}");
    __attribute__((cleanup(made_free))) struct made m = make("x", 1, 0, 365 * DAY, false, NULL);
    put_pem(c, "/a.crt", m.x, NULL);
    probe_case_expect(c, SIGNAL_FAIL, "expires-soon");
}

static void test_pair(void **state)
{
    struct probe_case *c = *state;
    __attribute__((cleanup(made_free))) struct made m = make("x", 1, 0, 99 * DAY, false, NULL);
    __attribute__((cleanup(made_free))) struct made other = make("y", 2, 0, 3 * DAY, false, NULL);
    start(c, "{path: /a.crt, key: /a.key}");
    put_pem(c, "/a.crt", m.x, NULL);
    probe_case_expect(c, SIGNAL_FAIL, "missing");
    assert_string_equal(probe_case_fact(c, "validity"), "good");
    put_pem(c, "/a.key", NULL, m.key);
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_string_equal(probe_case_fact(c, "keyMatches"), "yes");
    put_pem(c, "/a.key", NULL, other.key);
    probe_case_expect(c, SIGNAL_FAIL, "pair-mismatch");
    assert_string_equal(probe_case_fact(c, "keyMatches"), "no");
    /* What is wrong now goes before what will be. */
    put_pem(c, "/a.crt", other.x, NULL);
    put_pem(c, "/a.key", NULL, m.key);
    probe_case_expect(c, SIGNAL_FAIL, "pair-mismatch");
    probe_case_put_text(c, "/a.key", "no key");
    probe_case_expect(c, SIGNAL_FAIL, "unparsable");
    assert_string_equal(probe_case_fact(c, "keyMatches"), "unknown");
    /* Nobody is asked for a pass phrase. */
    OWNED(buf_fini) struct buf b = {0};
    add_pem(&b, NULL, other.key, "phrase");
    probe_case_put(c, "/a.key", b.bytes, b.length);
    probe_case_expect(c, SIGNAL_FAIL, "unparsable");
    /* Both in one file, the key last and first. */
    start(c, "{path: /both.pem, key: /both.pem}");
    put_pem(c, "/both.pem", m.x, m.key);
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_string_equal(probe_case_fact(c, "keyMatches"), "yes");
    buf_clear(&b);
    add_pem(&b, NULL, m.key, NULL);
    add_pem(&b, m.x, NULL, NULL);
    probe_case_put(c, "/both.pem", b.bytes, b.length);
    probe_case_expect(c, SIGNAL_PASS, "none");
    OWNED(free) char *facts = json_canonical(c->facts);
    assert_null(strstr(facts, "KEY"));
}

static void test_chain(void **state)
{
    struct probe_case *c = *state;
    __attribute__((cleanup(made_free))) struct made root =
        make("root", 1, 0, 999 * DAY, true, NULL);
    __attribute__((cleanup(made_free))) struct made evil =
        make("root", 1, 0, 999 * DAY, true, NULL);
    __attribute__((cleanup(made_free))) struct made middle =
        make("middle", 2, 0, 999 * DAY, true, &root);
    __attribute__((cleanup(made_free))) struct made leaf =
        make("leaf", 3, 0, 99 * DAY, false, &middle);
    start(c, "{path: /a.crt, ca: /ca.crt}");
    put_pem(c, "/a.crt", leaf.x, NULL);
    probe_case_expect(c, SIGNAL_UNKNOWN, "missing");
    assert_string_equal(probe_case_fact(c, "chainMatches"), "unknown");
    probe_case_put_text(c, "/ca.crt", "x");
    probe_case_expect(c, SIGNAL_UNKNOWN, "unparsable");
    put_pem(c, "/ca.crt", root.x, NULL);
    probe_case_expect(c, SIGNAL_FAIL, "chain-mismatch");
    assert_string_equal(probe_case_fact(c, "chainMatches"), "no");
    OWNED(buf_fini) struct buf b = {0};
    add_pem(&b, leaf.x, NULL, NULL);
    add_pem(&b, middle.x, NULL, NULL);
    probe_case_put(c, "/a.crt", b.bytes, b.length);
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_string_equal(probe_case_fact(c, "chainMatches"), "yes");
    put_pem(c, "/ca.crt", evil.x, NULL);
    probe_case_expect(c, SIGNAL_FAIL, "chain-mismatch");
    /* An intermediate is an anchor too, and of several one is enough. */
    buf_clear(&b);
    add_pem(&b, evil.x, NULL, NULL);
    add_pem(&b, middle.x, NULL, NULL);
    add_pem(&b, middle.x, NULL, NULL);
    probe_case_put(c, "/ca.crt", b.bytes, b.length);
    put_pem(c, "/a.crt", leaf.x, NULL);
    probe_case_expect(c, SIGNAL_PASS, "none");
    /* An expired one that no authority can be found for is known to be expired. */
    __attribute__((cleanup(made_free))) struct made old =
        make("old", 4, -9 * DAY, -DAY, false, &root);
    put_pem(c, "/a.crt", old.x, NULL);
    probe_case_expect(c, SIGNAL_FAIL, "expired");
    assert_string_equal(probe_case_fact(c, "chainMatches"), "no");
    probe_case_remove(c, "/ca.crt");
    probe_case_expect(c, SIGNAL_FAIL, "expired");
    __attribute__((cleanup(made_free))) struct made soon = make("s", 5, 0, DAY, false, &root);
    put_pem(c, "/a.crt", soon.x, NULL);
    probe_case_expect(c, SIGNAL_FAIL, "expires-soon");
}

static void put_kubeconfig(struct probe_case *c, const struct made *m, const struct made *key)
{
    OWNED(buf_fini) struct buf pem = {0};
    OWNED(buf_fini) struct buf text = {0};
    unsigned char encoded[8192];
    add_pem(&pem, m->x, NULL, NULL);
    EVP_EncodeBlock(encoded, (const unsigned char *)pem.bytes, (int)pem.length);
    buf_printf(&text,
               "apiVersion: v1\nkind: Config\ncurrent-context: admin@k\n"
               "contexts:\n- {name: other, context: {user: o}}\n"
               "- {name: admin@k, context: {cluster: k, user: admin}}\n"
               "users:\n- {name: o, user: {token: x}}\n- name: admin\n  user:\n"
               "    client-certificate-data: %s\n",
               encoded);
    buf_clear(&pem);
    add_pem(&pem, NULL, key->key, NULL);
    EVP_EncodeBlock(encoded, (const unsigned char *)pem.bytes, (int)pem.length);
    buf_printf(&text, "    client-key-data: %s\n", encoded);
    probe_case_put(c, "/etc/admin.conf", text.bytes, text.length);
}

static void test_kubeconfig(void **state)
{
    struct probe_case *c = *state;
    __attribute__((cleanup(made_free))) struct made m = make("admin", 7, 0, 99 * DAY, false, NULL);
    __attribute__((cleanup(made_free))) struct made other = make("y", 2, 0, 99 * DAY, false, NULL);
    start(c, "{kubeconfig: /etc/admin.conf}");
    probe_case_expect(c, SIGNAL_FAIL, "missing");
    put_kubeconfig(c, &m, &m);
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_string_equal(probe_case_fact(c, "subject"), "CN=admin");
    assert_string_equal(probe_case_fact(c, "keyMatches"), "yes");
    put_kubeconfig(c, &m, &other);
    probe_case_expect(c, SIGNAL_FAIL, "pair-mismatch");

    put_pem(c, "/etc/pki/c.pem", m.x, m.key);
    probe_case_put_text(c, "/etc/admin.conf",
                        "{users: [{name: u, user: {client-certificate: pki/c.pem, "
                        "client-key: /etc/pki/c.pem}}]}");
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_string_equal(probe_case_fact(c, "keyMatches"), "yes");
    probe_case_put_text(c, "/etc/admin.conf",
                        "{users: [{name: u, user: {client-certificate: ../../../../nope}}]}");
    probe_case_expect(c, SIGNAL_FAIL, "missing");
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "empty"},
        {"# x", "unparsable"},
        {"[]", "unparsable"},
        {"a: [", "unparsable"},
        {"users: []", "unparsable"},
        {"users: {}", "unparsable"},
        {"{users: [{name: a, user: {}}, {name: b, user: {}}]}", "unparsable"},
        {"{current-context: x, contexts: [{name: x, context: {user: z}}], users: [{name: a}]}",
         "unparsable"},
        {"{users: [{name: a}]}", "missing"},
        {"{users: [{name: a, user: {token: secret}}]}", "missing"},
        {"{users: [{name: a, user: {client-certificate-data: '*'}}]}", "unparsable"},
        {"{users: [{name: a, user: {client-certificate-data: '****'}}]}", "unparsable"},
        {"{users: [{name: a, user: {client-certificate-data: AAAA}}]}", "unparsable"},
        {"{users: [{name: a, user: {client-certificate-data: '===='}}]}", "unparsable"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        probe_case_put_text(c, "/etc/admin.conf", cases[i].text);
        probe_case_expect(c, SIGNAL_FAIL, cases[i].reason);
        assert_null(strstr(c->detail, "secret"));
    }
}

static void test_wakes(void **state)
{
    struct probe_case *c = *state;
    __attribute__((cleanup(made_free))) struct made m = make("x", 1, 0, 99 * DAY, false, NULL);
    put_pem(c, "/pki/a.crt", m.x, NULL);
    start(c, "{path: /pki/a.crt, key: /pki/a.key}");
    put_pem(c, "/pki/new", m.x, NULL);
    unsigned before = c->wakes;
    assert_int_equal(rename(probe_case_host(c, "/pki/new"), probe_case_host(c, "/pki/a.crt")), 0);
    probe_case_wait_wake(c, 5000000);
    assert_true(c->wakes > before);
}

/* --- the parser: cut at every byte, more than is taken */

static void test_cut(void **state)
{
    (void)state;
    __attribute__((cleanup(made_free))) struct made m = make("x", 1, 0, 99 * DAY, false, NULL);
    OWNED(buf_fini) struct buf b = {0};
    OWNED(certificates_free) struct certificates *whole = NULL;
    add_pem(&b, m.x, m.key, NULL);
    assert_int_equal(certificates_parse(b.bytes, b.length, &whole, NULL), 0);
    assert_int_equal(certificates_count(whole), 1);
    for (size_t length = 0; length <= b.length; length++) {
        OWNED(certificates_free) struct certificates *c = NULL;
        int code = certificates_parse(b.bytes, length, &c, NULL);
        assert_true(code < 0 || certificates_count(c) == 1);
        assert_true(certificate_key_matches(whole, b.bytes, length, NULL) != 0);
    }
    size_t one = (size_t)((char *)memmem(b.bytes, b.length, "-----BEGIN P", 12) - b.bytes);
    OWNED(buf_fini) struct buf many = {0};
    for (int i = 0; i <= CERTIFICATES_MAX; i++)
        buf_add(&many, b.bytes, one);
    OWNED(certificates_free) struct certificates *c = NULL;
    assert_true(certificates_parse(many.bytes, many.length, &c, NULL) < 0);
    assert_int_equal(certificates_parse(many.bytes, many.length - one, &c, NULL), 0);
    assert_int_equal(certificates_count(c), CERTIFICATES_MAX);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, probe_case_setup, probe_case_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_arguments), CASE(test_files),      CASE(test_dates), CASE(test_pair),
        CASE(test_chain),     CASE(test_kubeconfig), CASE(test_wakes), cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
