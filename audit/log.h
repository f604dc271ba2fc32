/*
 * Appends a row to this node's chain, inside the transaction of the change that it tells of (DESIGN.md
 * section 7). The row is hashed over its stored bytes, linked to the one before, and counted in the RFC 6962
 * frontier. Thread rule: inside a store_fn only.
 */
#pragma once
#include "audit/actions.h"
#include "base/principal.h"
#include "store/audit_log.h"

struct audit_entry {
    enum audit_action action;
    const char *outcome; /* one of the action's words */
    const char *actor;   /* identity, or "recoverd" for the server itself */
    const char *issuer;  /* NULL: none */
    const char *address;
    const char *object;
    const char *environment;
    const char *request_id;
    const char *job_id;
    const char *plan_hash;
    const char *aws_request_id;
    const char *detail; /* one JSON object as text, or NULL */
};

/* An entry whose actor, issuer and address are the principal's; NULL: the server itself. */
struct audit_entry audit_entry_by(const struct principal *principal, enum audit_action action,
                                  const char *outcome);

/* INTERNAL for an entry that audit_row_sound refuses; STORE_CORRUPT when rows are gone from the chain's end.
 */
int tx_audit(struct tx *tx, const char *node, const struct audit_entry *entry, struct err *err);
