#include "auth/jwks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "auth/key.h"
#include "auth/secret_file.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"

struct key_set {
    atomic_uint references;
    struct jws_key keys[JWKS_KEYS_MAX];
    size_t count;
};

struct key_set *key_set_hold(struct key_set *set)
{
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void key_set_free(struct key_set *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->count; i++) {
        struct jws_key *key = &set->keys[i];

        jws_key_unready(key);
        EVP_PKEY_free(key->pkey);
        OPENSSL_clear_free(key->secret, key->secret_len);
        free((char *)key->kid);
    }
    free(set);
}

static void cleanup_set(struct key_set **set)
{
    key_set_free(*set);
}

static void cleanup_bio(BIO **bio)
{
    BIO_free(*bio);
}

static void cleanup_pkey(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

static void cleanup_x509(X509 **certificate)
{
    X509_free(*certificate);
}

static uint32_t listed(const struct name_list *algorithms)
{
    uint32_t algs = 0;

    for (size_t i = 0; i < algorithms->count; i++) {
        enum jws_alg alg = jws_alg_by_name(bytes_of(algorithms->names[i]));

        if (alg != JWS_NONE)
            algs |= JWS_BIT(alg);
    }
    return algs;
}

static uint32_t hmac_algs(void)
{
    return JWS_BIT(JWS_HS256) | JWS_BIT(JWS_HS384) | JWS_BIT(JWS_HS512);
}

/* Takes what `key` holds only on success. */
static int add(struct key_set *set, struct jws_key *key, const char *kid, const char *what, struct err *err)
{
    if (set->count == JWKS_KEYS_MAX)
        return err_set(err, ERR_CONFIG, "%s: more than %d keys", what, JWKS_KEYS_MAX);
    if (kid && !(key->kid = strdup(kid)))
        return err_set(err, ERR_NO_MEMORY, "no memory for keys");
    set->keys[set->count++] = *key;
    *key = (struct jws_key){0};
    return 0;
}

static int add_public(struct key_set *set, EVP_PKEY **pkey, uint32_t algs, const char *kid, const char *what,
                      struct err *err)
{
    struct jws_key key = {.algs = algs, .pkey = *pkey};

    if (add(set, &key, kid, what, err) < 0)
        return -1;
    *pkey = NULL;
    jws_key_ready(&set->keys[set->count - 1]);
    return 0;
}

static int add_secret(struct key_set *set, struct bytes secret, uint32_t algs, const char *what,
                      struct err *err)
{
    struct jws_key key = {.algs = algs, .secret_len = secret.len};

    if (secret.len < HMAC_SECRET_MIN)
        return err_set(err, ERR_CONFIG, "%s: a secret of %zu bytes; at least %d are needed", what, secret.len,
                       HMAC_SECRET_MIN);
    if (secret.len > SECRET_FILE_MAX)
        return err_set(err, ERR_CONFIG, "%s: the secret is too long", what);
    key.secret = OPENSSL_memdup(secret.data, secret.len);
    if (!key.secret)
        return err_set(err, ERR_NO_MEMORY, "no memory for keys");
    if (add(set, &key, NULL, what, err) < 0) {
        OPENSSL_clear_free(key.secret, secret.len);
        return -1;
    }
    return 0;
}

static struct key_set *set_new(struct err *err)
{
    struct key_set *set = calloc(1, sizeof(*set));

    if (!set)
        err_set(err, ERR_NO_MEMORY, "no memory for keys");
    else
        atomic_init(&set->references, 1);
    return set;
}

static int set_done(struct key_set **set, const char *what, struct key_set **ret_set, struct err *err)
{
    /* OpenSSL's own queue of this thread may hold what the failed attempts said; nobody else will read it */
    ERR_clear_error();
    if ((*set)->count == 0)
        return err_set(err, ERR_CONFIG, "%s: no key that the issuer's algorithms can use", what);
    *ret_set = TAKE(*set);
    return 0;
}

/* -- a secret, a PEM file -- */

int key_set_from_secret(struct bytes secret, const struct name_list *algorithms, const char *what,
                        struct key_set **ret_set, struct err *err)
{
    _cleanup_(cleanup_set) struct key_set *set = set_new(err);
    uint32_t algs = listed(algorithms) & hmac_algs();

    if (!set || (algs && add_secret(set, secret, algs, what, err) < 0))
        return -1;
    return set_done(&set, what, ret_set, err);
}

/* Without a callback OpenSSL would ask on the terminal for the passphrase of an encrypted file. */
static int no_passphrase(char *to, int size, int writing, void *arg)
{
    (void)to, (void)size, (void)writing, (void)arg;
    return -1;
}

static EVP_PKEY *read_pem(struct bytes text)
{
    _cleanup_(cleanup_bio) BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL) : NULL;

    if (!pkey && bio && BIO_reset(bio) == 1) {
        _cleanup_(cleanup_x509) X509 *certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

        pkey = certificate ? X509_get_pubkey(certificate) : NULL;
    }
    return pkey;
}

