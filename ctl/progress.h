/*
 * The progress of a job in one line: phase, bar, share, items, rate, what is left. Pure but for
 * progress_show; thread rule: one thread.
 */
#pragma once
#include "ctl/ctl.h"

#define PROGRESS_LINE_MAX 1024

/* At most `width` columns (20..200), without a line end. `job` as the server gives it. */
void progress_line(const json_t *job, int width, bool color, char ret_line[PROGRESS_LINE_MAX]);

/* What is on the screen. */
struct progress_view {
    bool bar; /* a terminal: the line is drawn over and over; else a line a phase */
    bool drawn;
    char phase[128]; /* last said */
};
void progress_begin(struct progress_view *view, const struct ctl *ctl);
void progress_show(struct progress_view *view, struct ctl *ctl, const json_t *job);
void progress_clear(struct progress_view *view, struct ctl *ctl);
