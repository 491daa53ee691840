/* Clocks, random numbers, who we are. Reading a clock is no system call (vdso(7)): no point. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-id128.h>

#include "kernel/calls.h"

static struct timespec timespec_of(uint64_t usec)
{
    return (struct timespec){.tv_sec = (time_t)(usec / 1000000),
                             .tv_nsec = (long)(usec % 1000000 * 1000)};
}

WRAP(int, clock_gettime, clockid_t clock, struct timespec *ret)
{
    if (!task_current())
        return __real_clock_gettime(clock, ret);
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        *ret = timespec_of((uint64_t)kernel_wall_usec());
        return 0;
    case CLOCK_BOOTTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
        *ret = timespec_of(kernel_boot_usec());
        return 0;
    default:
        return __real_clock_gettime(clock, ret);
    }
}

WRAP(time_t, time, time_t *ret)
{
    if (!task_current())
        return __real_time(ret);
    time_t now = (time_t)(kernel_wall_usec() / 1000000);
    if (ret)
        *ret = now;
    return now;
}

/* Up, as nothing wakes early. */
static uint64_t usec_of(const struct timespec *t)
{
    return (uint64_t)t->tv_sec * 1000000 + ((uint64_t)t->tv_nsec + 999) / 1000;
}

WRAP(int, clock_nanosleep, clockid_t clock, int flags, const struct timespec *until,
     struct timespec *left)
{
    if (!task_current())
        return __real_clock_nanosleep(clock, flags, until, left);
    /* Only a signal can end it early; what else a point may say, this call never does. */
    if (kernel_point("clock_nanosleep", false, NULL) == EINTR)
        return EINTR;
    uint64_t now = clock == CLOCK_REALTIME ? (uint64_t)kernel_wall_usec() : kernel_boot_usec();
    uint64_t at = usec_of(until) + (flags & TIMER_ABSTIME ? 0 : now);
    if (at > now)
        task_sleep_until(schedule_now() + (at - now));
    return 0;
}

WRAP(ssize_t, getrandom, void *bytes, size_t length, unsigned flags)
{
    if (!task_current())
        return __real_getrandom(bytes, length, flags);
    /* So few bytes never fail nor come short (getrandom(2)). */
    (void)kernel_point("getrandom", false, NULL);
    for (size_t at = 0; at < length;) {
        uint64_t drawn = kernel_random();
        size_t part = length - at < sizeof drawn ? length - at : sizeof drawn;
        memcpy((char *)bytes + at, &drawn, part);
        at += part;
    }
    return (ssize_t)length;
}

/* libsystemd remembers the real one. */
WRAP(int, sd_id128_get_boot, sd_id128_t *ret)
{
    if (!task_current())
        return __real_sd_id128_get_boot(ret);
    return sd_id128_from_string(kernel_boot_id(), ret);
}

WRAP(uid_t, geteuid, void)
{
    return task_current() ? 0 : __real_geteuid();
}
