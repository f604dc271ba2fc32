#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "http/accept.h"
#include "http/connection.h"

#define LISTEN_BACKLOG 512
#define STOP_POLL_MS 20

/* -- connections -- */

/* What the kernel takes of a reply that is not on its way yet is memory of a slow reader that nobody counts.
 */
static void bound_unsent(int fd)
{
    int most = HTTP_UNSENT_MAX;

    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof(most));
}

static void *open_connection(struct http_server *server, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *address =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_connection *c = fd ? calloc(1, sizeof(*c)) : NULL;

    if (!c) { /* exchange_call refuses every request of it, and no deadline would end it */
        if (fd)
            shutdown(fd->connect_fd, SHUT_RDWR);
        return NULL;
    }
    c->server = server;
    c->mhd = mhd;
    bound_unsent(fd->connect_fd);
    address_of_socket(address ? address->client_addr : NULL, c->peer);
    deadline_add(server->deadlines, &c->deadline, fd->connect_fd);
    return c;
}

static void close_connection(struct http_connection *c)
{
    if (!c)
        return;
    deadline_remove(c->server->deadlines, &c->deadline);
    exchange_end(c, false);
    certificate_release(c->certificate);
    free(c);
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = arg;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = open_connection(server, mhd);
        acceptor_entered(server->acceptor);
    } else {
        close_connection(*context);
        *context = NULL;
        acceptor_left(server->acceptor);
    }
}

/* -- certificates -- */

/* GnuTLS asks at each handshake. libmicrohttpd keeps its connection in the session's user pointer. */
static int on_certificate(gnutls_session_t session, const gnutls_datum_t *names, int name_count,
                          const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                          gnutls_pcert_st **ret_chain, unsigned *ret_length, gnutls_privkey_t *ret_key)
{
    struct MHD_Connection *mhd = gnutls_session_get_ptr(session);
    struct http_connection *c = mhd ? connection_of(mhd) : NULL;

    (void)names;
    (void)name_count;
    (void)algorithms;
    (void)algorithm_count;
    if (!c)
        return -1;
    if (!c->certificate) {
        pthread_mutex_lock(&c->server->certificate_lock);
        c->certificate = certificate_hold(c->server->certificate);
        pthread_mutex_unlock(&c->server->certificate_lock);
    }
    *ret_chain = c->certificate->chain;
    *ret_length = c->certificate->chain_length;
    *ret_key = c->certificate->key;
    return 0;
}

int http_server_replace_certificate(struct http_server *server, struct bytes certificate_pem,
                                    struct bytes key_pem, struct err *err)
{
    struct certificate *next, *old;

    if (!server->tls)
        return err_set(err, ERR_CONFIG, "tls cannot be turned on while the server runs");
    if (certificate_load(certificate_pem, key_pem, &next, err) < 0)
        return -1;
    pthread_mutex_lock(&server->certificate_lock);
    old = server->certificate;
    server->certificate = next;
    pthread_mutex_unlock(&server->certificate_lock);
    certificate_release(old);
    return 0;
}

/* -- listening -- */

static int parse_address(const char *host, int port, struct sockaddr_storage *ret_address, socklen_t *ret_len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;

    memset(ret_address, 0, sizeof(*ret_address));
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *ret_len = sizeof(*v4);
        return 0;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *ret_len = sizeof(*v6);
        return 0;
    }
    return -1;
}

static int bind_socket(const char *host, int port, struct err *err)
{
    struct sockaddr_storage address;
    socklen_t len;
    int on = 1;
    _cleanup_(cleanup_close) int fd = -1;

    if (!host || port < 0 || port > 65535 || parse_address(host, port, &address, &len) < 0)
        return err_set(err, ERR_CONFIG, "%s:%d is not a numeric address and port", host ? host : "", port);
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_IO, "socket: %s", strerrordesc_np(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
        return err_set(err, errno == EADDRINUSE ? ERR_CONFLICT : ERR_IO, "listen on %s:%d: %s", host, port,
                       strerrordesc_np(errno));
    int taken = fd;
    fd = -1;
    return taken;
}

static int open_listener(struct http_server *server, struct err *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = {0};
    socklen_t len = sizeof(address);

    if (server->listen_fd < 0)
        server->listen_fd = bind_socket(server->options.host, server->options.port, err);
    if (server->listen_fd < 0)
        return -1;
    if (fcntl(server->listen_fd, F_SETFL, fcntl(server->listen_fd, F_GETFL) | O_NONBLOCK) < 0 ||
        getsockname(server->listen_fd, &address.any, &len) < 0)
        return err_set(err, ERR_IO, "listening socket: %s", strerrordesc_np(errno));
    server->port = ntohs(address.any.sa_family == AF_INET6 ? address.six.sin6_port : address.four.sin_port);
    return 0;
}

__attribute__((format(printf, 2, 0))) static void on_log(void *arg, const char *format, va_list list)
{
    const struct http_server *server = arg;
    char line[512];

    if (!server->options.on_log)
        return;
    vsnprintf(line, sizeof(line), format, list);
    line[strcspn(line, "\r\n")] = '\0';
    server->options.on_log(server->options.log_arg, line);
}

static int start_daemon(struct http_server *server, struct err *err)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
                     MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG |
                     (server->tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)on_certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)tls_priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem *more = server->tls ? tls : tls + COUNT_OF(tls) - 1;

    /* STRICT_FOR_CLIENT 0: what libmicrohttpd does not refuse in HTML reaches our gate, which refuses more.
     * No CONNECTION_TIMEOUT: it is reset by every byte; http/deadline.h does it. No listening socket and
     * no limit that is met: http/accept.h */
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, exchange_call, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, server,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_POOL, MHD_OPTION_CONNECTION_LIMIT,
        2 * (unsigned)server->options.connection_limit, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)HTTP_THREAD_STACK, MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_URI_LOG_CALLBACK,
        exchange_first_line, server, MHD_OPTION_NOTIFY_COMPLETED, exchange_completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
    return server->daemon ? 0
                          : err_set(err, ERR_IO, "the http listener on port %d did not start", server->port);
}

