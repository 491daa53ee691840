/* `crictl inspect`: how one container ended. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "config/cri.h"
#include "config/cri_json.h"

enum { MESSAGE_BYTES_MAX = 4096 };

void container_detail_fini(struct container_detail *d)
{
    free(d->message);
    free(d->log_path);
    *d = (struct container_detail){0};
}

/* The fraction's nanoseconds at *text (".5": 500,000,000), moving it behind. */
static int64_t fraction_nsec(const char **text)
{
    int64_t nsec = 0, weight = 100000000;
    if (**text != '.')
        return 0;
    for (++*text; isdigit((unsigned char)**text); ++*text, weight /= 10)
        nsec += weight * (**text - '0');
    return nsec;
}

/* "+02:00" or "Z" at the text's end, in seconds to the east; false when it is neither. */
static bool offset_sec(const char *text, int64_t *ret)
{
    static const char form[] = "+dd:dd";
    *ret = 0;
    if (!strcmp(text, "Z"))
        return true;
    if (strlen(text) != sizeof form - 1 || (text[0] != '+' && text[0] != '-'))
        return false;
    for (size_t i = 1; form[i]; i++)
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
            return false;
    int64_t hours = (text[1] - '0') * 10 + text[2] - '0';
    int64_t minutes = (text[4] - '0') * 10 + text[5] - '0';
    *ret = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
    return true;
}

/* RFC 3339 with nanoseconds, as Go writes it: in UTC or with an offset. 0 for what is none, and for
 * Go's zero time (year 1), which is how "not yet" is written. */
static int64_t time_nsec(const char *text)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t east_sec;
    if (!rest || tm.tm_year < 70 || tm.tm_year > 200)
        return 0;
    int64_t nsec = fraction_nsec(&rest);
    if (!offset_sec(rest, &east_sec))
        return 0;
    return (timegm(&tm) - east_sec) * 1000000000 + nsec;
}

static int read_time(const json_t *status, const char *key, int64_t *ret, struct err *e)
{
    const json_t *value = json_object_get(status, key);
    if (json_is_string(value) && strchr(json_string_value(value), 'T')) {
        *ret = time_nsec(json_string_value(value));
        return 0;
    }
    return cri_number(status, key, ret, e);
}

/* A text of whatever characters, cut; NULL when absent or empty. */
static int read_text(const json_t *status, const char *key, size_t most, char **ret, struct err *e)
{
    const json_t *value = json_object_get(status, key);
    if (value && !json_is_null(value) && !json_is_string(value))
        return err_set(e, -EINVAL, "%s: found %s, expected a string", key, cri_found(value));
    const char *text = value ? json_string_value(value) : NULL;
    *ret = text && *text ? mem_strndup(text, most) : NULL;
    return 0;
}

static int read_log_path(const json_t *status, char **ret, struct err *e)
{
    OWNED(free) char *path = NULL;
    int code = read_text(status, "logPath", PATH_MAX, &path, e);
    if (code < 0 || !path)
        return code;
    if (strlen(path) != json_string_length(json_object_get(status, "logPath")) || path[0] != '/')
        return err_set(e, -EINVAL, "logPath: found no absolute path, expected one");
    *ret = TAKE(path);
    return 0;
}

static int read_reason(const json_t *status, struct container_detail *d, struct err *e)
{
    OWNED(free) char *reason = NULL;
    int code = read_text(status, "reason", sizeof d->reason - 1, &reason, e);
    if (code < 0 || !reason)
        return code;
    if (!cri_is_name(reason))
        return err_set(e, -EINVAL, "reason: found a text, expected one word");
    (void)snprintf(d->reason, sizeof d->reason, "%s", reason);
    return 0;
}

static int read_exit_code(const json_t *status, int64_t *ret, struct err *e)
{
    const json_t *value = json_object_get(status, "exitCode");
    int64_t code = json_is_integer(value) ? json_integer_value(value) : 0;
    if ((value && !json_is_null(value) && !json_is_integer(value)) || code < INT32_MIN ||
        code > INT32_MAX)
        return err_set(e, -EINVAL, "exitCode: found %s, expected a 32-bit integer",
                       cri_found(value));
    *ret = code;
    return 0;
}

static int read_status(const json_t *status, struct container_detail *d, struct err *e)
{
    int code = read_exit_code(status, &d->exit_code, e);
    if (code == 0)
        code = read_reason(status, d, e);
    if (code == 0)
        code = read_text(status, "message", MESSAGE_BYTES_MAX, &d->message, e);
    if (code == 0)
        code = read_log_path(status, &d->log_path, e);
    if (code == 0)
        code = read_time(status, "startedAt", &d->started_nsec, e);
    if (code == 0)
        code = read_time(status, "finishedAt", &d->finished_nsec, e);
    return code;
}

/* `info` is the runtime's own: a pid that isn't one is as good as none. */
static int64_t read_pid(const json_t *root)
{
    long long pid = json_get_int(json_object_get(root, "info"), "pid", 0);
    return pid > 0 && pid <= INT32_MAX ? pid : 0;
}

int container_detail_parse(const char *json, size_t length, struct container_detail *ret,
                           struct err *e)
{
    OWNED(json_decref) json_t *root = cri_json(json, length, e);
    if (!root)
        return -EINVAL;
    /* Newer ones answer with a list, for several ids. */
    const json_t *one =
        json_is_array(root) && json_array_size(root) == 1 ? json_array_get(root, 0) : root;
    const json_t *status = json_object_get(one, "status");
    if (!json_is_object(status))
        return err_set(e, -EINVAL, "status: found %s, expected an object", cri_found(status));
    OWNED(container_detail_fini) struct container_detail d = {.pid = read_pid(one)};
    int code = read_status(status, &d, e);
    if (code < 0)
        return err_wrap(e, code, "status");
    *ret = d;
    d = (struct container_detail){0};
    return 0;
}
