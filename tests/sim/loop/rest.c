/* What an agent needs of loop/ to be linked, and doesn't use in here: sockets (nobody asks over the
 * control socket), the observer's process, processes, workers. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "loop/loop.h"
#include "loop/proc.h"
#include "loop/program.h"
#include "loop/socket.h"
#include "loop/worker.h"
#include "observe/remote.h"
#include "sim.h"

struct io {
    char unused;
};

int io_new(struct loop *l, int fd, uint32_t events, void (*ready)(void *context, uint32_t events),
           void *context, struct io **ret, struct err *e)
{
    (void)l;
    (void)fd;
    (void)events;
    (void)ready;
    (void)context;
    (void)e;
    *ret = mem_new(struct io);
    return 0;
}

void io_set(struct io *i, uint32_t events)
{
    (void)i;
    (void)events;
}

void io_free(struct io *i)
{
    free(i);
}

int socket_listen(const struct root *r, const char *path, mode_t mode, int *ret_fd, struct err *e)
{
    (void)r;
    (void)path;
    (void)mode;
    (void)e;
    *ret_fd = -1;
    return 0;
}

int socket_accept(int listener, int *ret_fd, struct err *e)
{
    (void)listener;
    (void)ret_fd;
    return err_set(e, -EAGAIN, "nobody waits");
}

int socket_connect(const struct root *r, const char *path, int *ret_fd, struct err *e)
{
    (void)r;
    (void)path;
    (void)ret_fd;
    return err_set(e, -ECONNREFUSED, "nobody listens");
}

int socket_peer(int socket, struct peer *ret, struct err *e)
{
    (void)socket;
    (void)ret;
    (void)e;
    abort();
}

int socket_pair(int ret[2], struct err *e)
{
    (void)ret;
    (void)e;
    abort();
}

int frame_send(int socket, const json_t *message, const struct frame_fds *fds, struct err *e)
{
    (void)socket;
    (void)message;
    (void)fds;
    (void)e;
    abort();
}

int frame_receive(int socket, json_t **ret, struct frame_fds *fds, struct err *e)
{
    (void)socket;
    (void)ret;
    (void)fds;
    (void)e;
    abort();
}

void frame_fds_close(struct frame_fds *fds)
{
    (void)fds;
}

/* ---- the kernel's call that isn't caught (rules.mk) ---- */

int __real_stat(const char *path, struct stat *ret);
int __real_stat(const char *path, struct stat *ret)
{
    return stat(path, ret);
}

/* ---- processes ---- */

bool worker_wait(int socket, bool write, uint64_t until_usec)
{
    (void)socket;
    (void)write;
    (void)until_usec;
    abort();
}

void worker_crash(void)
{
    abort();
}

int process_find(const char *proc, const char *name, struct process *ret, struct err *e)
{
    (void)proc;
    (void)name;
    (void)ret;
    (void)e;
    abort();
}

int process_look(const char *proc, pid_t pid, struct process *ret, struct err *e)
{
    (void)proc;
    (void)pid;
    (void)ret;
    (void)e;
    abort();
}

bool process_is(const char *proc, const struct process *p)
{
    (void)proc;
    (void)p;
    abort();
}

int process_watch_new(struct loop *l, const char *proc, const struct process *p,
                      void (*gone)(void *context), void *context, struct process_watch **ret,
                      struct err *e)
{
    (void)l;
    (void)proc;
    (void)p;
    (void)gone;
    (void)context;
    (void)ret;
    (void)e;
    abort();
}

void process_watch_free(struct process_watch *w)
{
    (void)w;
}

/* ---- the observer ---- */

struct remote {
    char unused;
};

int remote_new(struct loop *l, const struct root *root, const char *const *argv, const char *user,
               struct remote **ret, struct err *e)
{
    static struct remote one;
    (void)l;
    (void)root;
    (void)argv;
    (void)user;
    (void)e;
    *ret = &one;
    return 0;
}

void remote_free(struct remote *r)
{
    (void)r;
}

struct remote_health remote_health(const struct remote *r)
{
    (void)r;
    abort(); /* world_look answers for the kind `observer` */
}

void remote_on_health(struct remote *r, void (*changed)(void *context), void *context)
{
    (void)r;
    (void)changed;
    (void)context;
}
