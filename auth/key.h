/* Making one key: from a JWK's members or from OpenSSL's key object. Thread rule: any thread. */
#pragma once
#include "auth/jws.h"

/* Which algorithms does this public key serve by its kind, curve and size? 0 with CONFIG when it is weak or
 * unknown. */
uint32_t key_algs(const EVP_PKEY *pkey, const char *what, struct err *err);
/* Each makes a public key from a JWK object: kty RSA, EC or OKP. NULL with CONFIG. The caller frees with
 * EVP_PKEY_free. EC points are checked to be on their curve. */
EVP_PKEY *key_from_jwk(const json_t *jwk, const char *what, struct err *err);
/* The row of the curve that the JWK's crv names; NULL: none that an algorithm here has. */
const struct jws_alg_info *key_curve(const json_t *jwk);
