#include "item/order.h"

#include <string.h>

#define INSERTION_MAX 16

int order_compare(const char *text, const struct order_entry *a, const struct order_entry *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    uint32_t shorter = a->name_len < b->name_len ? a->name_len : b->name_len;
    int order = memcmp(text + a->at + 1, text + b->at + 1, shorter);
    if (order != 0)
        return order;
    return a->name_len < b->name_len ? -1 : a->name_len > b->name_len;
}

static void sort_by_insertion(const char *text, struct order_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct order_entry entry = entries[i];
        size_t j = i;
        for (; j > 0 && order_compare(text, &entry, &entries[j - 1]) < 0; j--)
            entries[j] = entries[j - 1];
        entries[j] = entry;
    }
}

static void merge(const char *text, const struct order_entry *from, size_t middle, size_t count,
                  struct order_entry *to)
{
    size_t left = 0, right = middle;
    for (size_t i = 0; i < count; i++) {
        if (right == count || (left < middle && order_compare(text, &from[left], &from[right]) <= 0))
            to[i] = from[left++];
        else
            to[i] = from[right++];
    }
}

/* Bottom up, from short runs sorted in place; the two arrays change roles on each round. */
void order_sort(const char *text, struct order_entry *entries, struct order_entry *spare, size_t count)
{
    for (size_t i = 0; i < count; i += INSERTION_MAX)
        sort_by_insertion(text, entries + i, count - i < INSERTION_MAX ? count - i : INSERTION_MAX);
    struct order_entry *from = entries, *to = spare;
    for (size_t width = INSERTION_MAX; width < count; width *= 2) {
        for (size_t i = 0; i < count; i += 2 * width) {
            size_t size = count - i < 2 * width ? count - i : 2 * width;
            merge(text, from + i, width < size ? width : size, size, to + i);
        }
        struct order_entry *other = from;
        from = to;
        to = other;
    }
    if (from != entries)
        memcpy(entries, from, count * sizeof *entries);
}
