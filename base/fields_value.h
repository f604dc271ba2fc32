/*
 * Between the files of base/fields.h; not for other rooms. A place is a chain on the C stack: a pointer is
 * written only when there is a fault to report.
 */
#pragma once
#include "base/fields.h"

#define FIELD_TABLE_DEPTH 12 /* tables in tables */
#define FIELD_VALUE_SHOWN 80 /* bytes of a value in a fault */

struct place {
    const struct place *up; /* NULL: the root, whose name is the prefix itself */
    const char *name;       /* NULL: an entry of a list */
    size_t name_len;
    size_t index;
};

struct check {
    struct faults *faults;
    const char *prefix;
};

void check_fault(struct check *c, const struct place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What cannot be judged for want of memory is not wrong: NO_MEMORY, unless something else is wrong too. */
void check_no_memory(struct check *c, const struct place *place);
/* Are there already more faults than are kept? Then nothing needs to be worded any more. */
bool check_full(const struct check *c);

/* The normalised value (a new reference), or NULL when faults were added. */
json_t *field_value(struct check *c, const struct field *field, const json_t *value,
                    const struct place *place);
json_t *field_members(struct check *c, const struct field *fields, const json_t *object,
                      const struct place *place);
json_t *field_one_of(struct check *c, const struct field *fields, const json_t *object,
                     const struct place *place);
/* s3://bucket/key or file:///path: NULL, or what is wrong with it. */
const char *field_uri_fault(struct bytes text);

size_t field_length_min(const struct field *field);
size_t field_length_max(const struct field *field);
/* The name in the table that `name` was probably meant to be, or NULL. */
const char *field_nearest(const struct field *fields, const char *name);
/* `into=existing`, or `into=new|empty`, or `into` when any value will do. */
void field_when_text(const struct field_when *when, char *ret_text, size_t size);
/* Does a value of the other member satisfy the condition? NULL: absent. */
bool field_when_holds(const struct field_when *when, const json_t *value);
