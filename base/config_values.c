#include "base/config_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

static bool only(const char *text, const char *allowed, size_t min, size_t max)
{
    size_t len = strlen(text);
    return len >= min && len <= max && strspn(text, allowed) == len;
}

bool valid_name(const char *text)
{
    return only(text, LOWER UPPER DIGIT "_.-", 1, 64) && strchr(LOWER UPPER DIGIT, text[0]);
}

bool valid_claim(const char *text)
{
    for (const char *at = text; text[0] == '/' && (at = strchr(at, '~')); at++) {
        if (at[1] != '0' && at[1] != '1')
            return false;
    }
    return strlen(text) <= 256;
}

/* -- addresses and urls -- */

/* 4 or 6, or 0 when it is no numeric address. */
static int address_family(const char *host, bool *ret_loopback)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1) {
        *ret_loopback = ntohl(v4.s_addr) >> 24 == 127;
        return 4;
    }
    if (inet_pton(AF_INET6, host, &v6) != 1)
        return 0;
    *ret_loopback = IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
    return 6;
}

/* HOST:PORT or [HOST]:PORT into its halves; the port is left out only where the caller allows it. */
static bool split_host(const char *text, size_t len, char host[256], const char **ret_port,
                       size_t *ret_port_len)
{
    const char *end = text + len, *from = text, *to;
    bool bracket = len > 0 && text[0] == '[';
    if (bracket) {
        from = text + 1;
        to = memchr(from, ']', (size_t)(end - from));
    } else {
        to = memchr(from, ':', len);
        to = to ? to : end;
    }
    if (!to || to == from || to - from > 255)
        return false;
    bytes_copy(host, 256, (struct bytes){from, (size_t)(to - from)});
    if (bracket != (strchr(host, ':') != NULL)) /* exactly IPv6 stands in brackets */
        return false;
    to += bracket;
    if (to != end && *to != ':')
        return false;
    *ret_port = to == end ? NULL : to + 1;
    *ret_port_len = to == end ? 0 : (size_t)(end - to - 1);
    return true;
}

static bool port_parse(const char *text, size_t len, int64_t min, int *ret_port)
{
    int64_t port;
    if (len > 5 || !int_parse((struct bytes){text, len}, &port) || port < min || port > 65535)
        return false;
    *ret_port = (int)port;
    return true;
}

bool address_parse(struct loader *l, const char *text, struct address_config *ret_address)
{
    char host[256];
    const char *port_text;
    size_t port_len;
    struct address_config address = {0};
    if (!split_host(text, strlen(text), host, &port_text, &port_len) || !port_text ||
        !port_parse(port_text, port_len, 0, &address.port) || !address_family(host, &address.loopback))
        return false;
    address.host = arena_strdup(l->arena, host);
    if (!address.host) {
        config_no_memory(l, (struct yaml_place){1, 1});
        return false;
    }
    *ret_address = address;
    return true;
}

bool url_parse(const char *text, struct url *ret_url)
{
    struct url url = {.https = str_starts(text, "https://")};
    if (!url.https && !str_starts(text, "http://"))
        return false;
    const char *authority = strstr(text, "://") + 3, *port_text;
    size_t len = strcspn(authority, "/"), port_len;
    char host[256];
    int port;
    if (!split_host(authority, len, host, &port_text, &port_len) ||
        (port_text && !port_parse(port_text, port_len, 1, &port)) || strpbrk(text, "?#@\\ \"<>"))
        return false;
    if (!address_family(host, &url.loopback)) {
        if (!only(host, LOWER UPPER DIGIT ".-", 1, 253) || host[0] == '.' || host[0] == '-')
            return false;
        url.loopback = strcasecmp(host, "localhost") == 0;
    }
    *ret_url = url;
    return true;
}

bool valid_public_url(const char *text)
{
    struct url url;
    return url_parse(text, &url);
}

bool valid_cidr(const char *text)
{
    char host[64];
    unsigned char bits[16] = {0};
    bool loopback;
    int64_t prefix;
    const char *slash = strchr(text, '/');
    if (!slash || slash - text >= (ptrdiff_t)sizeof host || strlen(slash + 1) > 3 ||
        !int_parse(bytes_of(slash + 1), &prefix))
        return false;
    bytes_copy(host, sizeof host, (struct bytes){text, (size_t)(slash - text)});
    int family = address_family(host, &loopback), size = family == 4 ? 32 : 128;
    if (!family || prefix < 0 || prefix > size ||
        inet_pton(family == 4 ? AF_INET : AF_INET6, host, bits) != 1)
        return false;
    for (int bit = (int)prefix; bit < size; bit++) {
        if (bits[bit / 8] & (0x80 >> bit % 8))
            return false; /* bits behind the prefix: not the network that was meant */
    }
    return true;
}

