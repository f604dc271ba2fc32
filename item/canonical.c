#include "item/canonical.h"

#include <stdlib.h>
#include <openssl/crypto.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "item/number.h"
#include "item/order.h"
#include "item/text.h"

/* Commas and brackets that are written before it is known whether they belong; numbers grow by two bytes at
 * most. */
#define OUT_SLACK 64
#define ENTRIES_FIRST 256

struct memory {
    void *data;
    size_t size;
};

struct item_scratch {
    struct sha256 *sha;
    struct memory out;     /* the canonical text */
    struct memory members; /* of one map or set, while they change places */
    struct memory entries; /* a stack: the open maps' and sets' members */
    struct memory spare;   /* for the sort */
    size_t entry_count;
};

/* One item being read. `what` is set once, by whoever finds the fault. */
struct canon {
    struct scan in;
    char *to;
    char *out;
    struct item_scratch *scratch;
    const char *what;
    bool no_memory;
};

typedef bool emit_fn(struct canon *c, unsigned depth);
static bool emit_value(struct canon *c, unsigned depth);

static void memory_done(struct memory *memory)
{
    if (memory->data)
        OPENSSL_cleanse(memory->data, memory->size);
    free(memory->data);
    *memory = (struct memory){NULL, 0};
}

/* At least `size` bytes; the first `keep` stay. */
static bool memory_grow(struct memory *memory, size_t size, size_t keep)
{
    if (memory->size >= size)
        return true;
    size_t grown = memory->size * 2 > size ? memory->size * 2 : size;
    struct memory larger = {malloc(grown), grown};
    if (!larger.data)
        return false;
    if (keep > 0)
        memcpy(larger.data, memory->data, keep);
    memory_done(memory);
    *memory = larger;
    return true;
}

struct item_scratch *item_scratch_new(struct err *err)
{
    _cleanup_(item_scratch_free_p) struct item_scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch || !memory_grow(&scratch->entries, ENTRIES_FIRST * sizeof(struct order_entry), 0)) {
        err_set(err, ERR_NO_MEMORY, "no memory for reading items");
        return NULL;
    }
    scratch->sha = sha256_new(err);
    return scratch->sha ? TAKE(scratch) : NULL;
}

void item_scratch_free(struct item_scratch *scratch)
{
    if (!scratch)
        return;
    sha256_free(scratch->sha);
    memory_done(&scratch->out);
    memory_done(&scratch->members);
    memory_done(&scratch->entries);
    memory_done(&scratch->spare);
    free(scratch);
}

static bool wrong(struct canon *c, const char *what)
{
    if (!c->what)
        c->what = what;
    return false;
}

static bool no_memory(struct canon *c)
{
    c->no_memory = true;
    return wrong(c, "no memory");
}

static bool take(struct canon *c, char bracket, const char *what)
{
    if (!scan_take(&c->in, bracket))
        return wrong(c, what);
    *c->to++ = bracket;
    return true;
}

static bool emit_string(struct canon *c, unsigned depth)
{
    (void)depth;
    const char *what = text_canonical(&c->in, &c->to);
    return what ? wrong(c, what) : true;
}

static bool emit_number(struct canon *c, unsigned depth)
{
    char *text = c->to + 1, number[NUMBER_CANONICAL_SIZE];
    if (!emit_string(c, depth))
        return false;
    size_t len;
    const char *what = number_canonical((struct bytes){text, (size_t)(c->to - 1 - text)}, number, &len);
    if (what)
        return wrong(c, what);
    memcpy(text, number, len);
    c->to = text + len;
    *c->to++ = '"';
    return true;
}

/* RFC 4648 section 4: alphabet, padding, zero bits behind the last byte. */
static bool base64_is_strict(const char *text, size_t len)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const bool known[256] = {
        ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['0' ... '9'] = 1, ['+'] = 1, ['/'] = 1};
    if (len % 4 != 0)
        return false;
    if (len == 0)
        return true;
    size_t pads = text[len - 1] != '=' ? 0 : text[len - 2] != '=' ? 1 : 2;
    for (size_t i = 0; i < len - pads; i++)
        if (!known[(unsigned char)text[i]])
            return false;
    size_t last = (size_t)(strchr(alphabet, text[len - pads - 1]) - alphabet);
    return pads == 0 || (last & (pads == 1 ? 3 : 15)) == 0;
}

static bool emit_binary(struct canon *c, unsigned depth)
{
    char *text = c->to + 1;
    if (!emit_string(c, depth))
        return false;
    return base64_is_strict(text, (size_t)(c->to - 1 - text)) || wrong(c, "binary that is not strict base64");
}

