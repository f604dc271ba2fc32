/*
 * Exit codes of recoverctl (CONTRACT.md section 7), and what of the outside leads to which: one table each
 * for problem codes, HTTP statuses and states of jobs. Thread rule: pure.
 */
#pragma once

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_FORBIDDEN = 3,
    EXIT_NOT_FOUND = 4,
    EXIT_CONFLICT = 5,
    EXIT_UNREACHABLE = 6,
    EXIT_PARTIAL = 7,
    EXIT_STILL_RUNNING = 8,
    EXIT_LOGIN = 9,
    EXIT_APPROVAL = 10,
    EXIT_CANCELLED = 11,
    EXIT_DETACHED = 130,
};

struct exit_row {
    enum exit_code code;
    const char *help; /* for help and the manual page */
};
extern const struct exit_row exit_rows[]; /* ends with help NULL */

/* `problem`: the code of a problem+json, or NULL. */
enum exit_code exit_of_answer(int status, const char *problem);
/* EXIT_STILL_RUNNING for a state that is not final, unknown ones too. */
enum exit_code exit_of_state(const char *state);
