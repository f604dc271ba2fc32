#include <unistd.h>

#include "aws/s3.h"
#include "aws/xml.h"
#include "tests/unit/aws/aws_fixture.h"

#define ABC_SHA256                                                                                           \
    "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4"   \
    "\x10\xff"                                                                                               \
    "\x61\xf2\x00\x15\xad"
#define ABC_HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static int temporary_file(const char *text)
{
    char path[] = "/tmp/s3.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, text, strlen(text)), (long)strlen(text));
    return fd;
}

static struct s3_bucket bucket_of(struct fixture *f)
{
    struct s3_bucket bucket;
    assert_int_equal(s3_bucket_init(&bucket, &f->session, "my-bucket", &f->err), 0);
    return bucket;
}

static void a_put_from_a_file_is_signed_and_sent_again_whole(void **state)
{
    struct fixture *f = *state;
    SERVE(
        f,
        {.status = 503,
         .body = "<Error><Code>SlowDown</Code></Error>",
         .headers = "x-amz-retry-after: 0\r\n"},
        {.expect =
             "^PUT /my-bucket/a%20b/c%2Bd HTTP.*X-Amz-Content-Sha256: " ABC_HEX "\r.*"
             "x-amz-checksum-sha256: ungWv48Bz\\+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\r.*If-None-Match: \\*\r.*"
             "x-amz-server-side-encryption: aws:kms\r.*x-amz-server-side-encryption-aws-kms-key-id: k\r.*"
             "x-amz-tagging: a=b\r.*x-amz-meta-job: j\r.*/eu-west-1/s3/aws4_request.*Content-Length: "
             "3\r\n\r\nabc$",
         .headers = "ETag: \"e\"\r\nx-amz-version-id: v1\r\nx-amz-request-id: R\r\n"});
    struct s3_bucket bucket = bucket_of(f);
    struct http_header metadata[] = {{"x-amz-meta-job", "j"}};
    struct s3_put_result result;
    int fd = temporary_file("xabcx");
    struct s3_put put = {.key = "a b/c+d",
                         .fd = fd,
                         .offset = 1,
                         .len = 3,
                         .sha256 = (const uint8_t *)ABC_SHA256,
                         .if_none_match = true,
                         .sse = "aws:kms",
                         .kms_key = "k",
                         .tagging = "a=b",
                         .metadata = metadata,
                         .metadata_count = 1};
    assert_int_equal(s3_put(&bucket, &put, &result, &f->err), 0);
    check_server(f, 2);
    assert_string_equal(result.etag, "\"e\"");
    assert_string_equal(result.version_id, "v1");
    assert_string_equal(result.request_id, "R");
    close(fd);
}

static void a_put_of_a_file_that_shrank_fails(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.body = ""});
    struct s3_bucket bucket = bucket_of(f);
    int fd = temporary_file("ab");
    struct s3_put put = {.key = "k", .fd = fd, .len = 3, .sha256 = (const uint8_t *)ABC_SHA256};
    assert_int_equal(s3_put(&bucket, &put, NULL, &f->err), -1);
    assert_int_equal(f->err.code, ERR_IO);
    assert_int_equal(scripted_server_requests(f->server), 0);
    close(fd);
}

