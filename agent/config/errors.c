#include "config/errors.h"

void errors_add(struct errors *es, const struct err *e)
{
    if (es->count++ == 0)
        es->first = *e;
    if (es->each)
        es->each(es->context, e->text);
}
