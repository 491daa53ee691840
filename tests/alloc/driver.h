/* What is done while allocations fail: see driver.c. */
#pragma once

#include "act/hand.h"
#include "config/generation.h"
#include "record/journal.h"

enum { EXIT_RIGHT = 0, EXIT_TOLD = 1, EXIT_SETUP = 99 };

/* Says why on standard error; EXIT_TOLD. */
int told(const struct err *e);
/* The shipped documents, over what is below `root`. */
struct generation *documents_load(const struct root *root);

/* ---- match.c ---- */
int match_story(const char *path);

/* ---- node.c: a node in a folder, one incident on it ---- */
int node_make(const char *folder);
int node_plan(const char *folder);
int node_heal(const char *folder);
/* Recovers and undoes what heal left of its plan; says both outcomes. */
int node_mend(const char *folder);
/* The stand-in for crictl and the kubelet. argv: crictl FOLDER WORD... */
int runtime_main(int argc, char **argv);
/* The dead-man, as `planeguard --root FOLDER recover --overdue USEC` is. */
int deadman_main(char **argv);
