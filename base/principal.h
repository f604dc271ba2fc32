/*
 * Who asks. Made by auth for a request, by the engine for a job's own work; an argument of every read, write
 * and effect. Immutable once made; all strings live in the request's (or job's) arena. Thread rule: any
 * thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* viewer < operator < admin; auditor and data_reader stand apart. */
enum role {
    ROLE_UNSET,  /* no row may have it: a table without a role is refused at start */
    ROLE_PUBLIC, /* nobody in particular, no token */
    ROLE_ANY,    /* any valid token */
    ROLE_VIEWER,
    ROLE_OPERATOR,
    ROLE_ADMIN, /* BackupAdministrator */
    ROLE_AUDITOR,
    ROLE_DATA_READER,
};

struct grant {
    enum role role;
    const char *environment; /* a name, or "*" */
};

struct principal {
    const char *issuer;
    const char *subject;
    const char *identity; /* who is the same person over issuers: the issuer's identity_claim */
    const char *token_id; /* jti, or NULL */
    const char *address;  /* the client's */
    const char *channel;  /* "rest", "engine" */
    const struct grant *grants;
    size_t grant_count;
    bool mfa_by_token;      /* the token's acr or amr is one that the issuer's mfa accepts */
    int64_t auth_time_ms;   /* 0: the token does not say */
    int64_t mfa_max_age_ms; /* the issuer's */
};

const char *role_name(enum role role);                  /* as in grants: "BackupAdministrator" */
bool role_parse(const char *name, enum role *ret_role); /* grantable roles only */
/* Has the principal this role (or one that contains it) at this environment? environment NULL: at any; "*":
 * at all. */
bool principal_may(const struct principal *principal, enum role role, const char *environment);
/* May it know that this environment exists: any grant at it or at "*". */
bool principal_sees(const struct principal *principal, const char *environment);
/* Fresh MFA from the token alone at `now`: mfa_by_token and auth_time within max age (60 s of skew). */
bool principal_mfa_fresh(const struct principal *principal, int64_t now_wall_ms);
