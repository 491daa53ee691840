#include "act/known_good.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act/manifest.h"
#include "base/mem.h"
#include "loop/clock.h"

#define KNOWN_GOOD_FOLDER "/var/lib/planeguard/known-good"

enum { KEPT = 2, STEM_TEXT = 160 };

/* What a copy's name says. */
struct copy {
    uint64_t number;
    struct digest digest;
    struct file_owner owner;
    char stem[STEM_TEXT]; /* the name without ".yaml" */
};

struct copies {
    struct copy *at; /* newest first */
    size_t count, room;
};

static void copies_fini_owned(struct copies *c)
{
    free(c->at);
}

static void stem_write(struct copy *c)
{
    char hex[DIGEST_HEX + 1];
    (void)snprintf(c->stem, sizeof c->stem, "%010" PRIu64 "-%s-%04o-%u-%u", c->number,
                   digest_hex(&c->digest, hex), c->owner.mode & 07777u, c->owner.uid, c->owner.gid);
}

/* Only what stem_write wrote reads as a copy: it is written again and compared. */
static bool copy_parse(const char *name, struct copy *ret)
{
    struct copy c = {0};
    char hex[DIGEST_HEX + 1], wanted[STEM_TEXT + sizeof ".yaml"];
    unsigned mode, uid, gid;
    if (sscanf(name, "%10" SCNu64 "-%64[0-9a-f]-%4o-%10u-%10u.yaml", &c.number, hex, &mode, &uid,
               &gid) != 5 ||
        strlen(hex) != DIGEST_HEX || digest_parse(hex, &c.digest) < 0)
        return false;
    c.owner = (struct file_owner){.mode = mode, .uid = uid, .gid = gid};
    stem_write(&c);
    (void)snprintf(wanted, sizeof wanted, "%s.yaml", c.stem);
    *ret = c;
    return strcmp(wanted, name) == 0;
}

static char *folder_of(const char *pod)
{
    return mem_printf(KNOWN_GOOD_FOLDER "/%s", pod);
}

static int copies_list(const struct root *root, const char *folder, struct copies *ret,
                       struct err *e)
{
    struct file_status st;
    int code = file_status(root, folder, 0, &st, e);
    if (code < 0 || !st.exists)
        return code;
    OWNED(names_fini) struct names names = {0};
    code = folder_list(root, folder, &names, e);
    for (size_t i = names.count; code == 0 && i-- > 0;) {
        struct copy c;
        if (copy_parse(names.at[i], &c))
            *mem_push(ret->at, ret->count, ret->room) = c;
    }
    return code;
}

/* 0 with the bytes, or < 0 when the copy isn't what its name says. */
static int copy_read(const struct root *root, const char *folder, const struct copy *c,
                     struct buf *ret, struct err *e)
{
    OWNED(free) char *path = mem_printf("%s/%s.yaml", folder, c->stem);
    OWNED(buf_fini) struct buf bytes = {0};
    int code = file_read(root, path, 0, MANIFEST_BYTES_MAX, &bytes, e);
    if (code < 0)
        return code;
    struct digest found = digest_of(bytes.bytes, bytes.length);
    if (!digest_equal(&found, &c->digest))
        return err_set(e, -EBADMSG, "%s: its bytes don't have the digest in its name", path);
    *ret = bytes;
    bytes = (struct buf){0};
    return 0;
}

/* The newest verified copy with (wanted) or without (unwanted) a digest; both may be NULL. */
static int find(const struct root *root, const char *pod, const struct digest *wanted,
                const struct digest *unwanted, struct known_good *ret, struct err *e)
{
    OWNED(free) char *folder = folder_of(pod);
    OWNED(copies_fini) struct copies copies = {0};
    int code = copies_list(root, folder, &copies, e);
    if (code < 0)
        return code;
    for (size_t i = 0; i < copies.count; i++) {
        const struct copy *c = &copies.at[i];
        struct buf bytes = {0};
        if ((wanted && !digest_equal(wanted, &c->digest)) ||
            (unwanted && digest_equal(unwanted, &c->digest)) ||
            copy_read(root, folder, c, &bytes, NULL) < 0)
            continue;
        *ret = (struct known_good){.bytes = bytes, .digest = c->digest, .owner = c->owner};
        return 0;
    }
    return err_set(e, -ENOENT, "%s: no%s last known good manifest was kept", pod,
                   copies.count > 0 ? " such" : "");
}

int known_good_find(const struct root *root, const char *pod, const struct digest *except,
                    struct known_good *ret, struct err *e)
{
    return find(root, pod, NULL, except, ret, e);
}

int known_good_get(const struct root *root, const char *pod, const struct digest *digest,
                   struct known_good *ret, struct err *e)
{
    return find(root, pod, digest, NULL, ret, e);
}

