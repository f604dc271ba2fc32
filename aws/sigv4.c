#include "aws/sigv4.h"

#include <ctype.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"

#define SIGNED_MAX 64
#define CANONICAL_MAX ((size_t)(128 * KIB))

/* -- small things -- */

static bool unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static void encode_byte(struct buffer *out, unsigned char c, bool keep_slash)
{
    static const char hex[] = "0123456789ABCDEF";

    if (unreserved(c) || (keep_slash && c == '/')) {
        buffer_add_char(out, (char)c);
        return;
    }
    buffer_add_char(out, '%');
    buffer_add_char(out, hex[c >> 4]);
    buffer_add_char(out, hex[c & 15]);
}

void uri_encode(struct buffer *out, struct bytes text, bool keep_slash)
{
    for (size_t i = 0; i < text.len; i++)
        encode_byte(out, (unsigned char)text.data[i], keep_slash);
}

/* Decodes what is encoded and encodes it again, so that any spelling gives the one of the specification. */
static void uri_recode(struct buffer *out, struct bytes text, bool keep_slash)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        uint8_t byte;
        if (c == '%' && i + 2 < text.len && hex_decode((struct bytes){text.data + i + 1, 2}, &byte, 1)) {
            encode_byte(out, byte, false);
            i += 2;
            continue;
        }
        encode_byte(out, c, keep_slash);
    }
}

int sha256_hex(struct bytes data, char ret_hex[HEX_SIZE(32)], struct err *err)
{
    uint8_t digest[32];

    if (!EVP_Digest(data.data ? data.data : "", data.len, digest, NULL, EVP_sha256(), NULL))
        return err_set(err, ERR_INTERNAL, "sha-256 is not available");
    hex_encode(digest, sizeof(digest), ret_hex);
    return 0;
}

static void day_of(int64_t time_ms, char ret_day[9])
{
    char text[TIME_SIZE];

    time_format_basic(time_ms, text);
    bytes_copy(ret_day, 9, (struct bytes){text, 8});
}

/* -- canonical request -- */

/* RFC 3986 5.2.4 with empty segments dropped too, as AWS normalises. */
static void normalise_path(struct bytes path, struct buffer *out)
{
    size_t starts[SIGNED_MAX];
    size_t depth = 0;
    bool slash_at_end = path.len > 0 && path.data[path.len - 1] == '/';

    for (size_t i = 0; i < path.len;) {
        const char *at = path.data + i;
        const char *slash = memchr(at, '/', path.len - i);
        size_t len = slash ? (size_t)(slash - at) : path.len - i;
        i += len + 1;
        if (len == 0 || (len == 1 && at[0] == '.')) {
            continue;
        }
        if (len == 2 && at[0] == '.' && at[1] == '.') {
            if (depth > 0)
                out->len = starts[--depth];
            continue;
        }
        if (depth == SIGNED_MAX) {
            out->failed = true;
            return;
        }
        starts[depth++] = out->len;
        buffer_add_char(out, '/');
        buffer_add(out, at, len);
    }
    if (out->len == 0 || slash_at_end)
        buffer_add_char(out, '/');
}

static void cleanup_buffer(struct buffer *buffer)
{
    buffer_done(buffer);
}

static void add_path(const struct sigv4_request *request, const struct sigv4_scope *scope, struct buffer *out)
{
    _cleanup_(cleanup_buffer) struct buffer plain = BUFFER_INIT(CANONICAL_MAX);
    struct bytes path = request->path.len ? request->path : BYTES("/");

    if (!scope->s3_path && !scope->keep_path) {
        normalise_path(path, &plain);
        out->failed |= plain.failed;
        path = buffer_bytes(&plain);
    }
    if (scope->s3_path || scope->single_encode)
        uri_recode(out, path, true);
    else
        uri_encode(out, path, true);
}

struct pair {
    struct bytes name;
    struct bytes value;
};

