/* What an analyser that sees one file at a time can't know: the functions that return "the code
 * that was given" return something negative. Included before each file by tests/lint/tidy and
 * tests/lint/analyzer; never built. */
#pragma once

#include "base/err.h"
#include "config/yaml.h"

#define err_set(e, code, ...) ((void)err_set(e, code, __VA_ARGS__), -1)
#define err_errno(e, errnum, ...) ((void)err_errno(e, errnum, __VA_ARGS__), -1)
#define err_wrap(e, code, ...) ((void)err_wrap(e, code, __VA_ARGS__), -1)
#define yaml_error(...) ((void)yaml_error(__VA_ARGS__), -1)
