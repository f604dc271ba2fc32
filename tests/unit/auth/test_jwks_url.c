/* Keys that are fetched, against a TLS server of the test's with a certificate of its own. */
#include "tests/unit/auth/token_maker.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "auth/jwks_url.h"
#include "base/arena.h"
#include "tests/support/tls_server.h"

#define NOW_S 1900000000LL

static _Atomic int64_t now_ms;
static struct tls_server *idp;
static struct issuer_config issuer;
static struct config config;
static struct verifier *verifier;

static int64_t clock_now(void)
{
    return now_ms;
}

/* -- the world -- */

static void serve(enum key_name key, const char *kid, enum key_name other, const char *other_kid,
                  const char *headers)
{
    char *text = jwks_text(jwk_of(key, kid, NULL), other_kid ? jwk_of(other, other_kid, NULL) : NULL);

    tls_server_say(idp, (struct tls_reply){.status = 200, .body = text, .headers = headers});
    free(text);
}

static int open_room(void **state)
{
    static const char *const audience[] = {"recoverd"}, *const algorithms[] = {"ES256", "RS256"},
                             *const types[] = {"JWT"};

    (void)state;
    now_ms = NOW_S * 1000;
    clock_replace(clock_now, clock_now);
    idp = tls_server_start();
    issuer = (struct issuer_config){.issuer = "https://idp",
                                    .audiences = {audience, 1},
                                    .algorithms = {algorithms, 2},
                                    .types = {types, 1},
                                    .key_source = KEY_JWKS_URL,
                                    .key_location = tls_server_url(idp),
                                    .jwks_ca_file = tls_server_ca(idp),
                                    .max_lifetime_ms = 90000LL * 1000,
                                    .roles_claim = "roles"};
    config = (struct config){.identity_claim = "sub", .issuers = &issuer, .issuer_count = 1};
    return 0;
}

static void start(void)
{
    struct err err = ERR_INIT;

    if (verifier_new(&config, NULL, &verifier, &err) < 0 || verifier_start(verifier, &err) < 0)
        fail_msg("%s", err.message);
}

static int close_room(void **state)
{
    (void)state;
    verifier_release(verifier);
    verifier = NULL;
    tls_server_stop(idp);
    clock_replace(NULL, NULL);
    return 0;
}

static struct issuer_state look(void)
{
    struct issuer_state state = {0};

    assert_true(verifier_issuer(verifier, 0, &state));
    return state;
}

/* Until the n-th fetch has ended, well or not. */
static void settle(int n, bool well)
{
    for (int i = 0; i < 2000; i++) {
        struct issuer_state state = look();

        if (tls_server_requests(idp) >= n && (state.err.code == ERR_NONE) == well && (state.loaded || !well))
            return;
        usleep(5000);
    }
    fail_msg("fetch %d did not end (%s)", n, well ? "well" : "badly");
}

static char *token_of(enum key_name key, const char *kid)
{
    char header[128], payload[256];

    snprintf(header, sizeof(header), kid ? "{\"alg\":\"ES256\",\"kid\":\"%s\"}" : "{\"alg\":\"ES256\"}", kid);
    snprintf(payload, sizeof(payload),
             "{\"iss\":\"https://idp\",\"aud\":\"recoverd\",\"sub\":\"ann\",\"iat\":%lld,\"exp\":%lld}",
             NOW_S, NOW_S + 80000);
    return sign_token(JWS_ES256, test_key(key), header, payload, (struct sign_options){0});
}

static const char *check_by(struct verifier *by, enum key_name key, const char *kid)
{
    struct arena *arena = arena_new(MIB);
    struct principal *principal = NULL;
    struct err err = ERR_INIT;
    char *token = token_of(key, kid);
    int rc = verifier_check(by, bytes_of(token), NULL, arena, &principal, &err);

    assert_true(rc == 0 || err.code == ERR_INVALID_TOKEN);
    free(token);
    arena_free(arena);
    return rc == 0 ? "ok" : auth_failure_reason(&err);
}

static const char *check(enum key_name key, const char *kid)
{
    return check_by(verifier, key, kid);
}

/* -- promises -- */

static void test_keys_are_fetched_by_https_and_used(void **state)
{
    (void)state;
    serve(P256_A, "a", 0, NULL, NULL);
    start();
    settle(1, true);
    assert_string_equal(check(P256_A, "a"), "ok");
    assert_string_equal(check(P256_B, "a"), "signature");
    assert_int_equal(look().loaded_at_ms, now_ms);
    assert_int_equal(tls_server_requests(idp), 1);
}