static int compare_bytes(struct bytes a, struct bytes b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Insertion sort: stable, and there are few. */
static void sort_pairs(struct pair *pairs, size_t count, bool by_value)
{
    for (size_t i = 1; i < count; i++) {
        struct pair moving = pairs[i];
        size_t at = i;
        for (; at > 0; at--) {
            int order = compare_bytes(moving.name, pairs[at - 1].name);
            if (order == 0 && by_value)
                order = compare_bytes(moving.value, pairs[at - 1].value);
            if (order >= 0)
                break;
            pairs[at] = pairs[at - 1];
        }
        pairs[at] = moving;
    }
}

/* Splits at & and =, every name and value in its one spelling, sorted. `text` holds the spellings. */
static int add_query(struct bytes query, struct buffer *text, struct buffer *out, struct err *err)
{
    struct pair pairs[SIGNED_MAX];
    size_t offsets[SIGNED_MAX][3];
    size_t count = 0;

    for (size_t i = 0; i < query.len;) {
        const char *at = query.data + i;
        const char *end = memchr(at, '&', query.len - i);
        size_t len = end ? (size_t)(end - at) : query.len - i;
        i += len + 1;
        if (len == 0)
            continue;
        if (count == SIGNED_MAX)
            return err_set(err, ERR_LIMIT_EXCEEDED, "more than %d query parameters", SIGNED_MAX);
        const char *equals = memchr(at, '=', len);
        size_t name_len = equals ? (size_t)(equals - at) : len;
        offsets[count][0] = text->len;
        uri_recode(text, (struct bytes){at, name_len}, false);
        offsets[count][1] = text->len;
        if (equals)
            uri_recode(text, (struct bytes){equals + 1, len - name_len - 1}, false);
        offsets[count++][2] = text->len;
    }
    if (text->failed)
        return err_set(err, ERR_LIMIT_EXCEEDED, "the query is too long to sign");
    const char *spelled = text->data ? text->data : ""; /* "=" spells nothing at all */
    for (size_t i = 0; i < count; i++) {
        pairs[i].name = (struct bytes){spelled + offsets[i][0], offsets[i][1] - offsets[i][0]};
        pairs[i].value = (struct bytes){spelled + offsets[i][1], offsets[i][2] - offsets[i][1]};
    }
    sort_pairs(pairs, count, true);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_add_char(out, '&');
        buffer_add_bytes(out, pairs[i].name);
        buffer_add_char(out, '=');
        buffer_add_bytes(out, pairs[i].value);
    }
    return 0;
}

/* No space at the ends, runs of space as one. */
static void add_header_value(struct buffer *out, struct bytes value)
{
    size_t end = value.len, i = 0;

    while (i < end && isspace((unsigned char)value.data[i]))
        i++;
    while (end > i && isspace((unsigned char)value.data[end - 1]))
        end--;
    for (; i < end; i++) {
        bool space = isspace((unsigned char)value.data[i]);
        if (space && isspace((unsigned char)value.data[i - 1]))
            continue;
        buffer_add_char(out, space ? ' ' : value.data[i]);
    }
}

static int add_headers(const struct sigv4_request *request, struct buffer *names, struct buffer *out,
                       struct buffer *signed_headers, struct err *err)
{
    struct pair pairs[SIGNED_MAX];
    size_t count = request->header_count;

    if (count > SIGNED_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "more than %d headers to sign", SIGNED_MAX);
    for (size_t i = 0; i < count; i++) {
        for (const char *p = request->headers[i].name; *p; p++)
            buffer_add_char(names, (char)tolower((unsigned char)*p));
    }
    if (names->failed)
        return err_set(err, ERR_LIMIT_EXCEEDED, "the headers are too long to sign");
    const char *at = names->data;
    for (size_t i = 0; i < count; i++) {
        pairs[i].name = (struct bytes){at, strlen(request->headers[i].name)};
        pairs[i].value = bytes_of(request->headers[i].value);
        at += pairs[i].name.len;
    }
    sort_pairs(pairs, count, false);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && bytes_equal(pairs[i].name, pairs[i - 1].name)) {
            buffer_add_char(out, ',');
        } else {
            buffer_add_str(out, i > 0 ? "\n" : "");
            buffer_add_bytes(out, pairs[i].name);
            buffer_add_char(out, ':');
            buffer_add_str(signed_headers, i > 0 ? ";" : "");
            buffer_add_bytes(signed_headers, pairs[i].name);
        }
        add_header_value(out, pairs[i].value);
    }
    buffer_add_str(out, count ? "\n" : "");
    return 0;
}

int sigv4_canonical_request(const struct sigv4_request *request, const struct sigv4_scope *scope,
                            struct buffer *out, struct buffer *signed_headers, struct err *err)
{
    _cleanup_(cleanup_buffer) struct buffer query = BUFFER_INIT(CANONICAL_MAX);
    _cleanup_(cleanup_buffer) struct buffer names = BUFFER_INIT(CANONICAL_MAX);
    size_t start = signed_headers->len;

    buffer_add_str(out, request->method);
    buffer_add_char(out, '\n');
    add_path(request, scope, out);
    buffer_add_char(out, '\n');
    if (add_query(request->query, &query, out, err) != 0)
        return -1;
    buffer_add_char(out, '\n');
    if (add_headers(request, &names, out, signed_headers, err) != 0)
        return -1;
    buffer_add_char(out, '\n');
    buffer_add(out, signed_headers->data ? signed_headers->data + start : "", signed_headers->len - start);
    buffer_add_char(out, '\n');
    buffer_add_str(out, request->payload_hash);
    return buffer_ok(out, "the canonical request", err);
}

/* -- signature -- */

static void add_scope(struct buffer *out, const struct sigv4_scope *scope)
{
    char day[9];

    day_of(scope->time_ms, day);
    buffer_printf(out, "%s/%s/%s/aws4_request", day, scope->region, scope->service);
}

