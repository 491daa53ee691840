#include "config/yaml_builder.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"

void builder_refuse(struct yaml_builder *b, const struct yaml *at, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct err e;
    (void)yaml_error(at, &e, "%s", text);
    errors_add(b->errors, &e);
    b->refused = true;
}

/* What our own documents may not have, and what makes others' ones odd. */
#define refuse_or_odd(b, ...)                                                                      \
    do {                                                                                           \
        (b)->odd = true;                                                                           \
        if (!(b)->foreign)                                                                         \
            builder_refuse((b), __VA_ARGS__);                                                      \
    } while (0)

static struct yaml *node_new(struct yaml_builder *b, enum yaml_kind kind, const yaml_event_t *event)
{
    struct yaml *y = pool_new_of(b->pool, struct yaml);
    y->kind = kind;
    y->file = b->file;
    y->line = (unsigned)event->start_mark.line + 1;
    y->column = (unsigned)event->start_mark.column + 1;
    y->offset = yaml_offset(&b->offsets, event->start_mark.index);
    y->end_offset = yaml_offset(&b->offsets, event->end_mark.index);
    return y;
}

static void check_key(struct yaml_builder *b, struct yaml *key)
{
    if (key->kind != YAML_SCALAR_KIND) {
        key->text = "";
        refuse_or_odd(b, key, "a %s as a key, expected a word",
                      key->kind == YAML_MAPPING_KIND ? "mapping" : "list");
    } else if (!key->quoted && !strcmp(key->text, "<<")) {
        refuse_or_odd(b, key, "a merge key (<<), which documents may not have: write it out");
    } else if (!*key->text) {
        refuse_or_odd(b, key, "an empty key, expected a word");
    }
}

static int attach(struct yaml_builder *b, struct yaml *y)
{
    if (++b->nodes > YAML_NODES_MAX) {
        builder_refuse(b, y, "more than %d nodes, expected a smaller file: split it",
                       YAML_NODES_MAX);
        return -EINVAL;
    }
    if (!b->depth) {
        b->root = y;
        return 0;
    }
    struct yaml_frame *f = &b->stack[b->depth - 1];
    if (f->node->kind == YAML_MAPPING_KIND && !f->key) {
        check_key(b, y);
        f->key = y;
        return 0;
    }
    y->key = TAKE(f->key);
    if (f->last)
        f->last->next = y;
    else
        f->node->first = y;
    f->last = y;
    f->node->count++;
    return 0;
}

static void check_properties(struct yaml_builder *b, const struct yaml *y,
                             const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        refuse_or_odd(b, y, "an anchor (&%.64s), which documents may not have: write it out",
                      (const char *)anchor);
    if (tag)
        refuse_or_odd(b, y, "a tag (%.64s), which documents may not have: leave it out",
                      (const char *)tag);
}

static int on_scalar(struct yaml_builder *b, const yaml_event_t *event)
{
    struct yaml *y = node_new(b, YAML_SCALAR_KIND, event);
    const char *value = (const char *)event->data.scalar.value;
    y->text = pool_strndup(b->pool, value, event->data.scalar.length);
    y->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (strlen(y->text) != event->data.scalar.length)
        builder_refuse(b, y, "text with a NUL in it, expected text without");
    check_properties(b, y, event->data.scalar.anchor, event->data.scalar.tag);
    return attach(b, y);
}

static int on_alias(struct yaml_builder *b, const yaml_event_t *event)
{
    struct yaml *y = node_new(b, YAML_SCALAR_KIND, event);
    y->text = "";
    refuse_or_odd(b, y, "an alias (*%.64s), which documents may not have: write it out",
                  (const char *)event->data.alias.anchor);
    return attach(b, y);
}

static int on_begin(struct yaml_builder *b, const yaml_event_t *event)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    struct yaml *y = node_new(b, mapping ? YAML_MAPPING_KIND : YAML_SEQUENCE_KIND, event);
    if (mapping)
        check_properties(b, y, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    else
        check_properties(b, y, event->data.sequence_start.anchor, event->data.sequence_start.tag);
    if (b->depth == YAML_DEPTH_MAX) {
        builder_refuse(b, y, "nested more than %d levels deep, expected a flatter document",
                       YAML_DEPTH_MAX);
        return -EINVAL;
    }
    int result = attach(b, y);
    if (result < 0)
        return result;
    b->stack[b->depth++] = (struct yaml_frame){.node = y};
    return 0;
}

