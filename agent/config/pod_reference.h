/* What a pod refers to on its host: pod.c's own. */
#pragma once

#include "config/pod.h"

/* Fills pod->references (in `pool`) from the spec's hostPath volumes and from pod->command, whose
 * paths are the container's and so go through the volumeMounts of `container`. What isn't shaped as
 * Kubernetes has it is passed over: that is not ours to refuse. */
void pod_references_read(struct pool *pool, const struct yaml *spec, const struct yaml *container,
                         struct pod *pod);
