#include "act/kinds.h"

const struct kind *const step_kinds[] = {
    &evidence_collect.kind, &manifest_restore.kind, &static_pod_restart.kind,
    &unit_restart.kind,     &wait_step.kind,
};
const size_t step_kind_count = sizeof step_kinds / sizeof *step_kinds;
