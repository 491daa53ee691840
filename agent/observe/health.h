/* Kubernetes' verbose health answers (k8s.io/apiserver, pkg/server/healthz): lines "[+]name ok" and
 * "[-]name failed: reason withheld". Pure, bounded. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

enum { HEALTH_CHECKS_MAX = 32, HEALTH_NAME_MAX = 96 };

/* The failing checks' names, sorted, separated by spaces, into `ret`; at most HEALTH_CHECKS_MAX,
 * and names of other characters than [A-Za-z0-9._/-] are left out. Returns how many. */
size_t health_failing(const char *body, size_t length, struct buf *ret);
