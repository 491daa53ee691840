#include "config/yaml.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/mem.h"
#include "base/own.h"
#include "config/yaml_place.h"

/* A collection that is being read. */
struct frame {
    struct yaml *node;
    struct yaml *last; /* child */
    struct yaml *key;  /* waits for its value */
};

struct reader {
    yaml_parser_t parser;
    struct yaml_offsets offsets;
    struct pool *pool;
    const char *file;
    bool foreign;
    struct errors *errors;
    struct frame stack[YAML_DEPTH_MAX];
    size_t depth, nodes;
    struct yaml *root; /* of the document that is being read */
    bool refused, odd; /* so is that document */
    struct yaml *documents, **tail;
};

static inline void parser_fini_owned(struct reader *r)
{
    yaml_parser_delete(&r->parser);
    yaml_offsets_fini(&r->offsets);
}

static inline void event_fini_owned(yaml_event_t *event)
{
    yaml_event_delete(event);
}

/* Complains of the document that is being read: it won't be among the results. */
static void refuse(struct reader *r, const struct yaml *at, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

static void refuse(struct reader *r, const struct yaml *at, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct err e;
    (void)yaml_error(at, &e, "%s", text);
    errors_add(r->errors, &e);
    r->refused = true;
}

/* What our own documents may not have, and what makes others' ones odd. */
#define refuse_or_odd(r, ...)                                                                      \
    do {                                                                                           \
        (r)->odd = true;                                                                           \
        if (!(r)->foreign)                                                                         \
            refuse((r), __VA_ARGS__);                                                              \
    } while (0)

static struct yaml *node_new(struct reader *r, enum yaml_kind kind, const yaml_event_t *event)
{
    struct yaml *y = pool_new_of(r->pool, struct yaml);
    y->kind = kind;
    y->file = r->file;
    y->line = (unsigned)event->start_mark.line + 1;
    y->column = (unsigned)event->start_mark.column + 1;
    y->offset = yaml_offset(&r->offsets, event->start_mark.index);
    y->end_offset = yaml_offset(&r->offsets, event->end_mark.index);
    return y;
}

static void check_key(struct reader *r, struct yaml *key)
{
    if (key->kind != YAML_SCALAR_KIND) {
        key->text = "";
        refuse_or_odd(r, key, "a %s as a key, expected a word",
                      key->kind == YAML_MAPPING_KIND ? "mapping" : "list");
    } else if (!key->quoted && !strcmp(key->text, "<<")) {
        refuse_or_odd(r, key, "a merge key (<<), which documents may not have: write it out");
    } else if (!*key->text) {
        refuse_or_odd(r, key, "an empty key, expected a word");
    }
}

static int attach(struct reader *r, struct yaml *y)
{
    if (++r->nodes > YAML_NODES_MAX) {
        refuse(r, y, "more than %d nodes, expected a smaller file: split it", YAML_NODES_MAX);
        return -EINVAL;
    }
    if (!r->depth) {
        r->root = y;
        return 0;
    }
    struct frame *f = &r->stack[r->depth - 1];
    if (f->node->kind == YAML_MAPPING_KIND && !f->key) {
        check_key(r, y);
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

static void check_properties(struct reader *r, const struct yaml *y, const yaml_char_t *anchor,
                             const yaml_char_t *tag)
{
    if (anchor)
        refuse_or_odd(r, y, "an anchor (&%.64s), which documents may not have: write it out",
                      (const char *)anchor);
    if (tag)
        refuse_or_odd(r, y, "a tag (%.64s), which documents may not have: leave it out",
                      (const char *)tag);
}

static int on_scalar(struct reader *r, const yaml_event_t *event)
{
    struct yaml *y = node_new(r, YAML_SCALAR_KIND, event);
    const char *value = (const char *)event->data.scalar.value;
    y->text = pool_strndup(r->pool, value, event->data.scalar.length);
    y->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (strlen(y->text) != event->data.scalar.length)
        refuse(r, y, "text with a NUL in it, expected text without");
    check_properties(r, y, event->data.scalar.anchor, event->data.scalar.tag);
    return attach(r, y);
}

static int on_alias(struct reader *r, const yaml_event_t *event)
{
    struct yaml *y = node_new(r, YAML_SCALAR_KIND, event);
    y->text = "";
    refuse_or_odd(r, y, "an alias (*%.64s), which documents may not have: write it out",
                  (const char *)event->data.alias.anchor);
    return attach(r, y);
}

static int on_begin(struct reader *r, const yaml_event_t *event)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    struct yaml *y = node_new(r, mapping ? YAML_MAPPING_KIND : YAML_SEQUENCE_KIND, event);
    if (mapping)
        check_properties(r, y, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    else
        check_properties(r, y, event->data.sequence_start.anchor, event->data.sequence_start.tag);
    if (r->depth == YAML_DEPTH_MAX) {
        refuse(r, y, "nested more than %d levels deep, expected a flatter document",
               YAML_DEPTH_MAX);
        return -EINVAL;
    }
    int result = attach(r, y);
    if (result < 0)
        return result;
    r->stack[r->depth++] = (struct frame){.node = y};
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const struct yaml *const *left = a, *const *right = b;
    int order = strcmp((*left)->key->text, (*right)->key->text);
    return order ? order : ((*left)->key->offset > (*right)->key->offset ? 1 : -1);
}

static void refuse_duplicate(struct reader *r, const struct yaml *first, const struct yaml *again)
{
    char found[YAML_FOUND];
    refuse_or_odd(r, again->key, "the key %s again, it is already in line %u: remove one",
                  yaml_found(again->key, found), first->key->line);
}

/* Sorting pays only for big mappings: those that hostile input has. */
static void check_duplicates_sorted(struct reader *r, const struct yaml *mapping)
{
    OWNED(free) const struct yaml **all = mem_array(const struct yaml *, mapping->count);
    size_t n = 0;
    yaml_each (child, mapping)
        all[n++] = child;
    qsort(all, n, sizeof *all, by_key);
    for (size_t i = 1; i < n; i++)
        if (!strcmp(all[i - 1]->key->text, all[i]->key->text))
            refuse_duplicate(r, all[i - 1], all[i]);
}

enum { FEW_KEYS = 24 };

static void check_duplicates(struct reader *r, const struct yaml *mapping)
{
    if (mapping->count > FEW_KEYS) {
        check_duplicates_sorted(r, mapping);
        return;
    }
    yaml_each (child, mapping) {
        for (const struct yaml *before = mapping->first; before != child; before = before->next) {
            if (strcmp(before->key->text, child->key->text) != 0)
                continue;
            refuse_duplicate(r, before, child);
            break;
        }
    }
}

static void on_end(struct reader *r, const yaml_event_t *event)
{
    assert(r->depth);
    const struct frame *f = &r->stack[--r->depth];
    if (f->node->kind == YAML_MAPPING_KIND)
        check_duplicates(r, f->node);
    /* A block collection's end event stands only before the next token: behind it are blank
     * lines and comments that aren't part of it. A flow one ends with its bracket. */
    bool flow = event->start_mark.index != event->end_mark.index;
    if (flow)
        f->node->end_offset = yaml_offset(&r->offsets, event->end_mark.index);
    else if (f->last)
        f->node->end_offset = f->last->end_offset;
}

static void on_document_start(struct reader *r, const yaml_event_t *event)
{
    r->root = NULL;
    r->refused = r->odd = false;
    const bool directives = event->data.document_start.version_directive ||
                            event->data.document_start.tag_directives.start !=
                                event->data.document_start.tag_directives.end;
    if (directives) {
        const struct yaml *at = node_new(r, YAML_SCALAR_KIND, event);
        refuse_or_odd(r, at, "a directive (%%), which documents may not have: leave it out");
    }
}

static void on_document_end(struct reader *r)
{
    bool empty = !r->root || (r->root->kind == YAML_SCALAR_KIND && !r->root->quoted &&
                              !*r->root->text && !r->odd);
    if (empty || r->refused)
        return;
    r->root->odd = r->odd;
    *r->tail = r->root;
    r->tail = &r->root->next;
}

static int on_event(struct reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_STREAM_START_EVENT:
        if (event->data.stream_start.encoding == YAML_UTF8_ENCODING)
            return 0;
        refuse(r, &(struct yaml){.file = r->file, .line = 1, .column = 1},
               "UTF-16, expected UTF-8: save the file as UTF-8");
        return -EINVAL;
    case YAML_DOCUMENT_START_EVENT:
        on_document_start(r, event);
        return 0;
    case YAML_DOCUMENT_END_EVENT:
        on_document_end(r);
        return 0;
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return on_alias(r, event);
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return on_begin(r, event);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        on_end(r, event);
        return 0;
    case YAML_NO_EVENT:
    case YAML_STREAM_END_EVENT:
        return 0;
    }
    return 0;
}

/* libyaml's own words for what it could not read, with the place. */
static void syntax_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        (void)mem_must(NULL);
    struct yaml at = {.file = r->file,
                      .line = (unsigned)p->problem_mark.line + 1,
                      .column = (unsigned)p->problem_mark.column + 1};
    if (p->error == YAML_READER_ERROR) {
        yaml_place_of(&r->offsets, p->problem_offset, &at.line, &at.column);
        refuse(r, &at, "%s, expected UTF-8 text", p->problem);
    } else if (p->context) {
        refuse(r, &at, "%s (%s that begins in line %zu)", p->problem, p->context,
               p->context_mark.line + 1);
    } else {
        refuse(r, &at, "%s", p->problem ? p->problem : "not YAML");
    }
}

static int read_events(struct reader *r)
{
    for (;;) {
        OWNED(event_fini) yaml_event_t event = {0};
        if (!yaml_parser_parse(&r->parser, &event)) {
            syntax_error(r);
            return -EINVAL;
        }
        int result = on_event(r, &event);
        if (result < 0 || event.type == YAML_STREAM_END_EVENT)
            return result;
    }
}

static int parse(struct pool *pool, bool foreign, const char *file, const char *bytes,
                 size_t length, struct yaml **ret_documents, struct errors *errors)
{
    OWNED(parser_fini)
    struct reader r = {
        .pool = pool, .file = pool_strdup(pool, file), .foreign = foreign, .errors = errors};
    r.tail = &r.documents;
    if (length > YAML_FILE_BYTES_MAX) {
        refuse(&r, &(struct yaml){.file = file, .line = 1, .column = 1},
               "%zu bytes, expected at most %d: split the file", length, YAML_FILE_BYTES_MAX);
        return -EFBIG;
    }
    if (!yaml_parser_initialize(&r.parser))
        (void)mem_must(NULL);
    yaml_offsets_init(&r.offsets, bytes, length);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, length);
    int result = read_events(&r);
    *ret_documents = r.documents;
    return result;
}

int yaml_parse_all(struct pool *pool, const char *file, const char *bytes, size_t length,
                   struct yaml **ret_documents, struct errors *errors)
{
    *ret_documents = NULL;
    return parse(pool, false, file, bytes, length, ret_documents, errors);
}

static int parse_or_fail(struct pool *pool, bool foreign, const char *file, const char *bytes,
                         size_t length, struct yaml **ret_documents, struct err *e)
{
    struct errors errors = {0};
    struct yaml *documents = NULL;
    int result = parse(pool, foreign, file, bytes, length, &documents, &errors);
    if (errors.count)
        return err_set(e, result < 0 ? result : -EINVAL, "%s", errors.first.text);
    *ret_documents = documents;
    return 0;
}

int yaml_parse(struct pool *pool, const char *file, const char *bytes, size_t length,
               struct yaml **ret_documents, struct err *e)
{
    return parse_or_fail(pool, false, file, bytes, length, ret_documents, e);
}

int yaml_parse_foreign(struct pool *pool, const char *file, const char *bytes, size_t length,
                       struct yaml **ret_documents, struct err *e)
{
    return parse_or_fail(pool, true, file, bytes, length, ret_documents, e);
}
