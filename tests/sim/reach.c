/* What a run went through, so that one which reached little can't pass for a proof. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "sim.h"

static json_t *all;

void reach(const char *what, const char *which)
{
    if (!all)
        all = json_object();
    json_t *group = json_object_get(all, what);
    if (!group) {
        group = json_object();
        json_put(all, what, group);
    }
    json_put(group, which, json_integer(json_get_int(group, which, 0) + 1));
}

json_t *reach_take(void)
{
    return all ? all : json_object();
}
