#include "auth/totp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "auth/secret_file.h"
#include "base/cleanup.h"
#include "base/id.h"
#include "base/limits.h"

#define KEY_FILE_MIN 32

static void cleanup_md(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void cleanup_cipher(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

int totp_key_load(const char *path, uint8_t ret_key[TOTP_KEY_SIZE], struct err *err)
{
    static const char domain[] = "recoverd totp/v1"; /* with its NUL */
    _cleanup_(buffer_done) struct buffer content = BUFFER_INIT(0);

    if (secret_file_text(path, SECRET_FILE_MAX, &content, err) < 0)
        return -1;
    if (content.len < KEY_FILE_MIN)
        return err_set(err, ERR_CONFIG, "%s: %zu bytes; a key file holds at least %d", path, content.len,
                       KEY_FILE_MIN);
    _cleanup_(cleanup_md) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(context, domain, sizeof(domain)) != 1 ||
        EVP_DigestUpdate(context, content.data, content.len) != 1 ||
        EVP_DigestFinal_ex(context, ret_key, NULL) != 1)
        return err_set(err, ERR_INTERNAL, "sha-256 is not available");
    return 0;
}

int totp_seal(const uint8_t key[TOTP_KEY_SIZE], const char *identity, const uint8_t secret[TOTP_SECRET_SIZE],
              uint8_t ret_sealed[TOTP_SEALED_SIZE], struct err *err)
{
    _cleanup_(cleanup_cipher) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t *text = ret_sealed + TOTP_NONCE_SIZE;
    uint8_t *tag = text + TOTP_SECRET_SIZE;
    int len;

    random_bytes(ret_sealed, TOTP_NONCE_SIZE);
    if (!context || EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, ret_sealed) != 1 ||
        EVP_EncryptUpdate(context, NULL, &len, (const uint8_t *)identity, (int)strlen(identity)) != 1 ||
        EVP_EncryptUpdate(context, text, &len, secret, TOTP_SECRET_SIZE) != 1 || len != TOTP_SECRET_SIZE ||
        EVP_EncryptFinal_ex(context, tag, &len) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TOTP_TAG_SIZE, tag) != 1)
        return err_set(err, ERR_INTERNAL, "sealing a one-time secret failed");
    return 0;
}

int totp_unseal(const uint8_t key[TOTP_KEY_SIZE], const char *identity, struct bytes sealed,
                uint8_t ret_secret[TOTP_SECRET_SIZE], struct err *err)
{
    _cleanup_(cleanup_cipher) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    const uint8_t *nonce = (const uint8_t *)sealed.data;
    uint8_t secret[TOTP_SECRET_SIZE];
    uint8_t tag[TOTP_TAG_SIZE];
    int len;

    if (sealed.len != TOTP_SEALED_SIZE)
        return err_set(err, ERR_STORE_CORRUPT, "a sealed one-time secret has %zu bytes", sealed.len);
    memcpy(tag, nonce + TOTP_NONCE_SIZE + TOTP_SECRET_SIZE, sizeof(tag));
    bool opened =
        context && EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
        EVP_DecryptUpdate(context, NULL, &len, (const uint8_t *)identity, (int)strlen(identity)) == 1 &&
        EVP_DecryptUpdate(context, secret, &len, nonce + TOTP_NONCE_SIZE, TOTP_SECRET_SIZE) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TOTP_TAG_SIZE, tag) == 1 &&
        EVP_DecryptFinal_ex(context, secret + TOTP_SECRET_SIZE, &len) == 1;
    if (opened) /* nothing that failed its tag is handed out */
        memcpy(ret_secret, secret, sizeof(secret));
    OPENSSL_cleanse(secret, sizeof(secret));
    return opened
               ? 0
               : err_set(err, ERR_STORE_CORRUPT, "a sealed one-time secret does not open with totp.key_file");
}
