#include "config/yaml.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "config/yaml_builder.h"

struct reader {
    yaml_parser_t parser;
    struct yaml_builder builder;
};

static inline void parser_fini_owned(struct reader *r)
{
    yaml_parser_delete(&r->parser);
    yaml_offsets_fini(&r->builder.offsets);
}

static inline void event_fini_owned(yaml_event_t *event)
{
    yaml_event_delete(event);
}

/* libyaml's own words for what it could not read, with the place. */
static void syntax_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        (void)mem_must(NULL);
    struct yaml at = {.file = r->builder.file,
                      .line = (unsigned)p->problem_mark.line + 1,
                      .column = (unsigned)p->problem_mark.column + 1};
    if (p->error == YAML_READER_ERROR) {
        yaml_place_of(&r->builder.offsets, p->problem_offset, &at.line, &at.column);
        builder_refuse(&r->builder, &at, "%s, expected UTF-8 text", p->problem);
    } else if (p->context) {
        builder_refuse(&r->builder, &at, "%s (%s that begins in line %zu)", p->problem, p->context,
                       p->context_mark.line + 1);
    } else {
        builder_refuse(&r->builder, &at, "%s", p->problem ? p->problem : "not YAML");
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
        int result = builder_take(&r->builder, &event);
        if (result < 0 || event.type == YAML_STREAM_END_EVENT)
            return result;
    }
}

static int parse(struct pool *pool, bool foreign, const char *file, const char *bytes,
                 size_t length, struct yaml **ret_documents, struct errors *errors)
{
    OWNED(parser_fini)
    struct reader r = {
        .builder = {
            .pool = pool, .file = pool_strdup(pool, file), .foreign = foreign, .errors = errors}};
    r.builder.tail = &r.builder.documents;
    if (length > YAML_FILE_BYTES_MAX) {
        builder_refuse(&r.builder, &(struct yaml){.file = file, .line = 1, .column = 1},
                       "%zu bytes, expected at most %d: split the file", length,
                       YAML_FILE_BYTES_MAX);
        return -EFBIG;
    }
    if (!yaml_parser_initialize(&r.parser))
        (void)mem_must(NULL);
    yaml_offsets_init(&r.builder.offsets, bytes, length);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, length);
    int result = read_events(&r);
    *ret_documents = r.builder.documents;
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
