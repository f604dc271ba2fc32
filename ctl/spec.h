/*
 * A kind's spec as flags, by its JSON Schema. Every member is a flag, its underscores as hyphens; the members
 * of a nested object are flags with its name before theirs; the first required member is also the argument.
 * What is no plain value is given as JSON, or as @FILE. Thread rule: one thread.
 */
#pragma once
#include "ctl/ctl.h"

struct spec_member {
    const char *parent; /* NULL: a member of the spec itself */
    const char *name;
    const json_t *schema;
};

struct spec_flags {
    struct flag *flags;          /* ends with name NULL */
    struct spec_member *members; /* in the order of the flags */
    size_t count;
    const struct spec_member *positional; /* NULL: none */
};

int spec_flags_of(struct arena *arena, const json_t *schema, struct spec_flags *ret_flags, struct err *err);
/* Puts what the call gave into `spec`, over what stands there. Sources are resolved (source.h). */
enum exit_code spec_fill(struct ctl *ctl, const struct spec_flags *flags, const struct args *args,
                         json_t *spec);
