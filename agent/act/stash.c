#include "act/stash.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char out_word[] = "out-", conflict_word[] = "conflict-";

/* Room that a conflict's name needs beyond that of what is out, so that whatever goes out can also
 * be set aside. */
enum { CONFLICT_ROOM = sizeof conflict_word - sizeof out_word + sizeof ".99" - 1 };

/* Absolute, no empty, "." or ".." part, no control characters. */
static bool target_is_plain(const char *target)
{
    if (target[0] != '/')
        return false;
    for (const char *at = target; *at == '/';) {
        at++;
        size_t length = strcspn(at, "/");
        if (length == 0 || (length == 1 && at[0] == '.') || (length == 2 && !strncmp(at, "..", 2)))
            return false;
        at += length;
    }
    for (const char *at = target; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return false;
    return true;
}

static bool escape(const char *target, char *text, size_t room)
{
    size_t length = 0;
    for (const char *at = target; *at != '\0'; at++) {
        const char one[2] = {*at == '/' ? '+' : *at, '\0'};
        const char *written = *at == '+' ? "%2b" : *at == '%' ? "%25" : one;
        size_t more = strlen(written);
        if (length + more >= room)
            return false;
        memcpy(text + length, written, more);
        length += more;
    }
    text[length] = '\0';
    return true;
}

static bool unescape(const char *text, char target[NAME_MAX + 1])
{
    size_t length = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (length == NAME_MAX || *at == '/') /* no name has one */
            return false;
        char c = *at == '+' ? '/' : *at;
        if (*at == '%') {
            if (strncmp(at, "%2b", 3) != 0 && strncmp(at, "%25", 3) != 0)
                return false;
            c = at[2] == 'b' ? '+' : '%';
            at += 2;
        }
        target[length++] = c;
    }
    target[length] = '\0';
    return true;
}

int stash_name(const char *target, const struct digest *d, unsigned conflict, char name[STASH_NAME],
               struct err *e)
{
    char escaped[STASH_NAME], hex[DIGEST_HEX + 1], made[2 * STASH_NAME];
    if (!target_is_plain(target))
        return err_set(e, -EINVAL, "%s: not an absolute path of plain names: can't be taken out",
                       target);
    if (!escape(target, escaped, sizeof escaped))
        return err_set(e, -ENAMETOOLONG, "%s: too long to be taken out", target);
    int length = snprintf(made, sizeof made, "%s%s-%s", conflict > 0 ? conflict_word : out_word,
                          digest_hex(d, hex), escaped);
    if (length > NAME_MAX - (conflict > 0 ? 0 : CONFLICT_ROOM))
        return err_set(e, -ENAMETOOLONG, "%s: too long to be taken out", target);
    if (conflict > 1)
        length += snprintf(made + length, sizeof made - (size_t)length, ".%u", conflict);
    if (length > NAME_MAX)
        return err_set(e, -ENAMETOOLONG, "%s: too long to be set aside", target);
    memcpy(name, made, (size_t)length + 1);
    return 0;
}

int stash_parse(const char *name, struct stash *ret)
{
    struct stash s = {.state = STASH_OUT};
    const char *at = name;
    if (strncmp(at, out_word, sizeof out_word - 1) == 0) {
        at += sizeof out_word - 1;
    } else if (strncmp(at, conflict_word, sizeof conflict_word - 1) == 0) {
        at += sizeof conflict_word - 1;
        s.state = STASH_CONFLICT;
    } else {
        return -EINVAL;
    }
    if (strnlen(at, DIGEST_HEX + 2) < DIGEST_HEX + 2 || at[DIGEST_HEX] != '-' ||
        digest_parse(at, &s.digest) < 0)
        return -EINVAL;
    if (!unescape(at + DIGEST_HEX + 1, s.target) || !target_is_plain(s.target))
        return -EINVAL;
    *ret = s;
    return 0;
}