static void test_a_start_without_the_issuer_refuses_its_tokens_until_it_is_there(void **state)
{
    (void)state;
    start();
    settle(1, false);
    assert_false(look().loaded);
    assert_string_equal(check(P256_A, "a"), "key");
    serve(P256_A, "a", 0, NULL, NULL);
    assert_string_equal(check(P256_A, "a"), "key"); /* 30 s have not passed */
    assert_int_equal(tls_server_requests(idp), 1);
    now_ms += JWKS_RETRY_MS;
    assert_string_equal(check(P256_A, "a"), "ok");
    assert_int_equal(tls_server_requests(idp), 2);
}

static void test_an_unknown_kid_brings_the_new_set_at_most_once_in_30_s(void **state)
{
    (void)state;
    serve(P256_A, "a", 0, NULL, NULL);
    start();
    settle(1, true);
    serve(P256_A, "a", P256_B, "b", NULL);
    assert_string_equal(check(P256_B, "b"), "key");
    now_ms += JWKS_RETRY_MS - 1;
    assert_string_equal(check(P256_B, "b"), "key");
    assert_int_equal(tls_server_requests(idp), 1);
    now_ms += 1;
    assert_string_equal(check(P256_B, "b"), "ok");
    assert_string_equal(check(P256_A, "a"), "ok");
    for (int i = 0; i < 50; i++) /* a stranger's flood */
        assert_string_equal(check(P256_B, "c"), "key");
    assert_int_equal(tls_server_requests(idp), 2);
    now_ms += JWKS_RETRY_MS; /* a known kid with a bad signature asks for nothing */
    assert_string_equal(check(P256_B, "a"), "signature");
    assert_int_equal(tls_server_requests(idp), 2);
}

static void test_a_withdrawn_key_ends_also_tokens_that_were_verified_with_it(void **state)
{
    (void)state;
    serve(P256_A, "a", 0, NULL, NULL);
    start();
    settle(1, true);
    assert_string_equal(check(P256_A, "a"), "ok");
    assert_string_equal(check(P256_A, "a"), "ok"); /* from the cache */
    serve(P256_B, "b", 0, NULL, NULL);
    now_ms += JWKS_RETRY_MS;
    assert_string_equal(check(P256_B, "b"), "ok");
    assert_string_equal(check(P256_A, "a"), "key");
}

static void test_the_last_good_set_stays_when_a_fetch_fails(void **state)
{
    static char large[JWKS_MAX + 100];
    static const struct tls_reply bad[] = {
        {.status = 0},
        {.status = 500, .body = "oops"},
        {.status = 302, .headers = "Location: https://127.0.0.1:1/\r\n"},
        {.status = 200, .body = "{}"},
        {.status = 200, .body = "{\"keys\":[]}"},
        {.status = 200, .body = "not json"},
        {.status = 200, .body = large},
    };
    int n = 1;

    (void)state;
    memset(large, ' ', sizeof(large) - 1);
    serve(P256_A, "a", 0, NULL, "Cache-Control: max-age=300\r\n");
    start();
    settle(n, true);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        tls_server_say(idp, bad[i]);
        now_ms += JWKS_AGE_MIN_MS;
        check(P256_A, "a"); /* notices that it is time */
        settle(++n, false);
        assert_true(look().loaded);
        assert_string_equal(check(P256_A, "a"), "ok");
        serve(P256_A, "a", 0, NULL, "Cache-Control: max-age=300\r\n");
        now_ms += JWKS_RETRY_MS;
        check(P256_A, "a");
        settle(++n, true);
    }
    assert_int_equal(tls_server_requests(idp), n);
}

