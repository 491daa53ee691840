#include "act/deadman.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/duration.h"
#include "loop/clock.h"
#include "loop/detached.h"

static const uint64_t ready_usec = 5 * USEC_PER_SEC;
/* Nobody else may be there to try again: an agent that lives does so only at its end. */
static const uint64_t pause_usec = 5 * USEC_PER_SEC;

int deadman_arm(const struct root *root, uint64_t deadline_usec, struct deadman **ret,
                struct err *e)
{
    char deadline[24];
    (void)snprintf(deadline, sizeof deadline, "%" PRIu64, deadline_usec);
    const char *const argv[] = {"planeguard", "--root", root->path, "recover",
                                "--overdue",  deadline, NULL};
    struct detached *d = NULL;
    int code = detached_start(argv, ready_usec, &d, e);
    if (code < 0)
        return err_wrap(e, code,
                        "the dead-man can't be armed (it can't while an earlier one waits)");
    *ret = (struct deadman *)d;
    return 0;
}

bool deadman_waits(const struct deadman *d)
{
    return detached_is_alive((const struct detached *)d);
}

void deadman_disarm(struct deadman *d)
{
    detached_end((struct detached *)d);
}

void deadman_leave(struct deadman *d)
{
    detached_leave((struct detached *)d);
}

static int put_back(const struct root *root, const struct node *node, uint64_t deadline_usec,
                    struct recovered *ret, int *ret_lock, struct err *e)
{
    if (file_lock_wait(root, LOCK_PATH, deadline_usec, ret_lock, e) == 0)
        return recover_stage(root, node, ret, e);
    /* Whatever keeps us from the lock must not keep the manifest out; nor may we be gone before it
     * goes out, or put it back while its hand is at work. */
    uint64_t now_usec = clock_boot_usec();
    if (now_usec < deadline_usec)
        clock_sleep(deadline_usec - now_usec);
    return recover_stashed(root, node, ret, e);
}

int deadman_watch(const struct root *root, const struct node *node, uint64_t deadline_usec,
                  struct recovered *ret, int *ret_lock, struct err *e)
{
    for (;;) {
        *ret_lock = -1;
        int code = put_back(root, node, deadline_usec, ret, ret_lock, e);
        if (code >= 0)
            return code;
        fd_close_owned(ret_lock); /* for an agent that starts */
        clock_sleep(pause_usec);
    }
}
