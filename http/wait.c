#include "http/wait.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define LOOK_MS 1000

struct wait_hub {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t generation;
    int waiters;
    int max;
    bool draining;
};

struct wait_hub *wait_hub_new(int waiters)
{
    _cleanup_(cleanup_free) struct wait_hub *hub = calloc(1, sizeof(*hub));
    pthread_condattr_t attributes;

    if (!hub)
        return NULL;
    hub->max = waiters;
    hub->generation = 1;
    pthread_mutex_init(&hub->lock, NULL);
    pthread_condattr_init(&attributes);
    /* no condition variable knows the boot clock; slices are short and the boot clock is asked after each */
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&hub->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return TAKE(hub);
}

void wait_hub_free(struct wait_hub *hub)
{
    if (!hub)
        return;
    pthread_cond_destroy(&hub->changed);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

uint64_t wait_hub_generation(struct wait_hub *hub)
{
    uint64_t generation;

    pthread_mutex_lock(&hub->lock);
    generation = hub->generation;
    pthread_mutex_unlock(&hub->lock);
    return generation;
}

int wait_hub_waiters(struct wait_hub *hub)
{
    int waiters;

    pthread_mutex_lock(&hub->lock);
    waiters = hub->waiters;
    pthread_mutex_unlock(&hub->lock);
    return waiters;
}

void wait_hub_wake(struct wait_hub *hub)
{
    if (!hub)
        return;
    pthread_mutex_lock(&hub->lock);
    hub->generation++;
    if (hub->waiters > 0)
        pthread_cond_broadcast(&hub->changed);
    pthread_mutex_unlock(&hub->lock);
}

void wait_hub_drain(struct wait_hub *hub)
{
    if (!hub)
        return;
    pthread_mutex_lock(&hub->lock);
    hub->draining = true;
    pthread_cond_broadcast(&hub->changed);
    pthread_mutex_unlock(&hub->lock);
}

static bool is_gone(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLRDHUP};

    return fd >= 0 && poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

static void sleep_locked(struct wait_hub *hub, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&hub->changed, &hub->lock, &until);
}

static enum wait_result wait_locked(struct wait_hub *hub, int fd, uint64_t seen, int64_t until_boot_ms)
{
    for (;;) {
        int64_t left = until_boot_ms - clock_boot_ms();

        if (hub->generation != seen)
            return WAIT_WOKEN;
        if (hub->draining)
            return WAIT_DRAIN;
        if (left <= 0)
            return WAIT_TIMEOUT;
        if (is_gone(fd))
            return WAIT_GONE;
        sleep_locked(hub, left < LOOK_MS ? left : LOOK_MS);
    }
}

bool wait_hub_enter(struct wait_hub *hub)
{
    bool free_place;

    pthread_mutex_lock(&hub->lock);
    free_place = hub->waiters < hub->max;
    hub->waiters += free_place;
    pthread_mutex_unlock(&hub->lock);
    return free_place;
}

void wait_hub_leave(struct wait_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    hub->waiters--;
    pthread_mutex_unlock(&hub->lock);
}

enum wait_result wait_hub_wait(struct wait_hub *hub, int fd, uint64_t seen, int64_t until_boot_ms)
{
    enum wait_result result;

    pthread_mutex_lock(&hub->lock);
    result = wait_locked(hub, fd, seen, until_boot_ms);
    pthread_mutex_unlock(&hub->lock);
    return result;
}
