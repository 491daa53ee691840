#include "engine/catalog.h"

#include "act/step.h"
#include "decide/guard.h"
#include "observe/probe.h"

struct catalog catalog_of_rooms(void)
{
    return (struct catalog){
        .probes = probe_kinds,
        .probe_count = probe_kind_count,
        .steps = step_kinds,
        .step_count = step_kind_count,
        .guards = guard_kinds,
        .guard_count = guard_kind_count,
    };
}
