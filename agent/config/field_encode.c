/* A struct written back as JSON: what fields_decode reads again to the same struct. */
#include <assert.h>
#include <string.h>

#include "base/duration.h"
#include "config/field.h"
#include "config/scalar.h"

static json_t *encode_strings(const struct strings *s)
{
    json_t *array = json_array();
    for (size_t i = 0; i < s->count; i++)
        json_push(array, json_string_or_null(s->at[i]));
    return array;
}

static json_t *encode_words(const struct words *w, uint64_t set)
{
    json_t *array = json_array();
    for (size_t i = 0; i < w->count; i++)
        if (set & UINT64_C(1) << i)
            json_push(array, json_string(w->names[i]));
    return array;
}

static json_t *encode_list(const struct field *f, const struct list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_push(array, fields_encode(f->of, (const char *)list->at + i * f->of_size));
    return array;
}

static json_t *encode_size(uint64_t bytes)
{
    char text[SIZE_TEXT];
    return json_string(size_format(bytes, text));
}

static json_t *encode_duration(uint64_t usec)
{
    char text[DURATION_TEXT];
    return json_string(duration_format(usec, text));
}

static json_t *encode(const struct field *f, const void *at)
{
    switch (f->type) {
    case FIELD_BOOL:
        return json_boolean(*(const bool *)at);
    case FIELD_INT:
        return json_integer(*(const int64_t *)at);
    case FIELD_DURATION:
        return encode_duration(*(const uint64_t *)at);
    case FIELD_SIZE:
        return encode_size(*(const uint64_t *)at);
    case FIELD_STRING:
    case FIELD_NAME:
    case FIELD_PATH:
    case FIELD_URL:
        return json_string_or_null(*(const char *const *)at);
    case FIELD_WORD:
        return json_string(words_name(f->words, *(const int *)at));
    case FIELD_WORDS:
        return encode_words(f->words, *(const uint64_t *)at);
    case FIELD_STRINGS:
    case FIELD_PATHS:
    case FIELD_NAMES:
        return encode_strings(at);
    case FIELD_OBJECT:
        return fields_encode(f->of, at);
    case FIELD_LIST:
        return encode_list(f, at);
    case FIELD_CUSTOM:
        return f->encode ? f->encode(at) : json_null();
    }
    return json_null();
}

static bool is_zero(const struct field *f, const void *at);

static bool all_zero(const struct field *fields, const void *target)
{
    for (const struct field *f = fields; f->name; f++)
        if (!is_zero(f, (const char *)target + f->offset))
            return false;
    return true;
}

static bool is_zero(const struct field *f, const void *at)
{
    switch (f->type) {
    case FIELD_BOOL:
        return !*(const bool *)at;
    case FIELD_WORD:
        return *(const int *)at == 0;
    case FIELD_INT:
        return *(const int64_t *)at == 0;
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_WORDS:
        return *(const uint64_t *)at == 0;
    case FIELD_OBJECT:
        return all_zero(f->of, at);
    case FIELD_STRINGS:
    case FIELD_PATHS:
    case FIELD_NAMES:
        return !((const struct strings *)at)->count;
    case FIELD_LIST:
        return !((const struct list *)at)->count;
    case FIELD_CUSTOM:
        return false; /* its encode says null */
    default:
        return !*(const char *const *)at;
    }
}

json_t *fields_encode(const struct field *fields, const void *target)
{
    json_t *object = json_object();
    for (const struct field *f = fields; f->name; f++) {
        const void *at = (const char *)target + f->offset;
        /* Absent decodes to zero again, and zero might be out of bounds if it was written. */
        if (!f->required && !f->otherwise && is_zero(f, at))
            continue;
        json_t *value = encode(f, at);
        if (json_is_null(value))
            json_decref(value);
        else
            json_put(object, f->name, value);
    }
    return object;
}
