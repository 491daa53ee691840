#include "loop/bus_unit.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { UNIT_NAME_MAX = 255 };

int unit_path(const char *unit, char **ret, struct err *e)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789:-_.\\@";
    size_t length = strlen(unit);
    const char *dot = strrchr(unit, '.');
    if (length > UNIT_NAME_MAX || strspn(unit, letters) != length || !dot || dot == unit || !dot[1])
        return err_set(e, -EINVAL, "\"%.64s\" is not a unit's name; expected NAME.service or such",
                       unit);
    int r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, ret);
    if (r < 0)
        return err_errno(e, -r, "can't make an object path of unit %s", unit);
    return 0;
}

int bus_begin(const char *address, sd_bus **ret, struct err *e)
{
    /* Other transports reach over the network, or start programs. */
    if (strncmp(address, "unix:", 5) != 0)
        return err_set(e, -EINVAL, "D-Bus address \"%.128s\": expected unix:path=...", address);
    OWNED(sd_bus_close_unref) sd_bus *bus = NULL;
    int r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, 1);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r < 0)
        return err_errno(e, -r, "can't connect to D-Bus at %s", address);
    *ret = TAKE(bus);
    return 0;
}

/* --- a unit's properties */

static const struct property {
    const char *name;
    char type; /* of D-Bus; 'a' means "ay" */
    size_t offset;
} properties[] = {
    {"LoadState", 's', offsetof(struct unit_state, load_state)},
    {"ActiveState", 's', offsetof(struct unit_state, active_state)},
    {"SubState", 's', offsetof(struct unit_state, sub_state)},
    {"Result", 's', offsetof(struct unit_state, result)},
    {"MainPID", 'u', offsetof(struct unit_state, main_pid)},
    {"ExecMainStatus", 'i', offsetof(struct unit_state, exec_main_status)},
    {"NRestarts", 'u', offsetof(struct unit_state, restarts)},
    {"ActiveEnterTimestampMonotonic", 't', offsetof(struct unit_state, active_enter_usec)},
    {"InvocationID", 'a', offsetof(struct unit_state, invocation_id)},
};

static const struct property *find_property(const char *name)
{
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
        if (!strcmp(properties[i].name, name))
            return &properties[i];
    return NULL;
}

static int read_word(sd_bus_message *m, char *word)
{
    const char *text;
    int r = sd_bus_message_read_basic(m, 's', &text);
    if (r >= 0)
        (void)snprintf(word, UNIT_WORD, "%s", text);
    return r;
}

static int read_invocation(sd_bus_message *m, char *hex)
{
    const void *bytes;
    size_t length;
    int r = sd_bus_message_read_array(m, 'y', &bytes, &length);
    if (r < 0)
        return r;
    hex[0] = '\0';
    for (size_t i = 0; length == 16 && i < length; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
    return 0;
}

static int read_value(sd_bus_message *m, const struct property *p, struct unit_state *s)
{
    const char contents[] = {p->type, p->type == 'a' ? 'y' : '\0', '\0'};
    char *at = (char *)s + p->offset;
    int r = sd_bus_message_enter_container(m, 'v', contents);
    if (r < 0)
        return r;
    if (p->type == 's')
        r = read_word(m, at);
    else if (p->type == 'a')
        r = read_invocation(m, at);
    else
        r = sd_bus_message_read_basic(m, p->type, at);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_entry(sd_bus_message *m, struct unit_state *s)
{
    const char *name;
    int r = sd_bus_message_read_basic(m, 's', &name);
    if (r < 0)
        return r;
    const struct property *p = find_property(name);
    r = p ? read_value(m, p, s) : sd_bus_message_skip(m, "v");
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

int unit_state_read(sd_bus_message *answer, const char *unit, struct unit_state *ret, struct err *e)
{
    struct unit_state s = {0};
    int r = sd_bus_message_enter_container(answer, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(answer, 'e', "sv")) > 0)
        r = read_entry(answer, &s);
    if (r >= 0 && s.load_state[0] && s.active_state[0]) {
        *ret = s;
        return 0;
    }
    return err_set(e, -EBADMSG, "systemd's answer about unit %s is not a unit's properties", unit);
}
