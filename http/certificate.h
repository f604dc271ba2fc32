/*
 * A TLS certificate chain with its key in GnuTLS's form, counted, so that a reload can replace it while
 * handshakes run with the old one. Thread rule: immutable once made; hold and release from any thread.
 */
#pragma once
#include <gnutls/abstract.h>

#include "base/err.h"
#include "base/str.h"

struct certificate {
    gnutls_pcert_st *chain;
    unsigned chain_length;
    gnutls_privkey_t key;
    int references; /* atomic */
};

/* PEM of the chain (leaf first) and of its key. CONFIG when they cannot be read or do not belong together.
 * The caller wipes its PEM bytes. */
int certificate_load(struct bytes certificate_pem, struct bytes key_pem, struct certificate **ret_certificate,
                     struct err *err);
struct certificate *certificate_hold(struct certificate *certificate);
void certificate_release(struct certificate *certificate); /* accepts NULL */
/* TLS 1.2 and 1.3, AEAD only, no static RSA (REFERENCE.md section 1.7). */
extern const char tls_priorities[];
