/* Fault points, in test builds only (PLANEGUARD_FAULTS=1): with PLANEGUARD_FAULT="<kind>:<phase>"
 * in the environment, the hand that comes to this phase of this step kind kills the agent and
 * itself there, as a kill -9 of the whole service would. */
#pragma once

#if PLANEGUARD_FAULTS

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/worker.h"

static inline void fault_point(const char *kind, const char *phase)
{
    const char *wanted = getenv("PLANEGUARD_FAULT");
    char here[128];
    (void)snprintf(here, sizeof here, "%s:%s", kind, phase);
    if (wanted && strcmp(wanted, here) == 0)
        worker_crash();
}

#else

static inline void fault_point(const char *kind, const char *phase)
{
    (void)kind;
    (void)phase;
}

#endif
