/*
 * Principals of tokens that were verified, by the SHA-256 of the whole token text, each until its token's
 * exp. Bounded; split into shards with a lock each. A cache belongs to one verifier and goes with it, so that
 * a reload starts empty. Thread rule: any thread.
 */
#pragma once
#include "auth/claims.h"
#include "base/arena.h"
#include "base/principal.h"

#define TOKEN_KEY_SIZE 32

struct token_cache;

struct token_cache *token_cache_new(void); /* NULL without memory */
void token_cache_free(struct token_cache *cache);

/* Makes the cache's own copy. Without memory it is simply not kept. */
void token_cache_put(struct token_cache *cache, const uint8_t key[TOKEN_KEY_SIZE],
                     const struct principal *principal, const struct claims_window *window);
/* 1 with a principal whose strings the arena keeps alive (address NULL), 0 when there is none for `now_ms`,
 * -1 with NO_MEMORY. Never one before its window or from its exp on. */
int token_cache_find(struct token_cache *cache, const uint8_t key[TOKEN_KEY_SIZE], int64_t now_ms,
                     struct arena *arena, struct principal *ret_principal, struct err *err);
size_t token_cache_count(struct token_cache *cache); /* entries kept, expired ones included */
