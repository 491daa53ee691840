/* Common lines at both ends are set apart, then the middle is compared by the longest common
 * subsequence's table. */
#include "act/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/secret.h"

enum { TABLE_CELLS_MAX = 1 << 20, SHOWN_LINE_MAX = 1024 };

struct text {
    struct buf shown; /* with secrets withheld, line by line as the real one */
    const char **real, **shown_at;
    size_t *real_length, *shown_length;
    size_t count;
};

/* One line of the result. */
struct edit {
    char sign; /* ' ', '-', '+' */
    size_t a, b;
};

struct edits {
    struct edit *at;
    size_t count, room;
};

static size_t lines_count(const char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += bytes[i] == '\n' || i + 1 == length;
    return count;
}

static void lines_split(const char *bytes, size_t length, size_t count, const char **at,
                        size_t *lengths)
{
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        const char *end = memchr(bytes + from, '\n', length - from);
        size_t to = end ? (size_t)(end - bytes) : length;
        at[i] = bytes + from;
        lengths[i] = to - from;
        from = to + 1;
    }
}

static void text_init(struct text *t, const char *bytes, size_t length)
{
    *t = (struct text){.count = lines_count(bytes, length)};
    secret_redact(bytes, length, &t->shown);
    t->real = mem_array(const char *, t->count + 1);
    t->shown_at = mem_array(const char *, t->count + 1);
    t->real_length = mem_array(size_t, t->count + 1);
    t->shown_length = mem_array(size_t, t->count + 1);
    lines_split(bytes, length, t->count, t->real, t->real_length);
    lines_split(buf_string(&t->shown), t->shown.length, t->count, t->shown_at, t->shown_length);
}

static void text_fini_owned(struct text *t)
{
    buf_fini(&t->shown);
    free(t->real);
    free(t->shown_at);
    free(t->real_length);
    free(t->shown_length);
}

static void edits_fini_owned(struct edits *e)
{
    free(e->at);
}

static bool line_equal(const struct text *a, size_t i, const struct text *b, size_t j)
{
    return a->real_length[i] == b->real_length[j] &&
           memcmp(a->real[i], b->real[j], a->real_length[i]) == 0;
}

static void edit_add(struct edits *e, char sign, size_t a, size_t b)
{
    *mem_push(e->at, e->count, e->room) = (struct edit){sign, a, b};
}

/* The table of the longest common subsequences' lengths of all ends of the two middles [from, end);
 * NULL when it would be too large, or one of them is empty. */
static uint32_t *table_make(const struct text *a, size_t n, const struct text *b, size_t m,
                            size_t from)
{
    size_t width = m + 1;
    if (n == 0 || m == 0 || n >= TABLE_CELLS_MAX / width)
        return NULL;
    uint32_t *table = mem_array(uint32_t, (n + 1) * width);
    for (size_t r = n; r-- > 0;)
        for (size_t c = m; c-- > 0;) {
            uint32_t down = table[(r + 1) * width + c], right = table[r * width + c + 1];
            if (line_equal(a, from + r, b, from + c))
                table[r * width + c] = table[(r + 1) * width + c + 1] + 1;
            else
                table[r * width + c] = down > right ? down : right;
        }
    return table;
}

/* The middles [from, a_end) and [from, b_end). */
static void middle_compare(const struct text *a, size_t a_end, const struct text *b, size_t b_end,
                           size_t from, struct edits *e)
{
    size_t n = a_end - from, m = b_end - from, i = 0, j = 0;
    OWNED(free) uint32_t *table = table_make(a, n, b, m, from);
    while (table && i < n && j < m) {
        const uint32_t *here = &table[i * (m + 1) + j];
        if (line_equal(a, from + i, b, from + j)) {
            edit_add(e, ' ', from + i++, from + j++);
        } else if (here[m + 1] >= here[1]) { /* below, beside */
            edit_add(e, '-', from + i, from + j);
            i++;
        } else {
            edit_add(e, '+', from + i, from + j);
            j++;
        }
    }
    for (; i < n; i++)
        edit_add(e, '-', from + i, from + j);
    for (; j < m; j++)
        edit_add(e, '+', from + i, from + j);
}

static void compare(const struct text *a, const struct text *b, struct edits *e)
{
    size_t head = 0, a_end = a->count, b_end = b->count;
    while (head < a_end && head < b_end && line_equal(a, head, b, head)) {
        edit_add(e, ' ', head, head);
        head++;
    }
    while (a_end > head && b_end > head && line_equal(a, a_end - 1, b, b_end - 1))
        a_end--, b_end--;
    middle_compare(a, a_end, b, b_end, head, e);
    for (; a_end < a->count; a_end++, b_end++)
        edit_add(e, ' ', a_end, b_end);
}

/* The end of the hunk that begins at `from`: context behind the last change that is near enough. */
static size_t hunk_end(const struct edits *e, size_t from)
{
    size_t last = from, at = from;
    for (; at < e->count && at <= last + 2 * DIFF_CONTEXT; at++)
        if (e->at[at].sign != ' ')
            last = at;
    size_t end = last + DIFF_CONTEXT + 1;
    return end < e->count ? end : e->count;
}

static void hunk_write(const struct edits *e, size_t from, size_t to, const struct text *a,
                       const struct text *b, struct buf *out)
{
    size_t removed = 0, added = 0;
    for (size_t i = from; i < to; i++) {
        removed += e->at[i].sign != '+';
        added += e->at[i].sign != '-';
    }
    buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", e->at[from].a + (removed > 0), removed,
               e->at[from].b + (added > 0), added);
    for (size_t i = from; i < to; i++) {
        const struct text *t = e->at[i].sign == '+' ? b : a;
        size_t line = e->at[i].sign == '+' ? e->at[i].b : e->at[i].a;
        size_t length = t->shown_length[line];
        buf_add(out, &e->at[i].sign, 1);
        buf_add(out, t->shown_at[line], length < SHOWN_LINE_MAX ? length : SHOWN_LINE_MAX);
        buf_text(out, length < SHOWN_LINE_MAX ? "\n" : " ... (line cut)\n");
    }
}

char *diff_unified(const char *path, const char *before, size_t before_length, const char *after,
                   size_t after_length)
{
    if (before && before_length == after_length && memcmp(before, after, after_length) == 0)
        return mem_strdup("");
    OWNED(text_fini) struct text a = {0}, b = {0};
    OWNED(edits_fini) struct edits edits = {0};
    text_init(&a, before ? before : "", before ? before_length : 0);
    text_init(&b, after, after_length);
    compare(&a, &b, &edits);
    struct buf out = {.limit = DIFF_BYTES_MAX};
    buf_printf(&out, "--- %s%s\n+++ b%s\n", before ? "a" : "/dev/null", before ? path : "", path);
    bool changed = false;
    for (size_t at = 0; at < edits.count && !out.truncated;) {
        if (edits.at[at].sign == ' ') {
            at++;
            continue;
        }
        size_t from = at > DIFF_CONTEXT ? at - DIFF_CONTEXT : 0, to = hunk_end(&edits, at);
        hunk_write(&edits, from, to, &a, &b, &out);
        changed = true;
        at = to;
    }
    bool cut = out.truncated;
    out.limit = 0;
    if (cut)
        buf_text(&out, "\n... (the rest is cut)\n");
    else if (!changed)
        buf_text(&out, "\\ only the newline at the end of the file differs\n");
    return buf_take(&out);
}
