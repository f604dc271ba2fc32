/* The canonical request of SigV4. Its lines are as many as the specification says, names are sorted,
 * parameters given in another order or another spelling give the same text, and what is encoded decodes to
 * what it was. */
#include "tests/fuzz/fuzz.h"

#include "aws/sigv4.h"

#define HASH SIGV4_EMPTY_SHA256

struct canonical {
    struct buffer text;
    struct buffer names;
    int rc;
};

static struct canonical canonical_of(struct bytes path, struct bytes query, const struct http_header *headers,
                                     size_t count, const struct sigv4_scope *scope)
{
    struct canonical c = {BUFFER_INIT((size_t)MIB), BUFFER_INIT((size_t)MIB), 0};
    const struct sigv4_request request = {"GET", path, query, headers, count, HASH};
    struct err err = ERR_INIT;

    c.rc = sigv4_canonical_request(&request, scope, &c.text, &c.names, &err);
    judge(c.rc, &err);
    return c;
}

static void done(struct canonical *c)
{
    buffer_done(&c->text);
    buffer_done(&c->names);
}

static void same(struct canonical a, struct canonical b)
{
    HOLDS(a.rc == b.rc);
    if (a.rc == 0)
        HOLDS(bytes_equal(buffer_bytes(&a.text), buffer_bytes(&b.text)));
    done(&b);
}

/* The n-th line of the text. */
static struct bytes line_of(struct bytes text, int n)
{
    struct input in = {(const uint8_t *)text.data, text.len};
    struct bytes line = input_line(&in);

    while (n-- > 0)
        line = input_line(&in);
    return line;
}

static bool encoded_char(unsigned char c, const char *also)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr(also, c));
}

static void judge_lines(const struct canonical *c, const struct sigv4_scope *scope)
{
    struct bytes text = buffer_bytes(&c->text), path = line_of(text, 1), query = line_of(text, 2);

    HOLDS(bytes_is(line_of(text, 0), "GET") && path.len > 0);
    HOLDS(text.len > 64 && memcmp(text.data + text.len - 64, HASH, 64) == 0);
    for (size_t i = 0; i < path.len; i++)
        HOLDS(encoded_char((unsigned char)path.data[i], "-_.~%/"));
    for (size_t i = 0; i < query.len; i++)
        HOLDS(encoded_char((unsigned char)query.data[i], "-_.~%&="));
    if (!scope->s3_path && !scope->keep_path) {
        HOLDS(path.data[0] == '/');
        for (size_t i = 0; i + 1 < path.len; i++)
            HOLDS(path.data[i] != '/' || path.data[i + 1] != '/');
    }
    for (size_t i = 0; i < c->names.len; i++)
        HOLDS(c->names.data[i] < 'A' || c->names.data[i] > 'Z');
}

/* The parameters from last to first. */
static void turn(struct bytes query, struct buffer *out)
{
    size_t end = query.len;

    while (end > 0) {
        size_t from = end;

        while (from > 0 && query.data[from - 1] != '&')
            from--;
        if (out->len > 0)
            buffer_add_char(out, '&');
        buffer_add(out, query.data + from, end - from);
        end = from > 0 ? from - 1 : 0;
    }
}

static void round_trip(struct bytes text, bool keep_slash)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(3 * text.len + 16);
    size_t at = 0;

    uri_encode(&out, text, keep_slash);
    HOLDS(!out.failed);
    for (size_t i = 0; i < out.len; i++, at++) {
        unsigned char c = (unsigned char)out.data[i];
        uint8_t byte = c;

        if (c == '%') {
            HOLDS(hex_decode((struct bytes){out.data + i + 1, 2}, &byte, 1));
            i += 2;
        }
        HOLDS(at < text.len && byte == (uint8_t)text.data[at]);
    }
    HOLDS(at == text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned flags = input_byte(&in);
    const struct sigv4_scope scope = {"eu-central-1",   flags & 1 ? "s3" : "dynamodb",
                                      1700000000000,    flags & 1,
                                      (flags & 2) != 0, (flags & 4) != 0};
    struct bytes path = input_line(&in), query = input_line(&in);
    struct http_header headers[80];
    char *texts[2 * COUNT_OF(headers)];
    size_t count = 0;

    while (in.left > 0 && count < COUNT_OF(headers)) {
        struct bytes name = input_line(&in);
        texts[2 * count] = c_string(name.len && *name.data ? name : BYTES("x"));
        texts[2 * count + 1] = c_string(input_line(&in));
        headers[count] = (struct http_header){texts[2 * count], texts[2 * count + 1]};
        count++;
    }
    struct canonical c = canonical_of(path, query, headers, count, &scope);
    if (c.rc == 0) {
        _cleanup_(buffer_done) struct buffer turned = BUFFER_INIT(query.len + 16);
        char *again = exact_copy(line_of(buffer_bytes(&c.text), 2));

        if (!memchr(path.data ? path.data : "", '\0', path.len))
            judge_lines(&c, &scope);
        turn(query, &turned);
        same(c, canonical_of(path, buffer_bytes(&turned), headers, count, &scope));
        same(c, canonical_of(path, (struct bytes){again, line_of(buffer_bytes(&c.text), 2).len}, headers,
                             count, &scope));
        free(again);
    }
    done(&c);
    round_trip(path, flags & 8);
    for (size_t i = 0; i < 2 * count; i++)
        free(texts[i]);
    return 0;
}
