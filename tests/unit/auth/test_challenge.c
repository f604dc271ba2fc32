#include "tests/unit/auth/token_maker.h"

#include "auth/challenge.h"
#include "base/buffer.h"

static void expect(struct buffer *out, const char *text)
{
    struct err err = ERR_INIT;

    assert_int_equal(buffer_ok(out, "challenge", &err), 0);
    assert_string_equal(out->data, text);
    buffer_clear(out);
}

static void test_each_challenge_is_what_its_rfc_says(void **state)
{
    struct buffer out = BUFFER_INIT(CHALLENGE_MAX);
    const struct name_list acr = NAMES("urn:mfa", "two words", "", "gold");
    const struct name_list none = {0};

    (void)state;
    challenge_bare(&out);
    expect(&out, "Bearer realm=\"recoverd\"");
    challenge_invalid_token(&out, "the token has expired");
    expect(&out,
           "Bearer realm=\"recoverd\", error=\"invalid_token\", error_description=\"the token has expired\"");
    challenge_insufficient_scope(&out, NULL);
    expect(&out, "Bearer realm=\"recoverd\", error=\"insufficient_scope\"");
    challenge_step_up(&out, "mfa", &acr, 300000);
    expect(
        &out,
        "Bearer realm=\"recoverd\", error=\"insufficient_user_authentication\", error_description=\"mfa\", "
        "acr_values=\"urn:mfa gold\", max_age=\"300\"");
    challenge_step_up(&out, "mfa", &none, 0);
    expect(
        &out,
        "Bearer realm=\"recoverd\", error=\"insufficient_user_authentication\", error_description=\"mfa\"");
    buffer_done(&out);
}

static void test_no_text_breaks_out_of_its_quotes(void **state)
{
    struct buffer out = BUFFER_INIT(CHALLENGE_MAX);

    (void)state;
    challenge_invalid_token(&out, "a\"b\\c\r\nSet-Cookie: x\x7f\xc3\xa9");
    expect(
        &out,
        "Bearer realm=\"recoverd\", error=\"invalid_token\", error_description=\"a'b?c??Set-Cookie: x???\"");
    buffer_done(&out);
}

static void test_each_code_has_its_challenge_and_others_have_none(void **state)
{
    static const char *const acr[] = {"urn:mfa"};
    const struct issuer_config issuers[] = {
        {.issuer = "a", .mfa = true, .mfa_acr_values = {acr, 1}, .mfa_max_age_ms = 60000},
        {.issuer = "b", .mfa = false, .mfa_acr_values = {acr, 1}, .mfa_max_age_ms = 60000},
    };
    const struct config config = {.issuers = issuers, .issuer_count = 2};
    const struct principal a = {.issuer = "a"}, b = {.issuer = "b"};

    (void)state;
    for (unsigned code = ERR_NONE; code < ERR_COUNT; code++) {
        struct buffer out = BUFFER_INIT(CHALLENGE_MAX);
        struct err err = {.code = code, .message = "m"};
        int status = err_info(code)->status;
        bool wrote = challenge_for(&out, &err, &config, &a);

        assert_int_equal(wrote, out.len > 0);
        assert_int_equal(wrote,
                         status == 401 || code == ERR_FORBIDDEN); /* RFC 9110 15.5.2: every 401 has one */
        buffer_done(&out);
    }
    struct buffer out = BUFFER_INIT(CHALLENGE_MAX);
    struct err mfa = {.code = ERR_MFA_REQUIRED, .message = "m"};
    assert_true(challenge_for(&out, &mfa, &config, &a));
    assert_non_null(strstr(out.data, "acr_values=\"urn:mfa\", max_age=\"60\""));
    buffer_clear(&out);
    assert_true(challenge_for(&out, &mfa, &config, &b));
    assert_null(strstr(out.data, "acr_values"));
    buffer_clear(&out);
    assert_true(challenge_for(&out, &mfa, NULL, NULL));
    buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_challenge_is_what_its_rfc_says),
        cmocka_unit_test(test_no_text_breaks_out_of_its_quotes),
        cmocka_unit_test(test_each_code_has_its_challenge_and_others_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
