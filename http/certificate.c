#include "http/certificate.h"

#include <gnutls/x509.h>

#include "base/cleanup.h"
#include "base/limits.h"

const char tls_priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:"
    "+CHACHA20-POLY1305:%SERVER_PRECEDENCE";

#define KEY_ID_SIZE 64

static gnutls_datum_t datum_of(struct bytes bytes)
{
    /* GnuTLS reads these bytes only; its type has no const */
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)bytes.data, (unsigned)bytes.len};
}

static void free_list(gnutls_x509_crt_t *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
}

static int check_pair(gnutls_x509_crt_t leaf, gnutls_privkey_t key, struct err *err)
{
    unsigned char of_leaf[KEY_ID_SIZE], of_key[KEY_ID_SIZE];
    size_t leaf_len = sizeof(of_leaf), key_len = sizeof(of_key);
    gnutls_pubkey_t public;
    int result;

    if (gnutls_pubkey_init(&public) < 0)
        return err_set(err, ERR_NO_MEMORY, "tls public key");
    result = gnutls_pubkey_import_privkey(public, key, 0, 0);
    if (result >= 0)
        result = gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key, &key_len);
    if (result >= 0)
        result = gnutls_x509_crt_get_key_id(leaf, GNUTLS_KEYID_USE_SHA256, of_leaf, &leaf_len);
    gnutls_pubkey_deinit(public);
    if (result < 0)
        return err_set(err, ERR_CONFIG, "tls certificate: %s", gnutls_strerror(result));
    if (key_len != leaf_len || memcmp(of_key, of_leaf, key_len) != 0)
        return err_set(err, ERR_CONFIG, "the tls key does not belong to the certificate");
    return 0;
}

static int load_chain(struct certificate *certificate, gnutls_x509_crt_t *list, unsigned count,
                      struct err *err)
{
    int result;

    if (count == 0 || count > HTTP_CERTIFICATES_MAX)
        return err_set(err, ERR_CONFIG, "tls certificate: %u certificates, 1 to %d are taken", count,
                       HTTP_CERTIFICATES_MAX);
    if (check_pair(list[0], certificate->key, err) < 0)
        return -1;
    certificate->chain = calloc(count, sizeof(*certificate->chain));
    if (!certificate->chain)
        return err_set(err, ERR_NO_MEMORY, "tls chain");
    for (unsigned i = 0; i < count; i++) {
        result = gnutls_pcert_import_x509(&certificate->chain[i], list[i], 0);
        if (result < 0)
            return err_set(err, ERR_CONFIG, "tls certificate: %s", gnutls_strerror(result));
        certificate->chain_length++;
    }
    return 0;
}

static void release_p(struct certificate **certificate)
{
    certificate_release(*certificate);
}

int certificate_load(struct bytes certificate_pem, struct bytes key_pem, struct certificate **ret_certificate,
                     struct err *err)
{
    _cleanup_(release_p) struct certificate *certificate = calloc(1, sizeof(*certificate));
    gnutls_datum_t pem = datum_of(certificate_pem), key = datum_of(key_pem);
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    int result;

    if (!certificate)
        return err_set(err, ERR_NO_MEMORY, "tls certificate");
    certificate->references = 1;
    if (gnutls_privkey_init(&certificate->key) < 0)
        return err_set(err, ERR_NO_MEMORY, "tls key");
    result = gnutls_privkey_import_x509_raw(certificate->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (result < 0)
        return err_set(err, ERR_CONFIG, "tls key: %s", gnutls_strerror(result));
    result =
        gnutls_x509_crt_list_import2(&list, &count, &pem, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);
    if (result < 0)
        return err_set(err, ERR_CONFIG, "tls certificate: %s", gnutls_strerror(result));
    result = load_chain(certificate, list, count, err);
    free_list(list, count);
    if (result < 0)
        return -1;
    *ret_certificate = TAKE(certificate);
    return 0;
}

struct certificate *certificate_hold(struct certificate *certificate)
{
    __atomic_add_fetch(&certificate->references, 1, __ATOMIC_RELAXED);
    return certificate;
}

void certificate_release(struct certificate *certificate)
{
    if (!certificate || __atomic_sub_fetch(&certificate->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (unsigned i = 0; i < certificate->chain_length; i++)
        gnutls_pcert_deinit(&certificate->chain[i]);
    free(certificate->chain);
    if (certificate->key)
        gnutls_privkey_deinit(certificate->key);
    free(certificate);
}
