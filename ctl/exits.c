#include "ctl/exits.h"

#include "base/cleanup.h"
#include "base/str.h"

const struct exit_row exit_rows[] = {
    {EXIT_DONE, "done"},
    {EXIT_FAILED, "the job failed, or what was verified does not hold"},
    {EXIT_USAGE, "wrong usage, or the server refused the request as wrong (422)"},
    {EXIT_FORBIDDEN, "forbidden: the role is too small"},
    {EXIT_NOT_FOUND, "not found, or not yours to see"},
    {EXIT_CONFLICT, "conflict with the present state, or a stale plan"},
    {EXIT_UNREACHABLE, "unreachable, too many requests (429) or a server error (5xx)"},
    {EXIT_PARTIAL, "partial: done, but not everything"},
    {EXIT_STILL_RUNNING, "still running after --timeout"},
    {EXIT_LOGIN, "log in, or a second factor is needed"},
    {EXIT_APPROVAL, "awaiting approval"},
    {EXIT_CANCELLED, "cancelled"},
    {EXIT_DETACHED, "detached by Ctrl-C; the job goes on"},
    {0, NULL},
};

/* Only where the code says more than its status does. */
static const struct {
    const char *problem;
    enum exit_code code;
} by_problem[] = {
    {"OTP_LOCKED", EXIT_LOGIN},
};

static const struct {
    int from, to;
    enum exit_code code;
} by_status[] = {
    {200, 299, EXIT_DONE},        {401, 401, EXIT_LOGIN},       {403, 403, EXIT_FORBIDDEN},
    {404, 404, EXIT_NOT_FOUND},   {409, 409, EXIT_CONFLICT},    {412, 412, EXIT_CONFLICT},
    {428, 428, EXIT_CONFLICT},    {408, 408, EXIT_UNREACHABLE}, {429, 429, EXIT_UNREACHABLE},
    {500, 599, EXIT_UNREACHABLE}, {400, 499, EXIT_USAGE},
};

static const struct {
    const char *state;
    enum exit_code code;
} by_state[] = {
    {"succeeded", EXIT_DONE},
    {"partial", EXIT_PARTIAL},
    {"failed", EXIT_FAILED},
    {"cancelled", EXIT_CANCELLED},
    {"awaiting_approval", EXIT_APPROVAL},
};

enum exit_code exit_of_answer(int status, const char *problem)
{
    for (size_t i = 0; i < COUNT_OF(by_problem); i++)
        if (str_is(by_problem[i].problem, problem))
            return by_problem[i].code;
    for (size_t i = 0; i < COUNT_OF(by_status); i++)
        if (status >= by_status[i].from && status <= by_status[i].to)
            return by_status[i].code;
    return EXIT_UNREACHABLE;
}

enum exit_code exit_of_state(const char *state)
{
    for (size_t i = 0; i < COUNT_OF(by_state); i++)
        if (str_is(by_state[i].state, state))
            return by_state[i].code;
    return EXIT_STILL_RUNNING;
}
