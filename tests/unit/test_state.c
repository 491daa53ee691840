/* The core's saved state, changed in a few places: what is refused, with which words, and what is
 * read as if they said nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "life.h"

/* `value` is JSON; NULL takes the key away. */
struct edit {
    const char *path, *value;
};

static json_t *child(json_t *in, const char *key)
{
    return json_is_array(in) ? json_array_get(in, (size_t)atoi(key)) : json_object_get(in, key);
}

static void change_at(json_t *saved, const struct edit *c)
{
    OWNED(free) char *path = mem_strdup(c->path);
    char *rest = path, *key = strsep(&rest, "/");
    json_t *in = saved;
    for (; rest; key = strsep(&rest, "/")) {
        in = child(in, key);
        assert_non_null(in);
    }
    if (c->value)
        json_put(in, key, json_loads(c->value, JSON_DECODE_ANY, NULL));
    else
        assert_int_equal(json_object_del(in, key), 0);
}

struct row {
    struct edit edits[3];
    int code;
    const char *words; /* of the error; or the incident's playbook, NULL: none, where it is read */
};

static struct generation *find(void *context, const char *digest)
{
    char hex[DIGEST_HEX + 1];
    struct life *l = context;
    return strcmp(digest, digest_hex(&l->generation->digest, hex)) ? NULL : l->generation;
}

static void must_load(struct life *l, const struct row *r, bool is_whole)
{
    struct err e = {0};
    OWNED(json_decref) json_t *lent = is_whole ? core_save_whole(l->core) : core_save(l->core);
    OWNED(json_decref) json_t *saved = json_deep_copy(lent);
    OWNED(core_free) struct core *again = core_new(l->generation);
    for (size_t i = 0; i < sizeof r->edits / sizeof *r->edits && r->edits[i].path; i++)
        change_at(saved, &r->edits[i]);
    int code = is_whole ? core_load_whole(again, saved, find, l, &e) : core_load(again, saved, &e);
    if (code != r->code)
        fail_msg("%s: %d: %s", r->edits[0].path, code, e.text);
    if (code < 0) {
        if (!strstr(e.text, r->words))
            fail_msg("%s: %s", r->edits[0].path, e.text);
        return;
    }
    const struct playbook_document *p = incident_playbook(again->incidents[0]);
    if (r->words)
        assert_string_equal(p ? p->meta.name : "none", r->words);
    else
        assert_null(p);
}

#define PLAYBOOK "restart-hung-apiserver"

static void test_saved_at_an_end(void **state)
{
    struct life *l = *state;
    static const struct row rows[] = {
        {{{"version", NULL}}, -EINVAL, "an object with a version was expected"},
        {{{"version", "2"}}, -EPROTO, "has version 2, this program knows 1"},
        {{{"incidents/0/id", NULL}}, -EINVAL, "incident 0 of the saved state can't be read"},
        {{{"incidents/0/failure", "7"}}, -EINVAL, "can't be read"},
        {{{"incidents/0/state", "\"none\""}}, -EINVAL, "can't be read"},
        {{{"incidents/0/state", "\"resolved\""}}, -EINVAL, "can't be read"},
        {{{"incidents/0/state", "\"odd\""}}, -EINVAL, "can't be read"},
        {{{"incidents/0/tried", "[7]"}}, -EINVAL, "can't be read"},
        {{{"incidents/0/playbook", "\"odd\""}}, 0, NULL},
        {{{"incidents/0/plan/steps", "[]"}}, 0, NULL},
        {{{"incidents/0/step", "-1"}}, 0, NULL},
        {{{"incidents/0/step", "99"}}, 0, NULL},
        {{{"incidents/0/digest", NULL}}, 0, NULL},
        {{{"incidents/0/plan", NULL}}, 0, NULL},
        {{{"signals/kubelet-unit/verdict", "\"odd\""}}, 0, PLAYBOOK},
        {{{"signals/kubelet-unit/reason", NULL}}, 0, PLAYBOOK},
    };
    life_start(l, "r1");
    life_hang(l, "r1-1");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        must_load(l, &rows[i], false);
}

static void test_saved_in_the_middle(void **state)
{
    struct life *l = *state;
    static const struct edit of_none = {"running/incidents/0/generation", NULL},
                             no_plan = {"incidents/0/plan", NULL},
                             no_digest = {"incidents/0/digest", NULL};
    const struct row rows[] = {
        {{{"version", NULL}}, -EINVAL, "an object with a version was expected"},
        {{{"running", NULL}}, -EINVAL, "from which no run can go on"},
        {{{"running/incidents", "[]"}}, -EINVAL, "whose incidents don't agree"},
        {{{"running/incidents/0/generation", "\"00\""}}, -ENOENT, "aren't stored"},
        {{{"incidents/0/playbook", "\"odd\""}}, -EINVAL, "has no plan of its documents"},
        {{{"incidents/0/playbook", "\"odd\""}, of_none}, -EINVAL, "is running without a plan"},
        {{{"incidents/0/plan", NULL}}, -EINVAL, "has no plan of its documents"},
        {{{"incidents/0/digest", NULL}}, -EINVAL, "has no plan of its documents"},
        {{no_plan, no_digest}, -EINVAL, "is running without a plan"},
        {{no_plan, no_digest, {"incidents/0/state", "\"preparing\""}}, 0, PLAYBOOK},
        {{no_plan, no_digest, {"incidents/0/state", "\"held\""}}, -EINVAL, "waits without"},
        {{{"running/incidents/0/met", "[1]"}}, -EINVAL, "is verified by another playbook"},
        {{{"running/incidents/0/met", "[1, 2]"}}, 0, PLAYBOOK},
    };
    life_start(l, "r1");
    life_hang(l, "r1-1");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        must_load(l, &rows[i], true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_saved_at_an_end, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(test_saved_in_the_middle, life_setup, life_teardown),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
