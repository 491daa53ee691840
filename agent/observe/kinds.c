#include "observe/kinds.h"

const struct kind *const probe_kinds[] = {
    &probe_https.kind,     &probe_observer.kind, &probe_manifest.kind,
    &probe_container.kind, &probe_unit.kind,     &probe_certificate.kind,
};
const size_t probe_kind_count = sizeof probe_kinds / sizeof *probe_kinds;
