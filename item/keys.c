#include "item/keys.h"

#include <isa-l/crc.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "item/scan.h"

/* A key attribute's name has at most 255 characters; escaped, six bytes each and more for pairs. */
#define ESCAPED_NAME_MAX 4096

/* Is the raw name, between its quotes, this one when decoded? 1, 0, or -1 without memory. */
static int name_is(struct bytes raw, const char *name, struct err *err)
{
    size_t len = strlen(name);
    if (raw.len < len) /* decoding makes nothing longer */
        return 0;
    if (!memchr(raw.data, '\\', raw.len))
        return raw.len == len && memcmp(raw.data, name, len) == 0;
    if (raw.len > ESCAPED_NAME_MAX)
        return 0;
    _cleanup_(buffer_done) struct buffer decoded = BUFFER_INIT(ESCAPED_NAME_MAX + 1);
    struct err why = ERR_INIT; /* a name that cannot be decoded is not the one we look for */
    struct bytes quoted = {raw.data - 1, raw.len + 2};
    if (json_string_decode(quoted, &decoded, &why) < 0)
        return why.code == ERR_NO_MEMORY ? err_set(err, ERR_NO_MEMORY, "no memory for a name") : 0;
    return bytes_is(buffer_bytes(&decoded), name);
}

/* {"S":...}, {"N":...} or {"B":...}: 1, 0, or -1 without memory. */
static int is_key_value(struct bytes value, struct err *err)
{
    static const char *const types[] = {"S", "N", "B"};
    struct scan in = scan_of(value);
    struct bytes type, text;
    int known = 0;
    if (!scan_take(&in, '{') || !scan_string(&in, &type))
        return 0;
    for (size_t i = 0; i < COUNT_OF(types) && known == 0; i++)
        known = name_is(type, types[i], err);
    if (known <= 0)
        return known;
    return scan_take(&in, ':') && scan_string(&in, &text) && scan_take(&in, '}');
}

/* Takes the attribute when it is the key's, whose value so far is *found. */
static int take_attribute(struct bytes name, struct bytes value, const char *key, struct bytes *found,
                          struct err *err)
{
    int same = name_is(name, key, err);
    if (same <= 0)
        return same;
    if (found->data)
        return err_set(err, ERR_ITEM_INVALID, "key attribute %s is there twice", key);
    int good = is_key_value(value, err);
    if (good == 0)
        return err_set(err, ERR_ITEM_INVALID, "key attribute %s is not of type S, N or B", key);
    *found = value;
    return good < 0 ? -1 : 0;
}

int item_keys_find(struct bytes item, const struct item_key_names *names,
                   struct bytes ret_values[ITEM_KEYS_MAX], struct err *err)
{
    struct bytes found[ITEM_KEYS_MAX] = {{NULL, 0}}, name, value;
    struct scan in = scan_of(item);
    int more;
    if (!scan_take(&in, '{'))
        return err_set(err, ERR_ITEM_INVALID, "no map where an item belongs");
    for (bool first = true; (more = scan_member(&in, first, &name)) > 0; first = false) {
        if (!scan_value(&in, &value))
            return err_set(err, ERR_ITEM_INVALID, "an item that does not end");
        for (size_t i = 0; i < names->count; i++)
            if (take_attribute(name, value, names->names[i], &found[i], err) < 0)
                return -1;
    }
    if (more < 0)
        return err_set(err, ERR_ITEM_INVALID, "an item that does not end");
    for (size_t i = 0; i < names->count; i++)
        if (!found[i].data)
            return err_set(err, ERR_ITEM_INVALID, "key attribute %s is missing", names->names[i]);
    memcpy(ret_values, found, sizeof found);
    return 0;
}

void item_keys_write(struct buffer *out, const struct item_key_names *names,
                     const struct bytes values[ITEM_KEYS_MAX])
{
    for (size_t i = 0; i < names->count; i++) {
        buffer_add_str(out, i == 0 ? "{\"" : ",\"");
        json_escape(out, bytes_of(names->names[i]));
        buffer_add_str(out, "\":");
        buffer_add_bytes(out, values[i]);
    }
    buffer_add_char(out, '}');
}

/* The item's Key object, into `key`. */
static int key_of(struct bytes item, const struct item_key_names *names, struct buffer *key, struct err *err)
{
    struct bytes values[ITEM_KEYS_MAX] = {{NULL, 0}};
    if (item_keys_find(item, names, values, err) < 0)
        return -1;
    key->secret = true;
    buffer_clear(key);
    item_keys_write(key, names, values);
    return buffer_ok(key, "a key", err);
}

int item_keys_mark(struct item_scratch *scratch, struct bytes item, const struct item_key_names *names,
                   struct buffer *room, uint32_t *ret_mark, struct err *err)
{
    struct bytes canonical;
    if (key_of(item, names, room, err) < 0 ||
        item_canonical(scratch, buffer_bytes(room), &canonical, err) < 0)
        return -1;
    *ret_mark = crc32_gzip_refl(0, (const unsigned char *)canonical.data, canonical.len);
    return 0;
}

int item_keys_digest(struct item_scratch *scratch, struct bytes item, const struct item_key_names *names,
                     unsigned char ret_digest[SHA256_BYTES], struct err *err)
{
    _cleanup_(buffer_done) struct buffer key = BUFFER_INIT(ITEM_KEY_OBJECT_MAX);
    if (key_of(item, names, &key, err) < 0)
        return -1;
    return item_digest(scratch, buffer_bytes(&key), ret_digest, NULL, err);
}

int item_keys_hash(struct item_scratch *scratch, struct bytes item, const struct item_key_names *names,
                   char ret_hex[HEX_SIZE(SHA256_BYTES)], struct err *err)
{
    unsigned char digest[SHA256_BYTES];
    if (item_keys_digest(scratch, item, names, digest, err) < 0)
        return -1;
    hex_encode(digest, SHA256_BYTES, ret_hex);
    return 0;
}
