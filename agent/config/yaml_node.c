/* Reading the tree that yaml.c built. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "config/yaml.h"

static const struct yaml *get(const struct yaml *y, const char *key, size_t length)
{
    if (!y || y->kind != YAML_MAPPING_KIND)
        return NULL;
    yaml_each (child, y)
        if (!strncmp(child->key->text, key, length) && !child->key->text[length])
            return child;
    return NULL;
}

const struct yaml *yaml_get(const struct yaml *y, const char *key)
{
    return get(y, key, strlen(key));
}

const struct yaml *yaml_path(const struct yaml *y, const char *path)
{
    for (;;) {
        size_t length = strcspn(path, ".");
        y = get(y, path, length);
        if (!y || !path[length])
            return y;
        path += length + 1;
    }
}

const char *yaml_text(const struct yaml *y, const char *path, const char *otherwise)
{
    const struct yaml *value = yaml_path(y, path);
    return value && value->kind == YAML_SCALAR_KIND && !yaml_is_null(value) ? value->text
                                                                            : otherwise;
}

bool yaml_is_null(const struct yaml *y)
{
    return y->kind == YAML_SCALAR_KIND && !y->quoted &&
           (!*y->text || !strcmp(y->text, "~") || !strcmp(y->text, "null"));
}

static void quote(const char *from, char text[YAML_FOUND])
{
    enum { SHOWN = YAML_FOUND - sizeof "\"...\"" };
    char shown[SHOWN + 1];
    bool cut = strnlen(from, SHOWN + 1) > SHOWN;
    (void)snprintf(text, YAML_FOUND, "\"%s%s\"", utf8_calm(utf8_cut(shown, sizeof shown, from)),
                   cut ? "..." : "");
}

char *yaml_found(const struct yaml *y, char text[YAML_FOUND])
{
    if (y->kind == YAML_MAPPING_KIND)
        return strcpy(text, "a mapping");
    if (y->kind == YAML_SEQUENCE_KIND)
        return strcpy(text, "a list");
    if (yaml_is_null(y))
        return strcpy(text, "nothing");
    quote(y->text, text);
    return text;
}

int yaml_error(const struct yaml *at, struct err *e, const char *format, ...)
{
    char text[sizeof e->text];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(e, -EINVAL, "%s:%u:%u: %s", at->file ? at->file : "", at->line, at->column,
                   text);
}
