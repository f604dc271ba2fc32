#include "tests/unit/auth/verifier_room.h"

#include <pthread.h>

#include "auth/token_cache.h"

#define THREADS 8
#define ROUNDS 400
#define TOKENS 24

static struct principal principal_named(const char *subject)
{
    return (struct principal){
        .issuer = "i", .subject = subject, .identity = subject, .grants = room_devs, .grant_count = 2};
}

static void key_of(unsigned number, uint8_t key[TOKEN_KEY_SIZE])
{
    memset(key, 0, TOKEN_KEY_SIZE);
    memcpy(key, &number, sizeof(number));
}

static void test_a_principal_is_there_only_within_its_window(void **state)
{
    struct token_cache *cache = token_cache_new();
    struct principal principal = principal_named("a");
    struct claims_window window = {1000, 2000};
    uint8_t key[TOKEN_KEY_SIZE], other[TOKEN_KEY_SIZE];
    struct arena *arena = arena_new(1 * MIB);
    struct principal got;
    struct err err = ERR_INIT;

    (void)state;
    key_of(1, key);
    key_of(1, other);
    other[31] = 1; /* the same shard and the same prefix */
    token_cache_put(cache, key, &principal, &window);
    assert_int_equal(token_cache_find(cache, key, 999, arena, &got, &err), 0);
    assert_int_equal(token_cache_find(cache, key, 1000, arena, &got, &err), 1);
    assert_string_equal(got.subject, "a");
    assert_string_equal(got.grants[1].environment, "*");
    assert_ptr_not_equal(got.subject, principal.subject);
    assert_null(got.token_id);
    assert_int_equal(token_cache_find(cache, other, 1000, arena, &got, &err), 0);
    assert_int_equal(token_cache_find(cache, key, 1999, arena, &got, &err), 1);
    assert_int_equal(token_cache_find(cache, key, 2000, arena, &got, &err), 0);
    assert_int_equal(token_cache_find(cache, key, 1500, arena, &got, &err), 0); /* it is gone for good */
    token_cache_free(cache);
    assert_string_equal(got.subject, "a"); /* the arena keeps it */
    arena_free(arena);
}

static void test_what_is_used_stays_when_the_cache_is_full(void **state)
{
    struct token_cache *cache = token_cache_new();
    struct claims_window window = {0, INT64_MAX};
    struct arena *arena = arena_new(64 * MIB);
    struct err err = ERR_INIT;
    struct principal got;
    uint8_t key[TOKEN_KEY_SIZE];

    (void)state;
    for (unsigned i = 0; i < 4 * TOKEN_CACHE_MAX; i++) {
        struct principal principal = principal_named("x");

        key_of(i, key);
        token_cache_put(cache, key, &principal, &window);
        key_of(0, key);
        assert_int_equal(token_cache_find(cache, key, 1, arena, &got, &err), 1);
    }
    assert_int_equal(token_cache_count(cache), TOKEN_CACHE_MAX);
    key_of(1, key);
    assert_int_equal(token_cache_find(cache, key, 1, arena, &got, &err), 0);
    token_cache_free(cache);
    arena_free(arena);
}

static char *tokens[TOKENS];
static struct room room;
static atomic_int wrong, good, expired;

static unsigned room_random(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return *seed >> 16;
}

static void *hammer(void *arg)
{
    struct arena *arena = arena_new(4 * MIB);
    unsigned seed = (unsigned)(uintptr_t)arg;

    for (int i = 0; i < ROUNDS; i++) {
        unsigned number = room_random(&seed) % TOKENS;
        struct verifier *verifier = verifier_hold(room.verifier);
        struct err err = ERR_INIT;
        struct principal *principal = NULL;
        char expected[32];

        snprintf(expected, sizeof(expected), "u-%u", number);
        int64_t before = room_now_ms;
        int rc = verifier_check(verifier, bytes_of(tokens[number]), "a", arena, &principal, &err);
        verifier_release(verifier);
        if (rc == 0 &&
            (strcmp(principal->subject, expected) != 0 || before >= (NOW_S + 1 + (int64_t)number) * 1000))
            atomic_fetch_add(&wrong, 1);
        if (rc < 0 && strcmp(auth_failure_reason(&err), "expired") != 0)
            atomic_fetch_add(&wrong, 1);
        atomic_fetch_add(rc == 0 ? &good : &expired, 1);
        if (i % 16 == 0)
            room_now_ms += 100;
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

/* Token n ends n+1 seconds after the start; the threads move the clock over most of these ends. */
static void test_many_threads_get_their_own_principals_and_none_after_its_end(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    room_open(&room);
    for (unsigned i = 0; i < TOKENS; i++) {
        json_t *claims = room_claims("https://hs");

        json_object_set_new(claims, "sub", json_sprintf("u-%u", i));
        json_object_set_new(claims, "exp", json_integer(NOW_S + 1 + i));
        tokens[i] = room_token(claims, JWS_HS256, "");
    }
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, (void *)(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(atomic_load(&good) > 0 && atomic_load(&expired) > 0);
    for (unsigned i = 0; i < TOKENS; i++)
        free(tokens[i]);
    room_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_principal_is_there_only_within_its_window),
        cmocka_unit_test(test_what_is_used_stays_when_the_cache_is_full),
        cmocka_unit_test(test_many_threads_get_their_own_principals_and_none_after_its_end),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    test_keys_free();
    return failed;
}
