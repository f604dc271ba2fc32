/*
 * A SigV4 signature of a Scan of DynamoDB beside its own SHA-256 and HMACs over the same bytes, done raw with
 * everything that can be prepared beforehand. With the day's signing key kept, as a session keeps it, and
 * without. sign_bench ROUNDS        Prints one JSON object of microseconds of CPU a signature.
 */

#include <openssl/evp.h>

#include "aws/sigv4.h"
#include "base/cleanup.h"
#include "tests/bench/measure.h"

#define ACCESS_KEY "AKIAIOSFODNN7EXAMPLE"
#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define BODY                                                                                                 \
    "{\"TableName\":\"SalesTable-production\",\"ConsistentRead\":true,\"Segment\":3,\"TotalSegments\":16,"   \
    "\"ReturnConsumedCapacity\":\"TOTAL\",\"ExclusiveStartKey\":{\"pk\":{\"S\":\"sale-000012345\"},\"sk\":"  \
    "{\"N\":\"7\"}}}"

#define SLICES 20

static const struct http_header headers[] = {
    {"Host", "dynamodb.us-east-1.amazonaws.com"},
    {"X-Amz-Date", "20261123T150000Z"},
    {"X-Amz-Target", "DynamoDB_20120810.Scan"},
    {"Content-Type", "application/x-amz-json-1.0"},
    {"amz-sdk-invocation-id", "0199aa00-1111-7222-8333-444455556666"},
    {"amz-sdk-request", "attempt=1; max=4"},
};
static const struct sigv4_scope scope = {
    .region = "us-east-1", .service = "dynamodb", .time_ms = 1795446000000};

static struct sigv4_request request_of(const char *payload_hash)
{
    return (struct sigv4_request){.method = "POST",
                                  .path = BYTES("/"),
                                  .headers = headers,
                                  .header_count = COUNT_OF(headers),
                                  .payload_hash = payload_hash};
}

/* -- ours -- */

static void sign(struct sigv4_keys *keys)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(4096);
    char hash[HEX_SIZE(32)];
    struct err err = ERR_INIT;

    must(sigv4_payload_hash(keys, BYTES(BODY), hash, &err) == 0, err.message);
    struct sigv4_request request = request_of(hash);
    must(sigv4_authorization(&request, &scope, ACCESS_KEY, SECRET_KEY, keys, &out, &err) == 0, err.message);
}

static double ours(long rounds, bool keep)
{
    struct sigv4_keys keys = {0};
    double since = now_us(CLOCK_THREAD_CPUTIME_ID);

    for (long i = 0; i < rounds; i++) {
        if (!keep)
            memset(keys.entries, 0, sizeof(keys.entries));
        sign(&keys);
    }
    since = (now_us(CLOCK_THREAD_CPUTIME_ID) - since) / (double)rounds;
    sigv4_keys_done(&keys);
    return since;
}

/* -- raw -- */

struct raw {
    EVP_MD *md;
    EVP_MD_CTX *context, *inner, *outer; /* with the padded key of an HMAC in it */
};

static void digest(struct raw *raw, const void *data, size_t len, unsigned char *ret)
{
    EVP_DigestInit_ex2(raw->context, raw->md, NULL);
    EVP_DigestUpdate(raw->context, data, len);
    EVP_DigestFinal_ex(raw->context, ret, NULL);
}

