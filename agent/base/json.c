#include "base/json.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/utf8.h"

static void *allocate(size_t size)
{
    return mem_must(malloc(size));
}

void json_setup(void)
{
    json_set_alloc_funcs(allocate, free);
}

char *json_canonical(const json_t *value)
{
    return mem_must(
        json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII | JSON_ENCODE_ANY));
}

json_t *json_parse(const char *bytes, size_t length, struct err *e)
{
    json_error_t why;
    json_t *value = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &why);
    if (!value)
        err_set(e, -EINVAL, "not JSON: line %d, column %d: %s", why.line, why.column, why.text);
    return value;
}

json_t *json_text(const char *bytes, size_t length)
{
    OWNED(buf_fini) struct buf clean = {0};
    for (size_t i = 0; i < length;) {
        size_t n = utf8_length(bytes + i, length - i);
        if (n && bytes[i] != 0x7f && bytes[i] != '\0')
            buf_add(&clean, bytes + i, n);
        else
            buf_text(&clean, "\xef\xbf\xbd");
        i += n ? n : 1;
    }
    return mem_must(json_stringn(buf_string(&clean), clean.length));
}

json_t *json_string_or_null(const char *text)
{
    return text ? json_text(text, strlen(text)) : json_null();
}

void json_put(json_t *obj, const char *key, json_t *value)
{
    int r = json_object_set_new(obj, key, value);
    assert(r == 0);
}

void json_push(json_t *array, json_t *value)
{
    int r = json_array_append_new(array, value);
    assert(r == 0);
}

const char *json_get_string(const json_t *obj, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(obj, key));
    return text ? text : otherwise;
}

long long json_get_int(const json_t *obj, const char *key, long long otherwise)
{
    const json_t *value = json_object_get(obj, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool json_get_bool(const json_t *obj, const char *key, bool otherwise)
{
    const json_t *value = json_object_get(obj, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}
