/* "We could not": a function that can't do its work returns a negative errno and
 * says why in a `struct err` of its caller's frame. The text gathers context as
 * it climbs ("etcd.yaml:14:7: unknown key ..."). Whatever foreign bytes it quotes, it is one
 * line that does nothing to a terminal (base/utf8.h). It never allocates. What the
 * *world* answered (a probe is bad, a guard denies, a step failed) is never an
 * err but an enum in a result; what is wrong in the *code* is an assert. */
#pragma once

#include <stddef.h>

struct err {
    char text[768];
};

/* Sets the text and returns `code` (negative), so that callers can write
 * `return err_set(e, -EINVAL, ...)`. `e` may be NULL. */
int err_set(struct err *e, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* Like err_set with -errnum; appends ": " and the errno's text. */
int err_errno(struct err *e, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* Puts "context: " before the text that is there and returns `code`. */
int err_wrap(struct err *e, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
