#include "jobs/scan_course.h"

void scan_course_done(struct scan_course *course)
{
    buffer_done(&course->milestone);
}

/* Brent's cycle detection: one key is remembered, and replaced at each power of two of pages. */
bool scan_goes_round(struct scan_course *course, struct bytes start, struct bytes key)
{
    if (bytes_equal(key, start) || bytes_equal(key, buffer_bytes(&course->milestone)))
        return true;
    if (++course->pages >= course->next_milestone) {
        course->next_milestone = course->pages * 2;
        buffer_clear(&course->milestone);
        buffer_add_bytes(&course->milestone, key);
    }
    return false;
}
