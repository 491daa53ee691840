/* The rows of the probe kinds' table, one a file of this folder; observe/kinds.c lists them. */
#pragma once

#include "observe/probe.h"

extern const struct probe_kind probe_https;
extern const struct probe_kind probe_observer;
extern const struct probe_kind probe_manifest;
extern const struct probe_kind probe_container;
extern const struct probe_kind probe_unit;
extern const struct probe_kind probe_certificate;
