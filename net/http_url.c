#include <arpa/inet.h>
#include <strings.h>

#include "net/http_client.h"

struct bytes http_url_host(const char *url)
{
    const char *start = url ? strstr(url, "://") : NULL;

    if (!start)
        return (struct bytes){0};
    start += 3;
    size_t len = strcspn(start, "/?#");
    if (memchr(start, '@', len)) /* user and password have no place in our urls: nobody may take this one */
        return (struct bytes){0};
    const char *colon = start[0] == '[' ? memchr(start, ']', len) : memchr(start, ':', len);
    if (start[0] == '[') {
        if (!colon)
            return (struct bytes){0};
        len = (size_t)(colon - start) + 1;
    } else if (colon) {
        len = (size_t)(colon - start);
    }
    return (struct bytes){len ? start : NULL, len};
}

/* The host as text without brackets; false when it does not fit. */
static bool bare_host(struct bytes host, char ret_text[64])
{
    if (host.len >= 2 && host.data[0] == '[') {
        host.data++;
        host.len -= 2;
    }
    if (!host.data || host.len == 0 || host.len >= 64)
        return false;
    return bytes_copy(ret_text, 64, host);
}

bool http_host_is_loopback(struct bytes host)
{
    char text[64];
    struct in_addr v4;
    struct in6_addr v6;

    if (!bare_host(host, text))
        return false;
    if (strcasecmp(text, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, text, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, text, &v6) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127));
}

bool http_host_is_local(struct bytes host)
{
    static const uint8_t ec2[4] = {0xfd, 0x00, 0x0e, 0xc2};
    char text[64];
    struct in_addr v4;
    struct in6_addr v6;

    if (http_host_is_loopback(host))
        return true;
    if (!bare_host(host, text))
        return false;
    if (inet_pton(AF_INET, text, &v4) == 1)
        return (ntohl(v4.s_addr) >> 16) == 0xa9fe;
    return inet_pton(AF_INET6, text, &v6) == 1 && memcmp(&v6, ec2, sizeof(ec2)) == 0;
}
