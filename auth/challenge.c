#include "auth/challenge.h"

#include <jansson.h>

#include "base/cleanup.h"
#include "base/config.h"
#include "base/principal.h"

#define REALM "Bearer realm=\"recoverd\""

/* RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E. A quote becomes an apostrophe, anything else a question
 * mark. */
static void add_parameter(struct buffer *out, const char *name, const char *value)
{
    buffer_printf(out, ", %s=\"", name);
    for (; *value; value++) {
        char c = *value;

        if (c == '"')
            c = '\'';
        else if (c < 0x20 || c > 0x7e || c == '\\')
            c = '?';
        buffer_add_char(out, c);
    }
    buffer_add_char(out, '"');
}

static void add_error(struct buffer *out, const char *error, const char *description)
{
    buffer_add_str(out, REALM);
    add_parameter(out, "error", error);
    if (description && *description)
        add_parameter(out, "error_description", description);
}

void challenge_bare(struct buffer *out)
{
    buffer_add_str(out, REALM);
}

void challenge_invalid_token(struct buffer *out, const char *description)
{
    add_error(out, "invalid_token", description);
}

void challenge_insufficient_scope(struct buffer *out, const char *description)
{
    add_error(out, "insufficient_scope", description);
}

/* acr_values is a space-separated list, so a value with a space in it cannot be said and is left out. */
static void add_acr_values(struct buffer *out, const struct name_list *acr_values)
{
    char text[1024] = "";
    size_t len = 0;

    for (size_t i = 0; i < acr_values->count; i++) {
        const char *value = acr_values->names[i];
        size_t size = strlen(value);

        if (size == 0 || strchr(value, ' ') || len + size + 2 > sizeof(text))
            continue;
        if (len)
            text[len++] = ' ';
        memcpy(text + len, value, size + 1);
        len += size;
    }
    if (len)
        add_parameter(out, "acr_values", text);
}

void challenge_step_up(struct buffer *out, const char *description, const struct name_list *acr_values,
                       int64_t max_age_ms)
{
    add_error(out, "insufficient_user_authentication", description);
    if (acr_values)
        add_acr_values(out, acr_values);
    if (max_age_ms > 0)
        buffer_printf(out, ", max_age=\"%lld\"", (long long)(max_age_ms / 1000));
}

static const struct issuer_config *issuer_of(const struct config *config, const struct principal *principal)
{
    for (size_t i = 0; config && principal && i < config->issuer_count; i++)
        if (str_is(config->issuers[i].issuer, principal->issuer))
            return &config->issuers[i];
    return NULL;
}

bool challenge_for(struct buffer *out, const struct err *err, const struct config *config,
                   const struct principal *principal)
{
    const struct issuer_config *issuer = issuer_of(config, principal);
    bool mfa = issuer && issuer->mfa;

    switch (err->code) {
    case ERR_UNAUTHENTICATED:
        challenge_bare(out);
        return true;
    case ERR_INVALID_TOKEN:
        challenge_invalid_token(out, err->message);
        return true;
    case ERR_FORBIDDEN:
        challenge_insufficient_scope(out, err->message);
        return true;
    case ERR_MFA_REQUIRED:
    case ERR_OTP_INVALID:
        challenge_step_up(out, err->message, mfa ? &issuer->mfa_acr_values : NULL,
                          mfa ? issuer->mfa_max_age_ms : 0);
        return true;
    default:
        return false;
    }
}
