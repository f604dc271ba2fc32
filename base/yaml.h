/*
 * YAML to a small tree with places. Of YAML there is: block and flow mappings and lists, plain and quoted
 * scalars, comments, one document. Anchors, aliases and tags are refused; scalars stay text (whoever takes
 * them knows the type). A fault of syntax ends the reading; a repeated key, anchor, alias or tag is a fault
 * and the reading goes on. The tree and its texts live in the arena. Thread rule: one thread. Source:
 * YAML 1.1 as libyaml 0.2.5 reads it; the limits are CONFIG_MAX and CONFIG_DEPTH (REFERENCE.md section 12).
 */
#pragma once
#include "base/arena.h"
#include "base/faults.h"
#include "base/str.h"

enum yaml_type { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_place {
    int line; /* from 1 */
    int column;
};

struct yaml_node {
    enum yaml_type type;
    bool quoted;             /* a text in quotes: never a number, flag or null */
    struct yaml_place place; /* of the value */
    const char *text;        /* YAML_TEXT; without NUL inside */
    size_t count;            /* members or entries */
    struct yaml_node *first; /* member or entry */
    struct yaml_node *next;  /* sibling */
    const char *name;        /* a member's key; NULL for entries and the root */
    struct yaml_place name_place;
};

/* `file` is what places begin with: FILE:LINE:COLUMN. NULL when there is no tree: then a fault was added. A
 * tree may come with faults too. An empty document is an empty mapping. */
struct yaml_node *yaml_read(struct bytes text, const char *file, struct arena *arena, struct faults *faults);
/* The member called `name`, or NULL (also when `map` is NULL or no mapping). */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *name);
