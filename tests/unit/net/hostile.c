#include "hostile.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum { CONNECTIONS_MAX = 64, REQUEST_MAX = 8192 };

struct wire {
    struct hostile *server;
    pthread_t thread;
    int fd;
    SSL *ssl;
};

struct hostile {
    int listener, port;
    int ending[2]; /* readable once it ends: nothing waits longer */
    void (*serve)(struct wire *w);
    pthread_t acceptor;
    pthread_mutex_t mutex;
    SSL_CTX *tls;
    struct wire wires[CONNECTIONS_MAX];
    unsigned connections; /* only the acceptor adds */
    unsigned requests;
    char request[REQUEST_MAX];
};

/* ---- waiting ---- */

/* 1: ready; 0: the time is over; -1: the server ends. */
static int wait_for(struct wire *w, short events, int msec)
{
    struct pollfd p[2] = {{.fd = w->server->ending[0], .events = POLLIN},
                          {.fd = w->fd, .events = events}};
    int n = poll(p, events ? 2 : 1, msec);
    if (p[0].revents)
        return -1;
    return n > 0;
}

bool wire_sleep(struct wire *w, unsigned msec)
{
    return wait_for(w, 0, (int)msec) == 0;
}

/* What SSL wants next, waited for; false when there is no going on. */
static bool tls_retry(struct wire *w, int result)
{
    int what = SSL_get_error(w->ssl, result);
    if (what == SSL_ERROR_WANT_READ)
        return wait_for(w, POLLIN, -1) > 0;
    return what == SSL_ERROR_WANT_WRITE && wait_for(w, POLLOUT, -1) > 0;
}

/* ---- bytes ---- */

static ssize_t read_some(struct wire *w, void *bytes, size_t room)
{
    for (;;) {
        int n;
        if (w->ssl) {
            n = SSL_read(w->ssl, bytes, (int)room);
            if (n > 0 || !tls_retry(w, n))
                return n;
        } else {
            n = (int)recv(w->fd, bytes, room, 0);
            if (n >= 0 || errno != EAGAIN || wait_for(w, POLLIN, -1) < 0)
                return n;
        }
    }
}

static ssize_t write_some(struct wire *w, const void *bytes, size_t length)
{
    for (;;) {
        int n;
        if (w->ssl) {
            n = SSL_write(w->ssl, bytes, (int)length);
            if (n > 0 || !tls_retry(w, n))
                return n;
        } else {
            n = (int)send(w->fd, bytes, length, MSG_NOSIGNAL);
            if (n >= 0 || errno != EAGAIN || wait_for(w, POLLOUT, -1) < 0)
                return n;
        }
    }
}

bool wire_read(struct wire *w)
{
    char request[REQUEST_MAX] = "";
    for (size_t length = 0; !strstr(request, "\r\n\r\n");) {
        ssize_t n = read_some(w, request + length, sizeof request - 1 - length);
        if (n <= 0)
            return false;
        length += (size_t)n;
        request[length] = '\0';
    }
    pthread_mutex_lock(&w->server->mutex);
    memcpy(w->server->request, request, sizeof request);
    w->server->requests++;
    pthread_mutex_unlock(&w->server->mutex);
    return true;
}

bool wire_write(struct wire *w, const void *bytes, size_t length)
{
    while (length) {
        ssize_t n = write_some(w, bytes, length);
        if (n <= 0)
            return false;
        bytes = (const char *)bytes + n;
        length -= (size_t)n;
    }
    return true;
}

bool wire_text(struct wire *w, const char *text)
{
    return wire_write(w, text, strlen(text));
}

void wire_reset(struct wire *w)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    int r = setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    assert(r == 0);
    SSL_free(w->ssl);
    w->ssl = NULL;
    (void)close(w->fd);
    w->fd = -1;
}

/* ---- connections ---- */

static bool handshake(struct wire *w)
{
    for (;;) {
        int n = SSL_accept(w->ssl);
        if (n == 1)
            return true;
        if (!tls_retry(w, n))
            return false;
    }
}

