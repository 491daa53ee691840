#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* One line, bounded; whatever could drive a terminal is replaced. */
static void make_printable(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

void log_write(enum log_level level, const char *format, ...)
{
    char line[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    make_printable(line);
    if (getenv("JOURNAL_STREAM"))
        (void)fprintf(stderr, "<%d>%s\n", level, line);
    else
        (void)fprintf(stderr, "planeguard: %s\n", line);
}
