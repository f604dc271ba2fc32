/*
 * Whose request is it behind proxies: a list of trusted networks (CIDR), and the walk from the right through
 * Forwarded (RFC 7239) or X-Forwarded-For to the first address that no trusted proxy has. What an untrusted
 * peer writes there is never read. A proxy writes one of the two and hands the other on as the client sent
 * it: when both are there and disagree, neither is believed, and the address is the proxy's. Thread rule: a
 * list is immutable once made.
 */
#pragma once
#include <netinet/in.h>

#include "base/environment.h"
#include "base/err.h"
#include "http/request.h"

struct network {
    struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;           /* of 128 */
};

#define ADDRESS_SIZE 64

/* "10.0.0.0/8", "::1", "192.0.2.7". CONFIG when it is none, or when bits behind the mask are set. */
int network_parse(const char *text, struct network *ret_network, struct err *err);
bool network_has(const struct network *networks, size_t count, const char *address);
/* Numeric address without port, also of IPv4 in IPv6; false when the bytes are no numeric address ("unknown",
 * "_x"). */
bool address_normalise(struct bytes text, char ret_address[ADDRESS_SIZE]);
void address_of_socket(const struct sockaddr *address, char ret_address[ADDRESS_SIZE]);
/* The client's address in the request's arena; the peer when there is nothing better. */
const char *address_of_client(const struct http_request *request, const struct network *trusted,
                              size_t trusted_count);
