#include "tests/support/scripted_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <stdint.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUESTS_MAX 4096
#define CONNECTIONS_MAX 512
#define REQUEST_MAX ((size_t)32 << 20)

struct connection {
    struct scripted_server *server;
    pthread_t thread;
    int fd;
};

struct scripted_server {
    struct scripted_reply *script;
    size_t count;
    int listener;
    int port;
    char url[64];
    pthread_t thread;
    pthread_mutex_t mutex;
    bool stopping, let_go;
    struct connection connections[CONNECTIONS_MAX];
    size_t connection_count;
    char *requests[REQUESTS_MAX];
    size_t request_count;
    char *fault;
};

static void die(const char *what)
{
    perror(what);
    abort();
}

static bool stopping(struct scripted_server *server)
{
    pthread_mutex_lock(&server->mutex);
    bool stop = server->stopping;
    pthread_mutex_unlock(&server->mutex);
    return stop;
}

static bool held(struct scripted_server *server, const struct scripted_reply *reply)
{
    pthread_mutex_lock(&server->mutex);
    bool hold = reply->cut == CUT_HANG || (reply->hold && !server->let_go);
    pthread_mutex_unlock(&server->mutex);
    return hold;
}

/* Content-Length of a head, 0 without one. */
static size_t body_length(const char *head)
{
    const char *at = strcasestr(head, "\ncontent-length:");
    return at ? (size_t)strtoull(at + 16, NULL, 10) : 0;
}

/* Reads one request; NULL at the end of the connection. */
static char *read_request(struct scripted_server *server, int fd, size_t *ret_len)
{
    size_t size = 65536, len = 0, want = 0;
    char *data = malloc(size);

    while (data && !stopping(server)) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        if (poll(&poller, 1, 50) == 0)
            continue;
        if (size - len < 65536) {
            size *= 2;
            char *more = size > REQUEST_MAX ? NULL : realloc(data, size);
            if (!more)
                break;
            data = more;
        }
        ssize_t n = recv(fd, data + len, size - len - 1, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
        data[len] = '\0';
        char *end = want ? NULL : strstr(data, "\r\n\r\n");
        if (end) {
            want = (size_t)(end + 4 - data);
            want += body_length(data);
        }
        if (want && len >= want) {
            *ret_len = len;
            return data;
        }
    }
    free(data);
    return NULL;
}

static bool matches(const char *pattern, const char *text)
{
    regex_t regex;

    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        die(pattern);
    bool fits = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return fits;
}

static void note_fault(struct scripted_server *server, const char *expect, const char *request)
{
    size_t size = strlen(request) + 1024;

    if (server->fault)
        return;
    server->fault = malloc(size);
    if (server->fault)
        snprintf(server->fault, size, "wanted %.900s, came:\n%s", expect ? expect : "nothing more", request);
}

/* Takes the request (owns it) and gives the line that answers it; NULL: past the end of the script. */
static const struct scripted_reply *take(struct scripted_server *server, char *request)
{
    const struct scripted_reply *reply = NULL;

    pthread_mutex_lock(&server->mutex);
    size_t n = server->request_count;
    if (n == REQUESTS_MAX)
        die("too many requests");
    server->requests[server->request_count++] = request;
    for (size_t i = 0; i < server->count && i <= n; i++) {
        if (i == n || server->script[i].repeat) {
            reply = &server->script[i];
            break;
        }
    }
    if (!reply || (reply->expect && !matches(reply->expect, request)))
        note_fault(server, reply ? reply->expect : NULL, request);
    pthread_mutex_unlock(&server->mutex);
    return reply;
}

