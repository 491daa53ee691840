#include "act/plan.h"

bool plan_changes_anything(const json_t *plan)
{
    size_t i;
    json_t *step;
    json_array_foreach (json_object_get(plan, "steps"), i, step) {
        if (json_get_bool(step, "changes", false) && !json_get_bool(step, "already", false))
            return true;
    }
    return false;
}
