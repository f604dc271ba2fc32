#include "item/canonical.h"

#include <stdlib.h>
#include <openssl/crypto.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "item/number.h"
#include "item/order.h"
#include "item/sha256_two.h"
#include "item/text.h"

/* Commas and brackets that are written before it is known whether they belong; numbers grow by two bytes at
 * most. */
#define OUT_SLACK (64 + SHA256_ROOM)
#define ENTRIES_FIRST 256

struct memory {
    void *data;
    size_t size;
    size_t used; /* what held text, and is wiped; behind it stand at most zeros that a number has shed */
};

struct item_scratch {
    struct sha256 *sha;
    bool sha_two;          /* sha256_two_fast */
    bool waits;            /* the text in out[0] waits to be hashed with another */
    size_t waiting_len;    /* of it */
    struct memory out[2];  /* canonical texts */
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
        OPENSSL_cleanse(memory->data, memory->used);
    free(memory->data);
    *memory = (struct memory){NULL, 0, 0};
}

/* At least `size` bytes; the first `keep` stay. The caller says what it uses of them. */
static bool memory_reserve(struct memory *memory, size_t size, size_t keep)
{
    if (memory->size >= size)
        return true;
    size_t grown = memory->size * 2 > size ? memory->size * 2 : size;
    struct memory larger = {malloc(grown), grown, keep};
    if (!larger.data)
        return false;
    if (keep > 0)
        memcpy(larger.data, memory->data, keep);
    memory_done(memory);
    *memory = larger;
    return true;
}

static void memory_use(struct memory *memory, size_t used)
{
    if (memory->used < used)
        memory->used = used;
}

static bool memory_grow(struct memory *memory, size_t size, size_t keep)
{
    if (!memory_reserve(memory, size, keep))
        return false;
    memory_use(memory, size);
    return true;
}

struct item_scratch *item_scratch_new(struct err *err)
{
    _cleanup_(item_scratch_free_p) struct item_scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch || !memory_grow(&scratch->entries, ENTRIES_FIRST * sizeof(struct order_entry), 0)) {
        err_set(err, ERR_NO_MEMORY, "no memory for reading items");
        return NULL;
    }
    scratch->sha_two = sha256_two_fast();
    scratch->sha = sha256_new(err);
    return scratch->sha ? TAKE(scratch) : NULL;
}

