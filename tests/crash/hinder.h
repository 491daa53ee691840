/* Does a case's act once a point, hindered there, and judges what it left. */
#pragma once

#include <stddef.h>

#include "world.h"

/* `mode` and `points` as main.c says. Lines go to standard output. Returns an exit code. */
int hinder(const struct crash_case *c, const char *mode, const char *folder, char **points,
           size_t count);
