/* One document while it is decoded: config's own, between generation_decode.c (the envelope) and
 * the files of the kinds of documents. */
#pragma once

#include "base/duration.h"
#include "config/loading.h"

#define DAYS(n) ((int64_t)((n)*USEC_PER_DAY))
#define MSEC(n) ((int64_t)((n)*USEC_PER_MSEC))

struct decoding {
    struct loading *l;
    struct entry *entry;
    const struct yaml *spec;
    struct errors errors;
};

/* A complaint at a place in the document. */
void decode_error(struct decoding *d, const struct yaml *at, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
/* fields_decode_all into the generation's pool. */
void decode_into(struct decoding *d, const struct field *fields, const struct yaml *y, void *target,
                 struct others *others);

/* A kind's arguments, checked; `y` NULL: all defaults, complained of at `at`. */
const void *args_decode(struct decoding *d, const struct kind *kind, const struct yaml *y,
                        const struct yaml *at);
const struct kind *kind_find(const struct kind *const *kinds, size_t count, const char *name);
/* Complains of the key at `value`, which is neither in `fields` (may be NULL) nor a kind. */
void kind_unknown(struct decoding *d, const struct field *fields, const struct kind *const *kinds,
                  size_t count, const struct yaml *value);
/* Among `others` (keys of `y` that `fields` doesn't have) the one that names a kind; its
 * arguments are decoded. NULL, with a complaint, where there isn't exactly one. */
const struct kind *kind_decode(struct decoding *d, const struct field *fields, const struct yaml *y,
                               const struct others *others, const struct kind *const *kinds,
                               size_t count, const char *what, const void **ret_args);

/* Each decodes d->spec; the struct is in scratch, what it points to in the generation's pool. */
void *probe_decode(struct decoding *d);
void *failure_decode(struct decoding *d);
void *playbook_decode(struct decoding *d);
void *policy_decode(struct decoding *d);
