/* A static pod's manifest, as far as planeguard must understand it. */
#pragma once

#include "base/err.h"
#include "base/pool.h"
#include "config/field.h"
#include "config/yaml.h"

struct pod_reference {
    const char *path; /* host path */
    const char *type; /* hostPath type ("File", "DirectoryOrCreate", "" ...) or "flag" */
    const char *flag; /* the flag whose value it is ("--tls-cert-file"), or NULL */
};

enum { POD_REFERENCES_MAX = 256 };

struct pod {
    const char *name, *pod_namespace;
    const char *container;  /* first container's name */
    const char *image;      /* first container's image */
    struct strings command; /* command + args of the first container */
    struct pod_reference
        *references; /* hostPath volumes, and what flags name for reading (not folders or logs that
                        the pod writes) that lies in them; at most POD_REFERENCES_MAX */
    size_t reference_count;
    struct { /* the first container's livenessProbe, with Kubernetes' defaults where a number isn't
                given (pkg/apis/core/v1/defaults.go); all zero when absent */
        int64_t initial_delay_sec, timeout_sec, period_sec, failure_threshold;
    } liveness;
    bool plain; /* one document, no anchors, aliases, tags: could be spliced */
};

/* JSON manifests are YAML too; of several documents the first counts, as for the kubelet.
 * -EINVAL with the place when it isn't a v1 Pod with a name and a named container with an image:
 * what the kubelet would refuse. -ENOTSUP: what we don't follow (an alias where we need a value)
 * though the kubelet may; -EFBIG: longer than YAML_FILE_BYTES_MAX, where the
 * kubelet takes 10 MiB. */
int pod_parse(struct pool *pool, const char *file, const char *bytes, size_t length,
              struct pod *ret, struct err *e);