static void conditions_and_errors_have_their_codes(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.status = 412, .body = "<Error><Code>PreconditionFailed</Code></Error>"},
          {.status = 200, .body = "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code></Error>"},
          {.body = ""}, {.status = 404}, {.status = 403},
          {.expect = "^GET .*[Rr]ange: bytes=0-0",
           .status = 403,
           .body = "<Error><Code>AccessDenied</Code><Message>not authorized to perform: "
                   "s3:ListBucket</Message></Error>"},
          {.status = 404, .body = "<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>"},
          {.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"},
          {.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"});
    struct s3_bucket bucket = bucket_of(f);
    struct s3_head head;
    struct s3_put put = {
        .key = "k", .body = BYTES("abc"), .sha256 = (const uint8_t *)ABC_SHA256, .if_none_match = true};
    assert_int_equal(s3_put(&bucket, &put, NULL, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_CONDITION);
    f->err = ERR_INIT;
    assert_int_equal(s3_put(&bucket, &put, NULL, &f->err), 0); /* the error inside the 200 was tried again */
    assert_int_equal(s3_head(&bucket, "k", NULL, &head, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_NOT_FOUND);
    f->err = ERR_INIT;
    assert_int_equal(s3_head(&bucket, "k", NULL, &head, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_ACCESS_DENIED);
    assert_non_null(strstr(f->err.message, "s3:GetObject on my-bucket/k"));
    assert_non_null(strstr(f->err.message, "to perform: s3:ListBucket")); /* a HEAD cannot say so */
    f->err = ERR_INIT;
    assert_int_equal(s3_delete(&bucket, "k", "v/1", &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_NOT_FOUND);
    assert_string_equal(f->err.aws.code, "NoSuchKey");
    assert_non_null(
        strstr(scripted_server_request(f->server, 6), "DELETE /my-bucket/k?versionId=v%2F1 HTTP"));
    f->err = ERR_INIT;
    assert_int_equal(s3_delete(&bucket, "k", "v/1", &f->err), -1);
    assert_non_null(strstr(f->err.message, "s3:DeleteObjectVersion on my-bucket/k")); /* IAM's name for it */
    f->err = ERR_INIT;
    assert_int_equal(s3_delete(&bucket, "k", NULL, &f->err), -1);
    assert_non_null(strstr(f->err.message, "s3:DeleteObject on my-bucket/k"));
}

static void an_object_without_an_etag_is_no_object(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.headers = "Content-Length: 5\r\n"}); /* an error's body inside a 200 */
    struct s3_bucket bucket = bucket_of(f);
    struct s3_head head;
    assert_int_equal(s3_head(&bucket, "k", NULL, &head, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED);
}

static void a_bucket_elsewhere_is_found_once(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.expect = "/eu-west-1/s3/", .status = 301, .headers = "x-amz-bucket-region: us-east-2\r\n"},
          {.expect = "/us-east-2/s3/", .headers = "Content-Length: 5\r\nETag: \"e\"\r\n"},
          {.expect = "/us-east-2/s3/", .headers = "Content-Length: 5\r\nETag: \"e\"\r\n"},
          {.status = 301, .headers = "x-amz-bucket-region: us-east-2\r\n"});
    struct s3_bucket bucket = bucket_of(f);
    struct s3_head head;
    assert_int_equal(s3_head(&bucket, "k", NULL, &head, &f->err), 0);
    assert_int_equal(head.size, 5);
    assert_int_equal(s3_head(&bucket, "k", NULL, &head, &f->err), 0);
    assert_int_equal(s3_head(&bucket, "k", NULL, &head, &f->err), -1); /* no endless journey */
    check_server(f, 4);
}

static void addresses_follow_the_endpoint(void **state)
{
    struct fixture *f = *state;
    struct environment environment = {.name = "t", .region = "eu-west-1"};
    struct s3_bucket bucket;
    f->aws = aws_new(&environment, &f->err);
    aws_session_init(&f->session, f->aws, f->http);
    assert_int_equal(s3_bucket_init(&bucket, &f->session, "plain", &f->err), 0);
    assert_false(bucket.path_style);
    assert_string_equal(bucket.base_url, "https://s3.eu-west-1.amazonaws.com");
    assert_int_equal(s3_bucket_init(&bucket, &f->session, "with.dots", &f->err), 0);
    assert_true(bucket.path_style);
    static const char *const bad[] = {"ab", "UPPER", "a/b", "a..b", "-ab", "a@b.c", "ab:80"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(s3_bucket_init(&bucket, &f->session, bad[i], &f->err), -1);
}

struct taken {
    char data[64];
    size_t len;
    int rewinds;
};

static bool take(void *arg, const char *data, size_t len)
{
    struct taken *taken = arg;
    assert_true(taken->len + len < sizeof(taken->data));
    memcpy(taken->data + taken->len, data, len);
    taken->len += len;
    return true;
}

static bool again(void *arg)
{
    struct taken *taken = arg;
    taken->len = 0;
    taken->rewinds++;
    return true;
}

static void a_get_that_breaks_begins_again_when_it_may(void **state)
{
    struct fixture *f = *state;
    struct taken taken = {.len = 0};
    struct http_sink sink = {take, &taken};
    SERVE(
        f, {.body = "0123456789", .cut = CUT_IN_BODY},
        {.body = "0123456789",
         .headers =
             "ETag: \"e\"\r\nx-amz-checksum-sha256: abc\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"},
        {.body = "0123456789", .cut = CUT_IN_BODY});
    struct s3_bucket bucket = bucket_of(f);
    struct s3_head head;
    struct s3_get get = {.key = "k", .sink = &sink, .sink_rewind = again};
    assert_int_equal(s3_get(&bucket, &get, &head, &f->err), 0);
    assert_int_equal(taken.rewinds, 1);
    assert_int_equal(taken.len, 10);
    assert_int_equal(head.size, 10);
    assert_int_equal(head.modified_ms, 1767225600000LL);
    assert_string_equal(head.checksum_sha256, "abc");
    get.sink_rewind = NULL;
    assert_int_equal(s3_get(&bucket, &get, NULL, &f->err),
                     -1); /* half of it was taken: never from the beginning */
    assert_int_equal(f->err.code, ERR_AWS_UNREACHABLE);
    check_server(f, 3);
}

static void a_lock_is_seen_and_an_archived_body_has_its_code(void **state)
{
    struct fixture *f = *state;
    SERVE(f,
          {.headers = "Content-Length: 5\r\nETag: \"e\"\r\nx-amz-object-lock-mode: COMPLIANCE\r\n"
                      "x-amz-object-lock-retain-until-date: 2026-01-01T00:00:00.000Z\r\n"},
          {.headers = "Content-Length: 5\r\nETag: \"e\"\r\nx-amz-object-lock-mode: COMPLIANCE\r\n"},
          {.status = 403,
           .body = "<Error><Code>InvalidObjectState</Code><Message>no</Message>"
                   "<StorageClass>GLACIER</StorageClass></Error>"});
    struct s3_bucket bucket = bucket_of(f);
    struct s3_head head;
    struct taken taken = {.len = 0};
    struct http_sink sink = {take, &taken};
    struct s3_get get = {.key = "k", .sink = &sink};

    assert_int_equal(s3_head(&bucket, "k", NULL, &head, &f->err), 0);
    assert_string_equal(head.lock_mode, "COMPLIANCE");
    assert_int_equal(head.retain_until_ms, 1767225600000LL);
    assert_int_equal(s3_head(&bucket, "k", NULL, &head, &f->err), 0);
    assert_string_equal(head.lock_mode, ""); /* a lock without an end is none that could be told */
    assert_int_equal(s3_get(&bucket, &get, NULL, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_ARCHIVED);
    assert_int_equal(taken.len, 0);
    check_server(f, 3);
}

static void a_range_that_is_another_is_a_lie(void **state)
{
    struct fixture *f = *state;
    struct taken taken = {.len = 0};
    struct http_sink sink = {take, &taken};
    SERVE(f,
          {.expect = "Range: bytes=2-4\r",
           .status = 206,
           .headers = "Content-Range: bytes 2-4/10\r\n",
           .body = "234"},
          {.status = 206, .headers = "Content-Range: bytes 0-2/10\r\n", .body = "012"},
          {.body = "0123456789"}, {.status = 206, .headers = "Content-Range: bytes 2-3/10\r\n", .body = "23"},
          {.status = 206, .headers = "Content-Range: bytes 2-4/10\r\n", .body = "23"},
          {.status = 206, .headers = "Content-Range: bytes 2-4/*\r\n", .body = "234"},
          {.status = 206, .headers = "Content-Range: bytes 2-3/4\r\n", .body = "23"},
          {.status = 206, .headers = "Content-Range: bytes 0-3/10\r\n", .body = "0123"});
    struct s3_bucket bucket = bucket_of(f);
    struct s3_head head;
    struct s3_get get = {.key = "k", .offset = 2, .len = 3, .sink = &sink};
    assert_int_equal(s3_get(&bucket, &get, &head, &f->err), 0);
    assert_int_equal(head.size, 10);
    assert_memory_equal(taken.data, "234", 3);
    for (int i = 0; i < 5; i++) {
        f->err = ERR_INIT;
        taken.len = 0;
        assert_int_equal(s3_get(&bucket, &get, NULL, &f->err), -1);
        assert_int_equal(f->err.code, ERR_AWS_LIED);
    }
    f->err = ERR_INIT;
    assert_int_equal(s3_get(&bucket, &get, NULL, &f->err), 0); /* the object ends there */
    f->err = ERR_INIT;
    assert_int_equal(s3_get(&bucket, &(struct s3_get){.key = "k", .sink = &sink}, NULL, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED); /* a part, when the whole was asked for */
    check_server(f, 8);
}

struct keys {
    char text[256];
    int64_t bytes;
};

static bool note_key(void *arg, const struct s3_object *object)
{
    struct keys *keys = arg;
    size_t len = strlen(keys->text);
    snprintf(keys->text + len, sizeof(keys->text) - len, "%s|", object->key);
    keys->bytes += object->size;
    return true;
}

#define ROW(key) "<Contents><Key>" key "</Key><Size>2</Size><ETag>\"x\"</ETag></Contents>"
#define PAGE(rows, more)                                                                                     \
    "<ListBucketResult xmlns=\"x\"><EncodingType>url</EncodingType>" more rows "</ListBucketResult>"
#define MORE(token) "<IsTruncated>true</IsTruncated><NextContinuationToken>" token "</NextContinuationToken>"

static void a_listing_gives_each_key_once(void **state)
{
    struct fixture *f = *state;
    struct keys keys = {.text = ""};
    SERVE(f,
          {.expect = "^GET /my-bucket\\?list-type=2&encoding-type=url&prefix=p%2F HTTP",
           .body = PAGE(ROW("p/a%2Bb+c") ROW("p/d"), MORE("t/1"))},
          {.expect = "&continuation-token=t%2F1 HTTP",
           .body = PAGE(ROW("p/d") ROW("p/e"), "<IsTruncated>false</IsTruncated>")});
    struct s3_bucket bucket = bucket_of(f);
    assert_int_equal(s3_list(&bucket, "p/", note_key, &keys, &f->err), 0);
    check_server(f, 2);
    assert_string_equal(keys.text, "p/a+b c|p/d|p/e|");
    assert_int_equal(keys.bytes, 6);
}

static void a_listing_that_does_not_move_ends(void **state)
{
    struct fixture *f = *state;
    struct keys keys = {.text = ""};
    SERVE(f, {.body = PAGE(ROW("p/a"), MORE("t")), .repeat = true});
    struct s3_bucket bucket = bucket_of(f);
    assert_int_equal(s3_list(&bucket, "p/", note_key, &keys, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED);
    assert_string_equal(keys.text, "p/a|");
}

static void a_listing_out_of_order_is_a_lie(void **state)
{
    struct fixture *f = *state;
    struct keys keys = {.text = ""};
    SERVE(f, {.body = PAGE(ROW("p/a") ROW("p/c") ROW("p/b"), "<IsTruncated>false</IsTruncated>")});
    struct s3_bucket bucket = bucket_of(f);
    assert_int_equal(s3_list(&bucket, "p/", note_key, &keys, &f->err), -1); /* p/b is not lost in silence */
    assert_int_equal(f->err.code, ERR_AWS_LIED);
}

static void a_listing_of_something_else_is_a_lie(void **state)
{
    struct fixture *f = *state;
    struct keys keys = {.text = ""};
    static const char *const bodies[] = {
        "", "<a>", "<Other/>", PAGE(ROW("q/a"), ""),
        "<!DOCTYPE a [<!ENTITY b \"c\">]><ListBucketResult>&b;</ListBucketResult>"};
    struct scripted_reply script[5];
    memset(script, 0, sizeof(script));
    for (size_t i = 0; i < 5; i++)
        script[i].body = bodies[i];
    serve(f, script, 5);
    struct s3_bucket bucket = bucket_of(f);
    for (size_t i = 0; i < 5; i++) {
        f->err = ERR_INIT;
        assert_int_equal(s3_list(&bucket, "p/", note_key, &keys, &f->err), -1);
        assert_int_equal(f->err.code, ERR_AWS_LIED);
    }
}

static void xml_is_bounded(void **state)
{
    (void)state;
    struct arena *arena = arena_new(64 << 10);
    struct xml_node *root = NULL;
    struct err err = ERR_INIT;
    char deep[400] = "";
    assert_int_equal(xml_parse(BYTES("<n:a xmlns:n='u'><b>1</b><c/><b>&lt;2</b></n:a>"), arena, &root, &err),
                     0);
    assert_string_equal(root->name, "a");
    assert_string_equal(xml_text(root, "b"), "1");
    assert_string_equal(xml_again(xml_child(root, "b"))->text, "<2");
    assert_null(xml_text(root, "d"));
    for (int i = 0; i < 40; i++)
        memcpy(deep + i * 3, "<a>", 4);
    assert_int_equal(xml_parse(bytes_of(deep), arena, &root, &err), -1);
    assert_int_equal(err.code, ERR_AWS_LIED);
    struct buffer wide = BUFFER_INIT(1 << 20);
    buffer_add_str(&wide, "<a>");
    for (int i = 0; i < 10000; i++)
        buffer_add_str(&wide, "<b>x</b>");
    buffer_add_str(&wide, "</a>");
    err = ERR_INIT;
    assert_int_equal(xml_parse(buffer_bytes(&wide), arena, &root, &err), -1);
    assert_int_equal(err.code, ERR_NO_MEMORY);
    buffer_done(&wide);
    arena_free(arena);
}

static void an_empty_root_without_memory_is_an_error(void **state)
{
    (void)state;
    struct arena *arena = arena_new(8);
    struct xml_node *root = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(xml_parse(BYTES("<a/>"), arena, &root, &err), -1);
    assert_int_equal(err.code, ERR_NO_MEMORY);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_put_from_a_file_is_signed_and_sent_again_whole),
        TEST(a_put_of_a_file_that_shrank_fails),
        TEST(conditions_and_errors_have_their_codes),
        TEST(a_lock_is_seen_and_an_archived_body_has_its_code),
        TEST(an_object_without_an_etag_is_no_object),
        TEST(a_bucket_elsewhere_is_found_once),
        TEST(addresses_follow_the_endpoint),
        TEST(a_get_that_breaks_begins_again_when_it_may),
        TEST(a_range_that_is_another_is_a_lie),
        TEST(a_listing_gives_each_key_once),
        TEST(a_listing_that_does_not_move_ends),
        TEST(a_listing_out_of_order_is_a_lie),
        TEST(a_listing_of_something_else_is_a_lie),
        cmocka_unit_test(xml_is_bounded),
        cmocka_unit_test(an_empty_root_without_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
