/*
 * One-time codes: RFC 6238 with SHA-1, 6 digits, 30 seconds; a window of one step to each side; no step is
 * accepted twice. Everything here is pure; the rows with sealed secrets and counters are the store's. Thread
 * rule: any thread.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/str.h"

#define TOTP_SECRET_SIZE 20
#define TOTP_STEP_MS 30000
#define TOTP_KEY_SIZE 32
#define TOTP_NONCE_SIZE 12
#define TOTP_TAG_SIZE 16
#define TOTP_SEALED_SIZE (TOTP_NONCE_SIZE + TOTP_SECRET_SIZE + TOTP_TAG_SIZE)
#define TOTP_BASE32_SIZE 33 /* 20 bytes, no padding, a NUL */
#define TOTP_URI_MAX 4096

/* The code of one step (RFC 4226 5.3), 0..999999; UINT32_MAX, which nobody can send, when OpenSSL fails. */
uint32_t totp_code(const uint8_t secret[TOTP_SECRET_SIZE], int64_t step);
/* Is `code` (exactly six digits) that of the present step or a neighbour, and of a step above last_step? All
 * three are compared in constant time. *ret_step is the step to remember. */
bool totp_match(const uint8_t secret[TOTP_SECRET_SIZE], struct bytes code, int64_t now_ms, int64_t last_step,
                int64_t *ret_step);

/* What the store keeps of one person's tries. */
struct totp_state {
    int failures;            /* since the last success or lock */
    int64_t locked_until_ms; /* 0: not locked */
    int64_t last_step;       /* the last step spent; -1 before the first (0 works too) */
};
enum totp_outcome { TOTP_WRONG, TOTP_ACCEPTED, TOTP_LOCKED, TOTP_NOW_LOCKED };
/* One try: moves *state, which the caller stores in the same transaction, whatever the outcome. While locked
 * nothing is compared and nothing counted. TOTP_NOW_LOCKED is the wrong code that made the lock. */
enum totp_outcome totp_try(struct totp_state *state, const uint8_t secret[TOTP_SECRET_SIZE],
                           struct bytes code, int64_t now_ms);
/* 0, or -1 with OTP_INVALID or OTP_LOCKED (retry_after_s set), as the request answers. */
int totp_outcome_err(enum totp_outcome outcome, const struct totp_state *state, int64_t now_ms,
                     struct err *err);

void totp_secret_new(uint8_t ret_secret[TOTP_SECRET_SIZE]);
void totp_base32(const uint8_t secret[TOTP_SECRET_SIZE], char ret_text[TOTP_BASE32_SIZE]);
/* otpauth://totp/recoverd:IDENTITY?secret=... for an authenticator. A secret: wipe it when it was shown. */
void totp_uri(const uint8_t secret[TOTP_SECRET_SIZE], const char *identity, struct buffer *out);

/* The key of totp.key_file: any file of at least 32 bytes (one newline at a text's end does not count); the
 * AES key is SHA-256("recoverd totp/v1" 0x00 content). CONFIG when it is too short or unreadable. */
int totp_key_load(const char *path, uint8_t ret_key[TOTP_KEY_SIZE], struct err *err);
/* AES-256-GCM: nonce (random), ciphertext, tag. The identity is authenticated with it, so a row that is moved
 * to another person does not open. */
int totp_seal(const uint8_t key[TOTP_KEY_SIZE], const char *identity, const uint8_t secret[TOTP_SECRET_SIZE],
              uint8_t ret_sealed[TOTP_SEALED_SIZE], struct err *err);
/* STORE_CORRUPT when it was made with another key or for another identity, or was altered. */
int totp_unseal(const uint8_t key[TOTP_KEY_SIZE], const char *identity, struct bytes sealed,
                uint8_t ret_secret[TOTP_SECRET_SIZE], struct err *err);
