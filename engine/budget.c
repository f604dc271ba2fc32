#include "engine/internal.h"

#define WAIT_MS 200

void budget_init(struct budget *budget, int64_t size)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* engine_in_ms */
    pthread_mutex_init(&budget->lock, NULL);
    pthread_cond_init(&budget->freed, &attr);
    pthread_condattr_destroy(&attr);
    budget->size = size;
    budget->used = 0;
}

void budget_done(struct budget *budget)
{
    pthread_cond_destroy(&budget->freed);
    pthread_mutex_destroy(&budget->lock);
}

bool budget_take(struct budget *budget, int64_t bytes)
{
    struct timespec until = engine_in_ms(WAIT_MS);
    bool taken;

    pthread_mutex_lock(&budget->lock);
    while (budget->used > 0 && budget->used > budget->size - bytes)
        if (pthread_cond_timedwait(&budget->freed, &budget->lock, &until) != 0)
            break;
    taken = budget->used == 0 || budget->used <= budget->size - bytes;
    if (taken)
        budget->used += bytes;
    pthread_mutex_unlock(&budget->lock);
    return taken;
}

void budget_give(struct budget *budget, int64_t bytes)
{
    pthread_mutex_lock(&budget->lock);
    budget->used -= bytes;
    pthread_cond_broadcast(&budget->freed);
    pthread_mutex_unlock(&budget->lock);
}
