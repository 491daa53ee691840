/* planeguard-observer: the process that looks over the network for the agent, and does nothing
 * else.
 *
 * Started by the agent with one socket, descriptor 3; becomes an unprivileged user before the first
 * byte of anybody's comes in; holds no credential; ends with the agent. Whatever happens in here
 * can make signals wrong, and guards bound what that can do; it can't run a step. (Not yet confined
 * by seccomp and Landlock: that comes with the packaged units.) */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "loop/loop.h"
#include "loop/privilege.h"
#include "loop/program.h"
#include "net/http.h"
#include "observe/served.h"

enum { EXIT_USAGE = 64, EXIT_CANT = 1 };

static void on_agent_gone(void *context)
{
    loop_stop(context, 0);
}

static int cant(const struct err *e)
{
    log_error("observer: %s", e->text);
    return EXIT_CANT;
}

static int observe_for_agent(const char *user)
{
    struct err e = {0};
    if (privilege_drop(user, &e) < 0)
        return cant(&e);
    OWNED(loop_free) struct loop *loop = NULL;
    OWNED(http_free) struct http *http = NULL;
    OWNED(served_free) struct served *served = NULL;
    if (loop_new(&loop, &e) < 0 || http_new(loop, &http, &e) < 0)
        return cant(&e);
    const struct net net = http_net(http);
    const struct view view = {.loop = loop, .net = &net};
    if (served_new(&view, PROGRAM_SOCKET, on_agent_gone, loop, &served, &e) < 0)
        return cant(&e);
    int code = loop_run(loop, &e);
    return code < 0 ? cant(&e) : code;
}

int main(int argc, char **argv)
{
    mem_setup();
    json_setup();
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        (void)printf("planeguard-observer %s\n", planeguard_version);
        return 0;
    }
    if (argc != 1 && !(argc == 3 && !strcmp(argv[1], "--user"))) {
        (void)fprintf(stderr,
                      "usage: planeguard-observer [--user NAME], started by planeguard run\n");
        return EXIT_USAGE;
    }
    return observe_for_agent(argc == 3 ? argv[2] : NULL);
}
