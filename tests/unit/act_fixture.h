/* What the tests of act/ share: a node that is a temporary folder. */
#pragma once

#include <stdbool.h>

#include "act/hand.h"
#include "base/json.h"
#include "loop/file.h"

struct fixture {
    char path[64];
    struct root *root;
    struct node node;
    struct hand hand; /* without an agent: effects are gathered below */
    json_t *effects;
    int effect_code; /* what reporting one gives */
    struct err e;
};

#define MANIFESTS "/etc/kubernetes/manifests"
#define STAGE "/etc/kubernetes/.planeguard"

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* A complete manifest of a static pod, with `mark` somewhere in it; static, 64 at a time. */
const char *manifest_text(const char *pod, const char *mark);

void fixture_put(struct fixture *f, const char *path, const char *text);
/* The file's text, "" when it isn't there; static, 64 at a time. */
const char *fixture_get(struct fixture *f, const char *path);
bool fixture_has(struct fixture *f, const char *path);
void fixture_remove(struct fixture *f, const char *path);
size_t fixture_count(struct fixture *f, const char *folder);
char *fixture_host(struct fixture *f, const char *path); /* static, 64 at a time */

/* Does an effect with this "what" stand in f->effects? */
bool fixture_effect(const struct fixture *f, const char *what);