void known_good_fini(struct known_good *k)
{
    buf_fini(&k->bytes);
    *k = (struct known_good){0};
}

/* How it came to be kept, beside the copy. */
static int story_write(struct hand *h, const char *folder, const struct copy *c, const char *pod,
                       const char *path, struct err *e)
{
    char hex[DIGEST_HEX + 1], wall[WALL_TEXT], boot[BOOT_ID_TEXT];
    OWNED(json_decref) json_t *story = json_object();
    json_put(story, "pod", json_string_or_null(pod));
    json_put(story, "path", json_string_or_null(path));
    json_put(story, "digest", json_string_or_null(digest_hex(&c->digest, hex)));
    json_put(story, "wall", json_string_or_null(clock_wall_text(wall)));
    json_put(story, "boot", json_string_or_null(clock_boot_id(boot)));
    json_put(story, "usec", json_integer((json_int_t)clock_boot_usec()));
    OWNED(free) char *text = json_canonical(story);
    OWNED(free) char *name = mem_printf("%s/%s.json", folder, c->stem);
    return file_replace(h->root, name, folder, text, strlen(text), NULL, e);
}

/* Keeps the newest KEPT of different digests; what can't be removed now is next time. */
static void prune(const struct root *root, const char *folder)
{
    OWNED(names_fini) struct names names = {0};
    (void)folder_list(root, folder, &names, NULL);
    for (size_t i = 0; i < names.count; i++) {
        OWNED(free) char *path = mem_printf("%s/%s", folder, names.at[i]);
        if (strncmp(names.at[i], FILE_TEMPORARY, strlen(FILE_TEMPORARY)) == 0)
            (void)file_remove(root, path, NULL); /* a crash's: we are the only writer here */
    }
    OWNED(copies_fini) struct copies copies = {0};
    if (copies_list(root, folder, &copies, NULL) < 0)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < copies.count; i++) {
        bool again = false;
        for (size_t newer = 0; newer < i; newer++)
            again |= digest_equal(&copies.at[newer].digest, &copies.at[i].digest);
        if (!again && kept++ < KEPT)
            continue;
        OWNED(free) char *yaml = mem_printf("%s/%s.yaml", folder, copies.at[i].stem);
        OWNED(free) char *json = mem_printf("%s/%s.json", folder, copies.at[i].stem);
        (void)file_remove(root, yaml, NULL);
        (void)file_remove(root, json, NULL);
    }
}

static int keep(struct hand *h, const char *pod, const char *path, const struct manifest *m,
                struct err *e)
{
    OWNED(free) char *folder = folder_of(pod);
    OWNED(copies_fini) struct copies copies = {0};
    int code = folder_make(h->root, folder, 0700, e);
    if (code == 0)
        code = copies_list(h->root, folder, &copies, e);
    if (code < 0)
        return code;
    OWNED(buf_fini) struct buf bytes = {0};
    if (copies.count > 0 && digest_equal(&copies.at[0].digest, &m->digest) &&
        copy_read(h->root, folder, &copies.at[0], &bytes, NULL) == 0)
        return 1;
    struct copy c = {.number = copies.count > 0 ? copies.at[0].number + 1 : 1,
                     .digest = m->digest,
                     .owner = m->owner};
    stem_write(&c);
    OWNED(free) char *name = mem_printf("%s/%s.yaml", folder, c.stem);
    code = story_write(h, folder, &c, pod, path, e);
    if (code == 0)
        code = file_create(h->root, name, folder, m->bytes.bytes, m->bytes.length, NULL, e);
    if (code == 0)
        prune(h->root, folder);
    return code;
}

enum outcome known_good_keep(struct hand *h, const char *pod, const char *path, const char *digest,
                             struct err *detail)
{
    OWNED(manifest_fini) struct manifest m = {0};
    struct digest wanted;
    if (digest_parse(digest, &wanted) < 0) {
        (void)err_set(detail, -EINVAL, "not a digest: \"%s\"", digest);
        return OUTCOME_FAILED;
    }
    int code = manifest_read(h->root, path, &m, detail);
    if (code < 0)
        return OUTCOME_FAILED;
    if (!m.exists || !digest_equal(&m.digest, &wanted)) {
        (void)err_set(detail, -ESTALE, "%s: is another one by now: not kept", path);
        return OUTCOME_REFUSED;
    }
    code = manifest_check(path, m.bytes.bytes, m.bytes.length, pod, detail);
    if (code < 0)
        return OUTCOME_REFUSED;
    code = keep(h, pod, path, &m, detail);
    if (code < 0)
        return OUTCOME_FAILED;
    (void)err_set(detail, 0, code == 0 ? "%s: kept as last known good" : "%s: is kept already",
                  path);
    return code == 0 ? OUTCOME_DONE : OUTCOME_ALREADY;
}