void sigv4_string_to_sign(const struct sigv4_scope *scope, struct bytes canonical_request, struct buffer *out)
{
    char time[TIME_SIZE];
    char hash[HEX_SIZE(32)] = "";
    struct err err = ERR_INIT;

    time_format_basic(scope->time_ms, time);
    if (sha256_hex(canonical_request, hash, &err) != 0)
        out->failed = true;
    buffer_printf(out, "AWS4-HMAC-SHA256\n%s\n", time);
    add_scope(out, scope);
    buffer_printf(out, "\n%s", hash);
}

static bool hmac(const void *key, size_t key_len, struct bytes data, uint8_t ret_digest[32])
{
    unsigned len = 32;

    return HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)data.data, data.len, ret_digest,
                &len) != NULL;
}

int sigv4_signing_key(const char *secret_key, const struct sigv4_scope *scope,
                      uint8_t ret_key[SIGV4_KEY_SIZE], struct err *err)
{
    _cleanup_(cleanup_buffer) struct buffer first = BUFFER_INIT(1024);
    char day[9];

    first.secret = true;
    day_of(scope->time_ms, day);
    buffer_printf(&first, "AWS4%s", secret_key);
    if (first.failed || !hmac(first.data, first.len, bytes_of(day), ret_key) ||
        !hmac(ret_key, 32, bytes_of(scope->region), ret_key) ||
        !hmac(ret_key, 32, bytes_of(scope->service), ret_key) ||
        !hmac(ret_key, 32, BYTES("aws4_request"), ret_key))
        return err_set(err, ERR_INTERNAL, "no signing key could be derived");
    return 0;
}

int sigv4_signature(const uint8_t key[SIGV4_KEY_SIZE], struct bytes string_to_sign,
                    char ret_hex[HEX_SIZE(32)], struct err *err)
{
    uint8_t digest[32];

    if (!hmac(key, SIGV4_KEY_SIZE, string_to_sign, digest))
        return err_set(err, ERR_INTERNAL, "hmac is not available");
    hex_encode(digest, sizeof(digest), ret_hex);
    return 0;
}

/* The day's key from the cache, or derived into it. */
static int cached_key(const char *access_key, const char *secret_key, const struct sigv4_scope *scope,
                      struct sigv4_keys *keys, uint8_t ret_key[SIGV4_KEY_SIZE], struct err *err)
{
    char day[9];
    char id[SIGV4_KEY_ID_SIZE];

    day_of(scope->time_ms, day);
    int len = snprintf(id, sizeof(id), "%s/%s/%s/%s", access_key, day, scope->region, scope->service);
    bool fits = keys && len > 0 && (size_t)len < sizeof(id);
    for (size_t i = 0; fits && i < COUNT_OF(keys->entries); i++) {
        if (strcmp(keys->entries[i].id, id) == 0) {
            memcpy(ret_key, keys->entries[i].key, SIGV4_KEY_SIZE);
            return 0;
        }
    }
    if (sigv4_signing_key(secret_key, scope, ret_key, err) != 0)
        return -1;
    if (fits) {
        struct sigv4_key *entry = &keys->entries[keys->next++ % COUNT_OF(keys->entries)];
        str_copy(entry->id, sizeof(entry->id), id);
        memcpy(entry->key, ret_key, SIGV4_KEY_SIZE);
    }
    return 0;
}

void sigv4_keys_done(struct sigv4_keys *keys)
{
    OPENSSL_cleanse(keys, sizeof(*keys));
}

int sigv4_authorization(const struct sigv4_request *request, const struct sigv4_scope *scope,
                        const char *access_key, const char *secret_key, struct sigv4_keys *keys,
                        struct buffer *out, struct err *err)
{
    _cleanup_(cleanup_buffer) struct buffer canonical = BUFFER_INIT(CANONICAL_MAX);
    _cleanup_(cleanup_buffer) struct buffer signed_headers = BUFFER_INIT(4096);
    _cleanup_(cleanup_buffer) struct buffer to_sign = BUFFER_INIT(4096);
    uint8_t key[SIGV4_KEY_SIZE];
    char signature[HEX_SIZE(32)];

    canonical.secret = true; /* a session token is in it */
    if (sigv4_canonical_request(request, scope, &canonical, &signed_headers, err) != 0)
        return -1;
    sigv4_string_to_sign(scope, buffer_bytes(&canonical), &to_sign);
    if (buffer_ok(&to_sign, "the string to sign", err) != 0)
        return -1;
    int rc = cached_key(access_key, secret_key, scope, keys, key, err);
    if (rc == 0)
        rc = sigv4_signature(key, buffer_bytes(&to_sign), signature, err);
    OPENSSL_cleanse(key, sizeof(key));
    if (rc != 0)
        return -1;
    buffer_printf(out, "AWS4-HMAC-SHA256 Credential=%s/", access_key);
    add_scope(out, scope);
    buffer_printf(out, ", SignedHeaders=%s, Signature=%s", signed_headers.data, signature);
    return buffer_ok(out, "the authorization header", err);
}
