#include "base/id.h"

#include <pthread.h>
#include <stdlib.h>
#include <openssl/rand.h>

#include "base/clock.h"

void random_bytes(void *ret_data, size_t len)
{
    /* Without randomness no id, token or nonce is safe: there is nothing sensible left to do. */
    if (RAND_bytes(ret_data, (int)len) != 1)
        abort();
}

/* Random bytes for 64 ids at once, each given out once: asking OpenSSL for a few costs as much as for many.
 * The caller holds the lock. */
static void random_id(struct id *ret_id)
{
    static struct id stock[64];
    static size_t left;

    if (left == 0) {
        random_bytes(stock, sizeof(stock));
        left = sizeof(stock) / sizeof(stock[0]);
    }
    *ret_id = stock[--left];
}

struct id id_new(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int64_t last_ms;
    static uint32_t
        sequence; /* 12 bits of order within a millisecond, then the next millisecond is borrowed */
    struct id id;
    int64_t ms;
    uint32_t order;

    pthread_mutex_lock(&lock);
    random_id(&id);
    ms = clock_wall_ms();
    if (ms > last_ms) {
        last_ms = ms;
        sequence = (uint32_t)(id.bytes[6] << 8 | id.bytes[7]) & 0x7FF;
    } else if (++sequence > 0xFFF) {
        last_ms++;
        sequence = 0;
    }
    ms = last_ms;
    order = sequence;
    pthread_mutex_unlock(&lock);

    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(ms >> (8 * (5 - i)));
    id.bytes[6] = (uint8_t)(0x70 | order >> 8);
    id.bytes[7] = (uint8_t)order;
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3F));
    return id;
}

void id_format(const struct id *id, char ret_text[ID_SIZE])
{
    char hex[HEX_SIZE(16)];
    char *to = ret_text;

    hex_encode(id->bytes, 16, hex);
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            *to++ = '-';
        *to++ = hex[i];
    }
    *to = '\0';
}

bool id_parse(struct bytes text, struct id *ret_id)
{
    char hex[32];
    size_t n = 0;

    if (text.len != ID_SIZE - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

        if (hyphen != (text.data[i] == '-'))
            return false;
        if (!hyphen)
            hex[n++] = text.data[i];
    }
    return hex_decode((struct bytes){hex, 32}, ret_id->bytes, 16);
}

bool id_is_zero(const struct id *id)
{
    static const struct id zero;

    return id_equal(id, &zero);
}

bool id_equal(const struct id *a, const struct id *b)
{
    return !memcmp(a, b, sizeof(*a));
}
