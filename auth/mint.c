#include "auth/mint.h"

#include <jwt.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "auth/claims.h"
#include "auth/jws.h"
#include "auth/secret_file.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/id.h"
#include "base/json.h"
#include "base/limits.h"

static void cleanup_bio(BIO **bio)
{
    BIO_free(*bio);
}

static void cleanup_pkey(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

static void cleanup_jwt(jwt_t **jwt)
{
    jwt_free(*jwt);
}

/* -- the algorithm -- */

/* Without a callback OpenSSL would ask on the terminal for the passphrase of an encrypted file. */
static int no_passphrase(char *to, int size, int writing, void *arg)
{
    (void)to, (void)size, (void)writing, (void)arg;
    return -1;
}

static bool key_fits(const EVP_PKEY *pkey, bool hmac, const struct jws_alg_info *info)
{
    char group[64] = "";

    if (hmac || info->family == JWS_FAMILY_HMAC)
        return hmac && info->family == JWS_FAMILY_HMAC;
    if (info->family == JWS_FAMILY_RSA)
        return EVP_PKEY_is_a(pkey, "RSA");
    if (info->family != JWS_FAMILY_EC || !EVP_PKEY_is_a(pkey, "EC"))
        return false; /* libjwt 1.10 makes neither PS nor EdDSA */
    EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL);
    return strcmp(group, info->curve) == 0;
}

static int choose_alg(const struct issuer_config *issuer, struct bytes key, bool hmac, const char *wanted,
                      const char **ret_name, struct err *err)
{
    _cleanup_(cleanup_bio) BIO *bio = hmac ? NULL : BIO_new_mem_buf(key.data, (int)key.len);
    _cleanup_(cleanup_pkey) EVP_PKEY *pkey =
        bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

    ERR_clear_error();
    if (!hmac && !pkey)
        return err_set(err, ERR_CONFIG, "the key is not a PEM private key without a passphrase");
    if (hmac && key.len < HMAC_SECRET_MIN)
        return err_set(err, ERR_CONFIG, "the secret has %zu bytes; at least %d are needed", key.len,
                       HMAC_SECRET_MIN);
    for (size_t i = 0; i < issuer->algorithms.count; i++) {
        const char *name = issuer->algorithms.names[i];

        if ((!wanted || strcmp(wanted, name) == 0) &&
            key_fits(pkey, hmac, jws_alg_info(jws_alg_by_name(bytes_of(name))))) {
            *ret_name = name;
            return 0;
        }
    }
    return err_set(err, ERR_UNSUPPORTED_HERE,
                   "no algorithm that the issuer lists can be made with this key (HS, RS and ES can)");
}

/* -- the claims -- */

/* Sets a claim by name or by JSON pointer, making the objects on the way. Takes `value`; NULL (what was to be
 * in it could not be said in JSON) is false. */
static bool put_claim(json_t *payload, const char *name, json_t *value)
{
    json_t *object = payload;
    char token[CLAIM_TEXT_MAX];

    if (name[0] != '/')
        return json_object_set_new(object, name, value) == 0;
    for (const char *at = name;;) {
        size_t len = strcspn(at + 1, "/");
        bool last = at[1 + len] == '\0';

        if (!claim_pointer_token(at + 1, len, token, sizeof(token))) {
            json_decref(value);
            return false;
        }
        if (last)
            return json_object_set_new(object, token, value) == 0;
        json_t *inner = json_object_get(object, token);
        if (!inner && json_object_set_new(object, token, inner = json_object()) < 0)
            inner = NULL;
        if (!json_is_object(inner)) {
            json_decref(value);
            return false;
        }
        object = inner;
        at += 1 + len;
    }
}

static json_t *role_array(const struct mint_request *request)
{
    json_auto_t *roles = json_array();

    for (size_t i = 0; i < request->role_count; i++)
        if (json_array_append_new(roles, json_string(request->roles[i])) < 0)
            return NULL;
    return TAKE(roles);
}

static int put_mfa(json_t *payload, const struct issuer_config *issuer, int64_t now_s, struct err *err)
{
    const struct name_list *acr = &issuer->mfa_acr_values, *amr = &issuer->mfa_amr_values;
    int rc;

    if (!issuer->mfa || acr->count + amr->count == 0)
        return err_set(err, ERR_UNSUPPORTED_HERE, "issuer %s accepts no MFA", issuer->issuer);
    if (acr->count)
        rc = json_object_set_new(payload, "acr", json_string(acr->names[0]));
    else /* not by a pointer kept from before: another claim may be called amr */
        rc = json_array_append_new(json_object_get(payload, "amr"), json_string(amr->names[0]));
    if (rc < 0 || json_object_set_new(payload, "auth_time", json_integer(now_s)) < 0)
        return err_set(err, ERR_UNSUPPORTED_HERE, "the claims of MFA do not fit beside the token's others");
    return 0;
}

static int make_payload(const struct issuer_config *issuer, const char *identity_claim,
                        const struct mint_request *request, int64_t lifetime_ms, json_t *payload,
                        struct err *err)
{
    const char *identity = request->identity ? request->identity : request->subject;
    const char *roles_claim = issuer->roles_claim ? issuer->roles_claim : "roles";
    int64_t now_s = clock_wall_ms() / 1000;
    struct id id = id_new();
    char jti[ID_SIZE];
    bool ok = true;

