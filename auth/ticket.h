/*
 * Tickets to enrol one-time codes: made on the server by `recoverctl totp enrol`, by whoever can read
 * totp.key_file, so that a stolen token alone can never give itself a second factor. base64url(expiry be64,
 * in ms || HMAC-SHA256(key, "totp-ticket/v1" || identity || expiry)). They live TICKET_LIFETIME_MS. Thread
 * rule: any thread.
 */
#pragma once
#include "auth/totp.h"
#include "base/limits.h"

#define TICKET_RAW_SIZE 40
#define TICKET_SIZE BASE64_SIZE(TICKET_RAW_SIZE)

/* `key` is what totp_key_load gave. A secret until it has expired or was used. INTERNAL when OpenSSL fails.
 */
int ticket_make(const uint8_t key[TOTP_KEY_SIZE], const char *identity, int64_t now_ms,
                char ret_ticket[TICKET_SIZE], struct err *err);
/* Is it this identity's, and not over? Compared in constant time. *ret_made_ms: when it was made. */
bool ticket_check(const uint8_t key[TOTP_KEY_SIZE], const char *identity, struct bytes ticket, int64_t now_ms,
                  int64_t *ret_made_ms);