static bool send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static void reset(int fd)
{
    struct linger linger = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Answers; false when the connection is over. */
static bool answer(struct scripted_server *server, int fd, const struct scripted_reply *reply, bool head_only)
{
    char head[8192];
    const char *body = reply->body ? reply->body : "";
    size_t len = reply->body_len ? reply->body_len : strlen(body);
    int status = reply->status ? reply->status : 200;

    for (int waited = 0; (waited < reply->delay_ms || held(server, reply)) && !stopping(server); waited += 5)
        poll(NULL, 0, 5);
    if (reply->cut == CUT_BEFORE_REPLY || reply->cut == CUT_HANG) {
        reset(fd);
        return false;
    }
    bool has_length = reply->headers && strcasestr(reply->headers, "content-length:");
    int n = snprintf(head, sizeof(head), "HTTP/1.1 %d Scripted\r\n%s", status,
                     reply->headers ? reply->headers : "");
    if (!has_length && status != 204 && status != 304)
        n += snprintf(head + n, sizeof(head) - (size_t)n, "Content-Length: %zu\r\n", len);
    n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
    if (!send_all(fd, head, (size_t)n))
        return false;
    if (head_only)
        len = 0;
    if (!send_all(fd, body, reply->cut == CUT_IN_BODY ? len / 2 : len))
        return false;
    return !reply->close && reply->cut == CUT_NONE;
}

static void *serve(void *arg)
{
    struct connection *connection = arg;
    struct scripted_server *server = connection->server;
    size_t len = 0;

    for (char *request; (request = read_request(server, connection->fd, &len));) {
        bool head = strncmp(request, "HEAD ", 5) == 0;
        const struct scripted_reply *reply = take(server, request);
        if (!reply || !answer(server, connection->fd, reply, head))
            break;
    }
    close(connection->fd);
    return NULL;
}

static void *accept_all(void *arg)
{
    struct scripted_server *server = arg;

    while (!stopping(server)) {
        struct pollfd poller = {.fd = server->listener, .events = POLLIN};
        if (poll(&poller, 1, 20) <= 0)
            continue;
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            continue;
        pthread_mutex_lock(&server->mutex);
        if (server->connection_count == CONNECTIONS_MAX)
            die("too many connections");
        struct connection *connection = &server->connections[server->connection_count++];
        *connection = (struct connection){.server = server, .fd = fd};
        if (pthread_create(&connection->thread, NULL, serve, connection) != 0)
            die("pthread_create");
        pthread_mutex_unlock(&server->mutex);
    }
    return NULL;
}

struct scripted_server *scripted_server_start(const struct scripted_reply *script, size_t count)
{
    struct scripted_server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    if (!server || !(server->script = calloc(count + 1, sizeof(*script))))
        die("calloc");
    memcpy(server->script, script, count * sizeof(*script));
    server->count = count;
    pthread_mutex_init(&server->mutex, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(server->listener, 64) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0)
        die("listen");
    server->port = ntohs(address.sin_port);
    snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d", server->port);
    if (pthread_create(&server->thread, NULL, accept_all, server) != 0)
        die("pthread_create");
    return server;
}

void scripted_server_let_go(struct scripted_server *server)
{
    pthread_mutex_lock(&server->mutex);
    server->let_go = true;
    pthread_mutex_unlock(&server->mutex);
}

void scripted_server_stop(struct scripted_server *server)
{
    if (!server)
        return;
    pthread_mutex_lock(&server->mutex);
    server->stopping = true;
    pthread_mutex_unlock(&server->mutex);
    pthread_join(server->thread, NULL);
    for (size_t i = 0; i < server->connection_count; i++)
        pthread_join(server->connections[i].thread, NULL);
    close(server->listener);
    for (size_t i = 0; i < server->request_count; i++)
        free(server->requests[i]);
    pthread_mutex_destroy(&server->mutex);
    free(server->fault);
    free(server->script);
    free(server);
}

const char *scripted_server_url(const struct scripted_server *server)
{
    return server->url;
}

int scripted_server_port(const struct scripted_server *server)
{
    return server->port;
}

size_t scripted_server_requests(struct scripted_server *server)
{
    pthread_mutex_lock(&server->mutex);
    size_t n = server->request_count;
    pthread_mutex_unlock(&server->mutex);
    return n;
}

size_t scripted_server_connections(struct scripted_server *server)
{
    pthread_mutex_lock(&server->mutex);
    size_t n = server->connection_count;
    pthread_mutex_unlock(&server->mutex);
    return n;
}

const char *scripted_server_request(struct scripted_server *server, size_t n)
{
    pthread_mutex_lock(&server->mutex);
    const char *request = n < server->request_count ? server->requests[n] : "";
    pthread_mutex_unlock(&server->mutex);
    return request;
}

const char *scripted_server_fault(struct scripted_server *server)
{
    pthread_mutex_lock(&server->mutex);
    const char *fault = server->fault;
    pthread_mutex_unlock(&server->mutex);
    return fault;
}
