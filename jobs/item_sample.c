#include "jobs/item_sample.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, ITEM_SAMPLE_BYTES);
}

static void swap(struct item_sample *sample, size_t a, size_t b)
{
    unsigned char kept[ITEM_SAMPLE_BYTES];

    memcpy(kept, sample->digests[a], sizeof(kept));
    memcpy(sample->digests[a], sample->digests[b], sizeof(kept));
    memcpy(sample->digests[b], kept, sizeof(kept));
}

static void rise(struct item_sample *sample, size_t at)
{
    while (at > 0 && compare(sample->digests[at], sample->digests[(at - 1) / 2]) > 0) {
        swap(sample, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static void sink(struct item_sample *sample, size_t at)
{
    for (;;) {
        size_t largest = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < sample->count; child++)
            if (compare(sample->digests[child], sample->digests[largest]) > 0)
                largest = child;
        if (largest == at)
            return;
        swap(sample, at, largest);
        at = largest;
    }
}

void item_sample_add(struct item_sample *sample, const unsigned char digest[SHA256_BYTES])
{
    size_t at = sample->count;

    if (at < ITEM_SAMPLE_MAX) {
        memcpy(sample->digests[at], digest, ITEM_SAMPLE_BYTES);
        rise(sample, at);
        sample->count = at + 1;
    } else if (compare(digest, sample->digests[0]) < 0) {
        memcpy(sample->digests[0], digest, ITEM_SAMPLE_BYTES);
        sink(sample, 0);
    }
}

void item_sample_write(const struct item_sample *sample, struct json_writer *writer, const char *name)
{
    char hex[HEX_SIZE(ITEM_SAMPLE_BYTES)];

    json_put_array(writer, name);
    for (size_t i = 0; i < sample->count; i++) {
        hex_encode(sample->digests[i], ITEM_SAMPLE_BYTES, hex);
        json_put_text(writer, NULL, hex);
    }
    json_put_array_end(writer);
}

bool item_sample_read(const json_t *array, struct item_sample *ret_sample)
{
    const json_t *hex;
    size_t i;

    ret_sample->count = 0;
    if (json_array_size(array) > ITEM_SAMPLE_MAX)
        return false;
    json_array_foreach((json_t *)(uintptr_t)array, i, hex) {
        unsigned char digest[SHA256_BYTES] = {0};

        if (!json_is_string(hex) || !hex_decode(bytes_of(json_string_value(hex)), digest, ITEM_SAMPLE_BYTES))
            return false;
        item_sample_add(ret_sample, digest);
    }
    return true;
}

size_t item_sample_twice(unsigned char (*digests)[ITEM_SAMPLE_BYTES], size_t count)
{
    size_t twice = 0;

    if (count > 1)
        qsort(digests, count, ITEM_SAMPLE_BYTES, compare);
    for (size_t i = 1; i < count; i++)
        twice += compare(digests[i - 1], digests[i]) == 0;
    return twice;
}
