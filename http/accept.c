#include "http/accept.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define ENTER_MS 1000   /* for libmicrohttpd to take what it was handed; then it counts as refused */
#define SHORTAGE_MS 100 /* before another try when there are no files or no memory */

struct acceptor {
    struct MHD_Daemon *daemon;
    int listen_fd;
    int stop_fd; /* readable: stop */
    int limit;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int inside;
    uint64_t entered; /* ever */
    bool stopping;
    pthread_t thread;
    bool running; /* the starting thread's own */
};

/* -- who is inside -- */
void acceptor_entered(struct acceptor *a)
{
    pthread_mutex_lock(&a->lock);
    a->inside++;
    a->entered++;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

void acceptor_left(struct acceptor *a)
{
    pthread_mutex_lock(&a->lock);
    a->inside--;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

/* false: stop */
static bool wait_for_room(struct acceptor *a)
{
    bool go_on;

    pthread_mutex_lock(&a->lock);
    while (!a->stopping && a->inside >= a->limit)
        pthread_cond_wait(&a->changed, &a->lock);
    go_on = !a->stopping;
    pthread_mutex_unlock(&a->lock);
    return go_on;
}

/* -- letting in -- */
/* The next client's socket; -1: none, for now or because of the stop. */
static int next_client(struct acceptor *a, struct sockaddr_storage *ret_address, socklen_t *ret_len)
{
    struct pollfd look[] = {{.fd = a->stop_fd, .events = POLLIN}, {.fd = a->listen_fd, .events = POLLIN}};
    int fd;

    if (poll(look, COUNT_OF(look), -1) < 0 || look[0].revents)
        return -1;
    *ret_len = sizeof(*ret_address);
    fd = accept4(a->listen_fd, (struct sockaddr *)ret_address, ret_len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
        poll(look, 1, SHORTAGE_MS);
    return fd;
}

/* Until libmicrohttpd's own thread has taken it: so the count is never behind. */
static void hand_over(struct acceptor *a, int fd, const struct sockaddr_storage *address, socklen_t len)
{
    struct timespec until;
    uint64_t before;

    pthread_mutex_lock(&a->lock);
    before = a->entered;
    pthread_mutex_unlock(&a->lock);
    if (MHD_add_connection(a->daemon, fd, (const struct sockaddr *)address, len) != MHD_YES)
        return; /* it has closed it */
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ENTER_MS / 1000;
    pthread_mutex_lock(&a->lock);
    while (a->entered == before && !a->stopping && pthread_cond_timedwait(&a->changed, &a->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&a->lock);
}

static void *door(void *arg)
{
    struct acceptor *a = arg;
    struct sockaddr_storage address;
    socklen_t len;

    while (wait_for_room(a)) {
        int fd = next_client(a, &address, &len);

        if (fd >= 0)
            hand_over(a, fd, &address, len);
    }
    return NULL;
}

/* -- life -- */
struct acceptor *acceptor_new(int limit, struct err *err)
{
    struct acceptor *a = calloc(1, sizeof(*a));
    pthread_condattr_t attributes;

    if (!a) {
        err_set(err, ERR_NO_MEMORY, "no memory to accept connections");
        return NULL;
    }
    *a = (struct acceptor){.listen_fd = -1, .limit = limit, .stop_fd = eventfd(0, EFD_CLOEXEC)};
    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&a->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (a->stop_fd >= 0)
        return a;
    err_set(err, ERR_IO, "eventfd: %s", strerrordesc_np(errno));
    acceptor_free(a);
    return NULL;
}

int acceptor_start(struct acceptor *a, struct MHD_Daemon *daemon, int listen_fd, struct err *err)
{
    a->daemon = daemon;
    a->listen_fd = listen_fd;
    a->running = pthread_create(&a->thread, NULL, door, a) == 0;
    return a->running ? 0 : err_set(err, ERR_NO_MEMORY, "no thread to accept connections");
}

void acceptor_stop(struct acceptor *a)
{
    if (!a || !a->running)
        return;
    pthread_mutex_lock(&a->lock);
    a->stopping = true;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
    eventfd_write(a->stop_fd, 1);
    pthread_join(a->thread, NULL);
    a->running = false;
}

void acceptor_free(struct acceptor *a)
{
    if (!a)
        return;
    acceptor_stop(a);
    if (a->stop_fd >= 0)
        close(a->stop_fd);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
