/*
 * Every action that the audit trail can hold, as one table: the name in code, the word in the row, the
 * outcomes that it may have, and what it says. Words never change once released: rows are hashed and kept.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* name, word, outcomes (space-separated), meaning */
#define AUDIT_ACTIONS(X)                                                                                     \
    X(SERVER_STARTED, "server.started", "ok", "the server began with the configuration in the detail")       \
    X(SERVER_STOPPED, "server.stopped", "ok failed", "the server ended; ok is a clean drain")                \
    X(CONFIG_RELOADED, "config.reloaded", "ok",                                                              \
      "a new configuration is in force; the detail says what changed")                                       \
    X(CONFIG_REFUSED, "config.refused", "refused", "a faulty configuration was not taken")                   \
    X(LIMITS_CHANGED, "limits.changed", "ok", "the rates of an environment were changed")                    \
    X(PLAN_MADE, "plan.made", "ok", "a plan was made and can be approved")                                   \
    X(JOB_ACCEPTED, "job.accepted", "ok", "a job was taken in")                                              \
    X(JOB_FINISHED, "job.finished", "succeeded partial failed cancelled", "a job reached its final state")   \
    X(JOB_CANCEL_REQUESTED, "job.cancel_requested", "ok", "somebody asked a job to stop")                    \
    X(JOB_RETRIED, "job.retried", "ok", "a new job takes over what a failed one left")                       \
    X(AUTHORISATION_DENIED, "authorisation.denied", "denied",                                                \
      "a verified principal asked for more than its role")                                                   \
    X(UNAUTHENTICATED_SUMMARY, "authentication.failed", "denied",                                            \
      "how many requests had no valid token, a minute")                                                      \
    X(MFA_FAILED, "mfa.failed", "denied",                                                                    \
      "fresh multi-factor authentication was needed and absent or wrong")                                    \
    X(MFA_ACCEPTED, "mfa.accepted", "ok", "a one-time code was spent on a plan")                             \
    X(TOTP_ENROLLED, "totp.enrolled", "ok", "a one-time secret was made for an identity")                    \
    X(TOTP_REMOVED, "totp.removed", "ok", "a one-time secret was deleted")                                   \
    X(TOTP_LOCKED, "totp.locked", "denied", "too many wrong one-time codes")                                 \
    X(DATA_READ, "data.read", "ok failed denied", "items or artifacts left the server")                      \
    X(AWS_INTENT, "aws.intent", "intended", "a change at AWS is about to be asked for")                      \
    X(AWS_OUTCOME, "aws.outcome", "ok failed unknown", "what AWS answered to it")

enum audit_action {
#define AUDIT_ACTION_NAME(name, word, outcomes, meaning) AUDIT_##name,
    AUDIT_ACTIONS(AUDIT_ACTION_NAME)
#undef AUDIT_ACTION_NAME
        AUDIT_ACTION_COUNT
};

struct audit_action_info {
    const char *word;
    const char *outcomes;
    const char *meaning;
};

const struct audit_action_info *audit_action_info(enum audit_action action); /* NULL when out of range */
bool audit_action_by_word(const char *word, enum audit_action *ret_action);
/* May a row with this action's word have this outcome? False also for an unknown word. */
bool audit_outcome_fits(const char *word, const char *outcome);