static int by_key(const void *x, const void *y)
{
    const struct yaml *const *left = x, *const *right = y;
    int order = strcmp((*left)->key->text, (*right)->key->text);
    return order ? order : ((*left)->key->offset > (*right)->key->offset ? 1 : -1);
}

static void refuse_duplicate(struct yaml_builder *b, const struct yaml *first,
                             const struct yaml *again)
{
    char found[YAML_FOUND];
    refuse_or_odd(b, again->key, "the key %s again, it is already in line %u: remove one",
                  yaml_found(again->key, found), first->key->line);
}

/* Sorting pays only for big mappings: those that hostile input has. */
static void check_duplicates_sorted(struct yaml_builder *b, const struct yaml *mapping)
{
    OWNED(free) const struct yaml **all = mem_array(const struct yaml *, mapping->count);
    size_t n = 0;
    yaml_each (child, mapping)
        all[n++] = child;
    qsort(all, n, sizeof *all, by_key);
    for (size_t i = 1; i < n; i++)
        if (!strcmp(all[i - 1]->key->text, all[i]->key->text))
            refuse_duplicate(b, all[i - 1], all[i]);
}

enum { FEW_KEYS = 24 };

static void check_duplicates(struct yaml_builder *b, const struct yaml *mapping)
{
    if (mapping->count > FEW_KEYS) {
        check_duplicates_sorted(b, mapping);
        return;
    }
    yaml_each (child, mapping) {
        for (const struct yaml *before = mapping->first; before != child; before = before->next) {
            if (strcmp(before->key->text, child->key->text) != 0)
                continue;
            refuse_duplicate(b, before, child);
            break;
        }
    }
}

static void on_end(struct yaml_builder *b, const yaml_event_t *event)
{
    assert(b->depth);
    const struct yaml_frame *f = &b->stack[--b->depth];
    if (f->node->kind == YAML_MAPPING_KIND)
        check_duplicates(b, f->node);
    /* A block collection's end event stands only before the next token: behind it are blank
     * lines and comments that aren't part of it. A flow one ends with its bracket. */
    bool flow = event->start_mark.index != event->end_mark.index;
    if (flow)
        f->node->end_offset = yaml_offset(&b->offsets, event->end_mark.index);
    else if (f->last)
        f->node->end_offset = f->last->end_offset;
}

static void on_document_start(struct yaml_builder *b, const yaml_event_t *event)
{
    b->root = NULL;
    b->refused = b->odd = false;
    const bool directives = event->data.document_start.version_directive ||
                            event->data.document_start.tag_directives.start !=
                                event->data.document_start.tag_directives.end;
    if (directives) {
        const struct yaml *at = node_new(b, YAML_SCALAR_KIND, event);
        refuse_or_odd(b, at, "a directive (%%), which documents may not have: leave it out");
    }
}

static void on_document_end(struct yaml_builder *b)
{
    bool empty = !b->root || (b->root->kind == YAML_SCALAR_KIND && !b->root->quoted &&
                              !*b->root->text && !b->odd);
    if (empty || b->refused)
        return;
    b->root->odd = b->odd;
    *b->tail = b->root;
    b->tail = &b->root->next;
}

int builder_take(struct yaml_builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_STREAM_START_EVENT:
        if (event->data.stream_start.encoding == YAML_UTF8_ENCODING)
            return 0;
        builder_refuse(b, &(struct yaml){.file = b->file, .line = 1, .column = 1},
                       "UTF-16, expected UTF-8: save the file as UTF-8");
        return -EINVAL;
    case YAML_DOCUMENT_START_EVENT:
        on_document_start(b, event);
        return 0;
    case YAML_DOCUMENT_END_EVENT:
        on_document_end(b);
        return 0;
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event);
    case YAML_ALIAS_EVENT:
        return on_alias(b, event);
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return on_begin(b, event);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        on_end(b, event);
        return 0;
    case YAML_NO_EVENT:
    case YAML_STREAM_END_EVENT:
        return 0;
    }
    return 0;
}
