/* The tree of nodes that yaml.c builds from libyaml's events: config/yaml*.c's own. */
#pragma once

#include <stdbool.h>

#include <yaml.h>

#include "config/yaml.h"
#include "config/yaml_place.h"

/* A collection that is being read. */
struct yaml_frame {
    struct yaml *node;
    struct yaml *last; /* child */
    struct yaml *key;  /* waits for its value */
};

struct yaml_builder {
    struct yaml_offsets offsets;
    struct pool *pool;
    const char *file;
    bool foreign;
    struct errors *errors;
    struct yaml_frame stack[YAML_DEPTH_MAX];
    size_t depth, nodes;
    struct yaml *root; /* of the document that is being read */
    bool refused, odd; /* so is that document */
    struct yaml *documents, **tail;
};

/* Complains of the document that is being read: it won't be among the results. */
void builder_refuse(struct yaml_builder *b, const struct yaml *at, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* Takes one event. < 0: a bound is passed, nothing more can be taken. */
int builder_take(struct yaml_builder *b, const yaml_event_t *event);
