#include "base/principal.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"

#define BIT(role) (1U << (role))

/* What each role may act as. A role that is not listed grants nothing. */
static const struct role_row {
    const char *name;
    bool grantable;
    unsigned contains;
} roles[] = {
    [ROLE_UNSET] = {"unset", false, 0},
    [ROLE_PUBLIC] = {"public", false, 0},
    [ROLE_ANY] = {"any", false, 0},
    [ROLE_VIEWER] = {"viewer", true, BIT(ROLE_VIEWER)},
    [ROLE_OPERATOR] = {"operator", true, BIT(ROLE_OPERATOR) | BIT(ROLE_VIEWER)},
    [ROLE_ADMIN] = {"BackupAdministrator", true, BIT(ROLE_ADMIN) | BIT(ROLE_OPERATOR) | BIT(ROLE_VIEWER)},
    [ROLE_AUDITOR] = {"auditor", true, BIT(ROLE_AUDITOR)},
    [ROLE_DATA_READER] = {"data_reader", true, BIT(ROLE_DATA_READER)},
};

static const struct role_row *role_row(enum role role)
{
    return (size_t)role < COUNT_OF(roles) ? &roles[role] : &roles[ROLE_UNSET];
}

const char *role_name(enum role role)
{
    return role_row(role)->name;
}

bool role_parse(const char *name, enum role *ret_role)
{
    for (size_t i = 0; name && i < COUNT_OF(roles); i++) {
        if (roles[i].grantable && strcmp(roles[i].name, name) == 0) {
            *ret_role = (enum role)i;
            return true;
        }
    }
    return false;
}

/* environment NULL: wherever the grant is. A grant at "*" reaches every environment, "*" itself included. */
static bool grant_reaches(const struct grant *grant, const char *environment)
{
    if (!grant->environment)
        return false;
    return !environment || strcmp(grant->environment, "*") == 0 ||
           strcmp(grant->environment, environment) == 0;
}

bool principal_may(const struct principal *principal, enum role role, const char *environment)
{
    if (role == ROLE_PUBLIC)
        return true;
    if (!principal)
        return false;
    if (role == ROLE_ANY)
        return !environment || principal_sees(principal, environment);
    if (!role_row(role)->grantable)
        return false;
    for (size_t i = 0; i < principal->grant_count; i++) {
        const struct grant *grant = &principal->grants[i];
        if (grant_reaches(grant, environment) && (role_row(grant->role)->contains & BIT(role)))
            return true;
    }
    return false;
}

bool principal_sees(const struct principal *principal, const char *environment)
{
    if (!principal || !environment)
        return false;
    for (size_t i = 0; i < principal->grant_count; i++) {
        if (role_row(principal->grants[i].role)->grantable &&
            grant_reaches(&principal->grants[i], environment))
            return true;
    }
    return false;
}

bool principal_mfa_fresh(const struct principal *principal, int64_t now_wall_ms)
{
    if (!principal || !principal->mfa_by_token || principal->auth_time_ms <= 0 ||
        principal->mfa_max_age_ms <= 0)
        return false;
    int64_t age_ms;
    if (__builtin_sub_overflow(now_wall_ms, principal->auth_time_ms, &age_ms))
        return false;
    return age_ms >= -JWT_SKEW_MS && age_ms - JWT_SKEW_MS <= principal->mfa_max_age_ms;
}