void item_scratch_free(struct item_scratch *scratch)
{
    if (!scratch)
        return;
    sha256_free(scratch->sha);
    memory_done(&scratch->out[0]);
    memory_done(&scratch->out[1]);
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
    size_t len = (size_t)(c->to - 1 - text);
    if (number_is_canonical(text, len))
        return true;
    const char *what = number_canonical((struct bytes){text, len}, number, &len);
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

enum { TYPE_S, TYPE_N, TYPE_M, TYPE_L, TYPE_B };

static const struct type {
    const char *name; /* as emitted, with quotes */
    size_t len;
    emit_fn *emit;
} types[] = {
    [TYPE_S] = {"\"S\"", 3, emit_string}, [TYPE_N] = {"\"N\"", 3, emit_number},
    [TYPE_M] = {"\"M\"", 3, emit_map},    [TYPE_L] = {"\"L\"", 3, emit_list},
    [TYPE_B] = {"\"B\"", 3, emit_binary}, {"\"BOOL\"", 6, emit_bool},
    {"\"NULL\"", 6, emit_null},           {"\"SS\"", 4, emit_string_set},
    {"\"NS\"", 4, emit_number_set},       {"\"BS\"", 4, emit_binary_set},
};

static const struct type *type_of_letter(char letter)
{
    switch (letter) {
    case 'S':
        return &types[TYPE_S];
    case 'N':
        return &types[TYPE_N];
    case 'M':
        return &types[TYPE_M];
    case 'L':
        return &types[TYPE_L];
    case 'B':
        return &types[TYPE_B];
    default:
        return NULL;
    }
}

/* {"X": as DynamoDB writes it, for types of one letter: most of all values. NULL: read it the long way. */
static const struct type *short_type(struct canon *c)
{
    const char *at = c->in.at;
    if (c->in.end - at < 5 || at[0] != '{' || at[1] != '"' || at[3] != '"' || at[4] != ':')
        return NULL;
    const struct type *type = type_of_letter(at[2]);
    if (!type)
        return NULL;
    memcpy(c->to, at, 5);
    c->to += 5;
    c->in.at += 5;
    return type;
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

/* The item that is next in `in`, of at most `max` bytes, to `out`; *in moves behind it. */
static int form_of(struct item_scratch *scratch, struct memory *out, struct scan *in, size_t max,
                   struct bytes *ret_canonical, struct err *err)
{
    /* No token grows by more than TEXT_GROWTH, so nothing below has to ask for room. */
    if (!memory_reserve(out, max * TEXT_GROWTH + OUT_SLACK, 0))
        return err_set(err, ERR_NO_MEMORY, "no memory for an item");
    struct canon c = {.in = {in->at, in->at + max}, .to = out->data, .out = out->data, .scratch = scratch};
    scratch->entry_count = 0;
    bool good = emit_map(&c, 0);
    struct bytes canonical = {c.out, (size_t)(c.to - c.out)};
    memory_use(out, canonical.len + OUT_SLACK);
    if (c.no_memory)
        return err_set(err, ERR_NO_MEMORY, "no memory for an item");
    if (!good && c.in.at == c.in.end && c.in.end < in->end)
        return err_set(err, ERR_ITEM_INVALID, "an item of more than %lld bytes", ITEM_WIRE_MAX);
    if (!good)
        return err_set(err, ERR_ITEM_INVALID, "%s, at byte %zu of the item", c.what,
                       (size_t)(c.in.at - in->at));
    in->at = c.in.at;
    *ret_canonical = canonical;
    return 0;
}

int item_canonical(struct item_scratch *scratch, struct bytes item, struct bytes *ret_canonical,
                   struct err *err)
{
    struct scan in = scan_of(item);
    struct bytes canonical;
    if (item.len > ITEM_WIRE_MAX)
        return err_set(err, ERR_ITEM_INVALID, "an item of more than %lld bytes", ITEM_WIRE_MAX);
    if (form_of(scratch, &scratch->out[1], &in, item.len, &canonical, err) < 0)
        return -1;
    if (!scan_at_end(&in))
        return err_set(err, ERR_ITEM_INVALID, "something behind the item, at byte %zu of the item",
                       (size_t)(in.at - item.data));
    *ret_canonical = canonical;
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

/* -- one after the other -- */

int item_digest_next(struct item_scratch *scratch, struct scan *in, struct bytes *ret_item,
                     unsigned char ret_digests[2][SHA256_BYTES], struct err *err)
{
    bool waits = scratch->waits;
    struct bytes canonical;
    scan_space(in);
    const char *at = in->at;
    size_t left = (size_t)(in->end - at);
    scratch->waits = false;
    if (form_of(scratch, &scratch->out[waits], in, left < ITEM_WIRE_MAX ? left : ITEM_WIRE_MAX, &canonical,
                err) < 0)
        return -1;
    *ret_item = (struct bytes){at, (size_t)(in->at - at)};
    if (!waits) {
        scratch->waits = true;
        scratch->waiting_len = canonical.len;
        return 0;
    }
    struct sha256_text texts[2] = {{scratch->out[0].data, scratch->waiting_len},
                                   {scratch->out[1].data, canonical.len}};
    return sha256_two(scratch->sha, scratch->sha_two, texts, ret_digests, err) < 0 ? -1 : 2;
}

int item_digest_rest(struct item_scratch *scratch, unsigned char ret_digest[SHA256_BYTES], struct err *err)
{
    if (!scratch->waits)
        return 0;
    scratch->waits = false;
    struct bytes waiting = {scratch->out[0].data, scratch->waiting_len};
    return sha256_once(scratch->sha, waiting, ret_digest, err) < 0 ? -1 : 1;
}
