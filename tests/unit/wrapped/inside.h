/* What the files of wrapped/ share: a wrapped call asks whether it is to fail. */
#pragma once

#include "wrapped.h"

/* -1: the call goes through; otherwise the errno to fail with, 0 for a call that does nothing. */
int fault(const char *call);
/* Sets errno; what a call returns that fails so: -1, or 0 with no errno. */
int strike(int errnum);

#define WRAP_AS(type, name, parameters, arguments, struck)                                         \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        int errnum = fault(#name);                                                                 \
        return errnum < 0 ? __real_##name arguments : (struck);                                    \
    }
#define WRAP(type, name, parameters, arguments)                                                    \
    WRAP_AS(type, name, parameters, arguments, strike(errnum))
/* One whose failure is a negative errno that it returns. */
#define WRAP_NEGATIVE(type, name, parameters, arguments)                                           \
    WRAP_AS(type, name, parameters, arguments, -errnum)
/* One whose failure is NULL. */
#define WRAP_NULL(type, name, parameters, arguments)                                               \
    WRAP_AS(type, name, parameters, arguments, (errno = errnum, NULL))
