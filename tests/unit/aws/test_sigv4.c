#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/json.h"

#define FOLDER "tests/vectors/sigv4"

struct vector {
    char name[128];
    char *request; /* taken apart in place */
    struct sigv4_request parsed;
    struct http_header headers[32];
    char content_hash[HEX_SIZE(32)];
    char date[TIME_SIZE];
    struct bytes body;
};

static char *file(const char *name, const char *which)
{
    char path[512];
    snprintf(path, sizeof(path), FOLDER "/%s/%s", name, which);
    FILE *in = fopen(path, "rb");
    if (!in)
        return NULL;
    char *text = calloc(1, 65536);
    size_t n = fread(text, 1, 65535, in);
    fclose(in);
    while (n > 0 && text[n - 1] == '\n' && strcmp(which, "request.txt") != 0)
        text[--n] = '\0';
    return text;
}

static void add(struct vector *v, const char *name, const char *value)
{
    v->headers[v->parsed.header_count++] = (struct http_header){name, value};
}

/* METHOD target HTTP/1.1, headers (a line that begins with a space goes on with the one before), a body. */
static void parse(struct vector *v)
{
    char *line_end = strchr(v->request, '\n');
    char *rest = line_end ? line_end + 1 : NULL;
    if (line_end)
        *line_end = '\0';
    char *method_end = strchr(v->request, ' ');
    *method_end = '\0';
    char *target = method_end + 1;
    char *version = strstr(target, " HTTP/");
    if (version)
        *version = '\0';
    char *query = strchr(target, '?');
    v->parsed.method = v->request;
    v->parsed.path = (struct bytes){target, query ? (size_t)(query - target) : strlen(target)};
    v->parsed.query = query ? bytes_of(query + 1) : (struct bytes){0};
    v->parsed.headers = v->headers;
    while (rest && *rest && *rest != '\n') {
        char *end = strchr(rest, '\n');
        while (end && end[1] == ' ')
            end = strchr(end + 1, '\n');
        if (end)
            *end = '\0';
        char *colon = strchr(rest, ':');
        *colon = '\0';
        add(v, rest, colon + 1);
        rest = end ? end + 1 : NULL;
    }
    v->body = rest && *rest == '\n' ? bytes_of(rest + 1) : (struct bytes){"", 0};
}

static void hold_to(const char *name, const char *which, struct bytes got)
{
    char *want = file(name, which);
    if (!want)
        fail_msg("%s: no %s", name, which);
    if (!bytes_is(got, want))
        fail_msg("%s: %s\nwanted:\n%s\ngot:\n%.*s", name, which, want, (int)got.len, got.data);
    free(want);
}

static void check(const char *name)
{
    struct err err = ERR_INIT;
    struct vector v = {.request = file(name, "request.txt")};
    char *text = file(name, "context.json");
    json_t *context = text ? json_loads(text, 0, NULL) : NULL;
    struct sigv4_scope scope = {.region = "us-east-1", .service = "service"};
    const char *secret = NULL, *access = NULL;

    parse(&v);
    sha256_hex(v.body, v.content_hash, &err);
    v.parsed.payload_hash = v.content_hash;
    if (context) {
        json_t *credentials = json_object_get(context, "credentials");
        const char *token = json_get_text(credentials, "token");
        access = json_get_text(credentials, "access_key_id");
        secret = json_get_text(credentials, "secret_access_key");
        scope.region = json_get_text(context, "region");
        scope.service = json_get_text(context, "service");
        scope.keep_path = !json_get_bool(context, "normalize", true);
        scope.single_encode = true; /* the suite's paths are encoded once */
        assert_true(time_parse(bytes_of(json_get_text(context, "timestamp")), &scope.time_ms));
        time_format_basic(scope.time_ms, v.date);
        add(&v, "X-Amz-Date", v.date);
        if (token && !json_get_bool(context, "omit_session_token", false))
            add(&v, "X-Amz-Security-Token", token);
        if (json_get_bool(context, "sign_body", false))
            add(&v, "x-amz-content-sha256", v.content_hash);
    } else {
        for (size_t i = 0; i < v.parsed.header_count;
             i++) { /* their canonical request has another date than theirs */
            if (strcasecmp(v.headers[i].name, "x-amz-date") == 0)
                v.headers[i].value = "20210511T154045Z";
        }
    }
    struct buffer canonical = BUFFER_INIT(65536), names = BUFFER_INIT(4096), to_sign = BUFFER_INIT(4096);
    assert_int_equal(sigv4_canonical_request(&v.parsed, &scope, &canonical, &names, &err), 0);
    hold_to(name, "header-canonical-request.txt", buffer_bytes(&canonical));
    if (context) {
        uint8_t key[SIGV4_KEY_SIZE];
        char signature[HEX_SIZE(32)];
        assert_int_equal(sigv4_string_to_sign(&scope, buffer_bytes(&canonical), &to_sign, &err), 0);
        hold_to(name, "header-string-to-sign.txt", buffer_bytes(&to_sign));
        assert_int_equal(sigv4_signing_key(secret, &scope, key, &err), 0);
        assert_int_equal(sigv4_signature(key, buffer_bytes(&to_sign), signature, &err), 0);
        hold_to(name, "header-signature.txt", bytes_of(signature));
        struct buffer whole = BUFFER_INIT(4096);
        struct sigv4_keys keys = {0};
        for (int i = 0; i < 2; i++) { /* once derived, once from the cache */
            buffer_clear(&whole);
            assert_int_equal(sigv4_authorization(&v.parsed, &scope, access, secret, &keys, &whole, &err), 0);
            char *signed_request = file(name, "header-signed-request.txt");
            if (!strstr(signed_request, whole.data))
                fail_msg("%s: %s\nis not in\n%s", name, whole.data, signed_request);
            free(signed_request);
        }
        sigv4_keys_done(&keys);
        buffer_done(&whole);
    }
    buffer_done(&canonical);
    buffer_done(&names);
    buffer_done(&to_sign);
    json_decref(context);
    free(text);
    free(v.request);
}

