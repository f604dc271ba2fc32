/*
 * XML answers (S3, STS) as a small tree in an arena, read by expat with limits: depth 32, no document type
 * (so no entities of its own), text and nodes bounded by the arena. Names are local: prefixes are cut. Thread
 * rule: one thread at a time per arena.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct xml_node {
    const char *name;
    const char *text; /* all of its own text joined; never NULL */
    size_t text_len;
    struct xml_node *child; /* first */
    struct xml_node *next;  /* sibling */
};

/* The root element, in arena. -1 with AWS_LIED when the text is not such XML, NO_MEMORY past the arena's
 * limit. */
int xml_parse(struct bytes text, struct arena *arena, struct xml_node **ret_root, struct err *err);
/* First child of that name, NULL without (also for a NULL node). */
const struct xml_node *xml_child(const struct xml_node *node, const char *name);
/* The next sibling of the same name. */
const struct xml_node *xml_again(const struct xml_node *node);
/* The child's text; NULL without such a child. */
const char *xml_text(const struct xml_node *node, const char *name);
