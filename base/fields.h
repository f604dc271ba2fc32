/*
 * Field tables: what an object of JSON may hold, as data. From one table come validation with pointers, the
 * normalised form with defaults, and JSON Schema 2020-12 for GET /v1/kinds, from which recoverctl makes its
 * flags and completion. A table ends with FIELD_END. Tables are constant; thread rule: any thread.
 */
#pragma once
#include "base/faults.h"
#include "base/json.h"

enum field_type {
    FIELD_TYPE_END,
    FIELD_TYPE_TEXT,    /* min_length..max_length bytes of UTF-8 without control characters */
    FIELD_TYPE_TABLE,   /* a DynamoDB table name: 3..255 of a-zA-Z0-9_.- */
    FIELD_TYPE_NAME,    /* 1..64 of a-zA-Z0-9_.- */
    FIELD_TYPE_TIME,    /* RFC 3339; normalised to UTC with milliseconds */
    FIELD_TYPE_INTEGER, /* min..max */
    FIELD_TYPE_NUMBER,  /* min..max, finite */
    FIELD_TYPE_FLAG,    /* true or false */
    FIELD_TYPE_CHOICE,  /* one word of choices */
    FIELD_TYPE_ID,      /* UUID; normalised to lower case */
    FIELD_TYPE_HASH,    /* 64 lower-case hex digits */
    FIELD_TYPE_URI,    /* s3:// or file://, absolute, no dot segments, no control characters; roots are judged
                          later */
    FIELD_TYPE_OBJECT, /* members by `fields` */
    FIELD_TYPE_ONE_OF, /* an object with exactly one of the members in `fields` */
    FIELD_TYPE_LIST,   /* an array of what `fields[0]` says, at most max entries, no doubles */
    FIELD_TYPE_MAP,    /* an object whose values are strings (tags) */
    FIELD_TYPE_ANY     /* any JSON value within the body's limits */
};

/* This field only when the member `field` has (one of the space-separated) `value`; absent otherwise. */
struct field_when {
    const char *field;
    const char *value;
};

struct field {
    const char *name;
    enum field_type type;
    bool required;
    const char *help;
    const char *initial; /* the default, as JSON text; NULL: left out */
    const char *choices; /* space-separated */
    double min, max;     /* both 0: the type's own bounds */
    size_t max_length;   /* 0: 1024 */
    const struct field *fields;
    struct field_when when;
};

#define REQUIRED .required = true
#define FIELD_TEXT(name_, help_, ...)                                                                        \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_TEXT, .help = (help_), ##__VA_ARGS__                             \
    }
#define FIELD_TABLE(name_, help_, ...)                                                                       \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_TABLE, .help = (help_), ##__VA_ARGS__                            \
    }
#define FIELD_NAME(name_, help_, ...)                                                                        \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_NAME, .help = (help_), ##__VA_ARGS__                             \
    }
#define FIELD_TIME(name_, help_, ...)                                                                        \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_TIME, .help = (help_), ##__VA_ARGS__                             \
    }
#define FIELD_INTEGER(name_, min_, max_, help_, ...)                                                         \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_INTEGER, .min = (min_), .max = (max_), .help = (help_),          \
        ##__VA_ARGS__                                                                                        \
    }
#define FIELD_NUMBER(name_, min_, max_, help_, ...)                                                          \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_NUMBER, .min = (min_), .max = (max_), .help = (help_),           \
        ##__VA_ARGS__                                                                                        \
    }
#define FIELD_FLAG(name_, initial_, help_, ...)                                                              \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_FLAG, .initial = (initial_), .help = (help_), ##__VA_ARGS__      \
    }
#define FIELD_CHOICE(name_, initial_, choices_, help_, ...)                                                  \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_CHOICE, .initial = (initial_), .choices = (choices_),            \
        .help = (help_), ##__VA_ARGS__                                                                       \
    }
#define FIELD_ID(name_, help_, ...)                                                                          \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_ID, .help = (help_), ##__VA_ARGS__                               \
    }
#define FIELD_HASH(name_, help_, ...)                                                                        \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_HASH, .help = (help_), ##__VA_ARGS__                             \
    }
#define FIELD_URI(name_, help_, ...)                                                                         \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_URI, .help = (help_), ##__VA_ARGS__                              \
    }
#define FIELD_OBJECT(name_, fields_, help_, ...)                                                             \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_OBJECT, .fields = (fields_), .help = (help_), ##__VA_ARGS__      \
    }
#define FIELD_ONE_OF(name_, fields_, help_, ...)                                                             \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_ONE_OF, .fields = (fields_), .help = (help_), ##__VA_ARGS__      \
    }
#define FIELD_LIST(name_, fields_, max_, help_, ...)                                                         \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_LIST, .fields = (fields_), .max = (max_), .help = (help_),       \
        ##__VA_ARGS__                                                                                        \
    }
#define FIELD_MAP(name_, help_, ...)                                                                         \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_MAP, .help = (help_), ##__VA_ARGS__                              \
    }
#define FIELD_ANY(name_, help_, ...)                                                                         \
    {                                                                                                        \
        .name = (name_), .type = FIELD_TYPE_ANY, .help = (help_), ##__VA_ARGS__                              \
    }
#define FIELD_END                                                                                            \
    {                                                                                                        \
        .type = FIELD_TYPE_END                                                                               \
    }
/* `.initial` of a text or choice is JSON text: "\"scan\"". */

/*
 * Checks `object` (a jansson object that json_parse made) against the table: unknown members, wrong types,
 * values out of range, required ones missing, members whose `when` does not hold. `pointer` is the prefix (""
 * or "/spec"). Returns a new normalised object (the caller owns it; defaults filled in, times and ids in
 * their one form), or NULL when faults were added. Secrets are never in these tables, so values may stand in
 * details, cut to 80 bytes.
 */
json_t *fields_check(const struct field *fields, const json_t *object, const char *pointer,
                     struct faults *faults);

/* Writes {"type":"object","properties":...,"required":[...],"additionalProperties":false} */
void fields_schema(const struct field *fields, struct json_writer *w, const char *name);
const struct field *fields_find(const struct field *fields, const char *name); /* NULL when absent */
/* Is a field table itself sound (names, defaults that pass their own check, `when` that names an earlier
 * field)? */
int fields_sound(const struct field *fields, struct err *err);