static void test_max_age_is_honoured_between_5_minutes_and_a_day(void **state)
{
    static const struct {
        const char *control, *age;
        int64_t ms;
    } cases[] = {
        {NULL, NULL, JWKS_AGE_DEFAULT_MS},
        {"no-store", NULL, JWKS_AGE_DEFAULT_MS},
        {"max-age=600", NULL, 600000},
        {"public, max-age=600, must-revalidate", NULL, 600000},
        {"Max-Age=\"600\"", NULL, 600000},
        {"s-maxage=9, max-age=600", NULL, 600000},
        {"max-age=0", NULL, JWKS_AGE_MIN_MS},
        {"max-age=1", NULL, JWKS_AGE_MIN_MS},
        {"max-age=86401", NULL, JWKS_AGE_MAX_MS},
        {"max-age=99999999999999999999", NULL, JWKS_AGE_DEFAULT_MS},
        {"max-age=-5", NULL, JWKS_AGE_DEFAULT_MS},
        {"max-age=900", "200", 700000},
        {"max-age=900", "-200", 900000},
        {"max-age=900", "9223372036854775807", JWKS_AGE_MIN_MS},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (jwks_url_lifetime_ms(cases[i].control, cases[i].age) != cases[i].ms)
            fail_msg("%s: %lld", cases[i].control ? cases[i].control : "nothing",
                     (long long)jwks_url_lifetime_ms(cases[i].control, cases[i].age));
    serve(P256_A, "a", 0, NULL, "Cache-Control: max-age=600\r\n");
    start();
    settle(1, true);
    now_ms += 599999;
    assert_string_equal(check(P256_A, "a"), "ok");
    usleep(50000);
    assert_int_equal(tls_server_requests(idp), 1);
    now_ms += 1;
    assert_string_equal(check(P256_A, "a"), "ok"); /* nobody waits for it */
    settle(2, true);
}

static void test_a_certificate_that_is_not_the_given_one_is_refused(void **state)
{
    struct tls_server *other = tls_server_start();

    (void)state;
    serve(P256_A, "a", 0, NULL, NULL);
    issuer.jwks_ca_file = tls_server_ca(other);
    setenv("AWS_CA_BUNDLE", tls_server_ca(idp), 1); /* is about AWS */
    start();
    unsetenv("AWS_CA_BUNDLE");
    settle(0, false);
    assert_string_equal(check(P256_A, "a"), "key");
    assert_int_equal(tls_server_requests(idp), 0);
    tls_server_stop(other);
}

static void *asks(void *arg)
{
    *(const char **)arg = check(P256_A, "a");
    return NULL;
}

static void test_many_askers_wait_for_one_fetch(void **state)
{
    pthread_t threads[4];
    const char *said[4];

    (void)state;
    test_key(P256_A);
    tls_server_say(idp, (struct tls_reply){.hold = true});
    start();
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, asks, &said[i]), 0);
    while (tls_server_requests(idp) == 0)
        usleep(1000);
    serve(P256_A, "a", 0, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_string_equal(said[i], "ok");
    }
    assert_int_equal(tls_server_requests(idp), 1);
}

static void test_a_reload_keeps_what_was_fetched_of_the_same_place(void **state)
{
    struct verifier *next = NULL;
    struct err err = ERR_INIT;

    (void)state;
    serve(P256_A, "a", 0, NULL, NULL);
    start();
    settle(1, true);
    tls_server_say(idp, (struct tls_reply){0});
    assert_int_equal(verifier_new(&config, verifier, &next, &err), 0);
    assert_int_equal(verifier_start(next, &err), 0);
    verifier_release(verifier);
    verifier = next;
    assert_string_equal(check(P256_A, "a"), "ok");
    assert_int_equal(tls_server_requests(idp), 1);
    issuer.algorithms.count = 1; /* other rules: what was made by the old ones does not serve */
    assert_int_equal(verifier_new(&config, verifier, &next, &err), 0);
    assert_string_equal(check_by(next, P256_A, "a"), "key");
    verifier_release(next);
}

static void test_an_end_does_not_wait_for_the_issuer(void **state)
{
    (void)state;
    tls_server_say(idp, (struct tls_reply){.hold = true});
    start();
    while (tls_server_requests(idp) == 0)
        usleep(1000);
    verifier_release(verifier); /* hangs here, and for 10 s only, when the call is not interrupted */
    verifier = NULL;
    assert_int_equal(tls_server_requests(idp), 1);
}

int main(void)
{
#define PROMISE(name) cmocka_unit_test_setup_teardown(name, open_room, close_room)
    const struct CMUnitTest tests[] = {
        PROMISE(test_keys_are_fetched_by_https_and_used),
        PROMISE(test_a_start_without_the_issuer_refuses_its_tokens_until_it_is_there),
        PROMISE(test_an_unknown_kid_brings_the_new_set_at_most_once_in_30_s),
        PROMISE(test_a_withdrawn_key_ends_also_tokens_that_were_verified_with_it),
        PROMISE(test_the_last_good_set_stays_when_a_fetch_fails),
        PROMISE(test_max_age_is_honoured_between_5_minutes_and_a_day),
        PROMISE(test_a_certificate_that_is_not_the_given_one_is_refused),
        PROMISE(test_many_askers_wait_for_one_fetch),
        PROMISE(test_a_reload_keeps_what_was_fetched_of_the_same_place),
        PROMISE(test_an_end_does_not_wait_for_the_issuer),
    };

    signal(SIGPIPE, SIG_IGN);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    test_keys_free();
    return failed;
}
