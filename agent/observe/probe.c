#include "observe/probe.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

enum { DETAIL_TEXT = 512 };

void probe_report(struct probe *p, enum verdict v, enum reason r, json_t *facts,
                  const char *detail_format, ...)
{
    assert(p->looking); /* exactly once a look */
    p->looking = false;
    char detail[DETAIL_TEXT] = "";
    va_list args;
    va_start(args, detail_format);
    if (detail_format)
        (void)vsnprintf(detail, sizeof detail, detail_format, args);
    va_end(args);
    OWNED(json_decref) json_t *owned = facts ? facts : mem_must(json_object());
    const struct reading reading = {
        .verdict = v, .reason = r, .facts = owned, .detail = *detail ? detail : NULL};
    p->report(p, &reading);
}

void probe_wake(struct probe *p)
{
    p->wake(p);
}