int key_set_from_pem(struct bytes text, const struct name_list *algorithms, const char *what,
                     struct key_set **ret_set, struct err *err)
{
    _cleanup_(cleanup_set) struct key_set *set = NULL;

    if (memmem(text.data, text.len, "PRIVATE KEY-----", 16))
        return err_set(err, ERR_CONFIG, "%s: holds a private key; give the public one", what);
    _cleanup_(cleanup_pkey) EVP_PKEY *pkey = text.len <= SECRET_FILE_MAX ? read_pem(text) : NULL;
    if (!pkey) {
        ERR_clear_error();
        return err_set(err, ERR_CONFIG, "%s: neither a PEM public key nor a PEM certificate", what);
    }
    uint32_t algs = key_algs(pkey, what, err);
    if (!algs || !(set = set_new(err)))
        return -1;
    if ((algs & listed(algorithms)) && add_public(set, &pkey, algs & listed(algorithms), NULL, what, err) < 0)
        return -1;
    return set_done(&set, what, ret_set, err);
}

/* -- a JWK set -- */

static bool lists_verify(const json_t *operations)
{
    size_t i;
    const json_t *operation;

    json_array_foreach((json_t *)operations, i, operation) {
        const char *text = json_string_value(operation);

        if (text && strcmp(text, "verify") == 0)
            return true;
    }
    return false;
}

/* Is the key one for signatures, of a kind that this program knows? Others are somebody else's business. */
static bool is_ours(const json_t *jwk)
{
    static const char *const ktys[] = {"RSA", "EC", "OKP", "oct"};
    const char *kty = jws_text(json_object_get(jwk, "kty"), 64);
    const json_t *use = json_object_get(jwk, "use");
    const json_t *operations = json_object_get(jwk, "key_ops");

    if (use && (!json_is_string(use) || strcmp(json_string_value(use), "sig") != 0))
        return false;
    if (operations && !lists_verify(operations))
        return false;
    for (size_t i = 0; i < COUNT_OF(ktys); i++)
        if (kty && strcmp(kty, ktys[i]) == 0)
            return true;
    return false;
}

/* Curves that no algorithm here has (P-256K, X25519, Ed448): skipped like an unknown kty. */
static bool knows_curve(const json_t *jwk)
{
    const char *kty = jws_text(json_object_get(jwk, "kty"), 64);

    return !kty || (strcmp(kty, "EC") != 0 && strcmp(kty, "OKP") != 0) || key_curve(jwk);
}

static int add_jwk(struct key_set *set, const json_t *jwk, uint32_t allowed, const char *what,
                   struct err *err)
{
    const json_t *alg_value = json_object_get(jwk, "alg");
    const char *kid = jws_text(json_object_get(jwk, "kid"), CLAIM_TEXT_MAX);

