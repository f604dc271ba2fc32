#include "http/gate.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "http/header.h"

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"};

/* Headers of which a second one means that somebody along the way may read the other. */
static const char *const single[] = {
    "Host",          "Content-Length", "Transfer-Encoding",
    "Authorization", "Content-Type",   "Content-Encoding",
    "Expect",        "If-Match",       "If-None-Match",
    "If-Range",      "Range",          "Idempotency-Key",
    "Recoverd-OTP",  "Prefer",
};

static int gap(struct err *err, const char *where)
{
    return err_set(
        err, ERR_MALFORMED_REQUEST,
        "the request's head is not plain HTTP/1.1 %s (folding, a bare LF or CR, NUL, or a space too many)",
        where);
}

/* Are all bytes from `from` to `to` spaces or tabs, and is `to` not before `from`? */
static bool is_white(const char *from, const char *to)
{
    if ((uintptr_t)to < (uintptr_t)from)
        return false;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    return from == to;
}

static bool is_within(const struct gate_head *head, const char *at)
{
    return (uintptr_t)at >= (uintptr_t)head->method && (uintptr_t)at - (uintptr_t)head->method <= head->size;
}

/* Does a line end in the two bytes before `at`? libmicrohttpd puts NUL over each byte of a line's end; a byte
 * of the line that stands there behind a NUL of its own, or behind a bare LF, it leaves as it was. */
static bool is_line_end(const struct gate_head *head, const char *at)
{
    return is_within(head, at) && at[-1] == '\0' && at[-2] == '\0';
}

/* Pointers are compared as numbers: a piece that was moved elsewhere belongs to another object. */
static int check_layout(const struct gate_head *head, struct err *err)
{
    const char *at = head->method + strlen(head->method) + 1;

    if (head->target != at || head->version != at + head->target_len + 1)
        return gap(err, "in its first line");
    at = head->version + strlen(head->version) + 2;
    if (!is_line_end(head, at))
        return gap(err, "in its first line");
    for (size_t i = 0; i < head->header_count; i++) {
        const struct http_field *header = &head->headers[i];

        if (header->name.data != at || !is_within(head, header->value.data))
            return gap(err, "between its headers");
        if (!is_white(at + header->name.len + 1, header->value.data))
            return gap(err, "behind a header's name");
        at = header->value.data + header->value.len + 2;
        if (!is_line_end(head, at))
            return gap(err, "behind a header's value");
    }
    if (at + 2 != head->method + head->size || !is_line_end(head, at + 2))
        return gap(err, "at its end");
    return 0;
}

static int check_method(const char *method, struct err *err)
{
    if (!http_is_token(bytes_of(method)))
        return err_set(err, ERR_MALFORMED_REQUEST, "the method is not a token");
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return 0;
    return err_set(err, ERR_METHOD_NOT_ALLOWED, "the methods are " GATE_METHODS);
}

/* A tab is none here. Tokens are long: eight bytes at once, until one may be a control character. */
static bool has_control(struct bytes value)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    size_t at = 0;

    for (; value.len - at >= 8; at += 8) {
        uint64_t x, delete;

        memcpy(&x, value.data + at, 8);
        delete = x ^ (ones * 0x7f);
        if ((((x - ones * 0x20) & ~x) | ((delete - ones) & ~delete)) & tops)
            break;
    }
    for (; at < value.len; at++) {
        unsigned char c = (unsigned char)value.data[at];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static int check_header(const struct http_field *header, struct err *err)
{
    if (!http_is_token(header->name))
        return err_set(err, ERR_MALFORMED_REQUEST, "a header's name is not a token");
    if (has_control(header->value))
        return err_set(err, ERR_MALFORMED_REQUEST, "a header's value has a control character");
    return 0;
}

static const struct http_field *find(const struct gate_head *head, const char *name, size_t n)
{
    for (size_t i = 0; i < head->header_count; i++)
        if (http_name_is(head->headers[i].name, name) && n-- == 0)
            return &head->headers[i];
    return NULL;
}

/* libmicrohttpd accepts only digits here, and takes the first of several; we take one or none. */
static int check_framing(const struct gate_head *head, int64_t *ret_content_length, struct err *err)
{
    const struct http_field *length = find(head, "Content-Length", 0);
    const struct http_field *expect = find(head, "Expect", 0);
    uint64_t value = 0;

    if (find(head, "Transfer-Encoding", 0))
        return err_set(err, ERR_LENGTH_REQUIRED, "Transfer-Encoding is not taken");
    if (length) {
        struct bytes digits = http_trim(length->value);

        if (digits.len == 0 || digits.len > 18 || !uint_parse(digits, &value))
            return err_set(err, ERR_MALFORMED_REQUEST, "Content-Length is not a length");
    }
    if (expect && !http_name_is(http_trim(expect->value), "100-continue"))
        return err_set(err, ERR_INVALID_HEADER, "Expect may only be 100-continue");
    *ret_content_length = (int64_t)value;
    return 0;
}

static int check_host(const struct gate_head *head, struct err *err)
{
    const struct http_field *host = find(head, "Host", 0);
    struct bytes value;

    if (!host)
        return strcmp(head->version, "HTTP/1.0") == 0
                   ? 0
                   : err_set(err, ERR_MALFORMED_REQUEST, "the Host header is missing");
    value = http_trim(host->value);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if (c <= ' ' || c >= 0x7f || strchr("/\\?#@,\"<>", c))
            return err_set(err, ERR_MALFORMED_REQUEST, "the Host header is not a host");
    }
    return 0;
}

int gate_check(const struct gate_head *head, int64_t *ret_content_length, struct err *err)
{
    if (!head->method || !head->target || !head->version)
        return err_set(err, ERR_MALFORMED_REQUEST, "the first line is not METHOD TARGET HTTP/1.1");
    if (head->target_cut)
        return err_set(err, ERR_URI_TOO_LONG, "more than %lld bytes", (long long)HTTP_TARGET_MAX);
    if (head->headers_cut || head->size > (size_t)HTTP_HEADER_MAX)
        return err_set(err, ERR_HEADERS_TOO_LARGE, "more than %d headers or %lld bytes", HTTP_HEADERS_MAX,
                       (long long)HTTP_HEADER_MAX);
    if (check_layout(head, err) < 0)
        return -1;
    if (strcmp(head->version, "HTTP/1.1") != 0 && strcmp(head->version, "HTTP/1.0") != 0)
        return err_set(err, ERR_MALFORMED_REQUEST, "the version is not HTTP/1.1");
    for (size_t i = 0; i < head->header_count; i++)
        if (check_header(&head->headers[i], err) < 0)
            return -1;
    for (size_t i = 0; i < COUNT_OF(single); i++)
        if (find(head, single[i], 1))
            return err_set(err, ERR_MALFORMED_REQUEST, "more than one %s header", single[i]);
    if (check_host(head, err) < 0 || check_framing(head, ret_content_length, err) < 0)
        return -1;
    return check_method(head->method, err);
}
