#include "ctl/commands.h"

#include "base/str.h"
#include "ctl/submit.h"

const struct command commands[] = {
    {"run",
     "KIND",
     1,
     1,
     "run a job of any kind with a spec from a file",
     "The words of a kind are the short form: `recoverctl backup table NAME` is the kind backup.table. What "
     "needs a plan is "
     "planned first and the plan is shown; what destroys wants its name typed, or --plan-hash. Before any of "
     "them, `plan` "
     "only shows the plan: `recoverctl plan restore table latest:Sales --target-table Sales-2`.",
     {run_flags, submit_flags},
     run_general},
    {"kinds", "", 0, 0, "the kinds of job that the server knows", NULL, {NULL}, list_kinds},
    {"environments", "", 0, 0, "the environments that you may see", NULL, {NULL}, list_environments},
    {"environment",
     "NAME",
     1,
     1,
     "one environment: account, credentials, tables",
     NULL,
     {NULL},
     show_environment},
    {"jobs", "", 0, 0, "jobs, newest first", NULL, {jobs_flags, page_flags}, list_jobs},
    {"job",
     "ID",
     1,
     1,
     "one job; with --follow until its end",
     "Ctrl-C detaches: the job goes on.",
     {job_flags},
     show_job},
    {"cancel", "ID", 1, 1, "cancel a job", NULL, {NULL}, cancel_job},
    {"retry",
     "ID",
     1,
     1,
     "a new job that goes on where a failed one stopped",
     NULL,
     {submit_flags},
     retry_job},
    {"points", "", 0, 0, "recovery points, newest first", NULL, {points_flags, page_flags}, list_points},
    {"point", "POINT", 1, 1, "one recovery point: an id, or latest:TABLE", NULL, {point_flags}, show_point},
    {"get",
     "POINT PATH",
     2,
     2,
     "a file of a recovery point, checked against its sha256",
     "To stdout, or with -O to a file that appears only when it is whole and right. PATH as the manifest "
     "names it.",
     {get_flags},
     get_file},
    {"audit", "", 0, 0, "the audit trail, newest first", NULL, {audit_flags, page_flags}, list_audit},
    {"audit verify",
     "[FILE]",
     0,
     1,
     "verify the chain of the audit trail",
     "Of a file of NDJSON (`recoverctl audit --ndjson`; - is standard input) without a server, or else of "
     "the server's whole "
     "trail. Every hash is computed anew.",
     {NULL},
     verify_audit},
    {"me", "", 0, 0, "who the server thinks you are, and what you may do where", NULL, {NULL}, show_me},
    {"totp enrol",
     "",
     0,
     0,
     "enrol one-time codes for yourself",
     "With --config, on the server, by whoever can read its totp.key_file; or with a token that has fresh "
     "MFA. The secret is "
     "shown once.",
     {totp_enrol_flags},
     totp_enrol},
    {"totp status", "", 0, 0, "whether one-time codes are enrolled", NULL, {NULL}, totp_status},
    {"totp remove", "", 0, 0, "remove your one-time codes", NULL, {totp_remove_flags}, totp_remove},
    {"token mint",
     "",
     0,
     0,
     "make a token from the server's configuration, for at most 15 minutes",
     "On the server, by whoever can read the issuer's secret_file, or has the private key (--key). The token "
     "claims MFA only "
     "with --mfa, and only when every environment's endpoint is on this machine.",
     {mint_flags},
     mint},
    {"check",
     "",
     0,
     0,
     "is the server reachable, the token good, are the environments usable",
     NULL,
     {NULL},
     check},
    {"completion",
     "bash|zsh|fish",
     1,
     1,
     "the completion script of a shell",
     "For example in ~/.bashrc: source <(recoverctl completion bash)",
     {NULL},
     print_completion},
    {"complete",
     "-- WORDS",
     0,
     ARGS_WORDS_MAX,
     "what may come next, for the scripts of the shells",
     NULL,
     {NULL},
     complete_words},
    {"man", "", 0, 0, "the manual page, as roff", "recoverctl man | man -l -", {NULL}, print_man},
    {"version", "", 0, 0, "the version of recoverctl", NULL, {NULL}, print_version},
    {"help", "[COMMAND]", 0, 4, "help, for a command or the words of a kind", NULL, {NULL}, print_help},
    {0},
};

/* How many words of `line` the given ones spell from the start; 0: they do not. */
static size_t spells(const char *line, const char *const *words, size_t count)
{
    size_t used = 0;

    while (*line) {
        size_t len = strcspn(line, " ");

        if (used == count || strlen(words[used]) != len || memcmp(words[used], line, len) != 0)
            return 0;
        used++;
        line += len + (line[len] == ' ');
    }
    return used;
}

const struct command *command_find(const char *const *words, size_t count, size_t *ret_used)
{
    const struct command *best = NULL;

    *ret_used = 0;
    for (const struct command *command = commands; command->words; command++) {
        size_t used = spells(command->words, words, count);

        if (used > *ret_used) {
            best = command;
            *ret_used = used;
        }
    }
    return best;
}
