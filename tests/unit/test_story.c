/* record/story.h: every type has its sentence, and nothing hostile comes through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "record/story.h"

#define WALL "\"wall\":\"2026-11-21T04:31:41.123456789Z\""
#define HEAD "2026-11-21\n  04:31:41.123  "

static void told(struct story *s, const char *json, struct buf *out)
{
    struct err e;
    json_t *body = json_parse(json, strlen(json), &e);
    if (!body)
        fail_msg("%s: %s", json, e.text);
    struct record r = {.seq = 1, .file = "f", .line = 1, .body = body};
    story_add(s, &r, out);
    json_decref(body);
}

static const struct {
    const char *fields, *line; /* behind the time */
} sentences[] = {
    {"\"type\":\"genesis\",\"node\":\"master-1\"",
     "-             seen     the journal begins on master-1"},
    {"\"type\":\"segment\",\"previous\":\"0.jsonl\"",
     "-             seen     a new segment goes on from 0.jsonl"},
    {"\"type\":\"start\",\"version\":\"0.1.0\",\"mode\":\"enforce\",\"policy\":\"careful\","
     "\"scaled\":true",
     "-             seen     planeguard 0.1.0 starts, mode enforce, policy careful, with "
     "scaled "
     "times"},
    {"\"type\":\"stop\",\"why\":\"SIGTERM\"", "-             seen     planeguard stops: SIGTERM"},
    {"\"type\":\"config\",\"generation\":3,\"mode\":\"observe\"",
     "-             seen     configuration in force, generation 3, mode observe"},
    {"\"type\":\"config\",\"refused\":true,\"complaints\":[\"a.yaml:1:2: no\",\"b\"]",
     "-             why      configuration refused: a.yaml:1:2: no; b"},
    {"\"type\":\"signal\",\"signal\":\"apiserver-livez\",\"verdict\":\"fail\","
     "\"reason\":\"refused\",\"facts\":{\"status\":0,\"at\":\"127.0.0.1\"}",
     "-             seen     apiserver-livez fails: refused (status 0, at 127.0.0.1)"},
    {"\"type\":\"signal\",\"signal\":\"x\",\"verdict\":\"pass\",\"reason\":\"none\"",
     "-             seen     x passes"},
    {"\"type\":\"signal\",\"signal\":\"x\"", "-             seen     x is unknown"},
    {"\"type\":\"event\",\"event\":\"kill-switch\",\"ok\":true",
     "-             seen     the kill switch is pulled"},
    {"\"type\":\"incident\",\"incident\":\"i-7\",\"failure\":\"apiserver-down\","
     "\"from\":\"none\",\"to\":\"suspected\",\"why\":\"livez fails\"",
     "i-7           seen     apiserver-down -> suspected: livez fails"},
    {"\"type\":\"incident\",\"incident\":\"i-7\",\"failure\":\"apiserver-down\","
     "\"from\":\"verifying\",\"to\":\"resolved\"",
     "i-7           proven   apiserver-down: verifying -> resolved"},
    {"\"type\":\"incident\",\"incident\":\"i-7\",\"failure\":\"d\",\"from\":\"planned\","
     "\"to\":\"held\",\"why\":\"window\"",
     "i-7           why      d: planned -> held: window"},
    {"\"type\":\"plan\",\"incident\":\"i-7\",\"playbook\":\"restart-apiserver\","
     "\"digest\":\"0123456789abcdef0123\",\"dry\":true,"
     "\"steps\":[{\"name\":\"keep\"},{\"name\":\"restart\"}]",
     "i-7           decided  plan of 2 steps by restart-apiserver, digest 0123456789ab, to go "
     "through it only: keep; restart"},
    {"\"type\":\"guard\",\"incident\":\"i-7\",\"playbook\":\"p\",\"verdict\":\"deny\","
     "\"guards\":[{\"guard\":\"mode\",\"verdict\":\"allow\"},{\"guard\":\"window\","
     "\"verdict\":\"deny\",\"saw\":\"04:31\",\"wants\":\"22:00\"}]",
     "i-7           why      the guards say deny to p; window (deny) saw 04:31, wants 22:00"},
    {"\"type\":\"guard\",\"incident\":\"i-7\",\"playbook\":\"p\",\"verdict\":\"allow\","
     "\"guards\":[]",
     "i-7           decided  the guards say allow to p"},
    {"\"type\":\"intent\",\"incident\":\"i-7\",\"step\":\"restart it\","
     "\"kind\":\"static-pod.restart\",\"attempt\":2",
     "i-7           done     begins \"restart it\" (static-pod.restart), attempt 2"},
    {"\"type\":\"intent\",\"step\":\"s\",\"dry\":true", "-             done     would begin \"s\""},
    {"\"type\":\"effect\",\"effect\":{\"what\":\"moved\",\"path\":\"/a\",\"to\":\"/b\"}",
     "-             done     moved /a to /b"},
    {"\"type\":\"effect\",\"effect\":{\"what\":\"ran\",\"argv\":[\"/bin/"
     "x\",\"-y\"],\"exit\":0}",
     "-             done     ran: x -y, exit 0"},
    {"\"type\":\"effect\",\"effect\":{\"what\":\"ran\",\"argv\":[\"/usr/bin/crictl\",\"--timeout\","
     "\"10s\",\"rm\",\"-f\",\"3c7b9c2ef6cbfe1483a6c1c6bb6aa7eedacfcc16965739439c1986c54a82fe39\"],"
     "\"exit\":0}",
     "-             done     ran: crictl rm -f 3c7b9c2ef6cb, exit 0"},
    {"\"type\":\"signal\",\"signal\":\"x\",\"verdict\":\"pass\",\"reason\":\"none\","
     "\"detail\":\"HTTP 200\",\"facts\":{\"status\":200}",
     "-             seen     x passes, HTTP 200"},
    {"\"type\":\"effect\",\"effect\":{\"what\":\"moved\",\"path\":\"/a\",\"to\":"
     "\"/out-3c7b9c2ef6cbfe1483a6c1c6bb6aa7eedacfcc16965739439c1986c54a82fe39-+a\","
     "\"before\":\"3c7b9c2ef6cbfe14\",\"after\":\"3c7b9c2ef6cbfe14\"}",
     "-             done     moved /a to /out-3c7b9c2ef6cb-+a"},
    {"\"type\":\"effect\",\"effect\":{\"what\":\"armed\",\"path\":\"/b\"}",
     "-             done     a dead-man is armed, which would put back /b"},
    {"\"type\":\"event\",\"event\":\"journal\",\"ok\":false,\"detail\":\"disk full\"",
     "-             seen     the journal can't be written: disk full"},
    {"\"type\":\"result\",\"of\":\"step\",\"index\":1,\"outcome\":\"done\"",
     "-             done     step 2: done"},
    {"\"type\":\"result\",\"step\":\"restart\",\"of\":\"step\",\"outcome\":\"done\","
     "\"detail\":\"new container\",\"tookUsec\":3500000",
     "-             done     step \"restart\": done, new container, took 3s"},
    {"\"type\":\"result\",\"of\":\"verify\",\"outcome\":\"proven\",\"detail\":\"livez passes\"",
     "-             proven   verify: proven, livez passes"},
    {"\"type\":\"result\",\"of\":\"verify\",\"outcome\":\"failed\"",
     "-             why      verify: failed"},
    {"\"type\":\"escalate\",\"failure\":\"etcd-down\",\"why\":\"no playbook is left\","
     "\"advice\":\"look\"",
     "-             why      a person is called for etcd-down: no playbook is left; advice: "
     "look"},
    {"\"type\":\"recover\",\"putBack\":1,\"conflicts\":0",
     "-             done     recovery, put back: 1, conflicts: 0"},
    {"\"type\":\"clock-jump\",\"byUsec\":-90000000",
     "-             seen     the wall clock jumped back by 1m30s"},
    {"\"type\":\"degraded\",\"dropped\":3",
     "-             seen     the journal couldn't be written, 3 records are lost"},
    {"\"type\":\"approval\",\"detail\":\"by root\"", "-             decided  approval: by root"},
    {"\"type\":\"undo\",\"playbook\":\"p\"",
     "-             done     takes back what was done by p"},
    {"\"type\":\"seal\"", "-             seen     seal"},
    {"\"type\":\"of tomorrow\"", "-             seen     of tomorrow"},
};

