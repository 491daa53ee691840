#include "decide/guards/rows.h"

#include <stdarg.h>
#include <stdio.h>

void judgement_set(struct judgement *j, enum guard_verdict verdict, const char *wants,
                   const char *saw_format, ...)
{
    va_list args;
    va_start(args, saw_format);
    (void)vsnprintf(j->saw, sizeof j->saw, saw_format, args);
    va_end(args);
    (void)snprintf(j->wants, sizeof j->wants, "%s", wants ? wants : "");
    j->verdict = verdict;
}
