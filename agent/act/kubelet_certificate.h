/* May the kubelet be restarted? Not with an expired client certificate. */
#pragma once

#include "base/err.h"
#include "loop/file.h"

/* 0 when /var/lib/kubelet/pki/kubelet-client-current.pem is valid at the wall clock's time, or is
 * not there (then the kubelet has other credentials); else -EKEYEXPIRED, or why it can't be judged.
 */
int kubelet_certificate_check(const struct root *root, struct err *e);