static void *wire_main(void *context)
{
    struct wire *w = context;
    if (!w->ssl || handshake(w))
        w->server->serve(w);
    SSL_free(w->ssl);
    if (w->fd >= 0)
        (void)close(w->fd);
    return NULL;
}

static void *accept_main(void *context)
{
    struct hostile *h = context;
    while (h->connections < CONNECTIONS_MAX) {
        struct pollfd p[2] = {{.fd = h->ending[0], .events = POLLIN},
                              {.fd = h->listener, .events = POLLIN}};
        if (poll(p, 2, -1) < 0 || p[0].revents)
            break;
        int fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            continue;
        pthread_mutex_lock(&h->mutex);
        struct wire *w = &h->wires[h->connections];
        *w = (struct wire){.server = h, .fd = fd};
        if (h->tls) {
            w->ssl = mem_must(SSL_new(h->tls));
            SSL_set_fd(w->ssl, fd);
        }
        int r = pthread_create(&w->thread, NULL, wire_main, w);
        assert(r == 0);
        h->connections++;
        pthread_mutex_unlock(&h->mutex);
    }
    return NULL;
}

/* ---- the server ---- */

static SSL_CTX *tls_of(const struct identity *identity, int version_max)
{
    SSL_CTX *c = mem_must(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_security_level(c, 0); /* also what nobody should speak any more */
    int ok = SSL_CTX_set_min_proto_version(c, TLS1_VERSION) &&
             SSL_CTX_set_max_proto_version(c, version_max) &&
             SSL_CTX_use_certificate(c, identity->certificate) &&
             SSL_CTX_use_PrivateKey(c, identity->key);
    assert(ok);
    return c;
}

struct hostile *hostile_start_tls_at_most(void (*serve)(struct wire *w),
                                          const struct identity *identity, int version)
{
    struct hostile *h = mem_new(struct hostile);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    (void)signal(SIGPIPE, SIG_IGN); /* SSL_write has no MSG_NOSIGNAL */
    h->serve = serve;
    h->tls = identity ? tls_of(identity, version) : NULL;
    h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = bind(h->listener, (struct sockaddr *)&at, sizeof at) ||
            listen(h->listener, CONNECTIONS_MAX) ||
            getsockname(h->listener, (struct sockaddr *)&at, &length) ||
            pipe2(h->ending, O_CLOEXEC) || pthread_mutex_init(&h->mutex, NULL) ||
            pthread_create(&h->acceptor, NULL, accept_main, h);
    assert(r == 0);
    h->port = ntohs(at.sin_port);
    return h;
}

struct hostile *hostile_start(void (*serve)(struct wire *w), const struct identity *identity)
{
    return hostile_start_tls_at_most(serve, identity, TLS1_3_VERSION);
}

void hostile_become(struct hostile *h, const struct identity *identity)
{
    pthread_mutex_lock(&h->mutex);
    SSL_CTX_free(h->tls);
    h->tls = tls_of(identity, TLS1_3_VERSION);
    pthread_mutex_unlock(&h->mutex);
}

void hostile_stop(struct hostile *h)
{
    if (!h)
        return;
    (void)close(h->ending[1]);
    pthread_join(h->acceptor, NULL);
    for (unsigned i = 0; i < h->connections; i++)
        pthread_join(h->wires[i].thread, NULL);
    (void)close(h->ending[0]);
    (void)close(h->listener);
    SSL_CTX_free(h->tls);
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

int hostile_port(const struct hostile *h)
{
    return h->port;
}

static unsigned counted(struct hostile *h, const unsigned *what)
{
    pthread_mutex_lock(&h->mutex);
    unsigned n = *what;
    pthread_mutex_unlock(&h->mutex);
    return n;
}

unsigned hostile_connections(struct hostile *h)
{
    return counted(h, &h->connections);
}

unsigned hostile_requests(struct hostile *h)
{
    return counted(h, &h->requests);
}

const char *hostile_request(struct hostile *h)
{
    return h->request;
}
