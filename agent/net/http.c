#include "net/http.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "net/http_outcome.h"

enum { HEADER_BYTES_MAX = 16 * 1024, CONNECTIONS_MAX = 64 };

struct http {
    struct loop *loop;
    CURLM *multi;
    struct timer *timer;
    struct transfer *transfers;
    unsigned long connections;
};

/* One request under way. */
struct transfer {
    struct transfer *next;
    struct http *http;
    CURL *easy;
    struct curl_slist *connect_to;
    char *url;
    uint64_t began_usec;
    size_t header_bytes;
    struct http_outcome outcome;
    struct http_response response;
    char error[CURL_ERROR_SIZE];
    void (*done)(void *context, const struct http_response *response);
    void *done_context;
};

/* A socket that curl watches. */
struct watched {
    struct http *http;
    struct io *io;
    curl_socket_t socket;
};

static void transfer_free(struct transfer *t)
{
    for (struct transfer **at = &t->http->transfers; *at; at = &(*at)->next) {
        if (*at == t) {
            *at = t->next;
            break;
        }
    }
    if (t->easy) {
        (void)curl_multi_remove_handle(t->http->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    curl_slist_free_all(t->connect_to);
    buf_fini(&t->response.body);
    free(t->url);
    free(t);
}

/* ---- what comes ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    buf_add(&t->response.body, bytes, size * count);
    return t->response.body.truncated ? CURL_WRITEFUNC_ERROR : size * count;
}

/* The value of header `name` (with its colon), its white space skipped; NULL: another header. */
static const char *value_of(const char *name, const char *line, size_t length, size_t *ret_length)
{
    size_t at = strlen(name);
    if (length < at || strncasecmp(line, name, at) != 0)
        return NULL;
    while (at < length && isspace((unsigned char)line[at]))
        at++;
    while (length > at && isspace((unsigned char)line[length - 1]))
        length--;
    *ret_length = length - at;
    return line + at;
}

/* libcurl undoes a Transfer-Encoding of gzip without being asked to: a bomb comes that way, too. */
static bool is_encoding(const char *line, size_t length)
{
    static const char chunked[] = "chunked";
    size_t n;
    if (value_of("Content-Encoding:", line, length, &n))
        return true;
    const char *how = value_of("Transfer-Encoding:", line, length, &n);
    return how && (n != sizeof chunked - 1 || strncasecmp(how, chunked, n) != 0);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    size_t length = size * count;
    t->header_bytes += length;
    if (t->header_bytes > HEADER_BYTES_MAX)
        t->outcome.headers_too_long = true;
    if (is_encoding(bytes, length))
        t->outcome.is_encoded = true;
    return t->outcome.headers_too_long || t->outcome.is_encoded ? CURL_WRITEFUNC_ERROR : length;
}

/* As libcurl would open it, but remembering when that failed for want of something of ours. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *at)
{
    struct transfer *t = context;
    (void)purpose;
    int s = socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
    if (s >= 0)
        return s;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        t->outcome.is_out_of_sockets = true;
    return CURL_SOCKET_BAD;
}

static void finish(struct transfer *t, CURLcode code)
{
    long status = 0, opened = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &opened);
    (void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &t->outcome.os_errno);
    (void)curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &t->outcome.verify_result);
    t->http->connections += (unsigned long)opened;
    t->outcome.code = (int)code;
    t->outcome.has_status = status != 0;
    t->outcome.body_too_long = t->response.body.truncated;
    t->response.status = (int)status;
    t->response.took_usec = clock_boot_usec() - t->began_usec;
    t->response.reason = http_outcome_reason(&t->outcome);
    if (t->response.reason != REASON_NONE)
        (void)snprintf(t->response.detail, sizeof t->response.detail, "%s",
                       http_outcome_detail(&t->outcome, t->error));
    void (*done)(void *, const struct http_response *) = t->done;
    done(t->done_context, &t->response);
    transfer_free(t);
}

static void collect(struct http *h)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));) {
        struct transfer *t = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        CURLcode code = m->data.result; /* the message is gone once the handle is removed */
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(t, code);
    }
}

/* ---- curl on the loop ---- */

