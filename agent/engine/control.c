/* The control socket: answers what people's verbs ask. Only root and the agent's own user may
 * connect (the folder is 0700, the socket 0600, and the peer is checked); one frame a question, one
 * frame an answer, bounded; who asks nothing for 10 s is cut off. Nothing here changes anything. */
#include "engine/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/socket.h"

enum { CLIENTS_MAX = 32 };
static const uint64_t idle_usec = 10 * USEC_PER_SEC;

struct client {
    struct client *next;
    struct control *control;
    uint64_t serial;
    int socket;
    struct io *io;
    struct timer *idle;
    int deferred; /* answers still awaited */
};

struct control {
    struct engine *engine;
    int socket;
    struct io *io;
    struct client *clients;
    size_t client_count;
    uint64_t next_serial;
};

static struct client *client_of(struct control *c, uint64_t serial)
{
    for (struct client *k = c->clients; k; k = k->next)
        if (k->serial == serial)
            return k;
    return NULL;
}

static void client_free(struct client *k)
{
    struct client **at = &k->control->clients;
    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    k->control->client_count--;
    io_free(k->io);
    timer_free(k->idle);
    fd_close_owned(&k->socket);
    free(k);
}

static void answer_client(struct client *k, json_t *answer)
{
    struct err e = {0};
    int r = frame_send(k->socket, answer, NULL, &e);
    if (r == -EMSGSIZE) {
        json_t *sorry = answer_error("the answer is too long for one frame");
        r = frame_send(k->socket, sorry, NULL, &e);
        json_decref(sorry);
    }
    json_decref(answer);
    if (r < 0)
        client_free(k);
}

uint64_t control_defer(struct client *k)
{
    k->deferred++;
    return k->serial;
}

void control_answer_later(struct control *c, uint64_t serial, json_t *answer)
{
    struct client *k = client_of(c, serial);
    if (!k) {
        json_decref(answer);
        return;
    }
    k->deferred--;
    answer_client(k, answer);
}

static void on_idle(void *context)
{
    struct client *k = context;
    if (k->deferred)
        timer_set(k->idle, clock_boot_usec() + idle_usec, USEC_PER_SEC);
    else
        client_free(k);
}

static void on_frame(void *context, uint32_t events)
{
    struct client *k = context;
    (void)events;
    OWNED(json_decref) json_t *question = NULL;
    struct err e = {0};
    int r = frame_receive(k->socket, &question, NULL, &e);
    if (r == -EAGAIN)
        return;
    if (r <= 0) {
        client_free(k);
        return;
    }
    timer_set(k->idle, clock_boot_usec() + idle_usec, USEC_PER_SEC);
    json_t *a = answer_question(k->control->engine, question, k);
    if (a)
        answer_client(k, a);
}

static void client_new(struct control *c, int socket)
{
    struct client *k = mem_new(struct client);
    struct err e = {0};
    k->control = c;
    k->socket = socket;
    k->serial = ++c->next_serial;
    k->next = c->clients;
    c->clients = k;
    c->client_count++;
    if (io_new(c->engine->loop, socket, EPOLLIN, on_frame, k, &k->io, &e) < 0 ||
        timer_new(c->engine->loop, on_idle, k, &k->idle, &e) < 0) {
        log_warning("control socket: %s", e.text);
        client_free(k);
        return;
    }
    timer_set(k->idle, clock_boot_usec() + idle_usec, USEC_PER_SEC);
}

static void on_connection(void *context, uint32_t events)
{
    struct control *c = context;
    (void)events;
    struct err e = {0};
    struct peer peer;
    int socket;
    while (socket_accept(c->socket, &socket, &e) >= 0) {
        if (c->client_count >= CLIENTS_MAX || socket_peer(socket, &peer, &e) < 0 ||
            (peer.uid != 0 && peer.uid != geteuid()))
            fd_close_owned(&socket);
        else
            client_new(c, socket);
    }
}

int control_start(struct engine *en, struct err *e)
{
    struct control *c = mem_new(struct control);
    en->control = c;
    c->engine = en;
    c->socket = -1;
    int r = socket_listen(en->root, CONTROL_PATH, 0600, &c->socket, e);
    return r < 0 ? r : io_new(en->loop, c->socket, EPOLLIN, on_connection, c, &c->io, e);
}

void control_free(struct control *c)
{
    if (!c)
        return;
    while (c->clients)
        client_free(c->clients);
    io_free(c->io);
    fd_close_owned(&c->socket);
    free(c);
}
