/* What the sources of credentials share. One file a source. */
#pragma once
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "base/arena.h"
#include "base/buffer.h"

struct credentials_settings {
    char *profile; /* NULL: AWS_PROFILE, then default */
    char *role_arn;
    char *external_id;
    char *region;
    char *session_name; /* of assumed roles */
    struct aws_endpoint sts;
};

/* One fetch. */
struct fetch {
    const struct credentials_settings *settings;
    struct http_client *http;
    const struct http_interrupt *interrupt; /* NULL: none */
    int64_t *now_ms; /* AWS's time; who learns from AWS that it is another puts it right */
};

/* 1: got them; 0: this source is not configured; -1: it is, and it failed. */
typedef int credentials_fetch(const struct fetch *fetch, struct aws_credentials *ret, struct err *err);

credentials_fetch credentials_from_env;
credentials_fetch credentials_from_profile;
credentials_fetch credentials_from_web_identity;
credentials_fetch credentials_from_container;
credentials_fetch credentials_from_imds;

/* credential_process: the command is split into words (quotes, backslash), no shell. A
 * minute for all of it; it is killed then, and when the fetch is interrupted. */
int credentials_from_process(const struct fetch *fetch, const char *command, struct aws_credentials *ret,
                             struct err *err);

struct role {
    const char *arn;
    const char *session_name; /* NULL: the settings' */
    const char *external_id;
    const char *duration_s; /* NULL: AWS's hour */
    const char *web_token;  /* with it: AssumeRoleWithWebIdentity, unsigned */
};
/* `base` NULL only with web_token. */
int credentials_assume_role(const struct fetch *fetch, const struct role *role,
                            const struct aws_credentials *base, struct aws_credentials *ret, struct err *err);
/* Web identity from given places; also a profile's. */
int credentials_web_identity(const struct fetch *fetch, const char *token_file, const struct role *role,
                             struct aws_credentials *ret, struct err *err);

/* AccessKeyId, SecretAccessKey, Token or SessionToken, Expiration; and what says that it is an error. */
int credentials_from_json(struct bytes text, const char *source, struct aws_credentials *ret,
                          struct err *err);
/* Hands on why a source failed: AWS_CREDENTIALS, but for an interrupt's code and NO_MEMORY. Returns -1. */
int credentials_failed(const struct err *cause, struct err *err);
int credentials_set(struct aws_credentials *ret, const char *source, const char *access, const char *secret,
                    const char *token, struct err *err);
/* A whole file of at most `max` bytes; `out` is marked secret. */
int credentials_read_file(const char *path, struct buffer *out, struct err *err);
