/* Items and their canonical form, keys and fingerprints. The form of a form is itself; jansson's own spelling
 * of the same item (other order, space and escapes) has the same form; sums do not depend on order. The
 * independent oracle is tests/fuzz/oracle. */
#include "tests/fuzz/fuzz.h"

#include "base/json.h"
#include "item/fingerprint.h"
#include "item/keys.h"

static struct item_scratch *scratch_of(int n)
{
    static struct item_scratch *scratches[2];
    struct err err = ERR_INIT;

    if (!scratches[n])
        scratches[n] = item_scratch_new(&err);
    HOLDS(scratches[n]);
    return scratches[n];
}

/* Is it the canonical form that this text has too? */
static void same_form(struct bytes text, struct bytes form)
{
    struct err err = ERR_INIT;
    struct bytes got;
    char *copy = exact_copy(text);

    HOLDS(item_canonical(scratch_of(1), (struct bytes){copy, text.len}, &got, &err) == 0);
    HOLDS(bytes_equal(got, form));
    free(copy);
}

static void judge_item(struct bytes item, struct bytes form)
{
    static const size_t spellings[] = {JSON_SORT_KEYS | JSON_ENSURE_ASCII | JSON_INDENT(3), JSON_COMPACT,
                                       JSON_ESCAPE_SLASH | JSON_ENSURE_ASCII};
    json_auto_t *dom = json_loadb(item.data, item.len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
    struct err err = ERR_INIT;

    if (json_check(form, &(struct json_limits){.max_depth = 2 * ITEM_DEPTH + 8}, &err) < 0)
        HOLDS(strstr(err.message, "a NUL in a name")); /* an item may have it, a document of ours not */
    same_form(form, form);
    for (size_t i = 0; dom && i < COUNT_OF(spellings); i++) { /* jansson has no NUL in names */
        char *text = json_dumps(dom, spellings[i]);

        HOLDS(text);
        same_form(bytes_of(text), form);
        free(text);
    }
}

static void judge_keys(struct bytes item)
{
    static const struct item_key_names names = {{"a", "k"}, 2}, one = {{"a"}, 1};
    struct bytes values[ITEM_KEYS_MAX];
    unsigned char digest[SHA256_BYTES], again[SHA256_BYTES];

    for (int i = 0; i < 2; i++) {
        const struct item_key_names *which = i ? &one : &names;
        _cleanup_(buffer_done) struct buffer key = BUFFER_INIT(4 * item.len + 256);
        struct err err = ERR_INIT;
        int found = item_keys_find(item, which, values, &err);

        judge(found, &err);
        if (found < 0 || item_keys_digest(scratch_of(0), item, which, digest, &err) < 0)
            continue;
        item_keys_write(&key, which, values);
        HOLDS(!key.failed && item_digest(scratch_of(0), buffer_bytes(&key), again, NULL, &err) == 0);
        HOLDS(memcmp(digest, again, sizeof digest) == 0);
    }
}

/* Each line an item: forwards, backwards and in two halves is one sum. */
static void judge_sums(struct bytes lines)
{
    struct fingerprint forwards = FINGERPRINT_EMPTY, backwards = FINGERPRINT_EMPTY, odd = FINGERPRINT_EMPTY,
                       parsed;
    struct input in = {(const uint8_t *)lines.data, lines.len};
    struct bytes list[64];
    size_t count = 0;
    char text[FINGERPRINT_SIZE];

    while (in.left > 0 && count < COUNT_OF(list))
        list[count++] = input_line(&in);
    struct fingerprint even = FINGERPRINT_EMPTY;
    for (size_t i = 0; i < count; i++) {
        struct err err = ERR_INIT, same = ERR_INIT;
        struct fingerprint before = forwards;
        int rc = fingerprint_add(&forwards, scratch_of(0), list[i], &err);

        judge(rc, &err);
        HOLDS(rc == 0 || fingerprint_equal(&before, &forwards));
        HOLDS(fingerprint_add(i % 2 ? &odd : &even, scratch_of(0), list[i], &same) == rc);
    }
    for (size_t i = count; i > 0; i--) {
        struct err err = ERR_INIT;
        fingerprint_add(&backwards, scratch_of(0), list[i - 1], &err);
    }
    fingerprint_merge(&even, &odd);
    HOLDS(fingerprint_equal(&forwards, &backwards) && fingerprint_equal(&forwards, &even));
    fingerprint_format(&forwards, text);
    HOLDS(fingerprint_parse(bytes_of(text), &parsed) && fingerprint_equal(&parsed, &forwards));
}

static void judge_parse(struct bytes text)
{
    struct fingerprint parsed;
    char again[FINGERPRINT_SIZE];

    if (!fingerprint_parse(text, &parsed))
        return;
    fingerprint_format(&parsed, again);
    HOLDS(bytes_is(text, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes item = {(const char *)data, size}, form;
    struct err err = ERR_INIT;
    int rc = item_canonical(scratch_of(0), item, &form, &err);

    judge(rc, &err);
    if (rc == 0) {
        char *copy = exact_copy(form);
        judge_item(item, (struct bytes){copy, form.len});
        free(copy);
    }
    judge_keys(item);
    judge_sums(item);
    judge_parse(item);
    return 0;
}
