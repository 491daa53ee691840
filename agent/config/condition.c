#include <stdio.h>
#include <string.h>

#include "config/loading.h"

struct fact {
    const char *name;
    int64_t at_least, at_most;
    const char *equals, *contains;
};

/* One signal's condition as it stands in YAML. */
struct leaf {
    const char *signal, *passed_since;
    int is;
    uint64_t reasons;
    struct fact fact;
    uint64_t within_usec, hold_usec;
    const struct yaml *all, *any, *not ;
};

static const struct field fact_fields[] = {
    {.name = "name",
     .type = FIELD_STRING,
     FIELD_AT(fact, name),
     .required = true,
     .help = "the fact, as the probe's kind reports it"},
    {.name = "atLeast",
     .type = FIELD_INT,
     FIELD_AT(fact, at_least),
     .help = "the number is this or more"},
    {.name = "atMost",
     .type = FIELD_INT,
     FIELD_AT(fact, at_most),
     .help = "the number is this or less"},
    {.name = "equals", .type = FIELD_STRING, FIELD_AT(fact, equals), .help = "the text is this"},
    {.name = "contains",
     .type = FIELD_STRING,
     FIELD_AT(fact, contains),
     .help = "the text is a list, between spaces, with this in it"},
    {0},
};

/* clang-format off */
#define SIGNAL_FIELDS(signal_required) \
    {.name = "signal", .type = FIELD_NAME, FIELD_AT(leaf, signal), .required = (signal_required), \
     .help = "the probe whose signal it is"}, \
    {.name = "is", .type = FIELD_WORD, FIELD_AT(leaf, is), .required = (signal_required), \
     .words = &verdict_words, .help = "what the signal has to be"}, \
    {.name = "reason", .type = FIELD_WORDS, FIELD_AT(leaf, reasons), .words = &reason_words, \
     .help = "with one of these reasons"}, \
    {.name = "passedSince", .type = FIELD_NAME, FIELD_AT(leaf, passed_since), \
     .help = "a probe: and the signal has passed since that one's last changed"}, \
    {.name = "fact", .type = FIELD_OBJECT, FIELD_AT(leaf, fact), .of = fact_fields, \
     .help = "and with this fact"}
/* clang-format on */

#define TREE_FIELD(word, help_)                                                                    \
    {                                                                                              \
        .name = #word, .type = FIELD_CUSTOM, FIELD_AT(leaf, word), .decode = field_keep_node,      \
        .help = (help_)                                                                            \
    }

static const struct field condition_fields[] = {
    TREE_FIELD(all, "all of these conditions hold"),
    TREE_FIELD(any, "at least one of these conditions holds"),
    TREE_FIELD(not, "this condition does not hold"),
    SIGNAL_FIELDS(false),
    {0},
};

static const struct field requirement_fields[] = {SIGNAL_FIELDS(true), {0}};

static const struct field verification_fields[] = {
    SIGNAL_FIELDS(true),
    {.name = "within",
     .type = FIELD_DURATION,
     FIELD_AT(leaf, within_usec),
     .required = true,
     .help = "it has to hold by then"},
    {.name = "hold",
     .type = FIELD_DURATION,
     FIELD_AT(leaf, hold_usec),
     .otherwise = "0",
     .help = "and for this long"},
    {0},
};

static void error_at(struct errors *errors, const struct yaml *at, const char *text)
{
    struct err e;
    (void)yaml_error(at, &e, "%s", text);
    errors_add(errors, &e);
}

void reference_add(struct loading *l, struct entry *entry, enum document_kind to, const char *name,
                   const struct yaml *at, int *target, struct condition *condition)
{
    struct reference *r = pool_new_of(l->scratch, struct reference);
    *r = (struct reference){
        .to = to, .name = name, .at = *at, .target = target, .condition = condition};
    r->at.file = entry->meta.file;
    *entry->tail = r;
    entry->tail = &r->next;
}

/* Which of the four comparisons stands in `y`; the second of two in *ret_second. */
static enum compare comparison_in(const struct yaml *y, const struct yaml **ret_second)
{
    static const struct {
        const char *key;
        enum compare compare;
    } all[] = {{"atLeast", COMPARE_AT_LEAST},
               {"atMost", COMPARE_AT_MOST},
               {"equals", COMPARE_EQUALS},
               {"contains", COMPARE_CONTAINS}};
    enum compare found = COMPARE_NONE;
    *ret_second = NULL;
    yaml_each (value, y) {
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            if (strcmp(value->key->text, all[i].key) != 0)
                continue;
            if (found)
                *ret_second = value;
            else
                found = all[i].compare;
        }
    }
    return found;
}

static void fact_decode(const struct yaml *y, const struct fact *fact, struct condition *ret,
                        struct errors *errors)
{
    const struct yaml *second;
    ret->compare = comparison_in(y, &second);
    if (second)
        error_at(errors, second->key, "a second comparison, expected exactly one");
    else if (ret->compare == COMPARE_NONE)
        error_at(errors, y,
                 "a fact without a comparison, expected one of: atLeast, atMost, equals, contains");
    if (fact->contains && (!*fact->contains || strchr(fact->contains, ' ')))
        error_at(errors, yaml_get(y, "contains"), "expected one name, without spaces");
    if (fact->name && !*fact->name)
        error_at(errors, yaml_get(y, "name"), "found \"\", expected a fact's name");
    ret->fact = fact->name;
    ret->number = ret->compare == COMPARE_AT_LEAST ? fact->at_least : fact->at_most;
    ret->text = ret->compare == COMPARE_EQUALS ? fact->equals : fact->contains;
}

