/*
 * Walking a table by key for one page of a list. One filter leads: each of its values is a walk of an index
 * that has its rows in the order of the key, and the walks are merged. The other filters, and time, are
 * looked at row by row in the narrow columns that the walk returns. Not for other rooms.
 */
#pragma once
#include "store/page.h"
#include "store/query.h"

/* Walks return: key, time, then the columns that axes name by number. ?1 < key < ?2, ?3 is the value. */
struct list_axis {
    const char *sql;
    int column;                  /* of the walk's rows; 0: the axis is only ever led by, never looked at */
    const struct filter *filter; /* count 0: not used */
    const struct id *id;         /* instead of a filter; NULL or zero: not used */
};

struct list {
    const struct list_axis *axes; /* the first one in use leads: put the most selective first */
    size_t axis_count;
    const char *all;   /* the walk when no axis is in use */
    const char *since; /* the smallest key with time >= ?1 */
    const char *until; /* the largest key with time < ?1 */
    const struct list_page *page;
    bool ascending; /* oldest first; then before_key is an after_key */
};

/* The filter that leads when no other does: what the caller sees. Rows without an environment need
 * visible_all. */
const struct filter *list_visible(const struct list_page *page);
/* The keys of one page, in order; none when the caller sees nothing. *ret_more: there may be another. */
int list_keys(struct tx *tx, const struct list *list, struct arena *arena, int64_t **ret_keys,
              size_t *ret_count, bool *ret_more, struct err *err);
