/* The clocks. CLOCK_BOOTTIME times everything (it counts on through suspend and is
 * never set); the wall clock is only for people and for certificates. */
#pragma once

#include <stdint.h>

enum { WALL_TEXT = 40, BOOT_ID_TEXT = 37 };

uint64_t clock_boot_usec(void);
int64_t clock_wall_usec(void); /* since the epoch */
/* RFC 3339 in UTC with nanoseconds, "2026-11-21T04:31:41.123456789Z"; returns `text`. */
char *clock_wall_text(char text[WALL_TEXT]);
/* The kernel's boot id (/proc/sys/kernel/random/boot_id); returns `text`. */
char *clock_boot_id(char text[BOOT_ID_TEXT]);
/* Sleeps on the boot clock; for hands (act/hand.h) only, never in the loop. */
void clock_sleep(uint64_t usec);
/* `digits` random hex digits (getrandom(2)) and a NUL; at most 16. Returns `text`. */
char *clock_random_text(char text[17], unsigned digits);
