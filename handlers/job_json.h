/*
 * A job as CONTRACT.md section 3 shows it. First everything is read in one transaction, then written.
 * Thread rule: the view belongs to its arena's thread.
 */
#pragma once
#include "base/json.h"
#include "store/jobs.h"

struct job_view {
    const struct job *job;
    bool full; /* with steps, spec and result */
    struct bytes spec, result, error, left_behind, conditions, waiting_for;
    struct step **steps;
    size_t step_count;
};

int job_view_read(struct tx *tx, const struct job *job, bool full, struct arena *arena,
                  struct job_view *ret_view, struct err *err);
void job_view_write(struct json_writer *w, const char *name, const struct job_view *view);
/* The stored answer of an accepted job: struct submit's answer. */
int job_answer(struct tx *tx, const struct job *job, struct arena *arena, struct bytes *ret_body,
               struct err *err);
