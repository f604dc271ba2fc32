/* What the tests of http/ share: a server with a small handler, a raw client, a TLS client, a certificate. */
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "http/header.h"
#include "http/problem.h"
#include "http/server.h"
#include "tests/support/certificate.h"

#define UNUSED __attribute__((unused))
#define PATIENCE_MS 10000

struct fixture {
    struct http_server *server;
    struct wait_hub *hub;
    int begun, responded, done, incomplete, last_status; /* atomic */
    char last_path[256];                                 /* of the last respond; read when nothing runs */
    char last_query[256];
    int waiting;        /* atomic: in a long poll */
    int waited;         /* atomic: how the last one ended, an enum wait_result */
    int64_t last_bytes; /* of the last done; read when nothing runs */
};

static int fixture_load(const int *value)
{
    return __atomic_load_n(value, __ATOMIC_SEQ_CST);
}
static void fixture_count(int *value)
{
    __atomic_add_fetch(value, 1, __ATOMIC_SEQ_CST);
}

static int fixture_begin(void *arg, struct http_request *request, size_t *ret_body_limit,
                         struct http_reply *reply)
{
    struct fixture *f = arg;
    struct err err = ERR_INIT;
    static const char *const challenge[] = {"Bearer realm=\"recoverd\""};
    struct http_problem_extra extra = {.www_authenticate = challenge, .www_authenticate_count = 1};

    fixture_count(&f->begun);
    *ret_body_limit = str_starts(request->path, "/tiny") ? 10 : HTTP_BODY_MAX;
    if (!str_starts(request->path, "/refuse"))
        return 0;
    err_set(&err, ERR_UNAUTHENTICATED, "no token");
    http_problem(reply, request, &err, &extra);
    return -1;
}

