/* Redaction twice is redaction once. A record is redacted, and so is what the core decided on it:
 * were the two not the same, a journal could not be decided again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/secret.h"

static void must_stay(const char *text)
{
    struct buf once = {0}, twice = {0};
    secret_redact(text, strlen(text), &once);
    secret_redact(buf_string(&once), once.length, &twice);
    if (strcmp(buf_string(&once), buf_string(&twice)) != 0)
        fail_msg("%s\nonce:  %s\ntwice: %s", text, buf_string(&once), buf_string(&twice));
    buf_fini(&once);
    buf_fini(&twice);
}

static void known_texts_stay(void **state)
{
    static const char *const texts[] = {
        "",
        "token: abcdef",
        "token: (withheld)",
        "(token=abc)def",
        "password: \"a b\"; secret=/etc/file, --api-key=x",
        "Authorization: Bearer abc.def, then",
        "https://user:pw@host/path?token=1&x=2",
        "- name: DB_PASSWORD\n  value: abc\n  value: def",
        "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\nrest",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        must_stay(texts[i]);
}

/* What stands behind a mark that somebody else wrote is still withheld. */
static void a_false_mark_hides_nothing(void **state)
{
    (void)state;
    struct buf out = {0};
    static const char text[] = "token: (withheld)hunter2 and more";
    secret_redact(text, strlen(text), &out);
    assert_string_equal(buf_string(&out), "token: (withheld) and more");
    buf_fini(&out);
}

/* Texts of all the pieces that redaction knows, in any order; the same ones in every run. */
static void any_text_stays(void **state)
{
    static const char *const pieces[] = {
        "token",
        "password",
        "name",
        "value",
        ":",
        "=",
        " ",
        "\"",
        "'",
        "\\",
        ",",
        ")",
        "(",
        "\n",
        "/",
        "://",
        "@",
        "a",
        "b.c",
        "eyJ",
        "}",
        ";",
        "bearer",
        "eyJhbGciOiJIUzI1NiJ9abcdef",
        "(withheld)",
        "(withhe",
        "-----BEGIN ",
        "-----END ",
        "PRIVATE KEY-----",
        "0123456789012345678901234567890123456789",
    };
    enum { PIECES = sizeof pieces / sizeof *pieces };
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char text[1024] = "";
        size_t length = 0;
        for (int i = 0; i < 16; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            const char *piece = pieces[(seed >> 33) % PIECES];
            memcpy(text + length, piece, strlen(piece) + 1);
            length += strlen(piece);
        }
        must_stay(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_stay),
        cmocka_unit_test(a_false_mark_hides_nothing),
        cmocka_unit_test(any_text_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