static bool emit_word(struct canon *c, const char *word)
{
    size_t len = strlen(word);
    scan_space(&c->in);
    if ((size_t)(c->in.end - c->in.at) < len || memcmp(c->in.at, word, len) != 0)
        return false;
    memcpy(c->to, word, len);
    c->in.at += len;
    c->to += len;
    return true;
}

static bool emit_bool(struct canon *c, unsigned depth)
{
    (void)depth;
    return emit_word(c, "true") || emit_word(c, "false") || wrong(c, "BOOL that is neither true nor false");
}

static bool emit_null(struct canon *c, unsigned depth)
{
    (void)depth;
    return emit_word(c, "true") || wrong(c, "NULL that is not true");
}

/* Behind a member: true when another follows (its comma is written), false at the end (the bracket is). */
static bool another(struct canon *c, char bracket)
{
    if (scan_take(&c->in, ',')) {
        *c->to++ = ',';
        return true;
    }
    return take(c, bracket, "no comma or closing bracket where one belongs") && false;
}

static bool emit_list(struct canon *c, unsigned depth)
{
    if (!take(c, '[', "L that is not an array"))
        return false;
    if (scan_take(&c->in, ']')) {
        *c->to++ = ']';
        return true;
    }
    do {
        if (!emit_value(c, depth + 1))
            return false;
    } while (another(c, ']'));
    return !c->what;
}

/* The member that starts at `at` and ends at c->to goes on the stack. */
static bool push(struct canon *c, const char *at, size_t name_len)
{
    struct item_scratch *scratch = c->scratch;
    size_t used = scratch->entry_count * sizeof(struct order_entry);
    if (scratch->entry_count == ITEM_ENTRIES_MAX)
        return wrong(c, "more members than an item can have");
    if (!memory_grow(&scratch->entries, used + sizeof(struct order_entry), used))
        return no_memory(c);
    ((struct order_entry *)scratch->entries.data)[scratch->entry_count++] =
        order_entry_of(c->out, (uint32_t)(at - c->out), (uint32_t)name_len, (uint32_t)(c->to - at));
    return true;
}

/* Writes the members in the order of their entries, back to where they stand. */
static bool rearrange(struct canon *c, const struct order_entry *entries, size_t count, char *members,
                      size_t size)
{
    if (!memory_grow(&c->scratch->members, size + 1, 0))
        return no_memory(c);
    char *to = c->scratch->members.data;
    for (size_t i = 0; i < count; i++) {
        memcpy(to, c->out + entries[i].at, entries[i].len);
        to += entries[i].len;
        *to++ = ',';
    }
    memcpy(members, c->scratch->members.data, size);
    return true;
}

/* The members on the stack from `first` on leave it; they stand from `members` to before c->to's bracket. */
static bool put_in_order(struct canon *c, size_t first, char *members, const char *repeated)
{
    struct order_entry *entries = (struct order_entry *)c->scratch->entries.data + first;
    size_t count = c->scratch->entry_count - first, i = 1;
    c->scratch->entry_count = first;
    while (i < count && order_compare(c->out, &entries[i - 1], &entries[i]) < 0)
        i++;
    if (i >= count)
        return true;
    if (!memory_grow(&c->scratch->spare, count * sizeof *entries, 0))
        return no_memory(c);
    order_sort(c->out, entries, c->scratch->spare.data, count);
    for (i = 1; i < count; i++)
        if (order_compare(c->out, &entries[i - 1], &entries[i]) == 0)
            return wrong(c, repeated);
    return rearrange(c, entries, count, members, (size_t)(c->to - 1 - members));
}

static bool emit_map(struct canon *c, unsigned depth)
{
    size_t first = c->scratch->entry_count;
    if (!take(c, '{', "no map where one belongs"))
        return false;
    char *members = c->to;
    if (scan_take(&c->in, '}')) {
        *c->to++ = '}';
        return true;
    }
    do {
        char *at = c->to;
        if (!emit_string(c, depth))
            return false;
        size_t name_len = (size_t)(c->to - at) - 2;
        if (!take(c, ':', "no colon behind a name") || !emit_value(c, depth + 1) || !push(c, at, name_len))
            return false;
    } while (another(c, '}'));
    return !c->what && put_in_order(c, first, members, "a repeated name");
}

static bool emit_set(struct canon *c, emit_fn *member)
{
    size_t first = c->scratch->entry_count;
    if (!take(c, '[', "a set that is not an array"))
        return false;
    char *members = c->to;
    if (scan_take(&c->in, ']'))
        return wrong(c, "an empty set");
    do {
        char *at = c->to;
        if (!member(c, 0) || !push(c, at, (size_t)(c->to - at) - 2))
            return false;
    } while (another(c, ']'));
    return !c->what && put_in_order(c, first, members, "a set with equal members");
}

