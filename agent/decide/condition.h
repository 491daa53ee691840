/* Signals as the core keeps them, and conditions over them, in three-valued logic: an
 * unknown signal makes a condition unknown, and what is unknown never acts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "config/document.h"

struct signal {
    enum verdict verdict; /* SIGNAL_UNKNOWN until the first reading */
    enum reason reason;
    json_t *facts;         /* object or NULL; owned */
    uint64_t since_usec;   /* of verdict and reason */
    uint64_t changed_usec; /* of anything in it */
    uint64_t passed_usec;  /* the last reading that passed, before the present verdict; 0: none */
    /* For a manifest that may become the last known good one. */
    uint64_t good_since_usec; /* 0: not good now */
    char kept[65];            /* digest of the copy that was kept last; "" */
};

enum truth { TRUTH_UNKNOWN, TRUTH_FALSE, TRUTH_TRUE };
extern const struct words truth_words;

/* One signal condition against one signal. */
enum truth condition_signal(const struct condition *w, const struct signal *s);

/* The whole condition; `signal_at` gives the signal of a probe's index. */
enum truth condition_truth(const struct condition *w,
                           const struct signal *(*signal_at)(const void *context, int probe),
                           const void *context);

/* Calls `each` with every probe index that the condition mentions. */
void condition_probes(const struct condition *w, void (*each)(void *context, int probe),
                      void *context);