static void fixture_write(struct http_reply *reply, const struct http_request *request)
{
    struct json_writer w;

    json_put_begin(&w, &reply->body);
    json_put_object(&w, NULL);
    json_put_text(&w, "method", request->method);
    json_put_int(&w, "body", (int64_t)request->body.len);
    json_put_text(&w, "address", request->address);
    json_put_flag(&w, "tls", request->tls);
    json_put_array(&w, "segments");
    for (size_t i = 0; i < request->segment_count; i++)
        json_put_text(&w, NULL, request->segments[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    reply->content_type = "application/json";
}

static void fixture_fill(struct http_reply *reply, size_t len)
{
    buffer_add_char(&reply->body, '"');
    for (size_t i = 0; i + 2 < len; i++)
        buffer_add_char(&reply->body, (char)('a' + i % 23));
    buffer_add_char(&reply->body, '"');
    reply->content_type = "application/json";
}

static void fixture_file(struct http_reply *reply, const struct http_request *request)
{
    char name[] = "/tmp/http-fixture-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);

    unlink(name);
    if (write(fd, "0123456789", 10) == 10)
        http_reply_file(reply, request, fd, 10, "digits", "application/octet-stream");
}

static void fixture_respond(void *arg, struct http_request *request, struct http_reply *reply)
{
    struct fixture *f = arg;

    fixture_count(&f->responded);
    if (str_starts(request->path, "/big")) {
        fixture_fill(reply, 100000);
        http_reply_etag(reply, "7");
        http_reply_not_modified(reply, request);
    } else if (str_starts(request->path, "/huge")) {
        fixture_fill(reply, 12 * MIB);
    } else if (str_starts(request->path, "/too-large")) {
        fixture_fill(reply, HTTP_REPLY_MAX + 1);
    } else if (str_starts(request->path, "/file")) {
        fixture_file(reply, request);
    } else if (str_starts(request->path, "/none")) {
        reply->status = 204;
    } else if (str_starts(request->path, "/wait")) {
        uint64_t seen = wait_hub_generation(f->hub);

        if (wait_hub_enter(f->hub)) {
            fixture_count(&f->waiting);
            enum wait_result result = wait_hub_wait(f->hub, request->fd, seen, clock_boot_ms() + 50000);
            __atomic_store_n(&f->waited, (int)result, __ATOMIC_SEQ_CST);
            wait_hub_leave(f->hub);
        }
        fixture_write(reply, request);
    } else {
        str_copy(f->last_path, sizeof(f->last_path), request->path);
        if (http_request_query(request, "q"))
            str_copy(f->last_query, sizeof(f->last_query), http_request_query(request, "q"));
        fixture_write(reply, request);
    }
}

static void fixture_done(void *arg, struct http_request *request, const struct http_outcome *outcome)
{
    struct fixture *f = arg;

    (void)request;
    if (!outcome->complete)
        fixture_count(&f->incomplete);
    __atomic_store_n(&f->last_bytes, outcome->bytes, __ATOMIC_SEQ_CST);
    __atomic_store_n(&f->last_status, outcome->status, __ATOMIC_SEQ_CST);
    fixture_count(&f->done);
}

static struct http_server_options fixture_options(struct fixture *f)
{
    return (struct http_server_options){
        .host = "127.0.0.1",
        .connection_limit = 64,
        .handler = {fixture_begin, fixture_respond, fixture_done, f},
        .hub = f->hub,
    };
}

UNUSED static void fixture_start(struct fixture *f, const struct http_deadlines *deadlines)
{
    struct http_server_options options;
    struct err err = ERR_INIT;

    signal(SIGPIPE, SIG_IGN);
    memset(f, 0, sizeof(*f));
    f->hub = wait_hub_new(8);
    options = fixture_options(f);
    if (deadlines)
        options.deadlines = *deadlines;
    if (http_server_start(&options, &f->server, &err) < 0)
        fail_msg("%s", err.message);
}

UNUSED static void fixture_stop(struct fixture *f)
{
    http_server_stop(f->server, 5000);
    wait_hub_free(f->hub);
}

/* Until *value is at least `wanted`; false after PATIENCE_MS. */
UNUSED static bool fixture_await(const int *value, int wanted)
{
    int64_t until = clock_boot_ms() + PATIENCE_MS;

    while (fixture_load(value) < wanted && clock_boot_ms() < until)
        poll(NULL, 0, 5);
    return fixture_load(value) >= wanted;
}

/* -- a raw client -- */

UNUSED static int raw_connect(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

UNUSED static void raw_send(int fd, const void *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        data = (const char *)data + sent;
        len -= (size_t)sent;
    }
}

UNUSED static void raw_text(int fd, const char *text)
{
    raw_send(fd, text, strlen(text));
}

#define RAW_SIZE 400000
struct raw_reply {
    char text[RAW_SIZE];
    size_t len;
    bool closed; /* the server ended the connection (or reset it) */
};

/* Reads to the end of the connection. */
UNUSED static void raw_read_all(int fd, struct raw_reply *reply)
{
    ssize_t got = 1;

    reply->len = 0;
    while (reply->len < RAW_SIZE - 1 &&
           (got = recv(fd, reply->text + reply->len, RAW_SIZE - 1 - reply->len, 0)) > 0)
        reply->len += (size_t)got;
    reply->closed = got == 0 || (got < 0 && errno != EAGAIN);
    reply->text[reply->len] = '\0';
}

/* Reads one reply with Content-Length and leaves the connection open. */
UNUSED static void raw_read_one(int fd, struct raw_reply *reply)
{
    const char *end = NULL, *length;
    size_t want = SIZE_MAX;

    reply->len = 0;
    reply->text[0] = '\0';
    while (reply->len < want && reply->len < RAW_SIZE - 1) {
        ssize_t got = recv(fd, reply->text + reply->len, end ? want - reply->len : 1, 0);

        if (got <= 0)
            break;
        reply->len += (size_t)got;
        reply->text[reply->len] = '\0';
        if (!end && (end = strstr(reply->text, "\r\n\r\n"))) {
            length = strcasestr(reply->text, "\r\nContent-Length: ");
            want = reply->len + (length ? (size_t)strtoul(length + 18, NULL, 10) : 0);
        }
    }
}

UNUSED static int raw_status(const struct raw_reply *reply)
{
    return reply->len > 12 && str_starts(reply->text, "HTTP/1.1 ") ? atoi(reply->text + 9) : 0;
}

UNUSED static int raw_replies(const struct raw_reply *reply)
{
    int count = 0;

    for (const char *at = reply->text; (at = strstr(at, "HTTP/1.1 ")); at++)
        count += at[9] >= '1' && at[9] <= '5'; /* the hint of a problem speaks of HTTP/1.1 too */
    return count;
}

UNUSED static bool raw_has(const struct raw_reply *reply, const char *text)
{
    return strcasestr(reply->text, text) != NULL;
}

UNUSED static const char *raw_body(const struct raw_reply *reply)
{
    const char *end = strstr(reply->text, "\r\n\r\n");

    return end ? end + 4 : "";
}

/* One request on its own connection, read to its end. */
UNUSED static void raw_exchange(int port, const void *data, size_t len, struct raw_reply *reply)
{
    int fd = raw_connect(port);

    raw_send(fd, data, len);
    raw_read_all(fd, reply);
    close(fd);
}

UNUSED static void raw_request(int port, const char *text, struct raw_reply *reply)
{
    raw_exchange(port, text, strlen(text), reply);
}

/* -- TLS -- */

struct tls_pair {
    char certificate[4096];
    char key[4096];
    size_t certificate_len, key_len;
};

static size_t bio_text(BIO *bio, char *text, size_t size)
{
    int got = BIO_read(bio, text, (int)size - 1);

    BIO_free(bio);
    text[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

UNUSED static void tls_make_pair(struct tls_pair *pair, const char *name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_make(key, name, NULL);
    BIO *out = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(out, certificate);
    pair->certificate_len = bio_text(out, pair->certificate, sizeof(pair->certificate));
    out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    pair->key_len = bio_text(out, pair->key, sizeof(pair->key));
    X509_free(certificate);
    EVP_PKEY_free(key);
}

UNUSED static struct bytes tls_certificate(const struct tls_pair *pair)
{
    return (struct bytes){pair->certificate, pair->certificate_len};
}
UNUSED static struct bytes tls_key(const struct tls_pair *pair)
{
    return (struct bytes){pair->key, pair->key_len};
}

struct tls_client {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
};

UNUSED static bool tls_connect(struct tls_client *client, int port, int max_version)
{
    client->context = SSL_CTX_new(TLS_client_method());
    if (max_version)
        SSL_CTX_set_max_proto_version(client->context, max_version);
    SSL_CTX_set_min_proto_version(client->context, TLS1_VERSION);
    SSL_CTX_set_security_level(client->context, 0);
    client->ssl = SSL_new(client->context);
    client->fd = raw_connect(port);
    SSL_set_fd(client->ssl, client->fd);
    return SSL_connect(client->ssl) == 1;
}

UNUSED static void tls_close(struct tls_client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->fd);
}

UNUSED static void tls_read_all(struct tls_client *client, struct raw_reply *reply)
{
    int got = 1;

    reply->len = 0;
    while (reply->len < RAW_SIZE - 1 &&
           (got = SSL_read(client->ssl, reply->text + reply->len, (int)(RAW_SIZE - 1 - reply->len))) > 0)
        reply->len += (size_t)got;
    reply->closed = SSL_get_error(client->ssl, got) == SSL_ERROR_ZERO_RETURN;
    reply->text[reply->len] = '\0';
}
