/* Running crictl. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "config/cri.h"

const char **cri_argv(const struct strings *prefix, const char *const *arguments)
{
    size_t count = 0;
    while (arguments[count])
        count++;
    const char **argv = mem_array(const char *, prefix->count + count + 1);
    if (prefix->count)
        memcpy(argv, prefix->at, prefix->count * sizeof *argv);
    memcpy(argv + prefix->count, arguments, count * sizeof *argv);
    return argv;
}

/* The first line of what a tool said, fit for a message. */
static void first_line(const char *text, char *line, size_t room)
{
    size_t length = 0;
    for (; text[length] && text[length] != '\n' && length + 1 < room; length++)
        line[length] = text[length] < ' ' || text[length] > '~' ? '?' : text[length];
    line[length] = '\0';
}

int cri_answer(const char *what, const struct command_result *r, struct err *e)
{
    char said[200];
    first_line(buf_string(&r->err), said, sizeof said);
    if (!r->started)
        return err_set(e, -EIO, "%s did not start: %s", what, said);
    if (r->timed_out)
        return err_set(e, -EIO, "%s did not end in time", what);
    if (r->exit_code < 0)
        return err_set(e, -EIO, "%s was ended by signal %d", what, r->signal);
    if (r->exit_code > 0)
        return err_set(e, -EIO, "%s ended with %d: %s", what, r->exit_code, said);
    if (r->out.truncated)
        return err_set(e, -EIO, "%s said more than %zu bytes", what, r->out.length);
    return 0;
}

int cri_run(const struct strings *prefix, const char *const *arguments, uint64_t timeout_usec,
            struct command_result *ret, struct err *e)
{
    if (!prefix->count)
        return err_set(e, -ENOTSUP, "this node's description names no crictl");
    OWNED(free) const char **argv = cri_argv(prefix, arguments);
    struct command c = {
        .argv = argv, .timeout_usec = timeout_usec, .output_limit_bytes = CRI_OUTPUT_BYTES_MAX};
    return command_run(&c, ret, e);
}

int cri_containers(const struct strings *prefix, uint64_t timeout_usec, struct containers *ret,
                   struct err *e)
{
    OWNED(command_result_fini) struct command_result r = {0};
    const char *const arguments[] = {"ps", "-a", "-o", "json", NULL};
    int code = cri_run(prefix, arguments, timeout_usec, &r, e);
    if (code == 0)
        code = cri_answer("crictl ps", &r, e);
    if (code < 0)
        return code;
    code = containers_parse(buf_string(&r.out), r.out.length, ret, e);
    return code < 0 ? err_wrap(e, code, "crictl ps") : 0;
}

int cri_sandboxes(const struct strings *prefix, uint64_t timeout_usec, struct sandboxes *ret,
                  struct err *e)
{
    OWNED(command_result_fini) struct command_result r = {0};
    const char *const arguments[] = {"pods", "-o", "json", NULL};
    int code = cri_run(prefix, arguments, timeout_usec, &r, e);
    if (code == 0)
        code = cri_answer("crictl pods", &r, e);
    if (code < 0)
        return code;
    code = sandboxes_parse(buf_string(&r.out), r.out.length, ret, e);
    return code < 0 ? err_wrap(e, code, "crictl pods") : 0;
}
