/* Request targets and the values of headers. A target that is taken has no segment that could climb or split,
 * and encoding its parts again gives the same parts; a header's value is read within its bounds. */
#include "tests/fuzz/fuzz.h"

#include "http/address.h"
#include "http/header.h"
#include "http/target.h"

static void encode(struct buffer *out, const char *text)
{
    for (; *text; text++)
        buffer_printf(out, "%%%02X", (unsigned char)*text);
}

static void same_again(const struct http_request *request)
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT((size_t)MIB);
    struct http_request again = {.arena = arena, .method = "GET"};
    struct err err = ERR_INIT;

    for (size_t i = 0; i < request->segment_count; i++) {
        buffer_add_char(&out, '/');
        encode(&out, request->segments[i]);
    }
    if (request->segment_count == 0)
        buffer_add_char(&out, '/');
    for (size_t i = 0; i < request->query_count; i++) {
        buffer_add_char(&out, i ? '&' : '?');
        encode(&out, request->query[i].name);
        buffer_add_char(&out, '=');
        encode(&out, request->query[i].value);
    }
    if (target_parse(buffer_bytes(&out), &again, &err) < 0) {
        HOLDS(err.code == ERR_URI_TOO_LONG); /* encoded, a segment is three times as long */
        return;
    }
    HOLDS(again.segment_count == request->segment_count && again.query_count == request->query_count);
    for (size_t i = 0; i < again.segment_count; i++)
        HOLDS(strcmp(again.segments[i], request->segments[i]) == 0);
    for (size_t i = 0; i < again.query_count; i++)
        HOLDS(strcmp(again.query[i].name, request->query[i].name) == 0 &&
              strcmp(again.query[i].value, request->query[i].value) == 0);
}

static void judge_target(struct bytes target)
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    struct http_request request = {.arena = arena, .method = "GET"};
    struct err err = ERR_INIT;
    int rc = target_parse(target, &request, &err);

    judge(rc, &err);
    if (rc < 0)
        return;
    HOLDS(target.len > 0 && target.data[0] == '/' && request.query_count <= HTTP_QUERY_MAX);
    for (size_t i = 0; i < request.segment_count; i++) {
        const char *s = request.segments[i];

        HOLDS(!strpbrk(s, "/\\") && strcmp(s, ".") != 0 && strcmp(s, "..") != 0);
        HOLDS(s[0] || i + 1 == request.segment_count);
        HOLDS(utf8_valid_until(bytes_of(s)) == strlen(s));
    }
    same_again(&request);
}

static void judge_range(struct bytes value, int64_t size)
{
    int64_t offset, length;

    if (http_range(value, size, &offset, &length) == HTTP_RANGE_PART)
        HOLDS(offset >= 0 && length > 0 && offset <= size - length);
}

static void judge_values(struct bytes value, int64_t size)
{
    static const char *const offers[] = {"application/json", "text/event-stream", "application/x-ndjson"};
    char key[IDEMPOTENCY_KEY_MAX + 1], address[ADDRESS_SIZE], again[ADDRESS_SIZE];
    struct http_media media;
    struct err err = ERR_INIT;
    struct bytes list = value, element, name, part;
    int accepted = http_accept(value, offers, COUNT_OF(offers)), wait = http_prefer_wait(value);

    judge_range(value, size);
    HOLDS(accepted >= -1 && accepted < (int)COUNT_OF(offers));
    HOLDS(wait >= 0 && wait <= HTTP_WAIT_MAX_S);
    http_accepts_coding(value, "gzip");
    if (http_media_parse(value, &media))
        HOLDS(strchr(media.type, '/') && strlen(media.type) < HTTP_MEDIA_SIZE);
    if (http_idempotency_key(value, key, &err) == 0)
        for (const char *c = key; *c; c++)
            HOLDS(*c > ' ' && *c < 0x7f);
    HOLDS(http_if_match(value, NULL) != HTTP_MATCH_YES);
    http_if_match(value, "\"7\"");
    http_if_none_match(value, "\"7\"");
    while (http_list_next(&list, &element)) {
        HOLDS(element.data >= value.data && element.data + element.len <= value.data + value.len);
        while (http_parameter_next(&element, &name, &part))
            HOLDS(http_is_token(name));
    }
    if (address_normalise(value, address))
        HOLDS(address_normalise(bytes_of(address), again) && strcmp(address, again) == 0);
}

/* The last trusted hop decides: without a trusted peer nothing that the client wrote is believed. */
static void judge_client(struct bytes forwarded, struct bytes other)
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    const struct http_field headers[] = {{BYTES("X-Forwarded-For"), forwarded}, {BYTES("Forwarded"), other}};
    struct http_request request = {
        .arena = arena, .peer = "192.0.2.1", .headers = headers, .header_count = 2};
    struct network trusted;
    struct err err = ERR_INIT;
    char normal[ADDRESS_SIZE];

    HOLDS(network_parse("192.0.2.0/24", &trusted, &err) == 0);
    HOLDS(strcmp(address_of_client(&request, NULL, 0), "192.0.2.1") == 0);
    const char *client = address_of_client(&request, &trusted, 1);
    HOLDS(address_normalise(bytes_of(client), normal) && strcmp(client, normal) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned what = input_byte(&in);

    if (what % 2 == 0) {
        judge_target(input_rest(&in));
    } else {
        int64_t length = (int64_t)(input_u64(&in) & INT64_MAX);
        struct bytes line = input_line(&in);

        judge_values(line, length);
        judge_client(line, input_rest(&in));
    }
    return 0;
}