    id_format(&id, jti);
    ok &= put_claim(payload, "iss", json_string(issuer->issuer));
    ok &= put_claim(payload, "aud", issuer->audiences.count ? json_string(issuer->audiences.names[0]) : NULL);
    ok &= put_claim(payload, "sub", json_string(request->subject));
    ok &= put_claim(payload, "iat", json_integer(now_s));
    ok &= put_claim(payload, "exp", json_integer(now_s + lifetime_ms / 1000));
    ok &= put_claim(payload, "jti", json_string(jti));
    ok &= put_claim(payload, "amr", json_pack("[s]", "local"));
    if (strcmp(identity_claim, "sub") != 0)
        ok &= put_claim(payload, identity_claim, json_string(identity));
    ok &= put_claim(payload, roles_claim, role_array(request));
    if (!ok)
        return err_set(err, ERR_INVALID_BODY,
                       "a claim cannot be written: subject, identity and roles must be UTF-8");
    return request->mfa ? put_mfa(payload, issuer, now_s, err) : 0;
}

static int choose_lifetime(const struct issuer_config *issuer, int64_t wanted_ms, int64_t *ret_ms,
                           struct err *err)
{
    int64_t most = issuer->max_lifetime_ms > 0 && issuer->max_lifetime_ms < MINT_LIFETIME_MAX_MS
                       ? issuer->max_lifetime_ms
                       : MINT_LIFETIME_MAX_MS;

    if (wanted_ms < 0 || wanted_ms > most || (wanted_ms > 0 && wanted_ms < 1000))
        return err_set(err, ERR_LIMIT_EXCEEDED, "a minted token lives 1 s to %lld s",
                       (long long)(most / 1000));
    *ret_ms = wanted_ms ? wanted_ms : most;
    return 0;
}

/* -- the token -- */

static int sign(const char *payload, struct bytes key, const char *alg, const char *kid, struct arena *arena,
                const char **ret_token, struct err *err)
{
    _cleanup_(cleanup_jwt) jwt_t *jwt = NULL;

    if (jwt_new(&jwt) != 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a token");
    if ((kid && jwt_add_header(jwt, "kid", kid) != 0) || jwt_add_grants_json(jwt, payload) != 0 ||
        jwt_set_alg(jwt, jwt_str_alg(alg), (const unsigned char *)key.data, (int)key.len) != 0)
        return err_set(err, ERR_INTERNAL, "libjwt refused the token's parts");
    _cleanup_(cleanup_free) char *token = jwt_encode_str(jwt);
    const char *copy = arena_strdup(arena, token);
    ERR_clear_error();
    if (!token)
        return err_set(err, ERR_UNSUPPORTED_HERE, "libjwt could not sign with %s", alg);
    if (!copy)
        return err_set(err, ERR_NO_MEMORY, "no memory for a token");
    *ret_token = copy;
    return 0;
}

int mint_token_with(const struct issuer_config *issuer, const char *identity_claim, struct bytes key,
                    bool hmac, const struct mint_request *request, struct arena *arena,
                    const char **ret_token, struct err *err)
{
    json_auto_t *payload = json_object();
    const char *alg = NULL;
    int64_t lifetime_ms = 0;

    if (!request->subject || !*request->subject)
        return err_set(err, ERR_INVALID_BODY, "a token needs a subject");
    if (!claims_type_listed("JWT", &issuer->types)) /* libjwt writes this typ and no other */
        return err_set(err, ERR_UNSUPPORTED_HERE, "the types of issuer %s do not have JWT", issuer->issuer);
    if (choose_lifetime(issuer, request->lifetime_ms, &lifetime_ms, err) < 0 ||
        choose_alg(issuer, key, hmac, request->algorithm, &alg, err) < 0 ||
        make_payload(issuer, identity_claim ? identity_claim : "sub", request, lifetime_ms, payload, err) < 0)
        return -1;
    const char *text = json_canonical(arena, payload);
    if (!text)
        return err_set(err, ERR_NO_MEMORY, "no memory for a token");
    return sign(text, key, alg, request->kid, arena, ret_token, err);
}

int mint_token(const struct issuer_config *issuer, const char *identity_claim, const char *key_file,
               const struct mint_request *request, struct arena *arena, const char **ret_token,
               struct err *err)
{
    _cleanup_(buffer_done) struct buffer key = BUFFER_INIT(0);
    bool hmac = !key_file;

    if (hmac && issuer->key_source != KEY_SECRET_FILE)
        return err_set(err, ERR_UNSUPPORTED_HERE, "issuer %s has no secret_file; give --key PEM",
                       issuer->issuer);
    if (hmac ? secret_file_text(issuer->key_location, SECRET_FILE_MAX, &key, err) < 0
             : secret_file_read(key_file, SECRET_FILE_MAX, &key, err) < 0)
        return -1;
    return mint_token_with(issuer, identity_claim, buffer_bytes(&key), hmac, request, arena, ret_token, err);
}