static bool emit_string_set(struct canon *c, unsigned depth)
{
    (void)depth;
    return emit_set(c, emit_string);
}
static bool emit_number_set(struct canon *c, unsigned depth)
{
    (void)depth;
    return emit_set(c, emit_number);
}
static bool emit_binary_set(struct canon *c, unsigned depth)
{
    (void)depth;
    return emit_set(c, emit_binary);
}

static const struct type {
    const char *name; /* as emitted, with quotes */
    size_t len;
    emit_fn *emit;
} types[] = {
    {"\"S\"", 3, emit_string},      {"\"N\"", 3, emit_number},      {"\"BOOL\"", 6, emit_bool},
    {"\"M\"", 3, emit_map},         {"\"L\"", 3, emit_list},        {"\"NULL\"", 6, emit_null},
    {"\"B\"", 3, emit_binary},      {"\"SS\"", 4, emit_string_set}, {"\"NS\"", 4, emit_number_set},
    {"\"BS\"", 4, emit_binary_set},
};

/* {"X": as DynamoDB writes it, for types of one letter: most of all values. NULL: read it the long way. */
static const struct type *short_type(struct canon *c)
{
    const char *at = c->in.at;
    if (c->in.end - at < 5 || at[0] != '{' || at[1] != '"' || at[3] != '"' || at[4] != ':')
        return NULL;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (types[i].len != 3 || types[i].name[1] != at[2])
            continue;
        memcpy(c->to, at, 5);
        c->to += 5;
        c->in.at += 5;
        return &types[i];
    }
    return NULL;
}

/* Their names may be escaped and spaced like any other, so they are read as text. */
static const struct type *any_type(struct canon *c)
{
    if (!take(c, '{', "a value without its type"))
        return NULL;
    const char *name = c->to;
    if (!emit_string(c, 0))
        return NULL;
    size_t len = (size_t)(c->to - name), i = 0;
    while (i < COUNT_OF(types) && (types[i].len != len || memcmp(types[i].name, name, len) != 0))
        i++;
    if (i == COUNT_OF(types)) {
        wrong(c, "a type that DynamoDB does not have");
        return NULL;
    }
    return take(c, ':', "no colon behind a type") ? &types[i] : NULL;
}

/* {"S":"text"}: exactly one known type. */
static bool emit_value(struct canon *c, unsigned depth)
{
    if (depth > ITEM_DEPTH)
        return wrong(c, "values nested too deep");
    const struct type *type = short_type(c);
    if (!type)
        type = any_type(c);
    if (!type || !type->emit(c, depth))
        return false;
    return take(c, '}', "a value with more than one type");
}

int item_canonical(struct item_scratch *scratch, struct bytes item, struct bytes *ret_canonical,
                   struct err *err)
{
    if (item.len > ITEM_WIRE_MAX)
        return err_set(err, ERR_ITEM_INVALID, "an item of more than %lld bytes", ITEM_WIRE_MAX);
    /* No token grows by more than TEXT_GROWTH, so nothing below has to ask for room. */
    if (!memory_grow(&scratch->out, item.len * TEXT_GROWTH + OUT_SLACK, 0))
        return err_set(err, ERR_NO_MEMORY, "no memory for an item");
    struct canon c = {
        .in = scan_of(item), .to = scratch->out.data, .out = scratch->out.data, .scratch = scratch};
    scratch->entry_count = 0;
    if (emit_map(&c, 0) && !scan_at_end(&c.in))
        wrong(&c, "something behind the item");
    if (c.no_memory)
        return err_set(err, ERR_NO_MEMORY, "no memory for an item");
    if (c.what)
        return err_set(err, ERR_ITEM_INVALID, "%s, at byte %zu of the item", c.what,
                       (size_t)(c.in.at - item.data));
    *ret_canonical = (struct bytes){c.out, (size_t)(c.to - c.out)};
    return 0;
}

int item_digest(struct item_scratch *scratch, struct bytes item, unsigned char ret_digest[SHA256_BYTES],
                struct bytes *ret_canonical, struct err *err)
{
    struct bytes canonical;
    if (item_canonical(scratch, item, &canonical, err) < 0 ||
        sha256_once(scratch->sha, canonical, ret_digest, err) < 0)
        return -1;
    if (ret_canonical)
        *ret_canonical = canonical;
    return 0;
}
