#include "tests/support/tls_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "tests/support/certificate.h"

struct tls_server {
    SSL_CTX *context;
    int listener;
    char url[64];
    char ca[64];
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t said;
    bool ending;
    int requests;
    struct tls_reply reply;
    char *body, *headers;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "tls server: %s\n", what);
    abort();
}

static void make_context(struct tls_server *server, const char *names, int max_version)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_make(key, "test", names);
    FILE *file;

    server->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(server->context, 0); /* else it would refuse TLS 1.1 itself */
    SSL_CTX_set_min_proto_version(server->context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(server->context, max_version);
    must(SSL_CTX_use_certificate(server->context, certificate) == 1 &&
             SSL_CTX_use_PrivateKey(server->context, key) == 1,
         "no certificate");
    snprintf(server->ca, sizeof(server->ca), "/tmp/recoverd-ca-XXXXXX");
    file = fdopen(mkstemp(server->ca), "w");
    must(file && PEM_write_X509(file, certificate) == 1, "no ca file");
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void answer(struct tls_server *server, SSL *ssl)
{
    char *text = NULL;
    int len = 0;

    pthread_mutex_lock(&server->lock);
    server->requests++;
    while (server->reply.hold && !server->ending)
        pthread_cond_wait(&server->said, &server->lock);
    if (server->reply.status && !server->ending)
        len = asprintf(&text, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n%s",
                       server->reply.status, strlen(server->body), server->headers, server->body);
    pthread_mutex_unlock(&server->lock);
    if (len > 0)
        SSL_write(ssl, text, len);
    free(text);
}

static void *serve(void *arg)
{
    struct tls_server *server = arg;
    char request[8192];

    for (;;) {
        int fd = accept(server->listener, NULL, NULL);

        if (fd < 0)
            return NULL;
        SSL *ssl = SSL_new(server->context);
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0)
            answer(server, ssl);
        SSL_shutdown(ssl);
        SSL_free(ssl);
        close(fd);
    }
}

struct tls_server *tls_server_start(void)
{
    return tls_server_start_as("IP:127.0.0.1", 0);
}

struct tls_server *tls_server_start_as(const char *names, int max_version)
{
    struct tls_server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    must(server != NULL, "no memory");
    make_context(server, names, max_version);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->said, NULL);
    tls_server_say(server, (struct tls_reply){0});
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(server->listener, (struct sockaddr *)&address, size) == 0 &&
             listen(server->listener, 16) == 0 &&
             getsockname(server->listener, (struct sockaddr *)&address, &size) == 0,
         "no port");
    snprintf(server->url, sizeof(server->url), "https://127.0.0.1:%d/jwks", ntohs(address.sin_port));
    must(pthread_create(&server->thread, NULL, serve, server) == 0, "no thread");
    return server;
}

void tls_server_say(struct tls_server *server, struct tls_reply reply)
{
    pthread_mutex_lock(&server->lock);
    free(server->body);
    free(server->headers);
    server->reply = reply;
    server->body = strdup(reply.body ? reply.body : "");
    server->headers = strdup(reply.headers ? reply.headers : "");
    must(server->body && server->headers, "no memory");
    pthread_cond_broadcast(&server->said);
    pthread_mutex_unlock(&server->lock);
}

void tls_server_stop(struct tls_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->ending = true;
    pthread_cond_broadcast(&server->said);
    pthread_mutex_unlock(&server->lock);
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    unlink(server->ca);
    SSL_CTX_free(server->context);
    pthread_cond_destroy(&server->said);
    pthread_mutex_destroy(&server->lock);
    free(server->body);
    free(server->headers);
    free(server);
}

const char *tls_server_url(const struct tls_server *server)
{
    return server->url;
}

const char *tls_server_ca(const struct tls_server *server)
{
    return server->ca;
}

int tls_server_requests(struct tls_server *server)
{
    pthread_mutex_lock(&server->lock);
    int requests = server->requests;
    pthread_mutex_unlock(&server->lock);
    return requests;
}
