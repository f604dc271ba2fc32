#include "http/deadline.h"

#include <limits.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"

/* A client that has just been answered may be about to send; a drain leaves it this long. */
#define DRAIN_IDLE_MS 300

struct deadlines {
    struct http_deadlines limits;
    pthread_mutex_t lock;
    pthread_cond_t stop_now;
    struct deadline *first;
    int count;
    int64_t held;
    int64_t given_back; /* of what was held, since the allocator was last told to do the same */
    bool draining;
    bool stopping;
    pthread_t thread;
};

static void traffic(int fd, uint64_t *ret_received, uint64_t *ret_acked)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    *ret_received = *ret_acked = 0;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
        len < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received))
        return;
    *ret_received = info.tcpi_bytes_received;
    *ret_acked = info.tcpi_bytes_acked;
}

static bool idle_too_long(const struct deadlines *all, struct deadline *one, int64_t now)
{
    uint64_t received, acked;

    traffic(one->fd, &received, &acked);
    if (received > one->bytes) {
        one->phase = DEADLINE_HEAD;
        one->since_ms = one->turn_ms = now;
        return false;
    }
    if (all->draining && now - one->since_ms >= DRAIN_IDLE_MS)
        return true;
    return now - one->since_ms >= all->limits.idle_ms;
}

static bool reader_stalls(const struct deadlines *all, struct deadline *one, int64_t now)
{
    uint64_t received, acked;

    if (one->noted && now - one->since_ms < all->limits.stall_ms)
        return false;
    traffic(one->fd, &received, &acked);
    if (one->noted && acked - one->bytes < (uint64_t)HTTP_REPLY_STALL_BYTES)
        return true;
    one->noted = true;
    one->since_ms = now;
    one->bytes = acked;
    return false;
}

static bool is_late(const struct deadlines *all, struct deadline *one, int64_t now)
{
    switch (one->phase) {
    case DEADLINE_IDLE:
        return idle_too_long(all, one, now);
    case DEADLINE_HEAD:
        return now - one->since_ms >= all->limits.header_ms;
    case DEADLINE_BODY:
        return now - one->since_ms >= all->limits.request_ms;
    case DEADLINE_REPLY:
        return reader_stalls(all, one, now);
    case DEADLINE_WORK:
        break;
    }
    return false;
}

/* What a reader has not taken goes with it: left to the kernel it would wait there as long as he likes. */
static void shoot(struct deadline *one)
{
    const struct linger none = {.l_onoff = 1};

    one->shot = true;
    if (one->phase == DEADLINE_REPLY)
        setsockopt(one->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    shutdown(one->fd, SHUT_RDWR);
}

/* -- when room is short -- */
/* Silent ones before those in the middle of something: the phases' order. Then the longest turn. */
static bool goes_before(const struct deadline *one, const struct deadline *other)
{
    return one->phase != other->phase ? one->phase < other->phase : one->turn_ms < other->turn_ms;
}

static struct deadline *first_to_go(const struct deadlines *all, bool holding, int64_t now)
{
    struct deadline *found = NULL;

    for (struct deadline *one = all->first; one; one = one->next) {
        if (one->shot || one->phase == DEADLINE_WORK || now - one->turn_ms < all->limits.patience_ms ||
            (holding && one->held == 0))
            continue;
        if (!found || goes_before(one, found))
            found = one;
    }
    return found;
}

/* The ones that were shot are still counted until their threads have ended them: the goal counts them out. */
static void make_room(struct deadlines *all, int64_t now)
{
    int too_many = all->count - all->limits.connections;
    int64_t too_much = all->held - all->limits.held_bytes;
    struct deadline *one;

    for (one = all->first; one; one = one->next)
        if (one->shot) {
            too_many--;
            too_much -= one->held;
        }
    for (int i = 0; i < HTTP_ROOM_A_TICK && too_much > 0 && (one = first_to_go(all, true, now)); i++) {
        too_many--;
        too_much -= one->held;
        shoot(one);
    }
    for (int i = 0; i < HTTP_ROOM_A_TICK && too_many > 0 && (one = first_to_go(all, false, now)); i++) {
        too_many--;
        shoot(one);
    }
}

/* -- the watch -- */
static void wait_a_tick(struct deadlines *all)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += HTTP_TICK_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&all->stop_now, &all->lock, &until);
}

/* The allocator keeps what was freed for the next one who asks; after a crowd of large replies that is too
 * much. */
static void give_back(struct deadlines *all)
{
    if (all->given_back < HTTP_GIVE_BACK)
        return;
    all->given_back = 0;
    pthread_mutex_unlock(&all->lock);
    malloc_trim(0);
    pthread_mutex_lock(&all->lock);
}