static void every_stage_gives_what_aws_published(void **state)
{
    (void)state;
    DIR *folder = opendir(FOLDER);
    int checked = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char *text = entry->d_name[0] == '.' ? NULL : file(entry->d_name, "request.txt");
        if (!text)
            continue;
        free(text);
        check(entry->d_name);
        checked++;
    }
    closedir(folder);
    assert_int_equal(checked, 40);
}

static void s3_paths_are_encoded_once_and_keep_their_dots(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct buffer out = BUFFER_INIT(4096), names = BUFFER_INIT(4096);
    struct http_header headers[] = {{"Host", "b.s3.amazonaws.com"}};
    struct sigv4_request request = {.method = "GET",
                                    .path = BYTES("/a%20b//./c%2Bd/../%E1%88%B4"),
                                    .headers = headers,
                                    .header_count = 1,
                                    .payload_hash = SIGV4_UNSIGNED_PAYLOAD};
    struct sigv4_scope scope = {.region = "us-east-1", .service = "s3", .s3_path = true};
    assert_int_equal(sigv4_canonical_request(&request, &scope, &out, &names, &err), 0);
    assert_string_equal(
        out.data, "GET\n/a%20b//./c%2Bd/../%E1%88%B4\n\nhost:b.s3.amazonaws.com\n\nhost\nUNSIGNED-PAYLOAD");
    buffer_done(&out);
    buffer_done(&names);
}

static void a_query_that_spells_nothing_is_canonical_too(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct buffer out = BUFFER_INIT(4096), names = BUFFER_INIT(4096);
    struct http_header headers[] = {{"Host", "h"}};
    struct sigv4_request request = {.method = "GET",
                                    .path = BYTES("/"),
                                    .query = BYTES("&=&="),
                                    .headers = headers,
                                    .header_count = 1,
                                    .payload_hash = SIGV4_UNSIGNED_PAYLOAD};
    struct sigv4_scope scope = {.region = "us-east-1", .service = "dynamodb"};
    assert_int_equal(sigv4_canonical_request(&request, &scope, &out, &names, &err), 0);
    assert_string_equal(out.data, "GET\n/\n=&=\nhost:h\n\nhost\nUNSIGNED-PAYLOAD");
    buffer_done(&out);
    buffer_done(&names);
}

/* A list of their names that was cut would be a wrong signature, which AWS says is somebody's key. */
static void names_that_do_not_fit_are_an_error(void **state)
{
    (void)state;
    struct buffer out = BUFFER_INIT(4096), names = BUFFER_INIT(8);
    struct http_header headers[] = {{"Host", "a"}, {"X-Amz-Date", "b"}};
    struct sigv4_request request = {
        .method = "GET", .headers = headers, .header_count = 2, .payload_hash = ""};
    struct sigv4_scope scope = {.region = "r", .service = "s"};
    struct err err = ERR_INIT;
    assert_int_equal(sigv4_canonical_request(&request, &scope, &out, &names, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_EXCEEDED);
    buffer_done(&out);
    buffer_done(&names);
}

static void another_day_region_service_or_key_is_another_signature(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct sigv4_keys keys = {0};
    struct http_header headers[] = {{"Host", "h"}};
    struct sigv4_request request = {.method = "GET",
                                    .path = BYTES("/"),
                                    .headers = headers,
                                    .header_count = 1,
                                    .payload_hash = SIGV4_EMPTY_SHA256};
    const struct {
        struct sigv4_scope scope;
        const char *access;
    } cases[] = {{{.region = "a", .service = "s"}, "K"},
                 {{.region = "b", .service = "s"}, "K"},
                 {{.region = "a", .service = "t"}, "K"},
                 {{.region = "a", .service = "s", .time_ms = 86400000}, "K"},
                 {{.region = "a", .service = "s"}, "L"}};
    char seen[5][256];
    for (size_t i = 0; i < 5; i++) {
        struct buffer cached = BUFFER_INIT(4096), fresh = BUFFER_INIT(4096);
        const char *secret = i == 4 ? "other" : "secret";
        assert_int_equal(
            sigv4_authorization(&request, &cases[i].scope, cases[i].access, secret, &keys, &cached, &err), 0);
        assert_int_equal(
            sigv4_authorization(&request, &cases[i].scope, cases[i].access, secret, NULL, &fresh, &err), 0);
        assert_string_equal(cached.data, fresh.data);
        str_copy(seen[i], sizeof(seen[i]), strstr(cached.data, "Signature="));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(seen[i], seen[k]);
        buffer_done(&cached);
        buffer_done(&fresh);
    }
    sigv4_keys_done(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stage_gives_what_aws_published),
        cmocka_unit_test(s3_paths_are_encoded_once_and_keep_their_dots),
        cmocka_unit_test(a_query_that_spells_nothing_is_canonical_too),
        cmocka_unit_test(names_that_do_not_fit_are_an_error),
        cmocka_unit_test(another_day_region_service_or_key_is_another_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
