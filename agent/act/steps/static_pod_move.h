/* static-pod.restart by manifest: out of the kubelet's sight, and back when the
 * runtime shows nothing of the pod any more. Slow (about 35 s on a real node), and the only way
 * that ends the pod as the kubelet knows it.
 *
 *   read, compared with the plan, copied to the plan's backup
 *   dead-man armed
 *   out: one rename to the stage, under the stash's name
 *   gone: no container runs, no sandbox is ready
 *   back: one rename; the dead-man disarmed, the copy dropped
 *
 * Killed at any of these the manifest is home, or in the stage under a name that says where it
 * belongs, with a dead-man, a restart of the agent and the unit's stop hook to put it back. */
#pragma once

#include "act/hand.h"

/* Adds to the plan: "manifest", "stash", "backup", "files". */
int static_pod_move_plan(struct hand *h, const char *pod, json_t *plan, struct err *e);

/* Out, gone, back: OUTCOME_DONE when the old one was gone and the manifest is home. */
enum outcome static_pod_move(struct hand *h, const char *pod, const json_t *plan,
                             uint64_t down_within_usec, struct err *detail);

/* Puts the manifest back if it is out; from the backup if it is nowhere. */
enum outcome static_pod_move_back(struct hand *h, const json_t *plan, struct err *detail);