static void *watch(void *arg)
{
    struct deadlines *all = arg;

    pthread_mutex_lock(&all->lock);
    while (!all->stopping) {
        int64_t now = clock_boot_ms();

        for (struct deadline *one = all->first; one; one = one->next)
            if (!one->shot && is_late(all, one, now))
                shoot(one);
        make_room(all, now);
        wait_a_tick(all);
        give_back(all);
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

struct deadlines *deadlines_start(const struct http_deadlines *limits, struct err *err)
{
    _cleanup_(cleanup_free) struct deadlines *all = calloc(1, sizeof(*all));
    pthread_condattr_t attributes;

    if (!all) {
        err_set(err, ERR_NO_MEMORY, "deadlines");
        return NULL;
    }
    all->limits.header_ms = or_default(limits->header_ms, HTTP_HEADERS_DEADLINE_MS);
    all->limits.request_ms = or_default(limits->request_ms, HTTP_REQUEST_DEADLINE_MS);
    all->limits.idle_ms = or_default(limits->idle_ms, HTTP_IDLE_TIMEOUT_S * 1000LL);
    all->limits.stall_ms = or_default(limits->stall_ms, HTTP_REPLY_STALL_MS);
    all->limits.patience_ms = or_default(limits->patience_ms, HTTP_PATIENCE_MS);
    all->limits.connections = limits->connections > 0 ? limits->connections : INT_MAX;
    all->limits.held_bytes = or_default(limits->held_bytes, HTTP_HELD_MAX);
    pthread_mutex_init(&all->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&all->stop_now, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&all->thread, NULL, watch, all) != 0) {
        err_set(err, ERR_NO_MEMORY, "thread of deadlines");
        return NULL;
    }
    return TAKE(all);
}

void deadlines_stop(struct deadlines *all)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    pthread_cond_signal(&all->stop_now);
    pthread_mutex_unlock(&all->lock);
    pthread_join(all->thread, NULL);
    pthread_cond_destroy(&all->stop_now);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

void deadline_add(struct deadlines *all, struct deadline *one, int fd)
{
    int64_t now = clock_boot_ms();

    *one = (struct deadline){.fd = fd, .phase = DEADLINE_IDLE, .since_ms = now, .turn_ms = now};
    pthread_mutex_lock(&all->lock);
    one->next = all->first;
    if (all->first)
        all->first->previous = one;
    all->first = one;
    all->count++;
    pthread_mutex_unlock(&all->lock);
}

void deadline_remove(struct deadlines *all, struct deadline *one)
{
    pthread_mutex_lock(&all->lock);
    if (one->next)
        one->next->previous = one->previous;
    if (one->previous)
        one->previous->next = one->next;
    else
        all->first = one->next;
    all->held -= one->held;
    all->count--;
    pthread_mutex_unlock(&all->lock);
}

void deadline_phase(struct deadlines *all, struct deadline *one, enum deadline_phase phase)
{
    uint64_t received = 0, acked = 0;
    int64_t now = clock_boot_ms();

    if (phase == DEADLINE_IDLE) /* at once: the next byte begins a head */
        traffic(one->fd, &received, &acked);
    pthread_mutex_lock(&all->lock);
    /* a head that the watch has seen begin keeps its first byte; so does the body behind it */
    if (phase != DEADLINE_BODY && !(phase == DEADLINE_HEAD && one->phase == DEADLINE_HEAD))
        one->since_ms = now;
    one->turn_ms = one->since_ms;
    one->bytes = received;
    one->noted = phase != DEADLINE_REPLY; /* most replies have gone before the watch comes by */
    one->phase = phase;
    pthread_mutex_unlock(&all->lock);
}

bool deadline_hold(struct deadlines *all, struct deadline *one, int64_t bytes)
{
    bool fits;

    pthread_mutex_lock(&all->lock);
    fits = bytes == 0 || all->held - one->held + bytes <= HTTP_HELD_FACTOR * all->limits.held_bytes;
    if (fits) {
        all->given_back += bytes < one->held ? one->held - bytes : 0;
        all->held += bytes - one->held;
        one->held = bytes;
    }
    pthread_mutex_unlock(&all->lock);
    return fits;
}

void deadlines_drain(struct deadlines *all)
{
    pthread_mutex_lock(&all->lock);
    all->draining = true;
    pthread_mutex_unlock(&all->lock);
}

int deadlines_count(struct deadlines *all)
{
    int count;

    pthread_mutex_lock(&all->lock);
    count = all->count;
    pthread_mutex_unlock(&all->lock);
    return count;
}
