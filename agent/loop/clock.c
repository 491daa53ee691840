#include "loop/clock.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <systemd/sd-id128.h>

#include "base/duration.h"

static struct timespec read_clock(clockid_t id)
{
    struct timespec t;
    int r = clock_gettime(id, &t);
    assert(r == 0);
    return t;
}

uint64_t clock_boot_usec(void)
{
    struct timespec t = read_clock(CLOCK_BOOTTIME);
    return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

int64_t clock_wall_usec(void)
{
    struct timespec t = read_clock(CLOCK_REALTIME);
    return (int64_t)t.tv_sec * (int64_t)USEC_PER_SEC + t.tv_nsec / 1000;
}

char *clock_wall_text(char text[WALL_TEXT])
{
    struct timespec t = read_clock(CLOCK_REALTIME);
    struct tm tm;
    if (!gmtime_r(&t.tv_sec, &tm))
        tm = (struct tm){.tm_year = 70, .tm_mday = 1};
    char seconds[WALL_TEXT - 16];
    size_t length = strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm);
    seconds[length] = '\0';
    (void)snprintf(text, WALL_TEXT, "%s.%09ldZ", seconds, t.tv_nsec);
    return text;
}

char *clock_boot_id(char text[BOOT_ID_TEXT])
{
    static_assert(BOOT_ID_TEXT == SD_ID128_UUID_STRING_MAX, "a UUID's text");
    sd_id128_t id = SD_ID128_NULL;
    if (sd_id128_get_boot(&id) < 0)
        id = SD_ID128_NULL;
    return sd_id128_to_uuid_string(id, text);
}

void clock_sleep(uint64_t usec)
{
    uint64_t until = clock_boot_usec() + usec;
    struct timespec t = {.tv_sec = (time_t)(until / USEC_PER_SEC),
                         .tv_nsec = (long)(until % USEC_PER_SEC * 1000)};
    while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

char *clock_random_text(char text[17], unsigned digits)
{
    assert(digits <= 16);
    uint64_t bits;
    ssize_t got = getrandom(&bits, sizeof bits, 0); /* so few bytes come whole (getrandom(2)) */
    assert(got == (ssize_t)sizeof bits);
    char all[17];
    (void)snprintf(all, sizeof all, "%016" PRIx64, bits);
    memcpy(text, all, digits);
    text[digits] = '\0';
    return text;
}
