/*
 * The head of a request, held against RFC 9112 before anybody believes it: libmicrohttpd 0.9.75 lets
 * through what smuggling is made of (REFERENCE.md section 1.3). It splits a head in place, in one buffer,
 * and says how long the whole was; so the bytes between its pieces can be counted. A head is taken only
 * when method, target, version, names and values with single spaces, colons and CRLF between them are
 * exactly all of its bytes: folding, bare LF or CR, NUL, and lines that it dropped all leave a gap, or a
 * byte where it puts NUL over CRLF. Only a NUL of its own before a bare LF or CR leaves none (NUL LF for
 * CRLF; at the end of a head four such bytes for CRLF CRLF): over them lies NUL as well; a reader that ends
 * lines at LF ends them there too. Then come the rules on the headers themselves. Pure, so that it can be
 * fuzzed. Thread rule: any.
 */
#pragma once
#include "base/err.h"
#include "http/request.h"

struct gate_head {
    const char *method; /* where the head begins in its buffer */
    const char *target; /* address in the buffer; its bytes may have been decoded in place since */
    size_t target_len;  /* as it came */
    bool target_cut;    /* it was longer than HTTP_TARGET_MAX */
    const char *version;
    size_t size; /* from the method to the end of the empty line */
    const struct http_field
        *headers; /* values as libmicrohttpd gives them: white space at the end included */
    size_t header_count;
    bool headers_cut; /* there were more than HTTP_HEADERS_MAX */
};

/* 0, or -1: MALFORMED_REQUEST, LENGTH_REQUIRED, URI_TOO_LONG, HEADERS_TOO_LARGE, METHOD_NOT_ALLOWED,
 * INVALID_HEADER. After any of them the connection must be closed unread. Fills ret_content_length (0 without
 * the header). */
int gate_check(const struct gate_head *head, int64_t *ret_content_length, struct err *err);

/* What Allow says to a method that nobody here takes. */
#define GATE_METHODS "GET, HEAD, POST, PUT, DELETE, OPTIONS"
