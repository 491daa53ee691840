#include "config/cri_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/cri.h"

enum { NAME_MAX_BYTES = 253 };

json_t *cri_json(const char *json, size_t length, struct err *e)
{
    if (length > CRI_OUTPUT_BYTES_MAX) {
        err_set(e, -EFBIG, "%zu bytes of JSON, expected at most %d", length, CRI_OUTPUT_BYTES_MAX);
        return NULL;
    }
    return json_parse(json, length, e);
}

const char *cri_found(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",  [JSON_STRING] = "a string",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    return value ? names[json_typeof(value)] : "nothing";
}

bool cri_is_name(const char *text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
    size_t length = strlen(text);
    return length && length <= NAME_MAX_BYTES && text[0] != '-' && text[0] != '.' &&
           strspn(text, allowed) == length;
}

int cri_name(const json_t *obj, const char *key, bool needed, char **ret, struct err *e)
{
    const json_t *value = json_object_get(obj, key);
    if (!needed && (!value || json_is_null(value))) {
        *ret = mem_strdup("");
        return 0;
    }
    const char *text = json_string_value(value);
    if (!text)
        return err_set(e, -EINVAL, "%s: found %s, expected a name", key, cri_found(value));
    /* A NUL inside would make a shorter name of it. */
    if (strlen(text) != json_string_length(value) || (!(!needed && !*text) && !cri_is_name(text)))
        return err_set(e, -EINVAL,
                       "%s: found a string that is no name, expected A-Z, a-z, 0-9 and -._", key);
    *ret = mem_strdup(text);
    return 0;
}

static int number_of_text(const char *text, int64_t *ret)
{
    size_t length = strlen(text);
    if (!length || length > 19 || strspn(text, "0123456789") != length)
        return -EINVAL;
    errno = 0;
    long long n = strtoll(text, NULL, 10);
    if (errno)
        return -ERANGE;
    *ret = n;
    return 0;
}

int cri_number(const json_t *obj, const char *key, int64_t *ret, struct err *e)
{
    const json_t *value = json_object_get(obj, key);
    int64_t n = 0;
    int code = 0;
    if (json_is_integer(value))
        n = json_integer_value(value);
    else if (json_is_string(value))
        code = number_of_text(json_string_value(value), &n);
    else if (value && !json_is_null(value))
        code = -EINVAL;
    if (code < 0 || n < 0)
        return err_set(e, -EINVAL, "%s: found %s, expected an integer of 0 or more", key,
                       n < 0 ? "a negative number" : cri_found(value));
    *ret = n;
    return 0;
}
