/* What every list is asked with: whose rows, of which time, from where, how many. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A repeatable filter: any of these; count 0: not asked. */
struct filter {
    const char *const *values;
    size_t count;
};

struct list_page {
    struct filter visible; /* environments the caller sees; count 0: none at all, and then nothing is found */
    bool visible_all;      /* sees every environment, and rows without one */
    int64_t since, until;  /* 0: open; since inclusive, until exclusive */
    int64_t before_key;    /* keyset, exclusive; 0: from the newest */
    size_t limit;          /* 0: LIST_DEFAULT; capped at LIST_MAX */
};
