/* What outlives the agent: the core's state (open incidents with their plans, attempts, the clock),
 * replaced as a whole by one rename before anything that depends on it is performed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "loop/clock.h"

#define STATE_PATH STATE_FOLDER "/state.json"
enum { STATE_BYTES_MAX = 4 << 20 };

/* The agent's clock goes on where it stood: within a boot by the boot clock, over a reboot from the
 * last saved moment, so that time spent off refills nothing. */
static void set_clock(struct engine *en, const json_t *saved)
{
    const json_t *core = json_object_get(saved, "core");
    bool same_boot = !strcmp(json_get_string(saved, "boot", ""), en->boot_id);
    en->booted_usec = (uint64_t)json_get_int(core, same_boot ? "booted" : "clock", 0);
}

/* A state that can't be read is set aside, never overwritten: attempts and open incidents are lost
 * to the guards then, and the record says so. */
static void set_aside(struct engine *en, const struct err *why)
{
    struct err e = {0};
    log_error("the saved state is set aside as state.json.unreadable: %s", why->text);
    if (file_remove(en->root, STATE_PATH ".unreadable", &e) < 0 ||
        file_move(en->root, STATE_PATH, STATE_PATH ".unreadable", &e) < 0)
        log_error("%s", e.text);
    json_t *body = json_object();
    json_put(body, "why", json_string_or_null(why->text));
    journal_add(en->journal, RECORD_DEGRADED, body);
    core_free(en->core);
    en->core = core_new(en->generation);
}

int state_load(struct engine *en, struct err *e)
{
    OWNED(buf_fini) struct buf text = {0};
    int r = file_read(en->root, STATE_PATH, 0, STATE_BYTES_MAX, &text, e);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    OWNED(json_decref) json_t *saved = json_parse(buf_string(&text), text.length, e);
    if (saved)
        set_clock(en, saved);
    r = saved ? core_load(en->core, json_object_get(saved, "core"), e) : -EINVAL;
    if (r == -EPROTO)
        return r;
    if (r < 0)
        set_aside(en, e);
    return 0;
}

int state_save(struct engine *en, struct err *e)
{
    json_t *saved = json_object();
    json_put(saved, "boot", json_string(en->boot_id));
    json_put(saved, "core", core_save(en->core));
    OWNED(free) char *text = json_canonical(saved);
    json_decref(saved);
    int code = file_replace(en->root, STATE_PATH, STATE_FOLDER, text, strlen(text), NULL, e);
    return code < 0 ? err_wrap(e, code, "the state can't be saved") : 0;
}
