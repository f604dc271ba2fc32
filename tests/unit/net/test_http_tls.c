#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/http_client.h"

/* A TLS server for one connection, with a certificate of its own for 127.0.0.1 (or another name). */
struct tls_server {
    SSL_CTX *context;
    int listener;
    char url[64];
    char bundle[64];
    pthread_t thread;
};

static X509 *make_certificate(EVP_PKEY *key, const char *names)
{
    X509 *certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static void *serve(void *arg)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    struct tls_server *server = arg;
    char request[4096];
    int fd = accept(server->listener, NULL, NULL);
    SSL *ssl = SSL_new(server->context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0)
        SSL_write(ssl, reply, sizeof(reply) - 1);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
    return NULL;
}

static void start(struct tls_server *server, const char *names, int max_version)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key, names);

    server->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(server->context, 0);
    SSL_CTX_set_min_proto_version(server->context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(server->context, max_version);
    assert_int_equal(SSL_CTX_use_certificate(server->context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server->context, key), 1);
    snprintf(server->bundle, sizeof(server->bundle), "/tmp/bundle.XXXXXX");
    int fd = mkstemp(server->bundle);
    FILE *file = fdopen(fd, "w");
    PEM_write_X509(file, certificate);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->listener, 4), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(server->url, sizeof(server->url), "https://127.0.0.1:%d/", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct tls_server *server)
{
    pthread_join(server->thread, NULL);
    close(server->listener);
    unlink(server->bundle);
    SSL_CTX_free(server->context);
}

/* One GET; 0 with the status in *ret_status, or -1. */
static int get(const struct tls_server *server, bool with_bundle, int *ret_status, struct err *err,
               bool *ret_may_have_effect)
{
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct http_call call = {.method = "GET", .url = server->url, .reply_max = 100, .timeout_ms = 10000};

    if (with_bundle)
        setenv("AWS_CA_BUNDLE", server->bundle, 1);
    struct http_client *client = http_client_new(err);
    unsetenv("AWS_CA_BUNDLE");
    int rc = http_client_send(client, &call, &answer, err);
    *ret_status = answer.status;
    *ret_may_have_effect = answer.may_have_effect;
    http_answer_done(&answer);
    http_client_free(client);
    return rc;
}

struct expectation {
    const char *names;
    int max_version;
    bool bundle;
    bool works;
};

static void only_a_known_certificate_of_that_host_by_tls_1_2_is_spoken_to(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {"IP:127.0.0.1", TLS1_3_VERSION, true, true},     {"IP:127.0.0.1", TLS1_2_VERSION, true, true},
        {"IP:127.0.0.1", TLS1_1_VERSION, true, false},    /* too old */
        {"IP:127.0.0.1", TLS1_3_VERSION, false, false},   /* not in the system's bundle */
        {"DNS:example.com", TLS1_3_VERSION, true, false}, /* another's name */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct tls_server server = {0};
        struct err err = ERR_INIT;
        int status = 0;
        bool effect = true;
        start(&server, cases[i].names, cases[i].max_version);
        int rc = get(&server, cases[i].bundle, &status, &err, &effect);
        stop(&server);
        assert_int_equal(rc, cases[i].works ? 0 : -1);
        assert_int_equal(status, cases[i].works ? 200 : 0);
        if (!cases[i].works) {
            assert_int_equal(err.code, ERR_AWS_UNREACHABLE);
            assert_false(effect);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_known_certificate_of_that_host_by_tls_1_2_is_spoken_to),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
