#include "tests/unit/auth/token_maker.h"

#include <openssl/crypto.h>

#include "auth/totp.h"

static const uint8_t rfc_secret[TOTP_SECRET_SIZE] = {'1', '2', '3', '4', '5', '6', '7', '8', '9', '0',
                                                     '1', '2', '3', '4', '5', '6', '7', '8', '9', '0'};

static void test_the_codes_are_those_of_rfc_6238_and_rfc_4226(void **state)
{
    static const struct {
        int64_t seconds;
        uint32_t code;
    } times[] = {{59, 287082},       {1111111109, 81804},  {1111111111, 50471},
                 {1234567890, 5924}, {2000000000, 279037}, {20000000000, 353130}};
    static const uint32_t counters[] = {755224, 287082, 359152, 969429, 338314,
                                        254676, 287922, 162583, 399871, 520489};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++)
        assert_int_equal(totp_code(rfc_secret, times[i].seconds * 1000 / TOTP_STEP_MS), times[i].code);
    for (size_t i = 0; i < COUNT_OF(counters); i++)
        assert_int_equal(totp_code(rfc_secret, (int64_t)i), counters[i]);
}

static struct bytes code_at(int64_t step, char text[8])
{
    snprintf(text, 8, "%06u", totp_code(rfc_secret, step));
    return bytes_of(text);
}

static void test_a_code_counts_in_its_own_step_and_the_neighbours(void **state)
{
    char text[8];
    int64_t now_ms = 1000 * TOTP_STEP_MS + 12345;
    int64_t step;

    (void)state;
    for (int64_t away = -5; away <= 5; away++) {
        bool matches = totp_match(rfc_secret, code_at(1000 + away, text), now_ms, -1, &step);

        assert_int_equal(matches, away >= -1 && away <= 1);
        if (matches)
            assert_int_equal(step, 1000 + away);
    }
}

static void test_no_step_is_accepted_twice_nor_one_before_it(void **state)
{
    char text[8];
    int64_t now_ms = 1000 * TOTP_STEP_MS;
    int64_t step;

    (void)state;
    for (int64_t last = 998; last <= 1002; last++)
        for (int64_t used = 999; used <= 1001; used++)
            assert_int_equal(totp_match(rfc_secret, code_at(used, text), now_ms, last, &step), used > last);
}

static void test_only_six_digits_are_a_code(void **state)
{
    char text[8];
    char padded[16];
    int64_t step;
    int64_t now_ms = 0; /* step 0: 755224 */
    static const char *const bad[] = {"",       "75522",   "7552244", "75522a", "+55224",
                                      " 55224", "755224 ", "-55224",  "０"};

    (void)state;
    assert_true(totp_match(rfc_secret, code_at(0, text), now_ms, -1, &step));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(totp_match(rfc_secret, bytes_of(bad[i]), now_ms, -1, &step));
    snprintf(padded, sizeof(padded), "0%s", text);
    assert_false(totp_match(rfc_secret, bytes_of(padded), now_ms, -1, &step));
    assert_false(totp_match(rfc_secret, (struct bytes){"755224\0", 7}, now_ms, -1, &step));
}

static void test_five_wrong_codes_lock_and_the_lock_ends(void **state)
{
    struct totp_state s = {.last_step = -1};
    int64_t now = 1000 * TOTP_STEP_MS;
    char text[8];
    struct bytes right = code_at(1000, text);
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 1; i < TOTP_TRIES; i++) {
        assert_int_equal(totp_try(&s, rfc_secret, BYTES("000000x"), now), TOTP_WRONG);
        assert_int_equal(s.failures, i);
    }
    assert_int_equal(totp_try(&s, rfc_secret, BYTES("abcdef"), now), TOTP_NOW_LOCKED);
    struct totp_state locked = s;
    assert_int_equal(totp_try(&s, rfc_secret, right, now), TOTP_LOCKED); /* the right code too */
    assert_int_equal(totp_try(&s, rfc_secret, right, now + TOTP_LOCK_MS - 1), TOTP_LOCKED);
    assert_memory_equal(&s, &locked, sizeof(s));
    assert_int_equal(totp_outcome_err(TOTP_LOCKED, &s, now + 1500, &err), -1);
    assert_int_equal(err.code, ERR_OTP_LOCKED);
    assert_int_equal(err.retry_after_s, TOTP_LOCK_MS / 1000 - 1);
    /* afterwards the count begins anew */
    now += TOTP_LOCK_MS;
    assert_int_equal(totp_try(&s, rfc_secret, BYTES("abcdef"), now), TOTP_WRONG);
    assert_int_equal(s.failures, 1);
    assert_int_equal(totp_try(&s, rfc_secret, code_at(now / TOTP_STEP_MS, text), now), TOTP_ACCEPTED);
    assert_int_equal(s.failures, 0);
    assert_int_equal(s.locked_until_ms, 0);
    assert_int_equal(s.last_step, now / TOTP_STEP_MS);
    /* a replay is a failure */
    assert_int_equal(totp_try(&s, rfc_secret, code_at(now / TOTP_STEP_MS, text), now), TOTP_WRONG);
    assert_int_equal(s.failures, 1);
    err = ERR_INIT;
    assert_int_equal(totp_outcome_err(TOTP_WRONG, &s, now, &err), -1);
    assert_int_equal(err.code, ERR_OTP_INVALID);
    assert_int_equal(totp_outcome_err(TOTP_ACCEPTED, &s, now, &err), 0);
}