static void test_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
        struct story s = {0};
        struct buf out = {0};
        char *json = mem_printf("{%s," WALL "}", sentences[i].fields);
        char *expected = mem_printf(HEAD "%s\n", sentences[i].line);
        told(&s, json, &out);
        assert_string_equal(buf_string(&out), expected);
        free(json);
        free(expected);
        buf_fini(&out);
    }
}

static void test_bookkeeping(void **state)
{
    (void)state;
    static const char *const events[] = {"start", "wake", "looked"};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct story s = {0};
        struct buf out = {0};
        char *json = mem_printf("{\"type\":\"event\",\"event\":\"%s\"," WALL "}", events[i]);
        told(&s, json, &out);
        assert_int_equal(out.length, 0);
        assert_string_equal(s.day, "");
        free(json);
        buf_fini(&out);
    }
}

#define BELOW "                         "

static void test_width(void **state)
{
    (void)state;
    static const struct {
        const char *why, *lines;
    } cases[] = {
        {"SIGTERM", "planeguard stops: SIGTERM\n"},
        {"a person asked for it", "planeguard stops: a\n" BELOW "person asked for it\n"},
        {"0000000000000000000000000000000000000000",
         "planeguard stops:\n" BELOW "0000000000000000000000000\n" BELOW "000000000000000\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s = {.one = true, .width = 50};
        struct buf out = {0};
        char *json = mem_printf("{\"type\":\"stop\",\"why\":\"%s\"," WALL "}", cases[i].why);
        told(&s, json, &out);
        char *expected = mem_printf(HEAD "seen     %s", cases[i].lines);
        assert_string_equal(buf_string(&out), expected);
        free(expected);
        free(json);
        buf_fini(&out);
    }
}

static void test_days(void **state)
{
    (void)state;
    struct story s = {0};
    struct buf out = {0};
    told(&s, "{\"type\":\"seal\"," WALL "}", &out);
    told(&s, "{\"type\":\"seal\"," WALL "}", &out);
    told(&s, "{\"type\":\"seal\",\"wall\":\"2026-11-22T00:00:00.000000000Z\"}", &out);
    told(&s, "{\"type\":\"seal\",\"wall\":\"soon\"}", &out);
    assert_string_equal(buf_string(&out), HEAD "-             seen     seal\n"
                                               "  04:31:41.123  -             seen     seal\n"
                                               "\n2026-11-22\n"
                                               "  00:00:00.000  -             seen     seal\n"
                                               "\n(no date)\n"
                                               "  (no time)  -             seen     seal\n");
    buf_fini(&out);
}

static void test_colour(void **state)
{
    (void)state;
    struct story s = {.colour = true};
    struct buf out = {0};
    told(&s, "{\"type\":\"stop\"," WALL "}", &out);
    assert_string_equal(buf_string(&out), "\033[1m2026-11-21\033[0m\n  04:31:41.123  -           "
                                          "  \033[36mseen   \033[0m  planeguard stops\n");
    buf_fini(&out);
}

/* A hostile value in every member that any sentence looks at, of every type. */
static void test_hostile(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "incident", "signal",  "verdict", "reason",   "detail", "event",   "failure",
        "from",     "to",      "why",     "playbook", "digest", "step",    "kind",
        "what",     "path",    "before",  "after",    "of",     "outcome", "advice",
        "mode",     "version", "policy",  "previous", "node",   "wall",    "tornFile",
    };
    static const char hostile[] =
        "\x1b]0;x\x07\x1b[2J\r\n\t\x7f\xc2\x9b\xe2\x80\xae\xf0\x9f\x98\x80%s%n";
    char *longer = mem_alloc(100 * sizeof hostile);
    for (int i = 0; i < 100; i++)
        strcat(longer, hostile);
    for (int type = 0; type <= RECORD_COUNT_; type++)
        for (int form = 0; form < 3; form++) {
            json_t *body = json_object(), *inner = json_object(), *list = json_array(),
                   *words = json_array();
            for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
                json_put(body, keys[i], json_string(longer));
                json_put(inner, keys[i], json_string(longer));
            }
            json_put(inner, longer, json_string(longer));
            json_put(inner, "name", json_string(longer));
            for (int i = 0; i < 20; i++)
                json_push(words, json_string(longer));
            json_put(inner, "argv", words);
            for (int i = 0; i < 20; i++)
                json_push(list, i % 2 ? json_string(longer) : json_copy(inner));
            json_t *odd = form == 0   ? json_incref(inner)
                          : form == 1 ? json_incref(list)
                                      : json_integer(INT64_MIN);
            static const char *const structured[] = {"facts",  "steps",    "guards",
                                                     "effect", "advice",   "complaints",
                                                     "byUsec", "tookUsec", "dropped"};
            for (size_t i = 0; i < sizeof structured / sizeof *structured; i++)
                if (form)
                    json_put(body, structured[i], json_incref(odd));
            json_put(body, form ? "x" : "facts", json_incref(odd));
            json_put(body, form ? "x" : "effect", json_incref(odd));
            json_put(body, "type",
                     json_string(type < RECORD_COUNT_ ? words_name(&record_words, type) : longer));
            struct record r = {.body = body};
            struct story s = {0};
            struct buf out = {0};
            story_add(&s, &r, &out);
            int lines = 0;
            for (size_t i = 0; i < out.length; i++) {
                lines += out.bytes[i] == '\n';
                assert_true(out.bytes[i] == '\n' || (out.bytes[i] >= 0x20 && out.bytes[i] < 0x7f));
            }
            assert_int_equal(lines, 2);
            assert_true(out.length < 16 * 1024);
            buf_fini(&out);
            json_decref(body);
            json_decref(list);
            json_decref(inner);
            json_decref(odd);
        }
    free(longer);
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t most;
        const char *out, *cut;
    } cases[] = {
        {"", 5, "", ""},
        {"abc", 3, "abc", "abc"},
        {"abcd", 3, "abc...", "abc"},
        {"a\nb\tc", 9, "a b c", "a b c"},
        {"\x1b\x7f", 99, "\\u{1b}\\u{7f}", "\\u{1b}\\u{7f}"},
        {"\xc3\xa9\xe2\x80\xae\xf0\x9f\x98\x80", 99, "\\u{e9}\\u{202e}\\u{1f600}",
         "\\u{e9}\\u{202e}\\u{1f600}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0}, cut = {0};
        story_text(&out, cases[i].in, cases[i].most);
        story_text_cut(&cut, cases[i].in, cases[i].most);
        assert_string_equal(buf_string(&out), cases[i].out);
        assert_string_equal(buf_string(&cut), cases[i].cut);
        buf_fini(&out);
        buf_fini(&cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences), cmocka_unit_test(test_bookkeeping),
        cmocka_unit_test(test_width),     cmocka_unit_test(test_days),
        cmocka_unit_test(test_colour),    cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_text),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
