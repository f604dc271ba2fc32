#include "auth/ticket.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define DOMAIN "totp-ticket/v1"
#define EXPIRY_SIZE 8
#define MAC_SIZE (TICKET_RAW_SIZE - EXPIRY_SIZE)
#define IDENTITY_MAX CLAIM_TEXT_MAX

static bool mac(const uint8_t key[TOTP_KEY_SIZE], const char *identity, const uint8_t expiry[EXPIRY_SIZE],
                uint8_t ret_mac[MAC_SIZE])
{
    uint8_t text[sizeof(DOMAIN) - 1 + IDENTITY_MAX + EXPIRY_SIZE];
    struct bytes who = bytes_of(identity);
    size_t at = sizeof(DOMAIN) - 1;
    unsigned size = 0;

    if (who.len == 0 || who.len > IDENTITY_MAX)
        return false;
    memcpy(text, DOMAIN, at);
    memcpy(text + at, who.data, who.len);
    memcpy(text + at + who.len, expiry, EXPIRY_SIZE);
    return HMAC(EVP_sha256(), key, TOTP_KEY_SIZE, text, at + who.len + EXPIRY_SIZE, ret_mac, &size) &&
           size == MAC_SIZE;
}

int ticket_make(const uint8_t key[TOTP_KEY_SIZE], const char *identity, int64_t now_ms,
                char ret_ticket[TICKET_SIZE], struct err *err)
{
    uint64_t expires = (uint64_t)(now_ms + TICKET_LIFETIME_MS);
    uint8_t raw[TICKET_RAW_SIZE];

    for (int i = 0; i < EXPIRY_SIZE; i++)
        raw[i] = (uint8_t)(expires >> (56 - 8 * i));
    if (!mac(key, identity, raw, raw + EXPIRY_SIZE))
        return err_set(err, ERR_INTERNAL, "a ticket could not be made for an identity of %zu bytes",
                       strlen(identity));
    base64url_encode(raw, sizeof(raw), ret_ticket);
    OPENSSL_cleanse(raw, sizeof(raw));
    return 0;
}

bool ticket_check(const uint8_t key[TOTP_KEY_SIZE], const char *identity, struct bytes ticket, int64_t now_ms,
                  int64_t *ret_made_ms)
{
    uint8_t raw[TICKET_SIZE];
    uint8_t right[MAC_SIZE];
    uint64_t expires = 0;
    bool same;

    if (ticket.len >= TICKET_SIZE || base64url_decode(ticket, raw) != TICKET_RAW_SIZE ||
        !mac(key, identity, raw, right))
        return false;
    same = CRYPTO_memcmp(right, raw + EXPIRY_SIZE, MAC_SIZE) == 0;
    OPENSSL_cleanse(right, sizeof(right));
    for (int i = 0; i < EXPIRY_SIZE; i++)
        expires = expires << 8 | raw[i];
    /* one from further ahead than a ticket lives was made by a clock that is not to be believed */
    if (!same || (int64_t)expires <= now_ms || (int64_t)expires - now_ms > TICKET_LIFETIME_MS + JWT_SKEW_MS)
        return false;
    *ret_made_ms = (int64_t)expires - TICKET_LIFETIME_MS;
    return true;
}
