#include <openssl/crypto.h>

#include "aws/credentials_internal.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

void aws_credentials_done(struct aws_credentials *credentials)
{
    OPENSSL_cleanse(credentials, sizeof(*credentials));
}

int credentials_failed(const struct err *cause, struct err *err)
{
    static const enum err_code of_requests[] = {
        ERR_AWS_UNREACHABLE, ERR_AWS_TIMEOUT,  ERR_LIMIT_EXCEEDED, ERR_IO,
        ERR_INVALID_HEADER,  ERR_INVALID_BODY, ERR_INTERNAL};

    if (err->code != ERR_NONE)
        return -1;
    *err = *cause;
    for (size_t i = 0; i < COUNT_OF(of_requests); i++)
        if (cause->code == of_requests[i])
            err->code = ERR_AWS_CREDENTIALS;
    return -1;
}

/* Header values are made of them. */
static bool printable(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x21 || (unsigned char)*text > 0x7e)
            return false;
    }
    return true;
}

int credentials_set(struct aws_credentials *ret, const char *source, const char *access, const char *secret,
                    const char *token, struct err *err)
{
    if (!access || !*access || !secret || !*secret)
        return err_set(err, ERR_AWS_CREDENTIALS, "%s: the access key id or the secret access key is missing",
                       source);
    if (!printable(access) || !printable(secret) || (token && !printable(token)))
        return err_set(err, ERR_AWS_CREDENTIALS, "%s: a key has a character that no AWS key has", source);
    if (!str_copy(ret->access_key, sizeof(ret->access_key), access) ||
        !str_copy(ret->secret_key, sizeof(ret->secret_key), secret) ||
        !str_copy(ret->session_token, sizeof(ret->session_token), token ? token : ""))
        return err_set(err, ERR_AWS_CREDENTIALS, "%s: a key is longer than any AWS key", source);
    str_copy(ret->source, sizeof(ret->source), source);
    return 0;
}

int credentials_from_json(struct bytes text, const char *source, struct aws_credentials *ret, struct err *err)
{
    static const struct json_limits limits = {.max_depth = 8, .allow_duplicates = true};
    struct err ignored = ERR_INIT; /* its text may hold a part of the secret */
    json_auto_t *value = NULL;

    if (json_parse(text, &limits, &value, &ignored) != 0 || !json_is_object(value))
        return err_set(err, ERR_AWS_CREDENTIALS, "%s: the answer is not a JSON object", source);
    const char *code = json_get_text(value, "Code");
    if (!code)
        code = json_get_text(value, "code");
    const char *message = json_get_text(value, "Message");
    if (!message)
        message = json_get_text(value, "message");
    if (code && strcmp(code, "Success") != 0)
        return err_set(err, ERR_AWS_CREDENTIALS, "%s: %.80s: %.200s", source, code,
                       message ? message : "no message");
    const char *token = json_get_text(value, "Token");
    if (!token)
        token = json_get_text(value, "SessionToken");
    if (credentials_set(ret, source, json_get_text(value, "AccessKeyId"),
                        json_get_text(value, "SecretAccessKey"), token, err) != 0)
        return -1;
    const char *end = json_get_text(value, "Expiration");
    ret->expires_ms = 0;
    if (end && !time_parse(bytes_of(end), &ret->expires_ms))
        return err_set(err, ERR_AWS_CREDENTIALS, "%s: Expiration is not a time: %.40s", source, end);
    return 0;
}

int credentials_read_file(const char *path, struct buffer *out, struct err *err)
{
    _cleanup_(cleanup_file) FILE *file = fopen(path, "rbe");
    size_t n;

    out->secret = true;
    if (!file)
        return err_set(err, ERR_AWS_CREDENTIALS, "cannot open %.300s", path);
    setvbuf(file, NULL, _IONBF, 0); /* its own buffer would be freed with the secret in it */
    do {
        char *room = buffer_reserve(out, 4096);
        n = room ? fread(room, 1, 4096, file) : 0;
        out->len += n;
    } while (n > 0);
    if (out->failed || ferror(file))
        return err_set(err, ERR_AWS_CREDENTIALS, "cannot read %.300s", path);
    buffer_add(out, "", 0); /* closes with NUL */
    return 0;
}
