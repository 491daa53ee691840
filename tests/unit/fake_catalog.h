/* Kinds of probes, steps and guards that do nothing, with fields of all types: for tests of
 * config/, which knows no room. */
#pragma once

#include "config/document.h"

struct fake_https {
    const char *url, *ca, *server_name;
    bool insecure;
    int64_t status;
    uint64_t slow_usec, limit_bytes, only;
    struct strings headers;
};
struct fake_manifest {
    const char *pod;
    struct strings files;
};
struct fake_collect {
    struct strings components;
    int depth;
};
struct fake_entry {
    const char *key;
    int64_t value;
};
struct fake_note {
    struct list entries; /* of struct fake_entry */
    struct {
        uint64_t size_bytes;
    } box;
    int64_t sign;
};
struct fake_settle {
    uint64_t for_usec;
};
struct fake_window {
    int64_t from, to;
};

extern const struct field fake_https_fields[], fake_note_fields[], fake_collect_fields[];
/* probes: https, manifest; steps: static-pod.restart, evidence.collect, note; guards: mode, settle,
 * window. */
extern const struct catalog fake_catalog;

/* The documents that the corpus is loaded over; all valid. */
extern const char fake_documents[];
