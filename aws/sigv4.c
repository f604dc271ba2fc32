#include "aws/sigv4.h"

#include <openssl/crypto.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "item/sha256.h"

#define SIGNED_MAX 64
#define CANONICAL_MAX ((size_t)(128 * KIB))
#define CANONICAL_USUAL 1500

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

static int hash_hex(struct sha256 *sha, struct bytes data, char ret_hex[HEX_SIZE(32)], struct err *err)
{
    uint8_t digest[SHA256_BYTES];

    if (sha256_once(sha, data, digest, err) < 0)
        return -1;
    hex_encode(digest, sizeof(digest), ret_hex);
    return 0;
}

int sha256_hex(struct bytes data, char ret_hex[HEX_SIZE(32)], struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);

    return sha ? hash_hex(sha, data, ret_hex, err) : -1;
}

/* The digest that a session keeps. */
static struct sha256 *kept_sha256(struct sigv4_keys *keys, struct err *err)
{
    if (!keys->sha)
        keys->sha = sha256_new(err);
    return keys->sha;
}

int sigv4_payload_hash(struct sigv4_keys *keys, struct bytes body, char ret_hex[HEX_SIZE(32)],
                       struct err *err)
{
    struct sha256 *sha = kept_sha256(keys, err);

    return sha ? hash_hex(sha, body, ret_hex, err) : -1;
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

static void add_path(const struct sigv4_request *request, const struct sigv4_scope *scope, struct buffer *out)
{
    _cleanup_(buffer_done) struct buffer plain = BUFFER_INIT(CANONICAL_MAX);
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

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* No space at the ends, runs of space as one. */
static void add_header_value(struct buffer *out, struct bytes value)
{
    size_t i = 0;

    for (bool first = true;; first = false) {
        size_t from;

        while (i < value.len && is_space(value.data[i]))
            i++;
        if (i == value.len)
            return;
        if (!first)
            buffer_add_char(out, ' ');
        for (from = i; i < value.len && !is_space(value.data[i]);)
            i++;
        buffer_add(out, value.data + from, i - from);
    }
}

static void add_lower(struct buffer *out, const char *text)
{
    size_t len = strlen(text);
    char *to = buffer_reserve(out, len);

    if (!to)
        return;
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
    to[len] = '\0';
    out->len += len;
}

static int add_headers(const struct sigv4_request *request, struct buffer *names, struct buffer *out,
                       struct buffer *signed_headers, struct err *err)
{
    struct pair pairs[SIGNED_MAX];
    size_t count = request->header_count;

    if (count > SIGNED_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "more than %d headers to sign", SIGNED_MAX);
    for (size_t i = 0; i < count; i++)
        add_lower(names, request->headers[i].name);
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
    _cleanup_(buffer_done) struct buffer query = BUFFER_INIT(CANONICAL_MAX);
    _cleanup_(buffer_done) struct buffer names = BUFFER_INIT(CANONICAL_MAX);
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
    if (buffer_ok(signed_headers, "the names of the headers to sign", err) != 0)
        return -1;
    return buffer_ok(out, "the canonical request", err);
}

/* -- signature -- */

static void add_scope(struct buffer *out, const struct sigv4_scope *scope)
{
    char day[9];

    day_of(scope->time_ms, day);
    buffer_add_str(out, day);
    buffer_add_char(out, '/');
    buffer_add_str(out, scope->region);
    buffer_add_char(out, '/');
    buffer_add_str(out, scope->service);
    buffer_add_str(out, "/aws4_request");
}

static int string_to_sign(struct sha256 *sha, const struct sigv4_scope *scope, struct bytes canonical_request,
                          struct buffer *out, struct err *err)
{
    char time[TIME_SIZE];
    char hash[HEX_SIZE(32)];

    time_format_basic(scope->time_ms, time);
    if (hash_hex(sha, canonical_request, hash, err) != 0)
        return -1;
    buffer_add_str(out, "AWS4-HMAC-SHA256\n");
    buffer_add_str(out, time);
    buffer_add_char(out, '\n');
    add_scope(out, scope);
    buffer_add_char(out, '\n');
    buffer_add_str(out, hash);
    return buffer_ok(out, "the string to sign", err);
}

int sigv4_string_to_sign(const struct sigv4_scope *scope, struct bytes canonical_request, struct buffer *out,
                         struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);

    return sha ? string_to_sign(sha, scope, canonical_request, out, err) : -1;
}

static int signing_key(struct sha256 *sha, const char *secret_key, const struct sigv4_scope *scope,
                       uint8_t ret_key[SIGV4_KEY_SIZE], struct err *err)
{
    _cleanup_(buffer_done) struct buffer first = BUFFER_INIT(1024);
    char day[9];
    const struct bytes own = {(const char *)ret_key, SIGV4_KEY_SIZE};

    first.secret = true;
    day_of(scope->time_ms, day);
    buffer_add_str(&first, "AWS4");
    buffer_add_str(&first, secret_key);
    if (first.failed)
        return err_set(err, ERR_INTERNAL, "no signing key could be derived");
    if (sha256_hmac(sha, buffer_bytes(&first), bytes_of(day), ret_key, err) < 0 ||
        sha256_hmac(sha, own, bytes_of(scope->region), ret_key, err) < 0 ||
        sha256_hmac(sha, own, bytes_of(scope->service), ret_key, err) < 0)
        return -1;
    return sha256_hmac(sha, own, BYTES("aws4_request"), ret_key, err);
}

int sigv4_signing_key(const char *secret_key, const struct sigv4_scope *scope,
                      uint8_t ret_key[SIGV4_KEY_SIZE], struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);