    if (!json_is_object(jwk))
        return err_set(err, ERR_CONFIG, "%s: not an object", what);
    if (!is_ours(jwk) || !knows_curve(jwk))
        return 0;
    if (strcmp(jws_text(json_object_get(jwk, "kty"), 64), "oct") == 0)
        return err_set(err, ERR_CONFIG, "%s: holds a secret; a set must hold public keys", what);
    if (alg_value) {
        struct bytes name = {json_string_value(alg_value), json_string_length(alg_value)};
        enum jws_alg alg = name.data ? jws_alg_by_name(name) : JWS_NONE;

        allowed &= JWS_BIT(alg) & ~JWS_BIT(JWS_NONE);
        if (!allowed)
            return 0;
    }
    if (!kid && json_object_get(jwk, "kid"))
        return err_set(err, ERR_CONFIG, "%s: its kid is not usable text", what);
    if (json_object_get(jwk, "d"))
        return err_set(err, ERR_CONFIG, "%s: a private key; a set must hold public ones", what);
    _cleanup_(cleanup_pkey) EVP_PKEY *pkey = key_from_jwk(jwk, what, err);
    uint32_t algs = pkey ? key_algs(pkey, what, err) : 0;
    if (!algs)
        return -1;
    return algs & allowed ? add_public(set, &pkey, algs & allowed, kid, what, err) : 0;
}

int key_set_from_jwks(struct bytes text, const struct name_list *algorithms, const char *what,
                      struct key_set **ret_set, struct err *err)
{
    static const struct json_limits limits = {.max_depth = CLAIM_DEPTH, .allow_duplicates = false};
    _cleanup_(cleanup_set) struct key_set *set = NULL;
    json_auto_t *root = NULL;
    size_t i;
    const json_t *jwk;

    if (text.len > JWKS_MAX)
        return err_set(err, ERR_CONFIG, "%s: larger than %lld bytes", what, JWKS_MAX);
    if (json_parse(text, &limits, &root, err) < 0)
        return err_wrap(err, "%s", what);
    const json_t *keys = json_object_get(root, "keys");
    if (!json_is_array(keys) || json_array_size(keys) > JWKS_KEYS_MAX)
        return err_set(err, ERR_CONFIG, "%s: not an object with an array `keys` of at most %d", what,
                       JWKS_KEYS_MAX);
    if (!(set = set_new(err)))
        return -1;
    json_array_foreach((json_t *)keys, i, jwk) {
        char place[256];

        snprintf(place, sizeof(place), "%s: keys[%zu]", what, i);
        if (add_jwk(set, jwk, listed(algorithms), place, err) < 0)
            return -1;
    }
    return set_done(&set, what, ret_set, err);
}

/* -- by configuration -- */

int key_set_load(const struct issuer_config *issuer, struct key_set **ret_set, struct err *err)
{
    _cleanup_(buffer_done) struct buffer text = BUFFER_INIT(0);
    const char *path = issuer->key_location;

    switch (issuer->key_source) {
    case KEY_JWKS_FILE:
        return secret_file_read(path, JWKS_MAX, &text, err) < 0
                   ? -1
                   : key_set_from_jwks(buffer_bytes(&text), &issuer->algorithms, path, ret_set, err);
    case KEY_PUBLIC_FILE:
        return secret_file_read(path, SECRET_FILE_MAX, &text, err) < 0
                   ? -1
                   : key_set_from_pem(buffer_bytes(&text), &issuer->algorithms, path, ret_set, err);
    case KEY_SECRET_FILE:
        return secret_file_text(path, SECRET_FILE_MAX, &text, err) < 0
                   ? -1
                   : key_set_from_secret(buffer_bytes(&text), &issuer->algorithms, path, ret_set, err);
    case KEY_JWKS_URL:
        break;
    }
    return err_set(err, ERR_INTERNAL, "issuer %s: its keys are not in a file", issuer->issuer);
}

bool key_set_has_kid(const struct key_set *set, const char *kid)
{
    for (size_t i = 0; kid && i < set->count; i++)
        if (set->keys[i].kid && strcmp(set->keys[i].kid, kid) == 0)
            return true;
    return false;
}

size_t key_set_count(const struct key_set *set)
{
    return set->count;
}

const struct jws_key *key_set_next(const struct key_set *set, enum jws_alg alg, const char *kid,
                                   size_t *index)
{
    while (*index < set->count) {
        const struct jws_key *key = &set->keys[(*index)++];

        if ((key->algs & JWS_BIT(alg)) && (!kid || !key->kid || strcmp(kid, key->kid) == 0))
            return key;
    }
    return NULL;
}
