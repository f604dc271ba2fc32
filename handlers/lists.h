/* What every list has: limit, cursor, repeatable filters, a span of time, and who sees which environments. */
#pragma once
#include "handlers/request.h"
#include "store/page.h"

/* limit, cursor, since and until of the request; the environments where the caller has `role`. */
int list_page_of(struct request *req, enum role role, struct list_page *ret_page, struct err *err);
/* All values of a repeatable parameter. NO_MEMORY. */
int list_filter(struct request *req, const char *name, struct filter *ret_filter, struct err *err);
/* The same; every value must be a word of the vocabulary (INVALID_QUERY). */
int list_filter_words(struct request *req, const char *name, bool (*known)(const char *word),
                      struct filter *ret_filter, struct err *err);
/* {"items":[ ... ],"next_cursor":...}: begin, write the items, end. */
void list_begin(struct http_reply *reply, struct json_writer *ret_writer);
int list_end(struct request *req, struct json_writer *w, bool more, int64_t last_key, struct err *err);
