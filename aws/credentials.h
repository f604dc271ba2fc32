/*
 * AWS credentials: the sources of the SDKs, refreshed before they expire.
 *
 * Chain (first that is configured wins, and its failure is the failure): environment, profile, web identity,
 * container (ECS, EKS) or instance metadata (IMDSv2 only). An environment with `profile` uses that profile
 * only; one with `role_arn` assumes that role with what was found. Each file that names a secret is read
 * again at each refresh. Refresh: from 15 minutes before the end (advisory; a quarter of the lifetime when
 * that is shorter) one thread refreshes while the others go on with the old; from 10 minutes (a sixth)
 * everyone waits for it. When a refresh fails, credentials that have not ended are used; those of IMDS also
 * after it (static stability: the instance's metadata service may be the one that is ill). Sources: AWS SDKs
 * and Tools Reference Guide; REFERENCE.md 3.2. Thread rule: a provider may be used by any thread; each brings
 * its own http client.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/environment.h"
#include "base/err.h"
#include "net/http_client.h"

/* A copy on the caller's stack; wiped by aws_credentials_done. */
struct aws_credentials {
    char access_key[132];
    char secret_key[260];
    char session_token[8200]; /* "" without */
    int64_t expires_ms;       /* AWS time; 0: they do not expire */
    char source[24];          /* environment, profile, process, web identity, container, imds, assume role */
};
void aws_credentials_done(struct aws_credentials *credentials);

struct credentials_provider;

/* Reads nothing yet but AWS's variables that name places. Strings of `environment` are copied. NULL with
 * CONFIG or NO_MEMORY. */
struct credentials_provider *credentials_provider_new(const struct environment *environment, struct err *err);
void credentials_provider_free(struct credentials_provider *provider); /* wipes; accepts NULL */

/* now_ms is AWS's time. -1: AWS_CREDENTIALS (message says where it was looked and what failed),
 * NO_MEMORY, or the interrupt's code. */
int credentials_get(struct credentials_provider *provider, struct http_client *http,
                    const struct http_interrupt *interrupt, int64_t now_ms,
                    struct aws_credentials *ret_credentials, struct err *err);
/* AWS said that these have expired or are unknown: the next credentials_get fetches, if they are still the
 * ones. */
void credentials_reject(struct credentials_provider *provider, const char *access_key);
/* For reports: source ("" before the first fetch) and end (0: none). */
void credentials_status(struct credentials_provider *provider, char ret_source[24], int64_t *ret_expires_ms);
