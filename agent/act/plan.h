/* A plan as JSON, as JOB_PLAN makes it and everybody reads it: {"playbook", "steps": [{"name",
 * "kind", "changes", "reversal", "summary", "already", "argv", "files", ...}]}. */
#pragma once

#include <stdbool.h>

#include "base/json.h"

/* Some step of it would change something that isn't so already. */
bool plan_changes_anything(const json_t *plan);
