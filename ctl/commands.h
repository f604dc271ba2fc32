/*
 * The one table of commands: from it come help, completion and the manual page. A command is its row here and
 * its function; the words of kinds come from the server (kinds.h) and use run_kind. Thread rule: constant.
 */
#pragma once
#include "ctl/ctl.h"

#define COMMAND_TABLES_MAX 4

struct command {
    const char *words;     /* "audit verify"; NULL ends */
    const char *arguments; /* "POINT PATH", or "" */
    size_t least, most;    /* how many arguments */
    const char *summary;
    const char *more;                              /* further sentences; NULL: none */
    const struct flag *tables[COMMAND_TABLES_MAX]; /* own flags, NULL behind the last */
    enum exit_code (*run)(struct ctl *ctl, const struct args *args);
};
extern const struct command commands[];

/* The command that the words begin with, the longest; *ret_used words of it. NULL when there is none. */
const struct command *command_find(const char *const *words, size_t count, size_t *ret_used);

/* cmd_run.c */
enum exit_code run_general(struct ctl *ctl, const struct args *args); /* run KIND --spec */
/* `words`: of the kind, then its flags and arguments. */
enum exit_code run_kind(struct ctl *ctl, bool plan, int argc, const char **argv);
extern const struct flag run_flags[], spec_file_flags[];
/* cmd_lists.c */
enum exit_code list_kinds(struct ctl *ctl, const struct args *args);
enum exit_code list_environments(struct ctl *ctl, const struct args *args);
enum exit_code list_jobs(struct ctl *ctl, const struct args *args);
enum exit_code list_points(struct ctl *ctl, const struct args *args);
enum exit_code list_audit(struct ctl *ctl, const struct args *args);
extern const struct flag page_flags[], jobs_flags[], points_flags[], audit_flags[];
/* cmd_objects.c */
enum exit_code show_me(struct ctl *ctl, const struct args *args);
enum exit_code show_environment(struct ctl *ctl, const struct args *args);
enum exit_code show_job(struct ctl *ctl, const struct args *args);
enum exit_code cancel_job(struct ctl *ctl, const struct args *args);
enum exit_code retry_job(struct ctl *ctl, const struct args *args);
enum exit_code plan_retry(struct ctl *ctl, const char *id);
enum exit_code show_point(struct ctl *ctl, const struct args *args);
extern const struct flag job_flags[], point_flags[];
/* cmd_get.c */
enum exit_code get_file(struct ctl *ctl, const struct args *args);
extern const struct flag get_flags[];
/* cmd_verify.c */
enum exit_code verify_audit(struct ctl *ctl, const struct args *args);
/* cmd_token.c */
enum exit_code mint(struct ctl *ctl, const struct args *args);
extern const struct flag mint_flags[];
/* cmd_totp.c */
enum exit_code totp_enrol(struct ctl *ctl, const struct args *args);
enum exit_code totp_status(struct ctl *ctl, const struct args *args);
enum exit_code totp_remove(struct ctl *ctl, const struct args *args);
extern const struct flag totp_enrol_flags[], totp_remove_flags[];
/* cmd_check.c */
enum exit_code check(struct ctl *ctl, const struct args *args);
/* help.c, completion.c, man.c */
enum exit_code print_help(struct ctl *ctl, const struct args *args);
enum exit_code print_version(struct ctl *ctl, const struct args *args);
enum exit_code print_completion(struct ctl *ctl, const struct args *args);
enum exit_code complete_words(struct ctl *ctl, const struct args *args); /* asked by the scripts */
enum exit_code print_man(struct ctl *ctl, const struct args *args);
enum exit_code help_of_words(struct ctl *ctl, const char *const *words, size_t count);
/* Global flags and commands; on any stream. */
void help_overview(FILE *to);
