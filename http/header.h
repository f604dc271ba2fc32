/*
 * The values of the headers that we read, as pure functions over bytes (RFC 9110; RFC 7240 for Prefer; RFC
 * 8941 for the quoted Idempotency-Key). An absent header is a value whose data is NULL. Thread rule: any.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

bool http_is_token(struct bytes text);                    /* RFC 9110 5.6.2: one or more tchar */
bool http_name_is(struct bytes name, const char *wanted); /* without case */
struct bytes http_trim(struct bytes text);                /* spaces and tabs at both ends */
/* Takes the next element of a comma-separated list, commas inside quotes respected; false at the end. Empty
 * elements are skipped. */
bool http_list_next(struct bytes *list, struct bytes *ret_element);
/* Takes the next `;name=value` of an element; *parameters begins behind the first part. Quotes are removed
 * (escapes stay). False at the end, or when it is malformed: then *parameters keeps what is left. */
bool http_parameter_next(struct bytes *parameters, struct bytes *ret_name, struct bytes *ret_value);

#define HTTP_MEDIA_SIZE 128
struct http_media {
    char type[HTTP_MEDIA_SIZE]; /* type/subtype in lower case, without parameters */
    bool utf8;                  /* no charset, or charset=utf-8 */
};
bool http_media_parse(struct bytes value, struct http_media *ret_media);

/* `Prefer: wait=N` in seconds, cut to HTTP_WAIT_MAX_S; 0 when not asked for or malformed (a preference is
 * never an error). Give each Prefer header's value; the gate allows one. */
int http_prefer_wait(struct bytes prefer);
/* A `?wait=N` value: false when it is no number of seconds from 0 to HTTP_WAIT_MAX_S. */
bool http_wait_parse(const char *text, int *ret_seconds);

/* Index of the offered media type that Accept likes best (first offered wins a tie), -1 when none is
 * acceptable. Without the header: 0. */
int http_accept(struct bytes accept, const char *const *offers, size_t offer_count);
/* Does Accept-Encoding take this coding (q above 0, by name or `*`)? Absent: false, identity is the safe
 * reading. */
bool http_accepts_coding(struct bytes accept_encoding, const char *coding);

/* Quoted (RFC 8941 string) or bare, 1 to IDEMPOTENCY_KEY_MAX visible ASCII characters. 0 with ret_key "" when
 * absent; -1 with INVALID_HEADER. */
int http_idempotency_key(struct bytes value, char ret_key[IDEMPOTENCY_KEY_MAX + 1], struct err *err);

enum http_match {
    HTTP_MATCH_ABSENT, /* no header */
    HTTP_MATCH_YES,    /* `*` on something that exists, or a tag that is equal */
    HTTP_MATCH_NO,
    HTTP_MATCH_BAD, /* not a list of entity tags */
};
/* `etag` with its quotes, as sent in ETag; NULL when the thing does not exist. If-Match compares strongly (a
 * weak tag never matches), If-None-Match weakly. The tag of a gzipped reply (suffix -gzip) counts as the tag
 * itself. */
enum http_match http_if_match(struct bytes if_match, const char *etag);
enum http_match http_if_none_match(struct bytes if_none_match, const char *etag);

enum http_range_result {
    HTTP_RANGE_ALL, /* absent, another unit, several ranges or malformed: RFC 9110 14.2 lets us ignore it */
    HTTP_RANGE_PART,
    HTTP_RANGE_UNSATISFIABLE,
};
enum http_range_result http_range(struct bytes range, int64_t size, int64_t *ret_offset, int64_t *ret_length);
