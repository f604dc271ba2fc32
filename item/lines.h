/*
 * Lines {"Item":{...}}, as DynamoDB's full export writes them ("DynamoDB table export output format",
 * DynamoDB JSON) and as recovery points hold them. Lines end with a line feed; the last may lack it. An empty
 * line is a fault, an empty file is not. Thread rule: one thread at a time.
 */
#pragma once
#include "item/stream.h"

struct item_lines;

/* `read` gives the inflated bytes; `invalid` is the code for a line that is not an item (ITEM_INVALID for
 * foreign files, RECOVERY_POINT_DAMAGED for our own). NULL with NO_MEMORY. */
struct item_lines *item_lines_new(stream_read_fn *read, void *arg, enum err_code invalid, struct err *err);
void item_lines_free(struct item_lines *lines); /* accepts NULL; wipes */

/* 1: *ret_item is the attribute map, raw, borrowed until the next call (item_canonical judges it); 0: the
 * end; -1: err, naming the line. After 0 or -1 do not call again. */
int item_lines_next(struct item_lines *lines, struct bytes *ret_item, struct err *err);
/* The same for bytes that are known to be those that were written: of the line only its frame is looked at,
 * {"Item":{ and }}. 1: an item went by. */
int item_lines_skip(struct item_lines *lines, struct err *err);
/* The line of the last item, from 1. */
uint64_t item_lines_number(const struct item_lines *lines);

static inline void item_lines_free_p(struct item_lines **lines)
{
    item_lines_free(*lines);
}