static int parse_networks(struct http_server *server, struct err *err)
{
    const struct name_list *names = &server->options.trusted_proxies;

    server->networks = calloc(names->count + 1, sizeof(*server->networks));
    if (!server->networks)
        return err_set(err, ERR_NO_MEMORY, "trusted proxies");
    for (; server->network_count < names->count; server->network_count++)
        if (network_parse(names->names[server->network_count], &server->networks[server->network_count],
                          err) < 0)
            return -1;
    return 0;
}

static void free_server(struct http_server *server)
{
    if (!server)
        return;
    acceptor_free(server->acceptor);
    deadlines_stop(server->deadlines);
    certificate_release(server->certificate);
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    free(server->networks);
    pthread_mutex_destroy(&server->certificate_lock);
    free(server);
}

static void free_server_p(struct http_server **server)
{
    free_server(*server);
}

int http_server_start(const struct http_server_options *options, struct http_server **ret_server,
                      struct err *err)
{
    _cleanup_(free_server_p) struct http_server *server = calloc(1, sizeof(*server));
    struct http_deadlines limits;

    if (!server) {
        if (options->listen_fd > 0)
            close(options->listen_fd);
        return err_set(err, ERR_NO_MEMORY, "http server");
    }
    server->options = *options;
    server->listen_fd = options->listen_fd > 0 ? options->listen_fd : -1;
    pthread_mutex_init(&server->certificate_lock, NULL);
    if (options->certificate_pem.data &&
        certificate_load(options->certificate_pem, options->key_pem, &server->certificate, err) < 0)
        return -1;
    server->tls = server->certificate != NULL;
    /* the caller wipes these bytes; nobody may look at them again */
    server->options.certificate_pem = server->options.key_pem = (struct bytes){NULL, 0};
    if (parse_networks(server, err) < 0 || open_listener(server, err) < 0)
        return -1;
    limits = options->deadlines;
    if (limits.connections == 0) /* a quarter is kept for whoever comes next */
        limits.connections = options->connection_limit - options->connection_limit / 4;
    server->deadlines = deadlines_start(&limits, err);
    server->acceptor = acceptor_new(options->connection_limit, err);
    if (!server->deadlines || !server->acceptor || start_daemon(server, err) < 0)
        return -1;
    if (acceptor_start(server->acceptor, server->daemon, server->listen_fd, err) < 0) {
        MHD_stop_daemon(server->daemon);
        return -1;
    }
    *ret_server = TAKE(server);
    return 0;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

int http_server_connections(struct http_server *server)
{
    return deadlines_count(server->deadlines);
}

/* -- stopping -- */

bool http_server_draining(const struct http_server *server)
{
    return __atomic_load_n(&server->draining, __ATOMIC_ACQUIRE);
}

void http_server_drain_begin(struct http_server *server)
{
    if (__atomic_exchange_n(&server->draining, true, __ATOMIC_ACQ_REL))
        return;
    acceptor_stop(server->acceptor);
    /* until it is closed, new clients connect to a socket where nobody accepts, and hang */
    close(server->listen_fd);
    server->listen_fd = -1;
    wait_hub_drain(server->options.hub);
    deadlines_drain(server->deadlines);
}

void http_server_stop(struct http_server *server, int64_t deadline_ms)
{
    int64_t until = clock_boot_ms() + deadline_ms;

    if (!server)
        return;
    http_server_drain_begin(server);
    while (http_server_connections(server) > 0 && clock_boot_ms() < until)
        poll(NULL, 0, STOP_POLL_MS);
    MHD_stop_daemon(server->daemon);
    free_server(server);
}
