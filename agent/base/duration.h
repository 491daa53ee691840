/* Durations as people write them: "250ms", "30s", "5m", "1h30m", "2d". Internally
 * always microseconds. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)
#define USEC_NEVER UINT64_MAX

/* Units, largest first, each at most once: d h m s ms us. "0" alone needs none.
 * At most 3650d. 0, -EINVAL (not a duration) or -ERANGE. */
int duration_parse(const char *text, uint64_t *ret_usec);

enum { DURATION_TEXT = 32 };
/* The exact, shortest such text ("1h30m", "0s"); returns `text`. */
char *duration_format(uint64_t usec, char text[DURATION_TEXT]);
/* For people: at most two units, rounded down, no fractions of seconds ("3m12s", "2d4h", "45ms").
 */
char *duration_about(uint64_t usec, char text[DURATION_TEXT]);
