/* planeguard recover: puts back what a crash left out. The unit's stop hook and the boot unit run
 * it, and the dead-man (act/deadman.h) is it with --overdue.
 *
 * It needs no configuration that can be read, no network, no /var: putting back comes first,
 * the record of it after, and a record that can't be written is only said. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/deadman.h"
#include "act/recover.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/verbs.h"
#include "loop/detached.h"
#include "record/journal.h"

OWNER(struct node, node_free);

struct request {
    bool overdue;
    uint64_t deadline_usec;
};

static int request_of(const struct options *o, struct request *ret)
{
    char *end = NULL;
    if (o->argc == 0)
        return 0;
    if (o->argc != 2 || strcmp(o->argv[0], "--overdue") != 0 || o->argv[1][0] < '0' ||
        o->argv[1][0] > '9')
        return -EINVAL;
    errno = 0;
    *ret = (struct request){.overdue = true, .deadline_usec = strtoull(o->argv[1], &end, 10)};
    return errno == 0 && *end == '\0' ? 0 : -EINVAL;
}

/* Where a description that can't be read must not keep a manifest out: the standard places. */
static const struct node standard = {.name = "unknown",
                                     .manifests = "/etc/kubernetes/manifests",
                                     .stage = "/etc/kubernetes/.planeguard"};

static void record(const struct root *root, const struct node *node, const struct recovered *r,
                   bool overdue)
{
    OWNED(journal_close) struct journal *j = NULL;
    struct journal_opened opened;
    struct err e;
    json_t *fields = json_object();
    json_put(fields, "by", json_string_or_null(overdue ? "dead-man" : "recover"));
    json_put(fields, "actions", json_incref(r->actions));
    int code = journal_open(root, node->name, &j, &opened, &e);
    if (code < 0) {
        json_decref(fields);
    } else {
        journal_add(j, RECORD_RECOVER, fields);
        code = journal_sync(j, &e);
    }
    if (code < 0)
        log_warning("recover: what was put back could not be recorded: %s", e.text);
}

static void say(const struct options *o, const struct recovered *r)
{
    if (o->json) {
        OWNED(json_decref) json_t *all = json_object();
        json_put(all, "actions", json_incref(r->actions));
        OWNED(free) char *text = json_canonical(all);
        (void)puts(text);
        return;
    }
    if (json_array_size(r->actions) == 0)
        (void)puts("nothing to put back");
    size_t i;
    json_t *action;
    json_array_foreach (r->actions, i, action) {
        const char *to = json_get_string(action, "to", NULL);
        (void)printf("%s %s%s%s\n", json_get_string(action, "what", ""),
                     json_get_string(action, "path", ""), to ? " to " : "", to ? to : "");
    }
    if (r->conflicts > 0)
        (void)puts("somebody else's file was in a manifest's place: it stays, ours is set aside; "
                   "look at both");
}

/* -EBUSY: the agent lives and does that itself. */
static int recover_now(const struct root *root, const struct node *node, struct recovered *ret,
                       int *ret_lock, struct err *e)
{
    int code = file_lock(root, LOCK_PATH, ret_lock, e);
    if (code == -EBUSY)
        return code;
    /* Anything else that keeps us from the lock must not keep a manifest out. */
    return code == 0 ? recover_stage(root, node, ret, e) : recover_stashed(root, node, ret, e);
}

static int recover_overdue(const struct root *root, const struct node *node, uint64_t deadline_usec,
                           struct recovered *ret, int *ret_lock, struct err *e)
{
    static const int unheeded[] = {
        SIGPIPE,                 /* who started us waits for a word, and then leaves our output */
        SIGTERM, SIGINT, SIGHUP, /* a service manager's, to all of the agent's control group */
    };
    for (size_t i = 0; i < sizeof unheeded / sizeof *unheeded; i++)
        (void)signal(unheeded[i], SIG_IGN);
    OWNED(fd_close) int waiting = -1;
    if (file_lock(root, DEADMAN_PATH, &waiting, e) == -EBUSY)
        return -EBUSY; /* any other failure must not keep the manifest out */
    (void)fputs(DETACHED_READY, stdout);
    (void)fflush(stdout);
    return deadman_watch(root, node, deadline_usec, ret, ret_lock, e);
}

static int recover(const struct options *o, const struct request *q, const struct root *root,
                   const struct node *node)
{
    OWNED(recovered_fini) struct recovered r = {0};
    OWNED(fd_close) int lock = -1;
    struct err e = {0};
    (void)folder_make(root, "/run/planeguard", 0755, NULL);
    int code = q->overdue ? recover_overdue(root, node, q->deadline_usec, &r, &lock, &e)
                          : recover_now(root, node, &r, &lock, &e);
    if (code == -EBUSY && q->overdue)
        return EXIT_ERROR; /* the earlier one's turn */
    if (code == -EBUSY && !r.actions) {
        (void)puts(o->json ? "{\"actions\":[],\"running\":true}"
                           : "the agent runs and puts back itself what is out: nothing done");
        return EXIT_GOOD;
    }
    if (lock >= 0 && json_array_size(r.actions) > 0)
        record(root, node, &r, q->overdue);
    if (!q->overdue)
        say(o, &r);
    if (code < 0)
        log_error("recover: %s", e.text);
    return code < 0 ? EXIT_ERROR : EXIT_GOOD;
}

int cmd_recover(const struct options *o)
{
    struct request q = {0};
    struct err e;
    if (request_of(o, &q) < 0) {
        log_error(
            "recover: takes nothing, or --overdue and a time of the boot clock in microseconds");
        return EXIT_USAGE;
    }
    OWNED(root_free) struct root *root = NULL;
    if (root_open(o->root, &root, &e) < 0) {
        log_error("recover: %s", e.text);
        return EXIT_ERROR;
    }
    OWNED(node_free) struct node *node = NULL;
    if (node_load(root, &node, &e) < 0)
        log_warning("recover: %s; going on with the standard places", e.text);
    return recover(o, &q, root, node ? node : &standard);
}
