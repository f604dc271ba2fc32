/*
 * Does a scan move on? A LastEvaluatedKey that was met before means that the pages come again and again, and
 * the scan would never end (Amazon DynamoDB Developer Guide, "Paginating table scan results": the next page
 * begins behind the key). Owns a copy of one key. Thread rule: one thread at a time.
 */
#pragma once
#include "base/buffer.h"
#include "base/limits.h"

struct scan_course {
    struct buffer milestone; /* an earlier key: a scan that comes by it again goes round in circles */
    int64_t pages, next_milestone;
};

#define SCAN_COURSE_INIT ((struct scan_course){.milestone = BUFFER_INIT(PART_CURSOR_MAX)})
void scan_course_done(struct scan_course *course);

/* `key` came with the page that began at `start` (empty: the table's beginning). Any circle is found within
 * twice its length and the way to it. */
bool scan_goes_round(struct scan_course *course, struct bytes start, struct bytes key);
