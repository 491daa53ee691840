#include "net/http_outcome.h"

#include <errno.h>

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

static enum reason reason_of_errno(long os_errno, enum reason otherwise)
{
    switch (os_errno) {
    case ECONNREFUSED:
        return REASON_REFUSED;
    case ECONNRESET:
    case EPIPE:
        return REASON_RESET;
    case ETIMEDOUT:
        return REASON_TIMEOUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
        return REASON_UNREACHABLE;
    default:
        return otherwise;
    }
}

static bool was_cut(long os_errno)
{
    return os_errno == ECONNRESET || os_errno == EPIPE;
}

static enum reason reason_of_verification(long verify_result)
{
    switch (verify_result) {
    /* The chain is good, so it was the name: libcurl checks that itself, after the handshake, and
     * leaves the result as it was at its beginning, which is UNSPECIFIED. */
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED:
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return REASON_TLS_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return REASON_TLS_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return REASON_TLS_NOT_YET_VALID;
    default:
        return REASON_TLS_UNTRUSTED;
    }
}

enum reason http_outcome_reason(const struct http_outcome *o)
{
    if (o->headers_too_long || o->body_too_long || o->is_encoded)
        return REASON_PROTOCOL;
    switch ((CURLcode)o->code) {
    case CURLE_OK:
        return REASON_NONE;
    case CURLE_COULDNT_RESOLVE_HOST:
        return REASON_NAME_UNRESOLVED;
    case CURLE_COULDNT_CONNECT:
        if (o->is_out_of_sockets)
            return REASON_TOOL_FAILED;
        return reason_of_errno(o->os_errno, REASON_UNREACHABLE);
    case CURLE_OPERATION_TIMEDOUT:
        return REASON_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
        return reason_of_verification(o->verify_result);
    case CURLE_SSL_CACERT_BADFILE:
        return REASON_UNREADABLE;
    case CURLE_URL_MALFORMAT:
        return REASON_TOOL_FAILED; /* ours: no other URL is ever followed */
    case CURLE_SSL_CONNECT_ERROR:
        /* Never "refused", which would be of another address that was tried before. */
        return was_cut(o->os_errno) ? REASON_RESET : REASON_TLS_ERROR;
    case CURLE_SSL_CIPHER:
        return REASON_TLS_ERROR;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return REASON_RESET;
    case CURLE_RECV_ERROR: /* also said of chunks that are none */
        return was_cut(o->os_errno) || !o->has_status ? REASON_RESET : REASON_PROTOCOL;
    default:
        return REASON_PROTOCOL;
    }
}

const char *http_outcome_detail(const struct http_outcome *o, const char *error)
{
    if (o->headers_too_long)
        return "more than 16 KiB of headers";
    if (o->body_too_long)
        return "a body longer than the probe's bodyLimit";
    if (o->is_encoded)
        return "an encoded body, which was not asked for";
    if (o->code == CURLE_COULDNT_CONNECT && o->is_out_of_sockets)
        return "no socket could be opened: too many are open here, or there is no memory";
    return *error ? error : curl_easy_strerror((CURLcode)o->code);
}