static void test_a_sealed_secret_opens_only_with_its_key_and_identity(void **state)
{
    uint8_t key[TOTP_KEY_SIZE] = {1}, secret[TOTP_SECRET_SIZE], opened[TOTP_SECRET_SIZE] = {0};
    uint8_t sealed[TOTP_SEALED_SIZE], again[TOTP_SEALED_SIZE];
    struct err err = ERR_INIT;
    struct bytes bytes = {(char *)sealed, sizeof(sealed)};

    (void)state;
    totp_secret_new(secret);
    assert_int_equal(totp_seal(key, "a@x.org", secret, sealed, &err), 0);
    assert_int_equal(totp_seal(key, "a@x.org", secret, again, &err), 0);
    assert_memory_not_equal(sealed, again, sizeof(sealed));
    assert_null(memmem(sealed, sizeof(sealed), secret, 8));
    assert_int_equal(totp_unseal(key, "a@x.org", bytes, opened, &err), 0);
    assert_memory_equal(secret, opened, sizeof(secret));
    memset(opened, 0, sizeof(opened));
    static const uint8_t nothing[TOTP_SECRET_SIZE];
    assert_int_equal(totp_unseal(key, "b@x.org", bytes, opened, &err), -1);
    assert_int_equal(err.code, ERR_STORE_CORRUPT);
    for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
        sealed[bit / 8] = (uint8_t)(sealed[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(totp_unseal(key, "a@x.org", bytes, opened, &err), -1);
        sealed[bit / 8] = (uint8_t)(sealed[bit / 8] ^ (1 << bit % 8));
    }
    key[31] = 1;
    assert_int_equal(totp_unseal(key, "a@x.org", bytes, opened, &err), -1);
    bytes.len--;
    key[31] = 0;
    assert_int_equal(totp_unseal(key, "a@x.org", bytes, opened, &err), -1);
    assert_memory_equal(opened, nothing, sizeof(opened));
}

static void test_the_key_file_has_at_least_32_bytes(void **state)
{
    static const struct {
        const char *content;
        bool good;
    } rows[] = {{"0123456789abcdef0123456789abcdef", true},
                {"0123456789abcdef0123456789abcde\n", false},
                {"x", false}};
    uint8_t key[TOTP_KEY_SIZE], other[TOTP_KEY_SIZE];
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *path = temp_file(rows[i].content, strlen(rows[i].content));

        err = ERR_INIT;
        assert_int_equal(totp_key_load(path, i ? other : key, &err), rows[i].good ? 0 : -1);
        assert_null(strstr(err.message, "abcdef"));
        drop_file(path);
    }
    char *path = temp_file("0123456789abcdef0123456789abcdef\n", 33);
    assert_int_equal(totp_key_load(path, other, &err), 0);
    assert_memory_equal(key, other, sizeof(key));
    assert_memory_not_equal(key, "0123456789abcdef0123456789abcdef", sizeof(key));
    drop_file(path);
    assert_int_equal(totp_key_load("/nonexistent", other, &err), -1);
}

static void test_the_uri_says_the_secret_and_whose_it_is(void **state)
{
    struct buffer out = BUFFER_INIT(TOTP_URI_MAX);
    struct err err = ERR_INIT;
    char text[TOTP_BASE32_SIZE];

    (void)state;
    totp_base32(rfc_secret, text);
    assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    totp_uri(rfc_secret, "a b@x.org?&\xc3\xa9", &out);
    assert_int_equal(buffer_ok(&out, "uri", &err), 0);
    assert_string_equal(
        out.data, "otpauth://totp/recoverd:a%20b%40x.org%3F%26%C3%A9?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                  "&issuer=recoverd&algorithm=SHA1&digits=6&period=30");
    buffer_done(&out);
}

/* -- OpenSSL without memory -- */

static long allocations_left = -1; /* -1: as many as are asked for */

static bool refuse_this_one(void)
{
    if (allocations_left > 0)
        allocations_left--;
    return allocations_left == 0;
}

static void *scarce_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return refuse_this_one() ? NULL : malloc(size);
}

static void *scarce_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return refuse_this_one() ? NULL : realloc(memory, size);
}

static void plain_free(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

static void test_no_code_is_right_when_it_cannot_be_computed(void **state)
{
    const int64_t now_ms = 1000 * TOTP_STEP_MS;
    const uint32_t right = totp_code(rfc_secret, 1000);
    bool computed = false;
    size_t refused = 0;

    (void)state;
    for (long n = 1; !computed; n++) {
        int64_t step;

        allocations_left = n;
        uint32_t code = totp_code(rfc_secret, 1000);
        allocations_left = n;
        bool guessed = totp_match(rfc_secret, BYTES("000000"), now_ms, -1, &step);
        allocations_left = -1;
        computed = code == right;
        refused += !computed;
        assert_true(computed || code == UINT32_MAX);
        assert_false(guessed);
    }
    assert_true(refused > 0);
}

int main(void)
{
    assert_int_equal(CRYPTO_set_mem_functions(scarce_malloc, scarce_realloc, plain_free), 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_codes_are_those_of_rfc_6238_and_rfc_4226),
        cmocka_unit_test(test_a_code_counts_in_its_own_step_and_the_neighbours),
        cmocka_unit_test(test_no_step_is_accepted_twice_nor_one_before_it),
        cmocka_unit_test(test_only_six_digits_are_a_code),
        cmocka_unit_test(test_five_wrong_codes_lock_and_the_lock_ends),
        cmocka_unit_test(test_a_sealed_secret_opens_only_with_its_key_and_identity),
        cmocka_unit_test(test_the_key_file_has_at_least_32_bytes),
        cmocka_unit_test(test_the_uri_says_the_secret_and_whose_it_is),
        cmocka_unit_test(test_no_code_is_right_when_it_cannot_be_computed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
