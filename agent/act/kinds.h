/* The room's table: a step kind is one file in act/steps/ and one row here. */
#pragma once

#include "act/step.h"

extern const struct step_kind static_pod_restart, manifest_restore, unit_restart, evidence_collect,
    wait_step;