/* RFC 7519 StringOrURI: with a colon it is a url (https, or http on loopback), without one a plain name. */
bool valid_issuer(const char *text)
{
    struct url url;
    if (!strchr(text, ':'))
        return only(text, LOWER UPPER DIGIT "_.-", 1, 128);
    return url_parse(text, &url) && (url.https || url.loopback);
}

bool valid_jwks_url(const char *text)
{
    char place[CONFIG_TEXT_MAX + 1];
    struct url url;
    const char *query = strchr(text, '?');
    size_t len = query ? (size_t)(query - text) : strlen(text);
    if (!bytes_copy(place, sizeof place, (struct bytes){text, len}) ||
        (query && strpbrk(query + 1, "?#@\\ \"<>")))
        return false;
    return url_parse(place, &url) && (url.https || url.loopback);
}

bool valid_algorithm(const char *text)
{
    return str_listed("RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA HS256 HS384 HS512", text);
}

/* -- AWS -- */

bool valid_account(const char *text)
{
    return only(text, DIGIT, 12, 12);
}

/* us-east-1, us-gov-west-1, eusc-de-east-1: words of letters, then a number. */
bool valid_region(const char *text)
{
    size_t words = 0;
    const char *at = text;
    for (size_t len; (len = strspn(at, LOWER)) > 0; at += len + 1, words++) {
        if (len < 2 || len > 12 || at[len] != '-')
            return false;
    }
    return words >= 2 && words <= 4 && only(at, DIGIT, 1, 2);
}

bool valid_table_or_glob(const char *text)
{
    return is_glob(text) ? only(text, LOWER UPPER DIGIT "_.-*?", 1, 255)
                         : only(text, LOWER UPPER DIGIT "_.-", 3, 255);
}

bool valid_role_arn(const char *text)
{
    const char *at = str_starts(text, "arn:aws") ? text + 7 : NULL;
    if (!at)
        return false;
    at += strspn(at, LOWER "-");
    if (!str_starts(at, ":iam::") || strspn(at + 6, DIGIT) != 12 || !str_starts(at + 18, ":role/"))
        return false;
    return only(at + 24, LOWER UPPER DIGIT "+=,.@_-/", 1, 576);
}

bool valid_external_id(const char *text)
{
    return only(text, LOWER UPPER DIGIT "_+=,.@:/-", 2, 1224);
}

bool valid_kms_key(const char *text)
{
    return only(text, LOWER UPPER DIGIT "_/:-", 1, 2048) &&
           (str_starts(text, "alias/") || str_starts(text, "arn:") || strlen(text) >= 32);
}

/* -- roots of recovery points -- */

/* Segments between single slashes, none of them dots; an empty path and one slash at the end are fine. */
static bool valid_segments(const char *path)
{
    while (*path) {
        size_t len = strcspn(path, "/");
        if (len == 0 || (len == 1 && path[0] == '.') || (len == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        path += len + (path[len] == '/');
    }
    return true;
}

bool valid_root(const char *text)
{
    if (strlen(text) > 512)
        return false;
    if (str_starts(text, "file:///"))
        return text[8] != '\0' && valid_segments(text + 8);
    if (!str_starts(text, "s3://"))
        return false;
    char bucket[64];
    const char *at = text + 5;
    size_t len = strcspn(at, "/");
    return bytes_copy(bucket, sizeof bucket, (struct bytes){at, len}) &&
           only(bucket, LOWER DIGIT ".-", 3, 63) && strchr(LOWER DIGIT, bucket[0]) &&
           strchr(LOWER DIGIT, bucket[len - 1]) && !strstr(bucket, "..") &&
           valid_segments(at[len] ? at + len + 1 : "");
}

const char *root_trim(struct loader *l, const char *root)
{
    size_t len = strlen(root);
    while (len > 0 && root[len - 1] == '/')
        len--;
    const char *trimmed = arena_strndup(l->arena, root, len);
    if (!trimmed)
        config_no_memory(l, (struct yaml_place){1, 1});
    return trimmed;
}
