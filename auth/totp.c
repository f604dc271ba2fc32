#include "auth/totp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/id.h"
#include "base/limits.h"

#define CODES 1000000U
#define DIGITS 6

uint32_t totp_code(const uint8_t secret[TOTP_SECRET_SIZE], int64_t step)
{
    uint8_t counter[8];
    uint8_t mac[EVP_MAX_MD_SIZE] = {0};

    for (int i = 0; i < 8; i++)
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    if (!HMAC(EVP_sha1(), secret, TOTP_SECRET_SIZE, counter, sizeof(counter), mac, NULL))
        return UINT32_MAX;
    unsigned at = mac[19] & 0x0f;
    uint32_t number = ((uint32_t)(mac[at] & 0x7f) << 24) | ((uint32_t)mac[at + 1] << 16) |
                      ((uint32_t)mac[at + 2] << 8) | mac[at + 3];
    OPENSSL_cleanse(mac, sizeof(mac));
    return number % CODES;
}

static bool parse_code(struct bytes code, uint32_t *ret_number)
{
    uint32_t number = 0;

    if (code.len != DIGITS)
        return false;
    for (size_t i = 0; i < DIGITS; i++) {
        if (code.data[i] < '0' || code.data[i] > '9')
            return false;
        number = number * 10 + (uint32_t)(code.data[i] - '0');
    }
    *ret_number = number;
    return true;
}

bool totp_match(const uint8_t secret[TOTP_SECRET_SIZE], struct bytes code, int64_t now_ms, int64_t last_step,
                int64_t *ret_step)
{
    int64_t now = now_ms / TOTP_STEP_MS;
    int64_t found = -1;
    uint32_t sent;

    if (now_ms < 0 || !parse_code(code, &sent))
        return false;
    for (int64_t step = now - 1; step <= now + 1; step++) {
        uint32_t right = totp_code(secret, step);
        bool same = CRYPTO_memcmp(&right, &sent, sizeof(right)) == 0;

        if (same & (step > last_step) & (step >= 0) & (found < 0))
            found = step;
    }
    if (found < 0)
        return false;
    *ret_step = found;
    return true;
}

enum totp_outcome totp_try(struct totp_state *state, const uint8_t secret[TOTP_SECRET_SIZE],
                           struct bytes code, int64_t now_ms)
{
    int64_t step;

    if (now_ms < state->locked_until_ms)
        return TOTP_LOCKED;
    if (totp_match(secret, code, now_ms, state->last_step, &step)) {
        *state = (struct totp_state){.last_step = step};
        return TOTP_ACCEPTED;
    }
    state->locked_until_ms = 0;
    if (++state->failures < TOTP_TRIES)
        return TOTP_WRONG;
    state->failures = 0;
    state->locked_until_ms = now_ms + TOTP_LOCK_MS;
    return TOTP_NOW_LOCKED;
}

int totp_outcome_err(enum totp_outcome outcome, const struct totp_state *state, int64_t now_ms,
                     struct err *err)
{
    if (outcome == TOTP_ACCEPTED)
        return 0;
    if (outcome == TOTP_WRONG)
        return err_set(err, ERR_OTP_INVALID, "the one-time code is wrong, too old, or was used already");
    int64_t wait_ms = state->locked_until_ms - now_ms;
    err_set(err, ERR_OTP_LOCKED, "locked after %d wrong one-time codes", TOTP_TRIES);
    err->retry_after_s = wait_ms > 0 ? (int)((wait_ms + 999) / 1000) : 1;
    return -1;
}

/* -- enrolment -- */

void totp_secret_new(uint8_t ret_secret[TOTP_SECRET_SIZE])
{
    random_bytes(ret_secret, TOTP_SECRET_SIZE);
}

void totp_base32(const uint8_t secret[TOTP_SECRET_SIZE], char ret_text[TOTP_BASE32_SIZE])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 section 6 */
    char *to = ret_text;

    for (size_t i = 0; i < TOTP_SECRET_SIZE; i += 5) {
        uint64_t group = 0;

        for (size_t k = 0; k < 5; k++)
            group = group << 8 | secret[i + k];
        for (int shift = 35; shift >= 0; shift -= 5)
            *to++ = alphabet[(group >> shift) & 31];
    }
    *to = '\0';
}

void totp_uri(const uint8_t secret[TOTP_SECRET_SIZE], const char *identity, struct buffer *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char text[TOTP_BASE32_SIZE];

    out->secret = true;
    buffer_add_str(out, "otpauth://totp/recoverd:");
    for (const char *at = identity; *at; at++) {
        if (strchr(plain, *at))
            buffer_add_char(out, *at);
        else
            buffer_printf(out, "%%%02X", (unsigned)(unsigned char)*at);
    }
    totp_base32(secret, text);
    buffer_printf(out, "?secret=%s&issuer=recoverd&algorithm=SHA1&digits=6&period=30", text);
    OPENSSL_cleanse(text, sizeof(text));
}
