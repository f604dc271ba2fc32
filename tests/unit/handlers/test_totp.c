/* One-time codes: a token alone never gives itself a second factor; a code counts once; wrong ones lock. */
#include "tests/unit/handlers/fixture.h"

#include "auth/ticket.h"

/* The secret behind a base32 text. */
static void unbase32(const char *text, uint8_t ret_secret[TOTP_SECRET_SIZE])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint64_t bits = 0;
    int count = 0;

    for (size_t at = 0; *text; text++) {
        bits = bits << 5 | (uint64_t)(strchr(alphabet, *text) - alphabet);
        count += 5;
        if (count >= 8) {
            count -= 8;
            ret_secret[at++] = (uint8_t)(bits >> count);
        }
    }
}

/* A header with the code of a step near now. */
static const char *code_header(const struct answer *enrolled, int step)
{
    uint8_t secret[TOTP_SECRET_SIZE];

    unbase32(text_of(enrolled, "secret"), secret);
    return arena_printf(F.arena, "Recoverd-OTP: %06u\r\n",
                        totp_code(secret, clock_wall_ms() / TOTP_STEP_MS + step));
}

static struct answer enrol(const char *auth, const char *headers, const char *body)
{
    return ask("POST", "/v1/me/totp", auth, headers, body);
}

static const char *ticket_body(const char *identity, int64_t made_ms)
{
    uint8_t key[TOTP_KEY_SIZE];
    char ticket[TICKET_SIZE];
    struct err err = ERR_INIT;

    memset(key, 7, sizeof(key));
    must(ticket_make(key, identity, made_ms, ticket, &err) == 0, "ticket", &err);
    return arena_printf(F.arena, "{\"ticket\":\"%s\"}", ticket);
}

static void a_token_alone_enrols_nothing(void **state)
{
    struct answer answer = enrol(token("ann", ADMIN, false), NULL, "{}");

    (void)state;
    expect("enrol", &answer, 401, "MFA_REQUIRED");
    assert_string_equal(last_audit()->action, "mfa.failed");
    answer = enrol(token("ann", ADMIN, false), "Recoverd-OTP: 123456\r\n", NULL);
    expect("with a code of nothing", &answer, 401, "MFA_REQUIRED");
    answer = get("/v1/me/totp", token("ann", ADMIN, false));
    assert_true(json_is_false(json_object_get(answer.json, "enrolled")));
}

static void a_ticket_enrols_its_person_once(void **state)
{
    const char *auth = token("ann", ADMIN, false);
    const char *body = ticket_body("ann", clock_wall_ms());
    struct answer answer = enrol(token("bob", ADMIN, false), NULL, body);

    (void)state;
    expect("bob with ann's", &answer, 401, "OTP_INVALID");
    answer = enrol(auth, NULL, ticket_body("ann", clock_wall_ms() - TICKET_LIFETIME_MS));
    expect("an old one", &answer, 401, "OTP_INVALID");
    answer = enrol(auth, NULL, body);
    expect("ann", &answer, 201, NULL);
    assert_int_equal(strlen(text_of(&answer, "secret")), 32);
    assert_non_null(strstr(text_of(&answer, "uri"), text_of(&answer, "secret")));
    assert_string_equal(last_audit()->action, "totp.enrolled");
    assert_null(memmem(last_audit()->detail.data, last_audit()->detail.len, text_of(&answer, "secret"), 32));
    answer = enrol(auth, NULL, body);
    expect("again", &answer, 401, "OTP_INVALID");
    answer = get("/v1/me/totp", auth);
    assert_true(json_is_true(json_object_get(answer.json, "enrolled")));
    assert_null(strstr(answer.body, "secret"));
}

static void an_enrolment_is_replaced_and_removed_by_a_code(void **state)
{
    const char *auth = token("ann", ADMIN, false);
    struct answer first = enrol(token("ann", ADMIN, true), NULL, NULL), answer, second;

    (void)state;
    expect("enrol", &first, 201, NULL);
    answer = ask("DELETE", "/v1/me/totp", auth, NULL, NULL);
    expect("remove without", &answer, 401, "MFA_REQUIRED");
    second = enrol(auth, code_header(&first, 0), NULL);
    expect("replace", &second, 201, NULL);
    assert_string_not_equal(text_of(&second, "secret"), text_of(&first, "secret"));
    answer = ask("DELETE", "/v1/me/totp", auth, code_header(&first, 0), NULL);
    expect("the old secret's code", &answer, 401, "OTP_INVALID");
    answer = ask("DELETE", "/v1/me/totp", auth, code_header(&second, 0), NULL);
    assert_int_equal(answer.status, 204);
    assert_string_equal(last_audit()->action, "totp.removed");
    answer = ask("DELETE", "/v1/me/totp", auth, code_header(&second, 1), NULL);
    expect("nothing is left", &answer, 404, "NOT_FOUND");
}

static void wrong_codes_lock(void **state)
{
    const char *auth = token("ann", ADMIN, false);
    struct answer first = enrol(token("ann", ADMIN, true), NULL, NULL), answer;

    (void)state;
    for (int i = 1; i <= TOTP_TRIES; i++) {
        answer = ask("DELETE", "/v1/me/totp", auth, "Recoverd-OTP: abcdef\r\n", NULL);
        expect("wrong", &answer, i < TOTP_TRIES ? 401 : 429, i < TOTP_TRIES ? "OTP_INVALID" : "OTP_LOCKED");
    }
    assert_non_null(header(&answer, "Retry-After"));
    assert_string_equal(last_audit()->action, "totp.locked");
    answer = ask("DELETE", "/v1/me/totp", auth, code_header(&first, 0), NULL);
    expect("a right one while locked", &answer, 429, "OTP_LOCKED");
    answer = get("/v1/me/totp", auth);
    assert_false(json_is_null(json_object_get(answer.json, "locked_until")));
}

static void a_code_is_the_mfa_of_a_job_once(void **state)
{
    const char *auth = token("ann", ADMIN, false);
    struct answer enrolled = enrol(token("ann", ADMIN, true), NULL, NULL), plan, answer;
    const char *body = "{\"kind\":\"test.guarded\",\"environment\":\"test\",\"spec\":{\"table\":\"Tab1\"}";
    const char *code = code_header(&enrolled, 0);

    (void)state;
    for (int i = 0; i < 2; i++) {
        plan = post("/v1/plans", auth, arena_printf(F.arena, "%s}", body));
        answer = ask("POST", "/v1/jobs", auth, code,
                     arena_printf(F.arena, "%s,\"plan_hash\":\"%s\"}", body, text_of(&plan, "plan_hash")));
        expect(i == 0 ? "first" : "the same code again", &answer, i == 0 ? 202 : 401,
               i == 0 ? NULL : "OTP_INVALID");
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
    const struct CMUnitTest tests[] = {
        CASE(a_token_alone_enrols_nothing),
        CASE(a_ticket_enrols_its_person_once),
        CASE(an_enrolment_is_replaced_and_removed_by_a_code),
        CASE(wrong_codes_lock),
        CASE(a_code_is_the_mfa_of_a_job_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