/* RFC 2104. */
static void set_key(struct raw *raw, const unsigned char *key, size_t len)
{
    unsigned char pad[64] = {0};

    memcpy(pad, key, len);
    for (int i = 0; i < 64; i++)
        pad[i] ^= 0x36;
    EVP_DigestInit_ex2(raw->inner, raw->md, NULL);
    EVP_DigestUpdate(raw->inner, pad, sizeof(pad));
    for (int i = 0; i < 64; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    EVP_DigestInit_ex2(raw->outer, raw->md, NULL);
    EVP_DigestUpdate(raw->outer, pad, sizeof(pad));
}

static void finish(EVP_MD_CTX *context, EVP_MD_CTX *with_key, const void *data, size_t len,
                   unsigned char *ret)
{
    EVP_MD_CTX_copy_ex(context, with_key);
    EVP_DigestUpdate(context, data, len);
    EVP_DigestFinal_ex(context, ret, NULL);
}

static void hmac(struct raw *raw, const void *data, size_t len, unsigned char *ret)
{
    unsigned char inner[32];

    finish(raw->context, raw->inner, data, len, inner);
    finish(raw->context, raw->outer, inner, sizeof(inner), ret);
}

static double bare(long rounds, bool keep, struct bytes canonical, struct bytes to_sign)
{
    static const char day[] = "20261123", secret[] = "AWS4" SECRET_KEY;
    struct raw raw = {EVP_MD_fetch(NULL, "SHA256", NULL), EVP_MD_CTX_new(), EVP_MD_CTX_new(),
                      EVP_MD_CTX_new()};
    const struct bytes chain[] = {bytes_of(day), BYTES("us-east-1"), BYTES("dynamodb"),
                                  BYTES("aws4_request")};
    unsigned char out[32] = {0};
    double since = now_us(CLOCK_THREAD_CPUTIME_ID);

    set_key(&raw, out, sizeof(out));
    for (long i = 0; i < rounds; i++) {
        digest(&raw, BODY, sizeof(BODY) - 1, out);
        digest(&raw, canonical.data, canonical.len, out);
        if (!keep) {
            set_key(&raw, (const unsigned char *)secret, sizeof(secret) - 1);
            for (size_t k = 0; k < COUNT_OF(chain); k++) {
                hmac(&raw, chain[k].data, chain[k].len, out);
                set_key(&raw, out, sizeof(out));
            }
        }
        hmac(&raw, to_sign.data, to_sign.len, out);
    }
    since = (now_us(CLOCK_THREAD_CPUTIME_ID) - since) / (double)rounds;
    EVP_MD_CTX_free(raw.context);
    EVP_MD_CTX_free(raw.inner);
    EVP_MD_CTX_free(raw.outer);
    EVP_MD_free(raw.md);
    return since;
}

/* The slice that was disturbed the least. */
static void keep_least(double *least, double now)
{
    *least = now < *least ? now : *least;
}

int main(int argc, char **argv)
{
    _cleanup_(buffer_done) struct buffer canonical = BUFFER_INIT(65536);
    _cleanup_(buffer_done) struct buffer names = BUFFER_INIT(4096);
    _cleanup_(buffer_done) struct buffer to_sign = BUFFER_INIT(4096);
    struct sigv4_request request = request_of(SIGV4_EMPTY_SHA256);
    long rounds = argc == 2 ? atol(argv[1]) : 0;
    double kept = 1e9, raw_kept = 1e9, fresh = 1e9, raw_fresh = 1e9;
    struct err err = ERR_INIT;

    must(rounds >= SLICES, "how many rounds?");
    must(sigv4_canonical_request(&request, &scope, &canonical, &names, &err) == 0, err.message);
    must(sigv4_string_to_sign(&scope, buffer_bytes(&canonical), &to_sign, &err) == 0, err.message);
    for (int slice = 0; slice < SLICES; slice++) {
        keep_least(&kept, ours(rounds / SLICES, true));
        keep_least(&raw_kept, bare(rounds / SLICES, true, buffer_bytes(&canonical), buffer_bytes(&to_sign)));
        keep_least(&fresh, ours(rounds / SLICES, false));
        keep_least(&raw_fresh,
                   bare(rounds / SLICES, false, buffer_bytes(&canonical), buffer_bytes(&to_sign)));
    }
    printf("{\"kept\": %.4f, \"raw_kept\": %.4f, \"fresh\": %.4f, \"raw_fresh\": %.4f}\n", kept, raw_kept,
           fresh, raw_fresh);
    return 0;
}
