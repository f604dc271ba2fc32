/*
 * AWS Signature Version 4 by headers. Pure: no clock, no network, nothing kept but a cache of derived keys
 * that the caller owns. Source: AWS General Reference, "Create a signed AWS API request"; held to AWS's
 * signing test suite (tests/vectors/sigv4), every stage by itself. Thread rule: one thread at a time per
 * sigv4_keys; everything else has no state.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/str.h"
#include "net/http_client.h"

#define SIGV4_KEY_SIZE 32
#define SIGV4_KEY_ID_SIZE 160
#define SIGV4_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* What is signed: exactly what goes on the wire. Every header given is signed; the caller gives Host,
 * X-Amz-Date, the session token and, for S3, X-Amz-Content-Sha256 among them. */
struct sigv4_request {
    const char *method;
    struct bytes path;  /* as on the wire; "" is "/" */
    struct bytes query; /* as on the wire, without "?" */
    const struct http_header *headers;
    size_t header_count;
    const char *payload_hash; /* 64 hex, or UNSIGNED-PAYLOAD */
};

struct sigv4_scope {
    const char *region;
    const char *service;
    int64_t time_ms;    /* AWS's time */
    bool s3_path;       /* the path is encoded once and its dots and slashes stay as they are */
    bool keep_path;     /* dots and slashes stay (implied by s3_path) */
    bool single_encode; /* encoded once (implied by s3_path) */
};

/* Signing keys by day, region and service, and a digest that is looked up once. Begins as zeros; wiped and
 * freed by sigv4_keys_done. */
struct sha256;
struct sigv4_keys {
    struct sha256 *sha;
    struct sigv4_key {
        char id[SIGV4_KEY_ID_SIZE]; /* access key, day, region, service */
        uint8_t key[SIGV4_KEY_SIZE];
    } entries[8];
    unsigned next;
};
void sigv4_keys_done(struct sigv4_keys *keys);

/* The stages. Outputs are appended. -1: LIMIT_EXCEEDED (too many headers or parameters) or NO_MEMORY. */
int sigv4_canonical_request(const struct sigv4_request *request, const struct sigv4_scope *scope,
                            struct buffer *out, struct buffer *signed_headers, struct err *err);
int sigv4_string_to_sign(const struct sigv4_scope *scope, struct bytes canonical_request, struct buffer *out,
                         struct err *err);
int sigv4_signing_key(const char *secret_key, const struct sigv4_scope *scope,
                      uint8_t ret_key[SIGV4_KEY_SIZE], struct err *err);
int sigv4_signature(const uint8_t key[SIGV4_KEY_SIZE], struct bytes string_to_sign,
                    char ret_hex[HEX_SIZE(32)], struct err *err);

/* All of them: the value of the Authorization header. `keys` may be NULL. */
int sigv4_authorization(const struct sigv4_request *request, const struct sigv4_scope *scope,
                        const char *access_key, const char *secret_key, struct sigv4_keys *keys,
                        struct buffer *out, struct err *err);

/* Percent-encoding of RFC 3986 unreserved characters' complement, upper-case hex. */
void uri_encode(struct buffer *out, struct bytes text, bool keep_slash);
/* SHA-256 of a body as lower-case hex, with the digest of `keys`. */
int sigv4_payload_hash(struct sigv4_keys *keys, struct bytes body, char ret_hex[HEX_SIZE(32)],
                       struct err *err);
/* The same for who has none. */
int sha256_hex(struct bytes data, char ret_hex[HEX_SIZE(32)], struct err *err);
