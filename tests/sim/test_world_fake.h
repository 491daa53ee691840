/* What the world needs of a simulation, for its tests: masters with files and clocks, and no
 * agents. */
#pragma once

#include "world/world.h"

struct fake_world {
    struct world *world;
    unsigned masters;
    uint64_t changes, acts; /* how often world_changed, world_acted were called */
    char acted[128];
    bool says;      /* to standard error */
    uint64_t trace; /* a hash of all that was said */
};
extern struct fake_world fake;

/* Without any trouble of its own where `without` is NULL. */
void fake_begin(unsigned masters, uint64_t seed, const char *without);
void fake_end(void);
void fake_run(double seconds);
/* As if a trouble of that name came now. */
void fake_trouble(unsigned master, const char *name);
/* By that kind and YAML arguments: "unit", "{unit: kubelet.service}". The facts stay until the next
 * look. */
struct world_reading fake_look(unsigned master, const char *kind, const char *arguments);

/* What the real kind `manifest` or `certificate` finds, over the simulated kernel. The caller's
 * facts. */
struct world_reading fake_look_really(unsigned master, const char *kind, const char *arguments);
