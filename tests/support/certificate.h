/* Certificates that sign themselves, good for an hour. */
#pragma once
#include <openssl/x509.h>

/* For the key, with CN `name`. `alternative`: a subjectAltName as OpenSSL writes it ("IP:127.0.0.1"); NULL:
 * none. The caller frees; the test program ends when it cannot be made. */
X509 *certificate_make(EVP_PKEY *key, const char *name, const char *alternative);
