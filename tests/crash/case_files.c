/* Cases of loop/: what each function promises to be durable is so as soon as it has returned. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"

#define HERE "/var/lib/planeguard/a"
#define THERE STAGE "/b"

static const char old_text[] = "old\n", new_text[] = "new, and longer than the old one\n";

static void with_here(struct world *w)
{
    world_put(w, HERE, old_text);
}

static struct file_owner owner(void)
{
    return (struct file_owner){.mode = 0644, .uid = geteuid(), .gid = getegid()};
}

static int replace(struct world *w, struct err *e)
{
    struct file_owner like = owner();
    int code = file_replace(w->root, HERE, STAGE, new_text, strlen(new_text), &like, e);
    if (code == 0)
        world_claim_text(w, HERE, new_text);
    return code;
}

static int create(struct world *w, struct err *e)
{
    struct file_owner like = owner();
    int code = file_create(w->root, HERE, STAGE, new_text, strlen(new_text), &like, e);
    if (code == 0)
        world_claim_text(w, HERE, new_text);
    return code;
}

static int move(struct world *w, struct err *e)
{
    int code = file_move(w->root, HERE, THERE, e);
    if (code < 0)
        return code;
    world_claim(w, HERE, "");
    world_claim_text(w, THERE, old_text);
    return 0;
}

/* Nowhere and in both are none of the two that it may be. */
static void in_one_place(struct world *w)
{
    struct file_status here, there;
    struct err e;
    world_must(file_status(w->root, HERE, 0, &here, &e), &e);
    world_must(file_status(w->root, THERE, 0, &there, &e), &e);
    if (here.exists == there.exists)
        world_violation(w, "the file that was moved is %s", here.exists ? "twice there" : "lost");
}

static int remove_it(struct world *w, struct err *e)
{
    int code = file_remove(w->root, HERE, e);
    if (code == 0)
        world_claim(w, HERE, "");
    return code;
}

static int folder(struct world *w, struct err *e)
{
    int code = folder_make(w->root, "/var/lib/planeguard/x/y", 0755, e);
    if (code < 0)
        return code;
    world_claim(w, "/var/lib/planeguard/x", "/");
    world_claim(w, "/var/lib/planeguard/x/y", "/");
    return 0;
}

static void with_folder(struct world *w)
{
    world_put(w, "/var/lib/planeguard/x/a", old_text);
    world_put(w, "/var/lib/planeguard/x/y/b", old_text);
    world_put(w, "/var/lib/planeguard/x/y/c", new_text);
}

static int folder_away(struct world *w, struct err *e)
{
    int code = folder_remove(w->root, "/var/lib/planeguard/x", e);
    if (code == 0)
        world_claim(w, "/var/lib/planeguard/x", "");
    return code;
}

static void nothing(struct world *w)
{
    (void)w;
}

const struct crash_case case_replace = {
    .name = "file.replace", .prepare = with_here, .act = replace};
const struct crash_case case_create = {.name = "file.create", .prepare = nothing, .act = create};
const struct crash_case case_move = {
    .name = "file.move", .prepare = with_here, .act = move, .raw = in_one_place};
const struct crash_case case_remove = {
    .name = "file.remove", .prepare = with_here, .act = remove_it};
const struct crash_case case_folder_make = {
    .name = "folder.make", .prepare = nothing, .act = folder};
const struct crash_case case_folder_remove = {
    .name = "folder.remove", .prepare = with_folder, .act = folder_away};
