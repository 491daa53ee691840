#include "act/recover.h"

#include <errno.h>
#include <string.h>

#include "act/stash.h"
#include "base/mem.h"

struct work {
    const struct root *root;
    const char *stage;
    const char *target; /* only this one; NULL: all */
    struct recovered *ret;
    int code; /* of the first failure; its text is in `e` */
    struct err *e;
};

static void failed(struct work *w, int code, const struct err *why)
{
    if (w->code == 0) {
        w->code = code;
        (void)err_set(w->e, code, "%s", why->text);
    }
}

static json_t *action_new(const char *what, const char *path)
{
    json_t *action = json_object();
    json_put(action, "what", json_text(what, strlen(what)));
    json_put(action, "path", json_text(path, strlen(path)));
    return action;
}

static void action_moved(struct work *w, const char *what, const char *from, const char *to,
                         const struct digest *named)
{
    char hex[DIGEST_HEX + 1];
    struct digest found;
    json_t *action = action_new(what, from);
    json_put(action, "to", json_text(to, strlen(to)));
    json_put(action, "before", json_text(digest_hex(named, hex), DIGEST_HEX));
    /* Not what its name says: somebody edited it in the stage. It is home, and known. */
    if (file_digest(w->root, to, 0, &found, NULL) == 0)
        json_put(action, "after", json_text(digest_hex(&found, hex), DIGEST_HEX));
    json_push(w->ret->actions, action);
}

/* The stashed file and the live one: the live one stays. */
static int set_aside(struct work *w, const char *from, const struct stash *s, struct err *e)
{
    for (unsigned number = 1; number <= STASH_CONFLICTS_MAX; number++) {
        char name[STASH_NAME];
        int code = stash_name(s->target, &s->digest, number, name, e);
        if (code < 0)
            return code;
        OWNED(free) char *to = mem_printf("%s/%s", w->stage, name);
        code = file_move(w->root, from, to, e);
        if (code == -EEXIST)
            continue;
        if (code == 0) {
            action_moved(w, "set-aside", from, to, &s->digest);
            w->ret->conflicts++;
        }
        return code;
    }
    return err_set(e, -EEXIST, "%s: %d conflicts are set aside already", s->target,
                   STASH_CONFLICTS_MAX);
}

static bool may_be_there(const struct work *w, const char *path)
{
    struct file_status st = {.exists = true}; /* also when that can't be looked at */
    (void)file_status(w->root, path, 0, &st, NULL);
    return st.exists;
}

static int put_back(struct work *w, const char *from, const struct stash *s, struct err *e)
{
    int code = file_move(w->root, from, s->target, e);
    if (code == -EEXIST)
        return set_aside(w, from, s, e);
    if (code == -ENOENT && !may_be_there(w, from))
        return 0; /* somebody else was quicker: the dead-man, or the hand that it waits for */
    if (code == 0) {
        action_moved(w, "moved", from, s->target, &s->digest);
        w->ret->put_back++;
    }
    return code;
}

/* Is this name in the stage that of a manifest that is out? */
static bool is_out(const char *name, const char *target, struct stash *ret)
{
    return stash_parse(name, ret) == 0 && ret->state == STASH_OUT &&
           (!target || strcmp(target, ret->target) == 0);
}

static void put_back_all(struct work *w, const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        struct stash s;
        if (!is_out(names->at[i], w->target, &s))
            continue;
        OWNED(free) char *from = mem_printf("%s/%s", w->stage, names->at[i]);
        struct err e;
        int code = put_back(w, from, &s, &e);
        if (code < 0)
            failed(w, code, &e);
    }
}

static void temporaries_remove(struct work *w, const char *folder, const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strncmp(names->at[i], FILE_TEMPORARY, strlen(FILE_TEMPORARY)) != 0)
            continue;
        OWNED(free) char *path = mem_printf("%s/%s", folder, names->at[i]);
        struct err e;
        int code = file_remove(w->root, path, &e);
        if (code < 0) {
            failed(w, code, &e);
            continue;
        }
        json_push(w->ret->actions, action_new("removed", path));
        w->ret->removed++;
    }
}

/* No names where there is no stage. */
static int stage_list(const struct root *root, const struct node *node, struct names *ret,
                      struct err *e)
{
    struct file_status st;
    int code = file_status(root, node->stage, 0, &st, e);
    return code < 0 || !st.exists ? code : folder_list(root, node->stage, ret, e);
}

int recover_check(const struct root *root, const struct node *node, const char *target,
                  struct err *e)
{
    OWNED(names_fini) struct names names = {0};
    int code = stage_list(root, node, &names, e);
    struct stash s;
    for (size_t i = 0; i < names.count; i++)
        if (is_out(names.at[i], target, &s))
            return err_set(e, -EBUSY,
                           "%s: one that was taken out lies in %s and has to come home first",
                           target, node->stage);
    return code;
}

static int recover(const struct root *root, const struct node *node, const char *target,
                   bool temporaries, struct recovered *ret, struct err *e)
{
    if (!ret->actions)
        ret->actions = json_array();
    struct work w = {.root = root, .stage = node->stage, .target = target, .ret = ret, .e = e};
    OWNED(names_fini) struct names names = {0};
    int code = stage_list(root, node, &names, e);
    if (code < 0)
        return code;
    put_back_all(&w, &names);
    if (temporaries)
        temporaries_remove(&w, node->stage, &names);
    return w.code;
}

int recover_stage(const struct root *root, const struct node *node, struct recovered *ret,
                  struct err *e)
{
    return recover(root, node, NULL, true, ret, e);
}

int recover_stashed(const struct root *root, const struct node *node, struct recovered *ret,
                    struct err *e)
{
    return recover(root, node, NULL, false, ret, e);
}

int recover_target(const struct root *root, const struct node *node, const char *target,
                   struct recovered *ret, struct err *e)
{
    return recover(root, node, target, false, ret, e);
}

/* `depth`: how many levels of folders below this one are looked at. */
static void unfinished_remove(struct work *w, const char *folder, int depth)
{
    OWNED(names_fini) struct names names = {0};
    struct err e;
    int code = folder_list(w->root, folder, &names, &e);
    if (code < 0) {
        failed(w, code, &e);
        return;
    }
    temporaries_remove(w, folder, &names);
    for (size_t i = 0; depth > 0 && i < names.count; i++) {
        OWNED(free) char *path = mem_printf("%s/%s", folder, names.at[i]);
        struct file_status st;
        code = file_status(w->root, path, 0, &st, &e);
        if (code < 0)
            failed(w, code, &e);
        else if (st.is_folder)
            unfinished_remove(w, path, depth - 1);
    }
}

int recover_unfinished(const struct root *root, const char *folder, struct recovered *ret,
                       struct err *e)
{
    enum { DEPTH = 2 };
    struct work w = {.root = root, .ret = ret, .e = e};
    unfinished_remove(&w, folder, DEPTH);
    return w.code;
}

void recovered_fini(struct recovered *r)
{
    json_decref(r->actions);
    *r = (struct recovered){0};
}
