#include "auth/token_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"

#define SHARDS 16
#define SLOTS (TOKEN_CACHE_MAX / SHARDS)

/* A principal with all its strings in one block, counted: the cache holds one reference, each request
 * another. */
struct entry {
    atomic_uint references;
    struct claims_window window;
    struct principal principal;
    char text[]; /* grants first (aligned), then strings */
};

struct shard {
    pthread_mutex_t lock;
    uint64_t used_at; /* counts uses; the slot with the smallest stamp is the one to give up */
    uint64_t prefix[SLOTS];
    uint64_t stamp[SLOTS];
    uint8_t keys[SLOTS][TOKEN_KEY_SIZE];
    struct entry *entries[SLOTS];
};

struct token_cache {
    struct shard shards[SHARDS];
};

/* -- entries -- */

static void entry_release(void *pointer)
{
    struct entry *entry = pointer;

    if (entry && atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) == 1)
        free(entry);
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static size_t principal_size(const struct principal *principal)
{
    size_t size = principal->grant_count * sizeof(struct grant);

    size += text_size(principal->issuer) + text_size(principal->subject) + text_size(principal->identity) +
            text_size(principal->token_id);
    for (size_t i = 0; i < principal->grant_count; i++)
        size += text_size(principal->grants[i].environment);
    return size;
}

static const char *put_text(char **at, const char *text)
{
    size_t size = text_size(text);
    char *to = *at;

    if (!size)
        return NULL;
    memcpy(to, text, size);
    *at += size;
    return to;
}

static struct entry *entry_new(const struct principal *principal, const struct claims_window *window)
{
    struct entry *entry = calloc(1, sizeof(*entry) + principal_size(principal));

    if (!entry)
        return NULL;
    struct grant *grants = (struct grant *)entry->text;
    char *at = entry->text + principal->grant_count * sizeof(struct grant);
    atomic_init(&entry->references, 1);
    entry->window = *window;
    entry->principal = *principal;
    entry->principal.address = NULL;
    entry->principal.channel = NULL;
    entry->principal.issuer = put_text(&at, principal->issuer);
    entry->principal.subject = put_text(&at, principal->subject);
    entry->principal.identity = put_text(&at, principal->identity);
    entry->principal.token_id = put_text(&at, principal->token_id);
    for (size_t i = 0; i < principal->grant_count; i++)
        grants[i] =
            (struct grant){principal->grants[i].role, put_text(&at, principal->grants[i].environment)};
    entry->principal.grants = grants;
    return entry;
}

_Static_assert(offsetof(struct entry, text) % _Alignof(struct grant) == 0,
               "grants stand at the front of text");

/* -- shards -- */

static uint64_t prefix_of(const uint8_t *key)
{
    uint64_t prefix;

    memcpy(&prefix, key + 8, sizeof(prefix)); /* the first bytes choose the shard */
    return prefix;
}

static struct shard *shard_of(struct token_cache *cache, const uint8_t *key)
{
    return &cache->shards[key[0] % SHARDS];
}

/* The slot of this key, SLOTS when it has none. */
static size_t slot_of(const struct shard *shard, const uint8_t *key)
{
    uint64_t prefix = prefix_of(key);

    for (size_t i = 0; i < SLOTS; i++)
        if (shard->prefix[i] == prefix && shard->entries[i] &&
            memcmp(shard->keys[i], key, TOKEN_KEY_SIZE) == 0)
            return i;
    return SLOTS;
}

/* An empty slot, or the one that was not used for the longest time. */
static size_t slot_to_fill(const struct shard *shard)
{
    size_t oldest = 0;

    for (size_t i = 0; i < SLOTS; i++) {
        if (!shard->entries[i])
            return i;
        if (shard->stamp[i] < shard->stamp[oldest])
            oldest = i;
    }
    return oldest;
}

static struct entry *take_slot(struct shard *shard, size_t slot)
{
    struct entry *entry = shard->entries[slot];

    shard->entries[slot] = NULL;
    return entry;
}

struct token_cache *token_cache_new(void)
{
    struct token_cache *cache = calloc(1, sizeof(*cache));

    for (size_t i = 0; cache && i < SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].lock, NULL); /* cannot fail with default attributes on Linux */
    return cache;
}

void token_cache_free(struct token_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        for (size_t k = 0; k < SLOTS; k++)
            entry_release(cache->shards[i].entries[k]);
        pthread_mutex_destroy(&cache->shards[i].lock);
    }
    free(cache);
}

void token_cache_put(struct token_cache *cache, const uint8_t key[TOKEN_KEY_SIZE],
                     const struct principal *principal, const struct claims_window *window)
{
    struct shard *shard = shard_of(cache, key);
    struct entry *entry = entry_new(principal, window);

    if (!entry)
        return;
    pthread_mutex_lock(&shard->lock);
    size_t slot = slot_of(shard, key);
    if (slot == SLOTS)
        slot = slot_to_fill(shard);
    struct entry *old = take_slot(shard, slot);
    memcpy(shard->keys[slot], key, TOKEN_KEY_SIZE);
    shard->prefix[slot] = prefix_of(key);
    shard->stamp[slot] = ++shard->used_at;
    shard->entries[slot] = entry;
    pthread_mutex_unlock(&shard->lock);
    entry_release(old);
}

int token_cache_find(struct token_cache *cache, const uint8_t key[TOKEN_KEY_SIZE], int64_t now_ms,
                     struct arena *arena, struct principal *ret_principal, struct err *err)
{
    struct shard *shard = shard_of(cache, key);
    struct entry *entry = NULL;
    struct entry *expired = NULL;

    pthread_mutex_lock(&shard->lock);
    size_t slot = slot_of(shard, key);
    if (slot < SLOTS && now_ms >= shard->entries[slot]->window.until_ms) {
        expired = take_slot(shard, slot);
    } else if (slot < SLOTS && now_ms >= shard->entries[slot]->window.from_ms) {
        entry = shard->entries[slot];
        atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        shard->stamp[slot] = ++shard->used_at;
    }
    pthread_mutex_unlock(&shard->lock);
    entry_release(expired);
    if (!entry)
        return 0;
    if (arena_defer(arena, entry_release, entry) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a principal");
    *ret_principal = entry->principal;
    return 1;
}

size_t token_cache_count(struct token_cache *cache)
{
    size_t count = 0;

    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];

        pthread_mutex_lock(&shard->lock);
        for (size_t k = 0; k < SLOTS; k++)
            count += shard->entries[k] != NULL;
        pthread_mutex_unlock(&shard->lock);
    }
    return count;
}