    return sha ? signing_key(sha, secret_key, scope, ret_key, err) : -1;
}

static int sign(struct sha256 *sha, const uint8_t key[SIGV4_KEY_SIZE], struct bytes to_sign,
                char ret_hex[HEX_SIZE(32)], struct err *err)
{
    uint8_t digest[SHA256_BYTES];

    if (sha256_hmac(sha, (struct bytes){(const char *)key, SIGV4_KEY_SIZE}, to_sign, digest, err) < 0)
        return -1;
    hex_encode(digest, sizeof(digest), ret_hex);
    return 0;
}

int sigv4_signature(const uint8_t key[SIGV4_KEY_SIZE], struct bytes to_sign, char ret_hex[HEX_SIZE(32)],
                    struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);

    return sha ? sign(sha, key, to_sign, ret_hex, err) : -1;
}

/* The day's key from the cache, or derived into it. */
static int cached_key(struct sha256 *sha, const char *access_key, const char *secret_key,
                      const struct sigv4_scope *scope, struct sigv4_keys *keys,
                      uint8_t ret_key[SIGV4_KEY_SIZE], struct err *err)
{
    _cleanup_(buffer_done) struct buffer id = BUFFER_INIT(SIGV4_KEY_ID_SIZE - 1);

    if (!keys)
        return signing_key(sha, secret_key, scope, ret_key, err);
    buffer_add_str(&id, access_key);
    buffer_add_char(&id, '/');
    add_scope(&id, scope);
    for (size_t i = 0; !id.failed && i < COUNT_OF(keys->entries); i++) {
        if (strcmp(keys->entries[i].id, id.data) == 0) {
            memcpy(ret_key, keys->entries[i].key, SIGV4_KEY_SIZE);
            return 0;
        }
    }
    if (signing_key(sha, secret_key, scope, ret_key, err) != 0)
        return -1;
    if (!id.failed) {
        struct sigv4_key *entry = &keys->entries[keys->next++ % COUNT_OF(keys->entries)];
        str_copy(entry->id, sizeof(entry->id), id.data);
        memcpy(entry->key, ret_key, SIGV4_KEY_SIZE);
    }
    return 0;
}

void sigv4_keys_done(struct sigv4_keys *keys)
{
    sha256_free(keys->sha);
    OPENSSL_cleanse(keys, sizeof(*keys));
}

static int authorization(struct sha256 *sha, const struct sigv4_request *request,
                         const struct sigv4_scope *scope, const char *access_key, const char *secret_key,
                         struct sigv4_keys *keys, struct buffer *out, struct err *err)
{
    _cleanup_(buffer_done) struct buffer canonical = BUFFER_INIT(CANONICAL_MAX);
    _cleanup_(buffer_done) struct buffer signed_headers = BUFFER_INIT(4096);
    _cleanup_(buffer_done) struct buffer to_sign = BUFFER_INIT(4096);
    uint8_t key[SIGV4_KEY_SIZE];
    char signature[HEX_SIZE(32)];

    canonical.secret = true;                     /* a session token is in it */
    buffer_reserve(&canonical, CANONICAL_USUAL); /* what grows is wiped at each step */
    if (sigv4_canonical_request(request, scope, &canonical, &signed_headers, err) != 0)
        return -1;
    if (string_to_sign(sha, scope, buffer_bytes(&canonical), &to_sign, err) != 0)
        return -1;
    int rc = cached_key(sha, access_key, secret_key, scope, keys, key, err);
    if (rc == 0)
        rc = sign(sha, key, buffer_bytes(&to_sign), signature, err);
    OPENSSL_cleanse(key, sizeof(key));
    if (rc != 0)
        return -1;
    buffer_add_str(out, "AWS4-HMAC-SHA256 Credential=");
    buffer_add_str(out, access_key);
    buffer_add_char(out, '/');
    add_scope(out, scope);
    buffer_add_str(out, ", SignedHeaders=");
    buffer_add_bytes(out, buffer_bytes(&signed_headers));
    buffer_add_str(out, ", Signature=");
    buffer_add_str(out, signature);
    return buffer_ok(out, "the authorization header", err);
}

int sigv4_authorization(const struct sigv4_request *request, const struct sigv4_scope *scope,
                        const char *access_key, const char *secret_key, struct sigv4_keys *keys,
                        struct buffer *out, struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *own = keys ? NULL : sha256_new(err);
    struct sha256 *sha = keys ? kept_sha256(keys, err) : own;

    return sha ? authorization(sha, request, scope, access_key, secret_key, keys, out, err) : -1;
}
