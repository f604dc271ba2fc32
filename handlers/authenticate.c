/* The bearer token of a request (RFC 6750 section 2.1: from the Authorization header, nowhere else). */
#include "handlers/dispatch.h"

#include <strings.h>

#define SCHEME "Bearer "

int authenticate(struct request *req, struct err *err)
{
    struct bytes value = http_request_header(req->http, "Authorization");
    struct principal *principal;
    struct verifier *verifier;
    int result;

    if (req->route->role == ROLE_PUBLIC)
        return 0;
    if (!value.data)
        return err_set(err, ERR_UNAUTHENTICATED, "no Authorization header was sent");
    if (value.len < sizeof(SCHEME) || strncasecmp(value.data, SCHEME, sizeof(SCHEME) - 1) != 0)
        return err_set(err, ERR_UNAUTHENTICATED, "the Authorization header is not of the scheme Bearer");
    value.data += sizeof(SCHEME) - 1;
    value.len -= sizeof(SCHEME) - 1;
    while (value.len > 0 && *value.data == ' ') {
        value.data++;
        value.len--;
    }
    verifier = app_verifier_hold(req->app);
    result = verifier_check(verifier, value, req->http->address, req->arena, &principal, err);
    verifier_release(verifier);
    if (result == 0)
        req->principal = principal;
    return result;
}
