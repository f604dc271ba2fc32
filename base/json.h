/*
 * JSON in three parts. The span scanner checks bytes from outside (RFC 8259: depth, UTF-8, repeated names,
 * each with its JSON pointer) before anyone believes them; jansson holds what is small and trusted after
 * that; the writer makes replies without a DOM. Items never become a DOM. Thread rule: any thread; a walk, a
 * writer and a json_t belong to one at a time.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "base/str.h"

/* -- scanning -- */

struct json_limits {
    unsigned max_depth; /* nesting of arrays and objects */
    bool allow_duplicates;
};

/* Whole text is one JSON value. INVALID_JSON with place and pointer otherwise. */
int json_check(struct bytes text, const struct json_limits *limits, struct err *err);
/* json_check, then jansson (integers and reals kept apart). The caller owns *ret_value (json_auto_t). */
int json_parse(struct bytes text, const struct json_limits *limits, json_t **ret_value, struct err *err);

enum json_span_type {
    JSON_SPAN_NULL,
    JSON_SPAN_BOOL,
    JSON_SPAN_NUMBER,
    JSON_SPAN_STRING,
    JSON_SPAN_ARRAY,
    JSON_SPAN_OBJECT
};
/* A value as it stands in the text, quotes and brackets included. Valid as long as the text is. */
struct json_span {
    enum json_span_type type;
    struct bytes raw;
};
/* Walks the members of one object or array without a DOM. The text must have passed json_check, or be checked
 * on the way: json_walk_next returns 1 (a member), 0 (end), -1 (INVALID_JSON). Names are raw, between the
 * quotes. */
struct json_walk {
    const char *at;
    const char *end;
    bool object;
    bool started;
};
int json_walk_open(struct json_walk *walk, struct bytes container, struct err *err);
int json_walk_next(struct json_walk *walk, struct bytes *ret_name, struct json_span *ret_value,
                   struct err *err);
/* Decodes a string span (quotes included) into out; at most raw.len bytes. A lone surrogate is INVALID_JSON.
 */
int json_string_decode(struct bytes raw, struct buffer *out, struct err *err);

/* -- writing -- */

/* Named json_put_* because jansson has json_object and json_array. Commas and nesting are the writer's; UTF-8
 * is checked, bad bytes become U+FFFD. */
struct json_writer {
    struct buffer *out;
    uint64_t has_members; /* a bit a level */
    unsigned depth;       /* at most 63 */
};

void json_put_begin(struct json_writer *w, struct buffer *out);
void json_put_object(struct json_writer *w, const char *name); /* name NULL inside an array or at the top */
void json_put_object_end(struct json_writer *w);
void json_put_array(struct json_writer *w, const char *name);
void json_put_array_end(struct json_writer *w);
void json_put_text(struct json_writer *w, const char *name, const char *text); /* NULL text writes null */
void json_put_text_bytes(struct json_writer *w, const char *name, struct bytes text);
void json_put_int(struct json_writer *w, const char *name, int64_t value);
void json_put_number(struct json_writer *w, const char *name, double value); /* not finite writes null */
void json_put_flag(struct json_writer *w, const char *name, bool value);
void json_put_null(struct json_writer *w, const char *name);
void json_put_time(struct json_writer *w, const char *name, int64_t wall_ms);  /* 0 writes null */
void json_put_raw(struct json_writer *w, const char *name, struct bytes json); /* already JSON */
void json_put_dom(struct json_writer *w, const char *name, const json_t *value);
/* The optional forms leave the member out when there is nothing. */
void json_put_text_opt(struct json_writer *w, const char *name, const char *text);
void json_put_time_opt(struct json_writer *w, const char *name, int64_t wall_ms);

/* Text between quotes, escaped (no quotes added). */
void json_escape(struct buffer *out, struct bytes text);
/* A JSON pointer token (RFC 6901) appended to a pointer: "/spec" + "a/b" -> "/spec/a~1b". */
void json_pointer_add(struct buffer *pointer, struct bytes token);

/* -- jansson -- */

const char *json_get_text(const json_t *object,
                          const char *name); /* borrowed; NULL when absent or no string */
int64_t json_get_int(const json_t *object, const char *name,
                     int64_t otherwise); /* integers and integral reals */
bool json_get_bool(const json_t *object, const char *name, bool otherwise);
/* json_dumps, but NULL when memory ended on the way: jansson 2.14 then goes on without the name of a member.
 * The caller frees. */
char *json_dumped(const json_t *value, size_t flags);
/* Compact, sorted keys: the same text for the same value. In arena; NULL without memory. */
char *json_canonical(struct arena *arena, const json_t *value);
/* A string of text that may be anybody's: bytes that are no UTF-8 become U+FFFD. The caller owns it; NULL
 * without memory. */
json_t *json_of_text(const char *text);
void json_decref_p(void *value); /* for arena_defer */
/* jansson leaves out of a value what it has no memory for. Whoever builds one of many parts clears this first
 * and asks at the end: has an allocation of jansson's failed on this thread since? */
void json_starved_clear(void);
bool json_starved(void);