/* What the fields of one signal's condition say. `y` is the mapping that they were decoded
 * from. */
static void signal_decode(struct loading *l, struct entry *entry, const struct yaml *y,
                          const struct leaf *leaf, struct condition *ret, struct errors *errors)
{
    ret->type = CONDITION_SIGNAL;
    ret->signal = -1;
    ret->passed_since = -1;
    ret->threshold = -1;
    ret->is = (enum verdict)leaf->is;
    ret->reasons = leaf->reasons;
    const struct yaml *reasons = yaml_get(y, "reason"), *fact = yaml_get(y, "fact");
    if (reasons && reasons->kind == YAML_SEQUENCE_KIND && !reasons->count)
        error_at(errors, reasons, "an empty list of reasons: leave it out to take any");
    if (fact && fact->kind == YAML_MAPPING_KIND)
        fact_decode(fact, &leaf->fact, ret, errors);
    if (leaf->passed_since)
        reference_add(l, entry, DOCUMENT_PROBE, leaf->passed_since, yaml_get(y, "passedSince"),
                      &ret->passed_since, NULL);
    if (leaf->signal)
        reference_add(l, entry, DOCUMENT_PROBE, leaf->signal, yaml_get(y, "signal"), &ret->signal,
                      ret);
}

static void conditions_decode(struct loading *l, struct entry *entry, const struct yaml *list,
                              struct condition *ret, struct errors *errors)
{
    char found[YAML_FOUND], text[160];
    if (list->kind != YAML_SEQUENCE_KIND || !list->count) {
        (void)snprintf(text, sizeof text, "found %s, expected a list of conditions",
                       list->kind == YAML_SEQUENCE_KIND ? "an empty list"
                                                        : yaml_found(list, found));
        error_at(errors, list, text);
        return;
    }
    ret->at = pool_array(l->pool, struct condition, list->count);
    yaml_each (one, list)
        condition_decode(l, entry, one, &ret->at[ret->count++], errors);
}

/* The key that says what the condition is: the first of these in the mapping. */
static const struct yaml *head_of(const struct yaml *y)
{
    yaml_each (value, y) {
        const char *key = value->key->text;
        if (!strcmp(key, "signal") || !strcmp(key, "all") || !strcmp(key, "any") ||
            !strcmp(key, "not"))
            return value;
    }
    return NULL;
}

/* `all`, `any` and `not` stand alone. */
static bool stands_alone(const struct yaml *y, const struct yaml *head, struct errors *errors)
{
    const struct yaml *beside = head == y->first ? head->next : y->first;
    struct err e;
    if (y->count == 1)
        return true;
    (void)yaml_error(beside->key, &e, "\"%s\" beside \"%s\", which has to stand alone",
                     beside->key->text, head->key->text);
    errors_add(errors, &e);
    return false;
}

static void tree_decode(struct loading *l, struct entry *entry, const struct yaml *y,
                        const struct yaml *head, struct condition *ret, struct errors *errors)
{
    if (!stands_alone(y, head, errors))
        return;
    if (!strcmp(head->key->text, "not")) {
        ret->type = CONDITION_NOT;
        ret->count = 1;
        ret->at = pool_new_of(l->pool, struct condition);
        condition_decode(l, entry, head, ret->at, errors);
        return;
    }
    ret->type = !strcmp(head->key->text, "all") ? CONDITION_ALL : CONDITION_ANY;
    conditions_decode(l, entry, head, ret, errors);
}

void condition_decode(struct loading *l, struct entry *entry, const struct yaml *y,
                      struct condition *ret, struct errors *errors)
{
    struct leaf leaf = {0};
    size_t before = errors->count;
    fields_decode_all(condition_fields, l->pool, y, &leaf, NULL, errors);
    const struct yaml *head = y->kind == YAML_MAPPING_KIND ? head_of(y) : NULL;
    if (!head) {
        if (errors->count == before)
            error_at(errors, y, "a condition without one of: signal, all, any, not");
        return;
    }
    if (strcmp(head->key->text, "signal") != 0) {
        tree_decode(l, entry, y, head, ret, errors);
        return;
    }
    const struct yaml *beside = leaf.all ? leaf.all : leaf.any ? leaf.any : leaf.not ;
    if (beside)
        (void)stands_alone(y, beside, errors);
    if (!yaml_get(y, "is") && errors->count == before)
        error_at(errors, y, "the key \"is\" is missing: what the signal has to be");
    signal_decode(l, entry, y, &leaf, ret, errors);
}

void expectations_decode(struct loading *l, struct entry *entry, const struct yaml *list,
                         bool has_times, struct expectation **ret, size_t *ret_count,
                         struct errors *errors)
{
    char found[YAML_FOUND], text[160];
    if (!list)
        return;
    if (list->kind != YAML_SEQUENCE_KIND) {
        (void)snprintf(text, sizeof text, "found %s, expected a list of signals' conditions",
                       yaml_found(list, found));
        error_at(errors, list, text);
        return;
    }
    *ret = pool_array(l->pool, struct expectation, list->count);
    yaml_each (one, list) {
        struct expectation *x = &(*ret)[(*ret_count)++];
        struct leaf leaf = {0};
        fields_decode_all(has_times ? verification_fields : requirement_fields, l->pool, one, &leaf,
                          NULL, errors);
        x->within_usec = leaf.within_usec;
        x->hold_usec = leaf.hold_usec;
        if (one->kind == YAML_MAPPING_KIND)
            signal_decode(l, entry, one, &leaf, &x->condition, errors);
    }
}
