/*
 * A check of a bearer token (RS256, 2048 bits) beside OpenSSL's bare verification with a key that is parsed
 * once, and beside libjwt; and a token that was checked before. token_bench TOKENS
 * Prints one JSON object of microseconds of CPU a check. More tokens than the cache holds, so that none of
 * the first three is found in it.
 */
#include <fcntl.h>
#include <unistd.h>

#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "auth/mint.h"
#include "auth/verifier.h"
#include "base/cleanup.h"
#include "base/config.h"
#include "base/limits.h"
#include "tests/bench/measure.h"

#define HITS 2000000
#define ROUNDS 5

struct bench {
    EVP_PKEY *key;
    struct bytes private_pem, public_pem;
    struct verifier *verifier;
    struct arena *tokens_arena;
    const char **tokens;
    size_t count;
};

/* -- what is checked -- */

static struct bytes pem_of(EVP_PKEY *key, bool private)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    struct bytes pem;

    must(bio && (private ? PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
                         : PEM_write_bio_PUBKEY(bio, key)),
         "pem");
    pem.len = (size_t)BIO_get_mem_data(bio, &data);
    pem.data = strndup(data, pem.len);
    BIO_free(bio);
    return pem;
}

static void write_file(const char *path, struct bytes data)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    must(fd >= 0 && write(fd, data.data, data.len) == (ssize_t)data.len, path);
    close(fd);
}

static void make_tokens(struct bench *bench, const struct issuer_config *issuer)
{
    static const char *const roles[] = {"BackupAdministrator@production", "operator@staging", "viewer@*"};
    struct err err = ERR_INIT;
    char subject[48];

    for (size_t i = 0; i < bench->count; i++) {
        struct mint_request request = {.subject = subject, .roles = roles, .role_count = COUNT_OF(roles)};

        snprintf(subject, sizeof(subject), "user-%06zu@example.com", i);
        must(mint_token_with(issuer, "sub", bench->private_pem, false, &request, bench->tokens_arena,
                             &bench->tokens[i], &err) == 0,
             err.message);
    }
}

static void set_up(struct bench *bench, size_t count)
{
    static const char *const audience = "recoverd", *const algorithm = "RS256";
    char path[] = "/tmp/token_bench.XXXXXX";
    int fd = mkstemp(path);
    struct issuer_config issuer = {.issuer = "https://idp.example.com/",
                                   .audiences = {&audience, 1},
                                   .algorithms = {&algorithm, 1},
                                   .key_source = KEY_PUBLIC_FILE,
                                   .key_location = path,
                                   .max_lifetime_ms = 3600 * 1000,
                                   .roles_claim = "roles"};
    struct config config = {.identity_claim = "sub", .issuers = &issuer, .issuer_count = 1};
    struct err err = ERR_INIT;

    must(fd >= 0, path);
    close(fd);
    bench->key = EVP_RSA_gen(2048);
    must(bench->key != NULL, "a key");
    bench->private_pem = pem_of(bench->key, true);
    bench->public_pem = pem_of(bench->key, false);
    write_file(path, bench->public_pem);
    must(verifier_new(&config, NULL, &bench->verifier, &err) == 0, err.message);
    unlink(path);
    bench->count = count;
    bench->tokens = calloc(count, sizeof(char *));
    bench->tokens_arena = arena_new(256 * MIB);
    must(bench->tokens && bench->tokens_arena, "memory");
    make_tokens(bench, &issuer);
}

/* -- checks -- */

static void check(struct bench *bench, struct arena *arena, const char *token)
{
    struct err err = ERR_INIT;
    struct principal *principal;

    must(verifier_check(bench->verifier, bytes_of(token), "127.0.0.1", arena, &principal, &err) == 0,
         err.message);
}

/* As a request does: an arena of its own, but kept, which a request's is not: that is not the check's cost.
 */
static double ours(struct bench *bench)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 * MIB);
    double since = now_us(CLOCK_THREAD_CPUTIME_ID);

    must(arena != NULL, "memory");
    for (size_t i = 0; i < bench->count; i++) {
        check(bench, arena, bench->tokens[i]);
        arena_reset(arena);
    }
    return (now_us(CLOCK_THREAD_CPUTIME_ID) - since) / (double)bench->count;
}

static double cached(struct bench *bench)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 * MIB);
    double since;

    must(arena != NULL, "memory");
    check(bench, arena, bench->tokens[0]);
    since = now_us(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < HITS; i++) {
        check(bench, arena, bench->tokens[0]);
        arena_reset(arena);
    }
    return (now_us(CLOCK_THREAD_CPUTIME_ID) - since) / HITS;
}

/* The signature alone, decoded beforehand: no JSON, no claims, no base64. */
static double openssl(struct bench *bench)
{
    unsigned char(*signatures)[256] = calloc(bench->count, sizeof(*signatures));
    size_t *signed_len = calloc(bench->count, sizeof(*signed_len));
    double since;

    must(signatures && signed_len, "memory");
    for (size_t i = 0; i < bench->count; i++) {
        const char *dot = strrchr(bench->tokens[i], '.');
        char decoded[512];

        must(base64url_decode(bytes_of(dot + 1), decoded) == 256, "a signature");
        memcpy(signatures[i], decoded, 256);
        signed_len[i] = (size_t)(dot - bench->tokens[i]);
    }
    since = now_us(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < bench->count; i++) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();

        must(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, bench->key) == 1 &&
                 EVP_DigestVerify(context, signatures[i], 256, (const unsigned char *)bench->tokens[i],
                                  signed_len[i]) == 1,
             "openssl");
        EVP_MD_CTX_free(context);
    }
    since = (now_us(CLOCK_THREAD_CPUTIME_ID) - since) / (double)bench->count;
    free(signatures);
    free(signed_len);
    return since;
}

static double libjwt(struct bench *bench)
{
    double since = now_us(CLOCK_THREAD_CPUTIME_ID);

    for (size_t i = 0; i < bench->count; i++) {
        jwt_t *jwt = NULL;

        must(jwt_decode(&jwt, bench->tokens[i], (const unsigned char *)bench->public_pem.data,
                        (int)bench->public_pem.len) == 0,
             "libjwt");
        jwt_free(jwt);
    }
    return (now_us(CLOCK_THREAD_CPUTIME_ID) - since) / (double)bench->count;
}

static double least(double (*fn)(struct bench *bench), struct bench *bench)
{
    double best = fn(bench);

    for (int i = 1; i < ROUNDS; i++) {
        double now = fn(bench);

        best = now < best ? now : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    struct bench bench = {0};

    must(argc == 2 && atol(argv[1]) > TOKEN_CACHE_MAX, "more tokens than the cache holds");
    set_up(&bench, (size_t)atol(argv[1]));
    printf("{\"token_bytes\": %zu, \"check\": %.3f, ", strlen(bench.tokens[0]), least(ours, &bench));
    printf("\"openssl\": %.3f, \"libjwt\": %.3f, ", least(openssl, &bench), least(libjwt, &bench));
    printf("\"cached\": %.4f}\n", cached(&bench));
    verifier_release(bench.verifier);
    arena_free(bench.tokens_arena);
    EVP_PKEY_free(bench.key);
    free(bench.tokens);
    return 0;
}
