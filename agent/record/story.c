#include "record/story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/tell.h"

/* ---- encoding ---- */

/* The code point at `s` (valid UTF-8, as all of jansson's strings) and its length. */
static size_t point_at(const unsigned char *s, uint32_t *ret)
{
    static const struct {
        unsigned char lead, mask;
        size_t length;
    } forms[] = {{0xf0, 0x07, 4}, {0xe0, 0x0f, 3}, {0xc0, 0x1f, 2}, {0x00, 0x7f, 1}};
    size_t f = 0;
    while (s[0] < forms[f].lead)
        f++;
    uint32_t point = s[0] & forms[f].mask;
    size_t length = 1;
    while (length < forms[f].length && (s[length] & 0xc0) == 0x80)
        point = point << 6 | (s[length++] & 0x3fU);
    *ret = point;
    return length;
}

/* At most `most` bytes of it (an escape may overrun), then `mark`. */
static void put(struct buf *out, const char *text, size_t most, const char *mark)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t from = out->length; *at;) {
        uint32_t point;
        size_t length = point_at(at, &point);
        if (out->length - from >= most) {
            buf_text(out, mark);
            return;
        }
        if (point >= 0x20 && point < 0x7f)
            buf_add(out, at, 1);
        else if (point == '\n' || point == '\t' || point == '\r')
            buf_text(out, " ");
        else
            buf_printf(out, "\\u{%" PRIx32 "}", point);
        at += length;
    }
}

void story_text(struct buf *out, const char *text, size_t most)
{
    put(out, text, most, "...");
}

void story_text_cut(struct buf *out, const char *text, size_t most)
{
    put(out, text, most, "");
}

/* ---- the line ---- */

static const struct {
    const char *word, *colour;
} colours[] = {
    {"seen", "\033[36m"}, {"decided", "\033[34m"}, {"why", "\033[33m"},
    {"done", "\033[35m"}, {"proven", "\033[32m"},
};

static const char *colour_of(const struct story *s, const char *word)
{
    for (size_t i = 0; s->colour && i < sizeof colours / sizeof *colours; i++)
        if (!strcmp(colours[i].word, word))
            return colours[i].colour;
    return "";
}

static void add_day(struct story *s, const char *wall, struct buf *out)
{
    char day[sizeof s->day];
    (void)snprintf(day, sizeof day, "%.10s", wall);
    if (!strcmp(day, s->day))
        return;
    buf_text(out, *s->day ? "\n" : "");
    memcpy(s->day, day, sizeof day);
    buf_text(out, s->colour ? "\033[1m" : "");
    story_text(out, day, sizeof day);
    buf_text(out, s->colour ? "\033[0m\n" : "\n");
}

/* `text` with newlines where it gets wider than `width`, at spaces where there are any. */
static void add_wrapped(struct buf *out, const char *text, size_t column, size_t width)
{
    size_t room = width > column + 20 ? width - column : SIZE_MAX;
    size_t length = strlen(text);
    while (length > room) {
        size_t at = room;
        while (at > room / 2 && text[at] != ' ')
            at--;
        bool is_space = text[at] == ' ';
        at = is_space ? at : room;
        buf_add(out, text, at);
        buf_printf(out, "\n%*s", (int)column, "");
        text += at + is_space;
        length -= at + is_space;
    }
    buf_text(out, text);
}

static void add_line(struct story *s, const struct record *r, const char *word,
                     const char *sentence, struct buf *out)
{
    const char *wall = json_get_string(r->body, "wall", "");
    /* "2026-11-21T04:31:41.123456789Z": the date, and the time to the millisecond. */
    bool has_time = strlen(wall) > 23;
    add_day(s, has_time ? wall : "(no date)", out);
    size_t from = out->length;
    buf_text(out, "  ");
    story_text_cut(out, has_time ? wall + 11 : "(no time)", 12);
    buf_text(out, "  ");
    if (!s->one) {
        size_t at = out->length;
        story_text(out, json_get_string(r->body, "incident", "-"), 40);
        while (out->length - at < 12)
            buf_text(out, " ");
        buf_text(out, "  ");
    }
    size_t column = out->length - from + 9;
    const char *colour = colour_of(s, word);
    buf_printf(out, "%s%-7s%s  ", colour, word, *colour ? "\033[0m" : "");
    add_wrapped(out, sentence, column, s->width);
    buf_text(out, "\n");
}

void story_add(struct story *s, const struct record *r, struct buf *out)
{
    struct buf sentence = {0};
    const char *word = tell(r->body, &sentence);
    if (word)
        add_line(s, r, word, buf_string(&sentence), out);
    buf_fini(&sentence);
}
