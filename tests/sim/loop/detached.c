/* detached.h: the dead-man is a task of its own that nothing but a power cut or its owner ends. It
 * is the verb `recover`, as it is in a detached process. */
#include "loop/detached.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/verbs.h"
#include "sim.h"

enum { ARGUMENTS_MAX = 8 };

struct detached {
    struct task *task;
};

struct call {
    struct options options;
    char *argv[ARGUMENTS_MAX];
};

static int recover(void *context)
{
    const struct call *c = context;
    return cmd_recover(&c->options);
}

/* argv is {"planeguard", "--root", ROOT, "recover", ARGUMENT...}. */
static struct call *call_new(const char *const *argv)
{
    struct call *c = mem_new(struct call);
    c->options.root = mem_strdup(argv[2]);
    c->options.argv = c->argv;
    for (const char *const *a = argv + 4; *a; a++)
        c->argv[c->options.argc++] = mem_strdup(*a);
    return c;
}

int detached_start(const char *const *argv, uint64_t timeout_usec, struct detached **ret,
                   struct err *e)
{
    (void)timeout_usec;
    int errnum = kernel_point("clone", false, NULL);
    if (errnum)
        return err_errno(e, errnum, "can't start a detached process (fork)");
    struct detached *d = mem_new(struct detached);
    d->task =
        task_start(task_master(task_current()), TASK_DEADMAN, recover, call_new(argv), NULL, NULL);
    reach("dead-man", "armed");
    invariants_armed(task_master(task_current()), d->task);
    task_sleep_until(schedule_now() + USEC_PER_MSEC);
    *ret = d;
    return 0;
}

pid_t detached_pid(const struct detached *d)
{
    (void)d;
    return 1;
}

bool detached_is_alive(const struct detached *d)
{
    return task_is_alive(d->task);
}

void detached_end(struct detached *d)
{
    if (!d)
        return;
    task_kill(d->task);
    free(d);
}

void detached_leave(struct detached *d)
{
    free(d);
}
