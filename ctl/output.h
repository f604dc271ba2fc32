/*
 * The result on stdout, in the form that -o names: json is exactly one document, jsonl a row a line, id one
 * id a line. Thread rule: one thread.
 */
#pragma once
#include "ctl/ctl.h"

enum column_form { COLUMN_TEXT, COLUMN_COUNT_NUMBER, COLUMN_BYTES, COLUMN_TIME };

struct column {
    const char *title; /* NULL ends */
    const char *path;  /* members, separated by '/' */
    enum column_form form;
};

/* `page` is {"items": [...]}; `raw` the server's own bytes (data NULL: page is written anew). */
void output_list(struct ctl *ctl, const json_t *page, struct bytes raw, const struct column *columns,
                 const char *id_member);
/* One object. In the form of a table: its members, one a line, nested ones indented. */
void output_object(struct ctl *ctl, const json_t *object, struct bytes raw, const char *id_member);
/* The members as lines on any stream. */
void output_members(FILE *to, const json_t *object, int indent);
/* A row alone, as jsonl writes it. */
void output_line(struct ctl *ctl, const json_t *row);
/* EXIT_DONE, or EXIT_UNREACHABLE when stdout could not be written. */
enum exit_code output_end(struct ctl *ctl);