static void on_ready(void *context, uint32_t events)
{
    struct watched *w = context;
    struct http *h = w->http;
    int running, what = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                        (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                        (events & EPOLLERR ? CURL_CSELECT_ERR : 0);
    (void)curl_multi_socket_action(h->multi, w->socket, what, &running); /* may free `w` */
    collect(h);
}

static void on_time(void *context)
{
    struct http *h = context;
    int running;
    (void)curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(h);
}

static int want_time(CURLM *multi, long timeout_msec, void *context)
{
    (void)multi;
    struct http *h = context;
    uint64_t in_usec = timeout_msec > 0 ? (uint64_t)timeout_msec * USEC_PER_MSEC : 0;
    timer_set(h->timer, timeout_msec < 0 ? USEC_NEVER : clock_boot_usec() + in_usec, 0);
    return 0;
}

static int want_socket(CURL *easy, curl_socket_t s, int what, void *context, void *socket_context)
{
    (void)easy;
    struct http *h = context;
    struct watched *w = socket_context;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (what == CURL_POLL_REMOVE) {
        if (w)
            io_free(w->io);
        free(w);
        return 0;
    }
    if (w) {
        io_set(w->io, events);
        return 0;
    }
    w = mem_new(struct watched);
    *w = (struct watched){.http = h, .socket = s};
    if (io_new(h->loop, s, events, on_ready, w, &w->io, NULL) < 0) {
        free(w);
        return -1;
    }
    (void)curl_multi_assign(h->multi, s, w);
    return 0;
}

/* libcurl's memory, by base/mem.h's rule: what it couldn't allocate would else look like a peer
 * that doesn't answer. */
static void *curl_alloc(size_t size)
{
    return mem_resize(NULL, size);
}

static void *curl_resize(void *old, size_t size)
{
    return mem_resize(old, size);
}

static void *curl_array(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return mem_alloc(bytes);
}

int http_new(struct loop *l, struct http **ret, struct err *e)
{
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_alloc, free, curl_resize, mem_strdup,
                             curl_array) != CURLE_OK)
        return err_set(e, -EIO, "libcurl can't be initialised");
    OWNED(http_free) struct http *h = mem_new(struct http);
    /* With CURLOPT_NOSIGNAL libcurl leaves this to us: a peer that is gone must not end us. */
    (void)signal(SIGPIPE, SIG_IGN);
    h->loop = l;
    h->multi = mem_must(curl_multi_init());
    int r = timer_new(l, on_time, h, &h->timer, e);
    if (r < 0)
        return r;
    (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, want_time);
    (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    (void)curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
    *ret = TAKE(h);
    return 0;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    while (h->transfers)
        transfer_free(h->transfers);
    if (h->multi)
        (void)curl_multi_cleanup(h->multi);
    timer_free(h->timer);
    free(h);
    curl_global_cleanup();
}

unsigned long http_connections(const struct http *h)
{
    return h->connections;
}

/* ---- one request ---- */

/* The server's certificate is checked for `server_name`, and so that is what the URL says; the
 * connection still goes where the URL went. */
static int name_server(struct transfer *t, const struct http_request *r)
{
    CURLU *url = mem_must(curl_url());
    char *host = NULL, *port = NULL, *named = NULL;
    bool ok = !curl_url_set(url, CURLUPART_URL, r->url, 0) &&
              !curl_url_get(url, CURLUPART_HOST, &host, 0) &&
              !curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
              !curl_url_set(url, CURLUPART_HOST, r->server_name, 0) &&
              !curl_url_get(url, CURLUPART_URL, &named, 0);
    if (ok) {
        OWNED(free) char *to = mem_printf("::%s:%s", host, port);
        t->connect_to = mem_must(curl_slist_append(NULL, to));
        t->url = mem_strdup(named);
    }
    curl_free(host);
    curl_free(port);
    curl_free(named);
    curl_url_cleanup(url);
    return ok ? 0 : -EINVAL;
}

/* An option that this libcurl doesn't take would leave a bound open: never go on without it. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        CURLcode set_ = curl_easy_setopt(t->easy, (option), (value));                              \
        assert(set_ == CURLE_OK);                                                                  \
    } while (0)

static void set_bounds(struct transfer *t, const struct http_request *r)
{
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    /* 0 would be none. */
    SET(CURLOPT_TIMEOUT_MS, (long)(r->timeout_usec / USEC_PER_MSEC) + 1);
    /* Else the end of a request waits for the resolver's thread: everything here would stand still
     * for as long as a name server is silent. */
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_ERRORBUFFER, t->error);
    SET(CURLOPT_PRIVATE, t);
}

/* libcurl counts whole seconds and lets the last one pass, and 0 is "for ever" to it. */
static void set_connection_age(struct transfer *t, uint64_t age_max_usec)
{
    uint64_t seconds = age_max_usec / USEC_PER_SEC;
    if (seconds >= 2) {
        SET(CURLOPT_MAXLIFETIME_CONN, (long)seconds - 1);
    } else {
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
    }
}

static void set_tls(struct transfer *t, const struct http_request *r)
{
    struct curl_blob ca = {
        .data = (void *)(r->ca_pem ? r->ca_pem : ""), .len = r->ca_length, .flags = CURL_BLOB_COPY};
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    SET(CURLOPT_CAINFO, NULL);
    SET(CURLOPT_CAPATH, NULL);
    if (r->ca_length)
        SET(CURLOPT_CAINFO_BLOB, &ca);
}

static void *http_start(void *context, const struct http_request *r,
                        void (*done)(void *done_context, const struct http_response *response),
                        void *done_context)
{
    struct http *h = context;
    struct transfer *t = mem_new(struct transfer);
    t->http = h;
    t->easy = mem_must(curl_easy_init());
    t->done = done;
    t->done_context = done_context;
    t->began_usec = clock_boot_usec();
    t->response.body.limit = r->body_limit_bytes;
    t->next = h->transfers;
    h->transfers = t;
    if (!r->server_name)
        t->url = mem_strdup(r->url);
    else if (name_server(t, r) < 0)
        t->url = mem_strdup("malformed:"); /* curl refuses it, in the loop's next turn */
    set_bounds(t, r);
    set_connection_age(t, r->connection_age_max_usec);
    set_tls(t, r);
    SET(CURLOPT_URL, t->url);
    if (t->connect_to)
        SET(CURLOPT_CONNECT_TO, t->connect_to);
    CURLMcode added = curl_multi_add_handle(h->multi, t->easy);
    assert(added == CURLM_OK);
    return t;
}

static void http_cancel(void *context, void *started)
{
    (void)context;
    transfer_free(started);
}

struct net http_net(struct http *h)
{
    return (struct net){.context = h, .http_start = http_start, .http_cancel = http_cancel};
}
