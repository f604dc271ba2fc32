/*
 * Asks a server for the same thing again and again over keep-alive connections, one request at a time on
 * each, from one thread, so that the load takes little of the machine from what it measures.
 * load PORT CONNECTIONS REQUESTS STATUS < REQUEST        the request is sent as it is
 * Prints one JSON object: requests a second, latencies in microseconds.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/measure.h"

#define REQUEST_MAX 65536
#define ANSWER_MAX 65536
#define EVENTS 256

struct connection {
    int fd;
    int64_t asked_ns;
    size_t have;
    char answer[ANSWER_MAX + 1];
};

static char request[REQUEST_MAX];
static size_t request_len;
static int wanted_status;
static int64_t *took_ns;
static long asked, answered;

static void die(const char *why)
{
    fprintf(stderr, "load: %s\n", why);
    exit(1);
}

static void ask(struct connection *c)
{
    c->have = 0;
    c->asked_ns = wall_ns();
    asked++;
    if (send(c->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
        die("a request could not be sent");
}

/* Is the answer whole? Dies when it is not the wanted one. */
static bool is_whole(struct connection *c)
{
    const char *end;
    const char *length;
    int status;

    c->answer[c->have] = '\0';
    end = strstr(c->answer, "\r\n\r\n");
    if (!end)
        return false;
    if (sscanf(c->answer, "HTTP/1.1 %d", &status) != 1 || status != wanted_status) {
        fprintf(stderr, "%.600s\n", c->answer);
        die("that is not the wanted answer");
    }
    length = strcasestr(c->answer, "\r\ncontent-length:");
    return length && c->have >= (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10);
}

static void hear(struct connection *c, long total)
{
    ssize_t got = recv(c->fd, c->answer + c->have, ANSWER_MAX - c->have, 0);

    if (got <= 0)
        die("the server has closed a connection, or its answer is too long");
    c->have += (size_t)got;
    if (!is_whole(c))
        return;
    took_ns[answered++] = wall_ns() - c->asked_ns;
    if (asked < total)
        ask(c);
}

static struct connection *connect_to(uint16_t port, int epoll)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct connection *c = calloc(1, sizeof(*c));
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = c}};
    int one = 1;

    if (!c)
        die("no memory");
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
        die("no connection");
    return c;
}

static void report(long total, double seconds)
{
    qsort(took_ns, (size_t)total, sizeof(*took_ns), by_time);
    printf("{\"requests\": %ld, \"seconds\": %.6f, \"rate\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
           total, seconds, (double)total / seconds, (double)took_ns[total / 2] / 1e3,
           (double)took_ns[total * 99 / 100] / 1e3);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    struct connection *connections[4096];
    int count, epoll = epoll_create1(0);
    int64_t began;
    long total;

    if (argc != 5)
        return 2;
    count = atoi(argv[2]);
    total = atol(argv[3]);
    wanted_status = atoi(argv[4]);
    request_len = fread(request, 1, sizeof(request), stdin);
    if (count < 1 || count > 4096 || total < count)
        die("1 to 4096 connections, and a request for each");
    took_ns = calloc((size_t)total, sizeof(*took_ns));
    if (!took_ns || epoll < 0)
        die("no memory");
    for (int i = 0; i < count; i++)
        connections[i] = connect_to((uint16_t)atoi(argv[1]), epoll);
    began = wall_ns();
    for (int i = 0; i < count; i++)
        ask(connections[i]);
    while (answered < total) {
        int ready = epoll_wait(epoll, events, EVENTS, 60000);

        if (ready <= 0)
            die("no answer for a minute");
        for (int i = 0; i < ready; i++)
            hear(events[i].data.ptr, total);
    }
    report(total, (double)(wall_ns() - began) / 1e9);
    return 0;
}
