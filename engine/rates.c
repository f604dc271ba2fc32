/*
 * Rate caps: one account of time a table and direction, shared by all workers. Each spending moves the
 * account's time on by units/rate; who is ahead of the clock waits. An account never saves more than a second
 * of unused rate: one that has saved it says no more than a new one, and is forgotten.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/internal.h"

#define BURST_US 1000000

struct account {
    struct account *next;
    int64_t free_at_us;
    char key[];
};

struct rates {
    pthread_mutex_t lock;
    struct account *accounts; /* one a table in use now: few */
};

struct rates *rates_new(void)
{
    struct rates *rates = calloc(1, sizeof(*rates));

    if (rates)
        pthread_mutex_init(&rates->lock, NULL);
    return rates;
}

void rates_free(struct rates *rates)
{
    struct account *next;

    if (!rates)
        return;
    for (struct account *account = rates->accounts; account; account = next) {
        next = account->next;
        free(account);
    }
    pthread_mutex_destroy(&rates->lock);
    free(rates);
}

/* Jobs make tables of their own, so who is not used any more must go. */
static void forget_idle(struct rates *rates, int64_t now)
{
    for (struct account **at = &rates->accounts; *at;) {
        struct account *account = *at;

        if (account->free_at_us >= now - BURST_US) {
            at = &account->next;
            continue;
        }
        *at = account->next;
        free(account);
    }
}

static struct account *account_of(struct rates *rates, const char *key, int64_t now)
{
    struct account *account = rates->accounts;
    size_t size = strlen(key) + 1;

    while (account && strcmp(account->key, key))
        account = account->next;
    if (account)
        return account;
    forget_idle(rates, now);
    account = calloc(1, sizeof(*account) + size);
    if (!account)
        return NULL;
    memcpy(account->key, key, size);
    account->next = rates->accounts;
    rates->accounts = account;
    return account;
}

int64_t rates_spend(struct rates *rates, const char *key, double units, double per_second)
{
    int64_t now = clock_boot_us();
    struct account *account;
    int64_t wait_us = 0;

    if (per_second <= 0 || units <= 0)
        return 0;
    pthread_mutex_lock(&rates->lock);
    account = account_of(rates, key, now);
    if (account) {
        if (account->free_at_us < now - BURST_US)
            account->free_at_us = now - BURST_US;
        account->free_at_us += (int64_t)(units / per_second * 1e6);
        wait_us = account->free_at_us - now;
    }
    pthread_mutex_unlock(&rates->lock);
    if (!account)
        return -1;
    return wait_us > 0 ? (wait_us + 999) / 1000 : 0;
}
