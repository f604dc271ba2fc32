#include "http/address.h"

#include <arpa/inet.h>

#include "http/header.h"

static bool parse_in6(const char *text, struct in6_addr *ret_address)
{
    struct in_addr v4;

    if (inet_pton(AF_INET, text, &v4) == 1) {
        memset(ret_address, 0, sizeof(*ret_address));
        ret_address->s6_addr[10] = ret_address->s6_addr[11] = 0xff;
        memcpy(&ret_address->s6_addr[12], &v4, sizeof(v4));
        return true;
    }
    return inet_pton(AF_INET6, text, ret_address) == 1;
}

static bool same_prefix(const struct in6_addr *a, const struct in6_addr *b, unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;

    if (memcmp(a->s6_addr, b->s6_addr, bytes) != 0)
        return false;
    return rest == 0 || (((a->s6_addr[bytes] ^ b->s6_addr[bytes]) >> (8 - rest)) & 0xff) == 0;
}

int network_parse(const char *text, struct network *ret_network, struct err *err)
{
    char address[ADDRESS_SIZE];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    struct network network = {.bits = 128};
    uint64_t bits;
    unsigned start;

    if (!bytes_copy(address, sizeof(address), (struct bytes){text, len}) ||
        !parse_in6(address, &network.address))
        return err_set(err, ERR_CONFIG, "%s is not an address or network", text);
    start = strchr(address, ':') ? 0 : 96;
    if (slash) {
        if (!uint_parse(bytes_of(slash + 1), &bits) || bits > 128 - start)
            return err_set(err, ERR_CONFIG, "%s: the prefix length is not one", text);
        network.bits = (unsigned)bits + start;
    }
    for (unsigned bit = network.bits; bit < 128; bit++)
        if (network.address.s6_addr[bit / 8] & (0x80 >> (bit % 8)))
            return err_set(err, ERR_CONFIG, "%s has bits set behind its prefix", text);
    *ret_network = network;
    return 0;
}

bool network_has(const struct network *networks, size_t count, const char *address)
{
    struct in6_addr in6;

    if (!parse_in6(address, &in6))
        return false;
    for (size_t i = 0; i < count; i++)
        if (same_prefix(&networks[i].address, &in6, networks[i].bits))
            return true;
    return false;
}

static bool format_in6(const struct in6_addr *address, char ret_address[ADDRESS_SIZE])
{
    if (IN6_IS_ADDR_V4MAPPED(address))
        return inet_ntop(AF_INET, &address->s6_addr[12], ret_address, ADDRESS_SIZE) != NULL;
    return inet_ntop(AF_INET6, address, ret_address, ADDRESS_SIZE) != NULL;
}

/* "[v6]", "[v6]:port", "v4:port", "v4", "v6". */
static struct bytes without_port(struct bytes text)
{
    const char *colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;

    if (text.len > 0 && text.data[0] == '[') {
        const char *close = memchr(text.data, ']', text.len);

        return close ? (struct bytes){text.data + 1, (size_t)(close - text.data) - 1}
                     : (struct bytes){NULL, 0};
    }
    if (colon && !memchr(colon + 1, ':', text.len - (size_t)(colon - text.data) - 1))
        text.len = (size_t)(colon - text.data);
    return text;
}

bool address_normalise(struct bytes text, char ret_address[ADDRESS_SIZE])
{
    char copy[ADDRESS_SIZE];
    struct bytes host = without_port(http_trim(text));
    struct in6_addr in6;

    if (host.len == 0 || memchr(host.data, '\0', host.len) || !bytes_copy(copy, sizeof(copy), host))
        return false;
    return parse_in6(copy, &in6) && format_in6(&in6, ret_address);
}

void address_of_socket(const struct sockaddr *address, char ret_address[ADDRESS_SIZE])
{
    const void *v4 =
        address && address->sa_family == AF_INET ? &((const struct sockaddr_in *)address)->sin_addr : NULL;

    str_copy(ret_address, ADDRESS_SIZE, "unknown");
    if (v4)
        inet_ntop(AF_INET, v4, ret_address, ADDRESS_SIZE);
    else if (address && address->sa_family == AF_INET6)
        format_in6(&((const struct sockaddr_in6 *)address)->sin6_addr, ret_address);
}

/* The `for` of one element of Forwarded, or the element itself of X-Forwarded-For. */
static struct bytes hop_of(struct bytes element, bool forwarded)
{
    struct bytes name, value;

    if (!forwarded)
        return element;
    while (http_parameter_next(&element, &name, &value))
        if (http_name_is(name, "for"))
            return value;
    return (struct bytes){NULL, 0};
}

#define HOPS_MAX 32

/* The elements of one header's lines, left to right; the last HOPS_MAX of them. */
static size_t collect_hops(const struct http_request *request, const char *name, struct bytes hops[HOPS_MAX])
{
    size_t count = 0;
    struct bytes list, element;

    for (size_t n = 0; (list = http_request_header_at(request, name, n)).data; n++)
        while (http_list_next(&list, &element)) {
            if (count == HOPS_MAX) {
                memmove(hops, hops + 1, (HOPS_MAX - 1) * sizeof(*hops));
                count--;
            }
            hops[count++] = element;
        }
    return count;
}

/* The first address from the right that no trusted proxy has, by one of the two headers. False without it. */
static bool walk(const struct http_request *request, const char *name, bool forwarded,
                 const struct network *trusted, size_t trusted_count, char ret_address[ADDRESS_SIZE])
{
    struct bytes hops[HOPS_MAX];
    size_t count = collect_hops(request, name, hops);

    str_copy(ret_address, ADDRESS_SIZE, request->peer);
    while (count > 0 && network_has(trusted, trusted_count, ret_address))
        if (!address_normalise(hop_of(hops[--count], forwarded), ret_address))
            break;
    return http_request_header(request, name).data != NULL;
}

const char *address_of_client(const struct http_request *request, const struct network *trusted,
                              size_t trusted_count)
{
    char one[ADDRESS_SIZE], other[ADDRESS_SIZE];
    const char *copy;

    if (trusted_count == 0 || !network_has(trusted, trusted_count, request->peer))
        return request->peer;
    bool forwarded = walk(request, "Forwarded", true, trusted, trusted_count, one);
    bool old = walk(request, "X-Forwarded-For", false, trusted, trusted_count, other);
    if (forwarded && old &&
        strcmp(one, other) != 0) /* one is the proxy's, the other came through it as sent */
        return request->peer;
    copy = arena_strdup(request->arena, forwarded ? one : other);
    return copy ? copy : request->peer;
}
