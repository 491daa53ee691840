/* Reasons: one row each, so that no word can be without its sentence. */
#include <assert.h>

#include "config/document.h"

/* clang-format off */
#define REASONS(row) \
    row(REASON_NONE, "none", "There is nothing to explain."), \
    row(REASON_NOT_LOOKED_YET, "not-looked-yet", "No look has ended since the start."), \
    row(REASON_STALE, "stale", "The last reading is older than the probe says it may be."), \
    row(REASON_OBSERVER_DOWN, "observer-down", \
        "The observer, which looks at the network, is not answering."), \
    row(REASON_NOT_NAMED, "not-named", \
        "This node's description does not name what the probe needs."), \
    row(REASON_TOOL_FAILED, "tool-failed", "The tool or call that looks failed itself."), \
    row(REASON_REFUSED, "refused", "Nothing listens there: the connection was refused."), \
    row(REASON_RESET, "reset", "The connection was closed before an answer came."), \
    row(REASON_TIMEOUT, "timeout", "No answer came in time."), \
    row(REASON_UNREACHABLE, "unreachable", "There is no route to the host or the network."), \
    row(REASON_NAME_UNRESOLVED, "name-unresolved", "The host's name has no address."), \
    row(REASON_TLS_EXPIRED, "tls-expired", "The server's certificate has expired."), \
    row(REASON_TLS_NOT_YET_VALID, "tls-not-yet-valid", \
        "The server's certificate is not valid yet: look at the clock, too."), \
    row(REASON_TLS_UNTRUSTED, "tls-untrusted", \
        "The server's certificate was not signed by the authority that is expected."), \
    row(REASON_TLS_NAME, "tls-name", "The server's certificate is for another name."), \
    row(REASON_TLS_ERROR, "tls-error", "The TLS handshake failed otherwise."), \
    row(REASON_UNAUTHORIZED, "unauthorized", "The server wants to know who asks (401)."), \
    row(REASON_FORBIDDEN, "forbidden", "The server does not let us ask this (403)."), \
    row(REASON_THROTTLED, "throttled", "The server asks for fewer requests (429)."), \
    row(REASON_HTTP_ERROR, "http-error", "The server answered with another error status."), \
    row(REASON_CHECK_FAILED, "check-failed", \
        "The server answered, and named at least one check of its own that failed."), \
    row(REASON_PROTOCOL, "protocol", "What answered is not the thing that was asked."), \
    row(REASON_MISSING, "missing", "The file or folder is not there."), \
    row(REASON_EMPTY, "empty", "The file is there, but has nothing in it."), \
    row(REASON_UNPARSABLE, "unparsable", "The file is not of the format that it has to be."), \
    row(REASON_NOT_THAT_POD, "not-that-pod", "The manifest describes another pod."), \
    row(REASON_STRAY, "stray", "A file lies in the folder that does not belong there."), \
    row(REASON_REFERENCE_MISSING, "reference-missing", \
        "A file or folder that the manifest refers to is not there."), \
    row(REASON_UNREADABLE, "unreadable", "The file is there, but can not be read."), \
    row(REASON_EXPIRED, "expired", "The certificate has expired."), \
    row(REASON_EXPIRES_SOON, "expires-soon", "The certificate will expire soon."), \
    row(REASON_NOT_YET_VALID, "not-yet-valid", \
        "The certificate is not valid yet: look at the clock, too."), \
    row(REASON_PAIR_MISMATCH, "pair-mismatch", \
        "The private key does not belong to the certificate."), \
    row(REASON_CHAIN_MISMATCH, "chain-mismatch", \
        "The certificate was not signed by the authority beside it."), \
    row(REASON_ABSENT, "absent", "There is no such container."), \
    row(REASON_EXITED, "exited", "The container has ended."), \
    row(REASON_CRASH_LOOP, "crash-loop", "The container ends again and again."), \
    row(REASON_BAD_MANIFEST, "bad-manifest", \
        "The container ends again and again, and its last words blame the manifest."), \
    row(REASON_NOT_RUNNING, "not-running", "There is no such process."), \
    row(REASON_INACTIVE, "inactive", "The unit is not running."), \
    row(REASON_FAILED, "failed", "The unit has failed."), \
    row(REASON_STARTING, "starting", "It is being started."), \
    row(REASON_NOT_FOUND, "not-found", "There is no such unit.")
/* clang-format on */

#define NAME_ROW(value, name, sentence) [value] = (name)
#define SENTENCE_ROW(value, name, sentence) [value] = (sentence)

static const char *const names[REASON_COUNT_] = {REASONS(NAME_ROW)};
static const char *const sentences[REASON_COUNT_] = {REASONS(SENTENCE_ROW)};

const struct words reason_words = {.what = "reason", .names = names, .count = REASON_COUNT_};

const char *reason_sentence(enum reason r)
{
    assert((unsigned)r < REASON_COUNT_);
    return sentences[r];
}
