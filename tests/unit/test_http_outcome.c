/* What libcurl says, in our reasons. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include "net/http_outcome.h"

static void expect(const struct http_outcome *o, enum reason reason)
{
    assert_string_equal(words_name(&reason_words, (int)http_outcome_reason(o)),
                        words_name(&reason_words, (int)reason));
}

static void test_codes(void **state)
{
    (void)state;
    static const struct {
        CURLcode code;
        long os_errno;
        enum reason reason;
    } cases[] = {
        {CURLE_OK, 0, REASON_NONE},
        {CURLE_OK, ECONNREFUSED, REASON_NONE}, /* of an address that was tried before */
        {CURLE_COULDNT_CONNECT, ECONNREFUSED, REASON_REFUSED},
        {CURLE_COULDNT_CONNECT, ECONNRESET, REASON_RESET},
        {CURLE_COULDNT_CONNECT, ETIMEDOUT, REASON_TIMEOUT},
        {CURLE_COULDNT_CONNECT, EHOSTUNREACH, REASON_UNREACHABLE},
        {CURLE_COULDNT_CONNECT, ENETUNREACH, REASON_UNREACHABLE},
        {CURLE_COULDNT_CONNECT, EADDRNOTAVAIL, REASON_UNREACHABLE},
        {CURLE_COULDNT_CONNECT, 0, REASON_UNREACHABLE},
        {CURLE_COULDNT_RESOLVE_HOST, 0, REASON_NAME_UNRESOLVED},
        {CURLE_OPERATION_TIMEDOUT, 0, REASON_TIMEOUT},
        {CURLE_OPERATION_TIMEDOUT, ECONNREFUSED, REASON_TIMEOUT},
        {CURLE_SSL_CONNECT_ERROR, 0, REASON_TLS_ERROR},
        {CURLE_SSL_CONNECT_ERROR, ECONNRESET, REASON_RESET},
        {CURLE_SSL_CONNECT_ERROR, ECONNREFUSED, REASON_TLS_ERROR},
        {CURLE_SSL_CIPHER, 0, REASON_TLS_ERROR},
        {CURLE_SSL_CACERT_BADFILE, 0, REASON_UNREADABLE},
        {CURLE_GOT_NOTHING, 0, REASON_RESET},
        {CURLE_SEND_ERROR, EPIPE, REASON_RESET},
        {CURLE_RECV_ERROR, ECONNRESET, REASON_RESET},
        {CURLE_PARTIAL_FILE, 0, REASON_RESET},
        {CURLE_URL_MALFORMAT, 0, REASON_TOOL_FAILED},
        {CURLE_UNSUPPORTED_PROTOCOL, 0, REASON_PROTOCOL},
        {CURLE_WRITE_ERROR, 0, REASON_PROTOCOL},
        {CURLE_WEIRD_SERVER_REPLY, 0, REASON_PROTOCOL},
        {CURL_LAST, 0, REASON_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct http_outcome o = {.code = (int)cases[i].code, .os_errno = cases[i].os_errno};
        expect(&o, cases[i].reason);
        assert_true(*http_outcome_detail(&o, "")); /* there is always something to say */
        assert_string_equal(http_outcome_detail(&o, "libcurl's own"), "libcurl's own");
    }
}

static void test_verification(void **state)
{
    (void)state;
    static const struct {
        long verify_result;
        enum reason reason;
    } cases[] = {
        {X509_V_OK, REASON_TLS_NAME},
        {X509_V_ERR_HOSTNAME_MISMATCH, REASON_TLS_NAME},
        {X509_V_ERR_IP_ADDRESS_MISMATCH, REASON_TLS_NAME},
        {X509_V_ERR_CERT_HAS_EXPIRED, REASON_TLS_EXPIRED},
        {X509_V_ERR_CERT_NOT_YET_VALID, REASON_TLS_NOT_YET_VALID},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, REASON_TLS_UNTRUSTED},
        {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, REASON_TLS_UNTRUSTED},
        {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, REASON_TLS_UNTRUSTED},
        {X509_V_ERR_CERT_SIGNATURE_FAILURE, REASON_TLS_UNTRUSTED},
        {X509_V_ERR_CERT_CHAIN_TOO_LONG, REASON_TLS_UNTRUSTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct http_outcome o = {.code = CURLE_PEER_FAILED_VERIFICATION,
                                       .verify_result = cases[i].verify_result};
        expect(&o, cases[i].reason);
    }
}

/* What we refused ourselves is told as that, whatever libcurl calls it. */
static void test_ours(void **state)
{
    (void)state;
    static const struct {
        struct http_outcome outcome;
        enum reason reason;
        const char *says;
    } cases[] = {
        {{.code = CURLE_WRITE_ERROR, .headers_too_long = true}, REASON_PROTOCOL, "headers"},
        {{.code = CURLE_WRITE_ERROR, .body_too_long = true}, REASON_PROTOCOL, "bodyLimit"},
        {{.code = CURLE_WRITE_ERROR, .is_encoded = true}, REASON_PROTOCOL, "encoded"},
        {{.code = CURLE_OK, .body_too_long = true}, REASON_PROTOCOL, "bodyLimit"},
        {{.code = CURLE_COULDNT_CONNECT, .is_out_of_sockets = true}, REASON_TOOL_FAILED, "socket"},
        {{.code = CURLE_COULDNT_CONNECT, .os_errno = ECONNREFUSED, .is_out_of_sockets = true},
         REASON_TOOL_FAILED,
         "socket"},
        /* The second address had its socket. */
        {{.code = CURLE_OK, .is_out_of_sockets = true}, REASON_NONE, "libcurl's own"},
        {{.code = CURLE_RECV_ERROR, .has_status = true}, REASON_PROTOCOL, "libcurl's own"},
        {{.code = CURLE_RECV_ERROR, .has_status = true, .os_errno = ECONNRESET},
         REASON_RESET,
         "libcurl's own"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect(&cases[i].outcome, cases[i].reason);
        assert_non_null(
            strstr(http_outcome_detail(&cases[i].outcome, "libcurl's own"), cases[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_verification),
        cmocka_unit_test(test_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
