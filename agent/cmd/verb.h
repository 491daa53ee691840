/* Verbs: one file each in cmd/, one row each in the table of main.c. */
#pragma once

#include <stdbool.h>

struct catalog;

struct options {
    const char *root;    /* --root DIR, default "/" */
    const char *shipped; /* --shipped DIR: documents in place of the installed ones; NULL */
    bool json;           /* -o json, --output json */
    const struct catalog *catalog; /* the rooms' kinds, all together */
    int argc;                      /* what stands behind the verb and the options */
    char **argv;
};

struct verb {
    const char *name, *arguments, *summary;
    int (*run)(const struct options *o); /* exit code */
};

/* Exit codes that all verbs share. */
enum { EXIT_GOOD = 0, EXIT_ERROR = 1, EXIT_USAGE = 64 };
