/* Inside loop/ only: systemd's objects on D-Bus and what they say (org.freedesktop.systemd1(5)). */
#pragma once

#include <systemd/sd-bus.h>

#include "base/err.h"
#include "base/own.h"
#include "loop/bus.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define DBUS_PROPERTIES "org.freedesktop.DBus.Properties"

/* The unit's object path, free() it; -EINVAL for what can't be a unit's name (systemd.unit(5)). */
int unit_path(const char *unit, char **ret, struct err *e);

/* A connection to a bus at `address` ("unix:...", else -EINVAL), being made: not waited for. */
int bus_begin(const char *address, sd_bus **ret, struct err *e);

/* Reads the answer of Properties.GetAll("") for `unit`: 0 or -EBADMSG. */
int unit_state_read(sd_bus_message *answer, const char *unit, struct unit_state *ret,
                    struct err *e);

OWNER(sd_bus, sd_bus_close_unref);
OWNER(sd_bus_message, sd_bus_message_unref);
