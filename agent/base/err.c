#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

int err_set(struct err *e, int code, const char *format, ...)
{
    if (!e)
        return code;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    (void)utf8_calm(e->text);
    return code;
}

static void append_errno(struct err *e, int errnum)
{
    size_t used = strlen(e->text);
    char reason[128];
    (void)snprintf(e->text + used, sizeof e->text - used, ": %s",
                   strerror_r(errnum, reason, sizeof reason));
}

int err_errno(struct err *e, int errnum, const char *format, ...)
{
    if (!e)
        return -errnum;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    append_errno(e, errnum);
    (void)utf8_calm(e->text);
    return -errnum;
}

int err_wrap(struct err *e, int code, const char *format, ...)
{
    if (!e)
        return code;
    struct err inner = *e;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    size_t used = strlen(e->text);
    (void)snprintf(e->text + used, sizeof e->text - used, ": %s", inner.text);
    (void)utf8_calm(e->text);
    return code;
}
